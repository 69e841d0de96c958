"""Requests for tests of the handlers, with as little said as possible."""

from typing import Any
from zoneinfo import ZoneInfo

from bot.handlers.request import Reply, Request
from bot.handlers.routes import Also, handle
from storage.database import Database
from tests.support.workplace import at

NOON = at("2026-03-12T12:00:00Z")


def request(typed: str, **other: Any) -> Request:
    """`/detected at 11:58 disk full` in #incident by Alice, at noon, in UTC."""
    command, _, words = typed.removeprefix("/").partition(" ")
    facts: dict[str, Any] = {
        "workspace_id": "T1", "channel_id": "C1", "channel_name": "incident", "user_id": "U1", "user_name": "alice",
        "command": command, "words": words, "received_at": NOON, "zone": ZoneInfo("UTC"), "source": "slash",
    }  # fmt: skip
    return Request(**{**facts, **other})


def ask(database: Database, typed: str, also: Also | None = None, **other: Any) -> Reply:
    return handle(database, request(typed, **other), also)
