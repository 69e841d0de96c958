"""The request that a handler gets and the reply that it returns, the same for every surface."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from bot.config import Settings
from bot.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionEdit:
    """An edit of one section: its key, the version that was opened, and the whole new text."""

    key: str
    version: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One command, click, form or reaction of a user, independent of the surface it came from.

    `words` is the plain text after the command; `people` maps each `@name` in it to a user id. `received_at` is when
    Scribe received it, `said_at` the time of the message where the surface knows one. `zone` is the user's zone if
    `zone_known`, else the default. `key` is the idempotency key; None where the surface never repeats a delivery.
    `author` is set where the user records another person's message. `incident_number` overrides the channel's
    incident. `reply_url` reaches the user for 30 minutes, also where the bot is not in the channel. `details` are a
    form's fields that have no place in the words; `edit` is a form's text, which may be longer than words. `parsed`
    is what `routes.understand` parsed from the words, in the type that the route's handler expects.
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
    private: bool = False
    zone_known: bool = True
    key: str | None = None
    people: Mapping[str, str] = field(default_factory=dict)
    said_at: datetime | None = None
    author: str | None = None
    author_id: str | None = None
    permalink: str | None = None
    reply_url: str | None = None
    incident_number: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    edit: SectionEdit | None = None
    parsed: Any = None

    @property
    def now(self) -> datetime:
        """The instant that relative times in the words refer to."""
        return self.said_at or self.received_at

    def slash(self, command: str) -> str:
        """The command as this user types it: `/inc-detected`, or `@scribe detected` in reply to a mention.

        In a thread, where most mentions come from, Slack takes no slash commands.
        """
        return f"@scribe {command}" if self.source == "mention" else f"/{self.settings.prefix}{command}"

    def to_json(self) -> dict[str, Any]:
        """The request as JSON values, for the spool; without the settings, which apply anew when it is replayed."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        del values["settings"], values["parsed"]
        moments = {name: value.isoformat() for name, value in values.items() if isinstance(value, datetime)}
        edit = None if self.edit is None else asdict(self.edit)
        details = {"people": dict(self.people), "details": dict(self.details), "edit": edit}
        return {**values, **moments, "zone": self.zone.key, **details}

    @classmethod
    def from_json(cls, values: Mapping[str, Any], settings: Settings) -> Self:
        """The inverse of `to_json`. Raises ValueError, KeyError or TypeError for values that are no request."""
        moments = {
            name: datetime.fromisoformat(values[name]) for name in ("received_at", "said_at") if values.get(name)
        }
        edit = SectionEdit(**values["edit"]) if values.get("edit") else None
        return cls(**{**values, **moments, "zone": ZoneInfo(values["zone"]), "edit": edit, "settings": settings})


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
class Reply:
    """An answer: Slack text, already escaped, shown to the channel if `public`, else to the user alone.

    `form` names a form to open instead of the text, or after it; `fills` are the form's values. `document` is Markdown
    to show below the text. `about` (the incident's name) and `recorded` (the kind of the entry that was just recorded)
    are for log and metrics, and not part of the receipt.
    """

    text: str
    public: bool = False
    buttons: tuple[Control, ...] = ()
    form: str | None = None
    document: str | None = None
    fills: Mapping[str, Any] = field(default_factory=dict)
    about: str | None = field(default=None, compare=False)
    recorded: str | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The reply as JSON values, for the receipt."""
        buttons = [asdict(button) for button in self.buttons]
        return {
            "text": self.text,
            "public": self.public,
            "buttons": buttons,
            "form": self.form,
            "document": self.document,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{**values, "buttons": tuple(_control(each) for each in values["buttons"])})


def _control(values: Mapping[str, Any]) -> Control:
    if "options" not in values:
        return Button(**values)
    return Menu(**{**values, "options": tuple((label, value) for label, value in values["options"])})


def first_word(words: str) -> tuple[str, str]:
    """The first word, case-folded, and the rest, both stripped; empty strings where there is none."""
    parts = words.split(maxsplit=1)
    if not parts:
        return "", ""
    return parts[0].casefold(), parts[1].strip() if len(parts) > 1 else ""


def parse_person(request: Request, words: str, example: str) -> tuple[str, str | None]:
    """Parse `@name` into (name, user id); the id is None for a team or a role.

    Raises UsageError for words that are not exactly one `@name`.
    """
    name = words.strip()
    if not name.startswith("@") or len(name) < 2 or len(name.split()) != 1:  # noqa: PLR2004 - an @ and a letter
        raise UsageError(f"That names nobody. Try: {example}")
    return name[1:], request.people.get(name[1:])
