"""The shape of what Slack delivers, as far as the listeners read it.

A signed payload without it is none of Slack's, or one Slack changed: it is answered with 400 before anybody acts on
half of it, over either transport.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, ValidationError

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""What makes a repeat recognisable."""
Ts = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,11}(\.[0-9]{1,9})?$")]


class _Named(BaseModel):
    id: Id
    name: str | None = None
    username: str | None = None


class _Team(BaseModel):
    id: Id
    domain: str | None = None


class Command(BaseModel):
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
    user: _Named
    response_url: str | None = None


class _Action(BaseModel):
    action_id: str
    value: str | None = None


class _Container(BaseModel):
    channel_id: Id | None = None


class Click(_Interaction):
    """Something pressed or chosen."""

    trigger_id: Key
    actions: Annotated[list[_Action], Field(min_length=1)]
    channel: _Named | None = None
    container: _Container


class _Attachment(BaseModel):
    text: str | None = None
    fallback: str | None = None


class _Message(BaseModel):
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
    message: _Message


class _Option(BaseModel):
    value: str


class _Input(BaseModel):
    value: str | None = None
    selected_user: str | None = None
    selected_date: str | None = None
    selected_date_time: Annotated[int, Field(ge=0, lt=10**11)] | None = None
    selected_option: _Option | None = None


class _State(BaseModel):
    values: dict[str, Annotated[dict[str, _Input], Field(min_length=1)]]


class _View(BaseModel):
    id: Id
    type: str
    callback_id: str
    private_metadata: str
    state: _State


class Submission(_Interaction):
    """A form sent off."""

    view: _View


class _Event(BaseModel):
    type: str


class _Envelope(BaseModel):
    team_id: Id
    event_id: Key


class Event(_Envelope):
    """Any event; those that are read have a shape of their own."""

    event: _Event


class _Authorization(BaseModel):
    user_id: str | None = None


class _Mentioned(_Message):
    channel: Id
    text: str


class Mention(_Envelope):
    """The bot was named in a message."""

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
    user: Id
    reaction: str
    item_user: Id | None = None
    item: _MessageItem | _Item


class Reaction(_Envelope):
    """An emoji put on something, or taken off."""

    event: _Reacted


class _Opened(BaseModel):
    user: Id | None = None
    tab: str | None = None


class Opened(_Envelope):
    """Somebody looks at one of the app's tabs."""

    event: _Opened


class _Profile(BaseModel):
    display_name: str | None = None


class _User(BaseModel):
    id: Id
    name: str
    tz: str | None = None
    profile: _Profile | None = None


class _UserChanged(BaseModel):
    user: _User


class UserChange(_Envelope):
    """Somebody's profile changed."""

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


def fault(body: Mapping[str, Any]) -> str | None:
    """The kind of payload that this looks like and is not; None for one that can be read."""
    shape = _shape(body)
    if shape is None:
        return None
    try:
        shape.model_validate(body, strict=True)
    except ValidationError:
        return shape.__name__
    return None


def _shape(body: Mapping[str, Any]) -> type[BaseModel] | None:
    if "command" in body:
        return Command
    kind = body.get("type")
    if kind != "event_callback":
        return _INTERACTIONS.get(kind) if isinstance(kind, str) else None
    event = body.get("event")
    name = event.get("type") if isinstance(event, Mapping) else None
    return _EVENTS.get(name, Event) if isinstance(name, str) else Event
