"""Which incident: words typed where there is none are kept until their author says which one they belong to."""

import re
from dataclasses import replace
from functools import cache, partial
from itertools import chain
from secrets import token_hex

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.policy import told_in
from bot.domain.words import take_incident
from bot.errors import UsageError
from bot.handlers.incident.incidents import UndecidedError, incident_number
from bot.handlers.request import Button, Control, Menu, Reply, Request, Row, first_word
from bot.vocabulary import COMMANDS, KINDS, POSTMORTEM
from storage import incidents, outbox, receipts
from storage.values import Incident

CHOOSE = "choose_incident"
"""The action of the menu and of the button; the value is the key of the kept request, then `INC-1` or HERE."""
HERE = "here"
"""In place of an incident's name: a new incident in the channel where the words were typed."""
PRESSED = frozenset({"click", "home"})
"""The sources of requests whose words are a button's value."""
HIDDEN_NAME = "INC-…"
"""In place of the name of an incident that the user does not see."""
_NAME = re.compile(r"\bINC-[0-9]{1,9}\b", re.IGNORECASE)
_CALL = re.compile(r"\n<@[UW][A-Z0-9]+>[^\n]*")
"""The line of a receipt that mentions people."""
_OPEN, _LATEST = 50, 10
"""The most options: all open incidents, and the newest whatever their state; Slack takes 100."""


def ask(connection: Connection, received: Request, undecided: UndecidedError) -> Reply:
    """Keep the request as it was received, and ask its author which incident it is for.

    Raises `undecided` where there is nothing to choose from.
    """
    key = token_hex(8)
    control = _control(connection, received, undecided, key)
    if control is None:
        raise undecided
    receipts.save(
        connection, received.workspace_id, f"pending:{key}", {"request": received.to_json()}, at=received.received_at
    )
    word, _ = first_word(take_incident(received.words)[1])
    command = COMMANDS[received.command]
    reads = not next((each.writes for each in command.subcommands if each.name == word), command.writes)
    text = slack(
        "which",
        problem=str(undecided),
        menu=isinstance(control, Menu),
        reads=reads,
        typed=f"{received.slash(received.command)} {received.words}".strip(),
    )
    return Reply(text=text, buttons=(control,))


def _control(connection: Connection, received: Request, undecided: UndecidedError, key: str) -> Control | None:
    """The menu of incidents that are seen from the channel, the open ones first; a button where there is one choice."""
    if undecided.beside is not None:
        return Button(label="Open another one here", action=CHOOSE, value=f"{key} {HERE}")
    seen = (connection, received.workspace_id, received.channel_id)
    found = chain(
        incidents.listing(*seen, standing=received.standing, open_only=True, limit=_OPEN),
        incidents.listing(*seen, standing=received.standing, open_only=False, limit=_LATEST),
    )
    options = {f"{key} {each.name}": _label(each) for each in found if each.closed_as is None}
    # A subcommand of `/incident` may also be a kind of entry.
    if not received.is_direct and not {received.command, *received.words.casefold().split()[:1]}.isdisjoint(KINDS):
        here = "A new incident in this channel"
        if not options:
            return Button(label=here, action=CHOOSE, value=f"{key} {HERE}")
        options[f"{key} {HERE}"] = here
    if not options:
        return None
    return Menu(
        label="Which incident?", action=CHOOSE, options=tuple((label, value) for value, label in options.items())
    )


def _label(incident: Incident) -> str:
    state = () if incident.open else ("resolved",)
    return " · ".join((incident.name, *state, incident.title))


def chosen(connection: Connection, request: Request) -> Request:
    """The kept request, for the incident that its author chose; `request` is the click.

    Raises UsageError where the words are kept no longer, are another person's, or were recorded by an earlier choice.
    """
    key, _, name = request.words.partition(" ")
    kept = receipts.find(connection, request.workspace_id, f"pending:{key}")
    if kept is None or kept["request"]["user_id"] != request.user_id:
        raise UsageError("Those words are kept no longer, so nothing was recorded. Please type them again.")
    earlier = receipts.find(connection, request.workspace_id, f"chosen:{key}")
    if earlier is not None:
        raise UsageError(f"Those words are done with already: you chose {earlier['choice']}.")
    choice = "a new incident" if name == HERE else name
    # Of two choices at the same instant, one finds this receipt there.
    receipts.save(connection, request.workspace_id, f"chosen:{key}", {"choice": choice}, at=request.received_at)
    original = replace(Request.from_json(kept["request"], request.settings), standing=request.standing)
    if name == HERE:
        return replace(original, declares=True)
    return replace(original, named_number=incident_number(name))


def without_other_incidents(connection: Connection, request: Request, reply: Reply) -> Reply:
    """The reply without the names of incidents that the user does not see here."""
    masked = partial(mask, connection, request, about=reply.about)
    buttons = tuple(replace(each, label=masked(each.label)) for each in reply.buttons)
    rows = tuple(
        replace(
            row,
            text=masked(row.text),
            controls=tuple(replace(each, label=masked(each.label)) for each in row.controls),
        )
        for row in reply.rows
    )
    document = None if reply.document is None else masked(reply.document)
    return replace(reply, text=masked(reply.text), document=document, buttons=buttons, rows=rows)


def mask(connection: Connection, request: Request, text: str, *, about: str | None = None) -> str:
    """The text with HIDDEN_NAME for the names of incidents that the user does not see here, whether they exist or not.

    The words of others may name them, and how an incident is closed. What the user typed (a button's value they did
    not) is repeated, and so is the name of the incident that the text is `about`.
    """
    words = "" if request.source in PRESSED else request.words
    typed = {incident_number(name) for name in (about or "", *_NAME.findall(words))}

    @cache
    def shown(number: int | None) -> bool:
        if number in typed or number == request.named_number:
            return True
        found = incidents.numbered(connection, request.workspace_id, number or 0)
        return found is not None and request.sees(found)

    return _NAME.sub(lambda name: name[0] if shown(incident_number(name[0])) else HIDDEN_NAME, text)


def tell_both(connection: Connection, request: Request, reply: Reply) -> Reply:
    """Post the receipt also in the channel of the incident that the user named, if it was typed in another.

    Returns the reply for the place where it was typed, which then says where it was recorded.
    """
    named = incidents.numbered(connection, request.workspace_id, request.named_number or 0)
    if named is None:
        return reply
    incident = incidents.holder(connection, named)
    if incident.channel_id == request.channel_id:
        return reply
    _tell_there(connection, request, incident, reply)
    if reply.about not in {None, incident.name}:
        return reply
    # Who is called is called there, once.
    reply = replace(reply, text=_CALL.sub("", reply.text))
    there = slack("recorded_there", incident=incident)
    rows = (*reply.rows, Row(text=there)) if reply.rows else ()
    return replace(reply, text=f"{reply.text}\n{there}", rows=rows)


def keep_to_own_channel(connection: Connection, request: Request, reply: Reply) -> Reply:
    """The reply, to the user alone where it is about an incident that not all who are in this channel may see.

    Then it is told in the incident's own channel; what is done to a postmortem has news of its own there. What a person
    is shown alone is decided where it is written.
    """
    alone = request.is_direct or request.channel_id == request.user_id
    if alone:
        return reply
    number = incident_number(reply.about or "") or request.named_number
    if number is not None:
        incident = incidents.numbered(connection, request.workspace_id, number)
        if incident is not None and reply.about is None:
            incident = incidents.holder(connection, incident)
    else:
        incident = incidents.current(connection, request.workspace_id, request.channel_id, sees=request.sees)
    if incident is None or told_in(incident, request.channel_id):
        return reply
    if request.named_number is None and request.command != POSTMORTEM.name:
        _tell_there(connection, request, incident, reply)
        reply = replace(reply, text=_CALL.sub("", reply.text))
    return replace(reply, public=False)


def _tell_there(connection: Connection, request: Request, incident: Incident, reply: Reply) -> None:
    """Post the receipt in the incident's channel, with who did it and where."""
    there = {"text": f"{slack('from_elsewhere', request=request)} {reply.text}", "copy": True}
    outbox.post(connection, request.workspace_id, incident.channel_id, there, at=request.received_at)
