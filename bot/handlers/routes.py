"""From a request to its reply: find the handler, parse the words, then run it in one transaction with its receipt."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.domain.incident.grammar import correction_needs_zone, entry_needs_zone
from bot.domain.words import closest_match, storable
from bot.errors import UsageError
from bot.handlers.incident import incidents, reopen, revisions, timeline
from bot.handlers.items import clicks, items
from bot.handlers.postmortem import checks, drafts, edits, publishing
from bot.handlers.report import reports
from bot.handlers.request import Reply, Request, first_word
from bot.handlers.review import reviews
from bot.telemetry import context
from bot.vocabulary import COMMANDS, INCIDENT, KINDS, Kind
from storage import receipts
from storage.database import Database

Handler = Callable[[Connection, Request], Reply]
InTransaction = Callable[[Connection, Reply], None]

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
"""The handler of each command, or of a command's subcommand."""
INTERACTIONS: dict[str, Handler] = {
    "reopen": reopen.reopen_duplicate,
    "unreact": revisions.unreact,
    edits.SAVE: edits.save,
    **clicks.CLICKS,
}
"""The handlers of clicks, submitted forms and removed reactions, which are no commands of the vocabulary."""
PARSERS: dict[str, Callable[[Request], object]] = {
    **dict.fromkeys(KINDS, timeline.parse),
    "incident open": incidents.parse_opening_words,
    "actionitem": items.parse_new,
}
"""Parse a route's words before its transaction begins; the handler finds the result in `Request.parsed`."""
NEEDS_ZONE: dict[str, Callable[[str], bool]] = {
    **{kind.name: partial(entry_needs_zone, kind) for kind in KINDS.values()},
    "incident edit": correction_needs_zone,
    "postmortem review": lambda words: bool(words.strip()),
}
"""Whether the meaning of a route's words depends on the user's zone."""
_OLD_BUTTON = "That button is of another version of Scribe, so nothing was changed. Please type the command."


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRequest:
    """A request with its handler.

    `received` is the request as it came, `request` the one for the handler: without the subcommand, with `parsed`.
    """

    received: Request
    request: Request
    handler: Handler
    writes: bool

    @property
    def kind(self) -> Kind | None:
        """The kind of timeline entry that it records; None for other commands."""
        return KINDS.get(self.request.command)


def handle(database: Database, request: Request, in_transaction: InTransaction | None = None) -> Reply:
    """Understand the request and answer it; see `understand` and `answer`."""
    return answer(database, understand(request), in_transaction)


def understand(request: Request, locate: Callable[[Request], Request] | None = None) -> ParsedRequest:
    """Find the handler and parse the words, without the database.

    `locate` returns the request with the user's zone, and may ask Slack for it; it is called only where the zone is
    not known and the words hold a clock time that depends on it. Raises UsageError for an unknown command, and for
    words that are invalid in any state of the database.
    """
    storable(request.words)
    route, handler, routed, writes = _find_route(request)
    context.bind(workspace=request.workspace_id, command=routed.command)
    if locate is not None and not request.zone_known and route in NEEDS_ZONE and NEEDS_ZONE[route](routed.words):
        return understand(locate(request))
    if route in PARSERS:
        routed = replace(routed, parsed=PARSERS[route](routed))
    return ParsedRequest(received=request, request=routed, handler=handler, writes=writes)


def answer(database: Database, understood: ParsedRequest, in_transaction: InTransaction | None = None) -> Reply:
    """Run the handler. A write is committed when this returns; a repeated request gets the first reply again.

    `in_transaction` is called with the connection and the reply before the commit, to put further messages into the
    outbox. Raises UsageError for a request that cannot be done; then nothing is written.
    """
    request = understood.request
    if not understood.writes and in_transaction is None:
        with database.read() as connection:
            return understood.handler(connection, request)
    try:
        reply = _write(database, understood, in_transaction)
    except (IntegrityError, UsageError) as error:
        first = _first_reply(database, request)
        if first is not None:
            return first
        if isinstance(error, UsageError):
            raise
        # Another replica revised the same row at the same instant; the second attempt sees its change.
        reply = _write(database, understood, in_transaction)
    context.bind(incident=reply.about, kind=reply.recorded)
    return reply


def _write(database: Database, understood: ParsedRequest, in_transaction: InTransaction | None) -> Reply:
    """Run the handler and save the receipt. For a repeat one of the two fails, and nothing is written.

    No receipt is looked up beforehand: repeats are rare, and of two at the same instant neither would find one.
    """
    request = understood.request
    with database.write() as connection:
        reply = understood.handler(connection, request)
        if in_transaction is not None:
            in_transaction(connection, reply)
        if request.key is not None and reply.form is None:
            receipts.save(connection, request.workspace_id, request.key, reply.to_json(), at=request.received_at)
        return reply


def _first_reply(database: Database, request: Request) -> Reply | None:
    if request.key is None:
        return None
    with database.read() as connection:
        values = receipts.find(connection, request.workspace_id, request.key)
    return None if values is None else Reply.from_json(values)


def _find_route(request: Request) -> tuple[str, Handler, Request, bool]:
    """The route's name, its handler, the request without the subcommand in its words, and whether it writes."""
    if request.command in INTERACTIONS:
        return request.command, INTERACTIONS[request.command], request, True
    if request.source == "click":
        raise UsageError(_OLD_BUTTON)
    command = COMMANDS.get(request.command)
    if command is None:
        raise UsageError(_unknown(request, request.command, COMMANDS, request.slash))
    if not command.subcommands:
        return command.name, ROUTES[command.name], request, command.writes
    word, rest = first_word(request.words)
    if command.name == INCIDENT.name:
        word = word.rstrip(":,")
    known = {each.name: each for each in command.subcommands}
    if word in known:
        route = f"{command.name} {word}"
        return route, ROUTES[route], replace(request, words=rest), known[word].writes
    if command.name in ROUTES:
        return command.name, ROUTES[command.name], request, command.writes
    if command.name == INCIDENT.name and word in KINDS:
        return word, ROUTES[word], replace(request, command=word, words=rest), True
    if not word:
        return "incident help", ROUTES["incident help"], replace(request, words=command.name), False
    choices = [*known, *KINDS] if command.name == INCIDENT.name else list(known)
    raise UsageError(_unknown(request, word, choices, lambda name: f"{request.slash(command.name)} {name}"))


def _unknown(request: Request, word: str, choices: Iterable[str], typed: Callable[[str], str]) -> str:
    guess = closest_match(word, choices)
    meant = f" Did you mean {typed(guess)}?" if guess else ""
    return f"There is no “{word[:40]}”.{meant} {request.slash('incident')} help lists what there is."
