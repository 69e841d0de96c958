"""Settings: parsed once, from a mapping such as the environment; an error names the variable."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platformdirs import user_data_path
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bot.documents.images import IMAGES
from bot.documents.images import KINDS as FILE_KINDS
from bot.documents.templates import DEFAULT, TemplateCatalog
from bot.domain.incident.policy import POLICY, parse_policy
from bot.domain.incident.roles import ROLES, parse_roles
from bot.domain.items.cadence import Cadence, parse_cadence, parse_holidays
from bot.errors import UsageError
from bot.publishing.target import TARGETS
from bot.sources import generic
from bot.sources.kinds import SOURCES
from bot.vocabulary import ACTION_ITEM, KINDS
from storage.values import FILES_SUFFIX

SLACK_API = "https://slack.com/api/"
TOKEN_PATTERN = re.compile(r"[!-~]*")
MALFORMED = "{variable} holds a blank, the end of a line, or a letter no token has"
ASSUME_MEMBERS = "assume-members"
"""The value of SCRIBE_STANDING that takes people for members of whom Slack may not tell anything."""
_PREFIX = re.compile(r"[a-z0-9_-]{0,16}")
_SQLITE_FILE = re.compile(r"sqlite(?:\+[a-z0-9]+)?:///(?P<file>[^?]+)(?:\?.*)?", re.DOTALL)
_LINK = re.compile(r"https?://[^\s<>|]+")
_BASE = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+(?:/[A-Za-z0-9._~%/-]*)?")
_LOGIN = re.compile(r"//[^/]*@")
CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{2,20}")
_INVITED = re.compile(r"[UWS][A-Z0-9]{2,20}")
_SILENCE = re.compile(
    r"(?:(?P<h>[0-9]{1,4})\s*h(?:ours?)?)?\s*(?:(?P<m>[0-9]{1,5})\s*m(?:in(?:utes?)?)?)?", re.IGNORECASE
)
ASK, DECLARES, KEEP = "ask", "declare", "keep"
"""What is done about an alert in a channel where no incident is open: ask there, declare one, or only keep it."""
_SECRET_LENGTH = 16
"""Characters of a secret that cannot be guessed, at least."""
STALE = timedelta(hours=2)
"""How long an open incident may be silent before its channel is asked about it."""
SHORTEST_SILENCE = timedelta(minutes=5)
_BOOLEANS = {"on": True, "1": True, "true": True, "yes": True, "off": False, "0": False, "false": False, "no": False}
Parsed = TypeVar("Parsed")


def default_database_url() -> str:
    """The URL of the SQLite file in the user's data folder."""
    return f"sqlite:///{user_data_path('scribe', appauthor=False) / 'scribe.db'}"


def _beside(database_url: str) -> Path:
    """The folder of kept files: `scribe.db.files` beside `scribe.db`, for a server's in the user's data folder."""
    match = _SQLITE_FILE.fullmatch(database_url)
    if match is None:
        return user_data_path("scribe", appauthor=False) / "files"
    return Path(f"{match['file']}{FILES_SUFFIX}")


def default_spool() -> Path:
    """The folder of the requests that wait while the database is away, in the user's data folder."""
    return user_data_path("scribe", appauthor=False) / "spool"


class Settings(BaseModel):
    """All settings; each field's alias is its environment variable.

    `reactions` maps an emoji's name to the kind of entry it records; empty turns reactions off. `check_off` are the
    rules that the check skips. `policy` maps an action to who may do it. `roles` maps each word for a role to the role.
    `publish_dir` and `canvas` each turn on a target that postmortems are published to. `card` has an incident's card
    posted in its channel. `similar` has similar incidents named. `pins` puts on the timeline what is pinned in an
    incident's channel. `files` are the kinds of files that are kept of messages, each of at most `files_mb` megabytes,
    in the folder `files_dir`. `follow_edits` has
    the manifest ask for edits of messages.
    `summary_channel` is a channel's id; empty turns the weekly summary off, and `summary_when_empty` is what it is in a
    week without news. `updates_channel` is the id of the channel where updates to stakeholders are posted; empty for
    the incident's own. `stale` is how long an open incident may be silent before it is asked about, zero for ever.
    `hooks_secret` makes the addresses that sources post to; empty turns them off. `hooks_signed` has the secrets of
    sources that sign, `hooks_generic` the fields of the generic one, and `alerts` the rule of each channel, under an
    empty id that of the others.
    `prometheus` is the address that graphs are fetched from; empty turns them off.
    `channels` offers incidents channels of their own, and each `invite_` names who is invited there. `standing` is
    where people's standing comes from: what Slack tells, or without the scope `users:read` the assumption that all are
    members.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)

    database_url: str = Field(default_factory=default_database_url, alias="DATABASE_URL")
    bot_token: SecretStr = Field(default=SecretStr(""), alias="SLACK_BOT_TOKEN")
    app_token: SecretStr = Field(default=SecretStr(""), alias="SLACK_APP_TOKEN")
    signing_secret: SecretStr = Field(default=SecretStr(""), alias="SLACK_SIGNING_SECRET")
    api_url: str = Field(default=SLACK_API, alias="SLACK_API_URL")
    timezone: ZoneInfo = Field(default=ZoneInfo("UTC"), alias="SCRIBE_TIMEZONE")
    prefix: str = Field(default="", alias="SCRIBE_PREFIX")
    reactions: dict[str, str] = Field(default_factory=dict, alias="SCRIBE_REACTIONS")
    templates: Path | None = Field(default=None, alias="SCRIBE_TEMPLATES")
    template: str = Field(default=DEFAULT, alias="SCRIBE_TEMPLATE")
    check_off: frozenset[str] = Field(default=frozenset(), alias="SCRIBE_CHECK_OFF")
    standing: Literal["slack", "assume-members"] = Field(default="slack", alias="SCRIBE_STANDING")
    policy: dict[str, str] = Field(default_factory=lambda: dict(POLICY), alias="SCRIBE_POLICY")
    roles: dict[str, str] = Field(default_factory=lambda: parse_roles(",".join(ROLES)), alias="SCRIBE_ROLES")
    spool: Path = Field(default_factory=default_spool, alias="SCRIBE_SPOOL")
    publish_dir: Path | None = Field(default=None, alias="SCRIBE_PUBLISH_DIR")
    publish_url: str | None = Field(default=None, alias="SCRIBE_PUBLISH_URL")
    canvas: bool = Field(default=False, alias="SCRIBE_CANVAS")
    card: bool = Field(default=True, alias="SCRIBE_CARD")
    similar: bool = Field(default=True, alias="SCRIBE_SIMILAR")
    pins: bool = Field(default=False, alias="SCRIBE_PINS")
    files: frozenset[str] = Field(default=frozenset(), alias="SCRIBE_FILES")
    files_mb: int = Field(default=10, ge=1, le=100, alias="SCRIBE_FILES_MB")
    files_dir: Path = Field(default=Path(), alias="SCRIBE_FILES_DIR", validate_default=True)
    follow_edits: bool = Field(default=False, alias="SCRIBE_FOLLOW_EDITS")
    reminders: Cadence = Field(default_factory=Cadence, alias="SCRIBE_REMINDERS")
    holidays: frozenset[date] = Field(default=frozenset(), alias="SCRIBE_HOLIDAYS")
    summary_channel: str = Field(default="", alias="SCRIBE_SUMMARY_CHANNEL")
    summary_when_empty: Literal["line", "nothing"] = Field(default="line", alias="SCRIBE_SUMMARY_EMPTY")
    updates_channel: str = Field(default="", alias="SCRIBE_UPDATES_CHANNEL")
    stale: timedelta = Field(default=STALE, alias="SCRIBE_STALE")
    channels: bool = Field(default=False, alias="SCRIBE_CHANNELS")
    invite_sev1: tuple[str, ...] = Field(default=(), alias="SCRIBE_INVITE_SEV1")
    invite_sev2: tuple[str, ...] = Field(default=(), alias="SCRIBE_INVITE_SEV2")
    invite_sev3: tuple[str, ...] = Field(default=(), alias="SCRIBE_INVITE_SEV3")
    invite_sev4: tuple[str, ...] = Field(default=(), alias="SCRIBE_INVITE_SEV4")
    hooks_secret: SecretStr = Field(default=SecretStr(""), alias="SCRIBE_HOOKS_SECRET")
    hooks_signed: dict[str, SecretStr] = Field(default_factory=dict, alias="SCRIBE_HOOKS_SIGNED")
    hooks_generic: dict[str, str] = Field(default_factory=dict, alias="SCRIBE_HOOKS_GENERIC")
    alerts: dict[str, str] = Field(default_factory=dict, alias="SCRIBE_ALERTS")
    prometheus: str = Field(default="", alias="SCRIBE_PROMETHEUS")
    log_level: str = Field(default="INFO", alias="SCRIBE_LOG_LEVEL")
    log_format: Literal["json", "text"] | None = Field(default=None, alias="SCRIBE_LOG_FORMAT")
    health_port: int | None = Field(default=None, ge=0, le=65535, alias="SCRIBE_HEALTH_PORT")

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Parse a mapping such as `os.environ`; empty values count as absent.

        A variable that ends in `_FILE` (FROM_FILES) names a file that holds the value, as Docker and Kubernetes lay
        secrets. Raises UsageError naming the variable whose value is invalid.
        """
        present = {name: value for name, value in environment.items() if value}
        try:
            return cls.model_validate(present | _read_files(present))
        except ValidationError as error:
            problem = error.errors()[0]
            message = str(problem["msg"]).removeprefix("Value error, ")
            raise UsageError(f"{problem['loc'][0] if problem['loc'] else 'settings'}: {message}") from None

    @field_validator("timezone", mode="before")
    @classmethod
    def _zone(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone; write an IANA name such as Europe/Berlin") from None

    @field_validator("prefix")
    @classmethod
    def _prefix(cls, value: str) -> str:
        if not _PREFIX.fullmatch(value):
            raise ValueError(f"{value!r} is no prefix; up to 16 of a-z, 0-9, - and _, such as inc-")
        return value

    @field_validator("reactions", mode="before")
    @classmethod
    def _reactions(cls, value: object) -> object:
        return parse_reactions(value) if isinstance(value, str) else value

    @field_validator("files", mode="before")
    @classmethod
    def _files(cls, value: object) -> object:
        return parse_files(value) if isinstance(value, str) else value

    @field_validator("files_dir")
    @classmethod
    def _files_dir(cls, value: Path, info: ValidationInfo) -> Path:
        chosen = value if value != Path() else _beside(str(info.data.get("database_url")))
        return chosen.expanduser().absolute()

    @field_validator("templates")
    @classmethod
    def _templates(cls, value: Path | None) -> Path | None:
        folder = value.expanduser().absolute() if value else None
        if folder and not folder.is_dir():
            raise ValueError(f"{value} is no folder; it holds templates of your own, such as ours.md.j2")
        return folder

    @field_validator("publish_dir")
    @classmethod
    def _publish_dir(cls, value: Path | None) -> Path | None:
        # Publishing checks that the folder exists: a disk that is not mounted must not keep the bot from starting.
        return value.expanduser().absolute() if value else None

    @field_validator("publish_url")
    @classmethod
    def _publish_url(cls, value: str | None) -> str | None:
        if value and not (_LINK.fullmatch(value)):
            raise ValueError(f"{value!r} is no web address; it is where people read the folder, https://…")
        return value.rstrip("/") if value else None

    @field_validator("canvas", "card", "similar", "pins", "follow_edits", "channels", mode="before")
    @classmethod
    def _switch(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.lower() not in _BOOLEANS:
            raise ValueError(f"{value!r} is neither on nor off")
        return _BOOLEANS[value.lower()]

    @field_validator("template")
    @classmethod
    def _template(cls, value: str, info: ValidationInfo) -> str:
        return _parse(TemplateCatalog(info.data.get("templates")).find, value)

    @field_validator("policy", mode="before")
    @classmethod
    def _policy(cls, value: object) -> object:
        return parse_policy(value) if isinstance(value, str) else value

    @field_validator("roles", mode="before")
    @classmethod
    def _roles(cls, value: object) -> object:
        return parse_roles(value) if isinstance(value, str) else value

    @field_validator("check_off", mode="before")
    @classmethod
    def _check_off(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        from bot.domain.check.checklist import parse_off  # noqa: PLC0415 - loads the whole check, which most commands do without

        return parse_off(value)

    @field_validator("reminders", mode="before")
    @classmethod
    def _reminders(cls, value: object) -> object:
        return _parse(parse_cadence, value) if isinstance(value, str) else value

    @field_validator("holidays", mode="before")
    @classmethod
    def _holidays(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        named = Path(value).expanduser()
        return _parse(parse_holidays, named.read_text(encoding="utf-8") if _is_file(named) else value)

    @field_validator("summary_channel", "updates_channel")
    @classmethod
    def _channel_id(cls, value: str) -> str:
        if not CHANNEL_ID.fullmatch(value):
            raise ValueError(f"{value!r} is no channel's id; it stands at the end of the channel's details: C0123ABCD")
        return value

    @field_validator("stale", mode="before")
    @classmethod
    def _stale(cls, value: object) -> object:
        return parse_silence(value) if isinstance(value, str) else value

    @field_validator("invite_sev1", "invite_sev2", "invite_sev3", "invite_sev4", mode="before")
    @classmethod
    def _invited(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        ids = tuple(dict.fromkeys(each.strip() for each in value.split(",") if each.strip()))
        for each in ids:
            if not _INVITED.fullmatch(each):
                raise ValueError(
                    f"{each!r} is no id of a person or of a group; they stand in a profile's menu (U0123ABCD) and in "
                    "the address of a group's page (S0123ABCD)"
                )
        return ids

    @field_validator("hooks_secret")
    @classmethod
    def _hooks_secret(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < _SECRET_LENGTH:
            raise ValueError(f"fewer than {_SECRET_LENGTH} characters can be guessed; take: openssl rand -hex 32")
        return value

    @field_validator("hooks_signed", mode="before")
    @classmethod
    def _hooks_signed(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        signing = [name for name, source in SOURCES.items() if source.signature is not None]
        return _named_values(value, signing, "source that signs", "pagerduty=SECRET")

    @field_validator("hooks_generic", mode="before")
    @classmethod
    def _hooks_generic(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return _named_values(value, generic.FIELDS, "field of a signal", "title=alert.name,at=alert.time")

    @field_validator("alerts", mode="before")
    @classmethod
    def _alerts(cls, value: object) -> object:
        return parse_alert_rules(value) if isinstance(value, str) else value

    @field_validator("prometheus")
    @classmethod
    def _prometheus(cls, value: str) -> str:
        if not _BASE.fullmatch(value):
            raise ValueError(
                f"{_LOGIN.sub('//', value)!r} is no address of a Prometheus, without a user, a query or a fragment: "
                "http://prometheus:9090"
            )
        return value.rstrip("/")

    @field_validator("api_url")
    @classmethod
    def _api_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError(f"{value!r} is no web address; it is only set to talk to something other than Slack")
        return value.rstrip("/") + "/"

    @field_validator("log_level")
    @classmethod
    def _log_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError(f"{value!r} is no level; one of DEBUG, INFO, WARNING, ERROR")
        return value.upper()

    @model_validator(mode="after")
    def _tokens(self) -> Self:
        for name, token, start in (
            ("SLACK_BOT_TOKEN", self.bot_token, "xoxb-"),
            ("SLACK_APP_TOKEN", self.app_token, "xapp-"),
        ):
            if token.get_secret_value() and not token.get_secret_value().startswith(start):
                raise ValueError(f"{name} should begin with {start}; look at the app's page on api.slack.com/apps")
        return self

    def invited(self, severity: str | None) -> tuple[str, ...]:
        """The ids of the people and groups that are invited to the channel of an incident of that severity."""
        return () if severity is None else getattr(self, f"invite_{severity.lower()}")

    def summary(self) -> dict[str, str]:
        """What is set, by variable, for the log: without secrets and what may hold one."""
        told = self.model_dump(
            by_alias=True, exclude_unset=True, exclude={*_SECRETS, "hooks_signed", "prometheus", "publish_url"}
        )
        return {name: str(value) for name, value in told.items()}

    def alert_rule(self, channel_id: str) -> str:
        """What is done about an alert in the channel while no incident is open there."""
        return self.alerts.get(channel_id) or self.alerts.get("") or ASK

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the targets that postmortems are published to."""
        return tuple(name for name, place in TARGETS.items() if getattr(self, place.setting))

    @property
    def cadence(self) -> Cadence:
        """The cadence of reminders, completed with the holidays, the default zone and the summary's channel."""
        return replace(self.reminders, holidays=self.holidays, zone=self.timezone, summary_channel=self.summary_channel)

    @property
    def catalog(self) -> TemplateCatalog:
        """The shipped templates and those in the folder `templates`."""
        return TemplateCatalog(self.templates)


_SECRETS: Final = ("bot_token", "app_token", "signing_secret", "database_url", "hooks_secret")
FROM_FILES: Final = {f"{alias}_FILE": alias for alias in (Settings.model_fields[name].alias or "" for name in _SECRETS)}
"""The variables that name a file, by the variable whose value stands in it."""
_LONGEST_SECRET = 64 * 1024


def _read_files(environment: Mapping[str, str]) -> dict[str, str]:
    """The values that FROM_FILES names. Raises UsageError for a file that cannot be read, and for a value set twice."""
    values = {}
    for variable, target in FROM_FILES.items():
        if not (path := environment.get(variable)):
            continue
        if target in environment:
            raise UsageError(f"{variable} and {target} are both set; leave one of them out")
        try:
            with Path(path).open(encoding="utf-8") as file:
                value = file.read(_LONGEST_SECRET).strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no text"
            raise UsageError(f"{variable}: {path} cannot be read: {reason}") from None
        if not value:
            raise UsageError(f"{variable}: {path} is empty")
        values[target] = value
    return values


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a list of dates may be too long for a file name
        return False


def _parse(parse: Callable[[str], Parsed], words: str) -> Parsed:
    """Parse the words; a UsageError becomes a ValueError, whose message pydantic passes on."""
    try:
        return parse(words)
    except UsageError as error:
        raise ValueError(str(error)) from None


def _named_values(words: str, names: Iterable[str], what: str, example: str) -> dict[str, str]:
    """Parse `name=value,name=value`. Raises ValueError for another name, and for one without a value."""
    pairs = [part.strip().partition("=") for part in words.split(",") if part.strip()]
    for name, _, value in pairs:
        if name.strip() not in names or not value.strip():
            raise ValueError(f"{name.strip()!r} is no {what}, or has no value; one of {', '.join(names)}: {example}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def parse_alert_rules(words: str) -> dict[str, str]:
    """Parse `ask`, or `ask,C0123ABCD=declare`: the rule of each channel, under an empty id that of the others.

    Raises ValueError for another rule, or what is no channel's id.
    """
    rules: dict[str, str] = {}
    for part in filter(None, map(str.strip, words.split(","))):
        channel_id, _, rule = part.rpartition("=")
        if rule not in {ASK, DECLARES, KEEP}:
            raise ValueError(f"{rule!r} is no rule for alerts; one of {ASK}, {DECLARES}, {KEEP}")
        if channel_id and not CHANNEL_ID.fullmatch(channel_id):
            raise ValueError(f"{channel_id!r} is no channel's id; write {ASK},C0123ABCD={DECLARES}")
        rules[channel_id] = rule
    return rules


def parse_silence(words: str) -> timedelta:
    """Parse `2h`, `90m` or `1h30m`; zero for `off` and `0`.

    Raises ValueError for other words, and below SHORTEST_SILENCE.
    """
    if words.strip().lower() in {"0", "0h", "0m", "off"}:
        return timedelta()
    match = _SILENCE.fullmatch(words.strip())
    length = timedelta(hours=int(match["h"] or 0), minutes=int(match["m"] or 0)) if match else timedelta()
    if length < SHORTEST_SILENCE:
        raise ValueError(f"{words!r} is no time of five minutes or more; write 2h, 90m or 1h30m, or off")
    return length


def parse_files(words: str) -> frozenset[str]:
    """Parse the kinds of files to keep, `images,pdf`; none for `off`. Raises ValueError for a kind that is not kept."""
    named = [each.strip().lower() for each in words.split(",") if each.strip()]
    found = {kind for each in named for kind in {"images": IMAGES, "off": ()}.get(each, (each,))}
    for kind in sorted(found - FILE_KINDS.keys()):
        raise ValueError(f"{kind!r} is no kind of file that is kept; write images, or some of {', '.join(FILE_KINDS)}")
    return frozenset(found)


def parse_reactions(words: str) -> dict[str, str]:
    """Parse emoji names and the kinds they record, `pushpin=note,white_check_mark=did`; a bare emoji is a note.

    `actionitem` in place of a kind makes an action item. Raises ValueError for a kind that is not in the vocabulary.
    """
    pairs = [part.strip().partition("=") for part in words.split(",") if part.strip()]
    reactions = {emoji.strip().strip(":"): kind.strip() or "note" for emoji, _, kind in pairs}
    for kind in reactions.values():
        if kind not in KINDS and kind != ACTION_ITEM.name:
            raise ValueError(f"{kind!r} is no kind of entry; {ACTION_ITEM.name}, or one of {', '.join(KINDS)}")
    return reactions
