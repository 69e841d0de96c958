"""The workspace's members and their time zones: cached, stored, and fetched from Slack when neither knows a person."""

import logging
import time
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as TooLong
from threading import BoundedSemaphore
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, StringConstraints, ValidationError
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.clock import Clock
from bot.slack.client import reason
from storage import availability, members
from storage.availability import within
from storage.database import Database
from storage.values import BOT, Member

LOOK_UP_S = 1.0
"""Seconds a request waits for Slack to describe a person."""
MAX_WAITING = 4
"""Requests that may wait for Slack at once; further ones use the default zone, so that no queue forms."""
READ_S = 0.5
"""Seconds the database may take to find a person; the request needs the rest of Slack's three seconds."""
_CACHE_S = 60.0
_PAGE = 200
_NO_SUCH_USER = frozenset({"user_not_found", "user_not_visible"})
"""Slack's error codes for an id that is not of this workspace."""
_SLACKBOT = "USLACKBOT"
_UNREACHED = (SlackClientError, OSError)
_log = logging.getLogger(__name__)


class _Profile(BaseModel):
    display_name: str | None = None


class SlackUser(BaseModel):
    """The fields of Slack's user object that Scribe reads."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    name: str | None = None
    tz: str | None = None
    profile: _Profile | None = None
    deleted: bool | None = None
    is_bot: bool | None = None
    is_stranger: bool | None = None
    team_id: str | None = None
    enterprise_user: Any = None


class Members:
    """Finds members by user id.

    A cache over the database, valid for a minute, keeps a burst of commands from querying it for each of them.
    """

    def __init__(self, client: WebClient, database: Database, clock: Clock, executor: Executor) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._executor = executor
        self._cache: dict[tuple[str, str], tuple[float, Member | None]] = {}
        self._pending: dict[tuple[str, str], Future[Member | None]] = {}
        self._waiting = BoundedSemaphore(MAX_WAITING)

    def stop(self) -> None:
        """Cancel the look-ups that have not begun."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def find(self, workspace_id: str, user_id: str) -> Member | None:
        """The member as cached or stored; a missing one is fetched from Slack in the background."""
        key = (workspace_id, user_id)
        until, cached = self._cache.get(key, (0.0, None))
        if time.monotonic() < until:
            return cached
        try:
            with within(READ_S), self._database.read() as connection:
                member = members.find(connection, workspace_id, user_id)
        except availability.ERRORS as error:
            # The entry matters more than a fresh zone: while the database is away, requests go to the spool.
            if not availability.is_away(error):
                raise
            return cached
        self._remember(key, member)
        if member is None:
            self._start_fetch(key)
        return member

    def look_up(self, workspace_id: str, user_id: str) -> Member | None:
        """The member, waiting at most LOOK_UP_S for Slack; None where Slack did not answer in time."""
        member = self.find(workspace_id, user_id)
        if member is not None:
            return member
        fetch = self._start_fetch((workspace_id, user_id))
        if not self._waiting.acquire(blocking=False):
            return None
        try:
            return fetch.result(timeout=LOOK_UP_S)
        except TooLong:
            return None
        finally:
            self._waiting.release()

    def save(self, workspace_id: str, user: SlackUser) -> Member:
        """Store Slack's user object as a member."""
        member = _member(workspace_id, user)
        self._save([member])
        return member

    def refresh(self, workspace_id: str) -> None:
        """Fetch all members, page by page; without the scope `users:read` this only logs a warning."""
        cursor = ""
        try:
            while True:
                page = self._client.users_list(limit=_PAGE, cursor=cursor)
                users = [user for listed in page["members"] if (user := _read(listed)) is not None]
                self._save([_member(workspace_id, user) for user in users])
                cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
                if not cursor:
                    return
        except _UNREACHED as error:
            _log.warning("members not fetched: %s", reason(error))

    def _start_fetch(self, key: tuple[str, str]) -> "Future[Member | None]":
        """Fetch one person in the background, once at a time."""
        fetch = self._pending.get(key)
        if fetch is None:
            fetch = self._pending[key] = self._executor.submit(self._fetch, *key)
            fetch.add_done_callback(lambda _done: self._pending.pop(key, None))
        return fetch

    def _fetch(self, workspace_id: str, user_id: str) -> Member | None:
        try:
            user = _read(self._client.users_info(user=user_id)["user"])
            return None if user is None else self.save(workspace_id, user)
        except _UNREACHED as error:
            _log.info("member not fetched: %s", reason(error))
            if reason(error) not in _NO_SUCH_USER:
                return None
        unknown = Member(workspace_id=workspace_id, user_id=user_id, name=user_id, timezone=None, barred="unknown")
        self._save([unknown])
        return unknown

    def _save(self, people: list[Member]) -> None:
        try:
            with self._database.write() as connection:
                members.save(connection, people, at=self._clock())
        except availability.ERRORS as error:
            # While the database is away, the cache serves the requests of the next minute.
            if not availability.is_away(error):
                raise
        for member in people:
            self._remember((member.workspace_id, member.user_id), member)

    def _remember(self, key: tuple[str, str], member: Member | None) -> None:
        self._cache[key] = (time.monotonic() + _CACHE_S, member)


def _read(described: object) -> SlackUser | None:
    """Slack's user object; None for one that is not as documented, so that it does not stop the others."""
    try:
        return SlackUser.model_validate(described)
    except ValidationError as error:
        _log.warning("member not readable: %s", reason(error))
        return None


def _member(workspace_id: str, user: SlackUser) -> Member:
    """The member that a user object describes; named by the display name, otherwise by the handle."""
    return Member(
        workspace_id=workspace_id,
        user_id=user.id,
        name=(user.profile and user.profile.display_name) or user.name or user.id,
        timezone=_known_zone(user.tz),
        barred=_barred(workspace_id, user),
    )


def _barred(workspace_id: str, user: SlackUser) -> str | None:
    """Why the person cannot own an action item; None for an ordinary member. Slack does not mark Slackbot as a bot."""
    if user.deleted:
        return "deactivated"
    if user.is_bot or user.id == _SLACKBOT:
        return BOT
    elsewhere = user.team_id not in {None, workspace_id} and not user.enterprise_user
    return "outside" if elsewhere or user.is_stranger else None


def _known_zone(name: str | None) -> str | None:
    """The zone's name, if this machine's time zone database contains it."""
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
