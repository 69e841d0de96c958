"""A channel of an incident's own: offered when it is declared, made on request, archived on request once published.

What is asked here a job of the outbox does with Slack (`bot.slack.outbound.channels`), and tells back by `move`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.config import Settings
from bot.documents.rendering import slack
from bot.domain.incident.channel import channel_name, people_of
from bot.domain.incident.lifecycle import lifecycle
from bot.errors import UsageError
from bot.handlers.incident.incidents import MAKE_CHANNEL, get_named
from bot.handlers.incident.timeline import with_names
from bot.handlers.permission import require_permission
from bot.handlers.postmortem.publishing import PUBLISH
from bot.handlers.request import Button, Reply, Request, without_secrets
from bot.vocabulary import ENTRY_KINDS
from storage import channels, incidents, live_messages, members, outbox, publications, timeline
from storage.channels import OwnChannel
from storage.values import Incident

ARCHIVE = "archive_channel"
"""The action of the button that archives the channel, and of the job that does."""
INVITE = "invite"
"""The action of the job that invites people to the channel."""
GIVEN_UP_AFTER = timedelta(minutes=30)
"""After this time a channel that is still being made may be asked for again: its job was given up."""
SHOWN = 8
"""Entries in the story that a new channel begins with."""
_OFF = (
    "Incidents have no channels of their own here. Whoever runs Scribe can set SCRIBE_CHANNELS=on, and add the scopes "
    "that scribe manifest then prints."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The channel that Slack has made."""

    channel_id: str
    name: str


def make(connection: Connection, request: Request) -> Reply:
    """`channel [INC-12]`, also of a button: have a channel of its own made for the incident."""
    incident, rest = get_named(connection, request, lock=True, plain=True)
    if rest.strip():
        raise UsageError(f"Which incident? Try: {request.slash('incident')} channel {incident.name}")
    if not request.settings.channels:
        raise UsageError(_OFF)
    require_permission(connection, request, incident, "channel")
    if incident.closed_as is not None:
        raise UsageError(f"{incident.name} is {incident.state}, so it gets no channel.")
    own = channels.of_incident(connection, incident.id)
    if own is not None and own.moved_at is not None:
        raise UsageError(f"{incident.name} has a channel of its own already: #{own.name}")
    if own is not None and request.received_at - own.asked_at < GIVEN_UP_AFTER:
        raise UsageError(f"#{own.name} is being made already.")
    name = channel_name(incident)
    channels.ask(
        connection,
        incident.id,
        workspace_id=incident.workspace_id,
        old_channel_id=incident.channel_id,
        name=name,
        asked_by_id=request.user_id,
        asked_at=request.received_at,
    )
    content = {"incident_id": incident.id, "asked_by": request.user_id, "reply_url": request.reply_url}
    lane = f"{MAKE_CHANNEL}:{incident.id}"
    outbox.add(
        connection, incident.workspace_id, lane=lane, action=MAKE_CHANNEL, content=content, at=request.received_at
    )
    pressed = request.command == MAKE_CHANNEL
    # The receipt stays, without its button.
    text = slack("making_channel", incident=incident, name=name, pressed=pressed, request=request)
    return Reply(text=text, public=True, replaces=pressed, about=incident.name)


def archive(connection: Connection, request: Request) -> Reply:
    """`archive [INC-12]`, also of a button: archive the incident's own channel, once its postmortem is published."""
    incident, rest = get_named(connection, request, lock=True, plain=True)
    if rest.strip():
        raise UsageError(f"Which incident? Try: {request.slash('incident')} archive {incident.name}")
    require_permission(connection, request, incident, PUBLISH)
    own = channels.of_incident(connection, incident.id)
    if own is None or own.moved_at is None or own.channel_id != incident.channel_id:
        raise UsageError(f"{incident.name} has no channel of its own, and Scribe archives no other.")
    if own.archived_at is not None:
        raise UsageError(f"#{own.name} is archived already.")
    if incident.open:
        raise UsageError(f"{incident.name} is open, so its channel stays.")
    if not publications.of_incident(connection, incident.id):
        publish = f"{request.slash('postmortem')} publish {incident.name}"
        raise UsageError(f"The postmortem of {incident.name} is not published yet, so its channel stays: {publish}")
    content = {"incident_id": incident.id, "asked_by": request.user_id, "reply_url": request.reply_url}
    # In the channel's lane: what waits for the channel is said first.
    lane = incident.channel_id
    outbox.add(connection, incident.workspace_id, lane=lane, action=ARCHIVE, content=content, at=request.received_at)
    return Reply(text=slack("archiving", incident=incident, name=own.name), public=True, about=incident.name)


def archive_offer(connection: Connection, incident: Incident) -> tuple[Button, ...]:
    """The button under the message of a publication, where the incident has a channel of its own."""
    own = channels.of_incident(connection, incident.id)
    if own is None or own.moved_at is None or own.archived_at is not None or incident.open:
        return ()
    return (Button(label=f"Archive #{own.name}", action=ARCHIVE, value=incident.name),)


def requested(connection: Connection, incident_id: int) -> tuple[Incident, OwnChannel] | None:
    """The incident and the channel that is to be made for it; None where that is done, or asked for no longer."""
    own = channels.of_incident(connection, incident_id)
    incident = incidents.by_id(connection, incident_id)
    return None if own is None or own.moved_at is not None else (incident, own)


def move(connection: Connection, settings: Settings, incident_id: int, made: Made, *, at: datetime) -> bool:
    """Let the incident go on in the channel: tell its story there, leave a link here, have people invited.

    False, with nothing changed, where it has its own already, or was closed meanwhile. Call it in one transaction with
    what ends the job, so that a repeated one finds it done.
    """
    found = requested(connection, incident_id)
    if found is None:
        return False
    incident = incidents.numbered(connection, found[0].workspace_id, found[0].number, lock=True) or found[0]
    own = channels.of_incident(connection, incident_id)
    if own is None or own.moved_at is not None or incident.closed_as is not None:
        return False
    old_channel_id, by = incident.channel_id, own.asked_by_id
    story = _story(connection, incident, prefix=settings.prefix)
    # Slack names a private channel to nobody outside, and so does Scribe.
    shown = made.channel_id if incident.private else made.name
    moved = incidents.change(connection, incident, {"channel_id": made.channel_id, "channel_name": shown}, by=by, at=at)
    channels.save(
        connection, incident_id, channel_id=made.channel_id, name=made.name, old_channel_id=old_channel_id, moved_at=at
    )
    workspace_id = incident.workspace_id
    live_messages.move(connection, incident_id, made.channel_id)
    if settings.card:
        live_messages.announce(
            connection, workspace_id, live_messages.CARD, incident_id, channel_id=made.channel_id, at=at
        )
    outbox.post(connection, workspace_id, made.channel_id, {"text": without_secrets(story), "asked_by": by}, at=at)
    link = slack("moved_away", incident=moved, prefix=settings.prefix)
    outbox.post(connection, workspace_id, old_channel_id, {"text": without_secrets(link), "copy": True}, at=at)
    content = {"incident_id": incident_id, "channel": made.channel_id, "asked_by": by}
    outbox.add(connection, workspace_id, lane=f"{INVITE}:{incident_id}", action=INVITE, content=content, at=at)
    return True


def _story(connection: Connection, incident: Incident, *, prefix: str) -> str:
    entries = [each for each in timeline.of_incident(connection, incident.id) if not each.retracted]
    return slack(
        "story",
        incident=incident,
        status=lifecycle(entries).status,
        entries=[with_names(each) for each in entries[-SHOWN:]],
        more=max(0, len(entries) - SHOWN),
        kinds=ENTRY_KINDS,
        prefix=prefix,
    )


def invited(connection: Connection, settings: Settings, content: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the people and groups to invite: who takes part or is named, and those set for the severity.

    The severity is the highest that it had: who was to know of it then is not left out since. Into a private
    incident's channel its own people alone come.
    """
    incident = incidents.by_id(connection, content["incident_id"])
    entries = timeline.of_incident(connection, incident.id)
    names = members.names(connection, incident.workspace_id) if "@" in incident.title else {}
    named = {name: user_id for user_id, name in names.items()}
    people = people_of(incident, entries, named, content["asked_by"])
    severity = incident.highest_severity or incident.severity
    return tuple(dict.fromkeys((*people, *(() if incident.private else settings.invited(severity)))))
