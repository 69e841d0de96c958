"""The `response_url` of a command: how it speaks where the bot is no member, and how often it may.

Slack lets each be used five times within 30 minutes (Slack, "Handling user interaction"). The uses are stored, since
every message of the outbox may have the same URL, and the last of them says how to get the rest.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.slack.client import respond
from bot.slack.context import SlackContext
from storage import receipts

MOST_USES = 4
"""Uses of one URL; Slack's fifth is left for an answer of which it is not known whether it arrived."""


def use(
    context: SlackContext, workspace_id: str, url: str, message: Mapping[str, Any], *, last_words: str | None = None
) -> bool:
    """Send the message to the URL, at its last use with `last_words` below; False where it takes no more.

    Raises what `client.respond` raises, and ConnectionError, where another attempt may succeed.
    """
    key = _key(url)
    try:
        with context.database.write() as connection:
            number = receipts.use(connection, workspace_id, key, most=MOST_USES, at=context.clock())
    except IntegrityError:
        raise ConnectionError("another message is using the response_url") from None
    if number is None:
        return False
    taken = False
    try:
        taken = respond(url, _with(message, last_words if number == MOST_USES else None))
    finally:
        if not taken:
            with context.database.write() as connection:
                receipts.unuse(connection, workspace_id, key, number)
    return taken


def is_spent(connection: Connection, workspace_id: str, url: str | None) -> bool:
    """Whether the URL has said its last words, which tell how to get the rest."""
    return url is not None and receipts.uses(connection, workspace_id, _key(url)) == frozenset(range(1, MOST_USES + 1))


def _key(url: str) -> str:
    # The URL itself is a secret for half an hour, and longer than a key may be.
    return sha256(url.encode()).hexdigest()


def _with(message: Mapping[str, Any], words: str | None) -> Mapping[str, Any]:
    if words is None:
        return message
    below = {"type": "section", "text": {"type": "mrkdwn", "text": words}}
    with_blocks = {"blocks": [*message["blocks"], below]} if message.get("blocks") else {}
    return {**message, "text": f"{message['text']}\n{words}", **with_blocks}
