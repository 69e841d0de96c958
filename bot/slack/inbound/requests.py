"""Requests from Slack's payloads: without markup, and with the person's name and time zone."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.config import ASSUME_MEMBERS, Settings
from bot.domain.items.item import parse_item
from bot.domain.words import take_incident
from bot.errors import UsageError
from bot.handlers.incident.mentions import SAID
from bot.handlers.items.clicks import HOME
from bot.handlers.request import DIRECT, MENTION, Request, first_word
from bot.slack.identity import Identity
from bot.slack.inbound.payloads import Click, Mention, Shortcut, SlashCommand, SourceMessage, Submission
from bot.slack.members import Members, of_organisation
from bot.slack.text import PlainText, plain_text
from bot.vocabulary import ACTION_ITEM, ALIASES, COMMANDS, EXPLAINED, INCIDENT
from storage.values import BOT, MEMBER, OUTSIDE, UNKNOWN, Member, whole_milliseconds

FILES_SCOPE = "files:read"
REACTION = "reaction"
"""The source of what a reaction requests."""
BOT_NAME = "scribe"
"""The bot's name in people's words: as they type it, whatever it is called in their workspace."""
_log = logging.getLogger(__name__)
_PRIVATE_NAMES = ("privategroup", "directmessage", "mpdm-")
"""How the names begin that Slack sends in place of a private conversation's own."""
UNNAMED = "privategroup"
"""Slack's name for any private channel: what it tells no name of is taken for one."""
_OF_PEOPLE = frozenset({"lead", "handover", "role"})
"""The subcommands whose words name who is to do something."""
_READING = frozenset(
    {each.name for each in COMMANDS.values() if not each.writes and not each.subcommands}
    | {each.name for each in INCIDENT.subcommands if not each.writes and each.name != "search"}
)
"""The commands that only read, in whose words a question mark means nothing."""
_OF_INCIDENTS = frozenset(each.name for each in INCIDENT.subcommands)
_OF_ITEMS = frozenset(each.name for each in ACTION_ITEM.subcommands)
_OWN_LISTS = ("list mine", "list overdue")
_MENTIONED = re.compile(r"<@([UW][A-Z0-9]{2,})(?:\|[^<>]*)?>")
_ITEM_NUMBER = re.compile(r"#?[0-9]{1,9}\b")
_INCIDENT_SUBCOMMANDS = frozenset(
    {each.name for each in INCIDENT.subcommands} | ALIASES[INCIDENT.name].keys() | EXPLAINED[INCIDENT.name].keys()
)


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
    identity: Identity

    @property
    def keeps_files(self) -> bool:
        """Whether files of messages are to be kept, and Slack may give them: without its scope nothing is tried."""
        scopes = self.identity.facts.scopes
        return bool(self.settings.files) and (not scopes or FILES_SCOPE in scopes)

    def of_command(self, command: SlashCommand, *, received_at: datetime) -> Request:
        """A request for a slash command."""
        return self._request(
            command.team_id,
            self.read(command.team_id, command.text or ""),
            command=self._without_prefix(command.command),
            channel_id=command.channel_id,
            channel_name=command.channel_name or command.channel_id,
            private=_is_private(command.channel_name or UNNAMED),
            user_id=command.user_id,
            user_name=command.user_name,
            key=command.trigger_id,
            source="slash",
            reply_url=command.response_url,
            received_at=received_at,
        )

    def _without_prefix(self, typed: str) -> str:
        """The command that was typed as `/inc-detected`, also where the manifest has a prefix that the settings lack.

        Slack delivers only commands of Scribe's own manifest.
        """
        name = typed.removeprefix("/").removeprefix(self.settings.prefix)
        if name in COMMANDS:
            return name
        own = max((each for each in COMMANDS if name.endswith(each)), key=len, default="")
        if own:
            _log.warning("commands come as %s: set SCRIBE_PREFIX=%s", typed, typed.removeprefix("/").removesuffix(own))
        return own or name

    def of_mention(self, mention: Mention, *, received_at: datetime) -> Request:
        """A request for `@scribe detected …`, in a channel or a thread."""
        event = mention.event
        bot_id = self._bot_of(mention)
        words = self.said(mention, _words_after_mention(mention, bot_id))
        key = f"message:{event.channel}:{event.ts}"
        command, rest = first_word(words.words)
        is_direct = event.channel.startswith(DIRECT)
        if is_direct:
            command, rest = first_word(_as_command(words.words))
        command = command.rstrip(":,.!?").removeprefix("/")
        if command not in COMMANDS and command not in _INCIDENT_SUBCOMMANDS:
            command = command.removeprefix(self.settings.prefix)
        if command in _READING:
            # A question: `status INC-3?`
            rest = rest.rstrip("?!. ")
        if command in _INCIDENT_SUBCOMMANDS:
            command, rest = INCIDENT.name, f"{command} {rest}".strip()
        return self._request(
            mention.team_id,
            replace(words, words=rest),
            # To the bot alone, a message without words is a file: the answer is what can be typed.
            command=command or ("" if is_direct else INCIDENT.name),
            channel_id=event.channel,
            channel_name=event.channel,
            # The event has no channel name; an incident not known to be public is shown in its own channel only.
            private=True,
            user_id=event.user or "",
            user_name=None,
            home_id=event.home_id,
            key=f"{key}:{event.edited.ts}" if event.edited else key,
            revises=key if event.edited else None,
            source=MENTION,
            details={SAID: words.words},
            said_at=instant_of_ts(event.ts),
            permalink=self.identity.permalink(event.channel, event.ts, thread_ts=event.thread_ts),
            received_at=received_at,
        )

    def said(self, mention: Mention, text: str | None = None) -> PlainText:
        """The plain words of a mention, or of the part `text`; the bot has its name, also while its id is not known."""
        names, bot_id = self.names(mention.team_id), self._bot_of(mention)
        raw = mention.event.text if text is None else text
        return plain_text(raw, name_of=lambda any_id: BOT_NAME if any_id == bot_id else names(any_id))

    def _bot_of(self, mention: Mention) -> str | None:
        """The bot's user id: as known, as the event tells it, else the first that the text names."""
        told = mention.authorizations[0].user_id if mention.authorizations else None
        if (bot_id := self.identity.facts.bot_user_id or told) is not None:
            return bot_id
        named = _MENTIONED.search(mention.event.text)
        return named[1] if named and not mention.event.channel.startswith(DIRECT) else None

    def of_click(self, click: Click, *, received_at: datetime, home: Mapping[str, str] | None = None) -> Request:
        """A request for a click: the action is the command, its value the words.

        `home` has the actions of the Home tab, each with what it stands for, where the click was there.
        """
        action = click.actions[0]
        channel = click.channel
        return self._request(
            click.team.id,
            PlainText(words=action.chosen),
            command=home[action.action_id] if home else action.action_id,
            channel_id=click.channel_id,
            channel_name=(channel.name or channel.id) if channel else "",
            user_id=click.user.id,
            user_name=click.user.handle,
            home_id=click.user.team_id,
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
            channel_name=shortcut.channel.name or UNNAMED,
            user_id=shortcut.user.id,
            user_name=shortcut.user.handle,
            home_id=shortcut.user.team_id,
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
            home_id=submission.user.team_id,
            key=f"view:{submission.view.id}",
            source=origin["source"],
            reply_url=origin.get("reply_url"),
            received_at=received_at,
            author=self._author(submission.team.id, origin),
            author_id=origin.get("author_id"),
            permalink=origin.get("permalink"),
            incident_number=int(origin["incident"]) if origin.get("incident") else None,
            files=tuple(origin.get("files", ())) if self.keeps_files else (),
            details=details or {},
        )

    def of_event(
        self,
        command: str,
        workspace_id: str,
        user_id: str,
        *,
        channel_id: str,
        key: str | None,
        received_at: datetime,
        details: Mapping[str, str] | None = None,
    ) -> Request:
        """A request for what happened without words: a reaction, an opened Home tab."""
        return self._request(
            workspace_id,
            PlainText(words=""),
            command=command,
            channel_id=channel_id,
            channel_name=channel_id,
            private=True,
            user_id=user_id,
            user_name=None,
            key=key,
            source="event",
            received_at=received_at,
            details=details or {},
        )

    def of_reaction(
        self,
        content: Mapping[str, Any],
        message: SourceMessage | None,
        words: str,
        *,
        command: str,
        received_at: datetime,
        source: str = REACTION,
        incident_number: int | None = None,
        files: tuple[str, ...] = (),
    ) -> Request:
        """A request for a reaction or a pin, its `source`.

        `content` is the job's, `message` what Slack told of the message, if it exists.
        """
        workspace_id, channel_id = content["workspace_id"], content["channel_id"]
        author_id, author, permalink = content.get("author_id"), None, content["permalink"]
        if message is not None:
            author_id, author = self.author_of(workspace_id, message, wait=True)
            permalink = self.identity.permalink(channel_id, message.ts, thread_ts=message.thread_ts)
        return self._request(
            workspace_id,
            self.read(workspace_id, words),
            command=command,
            channel_id=channel_id,
            channel_name=channel_id,
            private=True,
            user_id=content["user_id"],
            user_name=None,
            key=f"{command}:{content['event_id']}",
            source=source,
            received_at=received_at,
            author=author,
            author_id=author_id,
            permalink=permalink,
            incident_number=incident_number,
            files=files if self.keeps_files else (),
        )

    def _author(self, workspace_id: str, origin: Mapping[str, Any]) -> str | None:
        """The author named in a form's metadata; by name, where Slack has told it since the form was opened."""
        author_id, author = origin.get("author_id"), origin.get("author")
        if not author_id or author != author_id:
            return author
        member = self.members.find(workspace_id, author_id)
        return (member and member.known_name) or author

    def author_of(self, workspace_id: str, message: SourceMessage, *, wait: bool = False) -> tuple[str, str]:
        """Who wrote a message, as id and name: a person, also by way of an app, or the app under its own name.

        With `wait`, Slack is asked for a person who is not known.
        """
        look_up = self.members.look_up if wait else self.members.find
        member = look_up(workspace_id, message.user) if message.user else None
        author_id = message.user or message.bot_id or ""
        name = None if member and member.barred != BOT else message.app_name
        return author_id, name or (member and member.known_name) or message.username or author_id

    def read(self, workspace_id: str, raw: str) -> PlainText:
        """The plain words of a text from Slack."""
        return plain_text(raw, name_of=self.names(workspace_id))

    def names(self, workspace_id: str) -> Callable[[str], str | None]:
        """A function that returns the name of an id of the workspace: a person's, a group's, a channel's; else None."""

        def name_of(any_id: str) -> str | None:
            if any_id == self.identity.facts.bot_user_id:
                return BOT_NAME
            return self.members.name(workspace_id, any_id)

        return name_of

    def locate(self, request: Request) -> Request:
        """The request in the person's zone and with their standing; without what Slack does not tell in a second."""
        member = self.members.look_up(request.workspace_id, request.user_id)
        if request.standing == UNKNOWN:
            request = replace(request, standing=self._standing(member))
        if member is None or member.timezone is None:
            return request
        name = member.known_name or request.user_name
        return replace(request, zone=ZoneInfo(member.timezone), zone_known=True, user_name=name)

    def standing(self, workspace_id: str, user_id: str) -> str:
        """The standing of somebody who is written to unasked."""
        return self._standing(self.members.look_up(workspace_id, user_id))

    def _standing(self, member: Member | None, home_id: str | None = None, workspace_id: str = "") -> str:
        """The person's standing: as Slack described them, unless the payload names another organisation's workspace.

        Where Slack describes nobody, for want of the scope `users:read`, the operator may take all for members.
        """
        standing, enterprise_id = member.standing if member else UNKNOWN, self.identity.facts.enterprise_id
        if home_id is not None and home_id not in {workspace_id, enterprise_id}:
            # Within an organisation people have different workspaces, so there the description decides.
            return standing if enterprise_id is not None and member is not None else OUTSIDE
        assumed = self.settings.standing == ASSUME_MEMBERS and self.members.blind
        return MEMBER if standing == UNKNOWN and assumed else standing

    def _request(
        self,
        workspace_id: str,
        words: PlainText,
        *,
        user_id: str,
        user_name: str | None,
        home_id: str | None = None,
        **facts: Any,
    ) -> Request:
        member = self.members.find(workspace_id, user_id)
        standing = self._standing(member, home_id, workspace_id)
        if standing == OUTSIDE and user_name:
            user_name = of_organisation(user_name, None)
        leads = facts["command"] == INCIDENT.name and first_word(words.words)[0] in _OF_PEOPLE
        if leads or facts["command"] == ACTION_ITEM.name:
            # Somebody who left or is a bot owns nothing, and one whom Slack does not know leads nothing: who is named
            # must be known.
            for named_id in _named_ids(words, facts["received_at"]):
                self.members.look_up(workspace_id, named_id)
        return Request(
            workspace_id=workspace_id,
            words=words.words,
            people=words.people,
            groups=words.groups,
            user_id=user_id,
            user_name=(member and member.known_name) or user_name or user_id,
            zone=ZoneInfo(member.timezone) if member and member.timezone else self.settings.timezone,
            zone_known=member is not None and member.timezone is not None,
            settings=self.settings,
            standing=standing,
            **facts,
        )


def _named_ids(words: PlainText, now: datetime) -> list[str]:
    """The user id of the owner of an action item, else of the first person named."""
    try:
        owner = parse_item(words.words, today=now.date()).owner
    except UsageError:
        owner = None
    return [words.people[owner]] if owner in words.people else list(words.people.values())[:1]


def _words_after_mention(mention: Mention, bot_user_id: str | None) -> str:
    """The words after the mention of the bot, or those before it where none follow."""
    text = mention.event.text
    named = re.search(rf"<@{re.escape(bot_user_id)}(?:\|[^<>]*)?>", text) if bot_user_id else None
    if named is not None:
        return text[named.end() :].lstrip(" \n:,") or text[: named.start()]
    # To the bot alone nobody has to say its name.
    return text if mention.event.channel.startswith(DIRECT) else text.partition(">")[2] or text


def _as_command(words: str) -> str:
    """The words of a message to the bot alone as a command: `INC-1 done 3` and `done INC-1 3` are of `actionitem`."""
    number, rest = take_incident(words)
    name = f"INC-{number} " if number is not None else ""
    word, more = first_word(rest)
    word = word.strip("/:,.!?")
    if name and not word:
        return f"{INCIDENT.name} status {name}"
    if _is_of_items(word, more):
        number, rest = take_incident(more) if number is None else (number, more)
        return f"{ACTION_ITEM.name} {'' if number is None else f'INC-{number} '}{word} {rest}"
    if name and word.lstrip("#").isdigit() and _is_of_items(first_word(more)[0], word):
        return f"{ACTION_ITEM.name} {name}{rest}"
    is_known = word in COMMANDS or word in _INCIDENT_SUBCOMMANDS
    return f"{word} {name}{more}" if name and is_known else words


def _is_of_items(word: str, more: str) -> bool:
    """Whether the word is a subcommand of `actionitem`, or what others call one, and none of the incident's."""
    if word in COMMANDS or word in _OF_INCIDENTS:
        return False
    has_number = _ITEM_NUMBER.match(take_incident(more)[1]) is not None
    if word in _OF_ITEMS:
        return has_number or word not in ALIASES[INCIDENT.name]
    alias = ALIASES[ACTION_ITEM.name].get(word)
    return alias is not None and (has_number or (not more and alias.means in _OWN_LISTS))


def _is_private(channel_name: str) -> bool:
    """Whether Slack's name for the conversation is that of a private one."""
    return channel_name.startswith(_PRIVATE_NAMES)
