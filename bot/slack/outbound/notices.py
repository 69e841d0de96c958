"""Digests, weekly summaries, review invitations and reports, each read from the store when it is sent."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from slack_sdk.errors import SlackApiError

from bot.documents.picture.png import svg_to_png
from bot.documents.picture.report import draw_report
from bot.documents.rendering import RENDER_LOCK, slack
from bot.handlers.items.digests import Digest, DigestKey, digest, next_working_time, reschedule, summary
from bot.handlers.report import reports
from bot.handlers.review import invitations
from bot.slack.context import SlackContext
from bot.slack.outbound import blocks
from bot.slack.outbound.blocks import BLOCKS_LIMIT, TEXT_LIMIT, Message, clip_escaped, controls
from bot.slack.outbound.delivery import Action
from storage import members, outbox, receipts
from storage.outbox import Job

NOBODY = frozenset({"user_not_found", "user_disabled", "user_not_visible", "cannot_dm_bot"})
"""Slack's words for: that person cannot be written to. Its `account_inactive` is of the bot's own token."""
_PART_LIMIT = BLOCKS_LIMIT // 16


def send_digest(context: SlackContext, post: Action, job: Job) -> None:
    """Tell a recipient what their action items want of them, as things stand now, within their working hours."""
    content, cadence = job.content, context.settings.cadence
    told = DigestKey(
        workspace_id=job.workspace_id,
        recipient_id=content["recipient"],
        on=date.fromisoformat(content["on"]),
    )
    with context.database.read() as connection:
        due_at = next_working_time(connection, told, at=context.clock(), cadence=cadence)
        made = digest(connection, told, cadence=cadence, prefix=context.settings.prefix)
    if due_at is not None:
        with context.database.write() as connection:
            reschedule(connection, told, due_at=due_at)
    elif made is not None:
        _send(context, post, replace(job, content={"channel": told.recipient_id, **digest_message(made)}), told)


def _send(context: SlackContext, post: Action, job: Job, told: DigestKey) -> None:
    try:
        post(job)
    except SlackApiError as error:
        if error.response.get("error") in NOBODY:
            _hand_on(context, told)
        raise
    context.metrics.reminded(1)


def _hand_on(context: SlackContext, told: DigestKey) -> None:
    """Whom Slack does not know any more is told nothing: the lead is, at the next tick."""
    with context.database.write() as connection:
        members.mark_barred(connection, told.workspace_id, told.recipient_id, "unknown")
        reschedule(connection, told, due_at=context.clock())


def send_summary(context: SlackContext, post: Action, job: Job) -> None:
    """Tell the channel of the settings what became of the action items in a week."""
    channel = context.settings.summary_channel
    if not channel:
        return
    with context.database.read() as connection:
        text = summary(
            connection,
            job.workspace_id,
            at=job.written_at,
            cadence=context.settings.cadence,
            prefix=context.settings.prefix,
        )
    post(replace(job, content={"channel": channel, "text": text}))


def digest_message(digest: Digest) -> Message:
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


def announce_review(context: SlackContext, job: Job) -> None:
    """Put the invitation, or the cancellation, with its file into the outbox, unless a later plan stands by now."""
    content = job.content
    with context.database.read() as connection:
        news = invitations.announcement(
            connection, content["incident_id"], content["sequence"], prefix=content["prefix"]
        )
    if news is None:
        return
    document = {
        "channel": news.channel_id,
        "reply_url": content["reply_url"],
        "comment": news.comment,
        "title": news.title,
        "filename": news.filename,
        # Under the name that every document's text has.
        "markdown": news.file,
        "instead": news.alone,
    }
    key = f"errand:{job.id}"
    with context.database.write() as connection:
        # A lease that ran out brings the job again, and nobody should be invited twice.
        if receipts.find(connection, job.workspace_id, key) is not None:
            return
        receipts.save(connection, job.workspace_id, key, {}, at=context.clock())
        outbox.add(
            connection,
            job.workspace_id,
            lane=news.channel_id,
            action="document",
            content=document,
            at=context.clock(),
        )


def remind_of_review(context: SlackContext, post: Action, job: Job) -> None:
    """Remind the channel by `post`, if the plan stands and the meeting is still ahead; looked at on every attempt."""
    content = job.content
    with context.database.read() as connection:
        reminder = invitations.reminder_text(
            connection, content["incident_id"], content["sequence"], at=context.clock(), prefix=content["prefix"]
        )
    if reminder is not None:
        channel_id, text = reminder
        post(replace(job, content={"channel": channel_id, "text": text}))


ALT_LIMIT = 1_000
GROUPS = 6
"""So many teams are named in a message; the terminal names all."""


def send_report(context: SlackContext, job: Job, *, no_files: Collection[str]) -> None:
    """Count, and send_report it; where one of `no_files` is Slack's word, the text alone."""
    content = job.content
    with RENDER_LOCK, context.database.read() as connection:
        report = reports.requested_report(connection, job.workspace_id, content)
    text = slack("report", report=report, shown=GROUPS)
    try:
        if report.declared or report.items.recorded:
            with RENDER_LOCK:
                picture = svg_to_png(draw_report(report))
            context.client.files_upload_v2(
                channel=content["channel"],
                content=picture,
                filename="incident-report.png",
                title=f"Incidents of {report.period.words}",
                initial_comment=text,
                alt_txt=blocks.clip(text.replace("*", ""), ALT_LIMIT),
            )
            return
    except SlackApiError as error:
        if error.response.get("error") not in no_files:
            raise
    with context.database.write() as connection:
        at, channel, reply_url = context.clock(), content["channel"], content["reply_url"]
        outbox.post(connection, job.workspace_id, channel, {"text": text}, reply_url=reply_url, at=at)
        outbox.mark_sent(connection, job, at=at)
