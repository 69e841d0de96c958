"""The apps.connections.* method: the way into Socket Mode."""

from typing import Any

from bot.fakeslack.context import MethodContext
from bot.fakeslack.objects import APP_ID
from bot.fakeslack.schema import Json


def connections_open(desk: MethodContext, args: dict[str, Any]) -> Json:  # noqa: ARG001 -- every method has the same two parameters
    """apps.connections.open: a WebSocket URL that lets one connection in."""
    host = (desk.sockets.address or desk.address).removeprefix("http")
    return {"url": f"ws{host}/link/?ticket={desk.sockets.ticket()}&app_id={APP_ID}"}
