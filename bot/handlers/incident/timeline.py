"""The timeline: record an entry, show the entries page by page."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.grammar import Utterance, parse_entry
from bot.domain.incident.lifecycle import in_order, is_open, lifecycle
from bot.domain.time.format import stamp, zone_label
from bot.errors import UsageError
from bot.handlers.incident.incidents import declare_detected, find_current, get_current, get_named
from bot.handlers.items.reminders import plan_publication
from bot.handlers.permission import require_permission
from bot.handlers.postmortem.drafts import enqueue_draft
from bot.handlers.request import Button, Reply, Request
from bot.vocabulary import DETECTED, KINDS, REOPENED, RESOLVED, Kind
from storage import incidents, timeline
from storage.values import Incident, TimelineEntry

MOVES_OPEN = (RESOLVED, REOPENED)
"""The kinds of entry that open or close an incident."""
HALF_A_DAY = timedelta(hours=12)
"""From this age on, the receipt shows the day: a mistyped or future time of today is read as one of yesterday."""
PAGE = 40
"""Entries on a page; with long texts clipped, a page stays under Slack's limit for one message."""


def parse(request: Request) -> Utterance:
    """Parse the words of an entry of the kind `request.command`. Raises UsageError for invalid words."""
    return parse_entry(KINDS[request.command], request.words, now=request.now, zone=request.zone)


def record(connection: Connection, request: Request) -> Reply:
    """Record an entry of the kind `request.command` on the current incident.

    `/detected` declares an incident where none is open.
    """
    kind = KINDS[request.command]
    utterance: Utterance = request.parsed
    latest = find_current(connection, request, lock=True)
    if request.incident_number is None and _declares(connection, kind, utterance, latest):
        incident, before = declare_detected(connection, request, utterance.text)
    else:
        incident, before = _incident_for(connection, request, kind, utterance, latest), None
        if kind.name == RESOLVED:
            require_permission(connection, request, incident, "resolve")
    if request.permalink is not None:
        earlier = timeline.by_permalink(connection, incident.id, request.permalink, kind.name)
        if earlier is not None and not earlier.retracted:
            raise UsageError(f"That message is on the timeline already: it is entry {earlier.number}.")
    entry = timeline.append(
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
    open_now = sync_open_state(connection, request, incident, entry.kind)
    buttons: tuple[Button, ...] = ()
    if before is not None:
        label = f"It is the same one: reopen {before.name}"
        buttons = (Button(label=label, action="reopen", value=f"{before.name} {incident.name}"),)
    return receipt(
        request,
        "recorded",
        incident,
        entry,
        assumed=utterance.zone_assumed,
        # The time of a message has seconds that were not typed.
        seconds=utterance.seconds and request.permalink is None,
        buttons=buttons,
        declared=incident.number if latest is None or latest.id != incident.id else None,
        drafting=incident.open and not open_now,
        stays_open=kind.name == RESOLVED and open_now,
        stays_resolved=kind.name == REOPENED and not open_now,
        mind_the_day=utterance.timed and request.received_at - utterance.occurred_at >= HALF_A_DAY,
        before=before,
    )


def _declares(connection: Connection, kind: Kind, utterance: Utterance, latest: Incident | None) -> bool:
    """Whether the entry declares a new incident.

    A detection at a time before the resolution of an incident without a detection belongs to that incident.
    """
    if kind.name != DETECTED or (latest is not None and latest.open):
        return False
    if latest is None:
        return True
    facts = lifecycle(timeline.of_incident(connection, latest.id))
    return facts.detected_at is not None or not _is_before(utterance, facts.resolved_at)


def _is_before(utterance: Utterance, resolved_at: datetime | None) -> bool:
    return utterance.timed and resolved_at is not None and utterance.occurred_at <= resolved_at


def _incident_for(
    connection: Connection, request: Request, kind: Kind, utterance: Utterance, latest: Incident | None
) -> Incident:
    """The incident that the entry belongs to. Raises UsageError where it takes no such entry, with what to type."""
    incident = latest or get_current(connection, request)
    if incident.open and kind.name == REOPENED:
        raise UsageError(
            f"{incident.name} is open, so there is nothing to reopen. "
            f"To say what happened: {request.slash('note')} what you see"
        )
    if incident.open or kind.afterwards:
        return incident
    entries = timeline.of_incident(connection, incident.id)
    if kind.name != RESOLVED and _is_before(utterance, lifecycle(entries).resolved_at):
        return incident
    raise UsageError(_closed_message(request, kind, incident, entries, utterance))


def _closed_message(
    request: Request, kind: Kind, incident: Incident, entries: Sequence[TimelineEntry], utterance: Utterance
) -> str:
    end = next(entry for entry in reversed(in_order(entries)) if entry.kind == RESOLVED and not entry.retracted)
    today = request.received_at.date()
    at = stamp(end.occurred_at, None, today)
    back = f"If it came back: {request.slash(REOPENED)}"
    if kind.name == RESOLVED:
        meant = _as_typed(utterance.occurred_at if utterance.timed else end.occurred_at, today)
        edit = f"{request.slash('incident')} edit {end.number} at {meant}"
        return f"{incident.name} is resolved already, at {at}. To correct that time: {edit}. {back}"
    earlier = f"{request.slash(kind.name)} at {_as_typed(end.occurred_at, today)}: words"
    return f"{incident.name} is resolved, at {at}. For something from before, give its time: {earlier}. {back}"


def _as_typed(at: datetime, today: date) -> str:
    """The instant as a user types it; a clock time without a day would mean the latest such moment."""
    return f"{at:%H:%M} UTC" if at.date() == today else f"{at:%F %H:%M} UTC"


def sync_open_state(connection: Connection, request: Request, incident: Incident, kind: str) -> bool:
    """Open or close the incident as its entries say, after one of `kind` was recorded, corrected or retracted.

    Closing it requests a draft. Returns whether the incident is open now.
    """
    if kind not in MOVES_OPEN:
        return incident.open
    open_now = is_open(timeline.of_incident(connection, incident.id, kinds=MOVES_OPEN))
    incidents.set_open(connection, incident, is_open=open_now)
    if incident.open != open_now:
        plan_publication(
            connection, incident, is_open=open_now, at=request.received_at, cadence=request.settings.cadence
        )
    if incident.open and not open_now:
        enqueue_draft(connection, request, incident)
    return open_now


def show(connection: Connection, request: Request) -> Reply:
    """The newest page of the timeline; `/timeline 2` shows the page before it."""
    incident, rest = get_named(connection, request)
    entries = in_order([e for e in timeline.of_incident(connection, incident.id) if not e.retracted])
    pages = max(1, -(-len(entries) // PAGE))
    word = rest.strip() or "1"
    if not (word.isascii() and word.isdigit()) or not 1 <= int(word[:9]) <= pages:
        raise UsageError(f"The timeline has {pages} page{'s' if pages > 1 else ''}; {word} is none of them.")
    page = int(word)
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


def receipt(
    request: Request,
    template: str,
    incident: Incident,
    entry: TimelineEntry,
    *,
    assumed: bool = False,
    seconds: bool = False,
    buttons: tuple[Button, ...] = (),
    **facts: object,
) -> Reply:
    """The public receipt of an entry, rendered from `templates/slack/<template>.j2` with `facts`.

    `assumed` means that the words named no zone; unless the user's zone is known, the receipt names the default zone
    that was used and shows how to correct the time. `seconds` shows the seconds of the entry's time.
    """
    zone = request.zone if request.zone_known else None
    text = slack(
        template,
        incident=incident,
        entry=entry,
        kind=KINDS[entry.kind],
        when=stamp(entry.occurred_at, zone, request.received_at.date(), seconds=seconds),
        assumed=zone_label(request.zone) if assumed and not request.zone_known else None,
        edit=f"{request.slash('incident')} edit {entry.number}",
        request=request,
        **facts,
    )
    recorded = entry.kind if template == "recorded" else None
    return Reply(text=text, public=True, buttons=buttons, about=incident.name, recorded=recorded)
