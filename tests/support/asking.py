"""Requests to the handlers, with defaults for everything that a test does not care about."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.config import Settings
from bot.documents.drafting import Drafted
from bot.handlers.postmortem.drafts import next_version
from bot.handlers.request import Reply, Request
from bot.handlers.routes import InTransaction, handle
from storage import incidents, postmortems
from storage.database import Database
from storage.values import MEMBER, Incident, Postmortem
from tests.support.workplace import at

NOON = at("2026-03-12T12:00:00Z")


def request(typed: str, **other: Any) -> Request:
    """`/detected at 11:58 disk full` in #incident by Alice, at noon, in UTC."""
    command, _, words = typed.removeprefix("/").partition(" ")
    facts: dict[str, Any] = {
        "workspace_id": "T1", "channel_id": "C1", "channel_name": "incident", "user_id": "U1", "user_name": "alice",
        "command": command, "words": words, "received_at": NOON, "zone": ZoneInfo("UTC"), "source": "slash",
        "standing": MEMBER, "settings": Settings.from_env({}),
    }  # fmt: skip
    return Request(**{**facts, **other})


def ask(database: Database, typed: str, in_transaction: InTransaction | None = None, **other: Any) -> Reply:
    return handle(database, request(typed, **other), in_transaction)


def save_draft(
    connection: Connection, incident: Incident, drafted: Drafted, *, template: str = "classic", by: str = "alice"
) -> Postmortem:
    """Save the draft as the incident's next version, as `drafts.write_draft` does."""
    incidents.numbered(connection, incident.workspace_id, incident.number, lock=True)
    newest = postmortems.newest(connection, incident.id)
    version, _ = next_version(newest, drafted, template=template, by=by, at=NOON)
    postmortems.insert_version(connection, incident.id, version)
    return version
