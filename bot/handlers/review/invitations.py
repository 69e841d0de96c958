"""What a channel is told of a review: the invitation with its calendar file, the cancellation, the reminder."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.documents.calendar import Invitation, calendar_file
from bot.documents.rendering import slack, terminal
from bot.domain.postmortem.questions import Question
from bot.domain.review.meeting import span
from bot.handlers.postmortem.drafts import load_document
from storage import incidents, postmortems, publications, reviews
from storage.values import Incident, Review

AGENDA = ("started", "detected", "mitigated", "impact", "cause", "measures", "owner", "due", "well", "badly")
"""The facts a review should know; the first few that are open are asked about in the calendar."""
ASKED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A message of Slack text for a channel: `comment` goes with the file, `alone` where no file may be sent."""

    channel_id: str
    comment: str
    alone: str
    filename: str
    title: str
    file: str


def announcement(connection: Connection, incident_id: int, sequence: int, *, prefix: str) -> Announcement | None:
    """What to say of the plan of that sequence; None where a later one stands and will be told instead."""
    plans = reviews.of_incident(connection, incident_id)
    standing = plans[-1]
    if standing.sequence != sequence:
        return None
    incident = incidents.by_id(connection, incident_id)
    before = _before(plans)
    facts: dict[str, Any] = {
        "incident": incident,
        "review": standing,
        "span": span(standing),
        "was": span(before) if before and before.starts_at != standing.starts_at else None,
        "changed": before is not None,
        "gone": _gone(before, standing),
        "read": _read(connection, incident, prefix),
    }
    template = "review_off" if standing.cancelled else "review_invitation"
    return Announcement(
        channel_id=incident.channel_id,
        comment=slack(template, **facts, file=True),
        alone=slack(template, **facts, file=False),
        filename=f"{incident.name}-review.ics",
        title=f"Review of {incident.name}" + (", cancelled" if standing.cancelled else ""),
        file=calendar_file(incident, standing, _words(connection, incident, standing, prefix)),
    )


def _before(plans: tuple[Review, ...]) -> Review | None:
    """The plan that the newest takes the place of, unless that was cancelled or held."""
    *_, before, standing = (None, *plans)
    if before is None or before.cancelled or before.ends_at <= standing.planned_at:
        return None
    return before


def _gone(before: Review | None, standing: Review) -> tuple[str, ...]:
    """The names of those who were invited and no longer are."""
    invited = {person.user_id for person in standing.people}
    return tuple(person.name for person in before.people if person.user_id not in invited) if before else ()


def _read(connection: Connection, incident: Incident, prefix: str) -> str:
    """The command that shows what to read before, or makes it."""
    subcommand = "show" if postmortems.newest(connection, incident.id) else "draft"
    return f"/{prefix}postmortem {subcommand} {incident.name}"


def _words(connection: Connection, incident: Incident, review: Review, prefix: str) -> Invitation:
    link = next(
        (each.location for each in publications.of_incident(connection, incident.id) if _is_link(each.location)), None
    )
    where = "the incident's channel" if incident.private else f"#{incident.channel_name}"
    return Invitation(
        summary=f"Review of {incident.name}: {incident.title}",
        description=terminal(
            "invitation",
            incident=incident,
            review=review,
            where=where,
            link=link,
            questions=() if review.cancelled else _open(connection, incident, prefix),
            read=_read(connection, incident, prefix),
        ),
        location=f"Slack, {where}",
        url=link,
    )


def _is_link(location: str) -> bool:
    return location.startswith(("https://", "http://")) and location.isprintable() and " " not in location


def _open(connection: Connection, incident: Incident, prefix: str) -> tuple[Question, ...]:
    _, document = load_document(connection, incident.id, prefix=prefix)
    return tuple(document.questions[fact] for fact in AGENDA if fact in document.questions)[:ASKED]


def reminder_text(
    connection: Connection, incident_id: int, sequence: int, *, at: datetime, prefix: str
) -> tuple[str, str] | None:
    """(channel id, text) of the reminder; None where that plan no longer stands, or the meeting has begun."""
    standing = reviews.planned(connection, incident_id)
    if standing is None or standing.sequence != sequence or standing.starts_at <= at:
        return None
    incident = incidents.by_id(connection, incident_id)
    read = _read(connection, incident, prefix)
    text = slack("review_reminder", incident=incident, review=standing, span=span(standing), read=read)
    return incident.channel_id, text
