"""What a private incident's owner or lead is told outside of its channel: that there is something, without its words.

Being an owner or the lead makes nobody a member of the channel; who has put something on record there is one.
"""

from dataclasses import replace

from sqlalchemy import Connection

from storage import incidents
from storage.values import ActionItem, Incident

TITLE = "a private incident"
WORDS = "an action item of a private incident; its words stand in its channel"


def is_redacted(connection: Connection, incident: Incident, *, user_id: str, channel_id: str) -> bool:
    """Whether what is said to the person in that channel must do without the incident's words."""
    return not incident.seen_from(channel_id) and not incidents.is_visible_to(connection, incident.id, user_id)


def redact(incident: Incident) -> Incident:
    """The incident without its title."""
    return replace(incident, title=TITLE)


def redact_words(item: ActionItem) -> ActionItem:
    """The item without the words it was recorded with; its state is whole, so it can be revised."""
    return replace(item, text=WORDS, done_when=None)


def redact_item(item: ActionItem) -> ActionItem:
    """The item without anything that people wrote about it, to be shown."""
    return replace(redact_words(item), ticket=None, reason=None)
