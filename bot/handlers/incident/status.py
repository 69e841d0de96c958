"""Where an incident stands, for who looks; and the story so far, for who joins. Both in few lines, of what is known."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.erasure import is_erased
from bot.domain.incident.facts import current_roles
from bot.domain.incident.lifecycle import DURATIONS, Lifecycle, approximate_instants, lifecycle
from bot.domain.words import says_nothing
from bot.errors import UsageError
from bot.handlers.incident.incidents import commands_about, get_named, read_course
from bot.handlers.incident.timeline import with_names
from bot.handlers.request import Reply, Request, without_secrets
from bot.vocabulary import (
    ACKNOWLEDGED,
    CAUSE,
    DID,
    ENTRY_KINDS,
    IMPACT,
    INCIDENT,
    INVESTIGATING,
    MITIGATED,
    POSTMORTEM,
    RESOLVED,
    ROLE,
    RULED_OUT,
)
from storage import outbox, postmortems, receipts, timeline
from storage.items import action_items
from storage.values import Incident, TimelineEntry

SHOWN = 3
"""The entries that are shown, the last ones."""
CATCH_UP = "catchup"
"""The subcommand, and the action of the job that tells a person who joined."""
TOLD = {"status": (IMPACT,), CATCH_UP: (IMPACT, CAUSE, INVESTIGATING, RULED_OUT, DID)}
"""The kinds of entry whose last words each answer has, by its template."""
MOST_UNDONE = 2
"""The mitigations that did not hold which are shown, the last ones."""


def status(connection: Connection, request: Request) -> Reply:
    """`status [INC-12]`: how long it has gone on, what is known, who does what, the last entries, the next step."""
    incident = _named(connection, request, "status")
    place = (connection, incident.workspace_id)
    return _shown(
        connection,
        request,
        incident,
        "status",
        absent=receipts.is_absent(*place, incident.channel_id),
        undelivered=outbox.parked_problems(*place, (incident.channel_id, f"draft:{incident.id}")),
    )


def catch_up(connection: Connection, request: Request) -> Reply:
    """`catchup [INC-12]`: the story so far, in ten lines."""
    return _shown(connection, request, _named(connection, request, CATCH_UP), CATCH_UP)


def _named(connection: Connection, request: Request, subcommand: str) -> Incident:
    incident, rest = get_named(connection, request, plain=True)
    if rest.strip() and not says_nothing(rest):
        raise UsageError(f"Which incident? Try: {request.slash('incident')} {subcommand} {incident.name}")
    return incident


def _shown(connection: Connection, request: Request, incident: Incident, template: str, **facts: object) -> Reply:
    # Few rows of a long incident: this answers however much is recorded, and while something slow is done beside it.
    course = read_course(connection, incident)
    life = lifecycle(course)
    holders = current_roles(timeline.of_incident(connection, incident.id, kinds=(ROLE,)))
    told = {kind: _last_words(connection, incident, kind) for kind in TOLD[template]}
    postmortem = postmortems.newest(connection, incident.id)
    text = slack(
        template,
        incident=incident,
        facts=life,
        since_s=_lasting_s(incident, life, request.received_at),
        milestones=list(_milestones(course, life)),
        took=list(_durations(life)),
        roles=[(each.role, each.called) for each in holders],
        told=told,
        last=[with_names(each) for each in reversed(timeline.last_happened(connection, incident.id, limit=SHOWN))],
        entries=timeline.count(connection, incident.id),
        open_items=[item for item in action_items.of_incident(connection, incident.id) if item.pending],
        postmortem=postmortem,
        next=_next_step(incident, life, hurts=bool(told[IMPACT]), drafted=postmortem is not None),
        zone=request.zone if request.zone_known else None,
        today=request.received_at.date(),
        kinds=ENTRY_KINDS,
        command=commands_about(connection, request, incident),
        **facts,
    )
    return Reply(text=without_secrets(text))


def _milestones(course: Sequence[TimelineEntry], life: Lifecycle) -> Iterator[tuple[str, datetime, bool, int | None]]:
    """What is known of the course: its label, when, whether that is approximate, and which entry undid it."""
    vague = approximate_instants(course, life)
    signs_first = life.first_sign_at is not None and life.first_sign_at == life.started_at
    before = (
        ("First signs" if signs_first else "Started", "started_at", life.started_at),
        ("Users hurt", "impact_began_at", life.impact_began_at if signs_first else None),
        ("Detected", "detected_at", life.detected_at),
        ("Acknowledged", "acknowledged_at", life.acknowledged_at),
    )
    after = (
        ("Mitigated", "mitigated_at", None if life.mitigations and not any(each.held for each in life.mitigations)
         else life.mitigated_at),
        ("Resolved", "resolved_at", life.resolved_at),
    )  # fmt: skip
    yield from ((label, at, name in vague, None) for label, name, at in before if at is not None)
    undone = [each for each in life.mitigations if not each.held]
    yield from (("Mitigated", each.at, False, each.undone_by) for each in undone[-MOST_UNDONE:])
    yield from ((label, at, name in vague, None) for label, name, at in after if at is not None)


def _durations(life: Lifecycle) -> Iterator[tuple[str, float, str]]:
    """What is known of how long it took: its label, the seconds, and what is said after them."""
    for each in DURATIONS:
        seconds = getattr(life, f"{each.key}_s")
        if each.key == "time_to_detect" and life.detected_before_impact_s is not None:
            yield each.label, life.detected_before_impact_s, " before the impact"
        elif seconds is not None:
            yield each.label, seconds, ""
    if life.time_in_rounds_s is not None and life.time_in_rounds_s != life.time_to_resolve_s:
        yield "Time in trouble", life.time_in_rounds_s, f" in {len(life.rounds)} rounds" if life.reopened else ""


def _lasting_s(incident: Incident, life: Lifecycle, now: datetime) -> float | None:
    """For how many seconds there has been trouble; None where it is over."""
    if not incident.open:
        return None
    since = life.rounds[-1].began_at if life.rounds else life.started_at or incident.began_at
    return max(0.0, (now - since).total_seconds())


def _last_words(connection: Connection, incident: Incident, kind: str) -> str:
    """The last words of the kind; empty without any, and where the last ones were erased."""
    told = (with_names(each).text for each in timeline.last_happened(connection, incident.id, limit=SHOWN, kind=kind))
    return next((text for text in told if not is_erased([text])), "")


def _next_step(incident: Incident, life: Lifecycle, *, hurts: bool, drafted: bool) -> tuple[str, str] | None:
    """The command that is most likely missing, and what is typed after it; None for a closed incident.

    `hurts`: an impact was told; `drafted`: there is a postmortem.
    """
    if incident.closed_as is not None:
        return None
    if not incident.open:
        return f"{POSTMORTEM.name} {'check' if drafted else 'draft'}", ""
    missing = (
        (life.acknowledged_at is None, ACKNOWLEDGED, "I am on it"),
        (incident.lead is None, f"{INCIDENT.name} lead", "me"),
        (incident.severity is None, f"{INCIDENT.name} severity", "SEV2"),
        (not hurts, IMPACT, "who is hurt and how much"),
        (life.status != MITIGATED, MITIGATED, "what ended the impact"),
    )
    return next(((command, words) for lacks, command, words in missing if lacks), (RESOLVED, "how it ended"))
