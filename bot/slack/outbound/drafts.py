"""The draft in its channel: one message that shows the newest version, and the files of each version in its thread."""

import logging
from collections.abc import Mapping
from typing import Any

from slack_sdk.errors import SlackClientError
from sqlalchemy import Connection

from bot.documents.export import BINARY, ExportRecord, head_of
from bot.documents.rendering import RENDER_LOCK, slack, terminal
from bot.handlers.postmortem import buttons, drafts
from bot.handlers.postmortem.exports import read_record
from bot.handlers.request import Button, Reply
from bot.handlers.sources import lead_up
from bot.slack.client import NewFile
from bot.slack.context import SlackContext
from bot.slack.outbound import blocks
from bot.slack.refusals import needs_messages, reason
from storage import incidents, live_messages, outbox
from storage.live_messages import DRAFT
from storage.outbox import Job
from storage.values import Incident

NO_THREAD = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message"})
"""Slack's error codes for a message that has no thread, or is gone."""
_log = logging.getLogger(__name__)


def message(context: SlackContext, connection: Connection, incident: Incident) -> blocks.Message | None:
    """The draft's message as it is now; None before there is a draft."""
    record = read_record(connection, incident)
    if record.postmortem is None:
        return None
    answered, total = drafts.count_answered(connection, incident.id, record.postmortem)
    left = lead_up.before(connection, incident)
    text = slack(
        "draft",
        incident=incident,
        postmortem=record.postmortem,
        head=head_of(record),
        answered=answered,
        total=total,
        prefix=context.settings.prefix,
        left=len(left),
    )
    more = (Button(label="What led up to it", action=lead_up.CHOOSE, value=incident.name),) if left else ()
    return blocks.message(
        Reply(text=text, buttons=(*buttons.of_draft(incident.name, still_open=total - answered), *more)),
    )


def send_document(context: SlackContext, job: Job) -> str | None:
    """Share the document, with the picture; where Slack takes no file, enqueue it as messages.

    A version goes into the thread of the draft's message, where there is one, else it stands for itself. Returns the
    ids of the files.
    """
    content = _redirected(context, job.content)
    thread_ts = _thread(context, content)
    try:
        try:
            return _share(context, content, thread_ts)
        except SlackClientError as error:
            if thread_ts is None or reason(error) not in NO_THREAD:
                raise
            thread_ts = None
            return _share(context, content, None)
    except (SlackClientError, OSError) as error:
        if not needs_messages(error, job.attempts):
            raise
        _log.warning("document sent as messages: %s", reason(error))
        at, channel, reply_url = context.clock(), content["channel"], content.get("reply_url")
        thread = {"thread_ts": thread_ts} if thread_ts else {}
        with context.database.write() as connection:
            for part in _messages(content, in_thread=thread_ts is not None):
                outbox.post(connection, job.workspace_id, channel, {**part, **thread}, reply_url=reply_url, at=at)
            outbox.mark_sent(connection, job, at=at)
        return None


def _share(context: SlackContext, content: Mapping[str, Any], thread_ts: str | None) -> str:
    comment = _comment(content, in_thread=thread_ts is not None)
    return " ".join(context.client.share(content["channel"], comment, files(context, content), thread_ts=thread_ts))


def _comment(content: Mapping[str, Any], *, in_thread: bool) -> str:
    """What is said beside the document: below the draft's message, that says the rest."""
    return str(content["beside"] if in_thread and "beside" in content else content["comment"])


def _thread(context: SlackContext, content: Mapping[str, Any]) -> str | None:
    """The `ts` of the draft's message, for a version that goes to its channel; None where there is none to be seen."""
    if "incident_id" not in content:
        return None
    with context.database.read() as connection:
        posted = live_messages.find(connection, content["incident_id"], DRAFT)
    is_shown = posted is not None and posted.state == live_messages.LIVE and posted.channel_id == content["channel"]
    return posted.ts or None if posted is not None and is_shown else None


def _redirected(context: SlackContext, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content, for the incident's own channel if not all who are in the one of the request may see it."""
    if "incident_id" not in content:
        return content
    with context.database.read() as connection:
        incident = incidents.by_id(connection, content["incident_id"])
    channel = drafts.destination_of(incident, content["channel"])
    return content if channel == content["channel"] else {**content, "channel": channel, "reply_url": None}


def _messages(content: Mapping[str, Any], *, in_thread: bool) -> list[dict[str, Any]]:
    """The document as messages: its Markdown, or the text `instead` of a file that is not meant to be read."""
    about = {name: content[name] for name in ("incident_id", "asked_by") if name in content}
    if "instead" in content:
        return [{"text": content["instead"], **about}]
    rest = [{"text": content["title"], "blocks": part, **about} for part in blocks.documents(content["markdown"])]
    return [{"text": _comment(content, in_thread=in_thread), **about}, *rest]


PICTURES = ((0, "png", "", ""), (9, "phone-png", "-phone", " for a phone"))
"""The pictures sent with a document: from how many entries on, the format, and what file names and titles say of it.

A phone shows the wide picture of a few entries well enough.
"""


def files(context: SlackContext, content: Mapping[str, Any]) -> list[NewFile]:
    """The document, and for an incident the pictures of its timeline: wide, and of a long one for a phone too."""
    document = NewFile(filename=content["filename"], title=content["title"], content=content["markdown"].encode())
    if "incident_id" not in content:
        return [document]
    try:
        with context.database.read() as connection:
            record = read_record(connection, incidents.by_id(connection, content["incident_id"]))
        name = record.incident.name
        with RENDER_LOCK:
            pictures = [
                NewFile(
                    filename=f"{name}-timeline{suffix}.png",
                    title=f"{name} timeline{about}",
                    content=BINARY[form](record),
                    alt_text=described(record),
                    extra=True,
                )
                for least, form, suffix, about in PICTURES
                if len(record.entries) >= least
            ]
    except Exception:  # noqa: BLE001 - after any failure to draw, the document is sent without its picture
        _log.exception("picture not drawn")
        return [document]
    return [document, *pictures]


def described(record: ExportRecord) -> str:
    """The picture in one line, for people who cannot see it."""
    return terminal("picture", incident=record.incident, lifecycle=record.lifecycle)
