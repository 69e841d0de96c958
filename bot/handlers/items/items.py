"""Action items: add, list, confirm, finish, assign, date, link, snooze, drop, reopen."""

from datetime import date, timedelta

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.items.due import parse_due, parse_snooze
from bot.domain.items.item import ItemWords, parse_item, parse_link
from bot.domain.time.format import day
from bot.domain.words import parse_number
from bot.errors import UsageError
from bot.handlers.incident.incidents import get_current
from bot.handlers.items.buttons import controls
from bot.handlers.items.redact import is_redacted, redact_item, redact_words
from bot.handlers.items.reminders import plan_item
from bot.handlers.permission import require_permission
from bot.handlers.request import Reply, Request, parse_person
from storage import action_items, members
from storage.values import ActionItem, Incident

FORM = "action_item"
"""The form that adds an item."""
_LISTED = 50
_FARTHEST_YEARS = 10
_WEEK = timedelta(days=7)
_BARRED = {
    "deactivated": "@{name} has left this workspace, so nobody would see the reminders. Try: {try_}",
    "bot": "@{name} is a bot, and an action item needs a person. Try: {try_}",
    "outside": "@{name} belongs to another workspace, where no reminder arrives. Try: {try_}",
    "unknown": "Slack knows nobody behind @{name}. Try: {try_}",
}
"""Why a user cannot own an item, by the reason in `Member.barred`."""


def today(request: Request) -> date:
    """The date in the user's zone."""
    return request.now.astimezone(request.zone).date()


def parse_new(request: Request) -> ItemWords | None:
    """Parse `[@owner] [short-term|long-term] [by DATE]: words`; None without words."""
    return parse_item(request.words, today=today(request)) if request.words.strip() else None


def add(connection: Connection, request: Request) -> Reply:
    """Add an item; without words, open the form. An item without an owner is a proposal."""
    incident = get_current(connection, request, lock=True)
    words: ItemWords | None = request.parsed
    if words is None:
        return Reply(text="", form=FORM)
    owner_id = request.people.get(words.owner or "")
    example = f"{request.slash('actionitem')} @alice by friday: what"
    _check_owner(connection, request, words.owner, owner_id, example)
    if words.due_on:
        _check_date(words.due_on, today(request), f"{request.slash('actionitem')} by friday: what")
    item = action_items.add(
        connection,
        incident.id,
        text=words.text,
        kind=words.kind,
        owner=words.owner,
        owner_id=owner_id,
        due_on=words.due_on,
        state="open" if words.owner else "proposed",
        ticket=parse_link(words.text),
        priority=request.details.get("priority"),
        done_when=request.details.get("done_when"),
        by=request.user_id,
        at=request.received_at,
    )
    plan_item(connection, incident, item, at=request.received_at, cadence=request.settings.cadence)
    return _receipt(request, incident, item, "added", guessed=words.guessed)


def _receipt(request: Request, incident: Incident, item: ActionItem, verb: str, *, guessed: bool = False) -> Reply:
    text = slack(
        "action_item",
        incident=incident,
        item=item,
        verb=verb,
        other_day=item.due_on + _WEEK if guessed and item.due_on else None,
        today=today(request),
        slash=request.slash("actionitem"),
        remind=request.settings.cadence.on,
    )
    return Reply(text=text, public=True, buttons=controls(incident, item))


def list_(connection: Connection, request: Request) -> Reply:
    """`list`: this incident's items; `list mine|overdue|all`: the open items of every incident."""
    which = request.words.strip().casefold()
    if which not in {"", "mine", "overdue", "all"}:
        raise UsageError(
            f"{request.slash('actionitem')} list shows this incident's items; add mine, overdue or all for the open "
            "ones of every incident."
        )
    if which:
        items = _of_workspace(connection, request, which)
    else:
        incident = get_current(connection, request)
        items = [(incident.number, item) for item in action_items.of_incident(connection, incident.id)]
    text = slack("action_items", which=which, items=items, today=today(request), request=request, limit=_LISTED)
    return Reply(text=text)


def _of_workspace(connection: Connection, request: Request, which: str) -> list[tuple[int, ActionItem]]:
    """(incident number, item), oldest first. `mine` includes the user's items of private incidents, redacted."""
    scope = (connection, request.workspace_id, request.channel_id)
    due_before = today(request) if which == "overdue" else None
    if which != "mine":
        return action_items.open_in_workspace(*scope, due_before=due_before, limit=_LISTED)
    visible = action_items.open_in_workspace(*scope, owner_id=request.user_id, limit=_LISTED)
    hidden = action_items.owned_elsewhere(*scope, owner_id=request.user_id, limit=_LISTED)
    both = [*visible, *((number, redact_item(item)) for number, item in hidden)]
    return sorted(both, key=lambda each: (each[0], each[1].number))[:_LISTED]


def done(connection: Connection, request: Request) -> Reply:
    """`done NUMBER`: mark it as done."""
    incident, item = _only_number(connection, request, "done")
    return revise(connection, request, incident, item, "done", state="done")


def confirm(connection: Connection, request: Request) -> Reply:
    """`confirm NUMBER`: accept a proposed item."""
    incident, item = _only_number(connection, request, "confirm")
    if item.state != "proposed":
        raise UsageError(f"Action item {item.number} is agreed already: {item.text}")
    return revise(connection, request, incident, item, "confirmed", state="open")


def reopen_item(connection: Connection, request: Request) -> Reply:
    """`reopen NUMBER`: open an item again that was done or dropped."""
    incident, item, rest = find(connection, request, "reopen")
    _refuse_more(request, rest, f"reopen {item.number}")
    if item.pending:
        raise UsageError(f"Action item {item.number} is {item.state}, so there is nothing to reopen: {item.text}")
    return revise(connection, request, incident, item, "reopened", state="open", reason=None, snoozed_until=None)


def assign(connection: Connection, request: Request) -> Reply:
    """`assign NUMBER @who`: set the owner. If a reminder is due, they get it on the next working morning."""
    incident, item, rest = pending(connection, request, "assign")
    example = f"{request.slash('actionitem')} assign {item.number} @alice"
    owner, owner_id = parse_person(request, rest, example)
    _check_owner(connection, request, owner, owner_id, example)
    if (owner, owner_id) == (item.owner, item.owner_id):
        raise UsageError(f"@{owner} has action item {item.number} already: {item.text}")
    return revise(connection, request, incident, item, "assigned", owner=owner, owner_id=owner_id, state="open")


def due(connection: Connection, request: Request) -> Reply:
    """`due NUMBER DATE`: set the due date."""
    incident, item, rest = pending(connection, request, "due")
    example = f"{request.slash('actionitem')} due {item.number} 2026-12-01"
    due_on = parse_due(rest, today=today(request))
    if due_on is None:
        raise UsageError(f"By when? Try: {example}")
    _check_date(due_on, today(request), example)
    if due_on == item.due_on:
        raise UsageError(f"Action item {item.number} is due on {due_on} already: {item.text}")
    return revise(connection, request, incident, item, "dated", due_on=due_on, snoozed_until=None)


def link(connection: Connection, request: Request) -> Reply:
    """`link NUMBER https://…`: set the address of its ticket."""
    incident, item, rest = pending(connection, request, "link")
    ticket = parse_link(rest)
    if ticket is None or ticket != rest.strip():
        raise UsageError(
            f"That is no web address. Try: {request.slash('actionitem')} link {item.number} https://tickets.example/OPS-1"
        )
    return revise(connection, request, incident, item, "linked", ticket=ticket)


def snooze(connection: Connection, request: Request) -> Reply:
    """`snooze NUMBER 3d`: send no reminder of it for some days."""
    incident, item, rest = pending(connection, request, "snooze")
    until = parse_snooze(rest, today=today(request))
    if until == item.snoozed_until:
        raise UsageError(f"Action item {item.number} is snoozed until {until} already: {item.text}")
    return revise(connection, request, incident, item, "snoozed", snoozed_until=until)


def drop(connection: Connection, request: Request) -> Reply:
    """`drop NUMBER why`: drop it, with the reason. An item of another owner needs the permission `drop`."""
    incident, item, rest = pending(connection, request, "drop")
    if not rest:
        raise UsageError(
            f"Say why, so that nobody asks again: {request.slash('actionitem')} drop {item.number} done upstream"
        )
    if item.owner_id != request.user_id:
        require_permission(connection, request, incident, "drop")
    return revise(connection, request, incident, item, "dropped", state="dropped", reason=rest)


def revise(
    connection: Connection, request: Request, incident: Incident, item: ActionItem, verb: str, **changes: object
) -> Reply:
    """Append a revision with the changes, plan the reminders anew, and return the receipt."""
    at = request.received_at
    revised = action_items.revise(connection, item, by=request.user_id, at=at, **changes)
    plan_item(
        connection,
        incident,
        revised,
        at=at,
        cadence=request.settings.cadence,
        handed_over=verb == "assigned" and revised.owner_id != request.user_id,
        redated=revised.due_on != item.due_on,
    )
    shown = redact_item(revised) if _is_redacted(connection, request, incident) else revised
    return _receipt(request, incident, shown, verb)


def _is_redacted(connection: Connection, request: Request, incident: Incident) -> bool:
    return is_redacted(connection, incident, user_id=request.user_id, channel_id=request.channel_id)


def find(connection: Connection, request: Request, verb: str) -> tuple[Incident, ActionItem, str]:
    """The incident, locked; its item whose number the words begin with; and the remaining words.

    The item is in any state, and redacted where the user may not read it. Raises UsageError for an unknown number.
    """
    incident = get_current(connection, request, lock=True)
    example = f"{request.slash('actionitem')} {verb} 3"
    number, rest = parse_number(request.words, what="action item", example=example)
    item = action_items.numbered(connection, incident.id, number)
    if item is None:
        raise UsageError(
            f"{incident.name} has no action item {number}. {request.slash('actionitem')} list shows the numbers."
        )
    return incident, redact_words(item) if _is_redacted(connection, request, incident) else item, rest


def pending(connection: Connection, request: Request, verb: str) -> tuple[Incident, ActionItem, str]:
    """As `find`; raises UsageError also for an item that is done or dropped."""
    incident, item, rest = find(connection, request, verb)
    if not item.pending:
        raise UsageError(f"Action item {item.number} is {item.state} already: {item.text}")
    return incident, item, rest


def _only_number(connection: Connection, request: Request, verb: str) -> tuple[Incident, ActionItem]:
    incident, item, rest = pending(connection, request, verb)
    _refuse_more(request, rest, f"{verb} {item.number}")
    return incident, item


def _refuse_more(request: Request, rest: str, typed: str) -> None:
    if rest:
        raise UsageError(f"Only the number, please: {request.slash('actionitem')} {typed}")


def _check_date(due_on: date, today: date, example: str) -> None:
    """Raise UsageError for a date in the past, or so far ahead that it must be a typing error."""
    if due_on < today:
        raise UsageError(f"{due_on} is in the past; today is {day(today)}. Try: {example}")
    if due_on.year > today.year + _FARTHEST_YEARS:
        raise UsageError(f"{due_on} is more than {_FARTHEST_YEARS} years ahead. Try: {example}")


def _check_owner(connection: Connection, request: Request, name: str | None, user_id: str | None, example: str) -> None:
    """Raise UsageError for an owner who is known to receive no reminders."""
    member = members.find(connection, request.workspace_id, user_id) if user_id else None
    if member is not None and member.barred:
        raise UsageError(_BARRED[member.barred].format(name=name, try_=example))
