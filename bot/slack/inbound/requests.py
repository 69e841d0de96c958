"""From Slack's payloads to requests: the only reader of their keys."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.config import Settings
from bot.domain.incident.grammar import take_qualifier
from bot.domain.time.moment import needs_zone
from bot.errors import UsageError
from bot.handlers.items.items import HOME
from bot.handlers.request import Request, first_word, of_settings
from bot.slack.members import Members
from bot.slack.text import Typed, typed
from bot.vocabulary import ACTION_ITEM, COMMANDS, INCIDENT, KINDS, POSTMORTEM, REVIEW
from storage.values import whole_milliseconds

Payload = Mapping[str, Any]

_OWNERS = 1
"""An item has one owner: of whoever else is named in its words nothing need be known."""
_ITEM = re.compile(r"INC-([0-9]{1,9}) ([0-9]{1,9})")
_PRIVATE = ("privategroup", "directmessage", "mpdm-")
_ON_INCIDENTS = frozenset(each.name for each in INCIDENT.subcommands)
_QUALIFIED = tuple(kind for kind in KINDS.values() if kind.qualifiers)


def instant_of_ts(ts: str) -> datetime:
    """The instant of a message's `ts`: seconds since 1970, UTC."""
    return whole_milliseconds(datetime.fromtimestamp(float(ts), UTC))


def iso(at: datetime) -> str:
    """An instant as the grammar reads it back, zone and milliseconds included."""
    return at.isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Requests:
    """Makes requests of payloads: takes the markup off, finds the person's zone."""

    settings: Settings
    members: Members

    def of_command(self, body: Payload, *, received_at: datetime) -> Request:
        """A slash command."""
        return self._request(
            body["team_id"],
            typed(body.get("text") or "", name_of=self.names(body["team_id"])),
            command=body["command"].removeprefix("/").removeprefix(self.settings.prefix),
            channel_id=body["channel_id"],
            channel_name=body.get("channel_name") or body["channel_id"],
            private=_is_private(body.get("channel_name")),
            user_id=body["user_id"],
            user_name=body.get("user_name"),
            key=body.get("trigger_id"),
            source="slash",
            reply_url=body.get("response_url"),
            received_at=received_at,
        )

    def of_mention(self, body: Payload, *, received_at: datetime) -> Request:
        """`@scribe detected …`, in a channel or a thread: the words after the bot's name."""
        event = body["event"]
        workspace_id = body["team_id"]
        words = typed(_after_name(event["text"], body), name_of=self.names(workspace_id))
        command, rest = first_word(words.words)
        command = command.rstrip(":,").removeprefix("/")
        if command not in COMMANDS and command not in _ON_INCIDENTS:
            command = command.removeprefix(self.settings.prefix)
        if command in _ON_INCIDENTS:
            command, rest = INCIDENT.name, words.words
        return self._request(
            workspace_id,
            Typed(words=rest, people=words.people),
            command=command or INCIDENT.name,
            channel_id=event["channel"],
            channel_name=event["channel"],
            # The event does not say; what is not known to be public is shown in its own channel only.
            private=True,
            user_id=event["user"],
            user_name=None,
            key=f"message:{event['channel']}:{event['ts']}",
            source="mention",
            said_at=instant_of_ts(event["ts"]),
            received_at=received_at,
        )

    def of_click(self, body: Payload, *, received_at: datetime) -> Request:
        """A click on one of our buttons: the action is the command, its value the words."""
        action = body["actions"][0]
        channel = body.get("channel") or {}
        return self._request(
            body["team"]["id"],
            Typed(words=_pressed(action), people={}),
            command=action["action_id"],
            # On the Home tab or in a form there is no channel: what is to be said there goes to the person.
            channel_id=channel.get("id") or body["container"].get("channel_id") or body["user"]["id"],
            channel_name=channel.get("name") or channel.get("id") or "",
            user_id=body["user"]["id"],
            user_name=body["user"].get("username") or body["user"].get("name"),
            key=body.get("trigger_id"),
            source="click",
            reply_url=body.get("response_url"),
            received_at=received_at,
        )

    def of_home_click(self, body: Payload, *, received_at: datetime) -> Request:
        """A click beside an item in a Home tab, which is in no channel: its value is `INC-12 3`, incident and item.

        Raises UsageError for any other value.
        """
        found = _ITEM.fullmatch(body["actions"][0].get("value") or "")
        if found is None:
            raise UsageError("That button names no action item.")
        incident, number = found.groups()
        return self._request(
            body["team"]["id"],
            Typed(words=f"done {number}", people={}),
            command=ACTION_ITEM.name,
            channel_id=body["user"]["id"],
            channel_name=body["user"]["id"],
            private=True,
            user_id=body["user"]["id"],
            user_name=body["user"].get("username") or body["user"].get("name"),
            key=body.get("trigger_id"),
            source=HOME,
            received_at=received_at,
            incident_number=int(incident),
        )

    def of_shortcut(self, body: Payload, *, received_at: datetime) -> Request:
        """The opening of a form on a message: it does nothing yet, and says whom to tell if that fails."""
        return self._request(
            body["team"]["id"],
            Typed(words="", people={}),
            command=body["callback_id"],
            channel_id=body["channel"]["id"],
            channel_name=body["channel"]["name"],
            user_id=body["user"]["id"],
            user_name=body["user"].get("username") or body["user"].get("name"),
            key=body["trigger_id"],
            source="shortcut",
            reply_url=body.get("response_url"),
            received_at=received_at,
        )

    def of_form(
        self,
        body: Payload,
        place: Payload,
        command: str,
        words: Typed,
        *,
        received_at: datetime,
        details: Mapping[str, str] | None = None,
    ) -> Request:
        """A submitted form; `place` is what was remembered when it was opened."""
        return self._request(
            body["team"]["id"],
            words,
            command=command,
            channel_id=place["channel_id"],
            channel_name=place["channel_name"],
            private=_is_private(place["channel_name"]),
            user_id=body["user"]["id"],
            user_name=body["user"].get("username") or body["user"].get("name"),
            key=f"view:{body['view']['id']}",
            source=place["source"],
            reply_url=place.get("reply_url"),
            received_at=received_at,
            author=place.get("author"),
            author_id=place.get("author_id"),
            permalink=place.get("permalink"),
            incident_number=int(place["incident"]) if place.get("incident") else None,
            details=details or {},
        )

    def of_reaction(self, content: Payload, words: str, *, command: str, received_at: datetime) -> Request:
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

    def _request(
        self, workspace_id: str, words: Typed, *, user_id: str, user_name: str | None, **facts: Any
    ) -> Request:
        look = self.members.look_up if _zone_matters(words.words, facts["command"]) else self.members.find
        member = look(workspace_id, user_id)
        if facts["command"] == ACTION_ITEM.name:
            self._meet(workspace_id, words.people.values())
        known = member is not None and member.timezone is not None
        return Request(
            workspace_id=workspace_id,
            words=words.words,
            people=words.people,
            user_id=user_id,
            user_name=user_name or (member.name if member else user_id),
            zone=ZoneInfo(member.timezone) if member and member.timezone else self.settings.timezone,
            zone_known=known,
            **of_settings(self.settings),
            **facts,
        )

    def _meet(self, workspace_id: str, user_ids: Iterable[str]) -> None:
        """Know who is named as an owner: one who left, or a bot, is refused. A second at most, for a newcomer."""
        for user_id in list(user_ids)[:_OWNERS]:
            self.members.look_up(workspace_id, user_id)


def _after_name(text: str, body: Payload) -> str:
    """The words after the mention of the bot; a mention further on leaves what stands before it out."""
    authorizations = body.get("authorizations") or [{}]
    name = f"<@{authorizations[0].get('user_id')}>"
    before, found, after = text.partition(name)
    after = after.lstrip(" \n:,") if found else text.partition(">")[2]
    return after or before


def _zone_matters(words: str, command: str) -> bool:
    """Whether a clock time without a zone stands where the command's grammar looks for one."""
    if command not in COMMANDS:
        return False
    if command == POSTMORTEM.name:
        word, when = first_word(words)
        return word == REVIEW and bool(when)
    heads = [words]
    if command == INCIDENT.name:
        # `detected at 14:02`, `edit 3 at 14:02`.
        _, after_one = first_word(words)
        _, after_two = first_word(after_one)
        heads += [after_one, after_two]
    return any(needs_zone(head) or needs_zone(_unqualified(head)) for head in heads)


def _unqualified(words: str) -> str:
    """The words after `by monitoring` or `process:`, whichever kind of entry they are for."""
    return next((rest for kind in _QUALIFIED if (rest := take_qualifier(kind, words)[1]) != words), words)


def _pressed(action: Payload) -> str:
    """The value of the button, or of the option chosen."""
    return str(action.get("value") or (action.get("selected_option") or {}).get("value") or "")


def _is_private(channel_name: str | None) -> bool:
    """Whether Slack's name for the conversation says that not everybody may look into it."""
    return (channel_name or "").startswith(_PRIVATE)
