"""Live messages: post what an incident's message of a kind shows, and edit it when that differs."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from slack_sdk.errors import SlackApiError
from sqlalchemy import Connection

from bot.handlers.incident import card
from bot.slack.client import PausedError
from bot.slack.context import SlackContext
from bot.slack.outbound import drafts
from bot.slack.outbound.blocks import Message, controls, fingerprint, grey, section
from bot.slack.outbound.delivery import Action
from bot.slack.refusals import TOKEN_REFUSED, UNEDITABLE, Verdict, judge, reason
from storage import incidents, live_messages, outbox
from storage.live_messages import LOST, LiveMessage
from storage.outbox import Job
from storage.values import Incident

Compose = Callable[[SlackContext, Connection, Incident], Message | None]
"""What the message shows now, as arguments of `chat.postMessage`: text and blocks; None to leave it as it is."""
PIN, PIN_SCOPE = "pin", "pins:write"
"""The job that pins a message, and the scope that it needs."""
DELETED = "message_not_found"
"""Slack's error code for a message that was deleted."""
_log = logging.getLogger(__name__)


def _card(context: SlackContext, connection: Connection, incident: Incident) -> Message | None:
    """The incident's card."""
    if not context.settings.card:
        return None
    shown = card.card(connection, incident)
    told = filter(None, [shown.alerts, shown.entries])
    parts = [section(shown.head), grey(shown.steps), *map(section, told)]
    blocks = [*parts, *map(grey, filter(None, [shown.unknown])), *controls(shown.controls)]
    return {"text": shown.text, "blocks": blocks}


LIVE: Mapping[str, Compose] = {live_messages.CARD: _card, live_messages.DRAFT: drafts.message}
"""The kinds of live messages."""
PINNED = frozenset({live_messages.CARD})
"""The kinds that are pinned where the token has the scope."""


def pin(context: SlackContext, job: Job) -> None:
    """Pin a message; where Slack refuses, such as after 100 in a channel, it is not pinned."""
    try:
        context.client.pins_add(channel=job.content["channel"], timestamp=job.content["ts"])
    except SlackApiError as error:
        if judge(error) is Verdict.LATER:
            raise
        _log.info("not pinned: %s", reason(error))


def show(context: SlackContext, post: Action, job: Job) -> str | None:
    """Post the live message, or have Slack show it as it is now; see `storage.live_messages`.

    Raises PausedError while the workspace's last edit was just now. Where the process dies before it has noted the
    message, it is posted once more under the same key, and that one is edited from then on. The first stays as it was
    posted; its buttons act on what there is by then.
    """
    at = context.clock()
    with context.database.read() as connection:
        known = live_messages.find(connection, job.content["incident_id"], job.content["kind"])
    if known is None or known.state == LOST:
        return None
    with context.database.write() as connection:
        left_s = live_messages.begin(connection, known, job_id=job.id, at=at)
    if left_s > 0:
        raise PausedError(left_s)
    with context.database.read() as connection:
        message = LIVE[known.kind](context, connection, incidents.by_id(connection, known.incident_id))
    if message is None or fingerprint(message) == known.fingerprint:
        return None
    if not known.ts:
        return _post(context, post, job, known, message)
    _edit(context, job, known, message)
    return None


def _post(context: SlackContext, post: Action, job: Job, known: LiveMessage, message: Message) -> str | None:
    """Post it where the bot may post; elsewhere there is none, and nothing is said of that."""
    try:
        sent_as = post(replace(job, content={"channel": known.channel_id, **message}))
    except SlackApiError as error:
        if judge(error) is not Verdict.NEVER or reason(error) in TOKEN_REFUSED:
            raise
        _log.info("%s not posted: %s", known.kind, reason(error))
        with context.database.write() as connection:
            live_messages.mark_lost(connection, known)
            outbox.mark_sent(connection, job, at=context.clock())
        return None
    if sent_as is not None:
        channel_id, _, ts = sent_as.partition(" ")
        at = context.clock()
        with context.database.write() as connection:
            live_messages.note_posted(connection, known, ts=ts, fingerprint=fingerprint(message), at=at)
            if known.kind in PINNED and PIN_SCOPE in context.identity.facts.scopes:
                content, lane = {"channel": channel_id, "ts": ts}, f"pin:{known.id}"
                outbox.add(connection, job.workspace_id, lane=lane, action=PIN, content=content, at=at)
            outbox.mark_sent(connection, job, at=at, sent_as=sent_as)
    return sent_as


def _edit(context: SlackContext, job: Job, known: LiveMessage, message: Message) -> None:
    """Edit it; one that was deleted is made anew once, and one that nobody may edit any more is left."""
    try:
        context.client.chat_update(channel=known.channel_id, ts=known.ts, **message)
    except SlackApiError as error:
        if reason(error) not in UNEDITABLE:
            raise
        with context.database.write() as connection:
            (live_messages.renew if reason(error) == DELETED else live_messages.mark_lost)(connection, known)
            outbox.mark_sent(connection, job, at=context.clock())
        return
    with context.database.write() as connection:
        live_messages.note_edit(connection, known, fingerprint=fingerprint(message))
        outbox.mark_sent(connection, job, at=context.clock())
