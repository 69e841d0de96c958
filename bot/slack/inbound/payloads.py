"""Slack's payloads as typed values, with the fields that the listeners read.

Over both transports a payload whose read fields have another shape is answered with 400 before a listener acts on a
part of it; its other fields may be missing, empty or of any type. Listeners read these values, never the raw body.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import (
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from slack_bolt import BoltRequest

from bot.handlers.request import DIRECT
from bot.slack.members import SlackUser


def _valid_or_none(value: object, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        return None


_OR_NONE = WrapValidator(_valid_or_none)
"""For a field that may be missing: one of another shape is taken for that."""

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""An id that Slack repeats when it delivers the same thing again."""
MaybeId = Annotated[Id | None, BeforeValidator(lambda value: value or None)]
"""An id that may be missing or empty."""
Ts = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,11}(\.[0-9]{1,9})?$")]
MaybeTs = Annotated[Ts | None, BeforeValidator(lambda value: value or None)]

UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError)
"""What Bolt and the parsers raise for a payload of another shape; it answers the exceptions of listeners itself."""
_MOST_FIELDS = 10
OptionalId = Annotated[Id | None, _OR_NONE]
"""An id that something else stands in for where it is missing, empty or of another shape."""
OptionalText = Annotated[str | None, _OR_NONE]
_NAMELESS = frozenset({"incoming-webhook"})
"""Slack's own names for apps that were given none."""


class _Named(BaseModel):
    id: Id
    name: OptionalText = None


class _Person(_Named):
    username: OptionalText = None
    team_id: OptionalId = None

    @property
    def handle(self) -> str | None:
        """The handle, which is `username` in block actions and `name` in other interactions."""
        return self.username or self.name


class _Team(BaseModel):
    id: Id
    domain: OptionalText = None


class SlashCommand(BaseModel):
    """A slash command."""

    team_id: Id
    channel_id: Id
    user_id: Id
    command: str
    text: str | None = None
    channel_name: OptionalText = None
    user_name: OptionalText = None
    trigger_id: Key
    response_url: OptionalText = None


class _Interaction(BaseModel):
    team: _Team
    user: _Person
    response_url: OptionalText = None


class _Option(BaseModel):
    value: str


def _only_first(actions: object) -> object:
    """The action that is read, of a list."""
    return actions[:1] if isinstance(actions, list) else actions


class _Action(BaseModel):
    action_id: str
    value: str | None = None
    selected_option: _Option | None = None

    @property
    def chosen(self) -> str:
        """The value of the button, or of the option chosen in a menu; empty where there is none."""
        return self.value or (self.selected_option.value if self.selected_option else "")


class _Container(BaseModel):
    channel_id: OptionalId = None


class _Pressed(BaseModel):
    blocks: Any = None


class Click(_Interaction):
    """A button pressed or an option chosen in a menu."""

    trigger_id: Key
    actions: Annotated[list[_Action], Field(min_length=1), BeforeValidator(_only_first)]
    channel: Annotated[_Named | None, _OR_NONE] = None
    container: Annotated[_Container | None, _OR_NONE] = None
    message: Annotated[_Pressed | None, _OR_NONE] = None

    @property
    def channel_id(self) -> str:
        """Where the button is; the person, whose conversation with the bot it is, in the Home tab and in forms."""
        if self.channel is not None:
            return self.channel.id
        return (self.container and self.container.channel_id) or self.user.id

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """The blocks of the message, which Slack does not send for one that a single person sees."""
        blocks = self.message.blocks if self.message else None
        return [each for each in blocks if isinstance(each, dict)] if isinstance(blocks, list) else []


class _Edited(BaseModel):
    user: OptionalId = None
    ts: Ts


class SourceMessage(BaseModel):
    """A message, as a shortcut, an event or the Web API describes it.

    `blocks`, `attachments`, `files` and `bot_profile` may be of any shape: what is not as documented is not read.
    """

    ts: Ts
    subtype: str | None = None
    thread_ts: MaybeTs = None
    text: str | None = None
    user: MaybeId = None
    user_team: OptionalId = None
    source_team: OptionalId = None
    bot_id: MaybeId = None
    username: OptionalText = None
    bot_profile: Any = None
    edited: _Edited | None = None
    blocks: Any = None
    attachments: Any = None
    files: Any = None

    @property
    def by_app(self) -> bool:
        """Whether an app wrote it, for itself or for a person."""
        return self.bot_id is not None or self.subtype == "bot_message"

    @property
    def home_id(self) -> str | None:
        """The id of the author's own workspace, which Slack tells where it is not the channel's."""
        return self.user_team or self.source_team

    @property
    def app_name(self) -> str | None:
        """The name of the app that wrote it for itself; what it calls itself where Slack names none."""
        if not self.by_app:
            return None
        name = self.bot_profile.get("name") if isinstance(self.bot_profile, Mapping) else None
        if not isinstance(name, str):
            return self.username
        return self.username if not name or (self.username and name in _NAMELESS) else name


class Shortcut(_Interaction):
    """A shortcut used on a message."""

    trigger_id: Key
    callback_id: str
    channel: _Named
    message: SourceMessage


class _Input(BaseModel):
    value: str | None = None
    selected_user: str | None = None
    selected_date: str | None = None
    selected_date_time: Annotated[int, Field(ge=0, lt=10**11)] | None = None
    selected_option: _Option | None = None
    selected_options: list[_Option] | None = None

    @property
    def answer(self) -> str | int | list[str] | None:
        """The text, user, date, epoch seconds, option or options that the person entered; None for an empty input."""
        if self.selected_options is not None:
            return [each.value for each in self.selected_options]
        for entered in (self.value, self.selected_user, self.selected_date, self.selected_date_time):
            if entered is not None:
                return entered
        return self.selected_option.value if self.selected_option else None


class _State(BaseModel):
    values: dict[str, Annotated[dict[str, _Input], Field(min_length=1)]]


class SubmittedView(BaseModel):
    """A modal with the state of its inputs."""

    id: Id
    type: str
    callback_id: str
    private_metadata: str
    state: _State


class Submission(_Interaction):
    """A modal submitted."""

    view: SubmittedView


class _Event(BaseModel):
    type: str


class Event(BaseModel):
    """An event that no listener reads."""

    event: _Event


class _Envelope(BaseModel):
    team_id: Id


class _Repeatable(_Envelope):
    event_id: Key


class _Authorization(BaseModel):
    user_id: OptionalText = None


_Authorizations = Annotated[list[_Authorization] | None, _OR_NONE]


class _Mentioned(SourceMessage):
    channel: Id
    text: str


class Mention(_Envelope):
    """A message that mentions the bot."""

    event: _Mentioned
    authorizations: _Authorizations = None


class _Message(BaseModel):
    subtype: str | None = None
    channel: MaybeId = None
    deleted_ts: MaybeTs = None
    message: Any = None
    previous_message: Any = None


class MessageEvent(_Repeatable):
    """A message edited or deleted."""

    event: _Message
    authorizations: _Authorizations = None


class _DirectMessage(SourceMessage):
    channel: Id


class DirectMessage(_Repeatable):
    """A message that a person wrote to the bot alone."""

    event: _DirectMessage


class _MessageItem(BaseModel):
    channel: Id
    ts: Ts


_OTHER_ITEMS = ("file", "file_comment")


class _OtherItem(BaseModel):
    """A file or what else can be reacted to, which no listener reads."""


def _message_or_other(part: object) -> str:
    """Which of the two an item is; the tags stand in the log where one is refused."""
    other = isinstance(part, Mapping) and part.get("type") in _OTHER_ITEMS
    return "other" if other or isinstance(part, _OtherItem) else "message"


_AnyItem = Annotated[
    Annotated[_MessageItem, Tag("message")] | Annotated[_OtherItem, Tag("other")], Discriminator(_message_or_other)
]


class _Reacted(BaseModel):
    type: str
    user: Id
    event_ts: Annotated[Ts | None, _OR_NONE] = None
    reaction: str
    item_user: OptionalId = None
    item: _AnyItem

    @property
    def message(self) -> _MessageItem | None:
        """The message reacted to; None for a file."""
        return self.item if isinstance(self.item, _MessageItem) else None


class Reaction(_Repeatable):
    """An emoji reaction added to an item or removed from it."""

    event: _Reacted


class _PinnedMessage(SourceMessage):
    permalink: OptionalText = None


class _MessagePin(BaseModel):
    channel: OptionalId = None
    message: _PinnedMessage


_AnyPinned = Annotated[
    Annotated[_MessagePin, Tag("message")] | Annotated[_OtherItem, Tag("other")], Discriminator(_message_or_other)
]


class _PinChange(BaseModel):
    type: str
    user: Id
    channel_id: OptionalId = None
    event_ts: Annotated[Ts | None, _OR_NONE] = None
    item: _AnyPinned

    @property
    def message(self) -> _PinnedMessage | None:
        """The message, without its files and its thread; None for a file, which could be pinned once."""
        return self.item.message if isinstance(self.item, _MessagePin) else None

    @property
    def channel(self) -> str | None:
        """The channel that it is pinned to."""
        return self.channel_id or (self.item.channel if isinstance(self.item, _MessagePin) else None)


class PinChange(_Repeatable):
    """A message pinned to its channel, or its pin taken away."""

    event: _PinChange


class _HomeOpened(BaseModel):
    user: Id


class _OtherOpened(BaseModel):
    """Another tab than the Home tab, of which nothing is read."""


def _home_or_other(part: object) -> str:
    other = isinstance(part, Mapping) and part.get("tab") == "messages"
    return "other" if other or isinstance(part, _OtherOpened) else "home"


class Opened(_Envelope):
    """A person opened one of the app's tabs."""

    event: Annotated[
        Annotated[_HomeOpened, Tag("home")] | Annotated[_OtherOpened, Tag("other")], Discriminator(_home_or_other)
    ]

    @property
    def user_id(self) -> str | None:
        """Whose Home tab it is; None for another tab."""
        return self.event.user if isinstance(self.event, _HomeOpened) else None


class _UserChanged(BaseModel):
    user: SlackUser


class UserChange(_Envelope):
    """A change of a person's profile or standing, or somebody new."""

    event: _UserChanged


class _JoinedChannel(BaseModel):
    user: Id
    channel: OptionalId = None


class Joined(_Envelope):
    """Somebody, perhaps the bot, joined a channel."""

    event: _JoinedChannel


_INTERACTIONS: Mapping[str, type[BaseModel]] = {
    "block_actions": Click,
    "message_action": Shortcut,
    "view_submission": Submission,
}
CHANGED, DELETED = "message_changed", "message_deleted"
"""The subtypes of a message's event that tell what became of an earlier one."""
_SAID = frozenset({None, "", "file_share", "thread_broadcast", "me_message"})
"""The subtypes of what a person writes; the others tell what happened."""
_EVENTS: Mapping[str, type[BaseModel]] = {
    "app_mention": Mention,
    "reaction_added": Reaction,
    "reaction_removed": Reaction,
    "pin_added": PinChange,
    "pin_removed": PinChange,
    "app_home_opened": Opened,
    **dict.fromkeys(("user_change", "team_join"), UserChange),
    "member_joined_channel": Joined,
}


def _field_names(kind: type[BaseModel]) -> Iterable[str]:
    yield from kind.model_fields
    for part in kind.model_json_schema().get("$defs", {}).values():
        yield from part.get("properties", ())


_KINDS: tuple[type[BaseModel], ...] = (
    *(SlashCommand, MessageEvent, DirectMessage, Event),
    *_INTERACTIONS.values(),
    *_EVENTS.values(),
)
_TAGS = frozenset({"message", "other", "home"})
_UNNAMED = "*"
"""Stands for a key that is no field's name: keys of a form's state are values."""


@cache
def _names() -> frozenset[str]:
    """The names of all fields, and the tags of the alternatives: what may be logged of a payload."""
    return _TAGS.union(*map(_field_names, _KINDS))


_IDENTIFYING = ("enterprise", "team", "user", "channel")
_NESTED = ("event", "message", "previous_message", "item", "view")


class UnreadableError(Exception):
    """A payload of a known kind with another shape; the message names the kind and the fields, never their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWorkspace:
    """The one workspace that the bot's token reaches, and the bot's id there.

    `belongs(user_id, team_id)` tells whether a payload of that user is for this workspace although it names another
    team, where the payload itself does not tell.
    """

    team_id: str
    bot_id: str | None
    belongs: Callable[[str | None, str], bool]


def parse(body: Mapping[str, Any], own: OwnWorkspace | None = None) -> BaseModel | None:
    """The payload as a value of its kind; None for an unknown kind. Raises UnreadableError for another shape.

    Its team is the workspace that the app is installed in, which is not always the one that it names. `own` is None
    until it is known, and for an organisation's token, which reaches several.
    """
    kind = _kind(body)
    if kind is None:
        return None
    try:
        return kind.model_validate(_in_workspace(body, installed_in(body, own)), strict=True)
    except ValidationError as error:
        raise UnreadableError(f"{kind.__name__}: {_fields(error)}") from None


def _fields(error: ValidationError) -> str:
    """The fields that failed, as `event.item.ts`: names of fields alone, never a part of the payload."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    paths = {
        ".".join(str(step) if isinstance(step, int) or step in _names() else _UNNAMED for step in each["loc"])
        for each in found
    }
    return ", ".join(sorted(paths)[:_MOST_FIELDS])


def installed_in(body: Mapping[str, Any], own: OwnWorkspace | None) -> str | None:
    """The workspace that the app is installed in, from where Slack sends the payload; None where nothing tells it.

    In a channel that a partner's workspace created, `team_id` and `team` name that one, whoever types. Events name the
    installation in `authorizations`, forms in the view. Another payload is for `own` where its user is of that
    workspace or its message the bot's: another installation's is never taken for it.
    """
    named = _id(_first(body, "authorizations"), "team_id")
    view_team = _id(_part(body, "view"), "app_installed_team_id")
    user = _part(body, "user") or {"id": body.get("user_id") or _part(body, "event").get("user")}
    of_organisation = str(body.get("is_enterprise_install")).lower() == "true"
    # An organisation's id begins with E: its installation is in all of its workspaces.
    if told := next((each for each in (named, view_team) if each and not each.startswith("E")), None):
        return told
    outer = _id(body, "team_id") or _id(_part(body, "team"), "id")
    if own is None or of_organisation or outer == own.team_id:
        at_home = own.team_id if own else None
        return outer or _id(user, "team_id") or _id(_part(body, "view"), "team_id") or at_home
    is_own = own.team_id == _id(user, "team_id") or own.bot_id == (_id(_part(body, "message"), "bot_id") or "")
    return own.team_id if outer is None or is_own or own.belongs(_id(user, "id"), outer) else outer


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}


def _first(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    parts = body.get(name)
    return parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], Mapping) else {}


def _id(part: Mapping[str, Any], name: str) -> str | None:
    value = part.get(name)
    return value if isinstance(value, str) and value else None


def _in_workspace(body: Mapping[str, Any], team_id: str | None) -> Mapping[str, Any]:
    """The payload with the workspace in place of the team that it names."""
    if team_id is None or team_id == _id(body, "team_id"):
        return body
    if body.get("type") == "event_callback" or "command" in body:
        return {**body, "team_id": team_id}
    team = _part(body, "team")
    # The address of another team's messages is not that of ours.
    return body if team.get("id") == team_id else {**body, "team": {"id": team_id}}


def _kind(body: Mapping[str, Any]) -> type[BaseModel] | None:
    if "command" in body:
        return SlashCommand
    name = body.get("type")
    if name != "event_callback":
        return _INTERACTIONS.get(name) if isinstance(name, str) else None
    event = _part(body, "event")
    name = event.get("type")
    if name == "message":
        return _kind_of_message(event)
    return _EVENTS.get(name, Event) if isinstance(name, str) else Event


def _kind_of_message(event: Mapping[str, Any]) -> type[BaseModel]:
    subtype = event.get("subtype")
    if subtype in (CHANGED, DELETED):
        return MessageEvent
    is_direct = event.get("channel_type") == "im" or (_id(event, "channel") or "").startswith(DIRECT)
    is_said = subtype is None or (isinstance(subtype, str) and subtype in _SAID)
    return DirectMessage if is_direct and is_said else Event


def bolt_request(body: str | dict[str, Any], **how: Any) -> BoltRequest:
    """Bolt's request without the parts that Bolt cannot read: it raises for those of other types, even unread ones.

    `how` are BoltRequest's own arguments. Raises ValueError for a body that is no payload.
    """
    try:
        return BoltRequest(body=body, **how)
    except (TypeError, AttributeError, KeyError):
        readable = _readable(_as_parts(body))
        return BoltRequest(body=json.dumps(readable) if isinstance(body, str) else readable, **how)


def _as_parts(body: str | dict[str, Any]) -> dict[str, Any]:
    """The payload of a body: JSON, or a form that has it in its field `payload`."""
    if isinstance(body, str):
        form = dict(parse_qsl(body)) if not body.startswith("{") else {}
        body = json.loads(form.get("payload", body))
    if not isinstance(body, dict):
        raise ValueError("no payload")  # noqa: TRY004 - its caller answers any ValueError
    return body


def _readable(part: dict[str, Any]) -> dict[str, Any]:
    """The part with its inner parts as Bolt reads them: objects, or ids."""
    kept = {key: value for key, value in part.items() if key not in _IDENTIFYING or isinstance(value, dict | str)}
    kept |= {key: _readable(part[key]) for key in _NESTED if isinstance(part.get(key), dict)}
    kept = {key: value for key, value in kept.items() if key not in _NESTED or isinstance(value, dict)}
    authorizations = part.get("authorizations")
    if not (isinstance(authorizations, list) and all(isinstance(each, dict) for each in authorizations)):
        kept.pop("authorizations", None)
    else:
        kept["authorizations"] = [_readable(each) for each in authorizations]
    return kept
