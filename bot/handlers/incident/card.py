"""An incident's card: what it shows, and what its buttons do, which is what typing would do."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.facts import current_roles
from bot.domain.incident.lifecycle import DURATIONS, OPEN, Lifecycle, lifecycle, standing
from bot.domain.incident.updates import open_promise
from bot.domain.time.format import stamp
from bot.errors import UsageError
from bot.handlers.incident.incidents import get_by_number, read_course
from bot.handlers.incident.timeline import with_names
from bot.handlers.request import Button, Control, Menu, Reply, Request, without_secrets
from bot.vocabulary import (
    ACKNOWLEDGED,
    CAUSE,
    DETECTED,
    ENTRY_KINDS,
    IMPACT,
    INCIDENT,
    KINDS,
    LEAD,
    MITIGATED,
    RESOLVED,
    ROLE,
    SEVERITIES,
    SEVERITY,
    TIMELINE,
    UPDATE,
)
from storage import timeline
from storage.items import action_items
from storage.sources import signals
from storage.values import Incident

ITEM_FORM = "action_item"
"""The form of a new action item."""
STANDS_FOR = "stands_for"
"""The key, in a request's details, of the action of the button that stands for what would be typed."""
LAST = 3
"""Entries on a card."""
STEPS = (DETECTED, ACKNOWLEDGED, MITIGATED, RESOLVED)
"""The milestones of the bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An incident's card, in Slack text that is escaped already; `text` is the whole in a line, for notifications.

    Parts without anything to say are empty.
    """

    text: str
    head: str
    steps: str
    alerts: str
    entries: str
    unknown: str
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button of the card: its label, and the words that are typed for it.

    `done` says why a press changes nothing, given the incident and its course; None where it does.
    """

    label: str
    command: str
    words: str = ""
    done: Callable[[Incident, Lifecycle], str | None] = lambda _incident, _course: None


def _at(at: datetime | None, incident: Incident) -> str:
    return f" at {stamp(at, None, incident.began_at.date())}" if at else ""


def _is_over(incident: Incident, course: Lifecycle) -> str | None:
    return None if incident.open else f"was resolved{_at(course.resolved_at, incident)}"


def _is_acknowledged(incident: Incident, course: Lifecycle) -> str | None:
    known = course.acknowledged_at
    return f"was acknowledged{_at(known, incident)}" if known else _is_over(incident, course)


def _is_mitigated(incident: Incident, course: Lifecycle) -> str | None:
    if course.status == MITIGATED:
        return f"was mitigated{_at(course.mitigated_at, incident)}"
    return _is_over(incident, course)


def _is_led(incident: Incident, _course: Lifecycle) -> str | None:
    return f"is led by {incident.lead}" if incident.lead else None


ITEM, MENU, TO_READ = "card_item", "card_severity", "card_timeline"
QUIET_MITIGATED, QUIET_RESOLVED = "card_quiet_mitigated", "card_quiet_resolved"
"""The buttons for when all alerts are quiet: a person decides, and takes the moment from them."""
PRESSES: dict[str, Press] = {
    "card_acknowledged": Press(label="Acknowledge", command=ACKNOWLEDGED, done=_is_acknowledged),
    "card_lead": Press(label="I lead", command=INCIDENT.name, words=f"{LEAD} me", done=_is_led),
    MENU: Press(label="Severity", command=INCIDENT.name, words=SEVERITY, done=_is_over),
    QUIET_MITIGATED: Press(label="Mitigated", command=MITIGATED, done=_is_mitigated),
    QUIET_RESOLVED: Press(label="Resolved", command=RESOLVED, done=_is_over),
    "card_mitigated": Press(label="Mitigated", command=MITIGATED, done=_is_mitigated),
    "card_resolved": Press(label="Resolved", command=RESOLVED, done=_is_over),
    ITEM: Press(label="Action item", command=""),
    TO_READ: Press(label="Timeline", command=TIMELINE.name),
}
"""The buttons of a card by their actions, the next sensible step first. The one without a command opens a form."""
AT_QUIET = frozenset({QUIET_MITIGATED, QUIET_RESOLVED})
IN_CHANNEL = PRESSES.keys() - {MENU, "card_lead"}
"""The buttons that do the same for everybody in the channel."""


def card(connection: Connection, incident: Incident) -> Card:
    """The incident's card as it is now. It is for the incident's own channel."""
    told = [*read_course(connection, incident), *timeline.of_incident(connection, incident.id, kinds=(ROLE, UPDATE))]
    course, kinds = lifecycle(told), {each.kind for each in standing(told)}
    if timeline.has(connection, incident.id, CAUSE):
        kinds.add(CAUSE)
    last = [with_names(entry) for entry in reversed(timeline.last_happened(connection, incident.id, limit=LAST))]
    items = action_items.of_incident(connection, incident.id)
    began_at = course.started_at or incident.declared_at
    group = signals.group_of_incident(connection, incident.id) if incident.open else None
    holds = course.status != OPEN or not course.mitigated_at
    facts = {"incident": incident, "course": course, "began_at": began_at, "day": began_at.date()}
    roles = [(each.role, each.called) for each in current_roles(told)]
    steps = [(KINDS[kind].label, getattr(course, f"{kind}_at"), kind != MITIGATED or holds) for kind in STEPS]
    shown = {
        "text": slack("card_text", **facts),
        "head": slack(
            "card_head",
            **facts,
            open_items=sum(each.pending for each in items),
            durations=DURATIONS,
            roles=roles,
            next_update_at=open_promise(incident, told),
        ),
        "steps": slack("card_steps", **facts, steps=steps),
        "alerts": slack("card_alerts", group=group, **facts) if group else "",
        "entries": slack("card_entries", entries=last, kinds=ENTRY_KINDS, **facts),
        "unknown": slack("card_unknown", unknown=_unknown(incident, course, kinds), **facts),
    }
    quiet_at = group.quiet_at if group else None
    controls = () if incident.merged else _controls(incident, course, quiet_at)
    return Card(**{name: without_secrets(text) for name, text in shown.items()}, controls=controls)


def _unknown(incident: Incident, course: Lifecycle, kinds: set[str]) -> list[str]:
    """What is not known yet, of what matters at that point, in words of two or three."""
    missing = (
        ("how bad", not incident.severity),
        ("who leads", incident.open and not incident.lead),
        ("who is hurt", IMPACT not in kinds),
        ("when it began", course.impact_began_at is None),
        ("what ended it", not incident.open and MITIGATED not in kinds),
        ("what led to it", not incident.open and CAUSE not in kinds),
    )
    return [] if incident.closed_as is not None else [words for words, is_missing in missing if is_missing]


def _controls(incident: Incident, course: Lifecycle, quiet_at: datetime | None) -> tuple[Control, ...]:
    """The buttons that would change something; of a closed incident the timeline alone."""
    value = f"{incident.name} card"
    at_quiet = "" if quiet_at is None else f" at {stamp(quiet_at, None, incident.began_at.date()).removesuffix(' UTC')}"
    offered = [
        (action, replace(press, label=f"{press.label}{at_quiet}") if action in AT_QUIET else press)
        for action, press in PRESSES.items()
        if (incident.closed_as is None or action == TO_READ) and press.done(incident, course) is None
        if at_quiet or action not in AT_QUIET
    ]
    if not incident.open:
        offered = [each for each in offered if each[0] in {ITEM, TO_READ}]
    return tuple(
        Menu(label=press.label, action=action, options=tuple((each, f"{value} {each}") for each in SEVERITIES))
        if action == MENU
        else Button(label=press.label, action=action, value=value)
        for action, press in offered
    )


def as_typed(connection: Connection, request: Request) -> Request:
    """`INC-1 card`, of a button: the request that typing would have made.

    Raises UsageError where the incident is not seen here, is closed, or the step was taken since.
    """
    press = PRESSES[request.command]
    incident = _incident_of(connection, request, to_read=request.command == TO_READ)
    course = lifecycle(read_course(connection, incident))
    if (done := press.done(incident, course)) is not None:
        raise UsageError(f"{incident.name} {done} already, so nothing was recorded.")
    words = f"{press.words} {request.parsed['choice'] or ''}".strip()
    if request.command in AT_QUIET:
        group = signals.group_of_incident(connection, incident.id)
        if group is None or group.quiet_at is None:
            raise UsageError(f"An alert of {incident.name} fires again, so nothing was recorded.")
        words = f"at {group.quiet_at.isoformat(timespec='milliseconds')} {slack('quiet_words', group=group)}"
    typed = replace(request, command=press.command, words=words, named_number=incident.number, parsed=None)
    return replace(typed, details={STANDS_FOR: request.command})


def signed(reply: Reply, request: Request) -> Reply:
    """The receipt with who pressed the button at the end of its first line."""
    first, *rest = reply.text.split("\n")
    return replace(reply, text="\n".join((f"{first} {slack('pressed_by', request=request)}", *rest)))


def open_item_form(connection: Connection, request: Request) -> Reply:
    """`INC-1 card`, of a button: open the form of a new action item of that incident."""
    return Reply(text="", form=ITEM_FORM, fills={"incident": _incident_of(connection, request, to_read=False)})


def _incident_of(connection: Connection, request: Request, *, to_read: bool) -> Incident:
    number = int(request.parsed["incident"])
    incident = get_by_number(connection, request, number, lock=not to_read)
    if incident.number != number:
        if not to_read:
            raise UsageError(
                f"INC-{number} was merged into {incident.name}, so nothing was recorded. "
                f"To record it there: {request.slash('note')} {incident.name} …"
            )
        return incident
    if incident.closed_as is not None and not to_read:
        raise UsageError(
            f"{incident.name} is closed, {incident.standing}, so nothing was recorded. "
            f"If it goes on: {request.slash('reopened')} {incident.name}"
        )
    return incident
