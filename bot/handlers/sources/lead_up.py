"""What came before an incident: changes and alerts that nobody took yet, kept unseen and offered once it is declared.

Each is offered by name and how long before the start it was; what a person takes becomes an entry of the lead-up, with
its link. Nothing enters by itself.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.config import Settings
from bot.documents.rendering import slack
from bot.domain.incident.alerts import exact, words_of
from bot.domain.time.format import rough_duration
from bot.domain.time.moment import place
from bot.domain.time.typed import take_time
from bot.errors import UsageError
from bot.handlers.incident.incidents import get_by_number
from bot.handlers.postmortem.exports import resolve_workspace
from bot.handlers.request import Button, Reply, Request, without_secrets
from bot.sources.generic import CHANGES
from bot.sources.kinds import label_of
from bot.sources.source import signal
from bot.vocabulary import ENTRY_KINDS
from storage import channels, incidents, outbox, receipts, timeline
from storage.database import Database
from storage.sources import signals
from storage.sources.signals import EVERYWHERE
from storage.values import CHANGE, FROM_SOURCE, Incident, Signal

OFFER = "lead_up_offer"
"""The job that offers what came before."""
TAKE = tuple(f"lead_up_take_{number}" for number in range(1, 5))
"""The actions of the buttons for one of it each; the value is `INC-12 57`, the incident and the signal."""
CHOOSE = "lead_up_choose"
"""The action of the button for the form with ticks; the value is `INC-12`."""
FORM, RECORD = "lead_up", "lead_up_record"
"""The form, and the command of its submission."""
TICKED = "ticked"
"""In a submission's details: the ids of what was ticked, with commas."""
CHANGES_BEFORE, ALERTS_BEFORE = timedelta(hours=2), timedelta(hours=4)
"""How long before the start what is offered happened."""
MOST = 40
"""What is offered in the form at most, the latest; Slack takes ten ticks in a group."""
_BUTTON = 60
_OFFERED = "lead-up:"


def before(connection: Connection, incident: Incident) -> list[Signal]:
    """What may have led up to the incident and is on no timeline, the latest last.

    Where the incident's alerts name services, changes of others are left out.
    """
    own = channels.of_incident(connection, incident.id)
    place = [incident.channel_id, *([own.old_channel_id] if own is not None else [])]
    start = incident.began_at
    found = signals.before(
        connection, incident.workspace_id, place, since=start - ALERTS_BEFORE, until=max(start, incident.declared_at)
    )
    if not found:
        return []
    services = signals.services(connection, incident.id)
    return [each for each in found if _may_matter(each, start, services)][-MOST:]


def _may_matter(each: Signal, start: datetime, services: frozenset[str]) -> bool:
    if each.kind != CHANGE:
        return True
    concerns = not services or each.service is None or each.service.casefold() in services
    return concerns and start - CHANGES_BEFORE <= each.occurred_at <= start


def tick(database: Database, *, at: datetime, workspace_id: str | None = None) -> int:
    """Have what came before offered to each young incident that something came before, once; returns how many."""
    with database.read() as connection:
        young = [
            incidents.by_id(connection, each)
            for each in signals.young_incidents(connection, at=at, workspace_id=workspace_id)
        ]
        found = [each for each in young if not _is_offered(connection, each) and before(connection, each)]
    offered = 0
    for incident in found:
        try:
            with database.write() as connection:
                receipts.save(connection, incident.workspace_id, f"{_OFFERED}{incident.id}", {}, at=at)
                content = {"incident_id": incident.id}
                outbox.add(
                    connection, incident.workspace_id, lane=incident.channel_id, action=OFFER, content=content, at=at
                )
        except IntegrityError:
            # Another replica has just offered it.
            continue
        offered += 1
    return offered


def _is_offered(connection: Connection, incident: Incident) -> bool:
    return receipts.find(connection, incident.workspace_id, f"{_OFFERED}{incident.id}") is not None


def compose(connection: Connection, content: Mapping[str, Any]) -> tuple[str, Reply] | None:
    """The channel and the words of the offer, as it is now; None where nothing is left to take."""
    incident = incidents.by_id(connection, content["incident_id"])
    found = before(connection, incident)
    if not found or incident.closed_as is not None:
        return None
    latest = [each for each in found if each.kind == CHANGE][-len(TAKE) :]
    buttons = tuple(
        Button(label=label(each, incident), action=action, value=f"{incident.name} {each.id}")
        for action, each in zip(TAKE, reversed(latest), strict=False)
    )
    if len(found) > len(latest) or len(found) > 1:
        buttons += (Button(label="Choose…", action=CHOOSE, value=incident.name),)
    return incident.channel_id, Reply(text=offer(incident, found), buttons=buttons)


def offer(incident: Incident, found: Sequence[Signal]) -> str:
    """What came before, in a line each."""
    shown = [(each, label_of(each.source), ago(each, incident)) for each in reversed(found)]
    text = slack(
        "lead_up",
        incident=incident,
        changes=[each for each in shown if each[0].kind == CHANGE],
        alerts=[each for each in shown if each[0].kind != CHANGE],
    )
    return without_secrets(text)


def ago(each: Signal, incident: Incident) -> str:
    """How long before the incident's start it was: `3 min before`."""
    seconds = (incident.began_at - each.occurred_at).total_seconds()
    return f"{rough_duration(seconds)} before" if seconds >= 0 else f"{rough_duration(-seconds)} after its start"


def label(each: Signal, incident: Incident) -> str:
    """What its button says: `release 418, 3 min before`."""
    since = ago(each, incident)
    title = each.title if len(each.title) + len(since) < _BUTTON else f"{each.title[: _BUTTON - len(since)].rstrip()}…"
    return f"{title}, {since}"


def take(connection: Connection, request: Request) -> Reply:
    """`INC-12 57`, of a button: it is an entry of the lead-up."""
    incident = _of_button(connection, request)
    return _record(connection, request, incident, [int(request.parsed["number"])])


def choose(connection: Connection, request: Request) -> Reply:
    """`INC-12`, of a button: the form with ticks."""
    incident = _of_button(connection, request)
    found = before(connection, incident)
    if not found:
        raise UsageError(f"Nothing of what came before {incident.name} is left to take.")
    kinds = {each.id: ENTRY_KINDS[each.kind].label for each in found}
    lines = [(str(each.id), f"{kinds[each.id]} · {ago(each, incident)}", words_of(each)) for each in found]
    return Reply(text="", form=FORM, fills={"incident": incident, "lines": lines})


def record(connection: Connection, request: Request) -> Reply:
    """The submitted ticks, each an entry of the lead-up."""
    incident = get_by_number(connection, request, request.incident_number or 0, lock=True)
    ids = [int(each) for each in request.details.get(TICKED, "").split(",") if each.isdecimal()]
    if not ids:
        raise UsageError("Nothing is ticked, so nothing was recorded.")
    return _record(connection, request, incident, ids)


def _of_button(connection: Connection, request: Request) -> Incident:
    return get_by_number(connection, request, int(request.parsed["incident"]), lock=True)


def _record(connection: Connection, request: Request, incident: Incident, ids: Sequence[int]) -> Reply:
    allowed = {each.id for each in before(connection, incident)}
    taken = signals.by_ids(connection, incident.workspace_id, allowed.intersection(ids))
    if not taken:
        raise UsageError(f"That was taken already, or does not belong to {incident.name}, so nothing was recorded.")
    entries = []
    for each in taken:
        entry = timeline.append(
            connection,
            incident.id,
            kind=each.kind,
            occurred_at=each.occurred_at,
            recorded_at=request.received_at,
            author=label_of(each.source),
            author_id=FROM_SOURCE,
            recorded_by_id=request.user_id,
            text=f"{words_of(each)}{f' ({each.service})' if each.service and each.service not in each.title else ''}",
            qualifier=None,
            source=FROM_SOURCE,
            permalink=each.link,
            people={},
            until_at=each.ended_at if each.ended_at != each.occurred_at else None,
        )
        signals.take_some(connection, [each.id], incident_id=incident.id, entry_id=entry.id, at=request.received_at)
        entries.append((entry, ENTRY_KINDS[entry.kind], exact(entry.occurred_at)))
    text = slack("lead_up_taken", incident=incident, entries=entries, request=request)
    return Reply(text=without_secrets(text), public=True, about=incident.name)


def keep_change(
    database: Database,
    settings: Settings,
    title: str,
    *,
    at: datetime,
    when: str | None,
    service: str | None,
    link: str | None,
    channel_id: str | None,
    workspace_id: str | None,
) -> str:
    """Keep a change that a pipeline tells, at `at` or `when`; returns what was kept. Raises UsageError.

    The same title at the same time is kept once.
    """
    occurred_at = at
    if when is not None:
        typed, rest = take_time(when, frozenset(), now=at)
        if typed is None or rest.strip():
            raise UsageError(f'“{when}” is no time; write it as in: scribe change "{title}" --at 10:02')
        occurred_at = place(typed, now=at, zone=settings.timezone).at
    if not title.strip():
        raise UsageError('Say what changed: scribe change "release 418"')
    told = signal(
        CHANGES.name, kind=CHANGE, fingerprint=title, title=title, at=occurred_at, now=at, service=service, link=link
    )
    with database.write() as connection:
        workspace = resolve_workspace(connection, workspace_id)
        signals.add(connection, workspace, channel_id or EVERYWHERE, [told], at=at)
    of = f" of {told.service}" if told.service else ""
    return f"Kept: {told.title}{of}, at {told.occurred_at:%Y-%m-%d} {exact(told.occurred_at)}"


CLICKS = {**dict.fromkeys(TAKE, take), CHOOSE: choose}
"""What the offer's buttons do."""
