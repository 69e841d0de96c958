"""The request that a handler gets and the reply that it returns, the same for every surface."""

import html
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.config import Settings
from bot.domain.incident.policy import visible_to
from bot.domain.incident.secrets import is_suspect, secrets_in
from bot.domain.postmortem.names import is_role, words_of
from bot.errors import UsageError
from bot.vocabulary import COMMANDS
from storage import members
from storage.values import MEMBER, UNKNOWN, Incident

MENTION = "mention"
"""The source of a request that somebody made by mentioning the bot."""
DIRECT = "D"
"""How the id of a conversation of one person with another, or with Scribe, begins."""
OLD_BUTTON = "That button is of another version of Scribe, so nothing was changed. Please type the command."
"""The error for a button whose action or value this version does not know."""
ENTRY_MENU, ENTRY_ACTIONS = "entry_menu", ("Edit", "Undo")
"""The action of the menu on an entry's receipt, and what it offers; the value is `INC-1 5 edit`."""
HIDDEN = "[hidden]"
"""What a channel is shown in place of what looks like a secret."""
EARLIEST_YEAR = 1970
"""No time in a button's value is before it."""
_CANDIDATES = 5
"""Names in a question about whom a name means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionEdit:
    """An edit of one section: its key, the version that was opened, and the whole new text.

    `erasures` counts how often words of the incident had been erased when the form was opened, if it was known.
    """

    key: str
    version: int
    text: str
    erasures: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One command, click, form or reaction of a user, independent of the surface it came from.

    `words` is the plain text after the command; `people` maps each `@name` in it to a user id, `groups` to the id of a
    group of users. `received_at` is when
    Scribe received it, `said_at` the time of the message where the surface knows one. `zone` is the user's zone if
    `zone_known`, else the default. `key` is the idempotency key; None where the surface never repeats a delivery.
    `author` is set where the user records another person's message. `incident_number` overrides the channel's incident.
    `named_number` is that of an incident which the user names, and which they may not be able to see. With `declares`
    the words are for a new incident in the channel. `reply_url` reaches the user for 30 minutes, also where the bot is
    not in the channel. `details` are a form's fields that have no place in the words; `edit` is a form's text, which
    may be longer than words. `revises` is the key of the request that the same message made before somebody edited it.
    `files` are Slack's ids of the message's files, which are to be kept for the entry.
    `parsed` is what `routes.understand` parsed from the words, in the type that the route's handler expects.
    `has_time` says that nobody waits for the answer within Slack's three seconds.
    `standing` is that of the user, as in `Member.standing`; it decides what they may see, and is never taken for
    granted.
    """

    workspace_id: str
    channel_id: str
    channel_name: str
    user_id: str
    user_name: str
    command: str
    words: str
    received_at: datetime
    zone: ZoneInfo
    source: str
    settings: Settings
    standing: str = UNKNOWN
    private: bool = False
    zone_known: bool = True
    key: str | None = None
    people: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    said_at: datetime | None = None
    author: str | None = None
    author_id: str | None = None
    permalink: str | None = None
    reply_url: str | None = None
    incident_number: int | None = None
    named_number: int | None = None
    declares: bool = False
    details: Mapping[str, str] = field(default_factory=dict)
    edit: SectionEdit | None = None
    revises: str | None = None
    files: tuple[str, ...] = ()
    parsed: Any = None
    has_time: bool = False

    @property
    def now(self) -> datetime:
        """The instant that relative times in the words refer to."""
        return self.said_at or self.received_at

    @property
    def is_member(self) -> bool:
        """Whether the user is known to be a full member of the workspace or its organisation."""
        return self.standing == MEMBER

    def sees(self, incident: Incident) -> bool:
        """Whether the user may see the incident where the request was made."""
        return visible_to(self.standing, incident, self.channel_id)

    def people_in(self, text: str) -> dict[str, str] | None:
        """The user ids behind the `@name`s of a part of the words, by name; None where there are none."""
        return {name: user_id for name, user_id in self.people.items() if f"@{name}" in text} or None

    def slash(self, command: str) -> str:
        """The command as this user types it: `/inc-detected`, or `@scribe detected` in reply to a mention.

        In a thread, where most mentions come from, Slack takes no slash commands. In a message to Scribe alone it is
        the word itself.
        """
        if self.is_said_to_bot:
            return command
        return f"@scribe {command}" if self.source == MENTION else f"/{self.settings.prefix}{command}"

    @property
    def is_direct(self) -> bool:
        """Whether it was typed in a conversation of one person with Scribe, which is no incident's channel."""
        return self.channel_id.startswith(DIRECT)

    @property
    def is_said_to_bot(self) -> bool:
        """Whether it was written to Scribe alone, as a message that begins with the command itself."""
        return self.is_direct and self.source == MENTION

    @property
    def sent(self) -> str:
        """What the person sent, to be repeated to them: the command and its words, or that it was a button or form."""
        return f"{self.slash(self.command)} {self.words}".strip() if self.command in COMMANDS else "what you sent"

    def to_json(self) -> dict[str, Any]:
        """The request as JSON values, for the spool; without the settings, which apply anew when it is replayed."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        del values["settings"], values["parsed"]
        moments = {name: value.isoformat() for name, value in values.items() if isinstance(value, datetime)}
        edit = None if self.edit is None else asdict(self.edit)
        details = {
            "people": dict(self.people),
            "groups": dict(self.groups),
            "details": dict(self.details),
            "edit": edit,
        }
        return {**values, **moments, "zone": self.zone.key, **details}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], settings: Settings) -> Self:
        """The inverse of `to_json`. Raises ValueError, KeyError or TypeError for values that are no request."""
        moments = {
            name: datetime.fromisoformat(values[name]) for name in ("received_at", "said_at") if values.get(name)
        }
        edit = SectionEdit(**values["edit"]) if values.get("edit") else None
        own = {"zone": ZoneInfo(values["zone"]), "edit": edit, "files": tuple(values.get("files", ()))}
        return cls(**{**values, **moments, **own, "settings": settings})


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button under a reply; a click arrives as a request with the command `action` and the words `value`."""

    label: str
    action: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """A menu under a reply; a choice arrives like a button's click. `options` are (label, value)."""

    label: str
    action: str
    options: tuple[tuple[str, str], ...]


Control = Button | Menu


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A part of an answer with its own controls, in Slack text, already escaped."""

    text: str
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: Slack text, already escaped, shown to the channel if `public`, else to the user alone.

    A reply that `replaces` takes the place of the message whose control was pressed, so that its controls are gone.
    Where that asked several things, `settles` is how the actions of the answered one begin: its other buttons stay.
    `rows` are shown in place of the text, which has the same words, where there are some.
    `form` names a form to open instead of the text, or after it; `fills` are the form's values. `document` is Markdown
    to show below the text. `about` (the incident's name) and `recorded` (the kind of the entry that was just recorded)
    are for log and metrics, and not part of the receipt. Nor is `own`: that the text repeats no more than the user's
    own new words and names, so that it may be shown in any channel. The receipt of an `entry` (`INC-1 5`) begins with
    a line of kind, time and number, and `entry_lines` lines of its words.
    """

    text: str
    public: bool = False
    replaces: bool = False
    buttons: tuple[Control, ...] = ()
    rows: tuple[Row, ...] = ()
    form: str | None = None
    document: str | None = None
    fills: Mapping[str, Any] = field(default_factory=dict)
    entry: str | None = None
    entry_lines: int = 0
    settles: tuple[str, ...] = field(default=(), compare=False)
    about: str | None = field(default=None, compare=False)
    recorded: str | None = field(default=None, compare=False)
    own: bool = field(default=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The reply as JSON values, for the receipt."""
        buttons = [asdict(button) for button in self.buttons]
        return {
            "text": self.text,
            "public": self.public,
            "replaces": self.replaces,
            "buttons": buttons,
            "rows": [asdict(row) for row in self.rows],
            "form": self.form,
            "document": self.document,
            "entry": self.entry,
            "entry_lines": self.entry_lines,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        rows = tuple(
            Row(text=row["text"], controls=tuple(map(_control, row["controls"]))) for row in values.get("rows", ())
        )
        return cls(**{**values, "buttons": tuple(_control(each) for each in values["buttons"]), "rows": rows})


def _control(values: Mapping[str, Any]) -> Control:
    if "options" not in values:
        return Button(**values)
    return Menu(**{**values, "options": tuple((label, value) for label, value in values["options"])})


def without_secrets(text: str) -> str:
    """Slack text, escaped already, with HIDDEN in place of what looks like a secret; the same text where nothing does.

    It is read unescaped: an entity would hide a placeholder, and its signs are part of a password.
    """
    plain = html.unescape(text)
    if not is_suspect(plain):
        return text
    for secret in sorted(secrets_in(plain), key=len, reverse=True):
        text = text.replace(html.escape(secret, quote=False), HIDDEN)
    return text


def read_value(form: re.Pattern[str], request: Request) -> re.Match[str]:
    """The parts of a button's value, by the names that its form gives them; `at` and `was` are instants.

    Raises UsageError for another value, and for an instant that is none, is after now or before EARLIEST_YEAR.
    """
    value = form.fullmatch(request.words)
    if value is None:
        raise UsageError(OLD_BUTTON)
    for name in value.groupdict().keys() & {"at", "was"}:
        try:
            instant = value[name] and datetime.fromisoformat(value[name])
        except ValueError:
            raise UsageError(OLD_BUTTON) from None
        if instant and not (instant.year >= EARLIEST_YEAR and instant <= request.received_at):
            raise UsageError(OLD_BUTTON)
    return value


def first_word(words: str) -> tuple[str, str]:
    """The first word, case-folded, and the rest, both stripped; empty strings where there is none."""
    parts = words.split(maxsplit=1)
    if not parts:
        return "", ""
    return parts[0].casefold(), parts[1].strip() if len(parts) > 1 else ""


def parse_person(connection: Connection, request: Request, words: str, command: str) -> tuple[str, str | None]:
    """Whom `@name`, `me` or a member's plain name means, as (name, user id); the id is None for a group, team or role.

    A name that Slack did not link is looked for among the members: after an @ the whole name, else also one word of it.
    Raises UsageError for other words, for a name that several have, and for one that Slack does not know; with the
    user's own as the example.
    """
    name = " ".join(words.split())
    example = f"Try: {command} @{'_'.join(words_of(request.user_name)) or 'alice'}"
    if name.casefold() in {"me", "@me", "myself"} and name.removeprefix("@") not in request.people:
        return request.user_name, request.user_id
    if not name.startswith("@"):
        return _find_plain_name(connection, request, name, example)
    if len(name) < 2 or " " in name:  # noqa: PLR2004 - an @ and a letter
        raise UsageError(f"That names nobody. {example}")
    name = name[1:]
    user_id = request.people.get(name)
    if user_id is None and name in request.groups:
        return name, None
    if user_id is None:
        named = members.names(connection, request.workspace_id) if request.is_member else {}
        found = [member_id for member_id, known in named.items() if words_of(known) == words_of(name)]
        if len(found) > 1:
            raise UsageError(f"Several people are called @{name}. Type the @ and pick one from Slack's list.")
        if not found and is_role(name):
            return name, None
        user_id = found[0] if found else None
    member = members.find(connection, request.workspace_id, user_id) if user_id else None
    if user_id is None or (member is not None and member.barred == "unknown"):
        raise UsageError(f"Slack knows nobody behind @{name[:80]}. {example}")
    return name, user_id


def _find_plain_name(connection: Connection, request: Request, name: str, example: str) -> tuple[str, str]:
    # Who works here is told to nobody who does not.
    searched = request.is_member and name and "@" not in name
    known = members.names(connection, request.workspace_id) if searched else {}
    found = {user_id: each for user_id, each in known.items() if each.casefold() == name.casefold()}
    found = found or {user_id: each for user_id, each in known.items() if name.casefold() in each.casefold().split()}
    if len(found) == 1:
        user_id, whole = next(iter(found.items()))
        return whole, user_id
    if found:
        raise UsageError(
            f"{len(found)} people are called {name}: {', '.join(sorted(found.values())[:_CANDIDATES])}. "
            f"Type the whole name, or an @ and choose. {example}"
        )
    raise UsageError(f"That names nobody. {example}")
