"""From a terminal, without Slack: `scribe log` records entries with Slack's grammar, `scribe erase` erases one.

`scribe backfill` proposes a conversation's messages, and records those that were ticked.
"""

import getpass
import html
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from bot.config import Settings
from bot.documents.rendering import terminal
from bot.domain.incident import proposals
from bot.domain.incident.backfill import Proposal
from bot.domain.incident.conversation import MOST_CHARACTERS, ChatMessage, TimeSpan, parse_conversation, parse_span
from bot.domain.words import storable
from bot.errors import UsageError
from bot.handlers.incident import conversations, doubts
from bot.handlers.incident.backfill import RECORD, digest
from bot.handlers.incident.incidents import ERASE, get_current, read_course
from bot.handlers.incident.timeline import CLI
from bot.handlers.postmortem.exports import find_incident, resolve_workspace
from bot.handlers.request import Reply, Request, first_word
from bot.handlers.routes import handle
from bot.vocabulary import KINDS
from storage import erasure, incidents, outbox, timeline
from storage.database import Database
from storage.values import MEMBER, Incident

_BY_THE_BOT = "`scribe run` changes the messages that it has posted, and writes what is published again."
_COMPACTED = "The database's file is rewritten, so that its free pages hold none of it."
_NOT_COMPACTED = "Another process reads the database just now: `scribe run` rewrites its file a little later."
_SERVER = "PostgreSQL keeps the old rows in its files until they are vacuumed: VACUUM FULL removes them."
_LINK = re.compile(r"<([^|>]+)\|([^>]+)>")
_ADDRESS = re.compile(r"https://[a-z0-9-]+(?:\.enterprise)?\.slack\.com/")
_NAME_LENGTH = 64
"""The length of the database's columns for Slack's user ids, which hold this name too."""


def record_entry(
    database: Database,
    settings: Settings,
    name: str,
    words: str,
    *,
    at: datetime,
    author: str | None,
    workspace_id: str | None,
) -> str:
    """Record the words, typed at `at`, on the incident called `name`; the outbox posts the receipt to its channel.

    Returns the receipt as plain text. Raises UsageError for words that cannot be recorded.
    """
    kind, rest = _kind(name, words, settings.prefix)
    request = _request(database, settings, name, kind, rest, at=at, author=author, workspace_id=workspace_id)
    return _record(database, replace(request, key=f"cli:{uuid.uuid4()}"))


def record_chronology(
    database: Database,
    settings: Settings,
    name: str,
    words: str,
    *,
    at: datetime,
    author: str | None,
    workspace_id: str | None,
) -> str:
    """As `record_entry`, an entry for each line of a chronology; the same one again records nothing more."""
    request = _request(database, settings, name, RECORD, words, at=at, author=author, workspace_id=workspace_id)
    return _record(database, replace(request, key=f"cli:{request.incident_number}:{digest(words)}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """The proposals out of a conversation for an incident, and the file that holds them as text."""

    incident: Incident
    proposals: tuple[Proposal, ...]
    file: str


def incident_of(database: Database, *, name: str | None, channel: str | None, workspace_id: str | None) -> Incident:
    """The incident called `name`, else the last one declared in the channel of that name or id.

    Raises UsageError for an unknown one.
    """
    with database.read() as connection:
        if name is not None:
            return find_incident(connection, name, workspace_id)
        workspace = resolve_workspace(connection, workspace_id)
        found = incidents.in_channel_called(connection, workspace, (channel or "").removeprefix("#"))
    if found is None:
        raise UsageError(f"No incident of #{channel} is in the store. Name it: --incident INC-12")
    return found


def read_span(settings: Settings, words: str, *, at: datetime) -> TimeSpan:
    """The stretch of time in the words, in the default zone. Raises UsageError for none."""
    span = parse_span(words, now=at, zone=settings.timezone)
    if span is None:
        raise UsageError(f"{words} is no stretch of time. Write it as 14:00..15:30")
    return span


def address_of(database: Database, incident: Incident) -> str | None:
    """The web address of the incident's workspace, as its entries have it."""
    with database.read() as connection:
        links = [link for _, link, *_ in timeline.said(connection, incident.id) if link]
    found = next((_ADDRESS.match(link) for link in links), None)
    return found[0] if found else None


def read_pasted(
    database: Database, settings: Settings, incident: Incident, words: str, *, at: datetime
) -> list[ChatMessage]:
    """The messages of a conversation that was copied as text. Raises UsageError for a text that is none."""
    if len(words) > MOST_CHARACTERS:
        raise UsageError(f"The text is longer than {MOST_CHARACTERS:,} characters. Cut it into parts.")
    with database.read() as connection:
        course = doubts.course(read_course(connection, incident))
    return parse_conversation(words, now=at, zone=settings.timezone, course=course)


def propose_messages(
    database: Database, incident: Incident, messages: Sequence[ChatMessage], *, cut: bool = False
) -> Proposed:
    """What of the messages belongs on the timeline, as a file in which it is ticked; records nothing."""
    with database.read() as connection:
        found = conversations.proposals(connection, incident, messages)
    items = [(each, proposals.comment(each)) for each in found if not each.message.own]
    file = terminal("proposals", incident=incident, items=items, mark=proposals.FILE_MARK, cut=cut, kinds=KINDS)
    return Proposed(incident=incident, proposals=tuple(found), file=f"{file}\n")


def record_proposals(
    database: Database, settings: Settings, text: str, *, at: datetime, author: str | None, workspace_id: str | None
) -> str:
    """Record what is ticked in the file of proposals, and post the receipt; the same file again records nothing more.

    Returns the receipt as plain text. Raises UsageError for a file that cannot be read, or with nothing ticked.
    """
    file = proposals.parse_proposals(text)
    if not file.chosen:
        raise UsageError("Nothing is ticked in the file, so nothing was recorded. A tick is - [x]")
    request = _request(
        database, settings, file.incident, RECORD, "", at=at, author=author,
        workspace_id=workspace_id or file.workspace_id, using="backfill FILE",
    )  # fmt: skip
    with database.write() as connection:
        incident = get_current(connection, request, lock=True)
        recorded = conversations.record(connection, request, incident, file.chosen)
        reply = conversations.receipt(connection, request, incident, recorded)
        if recorded.entries:
            _post_receipt(connection, request, reply)
    return html.unescape(reply.text)


def _record(database: Database, request: Request) -> str:
    def post(connection: Connection, reply: Reply) -> None:
        _post_receipt(connection, request, reply)

    return html.unescape(handle(database, request, post).text)


def _post_receipt(connection: Connection, request: Request, reply: Reply) -> None:
    # The first line of a private receipt repeats no words.
    shown = reply.text if reply.public else reply.text.partition("\n")[0]
    text = f"From a terminal, by {html.escape(request.user_name, quote=False)}: {shown}"
    outbox.post(connection, request.workspace_id, request.channel_id, {"text": text}, at=request.received_at)


def erase_words(
    database: Database,
    settings: Settings,
    name: str,
    words: str,
    *,
    what: str,
    at: datetime,
    author: str | None,
    workspace_id: str | None,
) -> str:
    """Erase the entry or the item (`what`) whose number the words begin with; the rest of them is why.

    An SQLite file is rewritten, so that no free page keeps the words; the running bot changes what it has posted and
    published. Returns what was done, as plain text. Raises UsageError where there is nothing to erase, or no reason.
    """
    request = _request(
        database, settings, name, ERASE, words, at=at, author=author, workspace_id=workspace_id, using="erase"
    )
    request = replace(request, words=f"INC-{request.incident_number} {what} {words}", key=f"cli:{uuid.uuid4()}")
    done = html.unescape(_LINK.sub(r"\2 (\1)", handle(database, request).text))
    text = f"{done}\n{_BY_THE_BOT}"
    try:
        erasure.compact(database)
    except BlockingIOError:
        return f"{text}\n{_NOT_COMPACTED}"
    return f"{text}\n{_COMPACTED if database.is_sqlite else _SERVER}"


def _request(
    database: Database,
    settings: Settings,
    name: str,
    command: str,
    words: str,
    *,
    at: datetime,
    author: str | None,
    workspace_id: str | None,
    using: str = "log",
) -> Request:
    """A request about the incident called `name`; `using` is the terminal's command, for its errors."""
    with database.read() as connection:
        incident = find_incident(connection, name, workspace_id)
    person = author_name(author, using)
    return Request(
        workspace_id=incident.workspace_id,
        channel_id=incident.channel_id,
        channel_name=incident.channel_name,
        incident_number=incident.number,
        user_id=person,
        user_name=person,
        command=command,
        words=words,
        received_at=at,
        zone=settings.timezone,
        zone_known=False,
        source=CLI,
        settings=settings,
        # Who has the database sees all of it.
        standing=MEMBER,
    )


def _kind(name: str, words: str, prefix: str) -> tuple[str, str]:
    """The kind of entry that the words begin with, with or without `/` and prefix; and the remaining words."""
    typed, rest = first_word(words)
    typed = typed.removeprefix("/")
    for kind in (typed, typed.removeprefix(prefix)):
        if kind in KINDS:
            return kind, rest
    raise UsageError(
        f'Begin with the kind of entry: scribe log {name} "note what happened". One of {", ".join(KINDS)}.'
    )


def author_name(author: str | None, command: str) -> str:
    """The name given, else the login name. Raises UsageError for none, or one that is too long."""
    try:
        name = storable(getpass.getuser() if author is None else author).strip()
    except (OSError, KeyError):  # a container's user may have no name
        name = ""
    if not 0 < len(name) <= _NAME_LENGTH:
        raise UsageError(
            f"Say whose words these are, in at most {_NAME_LENGTH} characters: scribe {command} --as alice …"
        )
    return name
