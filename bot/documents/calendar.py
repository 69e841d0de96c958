"""The review as a calendar file (RFC 5545): one event, its clocks those of the zone it was planned in.

Nobody's e-mail address is known, so there is no organiser and no attendee; who is invited stands in the description.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.documents.escaping import visible
from bot.domain.review.meeting import local_start
from storage.values import Incident, Review

if TYPE_CHECKING:
    from icalendar import Alarm, Calendar, Event

_PRODUCT = "-//Scribe//Postmortem reviews//EN"
_ALARM = timedelta(minutes=-10)
_LONGEST_LINE = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a calendar shows beside the time: a line of title and of place, the words below, a link if there is one."""

    summary: str
    description: str
    location: str
    url: str | None = None


def uid(incident: Incident) -> str:
    """The event's name in every calendar, the same however often the review is moved."""
    return f"review-{incident.name.lower()}-{incident.workspace_id.lower()}@scribe"


def calendar_file(incident: Incident, review: Review, words: Invitation) -> str:
    """The file's text with CRLF line ends. A later plan, or a cancellation, takes the place of an earlier one."""
    # It takes a fifteenth of a second to load, which only an invitation should cost.
    from icalendar import Calendar  # noqa: PLC0415 - see above

    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if review.cancelled else "PUBLISH")
    start = _start(review)
    if isinstance(start.tzinfo, ZoneInfo):
        _add_zone(calendar, start.tzinfo, start)
    calendar.add_component(_event(incident, review, words, start))
    text: bytes = calendar.to_ical()
    return text.decode()


def _start(review: Review) -> datetime:
    """The start in its own zone; in UTC where that has no name, and on a day its clocks change.

    On such a day icalendar's description of a zone is an hour late in going forward (its onsets are told in the new
    offset instead of the old).
    """
    start = local_start(review)
    midnight = start.replace(hour=0, minute=0)
    changes = midnight.utcoffset() != (midnight + timedelta(days=1)).utcoffset()
    plain = not isinstance(start.tzinfo, ZoneInfo) or "/" not in start.tzinfo.key
    return review.starts_at if plain or changes else start


def _add_zone(calendar: "Calendar", zone: ZoneInfo, start: datetime) -> None:
    from icalendar import Timezone  # noqa: PLC0415 - as above

    first, last = date(start.year - 1, 1, 1), date(start.year + 2, 1, 1)
    calendar.add_component(Timezone.from_tzinfo(zone, first_date=first, last_date=last))


def _event(incident: Incident, review: Review, words: Invitation, start: datetime) -> "Event":
    from icalendar import Event  # noqa: PLC0415 - as above

    event = Event()
    event.add("uid", uid(incident))
    event.add("sequence", review.sequence)
    event.add("dtstamp", review.planned_at.replace(microsecond=0))
    event.add("dtstart", start)
    event.add("dtend", review.ends_at.astimezone(start.tzinfo))
    event.add("summary", _line(words.summary))
    event.add("description", visible(words.description))
    event.add("location", _line(words.location))
    if words.url:
        event.add("url", words.url)
    event.add("status", "CANCELLED" if review.cancelled else "CONFIRMED")
    if not review.cancelled:
        event.add_component(_alarm(words.summary))
    return event


def _alarm(summary: str) -> "Alarm":
    from icalendar import Alarm  # noqa: PLC0415 - as above

    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _line(summary))
    alarm.add("trigger", _ALARM)
    return alarm


def _line(text: str) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
