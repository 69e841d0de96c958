"""Whether somebody may do what they ask for."""

from sqlalchemy import Connection

from bot.domain.incident.policy import ANYONE, LEAD, RESPONDERS
from bot.errors import UsageError
from bot.handlers.request import Request
from bot.vocabulary import NOTE
from storage import timeline
from storage.values import Incident

TERMINAL = "cli"
"""The surface of whoever has the store itself in hand; no policy keeps them from anything."""


def require_permission(connection: Connection, request: Request, incident: Incident, deed: str) -> None:
    """Let it pass, or raise UsageError that says who may, and how to become one of them.

    Where an incident has no lead, what only the lead may do is left to its responders, and anyone may take the lead.
    """
    circle = request.settings.policy[deed]
    if circle == LEAD and incident.lead is None:
        circle = RESPONDERS
    if circle == ANYONE or request.source == TERMINAL or (deed == "lead" and incident.lead is None):
        return
    if _leads(request, incident):
        return
    if circle == LEAD:
        raise UsageError(f"On {incident.name} that is for its lead, {incident.lead}, to do. Ask them.")
    if incident.declared_by == request.user_name or timeline.is_participant(connection, incident.id, request.user_id):
        return
    ask = f" Or ask its lead, {incident.lead}." if incident.lead else ""
    raise UsageError(
        f"On {incident.name} that is for its responders to do. "
        f"If you are one, put a word on its timeline and try again: {request.slash(NOTE)} I am on it.{ask}"
    )


def _leads(request: Request, incident: Incident) -> bool:
    if incident.lead_id is not None:
        return incident.lead_id == request.user_id
    return incident.lead is not None and incident.lead == request.user_name
