"""Which handler serves which command: the one way from a request to its answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.domain.incident.grammar import Utterance, parse_entry
from bot.domain.incident.opening import nearest
from bot.domain.words import storable
from bot.errors import UsageError
from bot.handlers.incident import incidents, reopen, revisions, timeline
from bot.handlers.items import items
from bot.handlers.postmortem import checks, drafts, edits, publishing
from bot.handlers.report import reports
from bot.handlers.request import Reply, Request, first_word
from bot.handlers.review import reviews
from bot.telemetry import context
from bot.vocabulary import COMMANDS, INCIDENT, KINDS, Command, Kind
from storage import receipts
from storage.database import Database

Handler = Callable[[Connection, Request], Reply]
_OLD_BUTTON = "That button is of another version of Scribe, so nothing was changed. Please type the command."
Also = Callable[[Connection, Reply], None]

ROUTES: dict[str, Handler] = {
    **dict.fromkeys(KINDS, timeline.record),
    "incident open": incidents.open_,
    "incident status": incidents.status,
    "incident severity": incidents.severity,
    "incident lead": incidents.lead,
    "incident title": incidents.title,
    "incident private": incidents.private,
    "incident list": incidents.list_,
    "incident search": incidents.search,
    "incident report": reports.request_report,
    "incident edit": revisions.edit,
    "incident undo": revisions.undo,
    "incident help": incidents.help_,
    "timeline": timeline.show,
    "postmortem draft": drafts.request_draft,
    "postmortem show": drafts.show,
    "postmortem edit": edits.edit,
    "postmortem template": drafts.template,
    "postmortem check": checks.check,
    "postmortem review": reviews.review,
    "postmortem publish": publishing.publish,
    "actionitem": items.add,
    "actionitem list": items.list_,
    "actionitem done": items.done,
    "actionitem assign": items.assign,
    "actionitem snooze": items.snooze,
    "actionitem drop": items.drop,
    "actionitem due": items.due,
    "actionitem link": items.link,
    "actionitem confirm": items.confirm,
    "actionitem reopen": items.reopen_item,
}
GESTURES: dict[str, Handler] = {
    "reopen": reopen.reopen_duplicate,
    "unreact": revisions.unreact,
    edits.SAVE: edits.save,
    **items.CLICKS,
}
"""What a click, a reaction taken away or a form does; they are no commands, so the vocabulary does not know them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """An entry as it was read: what kind, and what it says."""

    kind: Kind
    utterance: Utterance


def handle(database: Database, request: Request, also: Also | None = None) -> Reply:
    """Answer the request. A write is committed when this returns; a repeat gets the first answer again.

    `also` is done in the same transaction, with the reply: to put into the outbox what cannot be said in an ack.
    Raises UsageError for what cannot be done, with nothing written.
    """
    context.note(workspace=request.workspace_id)
    storable(request.words)
    handler, request, writes = _find(request)
    context.note(command=request.command)
    if not writes and also is None:
        with database.read() as connection:
            return handler(connection, request)
    try:
        return _written(database, request, handler, also)
    except (IntegrityError, UsageError) as error:
        first = _first_answer(database, request)
        if first is not None:
            return first
        if isinstance(error, UsageError):
            raise
    # Another replica revised the same row at the same instant.
    return _written(database, request, handler, also)


def _written(database: Database, request: Request, handler: Handler, also: Also | None) -> Reply:
    """Do it, and note what it was once it is committed; a repeat is noted of nothing."""
    reply = _write(database, request, handler, also)
    context.note(incident=reply.about, kind=reply.recorded)
    return reply


def writes(request: Request) -> bool:
    """Whether the request changes anything. Raises UsageError for a command there is not."""
    return _find(request)[2]


def understood(request: Request) -> Understood | None:
    """How the request's entry will be read, without the store; None where the request is no entry.

    Raises UsageError for words that can be no entry, whatever is stored.
    """
    storable(request.words)
    _, found, _ = _find(request)
    kind = KINDS.get(found.command)
    if kind is None:
        return None
    return Understood(kind=kind, utterance=parse_entry(kind, found.words, now=found.now, zone=found.zone))


def _first_answer(database: Database, request: Request) -> Reply | None:
    if request.key is None:
        return None
    with database.read() as connection:
        answer = receipts.find(connection, request.workspace_id, request.key)
    return None if answer is None else Reply.from_json(answer)


def _write(database: Database, request: Request, handler: Handler, also: Also | None) -> Reply:
    """Do it and keep the receipt. A repeat fails at the receipt, or before, and leaves nothing behind.

    Nobody looks for an earlier receipt first: repeats are rare, and two at one instant would both find none.
    """
    with database.write() as connection:
        reply = handler(connection, request)
        if also is not None:
            also(connection, reply)
        if request.key is not None and reply.form is None:
            answer = reply.to_json()
            receipts.keep(connection, request.workspace_id, request.key, answer, at=request.received_at)
        return reply


def _find(request: Request) -> tuple[Handler, Request, bool]:
    """The handler, the request with its subcommand taken off the words, and whether it writes."""
    if request.command in GESTURES:
        return GESTURES[request.command], request, True
    if request.source == "click":
        raise UsageError(_OLD_BUTTON)
    command = COMMANDS.get(request.command)
    if command is None:
        raise UsageError(_unknown(request, request.command, COMMANDS, request.slash))
    if not command.subcommands:
        return ROUTES[command.name], request, command.writes
    return _subcommand(command, request)


def _subcommand(command: Command, request: Request) -> tuple[Handler, Request, bool]:
    word, rest = first_word(request.words)
    if command.name == INCIDENT.name:
        word = word.rstrip(":,")
    known = {each.name: each for each in command.subcommands}
    if word in known:
        return ROUTES[f"{command.name} {word}"], replace(request, words=rest), known[word].writes
    if command.name in ROUTES:
        return ROUTES[command.name], request, command.writes
    if command.name == INCIDENT.name and word in KINDS:
        return ROUTES[word], replace(request, command=word, words=rest), True
    if not word:
        return ROUTES["incident help"], replace(request, words=command.name), False
    choices = [*known, *KINDS] if command.name == INCIDENT.name else list(known)
    raise UsageError(_unknown(request, word, choices, lambda name: f"{request.slash(command.name)} {name}"))


def _unknown(request: Request, word: str, choices: Iterable[str], typed: Callable[[str], str]) -> str:
    guess = nearest(word, choices)
    meant = f" Did you mean {typed(guess)}?" if guess else ""
    return f"There is no “{word[:40]}”.{meant} {request.slash('incident')} help lists what there is."
