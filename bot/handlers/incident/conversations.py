"""A conversation that is already there: which of its messages belong on the timeline, chosen, and recorded once.

It comes out of Slack's history, of a Slack export or of pasted text; what is proposed and what is recorded is the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.backfill import Proposal, propose
from bot.domain.incident.conversation import (
    ChatMessage,
    TimeSpan,
    is_conversation,
    message_key,
    parse_conversation,
    parse_span,
    said_key,
)
from bot.domain.incident.grammar import looks_secret, take_qualifier
from bot.domain.incident.secrets import secrets_in
from bot.domain.time.format import stamp
from bot.domain.words import MAX_CHARACTERS, clipped, storable, take_incident, trimmed
from bot.errors import UsageError
from bot.handlers.incident import doubts
from bot.handlers.incident.incidents import commands_about, erase_buttons, get_current, read_course
from bot.handlers.incident.timeline import sync_open_state
from bot.handlers.permission import require_permission
from bot.handlers.request import Button, Reply, Request
from bot.vocabulary import DETECTED, KINDS, RESOLVED, Kind
from storage import incidents, outbox, timeline
from storage.sources import backfills
from storage.sources.backfills import Backfill
from storage.values import BACKFILL, Incident, TimelineEntry, whole_milliseconds

HISTORY: Final = "history"
"""The action of the job that reads the conversation from Slack."""
CHOOSE: Final = "backfill_choose"
"""The action of the button that opens the form with the ticks; the form has the same name."""
CHOSEN: Final = "backfill_chosen"
"""The submitted form: the ticks of one page, and what follows."""
RECORD_ALL: Final = "record"
"""What the form's menu says for "record now"; other values are numbers of pages."""
PAGE: Final = 30
"""Messages on a page of the form: Slack takes 100 blocks and about 250 kB."""
MOST_SHOWN: Final = 900
"""Messages that the form can hold; of a longer conversation those without any sign for them are left out."""
_GONE = (
    "That conversation is kept no longer: it is for a day, until any words are erased, or until it is "
    "recorded. Read it again: {how}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was recorded, and how many of the chosen messages were there already, or may hold a secret."""

    entries: tuple[TimelineEntry, ...]
    known: int
    secrets: int


def span_of(connection: Connection, request: Request, incident: Incident, words: str) -> TimeSpan | None:
    """The stretch of time that the words are; None for others. Raises UsageError for one that cannot be."""
    return parse_span(words, now=request.now, zone=request.zone, course=_course(connection, incident))


def keeps(words: str) -> bool:
    """Whether `/incident backfill` with these words needs to keep something: a stretch of time, or a conversation."""
    _, rest = take_incident(words)
    return (
        "\n" not in rest and any(sign in rest for sign in ("..", "\u2026", " to ", "-", "\u2013"))
    ) or is_conversation(rest)


def _course(connection: Connection, incident: Incident) -> Any:
    return doubts.course(read_course(connection, incident))


def proposals(connection: Connection, incident: Incident, messages: Iterable[ChatMessage]) -> list[Proposal]:
    """The proposals out of the messages, of which those on the incident's timeline already say so."""
    known = _known(connection, incident.id)
    there = [kind for kind in (DETECTED, RESOLVED) if timeline.has(connection, incident.id, kind)]
    return propose(
        messages,
        entry_of=lambda message: known.get(message.key) or known.get(said_key(message.at, message.text)),
        milestones=there,
    )


def _known(connection: Connection, incident_id: int) -> Mapping[str, tuple[int, bool]]:
    """The entries of the incident by what their messages are known by; whether each is taken back."""
    known: dict[str, tuple[int, bool]] = {}
    # One that stands counts before one that was taken back.
    for number, link, at, text, gone in sorted(timeline.said(connection, incident_id), key=lambda row: not row[4]):
        for key in (message_key(link), said_key(at, text)):
            if key is not None:
                known[key] = number, gone
    return known


def record(
    connection: Connection, request: Request, incident: Incident, chosen: Sequence[tuple[ChatMessage, str]]
) -> Recorded:
    """Append an entry for each message that is not on the timeline, with its kind, in the order in which it was said.

    Raises UsageError where there is a resolution among them that the user may not record.
    """
    if any(kind == RESOLVED for _, kind in chosen):
        require_permission(connection, request, incident, "resolve")
    known = {key for key, (_, gone) in _known(connection, incident.id).items() if not gone}
    entries: list[TimelineEntry] = []
    seen = secrets = 0
    for message, kind in sorted(chosen, key=lambda each: each[0].at):
        keys = {message.key, said_key(message.at, message.text)}
        if known & keys:
            seen += 1
        elif secrets_in(message.text):
            secrets += 1
        else:
            known |= keys
            entries.append(_append(connection, request, incident, message, KINDS[kind]))
    for kind in {entry.kind for entry in entries}:
        sync_open_state(connection, request, incident, kind)
    return Recorded(entries=tuple(entries), known=seen, secrets=secrets)


def _append(
    connection: Connection, request: Request, incident: Incident, message: ChatMessage, kind: Kind
) -> TimelineEntry:
    words = trimmed(storable(clipped(message.text, MAX_CHARACTERS)))
    qualifier, text, _ = take_qualifier(kind, words)
    if message.files and not text:
        text = ", ".join(message.files)
    if kind.name == DETECTED and qualifier is None and message.by_app:
        qualifier = "monitoring"
    return timeline.append(
        connection,
        incident.id,
        kind=kind.name,
        occurred_at=whole_milliseconds(message.at),
        recorded_at=request.received_at,
        author=message.author,
        author_id=message.author_id or message.author[:64],
        recorded_by_id=request.user_id,
        text=text,
        qualifier=qualifier,
        source=BACKFILL,
        permalink=message.permalink,
        people={name: user_id for name, user_id in message.people.items() if f"@{name}" in text} or None,
        approximate=False,
        until_at=None,
    )


def ask_history(connection: Connection, request: Request, incident: Incident, span: TimeSpan) -> Reply:
    """Have the channel's messages of that stretch read, and offered with ticks; said at once, done by the outbox.

    The channel is that in which it was typed: who types there reads there. Raises UsageError in a conversation with
    Scribe alone.
    """
    if request.is_direct:
        raise UsageError(
            f"Type it in the channel whose conversation it is: {request.slash('incident')} backfill {incident.name} "
            f"{request.words.strip()}"
        )
    content: dict[str, Any] = {"messages": [], "cursor": None, "threads": []}
    token = backfills.begin(connection, incident.id, user_id=request.user_id, content=content, at=request.received_at)
    job = {
        "token": token,
        "incident_id": incident.id,
        "channel": request.channel_id,
        "asked_by": request.user_id,
        "start": span.start.timestamp(),
        "end": span.end.timestamp(),
        "request": request.to_json(),
    }
    # A lane of its own: what is posted in the channel does not wait for it.
    outbox.add(
        connection, request.workspace_id, lane=f"{HISTORY}:{token}", action=HISTORY, content=job, at=request.received_at
    )
    return Reply(text=slack("reading", incident=incident, start=span.start, end=span.end, request=request), own=True)


def offer(
    connection: Connection, request: Request, incident_id: int, token: str, messages: Sequence[ChatMessage]
) -> Reply:
    """Keep the proposals, and offer the form with the ticks; says so where there is nothing to choose from."""
    incident = incidents.holder(connection, incidents.by_id(connection, incident_id))
    if not request.sees(incident):
        backfills.settle(connection, token)
        return Reply(text=slack("not_offered", incident=incident, request=request))
    found = proposals(connection, incident, messages)
    shown = _shown(found)
    if not shown:
        backfills.settle(connection, token)
    else:
        content = {"proposals": [each.to_json() for each in shown], "chosen": {}}
        backfills.keep(connection, token, content)
    text = slack(
        "offered", incident=incident, found=found, shown=shown, request=request,
        ticked=sum(each.ticked for each in found),
        known=sum(each.entry is not None and not each.taken_back for each in found),
    )  # fmt: skip
    return Reply(text=text, buttons=_choose_button(incident, token) if shown else (), about=incident.name)


def _choose_button(incident: Incident, token: str) -> tuple[Button, ...]:
    return (Button(label="Choose what goes in", action=CHOOSE, value=f"{incident.name} {token}"),)


def _shown(found: Sequence[Proposal]) -> list[Proposal]:
    """What the form shows, at most MOST_SHOWN: first what is ticked, then what has a sign for it, then the rest.

    What is on the timeline already, may hold a secret, or is Scribe's own is not shown, as it cannot be chosen.
    """
    open_ = [
        each
        for each in found
        if (each.entry is None or each.taken_back) and not each.message.own and not secrets_in(each.message.text)
    ]
    ranked = sorted(open_, key=lambda each: (not each.ticked, not each.reasons, each.number))
    return ranked[:MOST_SHOWN]


def preview(connection: Connection, request: Request, incident: Incident, words: str) -> Reply:
    """The form with the ticks for a pasted conversation."""
    messages = parse_conversation(
        storable(words), now=request.now, zone=request.zone, course=_course(connection, incident)
    )
    token = backfills.begin(connection, incident.id, user_id=request.user_id, content={}, at=request.received_at)
    reply = offer(connection, request, incident.id, token, messages)
    kept = backfills.find(connection, token)
    return reply if kept is None else _page(request, incident, kept, 0)


def open_choice(connection: Connection, request: Request) -> Reply:
    """`INC-1 TOKEN`, of the button: open the form with the ticks at its first page."""
    request = replace(request, incident_number=int(request.parsed["incident"]))
    incident, kept = _kept(connection, request, request.parsed["token"])
    return _page(request, incident, kept, 0)


def choose(connection: Connection, request: Request) -> Reply:
    """One page of the form was submitted: keep its ticks, and show another page or record what is ticked.

    What stands on a page that was never shown is not recorded, ticked or not.
    """
    incident, kept = _kept(connection, request, request.details["token"], lock=True)
    page, lines = request.details["page"], [int(each) for each in request.details["lines"].split(",") if each]
    chosen = {**kept.content["chosen"], page: lines}
    then = request.details["then"]
    if then != RECORD_ALL:
        content = {**kept.content, "chosen": chosen}
        backfills.keep(connection, kept.token, content)
        return _page(request, incident, replace(kept, content=content), int(then))
    found = [Proposal.from_json(each) for each in kept.content["proposals"]]
    numbers = {number for some in chosen.values() for number in some}
    ticked = [(each.message, each.kind) for each in found if each.number in numbers]
    if not ticked:
        raise UsageError("Nothing is ticked, so nothing was recorded.")
    incident = get_current(connection, replace(request, incident_number=incident.number), lock=True)
    recorded = record(connection, request, incident, ticked)
    backfills.settle(connection, kept.token)
    unseen = sum(each.ticked for number, each in enumerate(found) if str(number // PAGE) not in chosen)
    return receipt(connection, request, incident, recorded, unseen=unseen)


def _kept(connection: Connection, request: Request, token: str, *, lock: bool = False) -> tuple[Incident, Backfill]:
    """The incident and what is kept for it under that token.

    Raises UsageError where the user may not see the incident, where another asked, and once it is settled.
    """
    incident = get_current(connection, request)
    kept = backfills.find(connection, token, lock=lock)
    own = kept is not None and kept.user_id == request.user_id and "proposals" in kept.content
    if (
        kept is None
        or not own
        or incidents.holder(connection, incidents.by_id(connection, kept.incident_id)).id != incident.id
    ):
        raise UsageError(_GONE.format(how=f"{request.slash('incident')} backfill 14:00..15:30"))
    return incident, kept


def _page(request: Request, incident: Incident, kept: Backfill, page: int) -> Reply:
    """The form at that page, with the ticks that it had, or those that are proposed."""
    found = [Proposal.from_json(each) for each in kept.content["proposals"]]
    pages = -(-len(found) // PAGE)
    page = min(max(page, 0), pages - 1)
    before = kept.content["chosen"].get(str(page))
    here = found[page * PAGE : (page + 1) * PAGE]
    ticked = {each.number for each in here if each.ticked} if before is None else set(before)
    zone = request.zone if request.zone_known else None
    today = request.received_at.date()
    lines = [
        {
            "value": str(each.number),
            "label": f"{stamp(each.message.at, zone, today)} · {KINDS[each.kind].label} · {each.message.author}",
            "text": slack("proposal", proposal=each, at=stamp(each.message.at, zone, today)),
            "words": each.message.text or ", ".join(each.message.files),
            "ticked": each.number in ticked,
        }
        for each in here
    ]
    fills = {
        "incident": incident,
        "token": kept.token,
        "page": page,
        "pages": pages,
        "lines": lines,
        "more": any(each.ticked for each in found[(page + 1) * PAGE :]),
    }
    return Reply(text="", form=CHOOSE, fills=fills)


def receipt(
    connection: Connection, request: Request, incident: Incident, recorded: Recorded, *, unseen: int = 0
) -> Reply:
    """What was recorded, as the channel is told."""
    secrets = [entry.number for entry in recorded.entries if looks_secret(entry.text)]
    text = slack(
        "backfilled", incident=incident, entries=recorded.entries, left=(), secrets=secrets, known=recorded.known,
        withheld=recorded.secrets, unseen=unseen, request=request,
        command=commands_about(connection, request, incident),
    )  # fmt: skip
    return Reply(text=text, public=True, buttons=erase_buttons(incident, secrets), about=incident.name)
