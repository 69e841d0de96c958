"""Action items: add, list, finish, hand over, put off, drop."""

from datetime import date, timedelta

from sqlalchemy import Connection

from bot.domain.due import parse_days
from bot.domain.item import ItemWords, parse_item
from bot.domain.opening import parse_number
from bot.errors import UsageError
from bot.handlers.lookup import here
from bot.handlers.permission import permit
from bot.handlers.request import Reply, Request, person
from bot.rendering import slack
from storage import action_items
from storage.values import ActionItem, Incident

FORM = "action_item"


def today(request: Request) -> date:
    """The date on the typist's own calendar."""
    return request.now.astimezone(request.zone).date()


def add(connection: Connection, request: Request) -> Reply:
    """`[@owner] [short-term|long-term] [by DATE]: words`; with no words the form opens instead."""
    incident = here(connection, request, lock=True)
    if not request.words.strip():
        return Reply(text="", form=FORM)
    words = parse_item(request.words, today=today(request))
    return keep(connection, request, incident, words)


def keep(connection: Connection, request: Request, incident: Incident, words: ItemWords) -> Reply:
    """Write the item down and answer with it."""
    item = action_items.add(
        connection,
        incident.id,
        text=words.text,
        kind=words.kind,
        owner=words.owner,
        owner_id=request.people.get(words.owner or ""),
        due_on=words.due_on,
        by=request.user_id,
        at=request.received_at,
    )
    return _receipt(request, incident, item, "added")


def _receipt(request: Request, incident: Incident, item: ActionItem, verb: str) -> Reply:
    text = slack("action_item", incident=incident, item=item, verb=verb, today=today(request), request=request)
    return Reply(text=text, public=True)


def list_(connection: Connection, request: Request) -> Reply:
    """`list` this incident's, `list mine` my open ones, `list all` every open one of the workspace."""
    which = request.words.strip().casefold()
    if which not in {"", "mine", "all"}:
        raise UsageError(
            f"{request.slash('actionitem')} list shows this incident's items; add mine or all for the open ones "
            "of every incident."
        )
    if which:
        owner_id = request.user_id if which == "mine" else None
        items = action_items.open_in_workspace(connection, request.workspace_id, request.channel_id, owner_id=owner_id)
    else:
        incident = here(connection, request)
        items = [(incident.number, item) for item in action_items.of_incident(connection, incident.id)]
    return Reply(text=slack("action_items", which=which, items=items, today=today(request), request=request))


def done(connection: Connection, request: Request) -> Reply:
    """`done NUMBER`: it is done."""
    incident, item, rest = _item(connection, request)
    if rest:
        raise UsageError(f"Only the number, please: {request.slash('actionitem')} done {item.number}")
    return _revise(connection, request, incident, item, "done", state="done")


def assign(connection: Connection, request: Request) -> Reply:
    """`assign NUMBER @who`: give it an owner."""
    incident, item, rest = _item(connection, request)
    owner, owner_id = person(request, rest, f"{request.slash('actionitem')} assign {item.number} @alice")
    return _revise(connection, request, incident, item, "assigned", owner=owner, owner_id=owner_id)


def snooze(connection: Connection, request: Request) -> Reply:
    """`snooze NUMBER 3d`: leave it alone for some days."""
    incident, item, rest = _item(connection, request)
    until = today(request) + timedelta(days=parse_days(rest))
    return _revise(connection, request, incident, item, "snoozed", snoozed_until=until)


def drop(connection: Connection, request: Request) -> Reply:
    """`drop NUMBER why`: decide against it."""
    incident, item, rest = _item(connection, request)
    if not rest:
        raise UsageError(
            f"Say why, so that nobody asks again: {request.slash('actionitem')} drop {item.number} done upstream"
        )
    if item.owner_id != request.user_id:
        permit(connection, request, incident, "drop")
    return _revise(connection, request, incident, item, "dropped", state="dropped", reason=rest)


def _revise(
    connection: Connection,
    request: Request,
    incident: Incident,
    item: ActionItem,
    verb: str,
    **changes: object,
) -> Reply:
    revised = action_items.revise(connection, item, by=request.user_id, at=request.received_at, **changes)
    return _receipt(request, incident, revised, verb)


def _item(connection: Connection, request: Request) -> tuple[Incident, ActionItem, str]:
    """The incident, its open item the words begin with, and the words that are left."""
    incident = here(connection, request, lock=True)
    example = f"{request.slash('actionitem')} done 3"
    number, rest = parse_number(request.words, what="action item", example=example)
    item = action_items.numbered(connection, incident.id, number)
    if item is None:
        raise UsageError(
            f"{incident.name} has no action item {number}. {request.slash('actionitem')} list shows the numbers."
        )
    if item.state != "open":
        raise UsageError(f"Action item {number} is {item.state} already: {item.text}")
    return incident, item, rest
