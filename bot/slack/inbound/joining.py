"""Who joins an incident's channel gets the story so far, once and to them alone, where Slack tells of it.

Slack tells an app only with a scope that it does without otherwise (`channels:read`, `groups:read`). The event is put
into the outbox; the job reads the story when it is sent, so that nothing of it waits anywhere.
"""

import logging
from dataclasses import replace

from slack_sdk.errors import SlackApiError

from bot.errors import UsageError
from bot.handlers import events
from bot.handlers.incident.status import CATCH_UP
from bot.handlers.routes import handle
from bot.slack.context import SlackContext
from bot.slack.inbound.payloads import Joined
from bot.slack.outbound import blocks
from bot.slack.outbound.presence import Presence
from bot.slack.refusals import TOKEN_REFUSED, Verdict, judge, reason
from bot.vocabulary import INCIDENT
from storage import incidents
from storage.outbox import Job
from storage.values import BOT

_log = logging.getLogger(__name__)


def notice(context: SlackContext, presence: Presence, payload: object) -> None:
    """Notice an event that no listener reads: somebody, perhaps the bot itself, joined a channel.

    An exception makes Slack deliver the event again.
    """
    if not isinstance(payload, Joined):
        return
    presence.notice(payload)
    event = payload.event
    if event.channel is None or event.user == context.identity.facts.bot_user_id:
        return
    request = context.requests.of_event(
        events.JOINED,
        payload.team_id,
        event.user,
        channel_id=event.channel,
        key=None,
        received_at=context.clock(),
    )
    context.offline.handle(request)
    context.delivery.wake()


def tell(context: SlackContext, job: Job) -> None:
    """Show the story to the person, unless they are a program or the incident is over or elsewhere by then."""
    content, workspace_id = job.content, job.workspace_id
    channel_id, user_id = content["channel_id"], content["user_id"]
    member = context.members.look_up(workspace_id, user_id)
    if member is not None and member.barred is not None:
        _log.info("not caught up: %s", "a program" if member.barred == BOT else member.barred)
        return
    with context.database.read() as connection:
        incident = incidents.by_id(connection, content["incident_id"])
    if not incident.open or incident.channel_id != channel_id:
        return
    request = context.requests.of_event(
        INCIDENT.name, workspace_id, user_id, channel_id=channel_id, key=None, received_at=context.clock()
    )
    try:
        reply = handle(context.database, replace(request, words=f"{CATCH_UP} {incident.name}"))
        context.client.chat_postEphemeral(channel=channel_id, user=user_id, **blocks.message(reply))
    except UsageError:
        _log.info("not caught up: the incident is not seen there")
    except SlackApiError as error:
        # Who has left again, or a channel that is archived: there is nothing to be told any more.
        if judge(error) is Verdict.LATER or reason(error) in TOKEN_REFUSED:
            raise
        _log.info("not caught up: %s", reason(error))
