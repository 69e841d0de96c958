"""What the outbox sends: messages to a channel or a person, drafts, documents."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.documents.export import BINARY, ExportRecord
from bot.documents.rendering import RENDER_LOCK, terminal
from bot.handlers.items.reminders import DIGEST, SUMMARY
from bot.handlers.postmortem import drafts
from bot.handlers.postmortem.exports import read_record
from bot.handlers.postmortem.publishing import PUBLISH
from bot.handlers.review.reviews import ANNOUNCEMENT, REMINDER
from bot.slack.context import CALL_S, SlackContext
from bot.slack.inbound import reactions
from bot.slack.outbound import blocks, home, notices, publications
from bot.slack.outbound.delivery import Action
from storage import incidents, outbox
from storage.outbox import Job

OUTSIDE = frozenset({"not_in_channel", "channel_not_found"})
"""Slack's words for: the bot is no member there."""
NO_FILES = frozenset({"missing_scope", "not_allowed_token_type", "restricted_action"}) | OUTSIDE
"""Slack's words for: no file may be sent there."""
_LATER = frozenset({408, 429})
"""HTTP's words for: not now."""
_QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}


def actions(context: SlackContext) -> Mapping[str, Action]:
    """What each kind of job does."""
    post = partial(_post, context.client)
    return {
        outbox.POST: post,
        outbox.EPHEMERAL: partial(_post_ephemeral, context.client),
        "draft": partial(_draft, context),
        "document": partial(_document, context),
        "report": partial(notices.send_report, context, no_files=NO_FILES),
        home.PUBLISH: partial(home.publish, context),
        ANNOUNCEMENT: partial(notices.announce_review, context),
        REMINDER: partial(notices.remind_of_review, context, post),
        PUBLISH: partial(publications.publish, context),
        DIGEST: partial(notices.send_digest, context, post),
        SUMMARY: partial(notices.send_summary, context, post),
        reactions.ADDED: partial(reactions.added, context),
        reactions.REMOVED: partial(reactions.removed, context),
    }


def _post(client: WebClient, job: Job) -> None:
    """Say it in the channel; where the bot is no member, by the address that came with the command."""
    # The key lets a reader see that two posts are one, should a lease have expired while Slack was answering.
    post = partial(client.chat_postMessage, **_QUIET, metadata=_metadata(job))
    _send(post, job.content, "in_channel")


def _post_ephemeral(client: WebClient, job: Job) -> None:
    """Say it to the person alone; where the bot is no member, as above."""
    _send(client.chat_postEphemeral, job.content, "ephemeral")


def _send(send: Callable[..., object], content: Mapping[str, Any], seen: str) -> None:
    message = dict(content)
    reply_url = message.pop("reply_url", None)
    try:
        send(**message)
    except SlackApiError as error:
        if error.response.get("error") not in OUTSIDE or not reply_url:
            raise
        _reply(reply_url, message, error, seen)


def _metadata(job: Job) -> dict[str, Any]:
    return {"event_type": "scribe_outbox", "event_payload": {"key": f"{job.workspace_id}:{job.id}"}}


def _reply(reply_url: str, message: Mapping[str, Any], error: SlackApiError, seen: str) -> None:
    body = {"text": message["text"], "response_type": seen, "replace_original": False, **_QUIET}
    if "blocks" in message:
        body["blocks"] = message["blocks"]
    if "thread_ts" in message:
        body["thread_ts"] = message["thread_ts"]
    answer = WebhookClient(reply_url, timeout=CALL_S).send_dict(body)
    if answer.status_code in _LATER or answer.status_code >= 500:  # noqa: PLR2004 - HTTP's server errors
        raise ConnectionError(f"response_url answered {answer.status_code}")
    if answer.status_code != 200:  # noqa: PLR2004 - HTTP's "done"
        raise error


def _draft(context: SlackContext, job: Job) -> None:
    drafts.write_draft(context.database, context.settings, job, context.clock)


def _document(context: SlackContext, job: Job) -> None:
    """Send the draft as a file, with the picture; where no file may be sent, as messages."""
    content = _kept_in(context, job.content)
    try:
        context.client.files_upload_v2(
            channel=content["channel"],
            file_uploads=files(context, content),
            initial_comment=content["comment"],
        )
    except SlackApiError as error:
        if error.response.get("error") not in NO_FILES:
            raise
        _as_messages(context, job, content)


def _kept_in(context: SlackContext, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document, for the incident's own channel if that went private since somebody asked elsewhere."""
    if "incident_id" not in content:
        return content
    with context.database.read() as connection:
        incident = incidents.by_id(connection, content["incident_id"])
    if incident.seen_from(content["channel"]):
        return content
    return {**content, "channel": incident.channel_id, "reply_url": None}


def _as_messages(context: SlackContext, job: Job, content: Mapping[str, Any]) -> None:
    with context.database.write() as connection:
        for message in _messages(content):
            outbox.post(
                connection,
                job.workspace_id,
                content["channel"],
                message,
                reply_url=content["reply_url"],
                at=context.clock(),
            )
        outbox.mark_sent(connection, job, at=context.clock())


def _messages(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A document as messages: its Markdown, or what stands `instead` of a file that nobody would read as text."""
    if "instead" in content:
        return [{"text": content["instead"]}]
    rest = [{"text": content["title"], "blocks": part} for part in blocks.documents(content["markdown"])]
    return [{"text": content["comment"]}, *rest]


_log = logging.getLogger(__name__)


def files(context: SlackContext, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What `files_upload_v2` takes, from what the outbox kept of a document."""
    document = {key: content[key] for key in ("filename", "title")} | {"content": content["markdown"]}
    return [document, *(_picture(context, content) if "incident_id" in content else ())]


def _picture(context: SlackContext, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The picture as the store is now; none where it cannot be drawn, as no draft waits for its picture."""
    try:
        with context.database.read() as connection:
            record = read_record(connection, incidents.by_id(connection, content["incident_id"]))
        with RENDER_LOCK:
            return [_file(record)]
    except Exception:  # noqa: BLE001 - whatever goes wrong while drawing, the words are sent
        _log.exception("picture not drawn")
        return []


def described(record: ExportRecord) -> str:
    """The picture in a line, for those who cannot see it."""
    return terminal("picture", incident=record.incident, lifecycle=record.lifecycle)


def _file(record: ExportRecord) -> dict[str, Any]:
    name = record.incident.name
    return {
        "filename": f"{name}-timeline.png",
        "title": f"{name} timeline",
        "alt_txt": described(record),
        "content": BINARY["png"](record),
    }
