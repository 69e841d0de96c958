"""Action items: add, list, confirm, finish, judge, assign, date, link, snooze, drop, reopen."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.secrets import is_suspect, secrets_in
from bot.domain.items.due import parse_due, parse_snooze, read_dates, refused_date
from bot.domain.items.handover import GIVEN
from bot.domain.items.item import (
    ME,
    ItemWords,
    names_new_item,
    parse_item,
    parse_link,
    plain_owner,
    second_owner,
    without_announcement,
)
from bot.domain.items.outcome import look_again_on, parse_outcome
from bot.domain.items.references import references
from bot.domain.words import parse_number, take_incident
from bot.errors import UsageError
from bot.handlers.incident.incidents import commands_about, erase_button, get_current, get_numbering, not_here
from bot.handlers.items.buttons import DONE, SNOOZE, controls, due_buttons, owner_button
from bot.handlers.items.handovers import enqueue_done, note_change, note_refusal
from bot.handlers.items.redact import is_redacted, redact_item, redact_words
from bot.handlers.items.reminders import plan_item, snooze_escalation
from bot.handlers.permission import for_members, require_permission
from bot.handlers.request import Control, Reply, Request, Row, parse_person
from storage import incidents, members
from storage.items import action_items, handovers
from storage.values import ActionItem, Incident

_OUTCOMES = {True: "worked", False: "did not work"}
FROM_MESSAGE = "item_from_message"
"""The command of a reaction that makes an action item of a message, whose first word is never a subcommand."""
FORM = "action_item"
"""The form that adds an item."""
_LISTED = 50
_WITH_BUTTONS = 10
"""Items of a list that have buttons of their own."""
_PASTED = 20
"""Characters of an item's words by which they are known again."""
_BARRED = {
    "deactivated": "@{name} has left this workspace, so nobody would see the reminders.",
    "bot": "@{name} is a bot, and an action item needs a person.",
    "outside": "@{name} belongs to another workspace, where no reminder arrives.",
    "unknown": "Slack knows nobody behind @{name}.",
}
"""Why a user cannot own an item, by the reason in `Member.barred`."""


def today(request: Request) -> date:
    """The date in the user's zone."""
    return request.now.astimezone(request.zone).date()


def parse_new(request: Request) -> ItemWords | None:
    """Parse the words of a new item; None without words."""
    if not request.words.strip():
        return None
    name = f"INC-{request.named_number}" if request.named_number is not None else ""
    typed = " ".join(filter(None, (request.slash("actionitem"), name, request.words.strip())))
    return parse_item(request.words, today=today(request), typed=typed)


def adds(request: Request) -> bool:
    """Whether `due …` is a new item with its date first, rather than the date of a numbered one."""
    _, words = take_incident(request.words)
    return names_new_item(words, today=today(request))


def add(connection: Connection, request: Request) -> Reply:
    """Add an item; without words, open the form. An item without an owner is a proposal.

    A date or an owner that cannot be taken stays in the words, and the receipt says why. Raises UsageError for them
    only where a form gave them, which stays open.
    """
    incident = get_current(connection, request, lock=True)
    words: ItemWords | None = request.parsed
    if words is None:
        named = request.named_number is not None
        return Reply(text="", form=FORM, fills={"incident": incident} if named else {})
    owner, owner_id = words.owner, request.people.get(words.owner or "")
    if owner == ME and owner_id is None:
        owner, owner_id = request.user_name, request.user_id
    barred = _barred(connection, request, owner, owner_id)
    if owner and owner_id is None and request.source != "form":
        try:
            owner, owner_id = parse_person(connection, request, f"@{owner}", "")
            barred = _barred(connection, request, owner, owner_id)
        except UsageError:
            barred = _BARRED["unknown"].format(name=owner[:80])
    refused = barred or words.problem or ""
    if request.source == "form" and refused.partition(" ")[0] in request.words.partition(":")[0].split():
        raise UsageError(refused)
    text = words.text_with_owner if barred else words.text
    item = action_items.add(
        connection,
        incident.id,
        text=text,
        kind=words.kind,
        owner=None if barred else owner,
        owner_id=None if barred else owner_id,
        due_on=words.due_on,
        state="open" if owner and not barred else "proposed",
        ticket=parse_link(text),
        priority=request.details.get("priority") or words.priority,
        done_when=request.details.get("done_when"),
        people=request.people_in(text),
        by=request.user_id,
        at=request.received_at,
    )
    plan_item(
        connection,
        incident,
        item,
        at=request.received_at,
        cadence=request.settings.cadence,
        handed_over=item.owner_id not in {None, request.user_id},
    )
    mentioned = _note(connection, request, incident, None, item)
    other = words.other_owner or (second_owner(item.text) if item.owner else None)
    other_id = request.people.get(other or "")
    offers: tuple[Control, ...] = due_buttons(incident, item, words.other_dates)
    if other is None and item.owner is None and (plain := plain_owner(item.text)):
        with suppress(UsageError):
            other, other_id = parse_person(connection, request, plain, "")
    if other and other_id and not _barred(connection, request, other, other_id):
        offers = (*offers, owner_button(incident, item, other, other_id))
    return _receipt(
        connection,
        request,
        incident,
        item,
        "added",
        barred=barred,
        problem=words.problem,
        offers=offers,
        mentioned=mentioned,
    )


def _receipt(
    connection: Connection,
    request: Request,
    incident: Incident,
    item: ActionItem,
    verb: str,
    *,
    barred: str | None = None,
    problem: str | None = None,
    offers: tuple[Control, ...] = (),
    mentioned: bool = False,
) -> Reply:
    secret = _holds_secret(item)
    text = slack(
        "action_item",
        incident=incident,
        item=item,
        verb=verb,
        barred=barred,
        problem=problem,
        offers=offers,
        today=today(request),
        command=commands_about(connection, request, incident),
        remind=request.settings.cadence.on,
        secret=secret,
        mentioned=mentioned,
        request=request,
    )
    offered = (erase_button(incident, "item", item.number),) if secret else ()
    # Beside a question, what nobody wants of a new item is left out; the answer's receipt has it.
    shown = [each for each in controls(incident, item) if not offers or each.action not in {DONE, SNOOZE}]
    return Reply(text=text, public=not secret, buttons=(*offered, *offers, *shown), own=verb == "added")


def _holds_secret(item: ActionItem) -> bool:
    """Whether the receipt is for the typist alone."""
    words = " ".join(filter(None, (item.text, item.done_when, item.reason, item.ticket, item.worked_why)))
    return is_suspect(words) and bool(secrets_in(words))


def _note(
    connection: Connection, request: Request, incident: Incident, before: ActionItem | None, after: ActionItem
) -> bool:
    """Note the change for whom it concerns; whether the receipt must mention the new owner."""
    return note_change(
        connection,
        incident,
        before,
        after,
        by=request.user_id,
        at=request.received_at,
        cadence=request.settings.cadence,
        shown_in_channel=_is_shown_in_channel(request, incident, after),
    )


def _is_shown_in_channel(request: Request, incident: Incident, item: ActionItem) -> bool:
    """Whether the receipt about the item is read in the incident's channel."""
    return request.channel_id == incident.channel_id and not _holds_secret(item)


def list_(connection: Connection, request: Request) -> Reply:
    """`list`: this incident's items; `list mine|overdue|all`: the open items of every incident."""
    which = request.words.strip().casefold()
    if which not in {"", "mine", "overdue", "all"}:
        raise UsageError(
            f"{request.slash('actionitem')} list shows this incident's items; add mine, overdue or all for the open "
            "ones of every incident."
        )
    if which in {"overdue", "all"} and not request.is_member:
        raise for_members(request, "The list of every incident's action items")
    if which:
        items = _of_workspace(connection, request, which)
    else:
        incident = get_current(connection, request)
        items = [(incident.number, item) for item in action_items.of_incident(connection, incident.id)]
    facts: dict[str, Any] = {"which": which, "today": today(request), "request": request, "limit": _LISTED}
    text = slack("action_items", items=items, **facts)
    return Reply(text=text, rows=_rows(connection, request, items, facts))


def _rows(
    connection: Connection, request: Request, items: Sequence[tuple[int, ActionItem]], facts: dict[str, Any]
) -> tuple[Row, ...]:
    """The items of a list, the first ones each with its buttons where it may be pressed, the others in one part."""
    rows: list[Row] = []
    for number, item in items[:_WITH_BUTTONS]:
        incident = incidents.numbered(connection, request.workspace_id, number)
        may = incident is not None and (request.is_direct or request.sees(incident))
        text = slack("action_items", items=[(number, item)], **facts)
        rows.append(Row(text=text, controls=controls(incident, item) if incident is not None and may else ()))
    if items[_WITH_BUTTONS:]:
        rows.append(Row(text=slack("action_items", items=items[_WITH_BUTTONS:], **facts)))
    return tuple(rows)


def _of_workspace(connection: Connection, request: Request, which: str) -> list[tuple[int, ActionItem]]:
    """(incident number, item), oldest first.

    `mine` includes the user's items of incidents that they do not see here, those of private ones redacted.
    """
    scope, standing = (connection, request.workspace_id, request.channel_id), request.standing
    due_before = today(request) if which == "overdue" else None
    if which != "mine":
        return action_items.open_in_workspace(*scope, standing=standing, due_before=due_before, limit=_LISTED)
    own: dict[str, Any] = {"standing": standing, "owner_id": request.user_id, "limit": _LISTED}
    found = action_items.open_in_workspace(*scope, **own)
    if not request.is_member:
        found += action_items.owned_elsewhere(*scope, private=False, **own)
    hidden = action_items.owned_elsewhere(*scope, private=True, **own)
    found += [(number, redact_item(item)) for number, item in hidden]
    return sorted(found, key=lambda each: (each[0], each[1].number))[:_LISTED]


def done(connection: Connection, request: Request) -> Reply:
    """`done NUMBER`: mark it as done."""
    incident, item = _only_number(connection, request, "done")
    done_on = request.received_at.astimezone(ZoneInfo(incident.timezone)).date()
    asked_on = look_again_on(done_on, request.settings.cadence.worked)
    return revise(connection, request, incident, item, "done", state="done", look_again_on=asked_on)


def worked(connection: Connection, request: Request) -> Reply:
    """`worked NUMBER yes|no why`: record whether a finished item had its effect. The last answer counts."""
    incident, item, rest = find(connection, request, "worked")
    command = commands_about(connection, request, incident)
    if item.state != "done":
        advice = f" Once it is: {command('actionitem done', str(item.number))}" if item.pending else ""
        raise UsageError(f"Action item {item.number} is {item.state} and not done: {item.text}{advice}")
    outcome = parse_outcome(rest)
    if outcome is None:
        example = command("actionitem worked", f"{item.number} yes the alert came in the drill")
        raise UsageError(f"Did it work, yes or no? Try: {example}")
    if (item.worked, item.worked_why or "") == (outcome.worked, outcome.why):
        raise UsageError(f"That is on record already: action item {item.number} {_OUTCOMES[outcome.worked]}.")
    return revise(
        connection,
        request,
        incident,
        item,
        "worked",
        worked=outcome.worked,
        worked_why=outcome.why or None,
        worked_by=request.user_name,
        worked_by_id=request.user_id,
        worked_at=request.received_at,
    )


def confirm(connection: Connection, request: Request) -> Reply:
    """`confirm NUMBER`: accept a proposed item."""
    incident, item = _only_number(connection, request, "confirm")
    if item.state != "proposed":
        raise UsageError(f"Action item {item.number} is agreed already: {item.text}")
    return revise(connection, request, incident, item, "confirmed", state="open")


def accept(connection: Connection, request: Request) -> Reply:
    """*Accept*: the owner takes the item."""
    incident, item = _own(connection, request)
    if item.accepted_at is not None:
        raise UsageError(f"You have accepted action item {item.number} already: {item.text}")
    return revise(connection, request, incident, item, "accepted", state="open", accepted_at=request.received_at)


def decline(connection: Connection, request: Request) -> Reply:
    """*Not me*: the owner gives the item back, and who gave it to them and the lead are told."""
    incident, item = _own(connection, request)
    reply = revise(connection, request, incident, item, "declined", owner=None, owner_id=None, accepted_at=None)
    note_refusal(
        connection,
        incident,
        item,
        by=request.user_id,
        at=request.received_at,
        cadence=request.settings.cadence,
    )
    return reply


def _own(connection: Connection, request: Request) -> tuple[Incident, ActionItem]:
    """As `pending`; raises UsageError also for an item that is somebody else's now."""
    incident, item, _ = pending(connection, request, "assign")
    if item.owner_id != request.user_id:
        has = f"{item.owner} has it" if item.owner else "nobody has it"
        raise UsageError(f"Action item {item.number} is not yours now, {has}, so nothing was changed: {item.text}")
    return incident, item


def reopen_item(connection: Connection, request: Request) -> Reply:
    """`reopen NUMBER`: open an item again that was done or dropped."""
    incident, item, rest = find(connection, request, "reopen")
    _refuse_more(commands_about(connection, request, incident)("actionitem reopen", str(item.number)), rest, item)
    if item.pending:
        raise UsageError(f"Action item {item.number} is {item.state}, so there is nothing to reopen: {item.text}")
    return revise(
        connection,
        request,
        incident,
        item,
        "reopened",
        state="open",
        reason=None,
        snoozed_until=None,
        **action_items.NO_ANSWER,
    )


def assign(connection: Connection, request: Request) -> Reply:
    """`assign NUMBER @who`: set the owner. If a reminder is due, they get it on the next working morning."""
    incident, item, rest = pending(connection, request, "assign")
    command = commands_about(connection, request, incident)("actionitem assign", str(item.number))
    owner, owner_id = parse_person(connection, request, rest, command)
    _check_owner(connection, request, owner, owner_id, f"{command} @alice")
    if owner_id == item.owner_id if owner_id else (owner, None) == (item.owner, item.owner_id):
        raise UsageError(f"@{owner} has action item {item.number} already: {item.text}")
    return revise(
        connection,
        request,
        incident,
        item,
        "assigned",
        owner=owner,
        owner_id=owner_id,
        state="open",
        snoozed_until=None,
        accepted_at=None,
    )


def due(connection: Connection, request: Request) -> Reply:
    """`due NUMBER DATE`: set the due date. Who dates an item that was given to them takes it."""
    incident, item, rest = pending(connection, request, "due")
    example = commands_about(connection, request, incident)(
        "actionitem due", f"{item.number} {today(request) + timedelta(days=7)}"
    )
    typed = without_announcement(rest)
    if len(dates := read_dates(typed, today=today(request))) > 1:
        text = f"{typed} is read differently in different places. Which day is meant?"
        return Reply(text=text, buttons=due_buttons(incident, item, dates))
    due_on = parse_due(typed, today=today(request))
    if due_on is None:
        raise UsageError(f"By when? Try: {example}")
    if refused := refused_date(due_on, today(request)):
        raise UsageError(f"{refused} Try: {example}")
    if due_on == item.due_on:
        raise UsageError(f"Action item {item.number} is due on {due_on} already: {item.text}")
    changes: dict[str, object] = {"due_on": due_on, "snoozed_until": None}
    asked = item.owner_id == request.user_id and item.accepted_at is None
    if asked and handovers.last_by(connection, item.id, request.user_id, kind=GIVEN):
        changes["accepted_at"] = request.received_at
    return revise(connection, request, incident, item, "dated", **changes)


def link(connection: Connection, request: Request) -> Reply:
    """`link NUMBER https://…`: set the address of its ticket."""
    incident, item, rest = pending(connection, request, "link")
    ticket = parse_link(rest)
    # A link with a label arrives as `OPS-1 (https://…)`.
    if ticket is None or (rest.strip() != ticket and not rest.strip().endswith(f" ({ticket})")):
        words = f"{item.number} https://tickets.example/OPS-1"
        example = commands_about(connection, request, incident)("actionitem link", words)
        raise UsageError(f"That is no web address. Try: {example}")
    return revise(connection, request, incident, item, "linked", ticket=ticket)


def snooze(connection: Connection, request: Request) -> Reply:
    """`snooze NUMBER 3d`: send no reminder of it for some days.

    The lead's, of an item that another has, is about what the lead is told of it: its owner is reminded as before.
    """
    incident, item, rest = pending(connection, request, "snooze")
    until = parse_snooze(rest, today=today(request))
    led = request.user_id == incident.lead_id and item.owner_id not in {None, request.user_id}
    if led and not _barred(connection, request, item.owner, item.owner_id):
        require_permission(connection, request, incident, "items")
        cadence = request.settings.cadence
        if not snooze_escalation(connection, incident, item, until=until, at=request.received_at, cadence=cadence):
            raise UsageError(
                f"Only @{item.owner} is reminded of action item {item.number} before {until}, and the lead's snooze is "
                f"not theirs: {item.text}"
            )
        return _receipt(connection, request, incident, replace(item, snoozed_until=until), "spared")
    if until == item.snoozed_until:
        raise UsageError(f"Action item {item.number} is snoozed until {until} already: {item.text}")
    return revise(connection, request, incident, item, "snoozed", snoozed_until=until)


def drop(connection: Connection, request: Request) -> Reply:
    """`drop NUMBER why`: drop it, with the reason. An item of another owner needs the permission `drop`."""
    incident, item, rest = pending(connection, request, "drop")
    if not rest:
        example = commands_about(connection, request, incident)("actionitem drop", f"{item.number} done upstream")
        raise UsageError(f"Say why, so that nobody asks again: {example}")
    if item.owner_id != request.user_id:
        require_permission(connection, request, incident, "drop")
    return revise(connection, request, incident, item, "dropped", state="dropped", reason=rest)


def revise(
    connection: Connection, request: Request, incident: Incident, item: ActionItem, verb: str, **changes: object
) -> Reply:
    """Append a revision with the changes, plan the reminders anew, and return the receipt."""
    at = request.received_at
    if item.owner_id != request.user_id and verb != "dropped":
        require_permission(connection, request, incident, "items")
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
    mentioned = _note(connection, request, incident, item, revised)
    is_alone = request.is_direct or request.channel_id == request.user_id
    # Of what was typed elsewhere with its number, the incident's channel has the receipt.
    if verb == "done" and is_alone and request.named_number is None:
        enqueue_done(connection, incident, revised, by=request.user_name, at=at)
    shown = redact_item(revised) if _is_redacted(connection, request, incident) else revised
    return _receipt(connection, request, incident, shown, verb, mentioned=mentioned)


def _is_redacted(connection: Connection, request: Request, incident: Incident) -> bool:
    """Whether the reply must not contain the words: of a private incident, for words of one's own item else stay."""
    if not (request.is_member or request.sees(incident) or incident.private):
        return False
    return is_redacted(
        connection, incident, user_id=request.user_id, standing=request.standing, channel_id=request.channel_id
    )


def find(connection: Connection, request: Request, verb: str) -> tuple[Incident, ActionItem, str]:
    """The incident, locked; its item whose number the words begin with; and the remaining words.

    The item is in any state, and redacted where the user may not read it. Raises UsageError for an unknown number.
    """
    incident = get_numbering(connection, _about_own(connection, request), lock=True)
    command = commands_about(connection, request, incident)
    try:
        number, rest = parse_number(request.words, what="action item")
    except UsageError:
        example = _example(connection, request, incident, verb)
        typed = command(f"actionitem {verb}", example) if example else command("actionitem list")
        number, rest = parse_number(request.words, what="action item", example=typed)
    item = action_items.numbered(connection, incident.id, number)
    if not (request.is_member or request.sees(incident)) and (item is None or item.owner_id != request.user_id):
        raise not_here(request, incident.number)
    if item is None:
        shows = command("actionitem list")
        raise UsageError(f"{incident.name} has no action item {number}. {shows} shows the numbers.")
    return incident, redact_words(item) if _is_redacted(connection, request, incident) else item, rest


def _about_own(connection: Connection, request: Request) -> Request:
    """The request as a digest's button makes it, where a member names their own item of a private incident to Scribe.

    What stands in their list, and in their direct messages, can be typed there.
    """
    first = next(iter(references(request.words)), None)
    if not (first and request.named_number is not None and request.is_direct and request.is_member):
        return request
    incident = incidents.numbered(connection, request.workspace_id, request.named_number)
    if incident is None or request.sees(incident):
        return request
    item = action_items.numbered(connection, incident.id, first.number)
    if item is None or item.owner_id != request.user_id:
        return request
    return replace(request, incident_number=incident.number, named_number=None)


_AFTER_NUMBER = {
    "assign": "me", "due": "in 2 weeks", "snooze": "3d", "drop": "no longer needed",
    "worked": "yes the alert came in time", "link": "https://tickets.example/OPS-1",
}  # fmt: skip
"""What may follow the item's number in an example, by subcommand."""
_ABOUT_CLOSED: dict[str, Callable[[ActionItem], bool]] = {
    "reopen": lambda item: not item.pending,
    "worked": lambda item: item.state == "done",
}
"""The subcommands about items that are not open, and about which."""


def _example(connection: Connection, request: Request, incident: Incident, verb: str) -> str | None:
    """The number of an item that the command may be about, the user's own first, and what may follow it."""
    every = action_items.of_incident(connection, incident.id)
    found = [item for item in every if (_ABOUT_CLOSED[verb](item) if verb in _ABOUT_CLOSED else item.pending)]
    own = [item for item in found if item.owner_id == request.user_id]
    shown = found if request.is_member or request.sees(incident) else []
    number = next((str(item.number) for item in (*own, *shown)), None)
    return number and f"{number} {_AFTER_NUMBER.get(verb, '')}".strip()


def pending(connection: Connection, request: Request, verb: str) -> tuple[Incident, ActionItem, str]:
    """As `find`; raises UsageError also for an item that is done or dropped."""
    incident, item, rest = find(connection, request, verb)
    if not item.pending:
        raise UsageError(f"Action item {item.number} is {item.state} already: {item.text}")
    return incident, item, rest


def _only_number(connection: Connection, request: Request, verb: str) -> tuple[Incident, ActionItem]:
    incident, item, rest = pending(connection, request, verb)
    _refuse_more(commands_about(connection, request, incident)(f"actionitem {verb}", str(item.number)), rest, item)
    return incident, item


def _refuse_more(typed: str, rest: str, item: ActionItem) -> None:
    """Raise UsageError for words after the number, unless they are the item's own, pasted from a list with it."""
    if rest and not rest.startswith(item.text[:_PASTED]):
        raise UsageError(f"Only the number, please: {typed}")


def _check_owner(connection: Connection, request: Request, name: str | None, user_id: str | None, example: str) -> None:
    """Raise UsageError for an owner who is known to receive no reminders."""
    if barred := _barred(connection, request, name, user_id):
        raise UsageError(f"{barred} Try: {example}")


def _barred(connection: Connection, request: Request, name: str | None, user_id: str | None) -> str | None:
    """Why that person is known to receive no reminders; None where they may own an item."""
    member = members.find(connection, request.workspace_id, user_id) if user_id else None
    return _BARRED[member.barred].format(name=name) if member is not None and member.barred else None
