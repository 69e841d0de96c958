"""The files of a draft: the Markdown, and the timeline's picture where one can be drawn."""

import logging
from collections.abc import Mapping
from typing import Any

from bot.documents.rendering import terminal
from bot.documents.turn import TURN
from bot.handlers.postmortem.exports import BINARY, Record, read
from bot.slack.context import Door
from storage import incidents

_log = logging.getLogger(__name__)


def files(door: Door, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What `files_upload_v2` takes, from what the outbox kept of a document."""
    document = {key: content[key] for key in ("filename", "title")} | {"content": content["markdown"]}
    return [document, *(_picture(door, content) if "incident_id" in content else ())]


def _picture(door: Door, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The picture as the store is now; none where it cannot be drawn, as no draft waits for its picture."""
    try:
        with door.database.read() as connection:
            record = read(connection, incidents.by_id(connection, content["incident_id"]))
        with TURN:
            return [_file(record)]
    except Exception:  # noqa: BLE001 - whatever goes wrong while drawing, the words are sent
        _log.exception("picture not drawn")
        return []


def described(record: Record) -> str:
    """The picture in a line, for those who cannot see it."""
    return terminal("picture", incident=record.incident, lifecycle=record.lifecycle)


def _file(record: Record) -> dict[str, Any]:
    name = record.incident.name
    return {
        "filename": f"{name}-timeline.png",
        "title": f"{name} timeline",
        "alt_txt": described(record),
        "content": BINARY["png"](record),
    }
