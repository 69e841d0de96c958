"""Whether the process is alive, and whether it is ready for requests, judged from the state of its parts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from storage import outbox, schema
from storage.availability import within
from storage.database import Database, retry_stale_connection
from storage.spool import Spool

OK, DEGRADED, DOWN = "ok", "degraded", "down"
ASK_S = 2.0
"""Seconds the database may take for an answer."""
BACKLOG_OLD = timedelta(minutes=10)
"""A due job of the outbox that is older than this shows that Slack is unreachable or refuses messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part: `ok`, `degraded` (it works, less well) or `down`, with plain facts."""

    state: str
    facts: Mapping[str, object]


def component(state: str, **facts: object) -> Component:
    """A part in that state, with its facts as keywords."""
    return Component(state=state, facts=facts)


def is_ready(parts: Mapping[str, Component]) -> bool:
    """Whether entries can be saved here, in the database or, while that is away, in the spool.

    A database that is away is away from all replicas at once; if that alone made them unready, the load balancer would
    have no replica left to send entries to.
    """
    down = {name for name, part in parts.items() if part.state == DOWN}
    spool_works = "spool" in parts and "spool" not in down
    covered = {"database", "spool", "schema"} if "database" in down else {"database", "spool"}
    return not down - covered and ("database" not in down or spool_works)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state the probes report.

    `dead` names the loops and the work that do not go on; `connected` is Socket Mode's. `away` is True when the last
    write failed because the database was away: a standby that is read-only answers queries all the same. `serving` is
    True once requests are taken: from then on, another schema means another database, as after a failover.
    """

    database: Database
    clock: Clock
    dead: Callable[[], Sequence[str]] = tuple
    connected: Callable[[], bool] | None = None
    spool: Spool | None = None
    away: Callable[[], bool] = lambda: False
    serving: Callable[[], bool] = lambda: False

    def local_parts(self) -> dict[str, Component]:
        """The parts on this machine: Socket Mode's connection, where there is one, and the spool. Never raises."""
        parts = {} if self.connected is None else {"socket": component(OK if self.connected() else DOWN)}
        return parts if self.spool is None else {**parts, "spool": _spool(self.spool)}

    def database_parts(self) -> dict[str, Component]:
        """The database and its contents. Blocks for up to ASK_S, or twice that to connect; never raises."""
        try:
            with within(ASK_S):
                return retry_stale_connection(self._query_database)
        except Exception as error:  # noqa: BLE001 - the boundary: after any error the database is unusable here
            return {"database": component(DOWN, error=type(error).__name__)}

    def _query_database(self) -> dict[str, Component]:
        if self.database.is_file_lost():
            # A part of its own name, for which the spool does not stand in: it does not come back by itself.
            return {"database": component(DOWN), "file": component(DOWN, error="gone")}
        found, wanted, at = schema.current(self.database), schema.newest(), self.clock()
        state = _schema_state(found, wanted)
        is_away = self.away() or (state == DOWN and self.serving())
        parts = {
            "database": component(DOWN, error="takes no writes") if is_away else component(OK),
            "schema": component(state, found=found, wanted=wanted),
        }
        if found == wanted:
            try:
                with self.database.read() as connection:
                    parts["outbox"] = _outbox(outbox.backlog(connection, at=at), at)
            except (ValueError, TypeError) as error:
                # A time that is none in one of its rows; the database takes entries all the same.
                parts["outbox"] = component(DEGRADED, error=type(error).__name__)
        return parts


def _schema_state(found: str | None, wanted: str | None) -> str:
    """DEGRADED for an unknown schema: during a newer release's rollout, old processes serve until they are replaced."""
    if found == wanted:
        return OK
    return DOWN if schema.is_known(found) else DEGRADED


def _outbox(backlog: outbox.Backlog, at: datetime) -> Component:
    age_s = backlog.age_s(at)
    # Not DOWN: while Slack is unreachable, every replica would stop taking entries at once.
    state = DEGRADED if age_s > BACKLOG_OLD.total_seconds() else OK
    return component(state, depth=backlog.depth, oldest_s=round(age_s), later=backlog.later, parked=backlog.parked)


def _spool(spool: Spool) -> Component:
    try:
        count, rejected, writable = spool.count(), spool.rejected_count(), spool.is_writable()
    except OSError as error:
        return component(DOWN, error=type(error).__name__)
    state = DOWN if not writable else DEGRADED if count or rejected else OK
    return component(state, length=count, bad=rejected)
