"""The messages about a review: the invitation with its calendar file, the cancellation, the reminder."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.documents.calendar import Invitation, calendar_file
from bot.documents.rendering import slack, terminal
from bot.domain.items.cadence import Cadence
from bot.domain.postmortem.questions import Question
from bot.domain.review.meeting import span
from bot.handlers.items.redact import shown_alone
from bot.handlers.postmortem.drafts import load_document
from bot.handlers.review.reviews import zone_of
from storage import incidents, members, postmortems, publications, reviews
from storage.values import MEMBER, OUTSIDE, Incident, Review

AGENDA = (
    "started", "detected", "mitigated", "mitigated_by", "impact", "cause", "measures", "owner", "due", "well", "badly",
)  # fmt: skip
"""The facts that a review should settle; the calendar entry lists the first open questions about them."""
ASKED = 3
"""Questions in the calendar entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A message for a channel, in Slack text: `comment` goes with the file, `alone` where the bot may not upload it."""

    channel_id: str
    comment: str
    alone: str
    filename: str
    title: str
    file: str


def announcement(connection: Connection, incident_id: int, sequence: int, *, prefix: str) -> Announcement | None:
    """The message about the plan with that sequence number; None where a later plan has a message of its own."""
    plans = reviews.of_incident(connection, incident_id)
    plan = plans[-1]
    if plan.sequence != sequence:
        return None
    incident = incidents.by_id(connection, incident_id)
    before = _replaced_plan(plans)
    invited = {person.user_id for person in plan.people}
    facts: dict[str, Any] = {
        "incident": incident,
        "review": plan,
        "span": span(plan),
        "was": span(before) if before and before.starts_at != plan.starts_at else None,
        "changed": before is not None,
        "gone": tuple(person.name for person in before.people if person.user_id not in invited) if before else (),
        "read": _reading_command(connection, incident, prefix),
    }
    template = "review_off" if plan.cancelled else "review_invitation"
    return Announcement(
        channel_id=incident.channel_id,
        comment=slack(template, **facts, file=True),
        alone=slack(template, **facts, file=False),
        filename=f"{incident.name}-review.ics",
        title=f"Review of {incident.name}" + (", cancelled" if plan.cancelled else ""),
        file=calendar_file(incident, plan, _invitation(connection, incident, plan, prefix)),
    )


def _replaced_plan(plans: tuple[Review, ...]) -> Review | None:
    """The plan before the newest, unless that was cancelled or its meeting is over."""
    *_, before, plan = (None, *plans)
    if before is None or before.cancelled or before.ends_at <= plan.planned_at:
        return None
    return before


def _reading_command(connection: Connection, incident: Incident, prefix: str) -> str:
    """The command that shows the postmortem, or drafts it where there is none."""
    subcommand = "show" if postmortems.newest(connection, incident.id) else "draft"
    return f"/{prefix}postmortem {subcommand} {incident.name}"


def _invitation(connection: Connection, incident: Incident, review: Review, prefix: str) -> Invitation:
    locations = (each.location for each in publications.of_incident(connection, incident.id))
    link = next(filter(_is_link, locations), None)
    questions: tuple[Question, ...] = ()
    if not review.cancelled:
        _, document = load_document(connection, incident.id, prefix=prefix)
        questions = tuple(document.questions[fact] for fact in AGENDA if fact in document.questions)[:ASKED]
    where = "the incident's channel" if incident.private else f"#{incident.channel_name}"
    return Invitation(
        summary=f"Review of {incident.name}: {incident.title}",
        description=terminal(
            "invitation",
            incident=incident,
            review=review,
            where=where,
            link=link,
            questions=questions,
            read=_reading_command(connection, incident, prefix),
        ),
        location=f"Slack, {where}",
        url=link,
    )


def _is_link(location: str) -> bool:
    return location.startswith(("https://", "http://")) and location.isprintable() and " " not in location


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReminder:
    """One person's reminder of a review, in Slack text; with `due_at` it is for later, when their day begins."""

    text: str
    due_at: datetime | None


def reminder(
    connection: Connection, content: Mapping[str, Any], *, standing: str, at: datetime, cadence: Cadence
) -> ReviewReminder | None:
    """The reminder of the job with that content, for a person of that standing.

    None if the plan was replaced or cancelled, the meeting has begun, or the person cannot come any more.
    """
    user_id: str = content["user_id"]
    plan = reviews.planned(connection, content["incident_id"])
    if plan is None or plan.sequence != content["sequence"] or plan.starts_at <= at:
        return None
    incident = incidents.by_id(connection, content["incident_id"])
    member = members.find(connection, incident.workspace_id, user_id)
    if member is not None and member.barred and member.barred != OUTSIDE:
        return None
    zone = zone_of(member, plan, cadence)
    opening = cadence.next_opening(at, zone)
    late = not cadence.is_working(at, zone) and opening < plan.starts_at
    shown, _ = shown_alone(connection, incident, None, user_id=user_id, standing=standing)
    named = standing == MEMBER
    text = slack(
        "review_reminder",
        incident=shown,
        named=named,
        review=plan,
        span=span(plan, zone),
        read=_reading_command(connection, incident, content["prefix"]) if named else None,
    )
    return ReviewReminder(text=text, due_at=opening if late else None)
