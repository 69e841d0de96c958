"""What an incident from elsewhere needs beside what one declared here does: its own number."""

from sqlalchemy import Connection, update

from storage.models import workspaces


def count_to(connection: Connection, workspace_id: str, number: int) -> None:
    """Let the workspace's next incident get a number above this one; the workspace is locked first."""
    statement = update(workspaces).where(workspaces.c.id == workspace_id, workspaces.c.last_incident_number < number)
    connection.execute(statement.values(last_incident_number=number))
