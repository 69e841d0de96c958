"""What each job of the outbox sends: messages to a channel or a person, drafts, documents."""

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
from bot.slack.client import OK, REQUEST_TIMEOUT, SERVER_ERROR, TOO_MANY
from bot.slack.context import CALL_S, SlackContext
from bot.slack.inbound import reactions
from bot.slack.outbound import blocks, home, notices, publications
from bot.slack.outbound.delivery import NO_FILES, NOT_A_MEMBER, Action
from storage import incidents, outbox
from storage.outbox import Job

_NO_PREVIEWS: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
_log = logging.getLogger(__name__)


def actions(context: SlackContext) -> Mapping[str, Action]:
    """The function for each action of the outbox."""
    post = partial(_post, context.client)
    return {
        outbox.POST: post,
        outbox.EPHEMERAL: partial(_post_ephemeral, context.client),
        "draft": partial(_draft, context),
        "document": partial(_document, context),
        "report": partial(notices.send_report, context),
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
    """Post the message in the channel; where the bot is no member, by the command's `response_url`."""
    # A lease that expires while Slack answers leads to a second post; the key shows that both are one message.
    key = f"{job.workspace_id}:{job.id}"
    metadata = {"event_type": "scribe_outbox", "event_payload": {"key": key}}
    _send(partial(client.chat_postMessage, **_NO_PREVIEWS, metadata=metadata), job.content, "in_channel")


def _post_ephemeral(client: WebClient, job: Job) -> None:
    """Show the message to one person; where the bot is no member, by the command's `response_url`."""
    _send(client.chat_postEphemeral, job.content, "ephemeral")


def _send(send: Callable[..., object], content: Mapping[str, Any], response_type: str) -> None:
    message = dict(content)
    reply_url = message.pop("reply_url", None)
    try:
        send(**message)
    except SlackApiError as error:
        if error.response.get("error") not in NOT_A_MEMBER or not reply_url:
            raise
        body = {"text": message["text"], "response_type": response_type, "replace_original": False, **_NO_PREVIEWS}
        body |= {name: message[name] for name in ("blocks", "thread_ts") if name in message}
        status = WebhookClient(reply_url, timeout=CALL_S).send_dict(body).status_code
        if status in {REQUEST_TIMEOUT, TOO_MANY} or status >= SERVER_ERROR:
            raise ConnectionError(f"response_url answered {status}") from error
        if status != OK:
            raise


def _draft(context: SlackContext, job: Job) -> None:
    drafts.write_draft(context.database, context.settings, job, context.clock)


def _document(context: SlackContext, job: Job) -> None:
    """Upload the document, with the picture; where the bot may not upload, enqueue it as messages."""
    content = _redirected(context, job.content)
    try:
        context.client.files_upload_v2(
            channel=content["channel"],
            file_uploads=files(context, content),
            initial_comment=content["comment"],
        )
    except SlackApiError as error:
        if error.response.get("error") not in NO_FILES:
            raise
        at, channel, reply_url = context.clock(), content["channel"], content["reply_url"]
        with context.database.write() as connection:
            for message in _messages(content):
                outbox.post(connection, job.workspace_id, channel, message, reply_url=reply_url, at=at)
            outbox.mark_sent(connection, job, at=at)


def _redirected(context: SlackContext, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content, for the incident's own channel if the incident became private after a request from another."""
    if "incident_id" not in content:
        return content
    with context.database.read() as connection:
        incident = incidents.by_id(connection, content["incident_id"])
    if incident.seen_from(content["channel"]):
        return content
    return {**content, "channel": incident.channel_id, "reply_url": None}


def _messages(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The document as messages: its Markdown, or the text `instead` of a file that is not meant to be read."""
    if "instead" in content:
        return [{"text": content["instead"]}]
    rest = [{"text": content["title"], "blocks": part} for part in blocks.documents(content["markdown"])]
    return [{"text": content["comment"]}, *rest]


def files(context: SlackContext, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The `file_uploads` of `files_upload_v2`: the document, and for an incident the picture of its timeline."""
    document = {key: content[key] for key in ("filename", "title")} | {"content": content["markdown"]}
    if "incident_id" not in content:
        return [document]
    try:
        with context.database.read() as connection:
            record = read_record(connection, incidents.by_id(connection, content["incident_id"]))
        name = record.incident.name
        with RENDER_LOCK:
            picture = {
                "filename": f"{name}-timeline.png",
                "title": f"{name} timeline",
                "alt_txt": described(record),
                "content": BINARY["png"](record),
            }
    except Exception:  # noqa: BLE001 - after any failure to draw, the document is sent without its picture
        _log.exception("picture not drawn")
        return [document]
    return [document, picture]


def described(record: ExportRecord) -> str:
    """The picture in one line, for people who cannot see it."""
    return terminal("picture", incident=record.incident, lifecycle=record.lifecycle)
