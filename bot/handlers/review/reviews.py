"""The review: plan, move, show and cancel the meeting about a postmortem."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.items.cadence import Cadence
from bot.domain.review.meeting import (
    Plan,
    change_invitees,
    parse_plan,
    propose_invitees,
    reminds_at,
    span,
    zone_from_key,
    zone_key,
)
from bot.domain.time.format import clock_text, zone_label
from bot.errors import UsageError
from bot.handlers.incident.incidents import commands_about, get_named
from bot.handlers.permission import require_permission
from bot.handlers.request import Reply, Request, first_word
from storage import incidents, members, outbox, reviews, timeline
from storage.items import action_items
from storage.values import Incident, Invitee, Member, Review

DURATION_S = 60 * 60
"""Seconds that a review takes unless the words say otherwise."""
ANNOUNCEMENT, REMINDER = "review_news", "review_reminder"
"""The outbox actions: announce a plan to the channel; remind of it."""


def review(connection: Connection, request: Request) -> Reply:
    """`review WHEN [for 45m] [with @who]` plans or moves it, `review cancel` cancels it, `review` shows it."""
    incident, rest = get_named(connection, request)
    word, after = first_word(rest)
    if not word:
        return _show(connection, request, incident)
    require_permission(connection, request, incident, "review")
    if word == "cancel":
        incident, after = get_named(connection, replace(request, words=after)) if after else (incident, "")
        require_permission(connection, request, incident, "review")
        return _cancel(connection, request, incident, after)
    return _plan(connection, request, incident, rest)


def _show(connection: Connection, request: Request, incident: Incident) -> Reply:
    command = commands_about(connection, request, incident)
    planned = reviews.planned(connection, incident.id)
    if planned is None:
        example = f"{request.now.astimezone(request.zone).date() + timedelta(days=7)} 10:00"
        return Reply(text=slack("review_none", incident=incident, command=command, example=example))
    over = planned.ends_at <= request.received_at
    text = slack("review", incident=incident, review=planned, span=span(planned), over=over, command=command)
    return Reply(text=text)


def _plan(connection: Connection, request: Request, incident: Incident, words: str) -> Reply:
    plan = parse_plan(words, people=request.people, now=request.now, zone=request.zone)
    _lock(connection, incident)
    newest = reviews.newest(connection, incident.id)
    current = None if newest is None or newest.cancelled or newest.ends_at <= request.received_at else newest
    planned = replace(
        _apply(connection, request, incident, plan, current), sequence=0 if newest is None else newest.sequence + 1
    )
    if current is not None:
        unchanged = replace(
            current, sequence=planned.sequence, planned_at=planned.planned_at, planned_by_id=planned.planned_by_id
        )
        if unchanged == planned:
            raise UsageError(f"It is planned just so already: {span(planned)}. Nobody was told again.")
    reviews.add(connection, incident.id, planned)
    reminded = _enqueue(connection, request, incident, planned)
    assumed = plan.appointment is not None and plan.appointment.zone_assumed and not request.zone_known
    text = slack(
        "review_planned",
        incident=incident,
        review=planned,
        span=span(planned),
        was=span(current) if current and current.starts_at != planned.starts_at else None,
        reminder=clock_text(request.settings.cadence.opens) if reminded else None,
        assumed=zone_label(request.zone) if assumed else None,
        request=request,
    )
    return Reply(text=text, public=True)


def _apply(connection: Connection, request: Request, incident: Incident, plan: Plan, current: Review | None) -> Review:
    """The review as planned; what the plan omits is taken from the current one.

    Raises UsageError without a time, without anybody to invite, and for an invited bot.
    """
    if plan.appointment:
        starts_at, timezone = plan.appointment.at, zone_key(plan.appointment.zone)
    elif current and current.starts_at > request.received_at:
        starts_at, timezone = current.starts_at, current.timezone
    else:
        raise UsageError(f"When? Try: {request.slash('postmortem')} review friday 10:00 with @alice")
    people = current.people if current else _default_invitees(connection, request, incident)
    bots = members.bot_ids(connection, incident.workspace_id)
    for person in plan.invited:
        if person.user_id in bots:
            raise UsageError(f"@{person.name} is a bot, and comes to no meeting. Leave it out: with @alice @bob")
    people = change_invitees(people, add=plan.invited, leave_out=plan.left_out)
    if not people:
        raise UsageError("That leaves nobody to invite. Leave out fewer, or add somebody: with @alice")
    return Review(
        sequence=0,
        starts_at=starts_at,
        duration_s=plan.duration_s or (current.duration_s if current else DURATION_S),
        timezone=timezone,
        cancelled=False,
        people=people,
        planned_at=request.received_at,
        planned_by_id=request.user_id,
    )


def _default_invitees(connection: Connection, request: Request, incident: Incident) -> tuple[Invitee, ...]:
    """The people of the timeline and the owners of action items, and the user who plans the review."""
    people = propose_invitees(
        incident,
        timeline.of_incident(connection, incident.id),
        action_items.of_incident(connection, incident.id),
        names=members.names(connection, incident.workspace_id),
        bots=members.bot_ids(connection, incident.workspace_id),
    )
    return change_invitees(people, add=(Invitee(user_id=request.user_id, name=request.user_name),), leave_out=())


def _cancel(connection: Connection, request: Request, incident: Incident, rest: str) -> Reply:
    if rest.strip():
        typed = f"{request.slash('postmortem')} review cancel {incident.name}"
        raise UsageError(f"Nothing goes after cancel but the incident: {typed}")
    another = commands_about(connection, request, incident)("postmortem review", "friday 10:00")
    _lock(connection, incident)
    planned = reviews.planned(connection, incident.id)
    if planned is None:
        raise UsageError(f"{incident.name} has no review to cancel. To plan one: {another}")
    if planned.ends_at <= request.received_at:
        raise UsageError(f"That review is over: {span(planned)}. To plan another: {another}")
    cancelled = replace(
        planned,
        sequence=planned.sequence + 1,
        cancelled=True,
        planned_at=request.received_at,
        planned_by_id=request.user_id,
    )
    reviews.add(connection, incident.id, cancelled)
    _enqueue(connection, request, incident, cancelled)
    return Reply(text=slack("review_cancelled", incident=incident, span=span(planned)), public=True)


def _lock(connection: Connection, incident: Incident) -> None:
    """Lock the incident, so that simultaneous plans for it are made one after the other."""
    incidents.numbered(connection, incident.workspace_id, incident.number, lock=True)


def _enqueue(connection: Connection, request: Request, incident: Incident, review: Review) -> bool:
    """Put the announcement and each person's reminder into the outbox; whether anybody will be reminded."""
    content = {"incident_id": incident.id, "sequence": review.sequence, "prefix": request.settings.prefix}
    # The address leads to the channel of the request, which may not be the incident's.
    reply_url = request.reply_url if request.channel_id == incident.channel_id else None
    outbox.add(
        connection,
        incident.workspace_id,
        lane=incident.channel_id,
        action=ANNOUNCEMENT,
        content={**content, "reply_url": reply_url, "asked_by": request.user_id},
        at=request.received_at,
    )
    return not review.cancelled and remind_each(
        connection, incident, review, content, cadence=request.settings.cadence, at=request.received_at
    )


def remind_each(
    connection: Connection,
    incident: Incident,
    review: Review,
    content: dict[str, Any],
    *,
    cadence: Cadence,
    at: datetime,
) -> bool:
    """Have each person who is invited reminded in their own hours; whether there is anybody to be.

    `content` is what the jobs have in common.
    """
    people = [person.user_id for person in review.people]
    known = members.find_many(connection, incident.workspace_id, people)
    due = {
        user_id: remind_at
        for user_id in people
        if (remind_at := reminds_at(review, zone_of(known.get(user_id), review, cadence), cadence))
    }
    for user_id, due_at in due.items():
        outbox.add(
            connection,
            incident.workspace_id,
            lane=f"review:{incident.id}:{review.sequence}:{user_id}",
            action=REMINDER,
            content={**content, "user_id": user_id},
            at=at,
            due_at=max(due_at, at),
        )
    return bool(due)


def zone_of(member: Member | None, review: Review, cadence: Cadence) -> ZoneInfo:
    """The person's zone; where it is not known the one that the review was planned in."""
    planned_in = zone_from_key(review.timezone)
    if member and member.timezone:
        return ZoneInfo(member.timezone)
    return planned_in if isinstance(planned_in, ZoneInfo) else cadence.zone
