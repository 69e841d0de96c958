"""From a terminal, without Slack: `scribe log` records entries with Slack's grammar, `scribe erase` erases one."""

import getpass
import html
import re
import uuid
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from bot.config import Settings
from bot.domain.words import storable
from bot.errors import UsageError
from bot.handlers.incident.backfill import RECORD, digest
from bot.handlers.incident.incidents import ERASE
from bot.handlers.postmortem.exports import find_incident
from bot.handlers.request import Reply, Request, first_word
from bot.handlers.routes import handle
from bot.vocabulary import KINDS
from storage import outbox
from storage.database import Database
from storage.values import MEMBER

_BY_THE_BOT = "`scribe run` changes the messages that it has posted, and writes what is published again."
_COMPACTED = "The database's file is rewritten, so that its free pages hold none of it."
_NOT_COMPACTED = "Another process reads the database just now: `scribe run` rewrites its file a little later."
_SERVER = "PostgreSQL keeps the old rows in its files until they are vacuumed: VACUUM FULL removes them."
_LINK = re.compile(r"<([^|>]+)\|([^>]+)>")
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


def _record(database: Database, request: Request) -> str:
    def post(connection: Connection, reply: Reply) -> None:
        # The first line of a private receipt repeats no words.
        shown = reply.text if reply.public else reply.text.partition("\n")[0]
        text = f"From a terminal, by {html.escape(request.user_name, quote=False)}: {shown}"
        outbox.post(connection, request.workspace_id, request.channel_id, {"text": text}, at=request.received_at)

    return html.unescape(handle(database, request, post).text)


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
        database.compact()
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
        source="cli",
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
