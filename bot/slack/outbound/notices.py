"""Digests, weekly summaries, review invitations and reports: each is read from the database when it is sent."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date

from slack_sdk.errors import SlackApiError, SlackClientError
from sqlalchemy.exc import IntegrityError

from bot.documents.picture.png import svg_to_png
from bot.documents.picture.report import draw_report
from bot.documents.rendering import RENDER_LOCK, slack
from bot.domain.items.handover import WINDOW
from bot.domain.items.reminders import is_person
from bot.handlers.incident import similar, updates
from bot.handlers.items import handovers
from bot.handlers.items.buttons import SNOOZE, snooze_all
from bot.handlers.items.digest_edits import key_of, present, revised
from bot.handlers.items.digests import Digest, DigestKey, expired, next_working_time, reschedule, told
from bot.handlers.items.summaries import summary
from bot.handlers.report import reports
from bot.handlers.review import invitations
from bot.handlers.review.reviews import remind_each
from bot.handlers.sources import alerts, lead_up
from bot.slack.client import NewFile, PausedError
from bot.slack.context import SlackContext
from bot.slack.outbound.blocks import (
    BLOCKS_LIMIT,
    SECTION_LIMIT,
    TEXT_LIMIT,
    Message,
    clip,
    clip_escaped,
    controls,
    fingerprint,
)
from bot.slack.outbound.blocks import message as as_message
from bot.slack.outbound.delivery import Action
from bot.slack.refusals import ARCHIVED, NO_RECIPIENT, NOT_A_MEMBER, UNEDITABLE, needs_messages, reason
from storage import incidents, live_messages, members, outbox, receipts, reviews
from storage.items import action_items, digests, reminder_schedules
from storage.items import handovers as handover_rows
from storage.items.digests import HANDED, LIVE, LOST, PostedDigest
from storage.outbox import Job
from storage.values import Handover

_PEOPLE = ("U", "W")
"""How the ids of people begin; a digest may also go to a channel."""
_CLOSED = NOT_A_MEMBER | ARCHIVED
"""Slack's error codes for a channel in which nothing can be said."""
_GONE = frozenset({"deactivated", "unknown"})
ALT_LIMIT = 1_000
"""Characters of a picture's alternative text."""
GROUPS = 6
"""Teams in a report's message; `scribe report` lists all."""
_PART_LIMIT = BLOCKS_LIMIT // 16
_ITEM_LIMIT = (BLOCKS_LIMIT - handovers.LINES_LIMIT - 2 * _PART_LIMIT) // handovers.SHOWN
"""Characters of one item of a hand-over."""


def send_digest(context: SlackContext, post: Action, job: Job) -> str | None:
    """Send a recipient the digest of their action items in its current state, within their working hours.

    Where the process dies before it has noted the message, it is sent once more under the same key, and that one is
    edited from then on. The first stays as it was posted; its buttons act on what there is by then.
    """
    content, cadence = job.content, context.settings.cadence
    key = DigestKey(
        workspace_id=job.workspace_id,
        recipient_id=content["recipient"],
        on=date.fromisoformat(content["on"]),
    )
    with context.database.read() as connection:
        due_at = next_working_time(connection, key, at=context.clock(), cadence=cadence)
    # Before it is put into words: what they may read depends on what Slack answers.
    if due_at is None and _has_left(context, key):
        # At the next tick the incident's lead is reminded instead.
        with context.database.write() as connection:
            reschedule(connection, key, due_at=context.clock())
        return None
    with context.database.read() as connection:
        current = present(connection, key, context.settings)
    if current is None or not current.called:
        return None
    if due_at is not None:
        with context.database.write() as connection:
            reschedule(connection, key, due_at=due_at)
    else:
        message = digest_message(current, key)
        try:
            sent_as = post(replace(job, content={"channel": key.recipient_id, **message}))
        except SlackApiError as error:
            if reason(error) in _CLOSED and not is_person(key.recipient_id):
                # At the next tick the lead, or whoever else is to know, is told in a direct message instead.
                with context.database.write() as connection:
                    reschedule(connection, key, due_at=context.clock(), closed=True)
                return None
            if reason(error) in NO_RECIPIENT:
                # At the next tick the incident's lead is reminded instead.
                with context.database.write() as connection:
                    members.mark_barred(connection, key.workspace_id, key.recipient_id, "unknown", at=context.clock())
                    reschedule(connection, key, due_at=context.clock())
            raise
        context.metrics.reminded(1)
        if sent_as is not None:
            _note_digest(context, job, key, current, message, sent_as)
        return sent_as
    return None


def _note_digest(
    context: SlackContext, job: Job, key: DigestKey, posted: Digest, message: Message, sent_as: str
) -> None:
    """Note where the digest is, so that it can be edited; and have that done where it changed while it was posted."""
    channel_id, _, ts = sent_as.partition(" ")
    at = context.clock()
    with context.database.write() as connection:
        # Who changes the recipient's items holds the lock: their change is seen here, or they see this message.
        told(connection, key, posted)
        noted = digests.save(
            connection,
            key.workspace_id,
            key.recipient_id,
            told_on=key.on,
            channel_id=channel_id,
            ts=ts,
            fingerprint=fingerprint(message),
            listed=posted.holds,
            at=at,
        )
        now = present(connection, key, context.settings)
        if now is None or digest_message(now, key) != message:
            digests.add_edits(connection, [(noted, key.workspace_id, LIVE)], at=at)
        outbox.mark_sent(connection, job, at=at, sent_as=sent_as)


def edit_posted(context: SlackContext, job: Job) -> None:
    """Have Slack show a digest or a hand-over as it is now, unless it shows that already or a later job will."""
    with context.database.read() as connection:
        posted = digests.by_id(connection, job.workspace_id, job.content["digest"])
        if posted is None or digests.is_edited_later(connection, job, at=context.clock()):
            return
    _edit(context, job, posted)


def _edit(context: SlackContext, job: Job, posted: PostedDigest, more: Sequence[Handover] = ()) -> bool:
    """Edit the message, a hand-over to tell of the changes `more` as well; False where nobody can edit it any more.

    One at a time in a workspace, PACE_S apart, whatever the number of replicas.
    """
    if posted.state == LOST:
        return False
    at = context.clock()
    with context.database.read() as connection:
        current = revised(connection, posted, context.settings, at=at, link=context.identity.permalink, more=more)
        listed = digests.listed(connection, posted)
        left_s = live_messages.pause_s(connection, job.workspace_id, at=at)
    message = handover_message(current) if posted.state == HANDED else digest_message(current, key_of(posted))
    if fingerprint(message) != posted.fingerprint:
        if left_s > 0:
            raise PausedError(left_s)
        try:
            context.client.chat_update(channel=posted.channel_id, ts=posted.ts, **message)
        except SlackApiError as error:
            if error.response.get("error") not in UNEDITABLE:
                raise
            with context.database.write() as connection:
                digests.mark_lost(connection, posted)
            return False
    elif not more:
        return True
    added = [each for each in current.holds if each not in listed]
    with context.database.write() as connection:
        digests.note_edit(connection, posted, fingerprint=fingerprint(message), added=added, at=at)
        handover_rows.attach(connection, [each.id for each in more], posted.id)
        outbox.mark_sent(connection, job, at=at)
    return True


def tell_of_expired(context: SlackContext, post: Action, job: Job) -> None:
    """Tell a person which proposals of theirs were dropped because nobody took them."""
    content = job.content
    with context.database.read() as connection:
        message = expired(
            connection,
            job.workspace_id,
            content["recipient"],
            content["items"],
            days=content["days"],
        )
    if message is not None:
        post(replace(job, content={"channel": content["recipient"], **digest_message(message)}))


def _has_left(context: SlackContext, key: DigestKey) -> bool:
    """Whether the recipient is deactivated: Slack takes a message for them all the same, and nobody reads it.

    Slack is asked once a day at most. Where it cannot be asked, what was last known counts.
    """
    workspace_id, user_id = key.workspace_id, key.recipient_id
    if not user_id.startswith(_PEOPLE):
        return False
    asked = f"asked:{user_id}:{key.on}"
    with context.database.read() as connection:
        is_asked = receipts.find(connection, workspace_id, asked) is not None
    member = None if is_asked else context.members.ask(workspace_id, user_id)
    if member is not None:
        # IntegrityError: another replica asked at the same time.
        with suppress(IntegrityError), context.database.write() as connection:
            receipts.save(connection, workspace_id, asked, {}, at=context.clock())
    known = member or context.members.find(workspace_id, user_id)
    return known is not None and known.barred in _GONE


def digest_message(digest: Digest, key: DigestKey | None = None) -> Message:
    """The digest as blocks, and its whole text for notifications and screen readers."""
    blocks = [_section(digest.head)]
    for part in digest.parts:
        blocks += [_section(part.text), *controls(part.controls)]
    if key is not None and sum(any(each.action == SNOOZE for each in part.controls) for part in digest.parts) > 1:
        blocks += controls((snooze_all(key.on),))
    return _with_foot(digest, blocks, SECTION_LIMIT)


def _with_foot(digest: Digest, blocks: list[Message], limit: int) -> Message:
    whole = "\n\n".join(filter(None, [digest.head, *(part.text for part in digest.parts), digest.foot]))
    if digest.foot:
        foot = {"type": "mrkdwn", "text": clip_escaped(digest.foot, limit)}
        blocks.append({"type": "context", "elements": [foot]})
    return {"text": clip_escaped(whole, TEXT_LIMIT), "blocks": blocks}


def _section(text: str, limit: int = _PART_LIMIT) -> Message:
    return {"type": "section", "text": {"type": "mrkdwn", "text": clip_escaped(text, limit)}}


def send_handover(context: SlackContext, post: Action, job: Job) -> str | None:
    """Tell a recipient, within their working hours, what others did with items that concern them, as it is now.

    What was told a few minutes ago is edited to tell of it too.
    """
    content, cadence = job.content, context.settings.cadence
    workspace_id, recipient_id, ids = job.workspace_id, content["recipient"], content["changes"]
    on = date.fromisoformat(content["on"])
    changes = handovers.load(context.database, workspace_id, recipient_id, ids, at=context.clock())
    if not changes:
        return None
    with context.database.read() as connection:
        due_at = handovers.next_working_time(connection, changes, at=context.clock(), cadence=cadence)
    if due_at is not None:
        with context.database.write() as connection:
            handovers.reschedule(connection, [each.id for each in changes], due_at=due_at)
        return None
    # Whoever has left is told nothing: at the next tick the incident's lead is. Asked first, as what anybody else may
    # read depends on what Slack answers.
    if _has_left(context, DigestKey(workspace_id=workspace_id, recipient_id=recipient_id, on=on)):
        return None
    # However long Slack keeps it waiting.
    since_at = job.written_at - WINDOW
    with context.database.read() as connection:
        told = handovers.compose(connection, workspace_id, recipient_id, changes, on=on, prefix=context.settings.prefix)
        earlier = digests.handed_since(connection, workspace_id, recipient_id, since_at=since_at)
    if earlier is not None and _edit(context, job, earlier, changes):
        return None
    if told is None:
        return None
    message = handover_message(told)
    try:
        sent_as = post(replace(job, content={"channel": recipient_id, **message}))
    except SlackApiError as error:
        if error.response.get("error") in NO_RECIPIENT:
            with context.database.write() as connection:
                members.mark_barred(connection, workspace_id, recipient_id, "unknown", at=context.clock())
        raise
    if sent_as is not None:
        _note_handover(context, job, changes, told, message, sent_as)
    return sent_as


def _note_handover(
    context: SlackContext, job: Job, changes: Sequence[Handover], told: Digest, message: Message, sent_as: str
) -> None:
    """Note where the hand-over is, as `_note_digest` does."""
    workspace_id, recipient_id, on = job.workspace_id, job.content["recipient"], date.fromisoformat(job.content["on"])
    channel_id, _, ts = sent_as.partition(" ")
    at = context.clock()
    with context.database.write() as connection:
        reminder_schedules.lock(connection, workspace_id, {recipient_id: None})
        noted = digests.save_handover(
            connection,
            workspace_id,
            recipient_id,
            told_on=on,
            channel_id=channel_id,
            ts=ts,
            fingerprint=fingerprint(message),
            listed=told.holds,
            at=at,
        )
        handover_rows.attach(connection, [each.id for each in changes], noted)
        changes = handover_rows.of_message(connection, noted)
        now = handovers.compose(connection, workspace_id, recipient_id, changes, on=on, prefix=context.settings.prefix)
        if now is None or handover_message(now) != message:
            digests.add_edits(connection, [(noted, workspace_id, HANDED)], at=at)
        outbox.mark_sent(connection, job, at=at, sent_as=sent_as)


def handover_message(told: Digest) -> Message:
    """The message as blocks, and its whole text for notifications and screen readers."""
    blocks = [_section(told.head)]
    for part in told.parts:
        blocks += [_section(part.text, _ITEM_LIMIT if part.controls else SECTION_LIMIT), *controls(part.controls)]
    return _with_foot(told, blocks, _PART_LIMIT)


def send_nudge(context: SlackContext, post: Action, job: Job) -> str | None:
    """Remind an incident's channel of a promised update, or ask about its silence, unless that is over."""
    with context.database.read() as connection:
        nudge = updates.compose(connection, context.settings, job.content, at=context.delivery.clock())
    if nudge is None:
        return None
    channel_id, reply = nudge
    return post(replace(job, content={"channel": channel_id, **as_message(reply)}))


def ask_about_alerts(context: SlackContext, post: Action, job: Job) -> str | None:
    """Ask a channel whether its alerts are an incident, unless that is answered already; once for several.

    What came after the question is told by editing it, as long as Slack lets it be edited.
    """
    with context.database.read() as connection:
        asked = alerts.compose(connection, job.content, workspace_id=job.workspace_id)
        earlier = outbox.last_message(connection, job) if job.content.get(alerts.AGAIN_KEY) else None
    if asked is None:
        return None
    channel_id, reply = asked
    if earlier is not None:
        with _refusing(UNEDITABLE):
            context.client.chat_update(channel=earlier[0], ts=earlier[1], **as_message(reply))
        return None
    return post(replace(job, content={"channel": channel_id, **as_message(reply)}))


def offer_lead_up(context: SlackContext, post: Action, job: Job) -> str | None:
    """Offer an incident's channel what came before it, unless all of it was taken since."""
    with context.database.read() as connection:
        offered = lead_up.compose(connection, job.content)
    if offered is None:
        return None
    channel_id, reply = offered
    return post(replace(job, content={"channel": channel_id, **as_message(reply)}))


def show_similar(context: SlackContext, post_ephemeral: Action, job: Job) -> str | None:
    """Show one person which incidents are like the one that they told an impact or cause of; not who is not there."""
    with context.database.read() as connection:
        message = similar.compose(connection, job.content)
    if message is None:
        return None
    try:
        return post_ephemeral(replace(job, content=message))
    except SlackApiError as error:
        if reason(error) not in ARCHIVED | NOT_A_MEMBER | {"user_not_in_channel"}:
            raise
        return None


def announce_done(context: SlackContext, post: Action, job: Job) -> str | None:
    """Tell an incident's channel of a done item, unless it was reopened since; not where it takes no message."""
    content = job.content
    with context.database.read() as connection:
        item = action_items.numbered(connection, content["incident_id"], content["number"])
        if item is None or item.state != "done":
            return None
        channel_id, text = handovers.done_line(connection, content["incident_id"], item, content["by"])
    try:
        return post(replace(job, content={"channel": channel_id, "text": text}))
    except SlackApiError as error:
        if reason(error) not in ARCHIVED | NOT_A_MEMBER:
            raise
        return None


def send_summary(context: SlackContext, post: Action, job: Job) -> None:
    """Post the week's summary of action items in the channel of the settings."""
    channel = context.settings.summary_channel
    if not channel:
        return
    with context.database.read() as connection:
        text = summary(
            connection,
            job.workspace_id,
            job.content,
            at=job.written_at,
            cadence=context.settings.cadence,
            prefix=context.settings.prefix,
            quiet=context.settings.summary_when_empty == "nothing",
        )
    if text is not None:
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
        "asked_by": content.get("asked_by"),
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
            action=outbox.DOCUMENT,
            content=document,
            at=context.clock(),
        )


def remind_of_review(context: SlackContext, post: Action, job: Job) -> None:
    """Remind one person of a review by direct message, in their hours, if it is still planned and they can come."""
    content, at, cadence = job.content, context.clock(), context.settings.cadence
    user_id = content.get("user_id")
    if user_id is None:
        # Of an older release, which reminded the channel: each person is, as for a plan of now.
        with context.database.write() as connection:
            plan = reviews.planned(connection, content["incident_id"])
            if plan is not None and plan.sequence == content["sequence"]:
                incident = incidents.by_id(connection, content["incident_id"])
                remind_each(connection, incident, plan, content, cadence=cadence, at=at)
            outbox.mark_sent(connection, job, at=at)
        return
    standing = context.requests.standing(job.workspace_id, user_id)
    with context.database.read() as connection:
        reminder = invitations.reminder(connection, content, standing=standing, at=at, cadence=cadence)
    if reminder is None:
        return
    if reminder.due_at is not None:
        with context.database.write() as connection:
            outbox.add(
                connection,
                job.workspace_id,
                lane=job.lane,
                action=job.action,
                content=content,
                at=at,
                due_at=reminder.due_at,
            )
            outbox.mark_sent(connection, job, at=at)
    elif not _has_left(context, DigestKey(workspace_id=job.workspace_id, recipient_id=user_id, on=at.date())):
        # Slack refuses who has left since then, or whom the bot cannot see. It is no channel that is to be joined.
        with _refusing(NO_RECIPIENT | NOT_A_MEMBER):
            post(replace(job, content={"channel": user_id, "text": reminder.text}))


@contextmanager
def _refusing(codes: Collection[str]) -> Iterator[None]:
    """Take it for done where Slack refuses with one of the codes."""
    try:
        yield
    except SlackApiError as error:
        if error.response.get("error") not in codes:
            raise


def send_report(context: SlackContext, job: Job) -> None:
    """Create the report and upload its picture; without incidents, or where the bot may not upload, post the text."""
    content = job.content
    report = reports.requested_report(context.database, job.workspace_id, content)
    text = slack("report", report=report, shown=GROUPS)
    try:
        if report.declared or report.items.recorded:
            with RENDER_LOCK:
                picture = svg_to_png(draw_report(report))
            upload = NewFile(
                filename="incident-report.png",
                title=f"Incidents of {report.period.words}",
                content=picture,
                alt_text=clip(text.replace("*", ""), ALT_LIMIT),
            )
            context.client.share(content["channel"], text, [upload])
            return
    except (SlackClientError, OSError) as error:
        if not needs_messages(error, job.attempts):
            raise
    with context.database.write() as connection:
        at, channel, reply_url = context.clock(), content["channel"], content["reply_url"]
        message = {"text": text, "asked_by": content.get("asked_by")}
        outbox.post(connection, job.workspace_id, channel, message, reply_url=reply_url, at=at)
        outbox.mark_sent(connection, job, at=at)
