"""Requests from Slack's payloads: without markup, and with the person's name and time zone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.config import Settings
from bot.handlers.items.buttons import DONE
from bot.handlers.items.clicks import HOME
from bot.handlers.request import Request, first_word
from bot.slack.inbound.payloads import Click, Mention, Shortcut, SlashCommand, Submission
from bot.slack.members import Members
from bot.slack.text import PlainText, plain_text
from bot.vocabulary import ACTION_ITEM, COMMANDS, INCIDENT
from storage.values import whole_milliseconds

_PRIVATE_NAMES = ("privategroup", "directmessage", "mpdm-")
"""How the names begin that Slack sends in place of a private conversation's own."""
_INCIDENT_SUBCOMMANDS = frozenset(each.name for each in INCIDENT.subcommands)


def instant_of_ts(ts: str) -> datetime:
    """The instant of a message's `ts`, which counts seconds since 1970 in UTC."""
    return whole_milliseconds(datetime.fromtimestamp(float(ts), UTC))


def iso(at: datetime) -> str:
    """The instant with zone and milliseconds, so that the grammar reads back the same one."""
    return at.isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Requests:
    """Creates requests from payloads, for the workspace's settings and members."""

    settings: Settings
    members: Members

    def of_command(self, command: SlashCommand, *, received_at: datetime) -> Request:
        """A request for a slash command."""
        return self._request(
            command.team_id,
            plain_text(command.text or "", name_of=self.names(command.team_id)),
            command=command.command.removeprefix("/").removeprefix(self.settings.prefix),
            channel_id=command.channel_id,
            channel_name=command.channel_name or command.channel_id,
            private=_is_private(command.channel_name),
            user_id=command.user_id,
            user_name=command.user_name,
            key=command.trigger_id,
            source="slash",
            reply_url=command.response_url,
            received_at=received_at,
        )

    def of_mention(self, mention: Mention, *, received_at: datetime) -> Request:
        """A request for `@scribe detected …`, in a channel or a thread."""
        event = mention.event
        words = plain_text(_words_after_mention(mention), name_of=self.names(mention.team_id))
        command, rest = first_word(words.words)
        command = command.rstrip(":,").removeprefix("/")
        if command not in COMMANDS and command not in _INCIDENT_SUBCOMMANDS:
            command = command.removeprefix(self.settings.prefix)
        if command in _INCIDENT_SUBCOMMANDS:
            command, rest = INCIDENT.name, words.words
        return self._request(
            mention.team_id,
            PlainText(words=rest, people=words.people),
            command=command or INCIDENT.name,
            channel_id=event.channel,
            channel_name=event.channel,
            # The event has no channel name; an incident not known to be public is shown in its own channel only.
            private=True,
            user_id=event.user or "",
            user_name=None,
            key=f"message:{event.channel}:{event.ts}",
            source="mention",
            said_at=instant_of_ts(event.ts),
            received_at=received_at,
        )

    def of_click(self, click: Click, *, received_at: datetime, home: bool = False) -> Request:
        """A request for a click: the action is the command, its value the words.

        `home` is for the button *Done* of the Home tab, whose action id is another.
        """
        action = click.actions[0]
        channel = click.channel
        return self._request(
            click.team.id,
            PlainText(words=action.chosen),
            command=DONE if home else action.action_id,
            # The Home tab and forms have no channel: the reply goes to the person.
            channel_id=channel.id if channel else click.container.channel_id or click.user.id,
            channel_name=(channel.name or channel.id) if channel else "",
            user_id=click.user.id,
            user_name=click.user.handle,
            key=click.trigger_id,
            source=HOME if home else "click",
            reply_url=click.response_url,
            received_at=received_at,
        )

    def of_shortcut(self, shortcut: Shortcut, *, received_at: datetime) -> Request:
        """The request that the failure to open a form is reported to; no handler gets it."""
        return self._request(
            shortcut.team.id,
            PlainText(words=""),
            command=shortcut.callback_id,
            channel_id=shortcut.channel.id,
            channel_name=shortcut.channel.name,
            user_id=shortcut.user.id,
            user_name=shortcut.user.handle,
            key=shortcut.trigger_id,
            source="shortcut",
            reply_url=shortcut.response_url,
            received_at=received_at,
        )

    def of_form(
        self,
        submission: Submission,
        origin: Mapping[str, Any],
        command: str,
        words: PlainText,
        *,
        received_at: datetime,
        details: Mapping[str, str] | None = None,
    ) -> Request:
        """A request for a submitted form; `origin` is the metadata that the form was opened with."""
        return self._request(
            submission.team.id,
            words,
            command=command,
            channel_id=origin["channel_id"],
            channel_name=origin["channel_name"],
            private=_is_private(origin["channel_name"]),
            user_id=submission.user.id,
            user_name=submission.user.handle,
            key=f"view:{submission.view.id}",
            source=origin["source"],
            reply_url=origin.get("reply_url"),
            received_at=received_at,
            author=origin.get("author"),
            author_id=origin.get("author_id"),
            permalink=origin.get("permalink"),
            incident_number=int(origin["incident"]) if origin.get("incident") else None,
            details=details or {},
        )

    def of_reaction(self, content: Mapping[str, Any], words: str, *, command: str, received_at: datetime) -> Request:
        """A request for a reaction; `content` is the job's, `words` are the text of the message."""
        author_id = content.get("author_id")
        workspace_id = content["workspace_id"]
        author = self.members.find(workspace_id, author_id) if author_id else None
        return self._request(
            workspace_id,
            plain_text(words, name_of=self.names(workspace_id)),
            command=command,
            channel_id=content["channel_id"],
            channel_name=content["channel_id"],
            private=True,
            user_id=content["user_id"],
            user_name=None,
            key=f"{command}:{content['event_id']}",
            source="reaction",
            received_at=received_at,
            author=author.name if author else author_id,
            author_id=author_id,
            permalink=content["permalink"],
        )

    def names(self, workspace_id: str) -> Callable[[str], str | None]:
        """A function that returns the name of a user id of the workspace, or None where it is unknown."""

        def name_of(user_id: str) -> str | None:
            member = self.members.find(workspace_id, user_id)
            return member.name if member else None

        return name_of

    def locate(self, request: Request) -> Request:
        """The request in the person's own zone; unchanged if Slack does not give it within a second."""
        member = self.members.look_up(request.workspace_id, request.user_id)
        if member is None or member.timezone is None:
            return request
        name = member.name if request.user_name == request.user_id else request.user_name
        return replace(request, zone=ZoneInfo(member.timezone), zone_known=True, user_name=name)

    def _request(
        self, workspace_id: str, words: PlainText, *, user_id: str, user_name: str | None, **facts: Any
    ) -> Request:
        member = self.members.find(workspace_id, user_id)
        if facts["command"] == ACTION_ITEM.name:
            # The handler refuses an owner who left or is a bot, so the owner must be known: the first person named.
            for named_id in list(words.people.values())[:1]:
                self.members.look_up(workspace_id, named_id)
        return Request(
            workspace_id=workspace_id,
            words=words.words,
            people=words.people,
            user_id=user_id,
            user_name=user_name or (member.name if member else user_id),
            zone=ZoneInfo(member.timezone) if member and member.timezone else self.settings.timezone,
            zone_known=member is not None and member.timezone is not None,
            settings=self.settings,
            **facts,
        )


def _words_after_mention(mention: Mention) -> str:
    """The words after the mention of the bot, or those before it where none follow."""
    text = mention.event.text
    name = f"<@{mention.authorizations[0].user_id if mention.authorizations else None}>"
    before, found, after = text.partition(name)
    after = after.lstrip(" \n:,") if found else text.partition(">")[2]
    return after or before


def _is_private(channel_name: str | None) -> bool:
    """Whether Slack's name for the conversation is that of a private one."""
    return (channel_name or "").startswith(_PRIVATE_NAMES)
