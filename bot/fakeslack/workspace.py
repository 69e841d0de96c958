"""The state of the workspace: users, channels, messages, views, files."""

import itertools
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

from bot.clock import Clock
from bot.fakeslack.objects import (
    BOT_USER_ID,
    SLACKBOT_ID,
    Call,
    Canvas,
    Channel,
    File,
    Message,
    Pin,
    Upload,
    User,
    View,
)
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import elements_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Workspace:
    """All state of the stand-in, safe to use from any thread.

    `lock` guards every change; every change increments `version` and notifies `changed`. `clock` returns aware UTC
    datetimes. `scopes` are those of the bot token. `groups` are the handles of groups of users by id, `group_members`
    the ids of the people in them, `organisations` the names of other workspaces by id, `pins` who pinned each message
    and when, by its channel and `ts`. A `free_plan` allows one canvas a channel and no standalone ones. `file_policy`
    is the error code with which files are refused for good, empty where they are allowed.
    """

    def __init__(self, clock: Clock, scopes: set[str]) -> None:
        self.clock = clock
        self.scopes = scopes
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = 0
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, dict[str, Message]] = {}
        self.views: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.files: list[File] = []
        self.uploads: dict[str, Upload] = {}
        self.canvases: dict[str, Canvas] = {}
        self.groups: dict[str, str] = {}
        self.group_members: dict[str, tuple[str, ...]] = {}
        self.organisations: dict[str, str] = {}
        self.pins: dict[tuple[str, str], Pin] = {}
        self.free_plan = False
        self.file_policy = ""
        self.calls: list[Call] = []
        self._numbers = itertools.count(1)
        self._last_ts: dict[str, int] = {}
        self.put_user(User(id=SLACKBOT_ID, name="slackbot", real_name="Slackbot", is_bot=True, updated_at=clock()))
        self.put_user(User(id=BOT_USER_ID, name="scribe", real_name="Scribe", is_bot=True, updated_at=clock()))

    def touch(self) -> None:
        """Increment `version` and notify the threads that wait for a change."""
        with self.changed:
            self.version += 1
            self.changed.notify_all()

    def next_id(self, prefix: str) -> str:
        """Return a new id: `prefix` and nine digits."""
        return f"{prefix}{next(self._numbers):09d}"

    def number_from(self, first: int) -> None:
        """Number the next ids from `first`, which must be larger than any number used so far."""
        self._numbers = itertools.count(first)

    def next_ts(self, channel: str) -> str:
        """Return the ts of a new message: the clock's time, or a microsecond after the last ts if that is later."""
        with self.lock:
            ts = max((self.clock() - EPOCH) // MICROSECOND, self._last_ts.get(channel, 0) + 1)
            self._last_ts[channel] = ts
            return f"{ts // 1_000_000}.{ts % 1_000_000:06d}"

    def put_user(self, user: User) -> User:
        """Add or replace a user."""
        with self.lock:
            self.users[user.id] = user
            self.touch()
        return user

    def put_channel(self, channel: Channel) -> Channel:
        """Add or replace a channel."""
        with self.lock:
            self.channels[channel.id] = channel
            self.messages.setdefault(channel.id, {})
            self.touch()
        return channel

    def direct(self, user: str) -> Channel:
        """Return the direct message between the bot and a person, created on first use."""
        with self.lock:
            for channel in self.channels.values():
                if channel.with_user == user:
                    return channel
            return self.put_channel(
                Channel(
                    id=self.next_id("D"),
                    name="directmessage",
                    created_at=self.clock(),
                    private=True,
                    members=frozenset({user, BOT_USER_ID}),
                    with_user=user,
                )
            )

    def members(self, channel: Channel) -> list[str]:
        """Return the ids of the members of a channel, the bot last if it is one."""
        people = self.users.keys() - {SLACKBOT_ID, BOT_USER_ID}
        members = people if channel.members is None else people & channel.members
        return sorted(members) + ([BOT_USER_ID] if channel.bot_is_member else [])

    def post(self, channel: str, **fields: Any) -> Message:
        """Add a message; `fields` are those of a Message except `ts` and `channel`."""
        with self.lock:
            blocks = _with_ids(fields.pop("blocks", None) or [])
            message = Message(ts=self.next_ts(channel), channel=channel, blocks=blocks, **fields)
            return self.put_message(message)

    def put_message(self, message: Message) -> Message:
        """Add or replace a message."""
        message = replace(message, blocks=_with_ids(message.blocks))
        with self.lock:
            self.messages[message.channel][message.ts] = message
            self.touch()
        return message

    def message(self, channel: str, ts: str) -> Message | None:
        """Return the current version of a message, or None if there is none or it is deleted."""
        found = self.messages.get(channel, {}).get(ts)
        return None if found is None or found.deleted else found

    def visible(self, channel: str, user: str | None) -> list[Message]:
        """Return the messages of a channel, oldest first; with `user`, including those only that person sees."""
        with self.lock:
            return [
                message
                for message in self.messages[channel].values()
                if not message.deleted and message.ephemeral_for in {None, user}
            ]

    def push_view(self, user: str, content: Json, *, previous: View | None = None) -> View:
        """Open a modal on top of `previous`; without one it replaces all open modals of the person."""
        with self.lock:
            below = self.views.get(user, []) if previous else []
            view = self.new_view(user, content, previous=previous)
            self.views[user] = [*below, view]
            self.touch()
        return view

    def new_view(self, user: str, content: Json, *, previous: View | None = None) -> View:
        """Create a view that is not shown yet."""
        id_ = self.next_id("V")
        return View(
            id=id_,
            user=user,
            content={**content, "blocks": _with_ids(content["blocks"])},
            hash=_new_hash(),
            root_id=previous.root_id if previous else id_,
            previous_id=previous.id if previous else None,
        )

    def find_view(self, *, view_id: str | None = None, external_id: str | None = None) -> View | None:
        """Find an open modal or a Home tab by its id or its external_id."""
        with self.lock:
            for view in [*itertools.chain.from_iterable(self.views.values()), *self.homes.values()]:
                if view.id == view_id or (external_id and view.content.get("external_id") == external_id):
                    return view
        return None

    def change_view(self, view: View, content: Json) -> View:
        """Replace the content of an open modal or a Home tab, which gives it a new hash."""
        with self.lock:
            fresh = replace(view, content={**content, "blocks": _with_ids(content["blocks"])}, hash=_new_hash())
            if self.homes.get(view.user) == view:
                self.homes[view.user] = fresh
            self.views[view.user] = [fresh if open_.id == view.id else open_ for open_ in self.views.get(view.user, [])]
            self.touch()
        return fresh

    def close_view(self, user: str, *, all_of_them: bool = False) -> None:
        """Close a person's topmost modal, or all open ones."""
        with self.lock:
            self.views[user] = [] if all_of_them else self.views.get(user, [])[:-1]
            self.touch()


def _new_hash() -> str:
    return f"{token_hex(5)}.{token_hex(4)}"


def _with_ids(blocks: list[Json]) -> list[Json]:
    """Return the blocks with generated block_ids and action_ids where the app gave none, as Slack does."""
    result = []
    for block in blocks:
        copy: Json = {**block, "block_id": block.get("block_id") or token_hex(3)}
        for key in ("elements", "accessory", "element"):
            if key in copy:
                copy[key] = _with_action_ids(copy[key])
        result.append(copy)
    return result


def _with_action_ids(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_action_ids(inner) for inner in part]
    if part in elements_of({"element": part}) and part["type"] != "image":
        return {**part, "action_id": part.get("action_id") or token_hex(3)}
    return part
