"""What is doubtful about the time of an entry: other readings of it, or an order that cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from bot.domain.incident.grammar import Correction, Utterance
from bot.domain.incident.lifecycle import contradiction, lifecycle
from bot.domain.time.format import duration, stamp, zone_name
from bot.domain.time.moment import AS_NAMED, OTHER_HOUR, OTHER_ZONE, WALL_CLOCK, Course, Moment, Reading, place
from bot.domain.time.typed import ClockTime, TypedTime
from bot.errors import UsageError
from bot.handlers.incident.incidents import read_course
from bot.handlers.request import Button, Request
from bot.vocabulary import IMPACT, STARTED
from storage.values import Incident, TimelineEntry

RETIME = ("retime", "retime_2", "retime_3")
"""The actions of the buttons that take another reading; within a message each button needs its own."""
CORRECT, CONFIRM_TIME = "entry_correct", "entry_right"
ACTIONS = (*RETIME, CORRECT, CONFIRM_TIME)
_FIRST_SIGNS = (STARTED, IMPACT)
_A_MINUTE = timedelta(minutes=1)
_IN_MINUTES = timedelta(hours=2)
"""Below this, a distance is told in minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What the receipt of an entry says about its time, and asks.

    `moment` is where the typed time lies, None where none was typed, and `typed_zone` the abbreviation typed with it.
    `conflict` is the entry that the time cannot precede or follow, `distance` how far they are apart.
    """

    moment: Moment | None
    typed_zone: str | None
    conflict: TimelineEntry | None = None
    distance: str = ""

    @property
    def reasons(self) -> frozenset[str]:
        """The reasons of the other readings."""
        return frozenset(each.reason for each in self.moment.doubts) if self.moment else frozenset()


def of_words(said: Utterance | Correction, moment: Moment | None) -> Doubts:
    """The doubts about a typed time as such."""
    zone = said.typed.zone if isinstance(said.typed, ClockTime) else None
    return Doubts(moment=moment, typed_zone=zone.name.upper() if zone else None)


def within(
    connection: Connection,
    request: Request,
    incident: Incident,
    kind: str,
    said: Utterance | Correction,
    at: datetime,
    *,
    without: TimelineEntry | None = None,
) -> tuple[datetime, Doubts]:
    """When an entry of `kind`, understood as `at`, happened within the incident, and the doubts about it.

    A time that was typed for an entry, and not to correct one, is placed again within the incident's course. `without`
    leaves out the entry that is corrected or read again.
    """
    entries = [entry for entry in read_course(connection, incident) if without is None or entry.id != without.id]
    moment = said.moment
    if said.typed is not None and isinstance(said, Utterance):
        moment = place(said.typed, now=request.now, zone=request.zone, course=course(entries))
        at = moment.at
    if moment is not None and without is not None and _same_day(request, at, without.occurred_at):
        moment = replace(moment, distant=False)
    conflict, ran = contradiction(entries, kind, at), course(entries)
    if moment is not None and not moment.seconds:
        # A clock time has no seconds, what is recorded as now has: in the same minute it is not before that.
        began = [ran.began_at] if ran and kind not in _FIRST_SIGNS else []
        for earlier_at in (*began, *([conflict.occurred_at] if conflict else [])):
            at = earlier_at if at == earlier_at.replace(second=0, microsecond=0) else at
        conflict = contradiction(entries, kind, at)
    apart = abs(conflict.occurred_at - at) if conflict else timedelta()
    in_minutes = _A_MINUTE <= apart < _IN_MINUTES
    distance = f"{apart // _A_MINUTE} min" if in_minutes else duration(apart.total_seconds())
    return at, replace(of_words(said, moment), conflict=conflict, distance=distance)


def _same_day(request: Request, one: datetime, other: datetime) -> bool:
    return one.astimezone(request.zone).date() == other.astimezone(request.zone).date()


def use_mentioned(
    connection: Connection, request: Request, incident: Incident, entry: TimelineEntry, mentioned: TypedTime
) -> tuple[Button, ...]:
    """The button that takes the time further on in the words of an entry that was recorded as now."""
    ran = course(read_course(connection, incident))
    try:
        moment = place(mentioned, now=request.now, zone=request.zone, course=ran)
    except UsageError:
        return ()
    if moment.distant or abs(moment.at - entry.occurred_at) < _A_MINUTE:
        return ()
    zone = request.zone if request.zone_known else None
    label = stamp(moment.at, zone, request.received_at.date(), approximate=moment.approximate)
    value = _retiming(incident, entry, moment.at, approximate=moment.approximate)
    return (Button(label=f"Use {label}", action=RETIME[0], value=value),)


def _retiming(incident: Incident, entry: TimelineEntry, at: datetime, *, approximate: bool = False) -> str:
    """The value of a button that moves the entry to the time, from the one that it has now."""
    to = f"{at.isoformat(timespec='milliseconds')}{' about' if approximate else ''}"
    return f"{incident.name} {entry.number} {to}{was(entry.occurred_at)}"


def was(at: datetime | None) -> str:
    """The end of the value of a button that replaces the time: pressed after another change, it changes nothing."""
    return f" was {at.isoformat(timespec='milliseconds')}" if at else ""


def course(entries: Sequence[TimelineEntry]) -> Course | None:
    """When the incident ran; None where nothing of that was recorded yet."""
    facts = lifecycle(entries)
    known = [at for at in (facts.started_at, facts.detected_at, facts.resolved_at) if at is not None]
    return Course(began_at=min(known), ended_at=facts.resolved_at) if known else None


def buttons(request: Request, incident: Incident, entry: TimelineEntry, doubts: Doubts) -> tuple[Button, ...]:
    """One button for each other reading, one to keep the one that was taken, and one to correct a contradiction."""
    value = f"{incident.name} {entry.number}"
    others = doubts.moment.doubts if doubts.moment else ()
    found = [
        Button(
            label=f"Use {_label(request, entry, each)}",
            action=action,
            value=_retiming(incident, entry, each.at),
        )
        for action, each in zip(RETIME, others, strict=False)
    ]
    if doubts.conflict or (doubts.moment and doubts.moment.distant and not others):
        found.append(Button(label="Correct", action=CORRECT, value=value))
    if found:
        found.append(Button(label="It is right", action=CONFIRM_TIME, value=value))
    return tuple(found)


def _label(request: Request, entry: TimelineEntry, reading: Reading) -> str:
    """The reading as a button shows it: with the name of its clocks, where the doubt is about them.

    Where the entry shows the same clock on another day, the reading's day is named, even if it is today.
    """
    today = request.received_at.date()
    if reading.at.time() == entry.occurred_at.time():
        today = entry.occurred_at.date()
    in_utc = stamp(reading.at, None, today)
    if reading.reason in {AS_NAMED, WALL_CLOCK, OTHER_HOUR, OTHER_ZONE}:
        local = reading.at.astimezone(reading.zone)
        if not local.utcoffset():
            return in_utc
        if local.date() != reading.at.astimezone(UTC).date():
            in_utc = stamp(reading.at, None, local.date())
        return f"{local:%H:%M} {zone_name(local)} ({in_utc})"
    return stamp(reading.at, request.zone if request.zone_known else None, today)
