"""Updates to stakeholders, and nudges: a promised update that is due, an open incident that nobody writes to.

A nudge is claimed with the job that sends it, in one transaction: its channel is told once, whatever the number of
replicas and restarts. It is put into words when it is sent, and left out where it is no longer true then.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.config import Settings
from bot.documents.rendering import slack
from bot.domain.incident.grammar import looks_secret
from bot.domain.incident.lifecycle import lifecycle
from bot.domain.incident.updates import Update, open_promise, parse_update
from bot.domain.time.format import rough_duration, stamp
from bot.errors import UsageError
from bot.handlers.incident import doubts
from bot.handlers.incident.incidents import get_current, get_numbering, read_course
from bot.handlers.incident.timeline import receipt
from bot.handlers.permission import require_permission
from bot.handlers.request import OLD_BUTTON, Button, Reply, Request, without_secrets
from bot.vocabulary import MITIGATED, RESOLVED, UPDATE
from storage import incidents, nudges, outbox, timeline
from storage.availability import is_away
from storage.database import Database
from storage.values import Incident, TimelineEntry

NUDGE = "nudge"
"""The action of a nudge in the outbox."""
STILL_WORKING, MITIGATE, RESOLVE = "still_working", "nudge_mitigated", "nudge_resolved"
"""The actions of the buttons under a nudge; the value is `INC-1 5`, the incident and its last entry."""
RECORDED_BY: Mapping[str, str] = {MITIGATE: MITIGATED, RESOLVE: RESOLVED}
"""The kind of entry that each of them records."""
PRESSED = "button"
"""The source of an entry that a button recorded."""
_PROMISE, _SILENCE = "promise", "silence"
_KINDS = (UPDATE, RESOLVED)
_log = logging.getLogger(__name__)


def parse(request: Request) -> Update:
    """Parse `[at TIME] words[, next in 30m]`. Raises UsageError for invalid words."""
    name = f" INC-{request.named_number}" if request.named_number is not None else ""
    typed = f"{request.slash('incident')} {UPDATE}{name}"
    return parse_update(request.words, now=request.now, zone=request.zone, typed=typed)


def update(connection: Connection, request: Request) -> Reply:
    """`update words[, next in 30m]`: record what stakeholders are told, and tell it in the channel of updates.

    A private incident's update stays in its own channel.
    """
    promise: Update = request.parsed
    said = promise.said
    incident = get_current(connection, request, lock=True)
    require_permission(connection, request, incident, UPDATE)
    at, doubtful = said.occurred_at, None
    if said.timed:
        at, doubtful = doubts.within(connection, request, incident, UPDATE, said, at)
    facts: dict[str, Any] = {
        "occurred_at": at,
        "text": said.text,
        "people": request.people_in(said.text),
        "approximate": said.approximate,
        "until_at": doubtful.moment.until_at if doubtful and doubtful.moment else said.until_at,
        "next_at": promise.next_at,
    }
    earlier = _of_message(connection, request, incident)
    if earlier is not None:
        entry = timeline.revise(connection, earlier, by=request.user_id, at=request.received_at, **facts)
    else:
        entry = timeline.append(
            connection,
            incident.id,
            kind=UPDATE,
            recorded_at=request.received_at,
            author=request.user_name,
            author_id=request.user_id,
            recorded_by_id=request.user_id,
            qualifier=None,
            source=request.source,
            permalink=request.permalink,
            **facts,
        )
    told_in = None
    if not looks_secret(entry.text):
        told_in = _tell(connection, request, incident, entry, before=earlier)
    return receipt(
        connection, request, "told", incident, entry,
        assumed=said.zone_assumed, seconds=said.seconds, doubts=doubtful, told_in=told_in,
        corrected=earlier is not None, status=_status(connection, incident),
        next=_next(incident, entry, request.received_at), unread=promise.unread,
        buttons=doubts.buttons(request, incident, entry, doubtful) if doubtful else (),
    )  # fmt: skip


def follow(
    connection: Connection, request: Request, incident: Incident, before: TimelineEntry, after: TimelineEntry
) -> None:
    """Tell stakeholders that an update was corrected or taken back, where its words or its promise changed."""
    told = ("text", "next_at", "retracted")
    if any(getattr(before, name) != getattr(after, name) for name in told) and not looks_secret(after.text):
        _tell(connection, request, incident, after, before=before)


def promised_at(connection: Connection, incident: Incident) -> datetime | None:
    """When the next update of the incident was promised for; None where none is, or the promise is kept or void."""
    return open_promise(incident, timeline.of_incident(connection, incident.id, kinds=_KINDS))


def _of_message(connection: Connection, request: Request, incident: Incident) -> TimelineEntry | None:
    """The update that the same message told before it was edited."""
    if request.revises is None or request.permalink is None:
        return None
    earlier = timeline.by_permalink(connection, incident.id, request.permalink, UPDATE)
    return None if earlier is None or earlier.retracted else earlier


def _tell(
    connection: Connection,
    request: Request,
    incident: Incident,
    entry: TimelineEntry,
    *,
    before: TimelineEntry | None = None,
) -> str | None:
    """Post the update in the channel of updates; returns that channel, None where the incident's own has it already."""
    channel_id = request.settings.updates_channel
    if not channel_id or channel_id == incident.channel_id or incident.private:
        return None
    text = slack(
        "update",
        incident=incident,
        entry=entry,
        before=before,
        when=stamp(entry.occurred_at, ZoneInfo(incident.timezone), request.received_at.date()),
        status=_status(connection, incident),
        next=_next(incident, entry, request.received_at),
    )
    message = {"text": without_secrets(text), "asked_by": request.user_id, "incident_id": incident.id}
    outbox.post(connection, incident.workspace_id, channel_id, message, at=request.received_at)
    return channel_id


def _status(connection: Connection, incident: Incident) -> str:
    if incident.closed_as is not None:
        return incident.standing
    return lifecycle(read_course(connection, incident)).status


def _next(incident: Incident, entry: TimelineEntry, now: datetime) -> str | None:
    """When the next update comes, in UTC and in the incident's zone."""
    return None if entry.next_at is None else stamp(entry.next_at, ZoneInfo(incident.timezone), now.date())


def still_working(connection: Connection, request: Request) -> Reply:
    """`INC-1 5`, of a button: somebody works on it. Nothing is recorded; the next nudge about silence waits anew."""
    incident = _of_button(connection, request)
    if not incident.open:
        raise UsageError(f"{incident.name} is {incident.state} already.")
    nudges.save(connection, incident.id, heard_at=request.received_at, silent_since=None)
    text = slack(
        "still_working",
        incident=incident,
        by=request.user_name,
        silence=rough_duration(request.settings.stale.total_seconds()),
        asks=bool(request.settings.stale),
    )
    return Reply(text=text, public=True, replaces=True, about=incident.name)


def as_typed(connection: Connection, request: Request) -> Request:
    """The command that a nudge's button stands for. Raises UsageError where it has been recorded since."""
    incident = _of_button(connection, request)
    kind = RECORDED_BY[request.command]
    asked_after = int(request.parsed["number"])
    since = [
        each
        for each in timeline.of_incident(connection, incident.id, kinds=(kind,))
        if not each.retracted and each.number > asked_after
    ]
    if since or not incident.open:
        raise UsageError(f"{incident.name} is {_status(connection, incident)} already, so nothing was recorded.")
    number = incident.number
    return replace(request, command=kind, words="", named_number=number, parsed=None, source=PRESSED)


def _of_button(connection: Connection, request: Request) -> Incident:
    """The incident that the nudge was about. Raises UsageError where there was none, or it is not seen here."""
    named = replace(request, named_number=int(request.parsed["incident"]))
    incident = get_numbering(connection, named, lock=True)
    known = nudges.of_incident(connection, incident.id)
    if known.silent_since is None and known.heard_at is None:
        raise UsageError(OLD_BUTTON)
    return incident


def tick(database: Database, settings: Settings, *, at: datetime, workspace_id: str | None = None) -> int:
    """Put the nudges that are due at `at` into the outbox; returns how many.

    One incident that cannot be read keeps no other waiting; one that somebody is changing is left for the next tick.
    """
    silent_before = at - settings.stale if settings.stale else None
    with database.read() as connection:
        found = nudges.due(connection, at=at, silent_before=silent_before, workspace_id=workspace_id)
    told = 0
    for incident_id in found:
        try:
            with database.write() as connection:
                told += _nudge(connection, incident_id, at=at, silent_before=silent_before)
        except Exception as error:
            if is_away(error):
                raise
            _log.exception("nudge not sent")
    return told


def _nudge(connection: Connection, incident_id: int, *, at: datetime, silent_before: datetime | None) -> int:
    if not incidents.try_lock(connection, incident_id):
        return 0
    incident, known = incidents.by_id(connection, incident_id), nudges.of_incident(connection, incident_id)
    promised = promised_at(connection, incident)
    number, signed_at = nudges.last_sign(connection, incident_id)
    changes: dict[str, object] = {}
    content: dict[str, Any] | None = None
    if known.due_at is not None and known.due_at <= at:
        changes["due_at"] = promised if promised is not None and promised > at else None
        if promised is not None and promised <= at and promised != known.told_at:
            content = {"why": _PROMISE, "promised_at": promised.isoformat()}
            # One question at a time.
            changes |= {"told_at": promised, "silent_since": number}
    heard_at = max(filter(None, (signed_at, known.heard_at)))
    is_silent = silent_before is not None and heard_at <= silent_before and known.silent_since != number
    announced = promised is not None and promised > at
    if content is None and is_silent and not announced and incident.open and incident.closed_as is None:
        content = {"why": _SILENCE, "heard_at": heard_at.isoformat(), "number": number}
        changes["silent_since"] = number
    if changes:
        nudges.save(connection, incident_id, **changes)
    if content is None:
        return 0
    lane = incident.channel_id
    content |= {"incident_id": incident_id}
    outbox.add(connection, incident.workspace_id, lane=lane, action=NUDGE, content=content, at=at)
    return 1


def compose(
    connection: Connection, settings: Settings, content: Mapping[str, Any], *, at: datetime
) -> tuple[str, Reply] | None:
    """The channel and the words of a nudge, at `at`; None where it is no longer true."""
    incident = incidents.by_id(connection, content["incident_id"])
    if not incident.open or incident.closed_as is not None:
        return None
    facts: dict[str, Any] = {"promised": None, "silence": None}
    buttons: tuple[Button, ...] = ()
    if content["why"] == _PROMISE:
        promised = promised_at(connection, incident)
        if promised is None or promised.isoformat() != content["promised_at"]:
            return None
        facts["promised"] = stamp(promised, ZoneInfo(incident.timezone), at.date())
    else:
        known = nudges.of_incident(connection, incident.id)
        number, _ = nudges.last_sign(connection, incident.id)
        if number != content["number"] or known.silent_since != number:
            return None
        silence: timedelta = at - datetime.fromisoformat(content["heard_at"])
        facts["silence"] = rough_duration(max(silence, settings.stale).total_seconds())
        value, mitigated = f"{incident.name} {number}", _status(connection, incident) == MITIGATED
        buttons = (
            Button(label="Still working", action=STILL_WORKING, value=value),
            *(() if mitigated else (Button(label="Mitigated", action=MITIGATE, value=value),)),
            Button(label="Resolved", action=RESOLVE, value=value),
        )
    text = slack("nudge", incident=incident, prefix=settings.prefix, **facts)
    return incident.channel_id, Reply(text=text, buttons=buttons)
