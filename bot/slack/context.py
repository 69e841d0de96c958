"""The parts of the bot that every listener shares, and the ways to answer outside an ack."""

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from slack_sdk.errors import SlackClientError
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.clock import Clock
from bot.config import Settings
from bot.handlers.offline import OfflineQueue
from bot.handlers.request import Reply, Request
from bot.slack.client import Client, respond
from bot.slack.identity import Identity
from bot.slack.inbound.requests import Requests
from bot.slack.members import Members
from bot.slack.outbound import blocks, modals
from bot.slack.outbound.delivery import Delivery
from bot.slack.refusals import reason
from bot.telemetry.context import NO_METRICS, Metrics
from storage import availability, outbox, receipts
from storage.availability import within
from storage.database import Database

NOT_SAVED = "Scribe could not save that: something on its own side failed, and the operator's log says what. Try again."
NO_FORM = "Slack did not open the form in time. Try again, or type it in one line: {help} shows how."
FORM_LOST = "Slack did not show the form that follows, and nothing was recorded. Try again."
FORM = "form"
"""The action of the outbox that shows a form which was too large for an ack."""
WRITE_S = 1.0
"""Seconds the database may take for what follows an answer, of the three that Slack waits."""
_log = logging.getLogger(__name__)

Thread = Mapping[str, str]
"""`{"thread_ts": …}` for an answer in a thread, otherwise empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackContext:
    """The parts of the running bot, passed to every listener and every job of the outbox."""

    settings: Settings
    database: Database
    clock: Clock
    client: Client
    identity: Identity
    members: Members
    requests: Requests
    delivery: Delivery
    offline: OfflineQueue
    executor: Executor
    metrics: Metrics = NO_METRICS

    def reply(self, connection: Connection, request: Request, reply: Reply, thread: Thread) -> None:
        """Put the reply into the outbox, for the channel or for the person, within the caller's transaction."""
        replaces = {"replaces": True} if reply.replaces else {}
        self._enqueue(connection, request, {**blocks.message(reply), **thread, **replaces}, public=reply.public)

    def refuse(self, request: Request, problem: str, words: str, thread: Thread) -> None:
        """Send the person the problem and their words, once per request; past the outbox if the database is away."""
        message = {"text": blocks.refusal(problem, words)["text"], **thread}
        if self.offline.away:
            self.reply_directly(request, thread, Reply(text=message["text"]))
            return
        try:
            self._refuse_once(request, message)
        except availability.ERRORS as error:
            if not availability.is_away(error):
                raise
            self.reply_directly(request, thread, Reply(text=message["text"]))

    def _refuse_once(self, request: Request, message: Mapping[str, Any]) -> None:
        # IntegrityError: another replica has stored the same receipt since it was looked for.
        with suppress(IntegrityError), within(WRITE_S, at_once=True), self.database.write() as connection:
            key = f"refused:{request.key}"
            if receipts.find(connection, request.workspace_id, key) is None:
                receipts.save(connection, request.workspace_id, key, {}, at=request.received_at)
                self._enqueue(connection, request, message, public=False)

    def reply_later(self, request: Request, reply: Reply) -> None:
        """Send the reply by the outbox, once per request, instead of as an answer that is too large for its ack."""
        with suppress(IntegrityError), within(WRITE_S, at_once=True), self.database.write() as connection:
            key = f"large:{request.key}"
            if receipts.find(connection, request.workspace_id, key) is None:
                receipts.save(connection, request.workspace_id, key, {}, at=request.received_at)
                self.reply(connection, request, reply, {})

    def show_later(self, request: Request, view: dict[str, Any]) -> dict[str, Any]:
        """Send the view after the ack; returns the small one to be shown until then.

        By the name of the small one Slack finds it only when the ack has arrived, so the order is kept.
        """
        # The same for the same submission delivered again; another for the next one from the same form.
        submission = json.dumps([request.key, request.words, dict(request.details)])
        name = f"later-{sha256(submission.encode()).hexdigest()[:32]}"
        content = {
            "external_id": name,
            "view": view,
            "words": request.words,
            "channel": request.channel_id,
            "user": request.user_id,
            "reply_url": request.reply_url,
        }
        with within(WRITE_S, at_once=True), self.database.write() as connection:
            outbox.add(connection, request.workspace_id, lane=name, action=FORM, content=content, at=self.clock())
        return modals.coming(view, name)

    @staticmethod
    def _enqueue(connection: Connection, request: Request, message: Mapping[str, Any], *, public: bool) -> None:
        workspace_id, channel_id, at = request.workspace_id, request.channel_id, request.received_at
        message = {**message, "asked_by": request.user_id}
        # On the Home tab the channel is the person's own conversation with the bot.
        if public or channel_id == request.user_id or request.is_said_to_bot:
            outbox.post(connection, workspace_id, channel_id, message, reply_url=request.reply_url, at=at)
        else:
            outbox.ephemeral(
                connection, workspace_id, channel_id, request.user_id, message, reply_url=request.reply_url, at=at
            )

    def reply_directly(self, request: Request, thread: Thread, reply: Reply) -> None:
        """Send the reply while the database, and so the outbox, is away; without retries."""
        content = {**blocks.message(reply), **thread}
        if reply.public or request.is_said_to_bot:
            self.executor.submit(self._post, self.client.chat_postMessage, request, content)
        else:
            alone = {**content, "user": request.user_id}
            self.executor.submit(self._post, self.client.chat_postEphemeral, request, alone)

    @staticmethod
    def _post(call: Callable[..., object], request: Request, content: Mapping[str, Any]) -> None:
        try:
            call(channel=request.channel_id, **content)
        except (SlackClientError, OSError) as error:
            _log.warning("message not posted: %s", type(error).__name__)

    def report_not_saved(self, reply_url: str | None) -> None:
        """Send NOT_SAVED to the person in the background; past the outbox, since its database may be what failed."""
        if reply_url:
            message = {"text": NOT_SAVED, "response_type": "ephemeral", "replace_original": False}
            self.executor.submit(self._respond, reply_url, message)

    @staticmethod
    def _respond(reply_url: str, message: Mapping[str, Any]) -> None:
        try:
            respond(reply_url, message)
        except (SlackClientError, OSError) as error:
            _log.warning("message not sent: %s", reason(error))

    def open_form(self, trigger_id: str, form: dict[str, Any], request: Request) -> None:
        """Open a form in the background: no call to Slack delays the answer to a command."""
        self.executor.submit(self._open_form, trigger_id, form, request)

    def _open_form(self, trigger_id: str, form: dict[str, Any], request: Request) -> None:
        try:
            self.client.views_open(trigger_id=trigger_id, view=form)
        except (SlackClientError, OSError) as error:
            _log.warning("form not opened: %s", type(error).__name__)
            self.refuse(request, NO_FORM.format(help=f"{request.slash('incident')} help"), "", {})
            self.delivery.wake()
