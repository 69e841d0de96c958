"""From a request to its reply: find the handler, parse the words, then run it in one transaction with its receipt."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.documents.rendering import slack
from bot.domain.incident.facts import fact_needs_zone, handover_needs_zone
from bot.domain.incident.grammar import Utterance, correction_needs_zone, entry_needs_zone, looks_secret
from bot.domain.incident.updates import needs_zone as promise_needs_zone
from bot.domain.items.item import ItemWords
from bot.domain.items.references import all_named, before_date, before_days, plainly_named
from bot.domain.words import misspelt, says_nothing, storable, take_incident
from bot.errors import ExampleError, FieldsError, UsageError
from bot.handlers import events, later
from bot.handlers.incident import (
    backfill,
    card,
    channels,
    closing,
    conversations,
    doubts,
    erase,
    facts,
    incidents,
    mentions,
    reopen,
    revisions,
    status,
    timeline,
    updates,
    which,
)
from bot.handlers.incident.incidents import UndecidedError, incident_number
from bot.handlers.items import buttons, clicks, items, rhythms, several
from bot.handlers.permission import TERMINAL, for_members
from bot.handlers.postmortem import buttons as draft_buttons
from bot.handlers.postmortem import checks, drafts, edits, interview, publishing
from bot.handlers.report import reports
from bot.handlers.request import (
    ENTRY_ACTIONS,
    ENTRY_MENU,
    MENTION,
    OLD_BUTTON,
    Reply,
    Request,
    first_word,
    read_value,
    without_secrets,
)
from bot.handlers.review import reviews
from bot.handlers.sources import alerts, lead_up
from bot.telemetry import context
from bot.vocabulary import (
    ACTION_ITEM,
    ALIASES,
    COMMANDS,
    EXPLAINED,
    INCIDENT,
    KINDS,
    LEAD,
    POSTMORTEM,
    ROLE,
    SEVERITY,
    TITLE,
    Alias,
    Command,
    Kind,
    Subcommand,
)
from storage import receipts
from storage.database import Database
from storage.values import UNKNOWN

Handler = Callable[[Connection, Request], Reply]
InTransaction = Callable[[Connection, Reply], None]

TYPED = frozenset({"slash", MENTION, TERMINAL})
"""The sources of requests that were typed as commands."""
ROUTES: dict[str, Handler] = {
    **dict.fromkeys(KINDS, timeline.record),
    "incident open": incidents.open_,
    "incident status": status.status,
    "incident catchup": status.catch_up,
    "incident severity": facts.severity,
    "incident lead": facts.lead,
    "incident handover": facts.handover,
    "incident role": facts.role,
    "incident title": facts.title,
    "incident private": facts.private,
    "incident update": updates.update,
    "incident channel": channels.make,
    "incident archive": channels.archive,
    "incident cancel": closing.cancel,
    "incident duplicate": closing.duplicate,
    "incident merge": closing.merge,
    "incident list": incidents.list_,
    "incident search": incidents.search,
    "incident report": reports.request_report,
    "incident edit": revisions.edit,
    "incident undo": revisions.undo,
    "incident backfill": backfill.open_form,
    "incident erase": erase.ask,
    "incident help": incidents.help_,
    "timeline": timeline.show,
    "postmortem draft": drafts.request_draft,
    "postmortem answer": interview.answer,
    "postmortem show": drafts.show,
    "postmortem edit": edits.edit,
    "postmortem template": drafts.template,
    "postmortem check": checks.check,
    "postmortem strike": checks.strike,
    "postmortem review": reviews.review,
    "postmortem publish": publishing.publish,
    "actionitem": items.add,
    "actionitem list": items.list_,
    "actionitem done": several.each(items.done, all_named),
    "actionitem assign": several.each(items.assign, all_named),
    "actionitem snooze": several.each(items.snooze, before_days),
    "actionitem drop": several.each(items.drop, plainly_named),
    "actionitem due": several.each(items.due, before_date),
    "actionitem link": items.link,
    "actionitem worked": several.each(items.worked, all_named),
    "actionitem confirm": several.each(items.confirm, all_named),
    "actionitem reopen": several.each(items.reopen_item, all_named),
    "actionitem erase": erase.ask_item,
    "actionitem remind": rhythms.remind,
}
"""The handler of each command, or of a command's subcommand."""
SETTINGS: frozenset[Handler] = frozenset(
    {facts.severity, facts.lead, facts.handover, facts.role, facts.title, facts.private, updates.update}
)
"""The handlers that may run again with other words after the first ones were carried out."""
FOR_MEMBERS = {
    "incident list": "The list of incidents",
    "incident search": "The search",
    "incident report": "The report",
}
"""The routes whose answers are about other channels' incidents, and what each is called when it is refused."""
IN_CHANNEL = frozenset(
    {
        *KINDS, "timeline", "incident open", "incident status", "incident catchup", "incident undo", "incident help",
        "incident backfill",
        "postmortem draft", "postmortem show", "postmortem check", "actionitem", "unreact",
        items.FROM_MESSAGE,
        events.REACTION, events.HOME_OPENED, events.JOINED, *card.IN_CHANNEL,
        *alerts.CLICKS, *lead_up.CLICKS, lead_up.RECORD,
    }
)  # fmt: skip
"""The routes that do the same for everybody in an incident's channel, as long as they name no other incident."""
NUMBERED = frozenset({"incident status", "incident catchup", "postmortem draft", "postmortem show", "postmortem check"})
"""Those of them whose words may be an incident's number alone."""
NAMELESS = frozenset({"incident open", "incident list", "incident search", "incident report", "incident help"})
"""The routes whose words are about no one incident, so that a name at their head is a word."""
OF_TWO = frozenset({"incident duplicate", "incident merge"})
"""The routes that name another incident, or two, and read the names themselves."""
OF_ITEMS = frozenset(f"{ACTION_ITEM.name} {each.name}" for each in ACTION_ITEM.subcommands if "NUMBER" in each.hint)
"""The routes whose words begin with an action item's number."""
TIMED_FACTS = (SEVERITY, LEAD, ROLE, TITLE)
"""The facts of an incident whose change takes a time."""
NUMBER_LAST = frozenset({"incident lead", "incident role", "incident severity", "incident private"})
"""The routes whose words are few and known, so that an incident's name after them is no word of theirs."""
_ON_ENTRIES: dict[str, Handler] = {
    timeline.CAME_BACK: reopen.reopen_resolved,
    timeline.SAME: reopen.mark_outage,
    timeline.OTHER: reopen.split_off,
    timeline.HERE: reopen.move_here,
    timeline.RETIME: revisions.correct_resolution,
}


def _choose(connection: Connection, request: Request) -> Reply:
    """Answer the kept request, for the incident that was chosen."""
    return _run(connection, understand(which.chosen(connection, request)))


def _record_said(connection: Connection, request: Request) -> Reply:
    """Record the question as what it began with; the button under its answer sends it."""
    return _run(connection, understand(mentions.as_said(request)))


def _record_nudged(connection: Connection, request: Request) -> Reply:
    """Record what the button under a nudge stands for, as if it was typed; the receipt takes the nudge's place."""
    return replace(_run(connection, understand(updates.as_typed(connection, request))), replaces=True)


def _say(connection: Connection, request: Request) -> Reply:
    """Carry the request out as if it had been typed."""
    return _run(connection, understand(request))


def _press(connection: Connection, request: Request) -> Reply:
    """Do what typing would that a button of the card stands for."""
    reply = _run(connection, understand(card.as_typed(connection, request)))
    # Slack shows who typed a command, but not who pressed a button.
    return card.signed(reply, request) if reply.public else reply


INTERACTIONS: dict[str, Handler] = {
    "reopen": closing.reopen_duplicate,
    closing.CANCEL: closing.cancel,
    closing.OPEN_AGAIN: closing.open_again,
    which.CHOOSE: _choose,
    mentions.RECORD_SAID: _record_said,
    incidents.MAKE_CHANNEL: channels.make,
    channels.ARCHIVE: channels.archive,
    updates.STILL_WORKING: updates.still_working,
    **dict.fromkeys(updates.RECORDED_BY, _record_nudged),
    **dict.fromkeys(card.PRESSES, _press),
    card.ITEM: card.open_item_form,
    **_ON_ENTRIES,
    items.FROM_MESSAGE: items.add,
    "unreact": revisions.unreact,
    "unpin": revisions.unpin,
    **dict.fromkeys((f"{incidents.HELP_MORE}{group}" for group in incidents.HELP), incidents.help_more),
    events.REACTION: events.reaction,
    events.HOME_OPENED: events.home_opened,
    events.JOINED: events.joined,
    **revisions.CLICKS,
    mentions.RECORD: mentions.record_note,
    timeline.SPLIT: backfill.split,
    backfill.PREVIEW: backfill.preview,
    backfill.RECORD: backfill.record,
    conversations.CHOOSE: conversations.open_choice,
    conversations.CHOSEN: conversations.choose,
    **dict.fromkeys((incidents.ERASE, *incidents.ERASE_ONE), erase.clicked),
    erase.KEEP: erase.keep,
    edits.SAVE: edits.save,
    interview.ANSWER: interview.open_form,
    **draft_buttons.CLICKS,
    interview.MILESTONES: partial(interview.record_milestones, say=_say),
    interview.QUESTIONS: partial(interview.record_answers, say=_say),
    **clicks.CLICKS,
    **clicks.ON_DIGESTS,
    rhythms.CHOOSE: rhythms.remind,
    alerts.RECEIVE: alerts.receive,
    **alerts.CLICKS,
    **lead_up.CLICKS,
    lead_up.RECORD: lead_up.record,
}
"""The handlers of clicks, submitted forms, removed reactions and pins, which are no commands of the vocabulary."""
_INCIDENT, _NUMBERED = r"INC-(?P<incident>[0-9]{1,9})", r"(?P<number>[0-9]{1,9})"
_INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\+00:00"
_ENTRY, _AT, _WAS = rf"{_INCIDENT} {_NUMBERED}", rf"(?P<at>{_INSTANT})", rf"(?: was (?P<was>{_INSTANT}))?"
_ITEM, _BEFORE = rf"{_INCIDENT} (?P<words>{_NUMBERED})", r"(?: was (?P<before>\S{1,100}))?"
VALUES: dict[str, re.Pattern[str]] = {
    action: re.compile(form, re.DOTALL)
    for action, form in {
        "reopen": rf"{_INCIDENT} INC-[0-9]{{1,9}}",
        closing.CANCEL: rf"{_INCIDENT} \S.*",
        **dict.fromkeys((closing.OPEN_AGAIN, incidents.MAKE_CHANNEL, channels.ARCHIVE), _INCIDENT),
        **{f"{incidents.HELP_MORE}{group}": group for group in incidents.HELP},
        which.CHOOSE: rf"[0-9a-f]{{16}} (?:{_INCIDENT}|{which.HERE})",
        **dict.fromkeys(_ON_ENTRIES, _ENTRY),
        timeline.HERE: rf"{_ENTRY} INC-[0-9]{{1,9}}",
        timeline.RETIME: _ENTRY + _WAS,
        **dict.fromkeys(revisions.CLICKS, _ENTRY),
        ENTRY_MENU: rf"{_ENTRY} (?P<do>{'|'.join(each.lower() for each in ENTRY_ACTIONS)})",
        **dict.fromkeys(doubts.RETIME, rf"{_ENTRY} {_AT}(?P<about> about)?{_WAS}"),
        **dict.fromkeys((updates.STILL_WORKING, *updates.RECORDED_BY), _ENTRY),
        mentions.RECORD: rf"{_AT} (?P<words>.*\S.*)",
        mentions.RECORD_SAID: rf"{_AT} (?P<kind>{'|'.join(KINDS)})(?: (?P<words>.*))?",
        timeline.SPLIT: _ENTRY,
        conversations.CHOOSE: rf"{_INCIDENT} (?P<token>[0-9a-f]{{32}})",
        **dict.fromkeys((interview.ANSWER, *draft_buttons.CLICKS), _INCIDENT),
        publishing.ANYWAY: rf"{_INCIDENT}(?: (?P<words>[a-zA-Z ]{{1,60}}))?",
        **dict.fromkeys(card.PRESSES, rf"{_INCIDENT} card(?: (?P<choice>SEV[1-4]))?"),
        # The terminal sends it as well, whose words are yet to be parsed.
        **dict.fromkeys((incidents.ERASE, *incidents.ERASE_ONE), rf"{_INCIDENT} (?P<what>entry|item) (?P<words>.+)"),
        erase.KEEP: rf"{_INCIDENT} (?P<name>(?:entry|action item) {_NUMBERED})",
        **dict.fromkeys(clicks.CLICKS, _ITEM),
        buttons.SNOOZE_ALL: r"(?P<on>[0-9]{4}-[0-9]{2}-[0-9]{2}) (?P<words>[\w ]{1,40})",
        **dict.fromkeys((buttons.SHOW, buttons.REVIEWED), _INCIDENT),
        buttons.SNOOZE: rf"{_INCIDENT} (?P<words>{_NUMBERED} [\w ]{{1,40}})",
        **dict.fromkeys(buttons.DUE, rf"{_INCIDENT} (?P<words>{_NUMBERED} [0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})" + _BEFORE),
        **dict.fromkeys((buttons.WORKED, buttons.FAILED), rf"{_INCIDENT} (?P<words>{_NUMBERED} (?:yes|no))"),
        rhythms.CHOOSE: r"[a-z0-9: ]{2,40}",
        **dict.fromkeys(alerts.CLICKS, r"[0-9]{1,18}"),
        **dict.fromkeys(lead_up.TAKE, rf"{_INCIDENT} (?P<number>[0-9]{{1,18}})"),
        lead_up.CHOOSE: _INCIDENT,
        buttons.OWNER: rf"{_INCIDENT} (?P<words>{_NUMBERED} [A-Z0-9]{{1,21}})" + _BEFORE,
    }.items()
}
"""The form of each button's value; the handler finds its parts in `Request.parsed`."""
PARSERS: dict[str, Callable[[Request], object]] = {
    **dict.fromkeys(KINDS, timeline.parse),
    "incident open": incidents.parse_opening_words,
    **{f"incident {kind}": partial(facts.parse, kind) for kind in TIMED_FACTS},
    "incident update": updates.parse,
    "incident handover": facts.parse_given,
    **dict.fromkeys(("actionitem", items.FROM_MESSAGE), items.parse_new),
}
"""Parse a route's words before its transaction begins; the handler finds the result in `Request.parsed`."""
_NUMBER = re.compile(r"#?([0-9]{1,9})(?=[\s:,]|$)")
ADDS: dict[str, Callable[[Request], bool]] = {
    "actionitem due": items.adds,
    "actionitem remind": rhythms.adds,
    "actionitem worked": lambda request: bool(request.words.strip()) and _NUMBER.match(request.words) is None,
}
"""Whether the words after a subcommand's are of a new thing, so that the word is one of them and no subcommand."""
KEEPS: dict[str, Callable[[str], bool]] = {"incident backfill": conversations.keeps}
"""Whether a subcommand that only reads has to keep something with these words."""
NEEDS_ZONE: dict[str, Callable[[str], bool]] = {
    **{kind.name: partial(entry_needs_zone, kind) for kind in KINDS.values()},
    "incident edit": lambda words: correction_needs_zone(words) or promise_needs_zone(words),
    "incident update": promise_needs_zone,
    **{f"incident {kind}": partial(fact_needs_zone, kind) for kind in TIMED_FACTS},
    "incident handover": handover_needs_zone,
    **dict.fromkeys(("postmortem review", "actionitem remind"), lambda words: bool(words.strip())),
    **dict.fromkeys(("incident backfill", timeline.SPLIT, backfill.PREVIEW, backfill.RECORD), lambda _words: True),
}
"""Whether the meaning of a route's words depends on the user's zone."""
_TURNED = re.compile(
    r"\s*(?P<number>#?[0-9]{1,9})[:,.]? +(?P<verb>done|drop|confirm|reopen|assign|due|snooze|worked)\b(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRequest:
    """A request with its handler.

    `received` is the request as it came, `request` the one for the handler: without the subcommand and the incident
    named at the head of the words, with `parsed`. `route` is the command, or the command and its subcommand.
    """

    received: Request
    request: Request
    handler: Handler
    writes: bool
    route: str

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
    if route in VALUES:
        routed = replace(routed, parsed=read_value(VALUES[route], request))
    if route in NUMBER_LAST:
        routed = _number_last(routed)
    names_incident = route not in NAMELESS | OF_TWO and (route in ROUTES or route in _ON_ENTRIES)
    if names_incident and routed.incident_number is None and routed.named_number is None:
        number, words = take_incident(routed.words)
        routed = routed if number is None else replace(routed, words=words, named_number=number)
        routed = several.named(routed) if number is None and route in OF_ITEMS else routed
    context.bind(workspace=request.workspace_id, command=routed.command)
    if locate is not None and (_needs_zone(request, route, routed) or _needs_standing(route, routed)):
        return understand(locate(request))
    if route in FOR_MEMBERS and not request.is_member:
        raise for_members(request, FOR_MEMBERS[route])
    if "?" in f"{request.details.get(mentions.SAID)}{request.words}" and mentions.is_question(
        request, route, routed.words
    ):
        handler, writes, route = mentions.answer_question, False, "mention"
        return ParsedRequest(received=request, request=routed, handler=handler, writes=writes, route=route)
    if route in PARSERS:
        parsed = _parse(route, routed)
        unnamed = names_incident and routed.incident_number is None and routed.named_number is None
        if unnamed and isinstance(parsed, Utterance | ItemWords):
            number, words = _take_later(routed.words, parsed.text)
            routed = replace(routed, words=words, named_number=number)
            parsed = _parse(route, routed) if number is not None else parsed
            if number is not None and locate is not None and _needs_standing(route, routed):
                return understand(locate(request))
        routed = replace(routed, parsed=parsed)
    return ParsedRequest(received=request, request=routed, handler=handler, writes=writes, route=route)


def _parse(route: str, request: Request) -> object:
    try:
        return PARSERS[route](request)
    except ExampleError as error:
        raise _completed(error, route, request) from None


def _completed(error: ExampleError, route: str, request: Request) -> UsageError:
    """The error with its example as the whole command that the user types; as it is where nothing was typed."""
    if route not in ROUTES or request.source not in TYPED:
        return error
    command, _, subcommand = route.partition(" ")
    name = f"INC-{request.named_number}" if request.named_number is not None else ""
    number = _NUMBER.match(request.words.strip()) if route in OF_ITEMS or route == "incident edit" else None
    words = (request.slash(command), subcommand, name, number[1] if number else "", error.example)
    return UsageError(f"{error.problem} Try: {' '.join(filter(None, words))}")


def _needs_zone(request: Request, route: str, routed: Request) -> bool:
    return not request.zone_known and route in NEEDS_ZONE and NEEDS_ZONE[route](routed.words)


def _needs_standing(route: str, routed: Request) -> bool:
    """Whether the user's standing decides the answer, and is not known."""
    if routed.standing != UNKNOWN:
        return False
    elsewhere = routed.named_number is not None or routed.is_direct or (route in NUMBERED and routed.words.strip())
    return route not in IN_CHANNEL or bool(elsewhere)


def _take_later(words: str, text: str) -> tuple[int | None, str]:
    """The incident named behind the time, the owner or what else stands before the text; and the words without it."""
    before = words.rstrip().removesuffix(text)
    number, rest = take_incident(text)
    return (None, words) if number is None or before == words.rstrip() else (number, f"{before}{rest}")


def answer(database: Database, understood: ParsedRequest, in_transaction: InTransaction | None = None) -> Reply:
    """Run the handler. A write is committed when this returns; a repeated request gets the first reply again.

    `in_transaction` is called with the connection and the reply before the commit, to put further messages into the
    outbox. Raises UsageError for a request that cannot be done; then nothing is written.
    """
    try:
        return _answer(database, understood, in_transaction)
    except UsageError as raised:
        error = raised
        if isinstance(raised, ExampleError):
            error = _completed(raised, understood.route, understood.request)
        if understood.request.is_member or not ("INC-" in str(error) or isinstance(error, FieldsError)):
            raise error from None
        with database.read() as connection:
            masked = partial(which.mask, connection, understood.received)
            problem = masked(str(error))
            fields = error.problems if isinstance(error, FieldsError) else {}
            by_field = {name: masked(each) for name, each in fields.items()}
        raise (FieldsError(by_field) if by_field else UsageError(problem)) from None


def _answer(database: Database, understood: ParsedRequest, in_transaction: InTransaction | None) -> Reply:
    request = understood.request
    if not understood.writes and in_transaction is None:
        # To ask which incident is meant, and to answer later, the request must be kept, which is a write.
        with suppress(UndecidedError, later.SlowError), database.read() as connection:
            return _as_seen(connection, request, understood.handler(connection, request))
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

    def work(connection: Connection) -> Reply:
        repeatable = understood.kind is not None or understood.handler in SETTINGS or not understood.writes
        if request.revises is not None and not repeatable:
            timeline.check_not_done(connection, request)
        reply = _run(connection, understood)
        if in_transaction is not None:
            in_transaction(connection, reply)
        if request.key is not None and reply.form is None:
            receipts.save(connection, request.workspace_id, request.key, reply.to_json(), at=request.received_at)
        return reply

    # Entries are short to write, and come in crowds.
    if understood.kind is not None:
        return database.write_together(work)
    with database.write() as connection:
        return work(connection)


def _run(connection: Connection, understood: ParsedRequest) -> Reply:
    """The handler's reply, or the question which incident is meant.

    What is recorded on an incident of another channel is told there too.
    """
    request = understood.request
    try:
        reply = understood.handler(connection, request)
    except UndecidedError as undecided:
        if request.command not in COMMANDS or request.incident_number is not None:
            raise
        return which.ask(connection, understood.received, undecided)
    except later.SlowError:
        return later.promise(connection, understood.received)
    if reply.public and (shown := without_secrets(reply.text)) != reply.text:
        rows = tuple(replace(row, text=without_secrets(row.text)) for row in reply.rows)
        reply = _withhold(request, replace(reply, text=shown, rows=rows))
    if request.named_number is not None and reply.public and request.command != POSTMORTEM.name:
        reply = which.tell_both(connection, request, reply)
    if reply.public and not reply.own:
        reply = which.keep_to_own_channel(connection, request, reply)
    return _as_seen(connection, request, reply)


def _as_seen(connection: Connection, request: Request, reply: Reply) -> Reply:
    """The reply as the user may see it: for who is no member, without the names of other channels' incidents."""
    return reply if request.is_member else which.without_other_incidents(connection, request, reply)


def _withhold(request: Request, reply: Reply) -> Reply:
    """The reply without the secret; to the user alone, with what to do, where the words just typed hold it."""
    if not looks_secret(request.words):
        return reply
    hint = slack("withheld", request=request)
    return replace(reply, text=f"{reply.text}\n{hint}", public=False, rows=())


def _first_reply(database: Database, request: Request) -> Reply | None:
    if request.key is None:
        return None
    with database.read() as connection:
        values = receipts.find(connection, request.workspace_id, request.key)
    return None if values is None else Reply.from_json(values)


def _find_route(request: Request) -> tuple[str, Handler, Request, bool]:
    """The route's name, its handler, the request without the subcommand in its words, and whether it writes."""
    if request.source == "click" and request.command not in VALUES and card.STANDS_FOR not in request.details:
        raise UsageError(OLD_BUTTON)
    if request.command in INTERACTIONS and request.source != "mention":
        keyed = replace(request, key=mentions.key(request)) if request.command in mentions.RECORDS else request
        return request.command, INTERACTIONS[request.command], keyed, True
    command = COMMANDS.get(request.command)
    if command is None and mentions.SAID in request.details:
        # Under a key of its own: nothing was carried out that an edit of the mention could not do.
        key = request.key and f"answered:{request.key}"
        return "mention", mentions.answer, replace(request, words=request.details[mentions.SAID], key=key), False
    if command is None:
        raise UsageError(_unknown(request, request.command, COMMANDS, request.slash))
    if not command.subcommands:
        return command.name, ROUTES[command.name], request, command.writes
    return _find_subcommand(request, command)


def _find_subcommand(request: Request, command: Command) -> tuple[str, Handler, Request, bool]:
    """The same for a command with subcommands: by its own words, else by what other tools call them."""
    number, words = take_incident(request.words)
    word, rest = first_word(words)
    if command.name == INCIDENT.name:
        word = word.rstrip(":,.!?")
    known = {each.name: each for each in command.subcommands}
    if command.name == ACTION_ITEM.name and (turned := _TURNED.match(words)):
        # The number first, as in a list: `1 done`, `3 drop why`.
        verb, more = turned["verb"].casefold(), turned["rest"].strip()
        if verb in known and bool(more) == (" " in known[verb].hint):
            word, rest = verb, f"{turned['number']} {more}".strip()
    route = f"{command.name} {word}"
    if word in known and not (route in ADDS and ADDS[route](replace(request, words=take_incident(rest)[1]))):
        if route in OF_TWO and number is not None:
            raise UsageError(
                f"Name the incidents after it: {request.slash(command.name)} {word} INC-{number}, "
                f"or {request.slash('incident')} help"
            )
        number = None if route in NAMELESS else number
        writes = known[word].writes or (route in KEEPS and KEEPS[route](rest))
        return route, ROUTES[route], _naming(request, number, words=rest), writes
    if command.name == INCIDENT.name and word in COMMANDS and word != command.name:
        return _find_route(replace(_naming(request, number, words=rest), command=word))
    free = command.name in ROUTES
    if (alias := ALIASES[command.name].get(word)) and (not free or _fits(known[alias.means.split()[0]], rest)):
        return _find_route(_naming(request, number, words=_in_our_words(alias, rest)))
    entry = _NUMBER.match(rest)
    if (advice := EXPLAINED[command.name].get(word)) and (not free or entry):
        typed = {name: request.slash(name) for name in COMMANDS}
        name = "" if number is None else f" INC-{number}"
        typed |= {each: f"{typed[each]}{name}" for each in (*KINDS, ACTION_ITEM.name)}
        words = _Words("" if says_nothing(rest) else rest)
        raise UsageError(advice.format(number=entry[1] if entry else "NUMBER", words=words, **typed))
    if free:
        return command.name, ROUTES[command.name], request, command.writes
    if command.name == INCIDENT.name and number is not None and not word:
        return "incident status", ROUTES["incident status"], request, False
    if not word:
        return "incident help", ROUTES["incident help"], replace(request, words=command.name), False
    choices = [*known, *(KINDS if command.name == INCIDENT.name else ()), *ALIASES[command.name]]
    raise UsageError(_unknown(request, word, choices, lambda name: f"{request.slash(command.name)} {name}"))


class _Words(str):
    """Words in an advice, where the example in the format stands for none."""

    __slots__ = ()

    def __format__(self, example: str) -> str:
        return str(self) or example


def _fits(subcommand: Subcommand, rest: str) -> bool:
    """Whether the words are what the subcommand takes: a number where it has one. Other words may be an item's."""
    first, _, more = subcommand.hint.partition(" ")
    number = _NUMBER.match(rest) if first == "NUMBER" else None
    return not rest or (number is not None and (bool(more) or number.end() == len(rest)))


def _in_our_words(alias: Alias, rest: str) -> str:
    rest = "" if says_nothing(rest) else rest
    if incident_number(rest) is not None and alias.with_words:
        subcommand, _, argument = alias.means.partition(" ")
        return f"{subcommand} {rest} {argument}"
    return f"{(rest and alias.with_words) or alias.means} {rest}".strip()


def _number_last(request: Request) -> Request:
    """The request with the incident that its last word names."""
    *before, last = request.words.rsplit(maxsplit=1) or [""]
    number = incident_number(last)
    return request if number is None or not before else _naming(request, number, words=before[0])


def _naming(request: Request, number: int | None, *, words: str) -> Request:
    """The request for the incident of that number, where there is one, with those words."""
    if number is None or request.incident_number is not None:
        return replace(request, words=words)
    return replace(request, words=words, named_number=number)


def _unknown(request: Request, word: str, choices: Iterable[str], typed: Callable[[str], str]) -> str:
    guess = misspelt(word, choices)
    meant = f" Did you mean {typed(guess)}?" if guess else ""
    return f"There is no “{word[:40]}”.{meant} {request.slash('incident')} help lists what there is."
