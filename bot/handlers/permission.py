"""Check the policy: who may do what on an incident."""

from sqlalchemy import Connection

from bot.domain.incident.policy import ANYONE, LEAD, RESPONDERS
from bot.errors import UsageError
from bot.handlers.request import Request
from bot.vocabulary import NOTE
from storage import timeline
from storage.values import Incident

TERMINAL = "cli"
"""The source of requests from a terminal. Its user has direct access to the database, so no policy applies."""


def require_permission(connection: Connection, request: Request, incident: Incident, action: str) -> None:
    """Raise UsageError unless the user may do `action`, a key of the policy; the error says who may.

    On an incident without a lead, responders may do what the policy leaves to the lead, and anyone may take the lead.
    """
    allowed = request.settings.policy[action]
    if allowed == LEAD and incident.lead is None:
        allowed = RESPONDERS
    if allowed == ANYONE or request.source == TERMINAL or (action == "lead" and incident.lead is None):
        return
    if _is_lead(request, incident):
        return
    if allowed == LEAD:
        raise UsageError(f"On {incident.name} that is for its lead, {incident.lead}, to do. Ask them.")
    if incident.declared_by == request.user_name or timeline.is_participant(connection, incident.id, request.user_id):
        return
    ask = f" Or ask its lead, {incident.lead}." if incident.lead else ""
    raise UsageError(
        f"On {incident.name} that is for its responders to do. "
        f"If you are one, put a word on its timeline and try again: {request.slash(NOTE)} I am on it.{ask}"
    )


def _is_lead(request: Request, incident: Incident) -> bool:
    if incident.lead_id is not None:
        return incident.lead_id == request.user_id
    return incident.lead is not None and incident.lead == request.user_name
