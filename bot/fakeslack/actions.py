"""What people do in the workspace: type commands and messages, click, choose, fill in forms, react."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.fakeslack import payloads
from bot.fakeslack.dispatcher import Answer, Dispatcher
from bot.fakeslack.elements import chosen_state, missing_inputs, state_values
from bot.fakeslack.interactivity import Triggers
from bot.fakeslack.objects import BOT_USER_ID, TEAM_ID, File, Message, Pin, View
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import elements_of
from bot.fakeslack.workspace import Workspace

ACTION_KEYS = ("text", "value", "style", "placeholder", "confirm", "url")
"""The keys of an element that Slack copies into its action."""


class Actions:
    """The actions of people, which it delivers to the bot. Unknown ids of users and channels raise KeyError."""

    def __init__(self, workspace: Workspace, dispatcher: Dispatcher, triggers: Triggers) -> None:
        self.workspace = workspace
        self._dispatcher = dispatcher
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
        """Send a slash command. `raw` text is sent as it is, without entities and mentions."""
        payload = payloads.command(
            self.workspace.users[user],
            self.workspace.channels[channel],
            name=name,
            text=text if raw else self._formatted(text, with_names=True),
            urls=self._dispatcher.issue_urls(user, channel, trigger_id=trigger_id),
        )
        return self._dispatcher.command(payload)

    def say(self, user: str, channel: str, text: str, *, thread_ts: str | None = None, raw: bool = False) -> Message:
        """Post a message in a channel, or in the thread `thread_ts`. A mention of the bot sends an app_mention."""
        sender, place = self.workspace.users[user], self.workspace.channels[channel]
        sent = text if raw else self._formatted(text, with_names=False)
        message = self.workspace.post(place.id, user=sender.id, text=sent, thread_ts=thread_ts)
        self._mention(message)
        return message

    def write(
        self, user: str, text: str, *, thread_ts: str | None = None, files: tuple[File, ...] = (), raw: bool = False
    ) -> Message:
        """Write to the bot alone, with `files`; it gets the message with the scope im:history."""
        place, sent = self.workspace.direct(user), text if raw else self._formatted(text, with_names=False)
        message = self.workspace.post(place.id, user=user, text=sent, thread_ts=thread_ts, files=files)
        self._tell(message, payloads.direct_message(message))
        return message

    def say_by_app(
        self,
        channel: str,
        text: str = "",
        *,
        name: str = "alerts",
        user: str = "",
        thread_ts: str | None = None,
        **parts: Any,
    ) -> Message:
        """Post a message by another app called `name`, with `blocks` and `attachments`; `text` is sent as it is.

        `user` is who the app speaks for; without one it posts with a webhook.
        """
        bot_id = f"B0{name.upper()}"
        profile = {"id": bot_id, "app_id": f"A0{name.upper()}", "name": name, "deleted": False, "team_id": TEAM_ID}
        app = {"bot_id": bot_id, "bot_profile": profile} | ({} if user else {"subtype": "bot_message"})
        message = self.workspace.post(channel, user=user, text=text, app=app, thread_ts=thread_ts, **parts)
        self._mention(message)
        return message

    def edit(self, message: Message, text: str, *, raw: bool = False) -> Message:
        """Edit a message, as its author; a message that mentions the bot sends an app_mention once more."""
        before = self.workspace.message(message.channel, message.ts) or message
        sent = text if raw else self._formatted(text, with_names=False)
        ts = self.workspace.next_ts(message.channel)
        after = self.workspace.put_message(replace(before, text=sent, edited=True, edited_ts=ts))
        self._mention(after)
        self._tell(after, payloads.message_changed(before, after, ts=ts))
        return after

    def delete(self, message: Message) -> None:
        """Delete a message, as its author."""
        before = self.workspace.message(message.channel, message.ts) or message
        self.workspace.put_message(replace(before, deleted=True))
        self._tell(before, payloads.message_deleted(before, ts=self.workspace.next_ts(message.channel)))

    def _mention(self, message: Message) -> None:
        # In a direct message nobody is mentioned to the bot.
        if self.workspace.channels[message.channel].with_user:
            return
        if f"<@{BOT_USER_ID}>" in message.text and self._gets_events(message.channel, "app_mentions:read"):
            self._dispatcher.event(payloads.app_mention(message), user=message.user, channel=message.channel)

    def _tell(self, message: Message, content: Json) -> None:
        """Send the event of a message, which an app with the scope for the channel's history has subscribed to."""
        scope = f"{self.workspace.channels[message.channel].scope_prefix}:history"
        if self._gets_events(message.channel, scope):
            self._dispatcher.event(content, user=message.user, channel=message.channel)

    def shortcut(self, user: str, message: Message, callback_id: str) -> Answer:
        """Use a message shortcut."""
        payload = payloads.message_shortcut(
            self.workspace.users[user],
            self.workspace.channels[message.channel],
            message,
            name=callback_id,
            urls=self._dispatcher.issue_urls(user, message.channel, original_ts=message.ts),
        )
        return self._dispatcher.interaction(payload, channel=message.channel)

    def react(self, user: str, message: Message, name: str) -> Message:
        """Add a reaction, `name` without colons, and return the changed message."""
        return self._change_reaction("reaction_added", user, message, name)

    def join(self, user: str, channel: str) -> Answer | None:
        """Join a channel; the app hears of it with the scope channels:read or groups:read, else the answer is None."""
        place = self.workspace.channels[channel]
        if f"{place.scope_prefix}:read" not in self.workspace.scopes:
            return None
        return self._dispatcher.event(payloads.member_joined(place, user), user=user, channel=channel)

    def unreact(self, user: str, message: Message, name: str) -> Message:
        """Remove a reaction and return the changed message."""
        return self._change_reaction("reaction_removed", user, message, name)

    def share(
        self, user: str, channel: str, name: str, content: bytes, *, text: str = "", thread_ts: str | None = None
    ) -> Message:
        """Share a file in a channel, with `text` in the same message."""
        sender, place = self.workspace.users[user], self.workspace.channels[channel]
        with self.workspace.lock:
            file = File(
                id=self.workspace.next_id("F"),
                name=name,
                title=name,
                content=content,
                user=sender.id,
                channel=place.id,
                thread_ts=thread_ts,
                created_at=self.workspace.clock(),
            )
            self.workspace.files.append(file)
            sent = self._formatted(text, with_names=False)
            return self.workspace.post(place.id, user=sender.id, text=sent, thread_ts=thread_ts, files=(file,))

    def pin(self, user: str, message: Message) -> None:
        """Pin a message to its channel; the app hears of it with the scope pins:read."""
        with self.workspace.lock:
            pinned = Pin(user=user, at=self.workspace.clock())
            self.workspace.pins[message.channel, message.ts] = pinned
        self._tell_of_pin("pin_added", user, message, pinned)

    def unpin(self, user: str, message: Message) -> None:
        """Take a pin away, whoever pinned the message. Raises KeyError for one that is not pinned."""
        with self.workspace.lock:
            pinned = self.workspace.pins.pop((message.channel, message.ts))
        self._tell_of_pin("pin_removed", user, message, pinned)

    def _tell_of_pin(self, event: str, user: str, message: Message, pinned: Pin) -> None:
        self.workspace.touch()
        if not self._gets_events(message.channel, "pins:read"):
            return
        shown = self.workspace.message(message.channel, message.ts) or message
        count = sum(channel == message.channel for channel, _ in self.workspace.pins)
        ts = self.workspace.next_ts("")
        content = payloads.pin(event, self.workspace.users[user], shown, pinned=pinned, count=count, ts=ts)
        self._dispatcher.event(content, user=user, channel=message.channel)

    def click(
        self,
        user: str,
        where: Message | Answer | View,
        action_id: str,
        value: object = None,
        *,
        filled: dict[str, Any] | None = None,
    ) -> Answer:
        """Click a button or choose `value` in another element of a message, an answer's message or a view.

        `value` also selects among several buttons of one action_id. `filled` are the values the person entered in a
        view before, by action_id. Raises LookupError if the person does not see such an element.
        """
        if isinstance(where, View):
            return self._click_in_view(user, where, action_id, value, filled or {})
        message = where.message if isinstance(where, Answer) else where
        shown = message and self.workspace.message(message.channel, message.ts)
        if shown is None or shown.ephemeral_for not in {None, user}:
            raise LookupError("there is no such message for this person")
        payload = payloads.message_block_actions(
            self.workspace.users[user],
            self.workspace.channels[shown.channel],
            shown,
            action=_block_action(shown.blocks, action_id, value, self._user_ids(), ts=self.workspace.next_ts("")),
            urls=self._dispatcher.issue_urls(user, shown.channel, original_ts=shown.ts),
        )
        return self._dispatcher.interaction(payload, channel=shown.channel)

    def _click_in_view(self, user: str, view: View, action_id: str, value: object, filled: dict[str, Any]) -> Answer:
        shown = self.workspace.find_view(view_id=view.id)
        if shown is None or shown.user != user:
            raise LookupError("there is no such view for this person")
        payload = payloads.view_block_actions(
            self.workspace.users[user],
            shown,
            action=_block_action(shown.blocks, action_id, value, self._user_ids(), ts=self.workspace.next_ts("")),
            values=state_values(shown.blocks, filled, self._user_ids()),
            trigger_id=self._triggers.issue(user),
        )
        return self._dispatcher.interaction(payload, view=shown)

    def submit(self, user: str, values: dict[str, Any] | None = None) -> Answer:
        """Submit the open modal with `values` by action_id; other inputs keep their initial values.

        Raises LookupError without an open modal or for an unknown input, ValueError for a value that the input does
        not accept or a required one without a value.
        """
        view = self._open_modal(user)
        filled = state_values(view.blocks, values or {}, self._user_ids())
        missing = missing_inputs(view.blocks, filled)
        if missing:
            raise ValueError(f"required, and empty: {', '.join(missing)}")
        trigger_id = self._triggers.issue(user)
        payload = payloads.view_submission(self.workspace.users[user], view, values=filled, trigger_id=trigger_id)
        return self._dispatcher.interaction(payload, view=view)

    def dismiss(self, user: str) -> Answer | None:
        """Close the open modal without submitting it; Slack sends view_closed only for `notify_on_close`."""
        view = self._open_modal(user)
        self.workspace.close_view(user)
        if not view.content.get("notify_on_close"):
            return None
        return self._dispatcher.interaction(payloads.view_closed(self.workspace.users[user], view), view=view)

    def open_home(self, user: str) -> Answer:
        """Open the app's Home tab."""
        content = payloads.app_home_opened(
            self.workspace.users[user],
            self.workspace.direct(user),
            home=self.workspace.homes.get(user),
            ts=self.workspace.next_ts(""),
        )
        return self._dispatcher.event(content, user=user)

    def repeat(self, answer: Answer) -> Answer:
        """Deliver the payload of an answer again, as Slack's retry."""
        return self._dispatcher.repeat(answer)

    def _change_reaction(self, event: str, user: str, message: Message, name: str) -> Message:
        with self.workspace.lock:
            current = self.workspace.message(message.channel, message.ts) or message
            users = tuple(each for each in current.reactions.get(name, ()) if each != user)
            if event == "reaction_added":
                users = (*users, user)
            reactions = {**current.reactions, name: users}
            if not users:
                del reactions[name]
            changed = self.workspace.put_message(replace(current, reactions=reactions))
        if self._gets_events(message.channel, "reactions:read"):
            sender, ts = self.workspace.users[user], self.workspace.next_ts("")
            content = payloads.reaction(event, sender, changed, name=name, ts=ts)
            self._dispatcher.event(content, user=user, channel=message.channel)
        return changed

    def _open_modal(self, user: str) -> View:
        views = self.workspace.views.get(user)
        if not views:
            raise LookupError(f"{user} has no open modal")
        return views[-1]

    def _gets_events(self, channel: str, scope: str) -> bool:
        return scope in self.workspace.scopes and self.workspace.channels[channel].bot_is_member

    def _formatted(self, text: str, *, with_names: bool) -> str:
        users = {user.name: user.id for user in self.workspace.users.values()}
        channels = {each.name: each.id for each in self.workspace.channels.values() if not each.with_user}
        groups = {handle: id_ for id_, handle in self.workspace.groups.items()}
        return format_text(text, users=users, channels=channels, groups=groups, with_names=with_names)

    def _user_ids(self) -> frozenset[str]:
        return frozenset(self.workspace.users)


def _block_action(blocks: list[Json], action_id: str, value: object, users: frozenset[str], *, ts: str) -> Json:
    """Return the entry of `actions` for a click on a button or the choice of `value` in another element.

    Raises LookupError if no element matches, or several do; ValueError for a value that cannot be chosen.
    """
    elements = [(block, element) for block in blocks for element in elements_of(block)]
    matches = [
        (block, element)
        for block, element in elements
        if element.get("action_id") == action_id
        and (value is None or element["type"] != "button" or element.get("value") == value)
    ]
    if len(matches) > 1:
        # Each item of a list has its own menu, with other values in it.
        offering = [each for each in matches if value in [option["value"] for option in each[1].get("options", ())]]
        matches = offering or matches
    if len(matches) != 1:
        available = [(element.get("action_id"), element.get("value")) for _, element in elements]
        problem = "several elements" if matches else "no element"
        raise LookupError(f"{problem} {action_id!r} with value {value!r}; there are {available}")
    ((block, element),) = matches
    action = {"action_id": action_id, "block_id": block["block_id"], "type": element["type"], "action_ts": ts}
    action |= {key: element[key] for key in ACTION_KEYS if key in element}
    return action if element["type"] == "button" else action | chosen_state(element, value, users)


BROADCASTS = frozenset({"here", "channel", "everyone"})
LINKS = {"link": "<{0}>", "mail": "<mailto:{0}|{0}>", "domain": "<http://{0}|{0}>"}
CODE = re.compile(r"(```.+?```|`[^`\n]+`)", re.DOTALL)
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
TOKEN = re.compile(
    r"<@(?P<user_id>[UW]\w+)(?:\|[^>]*)?>"
    r"|<#(?P<channel_id>[CG]\w+)(?:\|[^>]*)?>"
    r"|(?P<link>https?://[^\s<>|`]+)"
    r"|(?P<mail>(?<![\w.+-])[\w.+-]+@(?:[a-z0-9-]+\.)+(?:com|org|net|io)\b(?![.@-]\w))"
    r"|(?P<domain>(?<![\w@./:-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|sh|py|dev)\b(?![.@-]\w)(?:/[^\s<>|`]*)?)"
    r"|(?<![\w.@])@(?P<user>[\w.-]+)"
    r"|(?<![\w&])#(?P<channel>[\w-]+)"
    r"|(?P<special>[&<>])"
)


NOBODY: Mapping[str, str] = {}


def format_text(
    text: str,
    *,
    users: Mapping[str, str],
    channels: Mapping[str, str],
    with_names: bool,
    groups: Mapping[str, str] = NOBODY,
) -> str:
    """Format typed text as Slack sends it to apps.

    `&`, `<` and `>` become entities, people and channels `<@U1>` and `<#C1>`, links `<https://…>`, addresses without a
    scheme `<http://deploy.sh|deploy.sh>`, groups of people `<!subteam^S1>`. `users`, `channels` and `groups` are the
    known ids by name. Slash commands send mentions `with_names`: `<@U1|alice>`. In messages, code has links and no
    mentions.
    """
    names = {
        "@": {id_: name for name, id_ in users.items()},
        "#": {id_: name for name, id_ in channels.items()},
    }

    def mention(sign: str, id_: str) -> str:
        return f"<{sign}{id_}|{names[sign][id_]}>" if with_names else f"<{sign}{id_}>"

    by_name = {
        **{f"@{name}": f"<!{name}>" for name in BROADCASTS},
        **{f"@{name}": f"<!subteam^{id_}{f'|@{name}' if with_names else ''}>" for name, id_ in groups.items()},
        **{f"@{name}": mention("@", id_) for name, id_ in users.items()},
        **{f"#{name}": mention("#", id_) for name, id_ in channels.items()},
    }

    def mention_by_name(typed: str) -> str:
        for end in range(len(typed), 1, -1):
            # Punctuation after a name is not part of it.
            if typed[:end] in by_name and not typed[end:].strip(".-_"):
                return by_name[typed[:end]] + typed[end:]
        return typed

    def format_token(match: re.Match[str]) -> str:
        group = str(match.lastgroup)
        typed = match[group]
        if group in {"user_id", "channel_id"}:
            sign = "@" if group == "user_id" else "#"
            return mention(sign, typed) if typed in names[sign] else _escape(match[0])
        if group in LINKS:
            return LINKS[group].format(_escape(typed))
        if group == "special":
            return ENTITIES[typed]
        return mention_by_name(match[0])

    def in_code(match: re.Match[str]) -> str:
        return format_token(match) if match.lastgroup in LINKS else _escape(match[0])

    if with_names:
        return TOKEN.sub(format_token, text)
    # Split by a group, every second part is code.
    parts = enumerate(CODE.split(text))
    return "".join(TOKEN.sub(in_code if number % 2 else format_token, part) for number, part in parts)


def _escape(text: str) -> str:
    return "".join(ENTITIES.get(character, character) for character in text)
