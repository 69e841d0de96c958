"""Whether the bot is alive, and whether it is ready: the parts, and what follows from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from bot.clock import Clock
from storage import schema, vitals
from storage.availability import within
from storage.database import Database, retry_stale_connection
from storage.spool import Spool

OK, DEGRADED, DOWN = "ok", "degraded", "down"
ASK_S = 2.0
"""How long the database may take for an answer."""
BACKLOG_OLD = timedelta(minutes=10)
"""A job of the outbox that waits longer says that Slack is not reached, or does not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part: `ok`, `degraded` (it works, less well) or `down`, with plain facts."""

    state: str
    facts: Mapping[str, object]


def component(state: str, **facts: object) -> Component:
    """A part in that state."""
    return Component(state=state, facts=facts)


@cache
def newest_schema() -> str | None:
    """The schema this code wants; read from its files once."""
    return schema.newest()


def is_ready(parts: Mapping[str, Component]) -> bool:
    """Whether to send entries here: each is taken down, by the database or, while that is away, by the spool.

    The database is away from every replica at once. Were that no readiness, nobody would be left to keep what is typed.
    """
    down = {name for name, each in parts.items() if each.state == DOWN}
    kept = "spool" in parts and "spool" not in down
    return not down - {"database", "spool"} and ("database" not in down or kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the probes ask. `alive` names the threads and says whether each lives; `connected` is Socket Mode's.

    `away` says whether the database did not take what it was last given: one that only reads answers all the same.
    """

    database: Database
    clock: Clock
    alive: Mapping[str, Callable[[], bool]]
    connected: Callable[[], bool] | None = None
    spool: Spool | None = None
    away: Callable[[], bool] = lambda: False

    def threads_alive(self) -> dict[str, bool]:
        """Which threads live. Asks no database."""
        return {name: lives() for name, lives in self.alive.items()}

    def local_parts(self) -> dict[str, Component]:
        """The parts on this machine: Socket Mode's connection, where there is one, and the spool. Never raises."""
        parts = {} if self.connected is None else {"socket": component(OK if self.connected() else DOWN)}
        return parts if self.spool is None else {**parts, "spool": _spooled(self.spool)}

    def database_parts(self) -> dict[str, Component]:
        """The database and what is in it. Waits for it as long as ASK_S, or twice that to connect; never raises."""
        try:
            with within(ASK_S):
                return retry_stale_connection(self._store)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever it was, the database is not there for us
            return {"database": component(DOWN, error=type(error).__name__)}

    def _store(self) -> dict[str, Component]:
        if vitals.is_gone(self.database):
            # A part of its own: the spool is of no use to it, since nothing fails.
            return {"database": component(DOWN), "file": component(DOWN, error="gone")}
        found, wanted, at = schema.current(self.database), newest_schema(), self.clock()
        parts = {
            "database": component(DOWN, error="takes no writes") if self.away() else component(OK),
            "schema": component(_fits(found, wanted), found=found, wanted=wanted),
        }
        if found == wanted:
            with self.database.read() as connection:
                parts["outbox"] = _outbox(vitals.waiting(connection, at=at), at)
        return parts


def _fits(found: str | None, wanted: str | None) -> str:
    """A newer schema is that of a release being rolled out: what still runs goes on until its successor is there."""
    if found == wanted:
        return OK
    return DOWN if schema.is_known(found) else DEGRADED


def _outbox(waiting: vitals.Waiting, at: datetime) -> Component:
    age_s = waiting.age_s(at)
    # Slack being away is no reason to stop taking entries: every replica would be stopped at once.
    state = DEGRADED if age_s > BACKLOG_OLD.total_seconds() else OK
    return component(state, depth=waiting.depth, oldest_s=round(age_s), later=waiting.later, parked=waiting.parked)


def _spooled(spool: Spool) -> Component:
    try:
        length, bad, takes = spool.count(), spool.rejected_count(), spool.is_writable()
    except OSError as error:
        return component(DOWN, error=type(error).__name__)
    state = DOWN if not takes else DEGRADED if length or bad else OK
    return component(state, length=length, bad=bad)
