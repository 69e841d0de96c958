"""The workspace's members, their names and time zones: cached, stored, and fetched from Slack when neither knows them.

Groups (`S…`) and channels (`C…`) that words mention are kept by name in the same way, where the scopes
`usergroups:read` and `channels:read` allow it. A private channel's name is not kept: an incident may be read by people
who are not in it.
"""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as TooLong
from datetime import datetime, timedelta
from threading import BoundedSemaphore, Lock
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, StringConstraints, ValidationError
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.clock import Clock, Pause
from bot.slack.client import PausedError
from bot.slack.identity import Facts, Identity
from bot.slack.refusals import TOKEN_REFUSED, reason, retry_after_s
from storage import availability, members
from storage.availability import within
from storage.database import Database
from storage.members import CHANNEL, GROUP
from storage.values import BOT, GUEST, MEMBER, ONE_CHANNEL_GUEST, OUTSIDE, UNKNOWN, Member

LOOK_UP_S = 1.0
"""Seconds a request waits for Slack to describe a person."""
MAX_WAITING = 4
"""Requests that may wait for Slack at once; further ones use the default zone, so that no queue forms."""
READ_S = 0.5
"""Seconds the database may take to find a person; the request needs the rest of Slack's three seconds."""
WRITE_S = 1.0
"""Seconds the database may take to store a person of whom Slack tells by an event."""
LISTING_KEPT = timedelta(hours=6)
"""How long a list of members that was not read to its end is worth going on with."""
_RETRY_S = 60.0
"""Seconds until Slack is asked for the rest of the list again, where it did not say when."""
_CURSOR_GONE = frozenset({"invalid_cursor"})
_CACHE_S = 60.0
_PAGE = 200
_NO_SUCH_USER = frozenset({"user_not_found", "user_not_visible"})
"""Slack's error codes for an id that is not of this workspace."""
_SLACKBOT = "USLACKBOT"
_MISSING_SCOPE = "missing_scope"
ELSEWHERE = "another organisation"
"""What stands for an organisation's name where Slack does not tell it."""
_UNREACHED = (SlackClientError, OSError)
_log = logging.getLogger(__name__)


class _Profile(BaseModel):
    display_name: str | None = None
    real_name: str | None = None
    team: str | None = None


class SlackUser(BaseModel):
    """The fields of Slack's user object that Scribe reads."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    name: str | None = None
    real_name: str | None = None
    tz: str | None = None
    profile: _Profile | None = None
    deleted: bool | None = None
    is_bot: bool | None = None
    is_stranger: bool | None = None
    is_restricted: bool | None = None
    is_ultra_restricted: bool | None = None
    team_id: str | None = None
    enterprise_user: Any = None

    @property
    def shown_name(self) -> str:
        """The name that Slack shows: the profile's display name, else the real name, else the handle."""
        profile = self.profile or _Profile()
        names = (profile.display_name, profile.real_name, self.real_name, self.name)
        return next((name for each in names if (name := " ".join((each or "").split()))), self.id)

    @property
    def home_id(self) -> str | None:
        """The id of the workspace that the person belongs to; None where Slack does not tell it."""
        return self.team_id or (self.profile.team if self.profile else None)

    @property
    def enterprise(self) -> Mapping[str, Any]:
        """The organisation of several workspaces that the person belongs to; empty without one."""
        return self.enterprise_user if isinstance(self.enterprise_user, Mapping) else {}

    def organisation(self, workspace_id: str, facts: Facts) -> str | None:
        """The id of the person's workspace, if it is of another organisation than this one; `facts` are the bot's."""
        ours = {None, workspace_id, facts.enterprise_id}
        elsewhere = self.home_id not in ours and self.enterprise.get("enterprise_id") not in ours - {None}
        return self.home_id or ELSEWHERE if elsewhere or self.is_stranger else None

    def role(self, workspace_id: str, facts: Facts) -> str | None:
        """MEMBER, or which kind of guest; None for others, and where Slack does not tell whose member it is."""
        if self.home_id is None or self.organisation(workspace_id, facts) is not None:
            return None
        if self.is_ultra_restricted:
            return ONE_CHANNEL_GUEST
        return GUEST if self.is_restricted else MEMBER


class Members:
    """Finds members by user id.

    A cache over the database, valid for a minute, keeps a burst of commands from querying it for each of them.
    """

    def __init__(
        self, client: WebClient, database: Database, clock: Clock, executor: Executor, identity: Identity
    ) -> None:
        self._client = client
        self._identity = identity
        self._database = database
        self._clock = clock
        self._executor = executor
        self._cache: dict[tuple[str, str], tuple[float, Member | None]] = {}
        self._pending: dict[tuple[str, str], Future[Member | None]] = {}
        self._organisations: dict[str, str | None] = {}
        self._waiting = BoundedSemaphore(MAX_WAITING)
        self._listing = Lock()
        self._pause: Pause | None = None
        self.blind = False
        """Whether Slack refused the last question about a person for want of the scope `users:read`."""

    def stop(self) -> None:
        """Cancel the look-ups that have not begun."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def name(self, workspace_id: str, found_id: str) -> str | None:
        """The name of a person, a group or a channel as `find` knows it; None while it is not known."""
        member = self.find(workspace_id, found_id)
        return None if member is None else member.known_name

    def find(self, workspace_id: str, user_id: str) -> Member | None:
        """The member as cached or stored; one that Slack has not described is fetched in the background."""
        key = (workspace_id, user_id)
        until, cached = self._cache.get(key, (0.0, None))
        if time.monotonic() < until:
            return cached
        try:
            with within(READ_S, at_once=True), self._database.read() as connection:
                member = members.find(connection, workspace_id, user_id)
        except availability.ERRORS as error:
            # The entry matters more than a fresh zone: while the database is away, requests go to the spool.
            if not availability.is_away(error):
                raise
            return cached
        self._remember(key, member)
        if not _is_described(member):
            self._start_fetch(key)
        return member

    def look_up(self, workspace_id: str, user_id: str) -> Member | None:
        """As `find`, waiting at most LOOK_UP_S for Slack; as stored, if at all, where Slack did not answer in time."""
        member = self.find(workspace_id, user_id)
        if _is_described(member):
            return member
        fetch = self._start_fetch((workspace_id, user_id))
        if not self._waiting.acquire(blocking=False):
            return member
        try:
            return fetch.result(timeout=LOOK_UP_S) or member
        except TooLong:
            return member
        finally:
            self._waiting.release()

    def belongs(self, workspace_id: str, user_id: str | None, team_id: str) -> bool:
        """Whether a payload that names `team_id` is for the bot of the workspace, because its user is of there.

        The outer team of a payload can be that of the partner who created the channel. Somebody who is not known to be
        of the workspace may have come through the partner's installation: where a bot of that team uses this database,
        the payload is that one's.
        """
        member = self.look_up(workspace_id, user_id) if user_id else None
        if member is not None and member.barred is None:
            return True
        try:
            with within(READ_S, at_once=True), self._database.read() as connection:
                return not members.knows(connection, team_id)
        except availability.ERRORS as error:
            if not availability.is_away(error):
                raise
            return False

    def register(self, workspace_id: str, bot_user_id: str | None) -> None:
        """Store the bot itself as the first member, so that others that use the database know of its workspace."""
        with self._database.read() as connection:
            known = members.knows(connection, workspace_id)
        if bot_user_id is not None and not known:
            self._save(
                [Member(workspace_id=workspace_id, user_id=bot_user_id, name="scribe", timezone=None, barred=BOT)]
            )

    def save(self, workspace_id: str, user: SlackUser) -> Member:
        """Store Slack's user object as a member; the name of another organisation is fetched and added later."""
        organisation_id = user.organisation(workspace_id, self._identity.facts)
        member = self._member(workspace_id, user, self._organisations.get(organisation_id or ""))
        with within(WRITE_S, at_once=True):
            self._save([member])
        if organisation_id is not None and organisation_id not in self._organisations:
            self._executor.submit(self._save_with_organisation, workspace_id, user)
        return member

    def refresh(self, workspace_id: str) -> None:
        """Fetch all members, page by page; without the scope `users:read` this only logs a warning.

        Where Slack asks to wait, this returns, and `go_on` fetches the rest later, also after a restart.
        """
        if not self._listing.acquire(blocking=False):
            return
        try:
            with self._database.read() as connection:
                left = members.listed_until(connection, workspace_id)
            now = self._clock()
            # Of a list begun longer ago, the pages read then are out of date.
            cursor, begun_at = left if left and now - left[1] < LISTING_KEPT else ("", now)
            self._list(workspace_id, cursor, begun_at)
        finally:
            self._listing.release()

    def go_on(self, workspace_id: str) -> None:
        """Go on with the list of members where Slack asked to wait, once the wait is over."""
        if self._pause is not None and not self._pause.left_s:
            self.refresh(workspace_id)

    def _list(self, workspace_id: str, cursor: str, begun_at: datetime) -> None:
        self._pause = None
        try:
            while True:
                page = self._client.users_list(limit=_PAGE, cursor=cursor)
                users = [user for listed in page["members"] if (user := _read(listed)) is not None]
                self.blind = False
                self._save([self._describe(workspace_id, user) for user in users])
                cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
                self._listed_until(workspace_id, cursor, begun_at)
                if not cursor:
                    return
        except _UNREACHED as error:
            code = reason(error)
            self.blind = code == _MISSING_SCOPE
            _log.warning("members not fetched: %s", code)
            if code in _CURSOR_GONE:
                self._listed_until(workspace_id, "", begun_at)
            if code not in {_MISSING_SCOPE, *TOKEN_REFUSED}:
                self._pause = Pause(self._clock, _wait_s(error))

    def _listed_until(self, workspace_id: str, cursor: str, begun_at: datetime) -> None:
        try:
            with self._database.write() as connection:
                members.save_listed_until(connection, workspace_id, cursor, begun_at=begun_at)
        except availability.ERRORS as error:
            # Without it the next process begins anew.
            if not availability.is_away(error):
                raise

    def ask(self, workspace_id: str, user_id: str) -> Member | None:
        """The member as Slack describes them at this moment; None where Slack cannot be asked."""
        return self._fetch(workspace_id, user_id)

    def _start_fetch(self, key: tuple[str, str]) -> "Future[Member | None]":
        """Fetch one person in the background, once at a time."""
        fetch = self._pending.get(key)
        if fetch is None:
            fetch = self._pending[key] = self._executor.submit(self._fetch, *key)
            fetch.add_done_callback(lambda _done: self._pending.pop(key, None))
        return fetch

    def _fetch(self, workspace_id: str, found_id: str) -> Member | None:
        fetch = {"S": self._fetch_group, "C": self._fetch_channel}.get(found_id[:1], self._fetch_user)
        try:
            member = fetch(workspace_id, found_id)
            self.blind = self.blind and fetch != self._fetch_user
        except _UNREACHED as error:
            _log.info("member not fetched: %s", reason(error))
            if fetch == self._fetch_user:
                self.blind = reason(error) == _MISSING_SCOPE
            if reason(error) not in _NO_SUCH_USER:
                return None
            member = Member(workspace_id=workspace_id, user_id=found_id, name=found_id, timezone=None, barred="unknown")
        if member is not None:
            self._save([member])
        return member

    def _fetch_user(self, workspace_id: str, user_id: str) -> Member | None:
        user = _read(self._client.users_info(user=user_id)["user"])
        return None if user is None else self._describe(workspace_id, user)

    def _fetch_group(self, workspace_id: str, group_id: str) -> Member | None:
        groups = self._client.usergroups_list(include_disabled=True)["usergroups"]
        name = next((group.get("handle") for group in groups if group.get("id") == group_id), None)
        return _row(workspace_id, group_id, name, GROUP)

    def _fetch_channel(self, workspace_id: str, channel_id: str) -> Member | None:
        channel = self._client.conversations_info(channel=channel_id)["channel"]
        public = channel.get("is_channel") and not channel.get("is_private")
        return _row(workspace_id, channel_id, channel.get("name") if public else None, CHANNEL)

    def _describe(self, workspace_id: str, user: SlackUser) -> Member:
        """The member, with the name of another organisation; may ask Slack for it, once for each organisation."""
        organisation_id = user.organisation(workspace_id, self._identity.facts)
        if organisation_id is not None and organisation_id not in self._organisations:
            try:
                name = self._client.team_info(team=organisation_id)["team"]["name"]
                self._organisations[organisation_id] = str(name) or None
            except (*_UNREACHED, KeyError, TypeError) as error:
                # It needs the scope team:read, and Slack may not tell it.
                _log.info("organisation not fetched: %s", reason(error))
                self._organisations[organisation_id] = None
        return self._member(workspace_id, user, self._organisations.get(organisation_id or ""))

    def _member(self, workspace_id: str, user: SlackUser, organisation: str | None) -> Member:
        """The member that a user object describes: `Pat (Partner Inc)` with the name of another organisation."""
        facts = self._identity.facts
        name = user.shown_name
        if user.organisation(workspace_id, facts) is not None:
            name = of_organisation(name, organisation or user.enterprise.get("enterprise_name"))
        return Member(
            workspace_id=workspace_id,
            user_id=user.id,
            name=name,
            timezone=_known_zone(user.tz),
            barred=_barred(workspace_id, user, facts),
            role=user.role(workspace_id, facts),
        )

    def _save_with_organisation(self, workspace_id: str, user: SlackUser) -> None:
        self._save([self._describe(workspace_id, user)])

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


def _wait_s(error: Exception) -> float:
    """The seconds that Slack asks to wait, or that it is worth waiting."""
    if isinstance(error, PausedError):
        return error.wait_s
    asked_s = retry_after_s(error)
    return _RETRY_S if asked_s is None else asked_s


def _row(workspace_id: str, found_id: str, name: object, what: str) -> Member | None:
    if not isinstance(name, str) or not name.strip():
        return None
    return Member(workspace_id=workspace_id, user_id=found_id, name=name.strip(), timezone=None, barred=what)


def of_organisation(name: str, organisation: object) -> str:
    """The name of somebody of another organisation: `Pat (Partner Inc)`."""
    return f"{name} ({organisation if isinstance(organisation, str) and organisation else ELSEWHERE})"


def _is_described(member: Member | None) -> bool:
    """Whether Slack has told what decides their standing; rows of earlier versions have only part of it."""
    return member is not None and (member.barred is not None or member.standing != UNKNOWN)


def _barred(workspace_id: str, user: SlackUser, facts: Facts) -> str | None:
    """Why the person cannot own an action item; None for an ordinary member. Slack does not mark Slackbot as a bot."""
    if user.deleted:
        return "deactivated"
    if user.is_bot or user.id == _SLACKBOT:
        return BOT
    return OUTSIDE if user.organisation(workspace_id, facts) is not None else None


def _known_zone(name: str | None) -> str | None:
    """The zone's name, if this machine's time zone database contains it."""
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
