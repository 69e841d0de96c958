"""Alerts: kept as they come, then written on their channel's incident, or asked about where none is open.

`receive` only keeps them, in the transaction before the answer. A tick does the rest, a channel at a time: however
many alerts come at once, they are one entry, one message, and a count. Nothing here resolves an incident.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.config import DECLARES, KEEP, Settings
from bot.documents.rendering import slack
from bot.domain.incident.alerts import exact, summary
from bot.errors import UsageError
from bot.handlers.incident.incidents import declare_detected
from bot.handlers.request import Button, Reply, Request, without_secrets
from bot.sources.kinds import label_of
from bot.vocabulary import DETECTED, DETECTORS, ENTRY_KINDS
from storage import incidents, live_messages, outbox, timeline
from storage.availability import is_away
from storage.database import Database
from storage.sources import signals
from storage.sources.signals import Group, Place
from storage.values import ALERT, FROM_SOURCE, MEMBER, Incident, Signal, TimelineEntry

RECEIVE = "signals"
"""The command of the request that keeps signals."""
ASK_CARD = "alert_card"
"""The job that asks a channel whether alerts are an incident."""
CONFIRM = "confirm_topic"
"""The job that confirms a subscription of a topic of AWS, by asking for the address that it was told."""
AGAIN_KEY = "again"
"""In that job's content: whether its question is on the channel's last such message, which is to say what is new."""
DECLARE, NO_INCIDENT = "alert_declare", "alert_dismiss"
"""The actions of the card's buttons; the value is the id of the first of its alerts."""
GROUPED_WITHIN = timedelta(minutes=5)
"""Alerts that come within this time of the first one are one entry with it."""
UPDATED_EVERY = timedelta(seconds=15)
"""The shortest time between two changes of an entry or a question: what comes meanwhile is told together."""
ASKED_EVERY = timedelta(hours=1)
"""How long a channel is asked nothing new while its last question is open: that one is changed."""
MONITORING = DETECTORS[0]
_log = logging.getLogger(__name__)


def request_for(place: Place, told: Sequence[Signal], *, settings: Settings, received_at: datetime) -> Request:
    """The request that keeps the signals: like what people type, it waits in the spool while the database is away."""
    workspace_id, channel_id = place
    return Request(
        workspace_id=workspace_id,
        channel_id=channel_id,
        channel_name=channel_id,
        user_id=FROM_SOURCE,
        user_name=FROM_SOURCE,
        command=RECEIVE,
        words="",
        received_at=received_at,
        zone=settings.timezone,
        source=FROM_SOURCE,
        settings=settings,
        # Nothing is answered, so nothing is shown.
        standing=MEMBER,
        details={RECEIVE: json.dumps([_to_json(each) for each in told])},
    )


def _to_json(signal: Signal) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(signal).items()}


def _from_json(values: Mapping[str, Any]) -> Signal:
    ended_at = values["ended_at"] and datetime.fromisoformat(values["ended_at"])
    return Signal(**{**values, "occurred_at": datetime.fromisoformat(values["occurred_at"]), "ended_at": ended_at})


def receive(connection: Connection, request: Request) -> Reply:
    """Keep the signals of the request."""
    told = [_from_json(each) for each in json.loads(request.details[RECEIVE])]
    signals.add(connection, request.workspace_id, request.channel_id, told, at=request.received_at)
    return Reply(text="", public=True, own=True)


def ask_to_confirm(connection: Connection, workspace_id: str, url: str, *, at: datetime) -> None:
    """Have the address asked for that confirms a subscription, until it answers. It holds up no other meanwhile."""
    lane = f"{CONFIRM}:{hashlib.sha256(url.encode()).hexdigest()[:32]}"
    outbox.add(connection, workspace_id, lane=lane, action=CONFIRM, content={"url": url}, at=at)


def tick(database: Database, settings: Settings, *, at: datetime, workspace_id: str | None = None) -> int:
    """Process the alerts that came since the last tick; returns in how many channels something was told.

    One channel that fails keeps no other waiting.
    """
    with database.read() as connection:
        places = signals.fresh_places(connection, workspace_id)
    told = 0
    for place in places:
        try:
            with database.write() as connection:
                told += _process(connection, settings, place, at=at)
        except Exception as error:
            if is_away(error):
                raise
            _log.exception("alerts not told")
    return told


def _process(connection: Connection, settings: Settings, place: Place, *, at: datetime) -> bool:
    incident = _incident_of(connection, place)
    ended = signals.look_at_ends(connection, place)
    for entry_id in ended:
        _revise(connection, entry_id, at=at)
    if not signals.has_to_tell(connection, place):
        return bool(ended)
    if incident is not None:
        return _record(connection, incident, place, at=at)
    return _without_incident(connection, settings, place, at=at)


def _incident_of(connection: Connection, place: Place) -> Incident | None:
    """The open incident of the channel, locked, wherever it goes on; else None, and the workspace is locked.

    A source is nobody to whom an incident could be shown, so that a private one takes its alerts too.
    """
    found = incidents.current(connection, *place, sees=lambda _incident: True, lock=True)
    if found is None or not found.open:
        # Of two replicas one asks; and nobody declares meanwhile.
        incidents.lock_workspace(connection, place[0])
        found = incidents.in_channel(connection, *place)
    if found is None or not found.open:
        found = incidents.moved_from(connection, *place, newer_than=0)
        found = found and incidents.numbered(connection, place[0], found.number, lock=True)
    return found if found is not None and found.open else None


def _record(connection: Connection, incident: Incident, place: Place, *, at: datetime) -> bool:
    """Write the alerts on the incident: on the entry of the same storm, else on a new one, which is posted.

    An entry that somebody took back, erased or corrected would not say so, so that it takes no more of them.
    """
    last = signals.last_told(connection, incident.id)
    recent = last is not None and at - last[1] < GROUPED_WITHIN
    if last is not None and recent and _is_own(connection, timeline.by_id(connection, last[0])):
        entry_id, _, told_at = last
        if at - told_at < UPDATED_EVERY:
            return False
        signals.take(connection, place, incident_id=incident.id, entry_id=entry_id, at=at)
        _revise(connection, entry_id, at=at)
        return True
    group = signals.group_to_tell(connection, place)
    assert group is not None  # noqa: S101 - there is something to tell
    until_at = _over(group, group.first_at)
    entry = _append(connection, incident, group, kind=ALERT, by=FROM_SOURCE, at=at, until_at=until_at)
    signals.take(connection, place, incident_id=incident.id, entry_id=entry.id, at=at)
    _post(connection, incident, entry, group, at=at)
    return True


def _append(
    connection: Connection,
    incident: Incident,
    group: Group,
    *,
    kind: str,
    by: str,
    at: datetime,
    qualifier: str | None = None,
    until_at: datetime | None = None,
) -> TimelineEntry:
    """Write the alerts on the incident as one new entry of that kind, at the first one's start."""
    return timeline.append(
        connection,
        incident.id,
        kind=kind,
        occurred_at=group.first_at,
        recorded_at=at,
        author=_called(group.sources),
        author_id=FROM_SOURCE,
        recorded_by_id=by,
        text=_words(group),
        qualifier=qualifier,
        source=FROM_SOURCE,
        permalink=group.example.link if group.count == 1 else None,
        people={},
        until_at=until_at,
    )


def _words(group: Group) -> str:
    return summary(group.count, group.titles, group.labels, group.example)


def _over(group: Group, since: datetime) -> datetime | None:
    return group.quiet_at if group.quiet_at is not None and group.quiet_at > since else None


def _called(sources: Sequence[str]) -> str:
    """Where alerts came from, as it stands for their author."""
    return ", ".join(map(label_of, sources))


def _revise(connection: Connection, entry_id: int, *, at: datetime) -> None:
    """Have the entry say what its alerts are now; its incident's card shows it in any case.

    Where somebody took it back nothing is changed; where somebody corrected it, only that the alerts are over.
    """
    group, entry = signals.group_of_entry(connection, entry_id), timeline.by_id(connection, entry_id)
    live_messages.note_change(connection, timeline.incident_id(connection, entry))
    if group is None or entry.retracted:
        return
    changes: dict[str, Any] = {}
    if _is_own(connection, entry):
        changes = {"occurred_at": min(group.first_at, entry.occurred_at), "text": _words(group), "people": {}}
    if entry.kind == ALERT:
        changes["until_at"] = _over(group, changes.get("occurred_at", entry.occurred_at))
    if any(getattr(entry, name) != value for name, value in changes.items()):
        timeline.revise(connection, entry, by=FROM_SOURCE, at=at, **changes)


def _is_own(connection: Connection, entry: TimelineEntry) -> bool:
    """Whether nobody has changed the entry, so that it may say what comes."""
    return timeline.revised_by(connection, entry) <= {FROM_SOURCE}


def _post(connection: Connection, incident: Incident, entry: TimelineEntry, group: Group, *, at: datetime) -> None:
    """Post the entry in the incident's channel."""
    message = {"text": _told("alert_recorded", incident, entry, group), "incident_id": incident.id}
    outbox.post(connection, incident.workspace_id, incident.channel_id, message, at=at)


def _told(template: str, incident: Incident, entry: TimelineEntry, group: Group, **facts: object) -> str:
    text = slack(
        template, incident=incident, entry=entry, kind=ENTRY_KINDS[entry.kind], since=exact(group.first_at),
        sources=_called(group.sources), **facts,
    )  # fmt: skip
    return without_secrets(text)


def _without_incident(connection: Connection, settings: Settings, place: Place, *, at: datetime) -> bool:
    """Where no incident is open: keep them, ask the channel in one message, or declare one, by the channel's rule."""
    group = signals.group_to_tell(connection, place)
    assert group is not None  # noqa: S101 - there is something to tell
    rule = settings.alert_rule(place[1])
    if rule == KEEP or not group.firing:
        signals.ask(connection, place, at=None)
        return False
    if rule == DECLARES:
        _declare(connection, settings, place, group, at=at)
        return True
    asked_at = signals.last_asked(connection, place)
    if asked_at is not None and at - asked_at < UPDATED_EVERY:
        return False
    is_new = asked_at is None or at - asked_at >= ASKED_EVERY
    signals.ask(connection, place, at=at)
    content = {"channel": place[1], AGAIN_KEY: not is_new}
    outbox.add(connection, place[0], lane=place[1], action=ASK_CARD, content=content, at=at)
    return True


def _declare(connection: Connection, settings: Settings, place: Place, group: Group, *, at: datetime) -> None:
    name, is_private = incidents.channel(connection, *place) or (place[1], True)
    request = replace(
        request_for(place, (), settings=settings, received_at=at),
        channel_name=name,
        # What is not known to be public is shown in its own channel only.
        private=is_private,
        user_name=_called(group.sources),
    )
    incident, entry = _detect(connection, request, group)
    signals.take(connection, place, incident_id=incident.id, entry_id=entry.id, at=at)
    text = _told("alert_declared", incident, entry, group, request=request, by=None)
    outbox.post(connection, place[0], place[1], {"text": text, "incident_id": incident.id}, at=at)


def _detect(connection: Connection, request: Request, group: Group) -> tuple[Incident, TimelineEntry]:
    """The incident that the alerts declare, and its detection by monitoring, at the moment that they say."""
    incident, _ = declare_detected(connection, request, _words(group))
    at, by = request.received_at, request.user_id
    return incident, _append(connection, incident, group, kind=DETECTED, by=by, at=at, qualifier=MONITORING)


def compose(connection: Connection, content: Mapping[str, Any], *, workspace_id: str) -> tuple[str, Reply] | None:
    """The channel and the words of the question, as it is now; None where it is answered already."""
    channel_id = str(content["channel"])
    ids = signals.asked(connection, (workspace_id, channel_id))
    current = incidents.in_channel(connection, workspace_id, channel_id)
    group = signals.group_of(connection, ids)
    if group is None or (current is not None and current.open):
        return None
    text = slack(
        "alert_card",
        words=_words(group), group=group, since=exact(group.first_at), sources=_called(group.sources),
    )  # fmt: skip
    buttons = (
        Button(label="Declare incident", action=DECLARE, value=str(ids[0])),
        Button(label="Not one", action=NO_INCIDENT, value=str(ids[0])),
    )
    return channel_id, Reply(text=without_secrets(text), buttons=buttons)


def declare(connection: Connection, request: Request) -> Reply:
    """*Declare incident*: detected by monitoring when the first of the alerts says that it began."""
    place = (request.workspace_id, request.channel_id)
    incident = _incident_of(connection, place)
    ids, group = _answered(connection, place)
    if incident is not None:
        signals.renew(connection, ids)
        raise UsageError(f"{incident.name} is open here already; the alerts go onto its timeline.")
    incident, entry = _detect(connection, request, group)
    signals.take_some(connection, ids, incident_id=incident.id, entry_id=entry.id, at=request.received_at)
    text = _told("alert_declared", incident, entry, group, request=request, by=request.user_name)
    return Reply(
        text=text, public=True, replaces=True, about=incident.name, recorded=entry.kind,
        entry=f"{incident.name} {entry.number}", entry_lines=1,
    )  # fmt: skip


def dismiss(connection: Connection, request: Request) -> Reply:
    """*Not one*: the alerts are kept, and are no incident; when they come again nobody is asked."""
    ids, group = _answered(connection, (request.workspace_id, request.channel_id))
    signals.dismiss(connection, ids)
    text = slack("alert_dismissed", words=_words(group), since=exact(group.first_at), request=request)
    return Reply(text=without_secrets(text), public=True, replaces=True)


def _answered(connection: Connection, place: Place) -> tuple[list[int], Group]:
    """What the channel was asked about. Raises UsageError where that was answered since."""
    ids = signals.asked(connection, place)
    group = signals.group_of(connection, ids)
    if group is None:
        raise UsageError("Those alerts were answered already, so nothing was recorded.")
    return ids, group


CLICKS = {DECLARE: declare, NO_INCIDENT: dismiss}
"""What the card's buttons do."""
