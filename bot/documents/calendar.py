"""The review as a calendar file (RFC 5545): one event, in the time zone in which it was planned.

Scribe knows no e-mail addresses, so there is no organiser and no attendee; the description names who is invited.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.documents.escaping import visible
from bot.domain.review.meeting import local_start
from storage.values import Incident, Review

_PRODUCT = "-//Scribe//Postmortem reviews//EN"
_ALARM = timedelta(minutes=-10)
_LONGEST_LINE = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a calendar shows beside the time: title and place, each one line, a description, and maybe a link."""

    summary: str
    description: str
    location: str
    url: str | None = None


def uid(incident: Incident) -> str:
    """The event's id in every calendar. It stays the same when the review is moved."""
    return f"review-{incident.name.lower()}-{incident.workspace_id.lower()}@scribe"


def calendar_file(incident: Incident, review: Review, words: Invitation) -> str:
    """The file's text with CRLF line ends. A later plan or a cancellation replaces the event of an earlier file."""
    # Loading icalendar takes about 70 ms, so only an invitation loads it.
    from icalendar import Alarm, Calendar, Event, Timezone  # noqa: PLC0415 - see above

    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if review.cancelled else "PUBLISH")
    start = _start(review)
    if isinstance(start.tzinfo, ZoneInfo):
        first, last = date(start.year - 1, 1, 1), date(start.year + 2, 1, 1)
        calendar.add_component(Timezone.from_tzinfo(start.tzinfo, first_date=first, last_date=last))

    event = Event()
    event.add("uid", uid(incident))
    event.add("sequence", review.sequence)
    event.add("dtstamp", review.planned_at.replace(microsecond=0))
    event.add("dtstart", start)
    event.add("dtend", review.ends_at.astimezone(start.tzinfo))
    event.add("summary", _one_line(words.summary))
    event.add("description", visible(words.description))
    event.add("location", _one_line(words.location))
    if words.url:
        event.add("url", words.url)
    event.add("status", "CANCELLED" if review.cancelled else "CONFIRMED")
    if not review.cancelled:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", _one_line(words.summary))
        alarm.add("trigger", _ALARM)
        event.add_component(alarm)
    calendar.add_component(event)
    text: bytes = calendar.to_ical()
    return text.decode()


def _start(review: Review) -> datetime:
    """The start in the review's zone; in UTC if the zone has no IANA name, or if its clocks change on that day.

    For a day on which clocks go forward, icalendar describes the zone an hour late: it writes the onset with the new
    offset, where RFC 5545 (section 3.6.5) wants the old one.
    """
    start = local_start(review)
    midnight = start.replace(hour=0, minute=0)
    clocks_change = midnight.utcoffset() != (midnight + timedelta(days=1)).utcoffset()
    named = isinstance(start.tzinfo, ZoneInfo) and "/" in start.tzinfo.key
    return start if named and not clocks_change else review.starts_at


def _one_line(text: str) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"
