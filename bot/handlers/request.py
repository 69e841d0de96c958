"""What is asked of a handler, and what it answers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from bot.config import Settings
from bot.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionEdit:
    """A section as somebody wrote it: its key, the version it was opened at, and the whole new text."""

    key: str
    version: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing somebody asked for, whatever the surface it came by.

    `words` follow the command and are plain text; `people` gives the user id behind each `@name` in them.
    `received_at` is when Scribe got it; `said_at` when it was said, where the surface knows better (a message has
    its own time). `zone` is the typist's zone when `zone_known`, else the default one. `key` makes a repeat
    recognisable; without one nothing can repeat. `author` differs from the user where somebody puts another's
    message on the timeline. `incident_number` names the incident where the surface does, and the channel's does not
    count. `reply_url` reaches the person for half an hour even where the bot is no member. `details` are what a form
    asks and no words say; `edit` is what came of a form whose text may be longer than words are. `parsed` is what
    `routes.understand` read out of the words, in the type that the route's handler expects.
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
        """The instant the words speak from."""
        return self.said_at or self.received_at

    def slash(self, command: str) -> str:
        """A command as it is typed in this workspace: `/inc-detected`.

        To a mention it is told as one: in a thread Slack takes no slash commands.
        """
        return f"@scribe {command}" if self.source == "mention" else f"/{self.settings.prefix}{command}"

    def to_json(self) -> dict[str, Any]:
        """As plain values, to be kept while the database is away; what the settings say is not kept with it."""
        kept = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in {"settings", "parsed"}}
        moments = {name: value.isoformat() for name, value in kept.items() if isinstance(value, datetime)}
        edit = None if self.edit is None else asdict(self.edit)
        return (
            kept
            | moments
            | {"zone": self.zone.key, "people": dict(self.people), "details": dict(self.details), "edit": edit}
        )

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], settings: Settings) -> Self:
        """The request that `to_json` made the values of. Raises ValueError, KeyError or TypeError for anything else."""
        moments = {name: datetime.fromisoformat(kept[name]) for name in ("received_at", "said_at") if kept.get(name)}
        edit = SectionEdit(**kept["edit"]) if kept.get("edit") else None
        return cls(**{**kept, **moments, "zone": ZoneInfo(kept["zone"]), "edit": edit, "settings": settings})


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button under a reply; a click comes back as `action` with `value`."""

    label: str
    action: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """A menu under a reply; a choice comes back as `action` with its value. `options` are (label, value)."""

    label: str
    action: str
    options: tuple[tuple[str, str], ...]


Control = Button | Menu


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: Slack text, already escaped, seen by the channel when `public`, else by the person alone.

    `form` names the form to open instead, or after the text if there is one; `fills` is what stands in it.
    `document` is Markdown to be shown below the text.
    `about` is the incident's name, and `recorded` the kind of entry that was recorded with this very answer: for the
    log and the counts, not for a person, and not kept with the receipt.
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
        """As plain values, to be kept as a receipt."""
        buttons = [asdict(button) for button in self.buttons]
        return {
            "text": self.text,
            "public": self.public,
            "buttons": buttons,
            "form": self.form,
            "document": self.document,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """The reply that `to_json` made the values of."""
        return cls(**{**kept, "buttons": tuple(_control(each) for each in kept["buttons"])})


def _control(kept: Mapping[str, Any]) -> Control:
    if "options" not in kept:
        return Button(**kept)
    return Menu(**{**kept, "options": tuple((label, value) for label, value in kept["options"])})


def first_word(words: str) -> tuple[str, str]:
    """The first word in lower case, and the rest, both without white space around them."""
    parts = words.split(maxsplit=1)
    if not parts:
        return "", ""
    return parts[0].casefold(), parts[1].strip() if len(parts) > 1 else ""


def parse_person(request: Request, words: str, example: str) -> tuple[str, str | None]:
    """The (name, user id) that `@name` stands for; the id is None for a team or a role.

    Raises UsageError when the words are no single `@name`.
    """
    name = words.strip()
    if not name.startswith("@") or len(name) < 2 or len(name.split()) != 1:  # noqa: PLR2004 - an @ and a letter
        raise UsageError(f"That names nobody. Try: {example}")
    return name[1:], request.people.get(name[1:])
