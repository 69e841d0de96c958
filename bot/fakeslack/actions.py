"""What people do in the workspace: type commands and messages, click, choose, fill in forms, react."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.fakeslack import elements, payloads
from bot.fakeslack.dispatcher import Answer, Dispatcher
from bot.fakeslack.elements import block_action
from bot.fakeslack.interactivity import Triggers
from bot.fakeslack.objects import BOT_USER_ID, Channel, Message, User, View
from bot.fakeslack.workspace import Workspace

ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
TOKEN = re.compile(
    r"<@(?P<user_id>[UW]\w+)(?:\|[^>]*)?>"
    r"|<#(?P<channel_id>[CG]\w+)(?:\|[^>]*)?>"
    r"|(?P<link>https?://[^\s<>|]+)"
    r"|(?<![\w.@])@(?P<user>[\w.-]+)"
    r"|(?<![\w&])#(?P<channel>[\w-]+)"
    r"|(?P<special>[&<>])"
)
BROADCASTS = frozenset({"here", "channel", "everyone"})


def format_text(text: str, *, users: Mapping[str, str], channels: Mapping[str, str], named: bool) -> str:
    """`text` with `&`, `<`, `>` as entities, people and channels as `<@U1>` and `<#C1>`, links as `<https://…>`.

    `users` and `channels` are the known ids by name. `named` adds the name, as slash commands have it:
    `<@U1|alice>`.
    """
    names = {
        "@": {id_: name for name, id_ in users.items()},
        "#": {id_: name for name, id_ in channels.items()},
    }

    def mention(sign: str, id_: str) -> str:
        return f"<{sign}{id_}|{names[sign][id_]}>" if named else f"<{sign}{id_}>"

    def by_name(sign: str, typed: str) -> str:
        known = users if sign == "@" else channels
        if sign == "@" and typed in BROADCASTS:
            return f"<!{typed}>"
        for end in range(len(typed), 0, -1):
            # The full stop of a sentence is no part of the name before it.
            if typed[:end] in known and not typed[end:].strip(".-_"):
                return mention(sign, known[typed[:end]]) + typed[end:]
        return sign + typed

    def replaced(match: re.Match[str]) -> str:
        kind = str(match.lastgroup)
        typed = match[kind]
        if kind in {"user_id", "channel_id"}:
            sign = "@" if kind == "user_id" else "#"
            return mention(sign, typed) if typed in names[sign] else escape(match[0])
        if kind == "link":
            return f"<{escape(typed)}>"
        if kind == "special":
            return ENTITIES[typed]
        return by_name("@" if kind == "user" else "#", typed)

    return TOKEN.sub(replaced, text)


def escape(text: str) -> str:
    """`text` with exactly `&`, `<` and `>` as entities."""
    return "".join(ENTITIES.get(letter, letter) for letter in text)


class Actions:
    """The people's side. Users and channels are given by their ids; unknown ones raise KeyError."""

    def __init__(self, workspace: Workspace, office: Dispatcher, triggers: Triggers) -> None:
        self.workspace = workspace
        self._office = office
        self._triggers = triggers

    def command(
        self,
        user: str,
        channel: str,
        name: str,
        text: str = "",
        *,
        trigger_id: str | None = None,
        raw: bool = False,
    ) -> Answer:
        """Type a slash command. `raw` sends `text` as it is, without entities and mentions."""
        payload = payloads.command(
            self._person(user),
            self._channel(channel),
            name=name,
            text=text if raw else self._delivered(text, named=True),
            urls=self._office.urls(user, channel, trigger_id=trigger_id),
        )
        return self._office.command(payload)

    def say(self, user: str, channel: str, text: str, *, thread_ts: str | None = None, raw: bool = False) -> Message:
        """Say something in a channel, or in the thread `thread_ts`. Naming the bot makes an app_mention."""
        words = text if raw else self._delivered(text, named=False)
        self._person(user)
        message = self.workspace.post(self._channel(channel).id, user=user, text=words, thread_ts=thread_ts)
        if f"<@{BOT_USER_ID}>" in words and self._hears(channel, "app_mentions:read"):
            self._office.event(payloads.app_mention(message), user=user, channel=channel)
        return message

    def shortcut(self, user: str, message: Message, callback_id: str) -> Answer:
        """Use a message shortcut on a message."""
        payload = payloads.message_shortcut(
            self._person(user),
            self._channel(message.channel),
            message,
            name=callback_id,
            urls=self._office.urls(user, message.channel, original_ts=message.ts),
        )
        return self._office.interaction(payload, channel=message.channel)

    def react(self, user: str, message: Message, name: str) -> Message:
        """Add a reaction, `name` without colons; the message as it stands afterwards."""
        return self._reacted("reaction_added", user, message, name)

    def unreact(self, user: str, message: Message, name: str) -> Message:
        """Take a reaction back; the message as it stands afterwards."""
        return self._reacted("reaction_removed", user, message, name)

    def click(
        self,
        user: str,
        where: Message | Answer | View,
        action_id: str,
        value: object = None,
        *,
        filled: dict[str, Any] | None = None,
    ) -> Answer:
        """Press a button, or choose `value` in another element, in a message, an answer's message or a view.

        Of several buttons of that action_id the one with `value` is pressed. `filled` is what the person has
        filled into a view by then, by action_id. Raises LookupError when it is not there.
        """
        if isinstance(where, View):
            return self._click_in_view(user, where, action_id, value, filled or {})
        message = where.message if isinstance(where, Answer) else where
        shown = message and self.workspace.message(message.channel, message.ts)
        if shown is None or shown.ephemeral_for not in {None, user}:
            raise LookupError("there is no such message for this person")
        payload = payloads.message_block_actions(
            self._person(user),
            self._channel(shown.channel),
            shown,
            action=block_action(shown.blocks, action_id, value, self._people(), ts=self._ts()),
            urls=self._office.urls(user, shown.channel, original_ts=shown.ts),
        )
        return self._office.interaction(payload, channel=shown.channel)

    def submit(self, user: str, values: dict[str, Any] | None = None) -> Answer:
        """Send the open modal. `values` by action_id; the other inputs keep what they began with.

        Raises LookupError without an open modal or for an input it does not have, ValueError for a value the
        input would not take or a required one left empty.
        """
        view = self._top(user)
        filled = elements.state_values(view.blocks, values or {}, self._people())
        missing = elements.missing_inputs(view.blocks, filled)
        if missing:
            raise ValueError(f"required, and empty: {', '.join(missing)}")
        trigger = self._triggers.issue(user)
        payload = payloads.view_submission(self._person(user), view, values=filled, trigger_id=trigger)
        return self._office.interaction(payload, view=view)

    def dismiss(self, user: str) -> Answer | None:
        """Close the open modal without sending it; the bot hears of it only where it asked to."""
        view = self._top(user)
        self.workspace.close_view(user)
        if not view.content.get("notify_on_close"):
            return None
        return self._office.interaction(payloads.view_closed(self._person(user), view), view=view)

    def open_home(self, user: str) -> Answer:
        """Open the app's Home tab."""
        content = payloads.app_home_opened(
            self._person(user),
            self.workspace.direct(user),
            home=self.workspace.homes.get(user),
            ts=self._ts(),
        )
        return self._office.event(content, user=user)

    def repeat(self, answer: Answer) -> Answer:
        """The very same delivery once more, as a retry."""
        return self._office.repeat(answer)

    def _click_in_view(self, user: str, view: View, action_id: str, value: object, filled: dict[str, Any]) -> Answer:
        shown = self.workspace.find_view(view_id=view.id)
        if shown is None or shown.user != user:
            raise LookupError("there is no such view for this person")
        payload = payloads.view_block_actions(
            self._person(user),
            shown,
            action=block_action(shown.blocks, action_id, value, self._people(), ts=self._ts()),
            values=elements.state_values(shown.blocks, filled, self._people()),
            trigger_id=self._triggers.issue(user),
        )
        return self._office.interaction(payload, view=shown)

    def _reacted(self, kind: str, user: str, message: Message, name: str) -> Message:
        with self.workspace.lock:
            shown = self.workspace.message(message.channel, message.ts) or message
            before = tuple(one for one in shown.reactions.get(name, ()) if one != user)
            after = (*before, user) if kind == "reaction_added" else before
            reactions = {**shown.reactions, name: after} if after else dict(shown.reactions)
            if not after:
                reactions.pop(name, None)
            changed = self.workspace.put_message(replace(shown, reactions=reactions))
        if self._hears(message.channel, "reactions:read"):
            content = payloads.reaction(kind, self._person(user), changed, name=name, ts=self._ts())
            self._office.event(content, user=user, channel=message.channel)
        return changed

    def _top(self, user: str) -> View:
        open_ = self.workspace.views.get(user)
        if not open_:
            raise LookupError(f"{user} has no open modal")
        return open_[-1]

    def _hears(self, channel: str, scope: str) -> bool:
        return scope in self.workspace.scopes and self._channel(channel).bot_is_member

    def _delivered(self, text: str, *, named: bool) -> str:
        users = {user.name: user.id for user in self.workspace.users.values()}
        channels = {one.name: one.id for one in self.workspace.channels.values() if not one.with_user}
        return format_text(text, users=users, channels=channels, named=named)

    def _person(self, id_: str) -> User:
        return self.workspace.users[id_]

    def _channel(self, id_: str) -> Channel:
        return self.workspace.channels[id_]

    def _people(self) -> frozenset[str]:
        return frozenset(self.workspace.users)

    def _ts(self) -> str:
        return self.workspace.next_ts("")
