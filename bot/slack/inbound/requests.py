"""From Slack's payloads to requests."""

from collections.abc import Callable, Iterable, Mapping
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
from bot.slack.text import Typed, typed
from bot.vocabulary import ACTION_ITEM, COMMANDS, INCIDENT
from storage.values import whole_milliseconds

_OWNERS = 1
"""An item has one owner: other people named in its words need not be known."""
_PRIVATE = ("privategroup", "directmessage", "mpdm-")
_ON_INCIDENTS = frozenset(each.name for each in INCIDENT.subcommands)


def instant_of_ts(ts: str) -> datetime:
    """The instant of a message's `ts`: seconds since 1970, UTC."""
    return whole_milliseconds(datetime.fromtimestamp(float(ts), UTC))


def iso(at: datetime) -> str:
    """An instant as the grammar reads it back, zone and milliseconds included."""
    return at.isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Requests:
    """Makes requests of payloads: takes the markup off, adds what is known of the person."""

    settings: Settings
    members: Members

    def of_command(self, command: SlashCommand, *, received_at: datetime) -> Request:
        """A slash command."""
        return self._request(
            command.team_id,
            typed(command.text or "", name_of=self.names(command.team_id)),
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
        """`@scribe detected …`, in a channel or a thread: the words after the bot's name."""
        event = mention.event
        words = typed(_after_name(mention), name_of=self.names(mention.team_id))
        command, rest = first_word(words.words)
        command = command.rstrip(":,").removeprefix("/")
        if command not in COMMANDS and command not in _ON_INCIDENTS:
            command = command.removeprefix(self.settings.prefix)
        if command in _ON_INCIDENTS:
            command, rest = INCIDENT.name, words.words
        return self._request(
            mention.team_id,
            Typed(words=rest, people=words.people),
            command=command or INCIDENT.name,
            channel_id=event.channel,
            channel_name=event.channel,
            # The event does not say; what is not known to be public is shown in its own channel only.
            private=True,
            user_id=event.user or "",
            user_name=None,
            key=f"message:{event.channel}:{event.ts}",
            source="mention",
            said_at=instant_of_ts(event.ts),
            received_at=received_at,
        )

    def of_click(self, click: Click, *, received_at: datetime, home: bool = False) -> Request:
        """A click on one of our buttons: the action is the command, its value the words.

        `home`: the button *Done* of the Home tab, which has an action id of its own.
        """
        action = click.actions[0]
        channel = click.channel
        return self._request(
            click.team.id,
            Typed(words=action.chosen, people={}),
            command=DONE if home else action.action_id,
            # On the Home tab or in a form there is no channel: what is to be said there goes to the person.
            channel_id=channel.id if channel else click.container.channel_id or click.user.id,
            channel_name=(channel.name or channel.id) if channel else "",
            user_id=click.user.id,
            user_name=click.user.called,
            key=click.trigger_id,
            source=HOME if home else "click",
            reply_url=click.response_url,
            received_at=received_at,
        )

    def of_shortcut(self, shortcut: Shortcut, *, received_at: datetime) -> Request:
        """The opening of a form on a message: it does nothing yet, and says whom to tell if that fails."""
        return self._request(
            shortcut.team.id,
            Typed(words="", people={}),
            command=shortcut.callback_id,
            channel_id=shortcut.channel.id,
            channel_name=shortcut.channel.name,
            user_id=shortcut.user.id,
            user_name=shortcut.user.called,
            key=shortcut.trigger_id,
            source="shortcut",
            reply_url=shortcut.response_url,
            received_at=received_at,
        )

    def of_form(
        self,
        submission: Submission,
        place: Mapping[str, Any],
        command: str,
        words: Typed,
        *,
        received_at: datetime,
        details: Mapping[str, str] | None = None,
    ) -> Request:
        """A submitted form; `place` is what was remembered when it was opened."""
        return self._request(
            submission.team.id,
            words,
            command=command,
            channel_id=place["channel_id"],
            channel_name=place["channel_name"],
            private=_is_private(place["channel_name"]),
            user_id=submission.user.id,
            user_name=submission.user.called,
            key=f"view:{submission.view.id}",
            source=place["source"],
            reply_url=place.get("reply_url"),
            received_at=received_at,
            author=place.get("author"),
            author_id=place.get("author_id"),
            permalink=place.get("permalink"),
            incident_number=int(place["incident"]) if place.get("incident") else None,
            details=details or {},
        )

    def of_reaction(self, content: Mapping[str, Any], words: str, *, command: str, received_at: datetime) -> Request:
        """A reaction, and the words of the message it stands on; `content` is the job's."""
        author_id = content.get("author_id")
        workspace_id = content["workspace_id"]
        author = self.members.find(workspace_id, author_id) if author_id else None
        return self._request(
            workspace_id,
            typed(words, name_of=self.names(workspace_id)),
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
        """The function that names a user id of the workspace, where the store knows it."""

        def name_of(user_id: str) -> str | None:
            member = self.members.find(workspace_id, user_id)
            return member.name if member else None

        return name_of

    def locate(self, request: Request) -> Request:
        """The request in the typist's own zone, waiting at most a second for Slack; unchanged where it is not known."""
        member = self.members.look_up(request.workspace_id, request.user_id)
        if member is None or member.timezone is None:
            return request
        name = member.name if request.user_name == request.user_id else request.user_name
        return replace(request, zone=ZoneInfo(member.timezone), zone_known=True, user_name=name)

    def _request(
        self, workspace_id: str, words: Typed, *, user_id: str, user_name: str | None, **facts: Any
    ) -> Request:
        member = self.members.find(workspace_id, user_id)
        if facts["command"] == ACTION_ITEM.name:
            self._meet(workspace_id, words.people.values())
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

    def _meet(self, workspace_id: str, user_ids: Iterable[str]) -> None:
        """Look up the person named as owner, who is refused if they left or are a bot; a second at most."""
        for user_id in list(user_ids)[:_OWNERS]:
            self.members.look_up(workspace_id, user_id)


def _after_name(mention: Mention) -> str:
    """The words after the mention of the bot; a mention further on leaves what stands before it out."""
    text = mention.event.text
    name = f"<@{mention.authorizations[0].user_id if mention.authorizations else None}>"
    before, found, after = text.partition(name)
    after = after.lstrip(" \n:,") if found else text.partition(">")[2]
    return after or before


def _is_private(channel_name: str | None) -> bool:
    """Whether Slack's name for the conversation says that not everybody may look into it."""
    return (channel_name or "").startswith(_PRIVATE)
