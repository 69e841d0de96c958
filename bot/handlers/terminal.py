"""`scribe log`: the same grammar from a terminal, for when Slack itself is down."""

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
"""What fits where Slack's user ids are kept."""


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
    """Record the words, typed at `at`, on the incident called `name`, and tell its channel once Slack is there.

    Returns the receipt as plain text. Raises UsageError for what cannot be recorded.
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
        text = f"From a terminal, by {_escaped(person)}: {reply.text}"
        outbox.post(connection, incident.workspace_id, incident.channel_id, {"text": text}, at=at)

    return html.unescape(handle(database, request, post).text)


def _kind(name: str, words: str, prefix: str) -> tuple[str, str]:
    """The kind of entry the words begin with, as it is typed in Slack too; and the words after it."""
    typed, rest = first_word(words)
    typed = typed.removeprefix("/")
    for kind in (typed, typed.removeprefix(prefix)):
        if kind in KINDS:
            return kind, rest
    raise UsageError(
        f'Begin with the kind of entry: scribe log {name} "note what happened". One of {", ".join(KINDS)}.'
    )


def author_name(author: str | None, command: str) -> str:
    """Whose words these are: the name given, else the login name. Raises UsageError where there is none."""
    try:
        name = storable(getpass.getuser() if author is None else author).strip()
    except (OSError, KeyError):  # a container's user need not have a name
        name = ""
    if not 0 < len(name) <= _NAME_LENGTH:
        raise UsageError(
            f"Say whose words these are, in at most {_NAME_LENGTH} characters: scribe {command} --as alice …"
        )
    return name


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
