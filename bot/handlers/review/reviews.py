"""The review: plan the meeting about a postmortem, show it, move it, cancel it."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.review.appointment import Appointment
from bot.domain.review.meeting import (
    Plan,
    change_invitees,
    local_instant,
    parse_plan,
    propose_invitees,
    reminds_at,
    span,
    zone_from_key,
    zone_key,
)
from bot.domain.time.format import zone_label
from bot.errors import UsageError
from bot.handlers.lookup import get_named
from bot.handlers.request import Reply, Request, first_word
from storage import action_items, incidents, members, outbox, reviews, timeline
from storage.values import Incident, Invitee, Review

DURATION_S = 60 * 60
"""How long a review takes if nobody says so."""
ANNOUNCEMENT, REMINDER = "review_news", "review_reminder"
"""Jobs: tell the channel of the plan that stands; remind of it."""


def review(connection: Connection, request: Request) -> Reply:
    """`review WHEN [for 45m] [with @who]` plans or moves it, `review cancel` cancels it, bare shows it."""
    incident, rest = get_named(connection, request)
    word, after = first_word(rest)
    if not word:
        return _show(connection, request, incident)
    if word == "cancel":
        incident, after = get_named(connection, replace(request, words=after)) if after else (incident, "")
        return _cancel(connection, request, incident, after)
    return _plan(connection, request, incident, rest)


def _show(connection: Connection, request: Request, incident: Incident) -> Reply:
    planned = reviews.planned(connection, incident.id)
    if planned is None:
        example = f"{request.now.astimezone(request.zone).date() + timedelta(days=7)} 10:00"
        return Reply(text=slack("review_none", incident=incident, request=request, example=example))
    over = planned.ends_at <= request.received_at
    text = slack("review", incident=incident, review=planned, span=span(planned), over=over, request=request)
    return Reply(text=text)


def _plan(connection: Connection, request: Request, incident: Incident, words: str) -> Reply:
    plan = parse_plan(words, people=request.people, now=request.now, zone=request.zone)
    _lock(connection, incident)
    before = reviews.newest(connection, incident.id)
    standing = None if before is None or before.cancelled or before.ends_at <= request.received_at else before
    made = _made(connection, request, incident, plan, standing)
    made = replace(made, sequence=0 if before is None else before.sequence + 1)
    _refuse_same(made, standing)
    reviews.add(connection, incident.id, made)
    _tell(connection, request, incident, made)
    return _receipt(request, incident, made, plan.appointment, moved=standing)


def _receipt(
    request: Request, incident: Incident, made: Review, appointment: Appointment | None, *, moved: Review | None
) -> Reply:
    assumed = appointment is not None and appointment.zone_assumed and not request.zone_known
    remind_at = reminds_at(made)
    text = slack(
        "review_planned",
        incident=incident,
        review=made,
        span=span(made),
        was=span(moved) if moved and moved.starts_at != made.starts_at else None,
        reminder=local_instant(remind_at.astimezone(zone_from_key(made.timezone))) if remind_at else None,
        assumed=zone_label(request.zone) if assumed else None,
        request=request,
    )
    return Reply(text=text, public=True)


def _made(connection: Connection, request: Request, incident: Incident, plan: Plan, standing: Review | None) -> Review:
    """The plan, with what it leaves unsaid from the one that stands. Raises UsageError where neither says when."""
    at, zone = _when(request, plan, standing)
    people = standing.people if standing else _proposed(connection, request, incident)
    _refuse_bots(connection, incident, plan)
    people = change_invitees(people, add=plan.invited, leave_out=plan.left_out)
    if not people:
        raise UsageError("That leaves nobody to invite. Leave out fewer, or add somebody: with @alice")
    return Review(
        sequence=0,
        starts_at=at,
        duration_s=plan.duration_s or (standing.duration_s if standing else DURATION_S),
        timezone=zone,
        cancelled=False,
        people=people,
        planned_at=request.received_at,
        planned_by_id=request.user_id,
    )


def _refuse_bots(connection: Connection, incident: Incident, plan: Plan) -> None:
    bots = members.bot_ids(connection, incident.workspace_id)
    for person in plan.invited:
        if person.user_id in bots:
            raise UsageError(f"@{person.name} is a bot, and comes to no meeting. Leave it out: with @alice @bob")


def _when(request: Request, plan: Plan, standing: Review | None) -> tuple[datetime, str]:
    """The start and its zone's text: those typed, else those that stand, as long as they lie ahead."""
    if plan.appointment:
        return plan.appointment.at, zone_key(plan.appointment.zone)
    if standing and standing.starts_at > request.received_at:
        return standing.starts_at, standing.timezone
    raise UsageError(f"When? Try: {request.slash('postmortem')} review friday 10:00 with @alice")


def _proposed(connection: Connection, request: Request, incident: Incident) -> tuple[Invitee, ...]:
    """Everybody named in the timeline; and who plans it, since they will be there."""
    people = propose_invitees(
        incident,
        timeline.of_incident(connection, incident.id),
        action_items.of_incident(connection, incident.id),
        names=members.names(connection, incident.workspace_id),
        bots=members.bot_ids(connection, incident.workspace_id),
    )
    return change_invitees(people, add=(Invitee(user_id=request.user_id, name=request.user_name),), leave_out=())


def _refuse_same(made: Review, standing: Review | None) -> None:
    """Said again, it is news to nobody: no second invitation."""
    if standing is None:
        return
    again = replace(standing, sequence=made.sequence, planned_at=made.planned_at, planned_by_id=made.planned_by_id)
    if again == made:
        raise UsageError(f"It is planned just so already: {span(made)}. Nobody was told again.")


def _cancel(connection: Connection, request: Request, incident: Incident, rest: str) -> Reply:
    command = f"{request.slash('postmortem')} review"
    if rest.strip():
        raise UsageError(f"Nothing goes after cancel but the incident: {command} cancel {incident.name}")
    _lock(connection, incident)
    standing = reviews.planned(connection, incident.id)
    if standing is None:
        raise UsageError(f"{incident.name} has no review to cancel. To plan one: {command} friday 10:00")
    if standing.ends_at <= request.received_at:
        raise UsageError(f"That review is over: {span(standing)}. To plan another: {command} friday 10:00")
    cancelled = replace(
        standing,
        sequence=standing.sequence + 1,
        cancelled=True,
        planned_at=request.received_at,
        planned_by_id=request.user_id,
    )
    reviews.add(connection, incident.id, cancelled)
    _tell(connection, request, incident, cancelled)
    return Reply(text=slack("review_cancelled", incident=incident, span=span(standing)), public=True)


def _lock(connection: Connection, incident: Incident) -> None:
    """Let another plan for the same incident wait: it must see this one."""
    incidents.numbered(connection, incident.workspace_id, incident.number, lock=True)


def _tell(connection: Connection, request: Request, incident: Incident, made: Review) -> None:
    """Put the news into the outbox, and the reminder of it."""
    content = {"incident_id": incident.id, "sequence": made.sequence, "prefix": request.settings.prefix}
    # Elsewhere the address would reach another channel than the incident's.
    reply_url = request.reply_url if request.channel_id == incident.channel_id else None
    outbox.add(
        connection,
        incident.workspace_id,
        lane=incident.channel_id,
        action=ANNOUNCEMENT,
        content={**content, "reply_url": reply_url},
        at=request.received_at,
    )
    remind_at = None if made.cancelled else reminds_at(made)
    if remind_at is not None:
        outbox.add(
            connection,
            incident.workspace_id,
            lane=f"review:{incident.id}:{made.sequence}",
            action=REMINDER,
            content=content,
            at=request.received_at,
            due_at=remind_at,
        )
