"""`scribe log`: record an entry from a terminal, with Slack's grammar, while Slack itself is down."""

import getpass
import html
import uuid
from datetime import datetime

from sqlalchemy import Connection

from bot.config import Settings
from bot.domain.words import storable
from bot.errors import UsageError
from bot.handlers.postmortem.exports import find_incident
from bot.handlers.request import Reply, Request, first_word
from bot.handlers.routes import handle
from bot.vocabulary import KINDS
from storage import outbox
from storage.database import Database

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
    with database.read() as connection:
        incident = find_incident(connection, name, workspace_id)
    kind, rest = _kind(name, words, settings.prefix)
    person = author_name(author, "log")
    request = Request(
        workspace_id=incident.workspace_id,
        channel_id=incident.channel_id,
        channel_name=incident.channel_name,
        incident_number=incident.number,
        user_id=person,
        user_name=person,
        command=kind,
        words=rest,
        received_at=at,
        zone=settings.timezone,
        zone_known=False,
        source="cli",
        key=f"cli:{uuid.uuid4()}",
        settings=settings,
    )

    def post(connection: Connection, reply: Reply) -> None:
        text = f"From a terminal, by {html.escape(person, quote=False)}: {reply.text}"
        outbox.post(connection, incident.workspace_id, incident.channel_id, {"text": text}, at=at)

    return html.unescape(handle(database, request, post).text)


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
