"""What could not be sent: the bot is no member of the channel, the channel is archived, or Slack refuses the message.

Slack tells an app that it is a member only by an event that needs a further scope, so the bot asks, once for each
channel: it shows itself a message that nobody else sees. What was refused because it was no member is parked, and sent
when it is one: at its `member_joined_channel`, at the next words typed there, or at one of the hourly looks.
Who asked for what was parked is told of it, once.
"""

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from http.client import HTTPException
from typing import Any

from slack_sdk.errors import SlackApiError, SlackClientError
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from bot.documents.rendering import slack
from bot.handlers.incident.channels import ARCHIVE, INVITE
from bot.handlers.incident.incidents import MAKE_CHANNEL
from bot.handlers.incident.updates import NUDGE
from bot.handlers.items.handovers import HANDOVER
from bot.handlers.items.redact import is_redacted
from bot.handlers.items.reminders import DIGEST, EXPIRED
from bot.handlers.postmortem.publishing import PUBLISH
from bot.handlers.review.reviews import ANNOUNCEMENT, REMINDER
from bot.slack.context import WRITE_S, SlackContext
from bot.slack.inbound.payloads import Joined
from bot.slack.outbound import reply_urls
from bot.slack.outbound.delivery import Heard
from bot.slack.refusals import ARCHIVED, NOT_A_MEMBER, TOKEN_REFUSED, Verdict, judge, reason
from bot.slack.text import plain_text
from storage import incidents, live_messages, outbox, receipts, timeline
from storage.availability import within
from storage.outbox import Job
from storage.values import MEMBER, Incident

UNDELIVERED = "undelivered"
"""The action of the message about what could not be sent, to who asked for it, otherwise to the incident's lead."""
KEPT_FOR = timedelta(days=30)
"""The age up to which a message is sent after all."""
SHOWN = 10
"""The most messages that one is told of."""
_ABSENT = NOT_A_MEMBER | {"user_not_in_channel"}
_ASKED = ("asked_by", "by_id", "user")
"""The fields of a job in which the person stands who asked for it."""
_HERE = "Scribe is in this channel."
_CHANNELS = ("C", "G")
"""How the ids of channels begin; to a direct message nobody can be invited."""
_log = logging.getLogger(__name__)


class Presence:
    """Whether the bot is a member of channels; a yes holds until the process ends or Slack refuses a post."""

    def __init__(self, context: SlackContext) -> None:
        self._context = context
        self._joined: set[tuple[str, str]] = set()

    def look(self, heard: Heard) -> None:
        """Find out whether the bot is in the channel; then send what waits, or say that it is not there."""
        if not heard.channel_id.startswith(_CHANNELS):
            return
        is_member = self._ask(heard.channel_id)
        if is_member:
            self.admit(heard.workspace_id, heard.channel_id)
            self._context.delivery.present.add((heard.workspace_id, heard.channel_id))
        elif is_member is False and heard.reply_url:
            self._tell(heard, heard.reply_url)

    def _ask(self, channel_id: str) -> bool | None:
        """Whether the bot is a member; None where Slack does not say."""
        facts, client = self._context.identity.facts, self._context.client
        if facts.bot_user_id is None:
            return None
        try:
            client.chat_postEphemeral(channel=channel_id, user=facts.bot_user_id, text=_HERE)
        except SlackApiError as error:
            return False if reason(error) in _ABSENT else None
        except (SlackClientError, OSError, ValueError):
            # ValueError: an id that is no text. Whatever Slack says of the others, it is asked again at the next words.
            return None
        return True

    def notice(self, payload: Joined) -> None:
        """Notice that the bot joined a channel."""
        if payload.event.user != self._context.identity.facts.bot_user_id:
            return
        if payload.event.channel is None:
            _log.warning("request not readable: Joined: event.channel")
        else:
            self._joined.add((payload.team_id, payload.event.channel))
            self._context.executor.submit(self.admit_joined)

    def admit_joined(self) -> None:
        """Send what waited for the bot to join a channel; a channel stays noted until the database has taken that."""
        for place in list(self._joined):
            with within(WRITE_S, at_once=True):
                self.admit(*place)
            self._joined.discard(place)

    def admit(self, workspace_id: str, channel_id: str) -> None:
        """The bot is a member: send what was refused because it was none."""
        database, at = self._context.database, self._context.clock()
        with database.read() as connection:
            waiting = outbox.parked_in(connection, workspace_id, channel_id, problems=NOT_A_MEMBER)
            if not waiting and not receipts.is_absent(connection, workspace_id, channel_id):
                return
            # Its card was not posted, as the bot was not there.
            here = incidents.in_channel(connection, workspace_id, channel_id)
        with database.write() as connection:
            receipts.unmark_absent(connection, workspace_id, channel_id)
            if here is not None and here.open and self._context.settings.card:
                live_messages.announce(
                    connection, workspace_id, live_messages.CARD, here.id, channel_id=channel_id, at=at
                )
            outbox.requeue(
                connection,
                problems=NOT_A_MEMBER,
                workspace_id=workspace_id,
                lane=channel_id,
                since_at=at - KEPT_FOR,
                at=at,
            )
        self._context.delivery.wake()

    def _tell(self, heard: Heard, reply_url: str) -> None:
        """Tell the person who typed, once for a channel."""
        database, place = self._context.database, (heard.workspace_id, heard.channel_id)
        try:
            with database.write() as connection:
                receipts.mark_absent(connection, *place, at=self._context.clock())
        except IntegrityError:
            return
        message = {"text": slack("not_invited"), "response_type": "ephemeral", "replace_original": False}
        taken = False
        with suppress(SlackClientError, OSError, HTTPException, ValueError):
            taken = reply_urls.use(self._context, heard.workspace_id, reply_url, message)
        if not taken:
            with database.write() as connection:
                receipts.unmark_absent(connection, *place)

    def look_again(self) -> None:
        """Look after the channels for which something waits."""
        with self._context.database.read() as connection:
            waiting = waiting_by_channel(connection, since_at=self._context.clock() - KEPT_FOR)
        for workspace_id, channel_id in waiting:
            self.look(Heard(workspace_id=workspace_id, channel_id=channel_id))

    def park(self, connection: Connection, job: Job, problem: str) -> None:
        """Park the job, and have it told once: to who asked for it, otherwise to the incident's lead.

        What the whole channel does not take is parked under the channel. Without somebody who asked, as with
        reminders, that is told once for the channel.
        """
        problems = next((each for each in (NOT_A_MEMBER, ARCHIVED) if problem in each), None)
        incident = _incident_of(connection, job)
        channel_id = job.content.get("channel") or (incident.channel_id if incident else job.lane)
        outbox.park(connection, job, problem=problem, lane=channel_id if problems else None)
        if problems is not None:
            self._context.delivery.present.discard((job.workspace_id, channel_id))
        # What failed for the token is sent when it is right; what says that something was not sent is said no further.
        if problem in TOKEN_REFUSED or job.action == UNDELIVERED:
            return
        asked_by = next((job.content[name] for name in _ASKED if job.content.get(name)), None)
        recipient_id = asked_by or (_to_be_told(connection, incident) if incident and problems else None)
        reply_url = job.content.get("reply_url")
        if recipient_id is None or (problems and reply_urls.is_spent(connection, job.workspace_id, reply_url)):
            return
        # All parts of one document were written at once.
        whole = f":{job.lane}:{job.written_at.isoformat()}" if asked_by else ""
        key = f"{UNDELIVERED}:{min(problems or {problem})}:{channel_id}:{recipient_id}{whole}"
        if receipts.find(connection, job.workspace_id, key) is not None:
            return
        receipts.save(connection, job.workspace_id, key, {}, at=self._context.clock())
        content = {
            "recipient": recipient_id,
            "incident_id": incident.id if incident else None,
            "channel_id": channel_id,
            "lane": channel_id if problems else job.lane,
            "problems": sorted(problems or {problem}),
            "reply_url": reply_url,
            "since": job.written_at.isoformat() if asked_by else None,
        }
        outbox.add(
            connection,
            job.workspace_id,
            lane=recipient_id,
            action=UNDELIVERED,
            content=content,
            at=self._context.clock(),
        )


def invitation(context: SlackContext, job: Job) -> str:
    """The last words of a `response_url`: how to get the rest."""
    with context.database.read() as connection:
        incident = _incident_of(connection, job)
    return slack("last_words", incident=incident, prefix=context.settings.prefix)


def waiting_by_channel(connection: Connection, *, since_at: datetime) -> dict[tuple[str, str], int]:
    """How many messages written since then wait for the bot to be a member, by workspace and channel."""
    waiting = outbox.parked_lanes(connection, problems=NOT_A_MEMBER, since_at=since_at)
    return {place: count for place, count in waiting.items() if place[1].startswith(_CHANNELS)}


def _incident_of(connection: Connection, job: Job) -> Incident | None:
    """The incident that the job is about, or the one of the channel that it is for."""
    if job.content.get("incident_id") is not None:
        return incidents.by_id(connection, job.content["incident_id"])
    return incidents.in_channel(connection, job.workspace_id, job.content.get("channel") or job.lane)


def _to_be_told(connection: Connection, incident: Incident) -> str | None:
    """The incident's lead; without one, who recorded its first entry."""
    if incident.lead_id is not None:
        return incident.lead_id
    first = timeline.numbered(connection, incident.id, 1)
    return first.recorded_by_id if first else None


_LABELS = {
    outbox.POST: "a message",
    outbox.EPHEMERAL: "an answer to one person",
    outbox.DOCUMENT: "a file",
    "draft": "the draft of the postmortem",
    "report": "the report",
    PUBLISH: "what was to be published",
    ANNOUNCEMENT: "the news of a review",
    REMINDER: "the reminder of a review",
    NUDGE: "a question about the incident",
    MAKE_CHANNEL: "the making of a channel",
    INVITE: "the invitations to a channel",
    ARCHIVE: "the archiving of the channel",
    DIGEST: "a reminder of action items",
    EXPIRED: "the news of proposals that were dropped",
    HANDOVER: "news of action items",
}
"""What a job is, where its words are not for the reader or not made yet."""


def _in_short(job: Job) -> str:
    """The job in a line, without markup."""
    if job.action == outbox.POST:
        return plain_text(job.content["text"].partition("\n")[0]).words
    return _LABELS.get(job.action, job.action)


def report_undelivered(context: SlackContext, job: Job) -> None:
    """Tell the recipient what could not be sent, in the first way that Slack takes.

    By direct message, in the channel to them alone, by the `response_url`, last in the incident's channel.
    """
    content = job.content
    recipient_id, channel_id = content["recipient"], content.get("channel_id", content["lane"])
    since_at = datetime.fromisoformat(content["since"]) if content.get("since") else None
    with context.database.read() as connection:
        parked = outbox.parked_in(connection, job.workspace_id, content["lane"], problems=content["problems"])
        parked = [each for each in parked if since_at is None or each.written_at >= since_at]
        incident = None
        if content.get("incident_id") is not None:
            incident = incidents.by_id(connection, content["incident_id"])
        standing = context.requests.standing(job.workspace_id, recipient_id)
        hidden = incident is None or is_redacted(
            connection, incident, user_id=recipient_id, standing=standing, channel_id=recipient_id
        )
    if not parked:
        return
    told = partial(_told, content["problems"], parked, channel_id, incident)
    client, private = context.client, told(hidden=hidden, masked=incident is not None and standing != MEMBER)
    ways: list[tuple[str, Callable[[], object]]] = [
        ("a direct message", partial(client.chat_postMessage, channel=recipient_id, text=private))
    ]
    if channel_id.startswith(_CHANNELS):
        ways.append(
            ("the channel", partial(client.chat_postEphemeral, channel=channel_id, user=recipient_id, text=private))
        )
    if content.get("reply_url"):
        message = {"text": private, "response_type": "ephemeral", "replace_original": False}
        ways.append(("the response_url", partial(_by_url, context, job.workspace_id, content["reply_url"], message)))
    if incident is not None:
        ways.append(
            (
                "the incident's channel",
                partial(client.chat_postMessage, channel=incident.channel_id, text=told(hidden=True)),
            )
        )
    _take_first(ways)


def _told(
    problems: Collection[str],
    parked: list[Job],
    channel_id: str,
    incident: Incident | None,
    *,
    hidden: bool,
    masked: bool = False,
) -> str:
    """What could not be sent; without the messages' own words where they are `hidden`.

    `masked`: also without the incident's name, for who is no member.
    """
    return slack(
        "undelivered",
        incident=None if masked else incident,
        masked=masked,
        outside=set(problems) == NOT_A_MEMBER,
        archived=set(problems) == ARCHIVED,
        problem=min(problems),
        # Slack's error codes are in lower case; any other problem is the name of an exception of ours.
        of_slack=min(problems).islower(),
        channel_id=channel_id if channel_id.startswith(_CHANNELS) else None,
        messages=[_LABELS.get(each.action, each.action) if hidden else _in_short(each) for each in parked],
        shown=SHOWN,
    )


def _by_url(context: SlackContext, workspace_id: str, url: str, message: dict[str, Any]) -> None:
    """Raises LookupError where the URL takes no more."""
    if not reply_urls.use(context, workspace_id, url, message):
        raise LookupError("used up")


def _take_first(ways: Collection[tuple[str, Callable[[], object]]]) -> None:
    """Go the first way that is not refused for good. Raises what may pass, and any refusal of the token."""
    for name, go in ways:
        try:
            go()
        except SlackApiError as error:
            if judge(error) is Verdict.LATER or reason(error) in TOKEN_REFUSED:
                raise
            _log.info("not told by %s: %s", name, reason(error))
        except LookupError:
            _log.info("not told by %s: it takes no more", name)
        else:
            return
    _log.warning("nobody told of what was parked: every way is refused")
