"""Who is known to look into an incident's channel: whoever has put something on record there.

Slack tells an app who a private channel's members are for a scope that Scribe does without. Being named there, as
owner or lead, makes nobody a member.
"""

from sqlalchemy import ColumnElement, Connection, String, Table, bindparam, exists, or_, select

from storage.models import action_items, incident_changes, incidents, timeline_entries

_USER = bindparam("user_id", type_=String())


def _by_them(table: Table, *columns: str) -> ColumnElement[bool]:
    """Whether a row of the incident's names the person in one of the columns."""
    rows = table.alias()
    named = or_(*(rows.c[column] == _USER for column in columns))
    return exists().where(rows.c.incident_id == incidents.c.id, named).correlate(incidents)


TOLD = or_(
    incidents.c.private.is_(False),
    _by_them(timeline_entries, "recorded_by_id", "author_id"),
    _by_them(action_items, "recorded_by_id"),
    _by_them(incident_changes, "changed_by"),
)
"""Incidents that the person `user_id` may be told of outside of their channels."""
_IS_TOLD = select(TOLD).select_from(incidents).where(incidents.c.id == bindparam("incident_id"))


def is_told(connection: Connection, incident_id: int, user_id: str) -> bool:
    """Whether the person may be told of the incident outside of its channel."""
    facts = {"incident_id": incident_id, "user_id": user_id}
    return bool(connection.execute(_IS_TOLD, facts).scalar_one())
