"""Redaction: outside its channel, a private incident's words are hidden even from its lead and its items' owners.

A lead or an owner need not be a member of the channel. A user who has recorded an entry there was one, and sees the
words. Who is no member of the workspace sees outside of the channel the words of their own items alone.
"""

from dataclasses import replace

from sqlalchemy import Connection

from bot.domain.incident.policy import visible_to
from storage import incidents
from storage.values import MEMBER, ActionItem, Incident

TITLE = "a private incident"
WORDS = "an action item of a private incident; its words stand in its channel"
OTHERS_TITLE = "an incident of another channel"
OTHERS_WORDS = "an action item of another channel; its words stand there"


def is_redacted(connection: Connection, incident: Incident, *, user_id: str, standing: str, channel_id: str) -> bool:
    """Whether a message to the user alone, in that channel or direct message, must not contain the incident's words."""
    if visible_to(standing, incident, channel_id):
        return False
    took_part = standing == MEMBER and incidents.took_part(connection, incident.id, user_id)
    return not visible_to(standing, incident, channel_id, took_part=took_part)


def redact(incident: Incident) -> Incident:
    """The incident without its title."""
    return replace(incident, title=TITLE if incident.private else OTHERS_TITLE)


def shown_alone(
    connection: Connection, incident: Incident, item: ActionItem | None, *, user_id: str, standing: str
) -> tuple[Incident, ActionItem | None]:
    """The incident and its item as a direct message shows them to the user, or the incident's channel to all."""
    if not is_redacted(connection, incident, user_id=user_id, standing=standing, channel_id=user_id):
        return incident, item
    own = item is not None and item.owner_id == user_id and not incident.private
    return redact(incident), item if own or item is None else redact_item(item, incident)


def redact_words(item: ActionItem, incident: Incident | None = None) -> ActionItem:
    """The item without its text; the other fields stay, so that it can still be revised."""
    words = WORDS if incident is None or incident.private else OTHERS_WORDS
    return replace(item, text=words, done_when=None)


def redact_item(item: ActionItem, incident: Incident | None = None) -> ActionItem:
    """The item without any text that people wrote about it, for display. Without an incident it is of a private one."""
    return replace(redact_words(item, incident), ticket=None, reason=None, worked_why=None)
