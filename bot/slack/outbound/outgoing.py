"""What each job of the outbox sends: messages to a channel or a person, drafts, documents."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.request import Request as HttpRequest

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from bot.errors import UsageError
from bot.handlers import later
from bot.handlers.incident import conversations, erase, similar, updates
from bot.handlers.incident.channels import ARCHIVE, INVITE
from bot.handlers.incident.incidents import MAKE_CHANNEL
from bot.handlers.incident.status import CATCH_UP
from bot.handlers.items import handovers
from bot.handlers.items.handovers import DONE_ELSEWHERE, HANDOVER
from bot.handlers.items.reminders import DIGEST, EXPIRED, SUMMARY, TAKE_UP, take_up
from bot.handlers.postmortem.drafts import write_draft
from bot.handlers.postmortem.publishing import PUBLISH
from bot.handlers.request import Reply, Request
from bot.handlers.review.reviews import ANNOUNCEMENT, REMINDER
from bot.handlers.routes import handle
from bot.handlers.sources import alerts, lead_up
from bot.slack.client import CALL_S, OK, exchange
from bot.slack.context import FORM, FORM_LOST, SlackContext
from bot.slack.inbound import files, graphs, history, joining, reactions
from bot.slack.outbound import blocks, channels, drafts, home, live, notices, presence, publications, reply_urls
from bot.slack.outbound.delivery import Action, Heard
from bot.slack.refusals import (
    ARCHIVED,
    NOT_A_MEMBER,
    REQUEST_TIMEOUT,
    SERVER_ERROR,
    TOO_MANY,
    ForeignAnswerError,
    SourceAwayError,
    Verdict,
    judge,
    reason,
)
from storage import erasure, live_messages, outbox
from storage.items import digests
from storage.outbox import Job
from storage.sources import files as storage_files
from storage.sources import graphs as storage_graphs

NO_MESSAGE = frozenset({"message_not_found", "channel_not_found"})
"""Slack's error codes for a message that is gone, and its words with it."""
NO_FILE = frozenset({"file_not_found", "file_deleted"})
"""Slack's error codes for a file that is gone."""
MOST_FORM_FAILURES = 4
"""Attempts, in about ten seconds, at showing a form: nobody looks at the small one for longer."""
_ABOUT = frozenset({"reply_url", "replaces", "asked_by", "incident_id", "copy"})
"""Fields of a job's content that are no part of its message; a `copy` is of what its author was answered elsewhere."""
_NO_PREVIEWS: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
_log = logging.getLogger(__name__)


def actions(context: SlackContext) -> Mapping[str, Action]:
    """The function for each action of the outbox."""
    post = partial(_post, context)
    return {
        outbox.POST: post,
        outbox.EPHEMERAL: partial(_post_ephemeral, context),
        FORM: partial(_show_form, context),
        "draft": partial(_draft, context),
        outbox.DOCUMENT: partial(drafts.send_document, context),
        "report": partial(notices.send_report, context),
        home.PUBLISH: partial(home.publish, context),
        ANNOUNCEMENT: partial(notices.announce_review, context),
        REMINDER: partial(notices.remind_of_review, context, post),
        PUBLISH: partial(publications.publish, context),
        erase.REDRAW: partial(_redraw, context),
        erase.COMPACT: partial(_compact, context),
        updates.NUDGE: partial(notices.send_nudge, context, post),
        MAKE_CHANNEL: partial(channels.make, context),
        INVITE: partial(channels.invite, context),
        ARCHIVE: partial(channels.archive, context),
        DIGEST: partial(notices.send_digest, context, post),
        **dict.fromkeys((digests.EDIT, digests.EDIT_HANDED), partial(notices.edit_posted, context)),
        alerts.ASK_CARD: partial(notices.ask_about_alerts, context, post),
        alerts.CONFIRM: _confirm_topic,
        lead_up.OFFER: partial(notices.offer_lead_up, context, post),
        similar.SHOW: partial(notices.show_similar, context, partial(_post_ephemeral, context)),
        live_messages.SHOW: partial(live.show, context, post),
        live.PIN: partial(live.pin, context),
        EXPIRED: partial(notices.tell_of_expired, context, post),
        SUMMARY: partial(notices.send_summary, context, post),
        TAKE_UP: lambda job: take_up(context.database, job, at=context.clock()),
        handovers.TAKE_UP: lambda job: handovers.take_up(
            context.database, job, context.settings.cadence, at=context.clock()
        ),
        HANDOVER: partial(notices.send_handover, context, post),
        DONE_ELSEWHERE: partial(notices.announce_done, context, post),
        later.ANSWER: partial(_answer, context),
        CATCH_UP: partial(joining.tell, context),
        reactions.ADDED: partial(reactions.added, context),
        reactions.REMOVED: partial(reactions.removed, context),
        storage_files.KEEP: partial(files.keep, context),
        storage_graphs.FETCH: partial(graphs.fetch, context),
        reactions.PINNED: partial(reactions.pinned, context),
        reactions.UNPINNED: partial(reactions.unpinned, context),
        conversations.HISTORY: partial(history.read, context),
        presence.UNDELIVERED: partial(presence.report_undelivered, context),
    }


def _post(context: SlackContext, job: Job) -> str | None:
    """Post the message in the channel; where the bot is no member, by the command's `response_url`.

    Returns where it went, the channel and the `ts`; None by the URL, which does not say.
    """
    # A lease that expires while Slack answers leads to a second post; the key shows that both are one message.
    key = f"{job.workspace_id}:{job.id}"
    metadata = {"event_type": "scribe_outbox", "event_payload": {"key": key}}
    post = partial(context.client.chat_postMessage, **_NO_PREVIEWS, metadata=metadata)
    posted = _send(context, job, post, "in_channel")
    return f"{posted['channel']} {posted['ts']}" if posted else None


def _post_ephemeral(context: SlackContext, job: Job) -> None:
    """Show the message to one person; where the bot is no member, by the command's `response_url`."""
    _send(context, job, context.client.chat_postEphemeral, "ephemeral")


def _send(
    context: SlackContext, job: Job, send: Callable[..., SlackResponse], response_type: str
) -> SlackResponse | None:
    """Slack's answer; None where the message went to the `response_url`."""
    message = {name: value for name, value in job.content.items() if name not in _ABOUT}
    reply_url = job.content.get("reply_url")
    respond = partial(_respond, context, job, message, response_type)
    # After 30 minutes or its last use the URL takes nothing; then the message is posted below the one it would replace.
    if job.content.get("replaces") and reply_url and respond(reply_url, replace_original=True):
        return None
    try:
        return send(**message)
    except SlackApiError as error:
        if job.content.get("copy") and error.response.get("error") in ARCHIVED:
            # Nobody reads there any more, and what was done elsewhere is done and answered.
            return None
        if error.response.get("error") not in NOT_A_MEMBER or not reply_url:
            raise
        if not respond(reply_url, last_words=presence.invitation(context, job)):
            raise
        context.delivery.wake(
            Heard(workspace_id=job.workspace_id, channel_id=message["channel"], reply_url=reply_url, refused=True)
        )
        return None


def _respond(
    context: SlackContext,
    job: Job,
    message: Mapping[str, Any],
    response_type: str,
    reply_url: str,
    *,
    replace_original: bool = False,
    last_words: str | None = None,
) -> bool:
    """Send the message to the `response_url`; False where it takes no more. Raises what `reply_urls.use` raises."""
    body = {"text": message["text"], "response_type": response_type, "replace_original": replace_original}
    body |= _NO_PREVIEWS | {name: message[name] for name in ("blocks", "thread_ts") if name in message}
    return reply_urls.use(context, job.workspace_id, reply_url, body, last_words=last_words)


def _show_form(context: SlackContext, job: Job) -> None:
    """Show the form in place of the small one; where that fails for long, give the person their words back."""
    content = job.content
    try:
        context.client.views_update(external_id=content["external_id"], view=content["view"])
    except (SlackClientError, OSError) as error:
        code, waits = reason(error), job.attempts < MOST_FORM_FAILURES
        if waits and code == "not_found":
            raise ConnectionError("the small form is not shown yet") from None
        if waits and judge(error) is Verdict.LATER:
            raise
        _log.warning("form not shown: %s", code)
        message = {"text": blocks.refusal(FORM_LOST, content["words"])["text"]}
        how = {"reply_url": content["reply_url"], "at": context.clock()}
        channel_id, user_id = content["channel"], content["user"]
        with context.database.write() as connection:
            if channel_id == user_id:
                outbox.post(connection, job.workspace_id, channel_id, message, **how)
            else:
                outbox.ephemeral(connection, job.workspace_id, channel_id, user_id, message, **how)
            outbox.mark_sent(connection, job, at=context.clock())


def _redraw(context: SlackContext, job: Job) -> None:
    """Change a message that was posted with words that are erased now: show it as the outbox holds it since then.

    Files that were shared with them are deleted.
    """
    try:
        with context.database.read() as connection:
            sent = outbox.sent_as(connection, job.content["job"])
    except LookupError:
        raise ConnectionError("the message is being posted just now") from None
    if sent is None:
        return
    action, sent_as, content = sent
    if action == outbox.DOCUMENT:
        for file_id in sent_as:
            with _unless(NO_FILE):
                context.client.files_delete(file=file_id)
        return
    channel, ts = sent_as
    with _unless(NO_MESSAGE):
        context.client.chat_update(channel=channel, ts=ts, text=content["text"], blocks=content.get("blocks", []))


@contextmanager
def _unless(codes: Collection[str]) -> Iterator[None]:
    """Let Slack refuse with these error codes."""
    try:
        yield
    except SlackApiError as error:
        if reason(error) not in codes:
            raise


def _compact(context: SlackContext, job: Job) -> None:
    """Rewrite the database's file, in whose free pages the erased words are left; once for several erasures."""
    with context.database.read() as connection:
        superseded = outbox.is_superseded(connection, job)
    if not superseded:
        erasure.compact(context.database)


def _answer(context: SlackContext, job: Job) -> None:
    """Give the answer that would have taken longer than Slack waits."""
    request = replace(Request.from_json(job.content["request"], context.settings), key=None, has_time=True)
    try:
        reply = handle(context.database, request)
    except UsageError as error:
        reply = Reply(text=blocks.refusal(str(error), request.sent)["text"])
    with context.database.write() as connection:
        context.reply(connection, request, reply, {})
        outbox.mark_sent(connection, job, at=context.clock())


def _confirm_topic(job: Job) -> None:
    """Confirm a subscription by asking AWS for the address that was told; its host was checked. No other is followed.

    Raises what a failure that may pass raises, and SourceAwayError where AWS refuses: such a confirmation is too old.
    """
    request = HttpRequest(job.content["url"])  # noqa: S310 - checked when it came
    status, headers, _ = exchange(request, proxy=None, timeout_s=CALL_S)
    if status != OK:
        if status >= SERVER_ERROR or status in {REQUEST_TIMEOUT, TOO_MANY}:
            raise ForeignAnswerError(status, headers.get("Retry-After"))
        raise SourceAwayError(f"sns_http_{status}")


def _draft(context: SlackContext, job: Job) -> None:
    write_draft(context.database, context.settings, job, context.clock)
