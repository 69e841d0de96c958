"""Reviews in the outbox: what becomes of an errand that tells of one, or reminds of it."""

from dataclasses import replace

from bot.handlers.review import invitations
from bot.slack.context import Door
from bot.slack.outbound.delivery import Action
from storage import outbox, receipts
from storage.outbox import Errand


def tell(door: Door, errand: Errand) -> None:
    """Put the invitation, or the cancellation, with its file into the outbox, unless a later plan stands by now."""
    content = errand.content
    with door.database.read() as connection:
        news = invitations.news(connection, content["incident_id"], content["sequence"], prefix=content["prefix"])
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
    key = f"errand:{errand.id}"
    with door.database.write() as connection:
        # A lease that ran out brings the errand again, and nobody should be invited twice.
        if receipts.find(connection, errand.workspace_id, key) is not None:
            return
        receipts.keep(connection, errand.workspace_id, key, {}, at=door.clock())
        outbox.add(
            connection,
            errand.workspace_id,
            lane=news.channel_id,
            action="document",
            content=document,
            at=door.clock(),
        )


def remind(door: Door, post: Action, errand: Errand) -> None:
    """Remind the channel by `post`, if the plan stands and the meeting is still ahead; looked at on every attempt."""
    content = errand.content
    with door.database.read() as connection:
        reminder = invitations.reminder(
            connection, content["incident_id"], content["sequence"], at=door.clock(), prefix=content["prefix"]
        )
    if reminder is not None:
        channel_id, text = reminder
        post(replace(errand, content={"channel": channel_id, "text": text}))
