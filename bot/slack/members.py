"""People's time zones: from the store when known, from Slack in the background, or within a second when it matters."""

import logging
import time
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as TooLong
from threading import BoundedSemaphore
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, StringConstraints
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.clock import Clock
from storage import availability, members
from storage.availability import within
from storage.database import Database
from storage.values import BOT, Member

LOOK_UP_S = 1.0
MOST_WAITING = 4
"""So many answers may wait for Slack at once; the others take the default zone, so that no queue forms behind them."""
FIND_S = 0.5
"""Seconds the store may take to say who somebody is; the answer itself needs the rest of Slack's three."""
_REMEMBERED_S = 60.0
_PAGE = 200
_log = logging.getLogger(__name__)

_UNREACHED = (SlackClientError, OSError)
_NOBODY = frozenset({"user_not_found", "user_not_visible"})
"""Slack's words for: there is nobody of that id here."""
_SLACKBOT = "USLACKBOT"


class _Profile(BaseModel):
    display_name: str | None = None


class User(BaseModel):
    """A user object of Slack's, as far as it is read."""

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
    """Who is who, and in which zone.

    A zone is remembered for a minute beside the store, so that a burst of commands asks the store once a person.
    """

    def __init__(self, client: WebClient, database: Database, clock: Clock, executor: Executor) -> None:
        self._client = client
        self._database = database
        self._clock = clock
        self._executor = executor
        self._known: dict[tuple[str, str], tuple[float, Member | None]] = {}
        self._asked: dict[tuple[str, str], Future[Member | None]] = {}
        self._waiting = BoundedSemaphore(MOST_WAITING)

    def stop(self) -> None:
        """Ask Slack nothing more."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def find(self, workspace_id: str, user_id: str) -> Member | None:
        """The member as the store has them; one it has not is asked for in the background."""
        key = (workspace_id, user_id)
        until, member = self._known.get(key, (0.0, None))
        if time.monotonic() < until:
            return member
        try:
            with within(FIND_S), self._database.read() as connection:
                stored = members.find(connection, workspace_id, user_id)
        except availability.ERRORS as error:
            # Better an old answer, or none, than no entry: what is typed while the database is away is kept.
            if not availability.is_away(error):
                raise
            return member
        member = stored
        self._remember(key, member)
        if member is None:
            self._ask(key)
        return member

    def look_up(self, workspace_id: str, user_id: str) -> Member | None:
        """The member, waiting for Slack's answer for at most a second; None when it did not come."""
        member = self.find(workspace_id, user_id)
        if member is not None:
            return member
        asked = self._ask((workspace_id, user_id))
        if not self._waiting.acquire(blocking=False):
            return None
        try:
            return asked.result(timeout=LOOK_UP_S)
        except TooLong:
            return None
        finally:
            self._waiting.release()

    def keep(self, workspace_id: str, user: User) -> Member:
        """Remember a user object of Slack's."""
        member = _member(workspace_id, user)
        self._keep([member])
        return member

    def refresh(self, workspace_id: str) -> None:
        """Fetch everybody, page by page. Without the scope `users:read` nothing is fetched, and the log says so."""
        cursor = ""
        try:
            while True:
                page = self._client.users_list(limit=_PAGE, cursor=cursor)
                self._keep([_member(workspace_id, User.model_validate(user)) for user in page["members"]])
                cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
                if not cursor:
                    return
        except _UNREACHED as error:
            _log.warning("members not fetched: %s", _reason(error))

    def _ask(self, key: tuple[str, str]) -> "Future[Member | None]":
        """Ask Slack for one person, in the background; a question under way is not asked twice."""
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = self._executor.submit(self._fetch, *key)
            asked.add_done_callback(lambda _done: self._asked.pop(key, None))
        return asked

    def _fetch(self, workspace_id: str, user_id: str) -> Member | None:
        try:
            return self.keep(workspace_id, User.model_validate(self._client.users_info(user=user_id)["user"]))
        except _UNREACHED as error:
            _log.info("member not fetched: %s", _reason(error))
            return self._stranger(workspace_id, user_id) if _reason(error) in _NOBODY else None

    def _stranger(self, workspace_id: str, user_id: str) -> Member:
        member = Member(workspace_id=workspace_id, user_id=user_id, name=user_id, timezone=None, barred="unknown")
        self._keep([member])
        return member

    def _keep(self, people: list[Member]) -> None:
        try:
            with self._database.write() as connection:
                members.save(connection, people, at=self._clock())
        except availability.ERRORS as error:
            # Known for a minute is enough for those who type now.
            if not availability.is_away(error):
                raise
        for member in people:
            self._remember((member.workspace_id, member.user_id), member)

    def _remember(self, key: tuple[str, str], member: Member | None) -> None:
        self._known[key] = (time.monotonic() + _REMEMBERED_S, member)


def _member(workspace_id: str, user: User) -> Member:
    """The member that a user object describes, by the display name they chose, else the handle."""
    return Member(
        workspace_id=workspace_id,
        user_id=user.id,
        name=(user.profile and user.profile.display_name) or user.name or user.id,
        timezone=_known_zone(user.tz),
        barred=_barred(workspace_id, user),
    )


def _barred(workspace_id: str, user: User) -> str | None:
    """Why the person cannot own anything; None for an ordinary member. Slack does not mark Slackbot as a bot."""
    if user.deleted:
        return "deactivated"
    if user.is_bot or user.id == _SLACKBOT:
        return BOT
    elsewhere = user.team_id not in {None, workspace_id} and not user.enterprise_user
    return "outside" if elsewhere or user.is_stranger else None


def _known_zone(name: str | None) -> str | None:
    """The zone's name, if this machine knows the zone."""
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _reason(error: Exception) -> str:
    """What to log of a failed call: Slack's word for it, never the request with its token."""
    response = getattr(error, "response", None)
    return str(response.get("error")) if response is not None and hasattr(response, "get") else type(error).__name__
