"""Words said to Scribe by a mention that begin with no command: thanks, questions, and what looks like a note."""

import re
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.words import misspelt, take_incident
from bot.handlers.incident import incidents, status, timeline
from bot.handlers.request import MENTION, Button, Reply, Request, first_word
from bot.vocabulary import COMMANDS, DETECTED, INCIDENT, INVESTIGATING, KINDS, LESSON, NOTE
from storage.items import action_items

RECORD = "record_note"
"""The action of the button that records the words as a note."""
RECORD_SAID = "record_said"
"""The action of the button that records a question as the kind of entry that it began with."""
RECORDS = (RECORD, RECORD_SAID)
SAID = "said"
"""The key of a mention's whole words in the request's details."""
_LONGEST = 1900
"""The most characters of words in a button, whose value has room for 2000 with the time before them."""
_THANKS = re.compile(
    r"(?:(?:many|much|ok|okay|great|no)\b\W*)*(?:thanks?|thank you|thx|ty|cheers|kudos|danke|merci|gracias"
    r"|good (?:bot|job)|well done|nice)\b.{0,40}",
    re.IGNORECASE,
)
_HELLO = re.compile(
    r"(?:hi|hello|hey|hallo|moin|howdy|yo|ping|test|are you (?:there|up|alive)|good (?:morning|evening|night))\b"
    r".{0,20}",
    re.IGNORECASE,
)
_ASKED = re.compile(r"\b(status|timeline)\b", re.IGNORECASE)
_MARKED = re.compile(r"\?[?!.,:)\s]*$")
_MAY_ASK = frozenset({NOTE, INVESTIGATING, LESSON})
"""The kinds whose words may well be a question."""
_ASKED_BARE = frozenset({f"{INCIDENT.name} {each}" for each in ("undo", "private", "cancel")})
"""The routes that do something without a word after them."""
_NUMBER = re.compile(r"\binc-?[0-9]{1,9}\b", re.IGNORECASE)
_SHORTEST_NOTE = 2
"""The words that a note has at least."""
_COMMANDS = (*COMMANDS, *KINDS, *(each.name for each in INCIDENT.subcommands))
"""What a word may be mistyped for."""


def answer(connection: Connection, request: Request) -> Reply:
    """Answer words that begin with no command: a question for the status or the timeline with that, the rest with help.

    Nothing is recorded; words that could be a note get a button that does it.
    """
    words = request.words.strip()
    asked = _ASKED.search(words) if words.endswith("?") else None
    if asked is not None:
        named = _NUMBER.search(words)
        question = replace(request, words=named[0] if named else "")
        show = status.status if asked[1].lower() == "status" else timeline.show
        return show(connection, question)
    word, _ = first_word(words)
    kind = next((name for name, form in (("thanks", _THANKS), ("hello", _HELLO)) if form.fullmatch(words)), None)
    incident = incidents.find_current(connection, request)
    is_note = kind is None and not words.endswith("?") and len(words.split()) >= _SHORTEST_NOTE
    buttons: tuple[Button, ...] = ()
    if is_note and incident is not None and len(words) <= _LONGEST:
        value = f"{request.now.isoformat(timespec='milliseconds')} {words}"
        buttons = (Button(label="Record as a note", action=RECORD, value=value),)
    unread = "note" if is_note else "question"
    owned = action_items.owned(connection, request.workspace_id, request.user_id) if request.is_member else []
    text = slack(
        "mentioned",
        kind=kind or ("direct" if request.is_direct and incident is None else unread),
        word=word,
        guess=misspelt(word, _COMMANDS),
        command=request.slash(DETECTED if incident is None else NOTE),
        incident=incident,
        own=f"INC-{owned[0][0]} {owned[0][1].number}" if owned else None,
        named=incidents.example_name(connection, request) if request.is_direct else None,
        words=" ".join(words.split()),
        request=request,
    )
    return Reply(text=text, buttons=buttons)


def is_question(request: Request, route: str, words: str) -> bool:
    """Whether `resolved?`, `did it work?` asks for what is known rather than tells it; `words` follow the route's own.

    A slash command is typed to record: there, only a mark at the subcommand itself makes it a question.
    """
    mentioned = SAID in request.details
    said = request.details.get(SAID, request.words if request.command == INCIDENT.name else "")
    if len(said) > _LONGEST or not (route in KINDS or (route in _ASKED_BARE and not words)):
        return False
    word, _ = first_word(take_incident(said)[1])
    if mentioned and word.strip("/").startswith(INCIDENT.name):
        word, _ = first_word(take_incident(request.words)[1])
    return _MARKED.search(word) is not None or (
        mentioned and _MARKED.search(said) is not None and not (route in _MAY_ASK and words)
    )


def answer_question(connection: Connection, request: Request) -> Reply:
    """Answer a question that begins with a kind of entry: the status, and a button that records it all the same."""
    incident = incidents.find_current(connection, request)
    told = status.status(connection, replace(request, words="")) if incident is not None else None
    recorded = request.command in KINDS
    said = slack("asked", unknown=told is None, recorded=recorded, request=request)
    text = f"{said}\n{told.text}" if told else said
    name = f"INC-{request.named_number} " if request.named_number is not None else ""
    value = f"{request.now.isoformat(timespec='milliseconds')} {request.command} {name}{request.words}".strip()
    return Reply(text=text, buttons=(Button(label="Record it", action=RECORD_SAID, value=value),) if recorded else ())


def as_said(request: Request) -> Request:
    """`TIME kind words`: the words as said at that time, to be recorded; the button sends them."""
    value: re.Match[str] = request.parsed
    said_at, private = datetime.fromisoformat(value["at"]), True
    # A click names no channel: an incident that is not known to be public is shown in its own channel only.
    said = replace(request, command=value["kind"], words=value["words"] or "", said_at=said_at, private=private)
    return replace(said, source=MENTION, parsed=None)


def record_note(connection: Connection, request: Request) -> Reply:
    """`TIME words`: record the words as a note that was said at that time; the button sends it."""
    value: re.Match[str] = request.parsed
    said_at = datetime.fromisoformat(value["at"])
    note = replace(request, command=NOTE, words=value["words"], said_at=said_at, source="mention")
    return timeline.record(connection, replace(note, parsed=timeline.parse(note)))


def key(request: Request) -> str:
    """The idempotency key of the button: pressed again, it answers with the first receipt."""
    return f"{request.command}:{request.channel_id}:{request.user_id}:{request.words.partition(' ')[0]}"
