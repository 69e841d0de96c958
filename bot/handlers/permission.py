"""Check the policy: who may do what on an incident, and what is for the workspace's members alone."""

from sqlalchemy import Connection

from bot.domain.incident.policy import ANYONE, LEAD, OUTSIDERS, RESPONDERS
from bot.errors import UsageError
from bot.handlers.request import Request
from bot.vocabulary import NOTE, TIMELINE
from storage import timeline
from storage.values import GUEST, ONE_CHANNEL_GUEST, OUTSIDE, Incident, TimelineEntry

TERMINAL = "cli"
"""The source of requests from a terminal. Its user has direct access to the database, so no policy applies."""
_KNOWN_AS = {
    GUEST: "and you are a guest here",
    ONE_CHANNEL_GUEST: "and you are a guest here",
    OUTSIDE: "and you are of another organisation",
}
_NOT_KNOWN = "and Slack has not told Scribe yet that you are one (scribe doctor tells its operator what is missing)"


def require_permission(connection: Connection, request: Request, incident: Incident, action: str) -> None:
    """Raise UsageError unless the user may do `action`, a key of the policy; the error says who may.

    On an incident without a lead, or led by a role that is no Slack user, responders may do what the policy leaves to
    the lead, and any member may take the lead.
    """
    allowed = request.settings.policy[action]
    if allowed == OUTSIDERS or request.source == TERMINAL:
        return
    if not request.is_member:
        raise for_members(request, "That")
    if allowed == LEAD and incident.lead_id is None:
        allowed = RESPONDERS
    if allowed == ANYONE or (action == "lead" and incident.lead_id is None):
        return
    if incident.lead_id == request.user_id:
        return
    if allowed == LEAD:
        raise UsageError(f"On {incident.name} that is for its lead, {incident.lead}, to do. Ask them.")
    if _declared(request, incident) or timeline.is_participant(connection, incident.id, request.user_id):
        return
    ask = f" Or ask its lead, {incident.lead}." if incident.lead else ""
    raise UsageError(
        f"On {incident.name} that is for its responders to do. "
        f"If you are one, put a word on its timeline and try again: {request.slash(NOTE)} I am on it.{ask}"
    )


def require_author(
    connection: Connection, request: Request, incident: Incident, entry: TimelineEntry, action: str
) -> None:
    """Raise UsageError unless the entry is the user's own, recorded or written, or they may do `action` to others'."""
    if request.user_id not in {entry.recorded_by_id, entry.author_id}:
        require_permission(connection, request, incident, action)


def for_members(request: Request, what: str) -> UsageError:
    """The error that `what` is for members; it says what the user may do instead, and names no incident."""
    where = "an incident's channel" if request.is_direct else "this channel"
    return UsageError(
        f"{what} is for members of this workspace, {_KNOWN_AS.get(request.standing, _NOT_KNOWN)}. "
        f"In {where} you can add to the incident's record ({request.slash(NOTE)} what you saw) and read it "
        f"({request.slash(TIMELINE.name)})."
    )


def _declared(request: Request, incident: Incident) -> bool:
    if incident.declared_by_id is not None:
        return incident.declared_by_id == request.user_id
    # Old incidents hold the name alone.
    return incident.declared_by == request.user_name
