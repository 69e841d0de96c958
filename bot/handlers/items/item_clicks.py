"""Clicks on an action item's buttons: the command of the same name, on the incident the button names."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from bot.errors import UsageError
from bot.handlers.items import buttons, items
from bot.handlers.request import Reply, Request
from storage import action_items as stored_items
from storage import incidents
from storage.values import Incident

DIRECT = "directmessage"
"""Slack's name of every direct message."""
_Handler = Callable[[Connection, Request], Reply]


def _on(handler: _Handler) -> _Handler:
    """The handler, for a request whose words are a button's value."""

    def clicked(connection: Connection, request: Request) -> Reply:
        return handler(connection, _aimed(connection, request))

    return clicked


def _aimed(connection: Connection, request: Request) -> Request:
    number, words = buttons.read(request.words)
    incident = incidents.numbered(connection, request.workspace_id, number)
    if incident is None or not (incident.seen_from(request.channel_id) or _is_theirs(connection, request, incident)):
        raise UsageError(f"There is no INC-{number} here, so nothing was changed.")
    return replace(request, command="actionitem", words=words, incident_number=number)


def _is_theirs(connection: Connection, request: Request, incident: Incident) -> bool:
    """Whether the click was made on a digest: in a direct message, by the item's owner or the incident's lead."""
    if request.channel_name != DIRECT:
        return False
    number = int(buttons.read(request.words)[1].split()[0])
    item = stored_items.numbered(connection, incident.id, number)
    return request.user_id in {incident.lead_id, item.owner_id if item else None}


def _ask(form: str) -> _Handler:
    """The handler that opens a form about the item, unless it is done or dropped by now."""

    def clicked(connection: Connection, request: Request) -> Reply:
        aimed = _aimed(connection, request)
        incident, item, _ = items.pending(connection, aimed, "assign")
        return Reply(text="", form=form, fills={"incident": incident, "item": item})

    return clicked


CLICKS: dict[str, _Handler] = {
    buttons.DONE: _on(items.done),
    buttons.CONFIRM: _on(items.confirm),
    buttons.SNOOZE: _on(items.snooze),
    buttons.REOPEN: _on(items.reopen),
    buttons.ASSIGN: _ask(buttons.ASSIGN),
    buttons.DROP: _ask(buttons.DROP),
}
"""What each button does."""
