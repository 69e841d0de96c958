"""Timeline entries: record one, show them all."""

from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.grammar import Utterance, parse_entry
from bot.domain.incident.lifecycle import Lifecycle, in_order, is_open, lifecycle
from bot.domain.time.format import stamp
from bot.errors import UsageError
from bot.handlers.incident import incidents as declaring
from bot.handlers.items.reminders import plan_publication
from bot.handlers.lookup import find_current, get_current, get_named
from bot.handlers.permission import require_permission
from bot.handlers.postmortem.drafts import enqueue_draft
from bot.handlers.receipt import receipt
from bot.handlers.request import Button, Reply, Request
from bot.vocabulary import DETECTED, KINDS, REOPENED, RESOLVED, Kind
from storage import incidents, timeline
from storage.values import Incident, TimelineEntry

MOVES_OPEN = (RESOLVED, REOPENED)
HALF_A_DAY = timedelta(hours=12)
"""A clock time that much earlier is easily one of today, mistyped or not come yet."""
PAGE = 40
"""Entries shown at once; with long words clipped they stay under Slack's limit for one message."""


def parse(request: Request) -> Utterance:
    """Read the words of an entry of the kind `request.command`. Raises UsageError for words that are none."""
    return parse_entry(KINDS[request.command], request.words, now=request.now, zone=request.zone)


def record(connection: Connection, request: Request) -> Reply:
    """Put an entry of the kind `request.command` on the channel's timeline.

    `/detected` declares an incident where none is open.
    """
    kind = KINDS[request.command]
    utterance: Utterance = request.parsed
    latest = find_current(connection, request, lock=True)
    if request.incident_number is None and _declares(connection, kind, utterance, latest):
        incident, before = declaring.declare_detected(connection, request, utterance.text)
    else:
        incident, before = _taking(connection, request, kind, utterance, latest), None
        if kind.name == RESOLVED:
            require_permission(connection, request, incident, "resolve")
    _refuse_twice(connection, request, incident, kind)
    entry = append(connection, request, incident, kind, utterance)
    stands_open = sync_open_state(connection, request, incident, entry.kind)
    return receipt(
        request,
        "recorded",
        incident,
        entry,
        assumed=utterance.zone_assumed,
        # A message's own time has seconds that nobody typed.
        seconds=utterance.seconds and request.permalink is None,
        buttons=_reopen_button(before, incident),
        declared=incident.number if latest is None or latest.id != incident.id else None,
        drafting=incident.open and not stands_open,
        stays_open=kind.name == RESOLVED and stands_open,
        stays_resolved=kind.name == REOPENED and not stands_open,
        mind_the_day=utterance.timed and request.received_at - utterance.occurred_at >= HALF_A_DAY,
        before=before,
    )


def _reopen_button(before: Incident | None, incident: Incident) -> tuple[Button, ...]:
    if before is None:
        return ()
    label = f"It is the same one: reopen {before.name}"
    return (Button(label=label, action="reopen", value=f"{before.name} {incident.name}"),)


def _facts(connection: Connection, incident: Incident) -> Lifecycle:
    return lifecycle(timeline.of_incident(connection, incident.id))


def _declares(connection: Connection, kind: Kind, utterance: Utterance, latest: Incident | None) -> bool:
    """Whether the entry begins an incident of its own.

    A detection from before the resolution of an incident that has none fills that gap; it is no new incident.
    """
    if kind.name != DETECTED or (latest is not None and latest.open):
        return False
    if latest is None:
        return True
    facts = _facts(connection, latest)
    return facts.detected_at is not None or not _speaks_of_before(utterance, facts.resolved_at)


def _speaks_of_before(utterance: Utterance, resolved_at: datetime | None) -> bool:
    return utterance.timed and resolved_at is not None and utterance.occurred_at <= resolved_at


def _taking(
    connection: Connection, request: Request, kind: Kind, utterance: Utterance, latest: Incident | None
) -> Incident:
    """The incident that takes the entry. Raises UsageError when none does, saying what would."""
    incident = latest or get_current(connection, request)
    if incident.open and kind.name == REOPENED:
        raise UsageError(
            f"{incident.name} is open, so there is nothing to reopen. "
            f"To say what happened: {request.slash('note')} what you see"
        )
    if incident.open or kind.afterwards:
        return incident
    facts = _facts(connection, incident)
    if kind.name != RESOLVED and _speaks_of_before(utterance, facts.resolved_at):
        return incident
    raise UsageError(_closed(connection, request, kind, incident, utterance))


def _closed(connection: Connection, request: Request, kind: Kind, incident: Incident, utterance: Utterance) -> str:
    entries = in_order(timeline.of_incident(connection, incident.id))
    end = next(entry for entry in reversed(entries) if entry.kind == RESOLVED and not entry.retracted)
    today = request.received_at.date()
    at = stamp(end.occurred_at, None, today)
    back = f"If it came back: {request.slash(REOPENED)}"
    if kind.name == RESOLVED:
        meant = _typed_at(utterance.occurred_at if utterance.timed else end.occurred_at, today)
        edit = f"{request.slash('incident')} edit {end.number} at {meant}"
        return f"{incident.name} is resolved already, at {at}. To correct that time: {edit}. {back}"
    earlier = f"{request.slash(kind.name)} at {_typed_at(end.occurred_at, today)}: words"
    return f"{incident.name} is resolved, at {at}. For something from before, give its time: {earlier}. {back}"


def _typed_at(at: datetime, today: date) -> str:
    """The instant as it may be typed; without its day, a clock time would be the latest such moment."""
    return f"{at:%H:%M} UTC" if at.date() == today else f"{at:%F %H:%M} UTC"


def _refuse_twice(connection: Connection, request: Request, incident: Incident, kind: Kind) -> None:
    if request.permalink is None:
        return
    earlier = timeline.by_permalink(connection, incident.id, request.permalink, kind.name)
    if earlier is not None and not earlier.retracted:
        raise UsageError(f"That message is on the timeline already: it is entry {earlier.number}.")


def append(
    connection: Connection, request: Request, incident: Incident, kind: Kind, utterance: Utterance
) -> TimelineEntry:
    """Write the utterance at the end of the incident's timeline."""
    return timeline.append(
        connection,
        incident.id,
        kind=kind.name,
        occurred_at=utterance.occurred_at,
        recorded_at=request.received_at,
        author=request.author or request.user_name,
        author_id=request.author_id or request.user_id,
        recorded_by_id=request.user_id,
        text=utterance.text,
        qualifier=utterance.qualifier,
        source=request.source,
        permalink=request.permalink,
    )


def sync_open_state(connection: Connection, request: Request, incident: Incident, kind: str) -> bool:
    """Close or open the incident as its milestones say after an entry of `kind` came, moved or went.

    Closing asks for the draft. Returns whether the incident is open now.
    """
    if kind not in MOVES_OPEN:
        return incident.open
    stands_open = is_open(timeline.of_incident(connection, incident.id, kinds=MOVES_OPEN))
    incidents.set_open(connection, incident, is_open=stands_open)
    if incident.open != stands_open:
        plan_publication(
            connection, incident, is_open=stands_open, at=request.received_at, cadence=request.settings.cadence
        )
    if incident.open and not stands_open:
        enqueue_draft(connection, request, incident)
    return stands_open


def show(connection: Connection, request: Request) -> Reply:
    """The timeline so far, newest page first; `2` asks for the page before."""
    incident, rest = get_named(connection, request)
    entries = in_order([e for e in timeline.of_incident(connection, incident.id) if not e.retracted])
    pages = max(1, -(-len(entries) // PAGE))
    page = _page(rest, pages)
    end = len(entries) - (page - 1) * PAGE
    return Reply(
        text=slack(
            "timeline",
            incident=incident,
            entries=entries[max(0, end - PAGE) : end],
            kinds=KINDS,
            zone=request.zone if request.zone_known else None,
            today=request.received_at.date(),
            page=page,
            pages=pages,
            older=f"{request.slash('timeline')} {incident.name} {page + 1}" if page < pages else None,
        )
    )


def _page(words: str, pages: int) -> int:
    word = words.strip() or "1"
    if not (word.isascii() and word.isdigit()) or not 1 <= int(word[:9]) <= pages:
        raise UsageError(f"The timeline has {pages} page{'s' if pages > 1 else ''}; {word} is none of them.")
    return int(word)
