"""Redaction: outside its channel, a private incident's words are hidden even from its lead and its items' owners.

A lead or an owner need not be a member of the channel. A user who has recorded an entry there was one, and sees the
words.
"""

from dataclasses import replace

from sqlalchemy import Connection

from storage import incidents
from storage.values import ActionItem, Incident

TITLE = "a private incident"
WORDS = "an action item of a private incident; its words stand in its channel"


def is_redacted(connection: Connection, incident: Incident, *, user_id: str, channel_id: str) -> bool:
    """Whether a message to the user in that channel must not contain the incident's words."""
    return not incident.seen_from(channel_id) and not incidents.is_visible_to(connection, incident.id, user_id)


def redact(incident: Incident) -> Incident:
    """The incident without its title."""
    return replace(incident, title=TITLE)


def redact_words(item: ActionItem) -> ActionItem:
    """The item without its text; the other fields stay, so that it can still be revised."""
    return replace(item, text=WORDS, done_when=None)


def redact_item(item: ActionItem) -> ActionItem:
    """The item without any text that people wrote about it, for display."""
    return replace(redact_words(item), ticket=None, reason=None)
