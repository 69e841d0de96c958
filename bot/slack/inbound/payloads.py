"""Slack's payloads as typed values, with the fields that the listeners read.

Over both transports a payload of a known kind but another shape is answered with 400 before a listener acts on a part
of it. Listeners read these values, never the raw body.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from bot.slack.members import SlackUser

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""An id that Slack repeats when it delivers the same thing again."""
Ts = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,11}(\.[0-9]{1,9})?$")]


class _Named(BaseModel):
    id: Id
    name: str | None = None


class _Person(_Named):
    username: str | None = None

    @property
    def handle(self) -> str | None:
        """The handle, which is `username` in block actions and `name` in other interactions."""
        return self.username or self.name


class _Team(BaseModel):
    id: Id
    domain: str | None = None


class SlashCommand(BaseModel):
    """A slash command."""

    team_id: Id
    channel_id: Id
    user_id: Id
    command: str
    text: str | None = None
    channel_name: str | None = None
    user_name: str | None = None
    trigger_id: Key
    response_url: str | None = None


class _Interaction(BaseModel):
    team: _Team
    user: _Person
    response_url: str | None = None


class _Option(BaseModel):
    value: str


class _Action(BaseModel):
    action_id: str
    value: str | None = None
    selected_option: _Option | None = None

    @property
    def chosen(self) -> str:
        """The value of the button, or of the option chosen in a menu; empty where there is none."""
        return self.value or (self.selected_option.value if self.selected_option else "")


class _Container(BaseModel):
    channel_id: Id | None = None


class Click(_Interaction):
    """A button pressed or an option chosen in a menu."""

    trigger_id: Key
    actions: Annotated[list[_Action], Field(min_length=1)]
    channel: _Named | None = None
    container: _Container


class _Attachment(BaseModel):
    text: str | None = None
    fallback: str | None = None


class SourceMessage(BaseModel):
    """A message, as a shortcut or an event carries it."""

    ts: Ts
    thread_ts: Ts | None = None
    text: str | None = None
    user: Id | None = None
    bot_id: Id | None = None
    username: str | None = None
    attachments: list[_Attachment] | None = None


class _Channel(_Named):
    name: str


class Shortcut(_Interaction):
    """A shortcut used on a message."""

    trigger_id: Key
    callback_id: str
    channel: _Channel
    message: SourceMessage


class _Input(BaseModel):
    value: str | None = None
    selected_user: str | None = None
    selected_date: str | None = None
    selected_date_time: Annotated[int, Field(ge=0, lt=10**11)] | None = None
    selected_option: _Option | None = None

    @property
    def answer(self) -> str | int | None:
        """The text, user, date, epoch seconds or option that the person entered; None for an empty input."""
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


class _Envelope(BaseModel):
    team_id: Id
    event_id: Key


class Event(_Envelope):
    """An event that no listener reads."""

    event: _Event


class _Authorization(BaseModel):
    user_id: str | None = None


class _Mentioned(SourceMessage):
    channel: Id
    text: str


class Mention(_Envelope):
    """A message that mentions the bot."""

    event: _Mentioned
    authorizations: list[_Authorization] | None = None


class _Item(BaseModel):
    type: str
    channel: Id | None = None
    ts: Ts | None = None


class _MessageItem(_Item):
    channel: Id
    ts: Ts


class _Reacted(BaseModel):
    type: str
    user: Id
    event_ts: str
    reaction: str
    item_user: Id | None = None
    item: _MessageItem | _Item


class Reaction(_Envelope):
    """An emoji reaction added to an item or removed from it."""

    event: _Reacted


class _Opened(BaseModel):
    user: Id | None = None
    tab: str | None = None


class Opened(_Envelope):
    """A person opened one of the app's tabs."""

    event: _Opened


class _UserChanged(BaseModel):
    user: SlackUser


class UserChange(_Envelope):
    """A change of a person's profile."""

    event: _UserChanged


_INTERACTIONS: Mapping[str, type[BaseModel]] = {
    "block_actions": Click,
    "message_action": Shortcut,
    "view_submission": Submission,
}
_EVENTS: Mapping[str, type[BaseModel]] = {
    "app_mention": Mention,
    "reaction_added": Reaction,
    "reaction_removed": Reaction,
    "app_home_opened": Opened,
    "user_change": UserChange,
}


class UnreadableError(Exception):
    """A payload of a known kind with another shape; the message is the kind's name."""


def parse(body: Mapping[str, Any]) -> BaseModel | None:
    """The payload as a value of its kind; None for an unknown kind. Raises UnreadableError for another shape."""
    kind = _kind(body)
    if kind is None:
        return None
    try:
        return kind.model_validate(body, strict=True)
    except ValidationError:
        raise UnreadableError(kind.__name__) from None


def _kind(body: Mapping[str, Any]) -> type[BaseModel] | None:
    if "command" in body:
        return SlashCommand
    name = body.get("type")
    if name != "event_callback":
        return _INTERACTIONS.get(name) if isinstance(name, str) else None
    event = body.get("event")
    name = event.get("type") if isinstance(event, Mapping) else None
    return _EVENTS.get(name, Event) if isinstance(name, str) else Event
