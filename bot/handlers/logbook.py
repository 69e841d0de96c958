"""`scribe log`: the same grammar from a terminal, for when Slack itself is down."""

import getpass
import html
import uuid

from sqlalchemy import Connection

from bot.clock import now
from bot.config import Settings
from bot.errors import UsageError
from bot.handlers.exports import find
from bot.handlers.request import Reply, Request, first_word
from bot.handlers.routes import handle
from bot.vocabulary import KINDS
from storage import outbox
from storage.database import Database


def log(
    database: Database, settings: Settings, name: str, words: str, *, author: str | None, workspace_id: str | None
) -> str:
    """Record the words on the incident called `name`, and tell its channel once Slack is there.

    Returns the receipt as plain text. Raises UsageError for what cannot be recorded.
    """
    with database.read() as connection:
        incident = find(connection, name, workspace_id)
    kind, rest = first_word(words)
    kind = kind.removeprefix("/").removeprefix(settings.prefix)
    if kind not in KINDS:
        raise UsageError(
            f'Begin with the kind of entry: scribe log {name} "note what happened". One of {", ".join(KINDS)}.'
        )
    person = author or getpass.getuser()
    request = Request(
        workspace_id=incident.workspace_id,
        channel_id=incident.channel_id,
        channel_name=incident.channel_name,
        incident_number=incident.number,
        user_id=person,
        user_name=person,
        command=kind,
        words=rest,
        received_at=now(),
        zone=settings.timezone,
        zone_known=False,
        source="cli",
        key=f"cli:{uuid.uuid4()}",
        prefix=settings.prefix,
        template=settings.template,
    )

    def tell(connection: Connection, reply: Reply) -> None:
        content = {
            "channel": incident.channel_id,
            "text": f"From a terminal, by {_escaped(person)}: {reply.text}",
        }
        outbox.add(
            connection,
            incident.workspace_id,
            lane=incident.channel_id,
            action="post",
            content=content,
            at=request.received_at,
        )

    return html.unescape(handle(database, request, also=tell).text)


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
