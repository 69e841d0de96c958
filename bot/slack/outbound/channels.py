"""The jobs that make an incident's own channel, invite people there, and archive it.

Each can be done again after any of its steps: what Slack has made is found again by its name, its maker and its
purpose.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from slack_sdk.errors import SlackApiError
from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident import channel
from bot.handlers.incident.channels import Made, invited, move, requested
from bot.slack.context import SlackContext
from bot.slack.refusals import gives_up, reason
from storage import channels, incidents, outbox
from storage.channels import OwnChannel
from storage.outbox import Job
from storage.values import Incident

MOST_INVITED: Final = 100
"""People in one call. Source: Slack, conversations.invite."""
PAGE, MOST_PAGES = 200, 10
"""Channels in one answer about those that the bot is in, and the most answers that are read."""
_GROUP: Final = "S"
"""How the ids of groups of users begin."""
_TAKEN: Final = "name_taken"
_BAD_NAME: Final = "invalid_name"
_log = logging.getLogger(__name__)


def make(context: SlackContext, job: Job) -> None:
    """Make the channel, note it, say what it is for, and let the incident go on there; tell who asked if that fails."""
    with context.database.read() as connection:
        found = requested(connection, job.content["incident_id"])
    if found is None:
        return
    incident, own = found
    if incident.closed_as is not None:
        _give_up(context, job, incident, own, "", closed=True)
        return
    try:
        made = _made(context, incident, own)
    except SlackApiError as error:
        if not gives_up(error, job.attempts):
            raise
        _give_up(context, job, incident, own, reason(error))
        return
    _set_purpose(context, job, incident, made)
    with context.database.write() as connection:
        at = context.clock()
        moved = move(connection, context.settings, incident.id, made, at=at)
        if moved:
            outbox.mark_sent(connection, job, at=at)
    if moved:
        context.delivery.present.add((job.workspace_id, made.channel_id))
        return
    with context.database.read() as connection:
        still = requested(connection, incident.id)
    if still is not None:
        _give_up(context, job, incident, still[1], "", closed=True)


def _made(context: SlackContext, incident: Incident, own: OwnChannel) -> Made:
    """The channel that was made by an earlier attempt, else a new one, which is noted at once."""
    if own.channel_id is not None:
        return Made(channel_id=own.channel_id, name=own.name)
    made = _create(context, incident)
    with context.database.write() as connection:
        channels.save(connection, incident.id, channel_id=made.channel_id, name=made.name)
    return made


def _create(context: SlackContext, incident: Incident) -> Made:
    """Make a channel under the first name that Slack takes. Raises what Slack refuses it with under the last one."""
    *names, last = channel.channel_names(incident)
    for name in names:
        try:
            return _created(context.client.conversations_create(name=name, is_private=incident.private)["channel"])
        except SlackApiError as error:
            code = reason(error)
            if code == _TAKEN and (found := _found(context, incident, name)) is not None:
                return found
            if code.startswith(_BAD_NAME):
                break
            if code != _TAKEN:
                raise
    try:
        return _created(context.client.conversations_create(name=last, is_private=incident.private)["channel"])
    except SlackApiError as error:
        found = _found(context, incident, last) if reason(error) == _TAKEN else None
        if found is None:
            raise
        return found


def _created(answer: dict[str, Any]) -> Made:
    return Made(channel_id=answer["id"], name=answer["name"])


def _found(context: SlackContext, incident: Incident, name: str) -> Made | None:
    """The channel of that name, if an earlier attempt made it for this incident, and was killed before it was noted.

    Without the scopes to look for it there is none: then the next name is taken, and that one stays empty.
    """
    context.identity.learn()
    purposes = {"", channel.purpose(incident)}
    try:
        for each in _own_channels(context, private=incident.private):
            ours = each.get("creator") == context.identity.facts.bot_user_id and not each.get("is_archived")
            meant = each.get("purpose", {}).get("value", "") in purposes
            if each.get("name") == name and ours and meant and not _in_use(context, incident, each["id"]):
                return _created(each)
    except SlackApiError as error:
        if reason(error) != "missing_scope":
            raise
        _log.warning("a channel's name is taken, and it cannot be looked up: missing_scope")
    return None


def _own_channels(context: SlackContext, *, private: bool) -> Iterator[dict[str, Any]]:
    """The channels that the bot is in, the archived ones left out."""
    cursor, kind = "", "private_channel" if private else "public_channel"
    for _ in range(MOST_PAGES):
        page = context.client.users_conversations(types=kind, exclude_archived=True, limit=PAGE, cursor=cursor or None)
        yield from page["channels"]
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


def _in_use(context: SlackContext, incident: Incident, channel_id: str) -> bool:
    with context.database.read() as connection:
        return channels.in_use(connection, incident.workspace_id, channel_id)


def _set_purpose(context: SlackContext, job: Job, incident: Incident, made: Made) -> None:
    """Say what the channel is for; where Slack does not let the bot, it is a channel without a purpose."""
    try:
        context.client.conversations_setPurpose(channel=made.channel_id, purpose=channel.purpose(incident))
    except SlackApiError as error:
        if not gives_up(error, job.attempts):
            raise
        _log.warning("purpose of a channel not set: %s", reason(error))


def _give_up(
    context: SlackContext, job: Job, incident: Incident, own: OwnChannel, problem: str, *, closed: bool = False
) -> None:
    """Forget the request, and tell who asked why, alone; then it may be asked for again."""
    name = own.name if own.channel_id is not None or not closed else ""
    text = slack("no_channel", incident=incident, name=name, problem=problem, closed=closed)

    def forget(connection: Connection) -> None:
        channels.forget(connection, incident.id)

    _tell(context, job, incident, text, forget)


def _tell(
    context: SlackContext, job: Job, incident: Incident, text: str, also: Callable[[Connection], None] | None = None
) -> None:
    """Tell who asked, in the incident's channel to them alone, and end the job."""
    with context.database.write() as connection:
        at = context.clock()
        if also is not None:
            also(connection)
        user_id, reply_url = job.content["asked_by"], job.content.get("reply_url")
        message = {"text": text, "asked_by": user_id}
        if incident.channel_id.startswith("D"):
            outbox.post(connection, job.workspace_id, user_id, message, at=at, reply_url=reply_url)
        else:
            outbox.ephemeral(
                connection, job.workspace_id, incident.channel_id, user_id, message, at=at, reply_url=reply_url
            )
        outbox.mark_sent(connection, job, at=at)


def invite(context: SlackContext, job: Job) -> None:
    """Invite everybody who belongs there; who cannot be invited, or is there already, keeps nobody out."""
    with context.database.read() as connection:
        ids = invited(connection, context.settings, job.content)
    ours = context.identity.facts.bot_user_id
    people = [each for each in dict.fromkeys(_people(context, ids)) if each != ours]
    for start in range(0, len(people), MOST_INVITED):
        _invite(context, job, job.content["channel"], people[start : start + MOST_INVITED])


def _people(context: SlackContext, ids: Sequence[str]) -> Iterator[str]:
    """The people, and those in the groups that Slack tells of."""
    for each in ids:
        if not each.startswith(_GROUP):
            yield each
            continue
        try:
            yield from context.client.usergroups_users_list(usergroup=each)["users"]
        except SlackApiError as error:
            if not gives_up(error, attempts=1):
                raise
            _log.warning("group not invited: %s", reason(error))


def _invite(context: SlackContext, job: Job, channel_id: str, people: Sequence[str]) -> None:
    """Invite them together; where Slack refuses all for one of them, one by one."""
    try:
        context.client.conversations_invite(channel=channel_id, users=list(people), force=True)
    except SlackApiError as error:
        if not gives_up(error, job.attempts):
            raise
        if len(people) == 1 or reason(error) in {"missing_scope", "not_in_channel", "is_archived", "channel_not_found"}:
            _log.warning("%d not invited: %s", len(people), reason(error))
            return
        for each in people:
            _invite(context, job, channel_id, [each])


def archive(context: SlackContext, job: Job) -> None:
    """Archive the channel; a second time, it is archived already. Tell who asked if that fails, or it is open again."""
    with context.database.read() as connection:
        incident = incidents.by_id(connection, job.content["incident_id"])
        own = channels.of_incident(connection, incident.id)
    if own is None or own.channel_id is None or own.channel_id != incident.channel_id:
        return
    if incident.open:
        _tell(context, job, incident, slack("not_archived", incident=incident, name=own.name, problem=""))
        return
    try:
        context.client.conversations_archive(channel=own.channel_id)
    except SlackApiError as error:
        if reason(error) != "already_archived":
            if not gives_up(error, job.attempts):
                raise
            _tell(
                context, job, incident, slack("not_archived", incident=incident, name=own.name, problem=reason(error))
            )
            return
    with context.database.write() as connection:
        at = context.clock()
        channels.save(connection, incident.id, archived_at=at)
        outbox.mark_sent(connection, job, at=at)
