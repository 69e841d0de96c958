"""Channels of incidents' own: asked for, made, moved to, archived. A row without a channel is of one being made."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, update

from storage.dialects import upsert
from storage.models import incident_channels, incidents


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnChannel:
    """An incident's own channel: `name` is its name, `channel_id` None while it is being made.

    The incident goes on there since `moved_at`, and was in `old_channel_id` before.
    """

    workspace_id: str
    old_channel_id: str
    channel_id: str | None
    name: str
    asked_by_id: str
    asked_at: datetime
    moved_at: datetime | None
    archived_at: datetime | None


_COLUMNS = tuple(incident_channels.c[each.name] for each in fields(OwnChannel))
_OF_INCIDENT = select(*_COLUMNS).where(incident_channels.c.incident_id == bindparam("incident_id"))
_IN_USE = select(incidents.c.id).where(
    incidents.c.workspace_id == bindparam("workspace_id"), incidents.c.channel_id == bindparam("channel_id")
)


def of_incident(connection: Connection, incident_id: int) -> OwnChannel | None:
    """The incident's own channel, or the one that is being made; None where nobody asked for one."""
    row = connection.execute(_OF_INCIDENT, {"incident_id": incident_id}).mappings().first()
    return None if row is None else OwnChannel(**dict(row))


def ask(
    connection: Connection,
    incident_id: int,
    *,
    workspace_id: str,
    old_channel_id: str,
    name: str,
    asked_by_id: str,
    asked_at: datetime,
) -> None:
    """Note that a channel is to be made; call with the incident locked. It takes the place of an earlier request."""
    values = {
        "workspace_id": workspace_id,
        "old_channel_id": old_channel_id,
        "name": name,
        "asked_by_id": asked_by_id,
        "asked_at": asked_at,
    }
    statement = upsert(connection)(incident_channels).values(incident_id=incident_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=[incident_channels.c.incident_id], set_=values))


def save(connection: Connection, incident_id: int, **values: object) -> None:
    """Change fields of the row, which must exist."""
    of_incident = incident_channels.c.incident_id == incident_id
    connection.execute(update(incident_channels).where(of_incident).values(**values))


def forget(connection: Connection, incident_id: int) -> None:
    """Forget a request that could not be met, so that it can be made again."""
    connection.execute(
        delete(incident_channels).where(
            incident_channels.c.incident_id == incident_id, incident_channels.c.moved_at.is_(None)
        )
    )


def in_use(connection: Connection, workspace_id: str, channel_id: str) -> bool:
    """Whether an incident is in the channel."""
    parameters = {"workspace_id": workspace_id, "channel_id": channel_id}
    return connection.execute(_IN_USE, parameters).first() is not None
