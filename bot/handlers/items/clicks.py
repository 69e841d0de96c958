"""The clicks on an action item's buttons: who may use them where, and which command or form each runs."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from bot.errors import UsageError
from bot.handlers.items import buttons, items
from bot.handlers.request import Reply, Request
from storage import action_items, incidents
from storage.values import Incident

HOME = "home"
"""The source of clicks on the Home tab, which shows the user's own items alone."""
DIRECT = "directmessage"
"""The name that Slack gives to every direct message."""

_Handler = Callable[[Connection, Request], Reply]


def _run(handler: _Handler) -> _Handler:
    """The handler of a command, for a request whose words are a button's value."""

    def clicked(connection: Connection, request: Request) -> Reply:
        return handler(connection, _as_command(connection, request))

    return clicked


def _open_form(form: str) -> _Handler:
    """A handler that opens a form about the item, unless the item is done or dropped."""

    def clicked(connection: Connection, request: Request) -> Reply:
        incident, item, _ = items.pending(connection, _as_command(connection, request), "assign")
        return Reply(text="", form=form, fills={"incident": incident, "item": item})

    return clicked


CLICKS: dict[str, _Handler] = {
    buttons.DONE: _run(items.done),
    buttons.CONFIRM: _run(items.confirm),
    buttons.SNOOZE: _run(items.snooze),
    buttons.REOPEN: _run(items.reopen_item),
    buttons.ASSIGN: _open_form(buttons.ASSIGN),
    buttons.DROP: _open_form(buttons.DROP),
}
"""The handler of each button's action."""


def _as_command(connection: Connection, request: Request) -> Request:
    """The click as an `/actionitem` command on the item's incident. Raises UsageError where the user may not click."""
    number, words = buttons.parse_value(request.words)
    incident = incidents.numbered(connection, request.workspace_id, number)
    if incident is None or not _may_click(connection, request, incident, int(words.split()[0])):
        raise UsageError(f"There is no INC-{number} here, so nothing was changed.")
    return replace(request, command="actionitem", words=words, incident_number=number)


def _may_click(connection: Connection, request: Request, incident: Incident, number: int) -> bool:
    """Whether the user may use the buttons of the incident's item of that number in the request's place.

    In a channel: if the incident is visible there. In the direct message of a digest: also the item's owner and the
    incident's lead. On the Home tab: the owner alone, since the tab may have been drawn before the owner changed.
    """
    if request.source == HOME or request.channel_name == DIRECT:
        item = action_items.numbered(connection, incident.id, number)
        if item is not None and item.owner_id == request.user_id:
            return True
        if request.source == HOME:
            return False
        if incident.lead_id == request.user_id:
            return True
    return incident.seen_from(request.channel_id)
