"""Digests and weekly summaries of action items: read anew when they are sent, and told as Slack messages."""

from dataclasses import replace
from datetime import date

from slack_sdk.errors import SlackApiError

from bot.handlers.items.digests import Digest, Told, digest, put_back, waits_until
from bot.handlers.items.summaries import summary
from bot.slack.context import Door
from bot.slack.outbound.blocks import BLOCKS_LIMIT, TEXT_LIMIT, Message, clip_escaped, controls
from bot.slack.outbound.delivery import Action
from storage import members
from storage.outbox import Errand

NOBODY = frozenset({"user_not_found", "user_disabled", "user_not_visible", "cannot_dm_bot"})
"""Slack's words for: that person cannot be written to. Its `account_inactive` is of the bot's own token."""
_PART_LIMIT = BLOCKS_LIMIT // 16


def tell(door: Door, post: Action, errand: Errand) -> None:
    """Tell a recipient what their action items want of them, as things stand now, within their working hours."""
    content, cadence = errand.content, door.settings.cadence
    told = Told(
        workspace_id=errand.workspace_id,
        recipient_id=content["recipient"],
        on=date.fromisoformat(content["on"]),
    )
    with door.database.read() as connection:
        due_at = waits_until(connection, told, at=door.clock(), cadence=cadence)
        made = digest(connection, told, cadence=cadence, prefix=door.settings.prefix)
    if due_at is not None:
        with door.database.write() as connection:
            put_back(connection, told, due_at=due_at)
    elif made is not None:
        _send(door, post, replace(errand, content={"channel": told.recipient_id, **message(made)}), told)


def _send(door: Door, post: Action, errand: Errand, told: Told) -> None:
    try:
        post(errand)
    except SlackApiError as error:
        if error.response.get("error") in NOBODY:
            _hand_on(door, told)
        raise
    door.tally.reminded(1)


def _hand_on(door: Door, told: Told) -> None:
    """Whom Slack does not know any more is told nothing: the lead is, at the next tick."""
    with door.database.write() as connection:
        members.bar(connection, told.workspace_id, told.recipient_id, "unknown")
        put_back(connection, told, due_at=door.clock())


def summarise(door: Door, post: Action, errand: Errand) -> None:
    """Tell the channel of the settings what became of the action items in a week."""
    channel = door.settings.summary_channel
    if not channel:
        return
    with door.database.read() as connection:
        text = summary(
            connection,
            errand.workspace_id,
            at=errand.written_at,
            cadence=door.settings.cadence,
            prefix=door.settings.prefix,
        )
    post(replace(errand, content={"channel": channel, "text": text}))


def message(digest: Digest) -> Message:
    """The message's blocks, and the whole in plain text for those who hear or glance at it."""
    whole = "\n\n".join(filter(None, [digest.head, *(part.text for part in digest.parts), digest.foot]))
    blocks = [_section(digest.head)]
    for part in digest.parts:
        blocks += [_section(part.text), *controls(part.controls)]
    if digest.foot:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": digest.foot}]})
    return {"text": clip_escaped(whole, TEXT_LIMIT), "blocks": blocks}


def _section(text: str) -> Message:
    return {"type": "section", "text": {"type": "mrkdwn", "text": clip_escaped(text, _PART_LIMIT)}}
