"""Digests, weekly summaries, review invitations and reports: each is read from the database when it is sent."""

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
from bot.slack.outbound.blocks import BLOCKS_LIMIT, TEXT_LIMIT, Message, clip, clip_escaped, controls
from bot.slack.outbound.delivery import NO_FILES, Action
from storage import members, outbox, receipts
from storage.outbox import Job

NO_RECIPIENT = frozenset({"user_not_found", "user_disabled", "user_not_visible", "cannot_dm_bot"})
"""Slack's error codes for a person who cannot get a message; `account_inactive` is about the bot's own token."""
ALT_LIMIT = 1_000
"""Characters of a picture's alternative text."""
GROUPS = 6
"""Teams in a report's message; `scribe report` lists all."""
_PART_LIMIT = BLOCKS_LIMIT // 16


def send_digest(context: SlackContext, post: Action, job: Job) -> None:
    """Send a recipient the digest of their action items in its current state, within their working hours."""
    content, cadence = job.content, context.settings.cadence
    key = DigestKey(
        workspace_id=job.workspace_id,
        recipient_id=content["recipient"],
        on=date.fromisoformat(content["on"]),
    )
    with context.database.read() as connection:
        due_at = next_working_time(connection, key, at=context.clock(), cadence=cadence)
        current = digest(connection, key, cadence=cadence, prefix=context.settings.prefix)
    if due_at is not None:
        with context.database.write() as connection:
            reschedule(connection, key, due_at=due_at)
    elif current is not None:
        try:
            post(replace(job, content={"channel": key.recipient_id, **digest_message(current)}))
        except SlackApiError as error:
            if error.response.get("error") in NO_RECIPIENT:
                # At the next tick the incident's lead is reminded instead.
                with context.database.write() as connection:
                    members.mark_barred(connection, key.workspace_id, key.recipient_id, "unknown")
                    reschedule(connection, key, due_at=context.clock())
            raise
        context.metrics.reminded(1)


def digest_message(digest: Digest) -> Message:
    """The digest as blocks, and its whole text for notifications and screen readers."""
    whole = "\n\n".join(filter(None, [digest.head, *(part.text for part in digest.parts), digest.foot]))
    blocks = [_section(digest.head)]
    for part in digest.parts:
        blocks += [_section(part.text), *controls(part.controls)]
    if digest.foot:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": digest.foot}]})
    return {"text": clip_escaped(whole, TEXT_LIMIT), "blocks": blocks}


def _section(text: str) -> Message:
    return {"type": "section", "text": {"type": "mrkdwn", "text": clip_escaped(text, _PART_LIMIT)}}


def send_summary(context: SlackContext, post: Action, job: Job) -> None:
    """Post the week's summary of action items in the channel of the settings."""
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


def announce_review(context: SlackContext, job: Job) -> None:
    """Put the invitation or the cancellation, with its file, into the outbox, unless a later plan replaces it."""
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
        # The job `document` has each file's text under this key.
        "markdown": news.file,
        "instead": news.alone,
    }
    key = f"errand:{job.id}"
    with context.database.write() as connection:
        # After an expired lease the job runs again, but people must be invited once.
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
    """Remind the channel, if at the time of this attempt the plan is current and the meeting ahead."""
    content = job.content
    with context.database.read() as connection:
        reminder = invitations.reminder_text(
            connection, content["incident_id"], content["sequence"], at=context.clock(), prefix=content["prefix"]
        )
    if reminder is not None:
        channel_id, text = reminder
        post(replace(job, content={"channel": channel_id, "text": text}))


def send_report(context: SlackContext, job: Job) -> None:
    """Create the report and upload its picture; without incidents, or where the bot may not upload, post the text."""
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
                alt_txt=clip(text.replace("*", ""), ALT_LIMIT),
            )
            return
    except SlackApiError as error:
        if error.response.get("error") not in NO_FILES:
            raise
    with context.database.write() as connection:
        at, channel, reply_url = context.clock(), content["channel"], content["reply_url"]
        outbox.post(connection, job.workspace_id, channel, {"text": text}, reply_url=reply_url, at=at)
        outbox.mark_sent(connection, job, at=at)
