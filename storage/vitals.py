"""How the store is: whether it answers and takes a write, and what waits in the outbox."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, bindparam, case, func, insert, inspect, not_, or_, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from storage.database import Database
from storage.models import PARKED, UNSENT, outbox, workspaces

CONNECT_S = 5
_PLACES = ("host", "port", "sslmode")
"""What of a URL's query says where to connect; the rest may hold a password."""
_NOBODY = "-doctor-"
"""No workspace of Slack's is called that."""
_AT = bindparam("at", type_=outbox.c.due_at.type)
_FAILED = outbox.c.problem.is_not(None)
_WANTED = or_(_FAILED, outbox.c.state == "sending", outbox.c.due_at <= _AT)
"""What should be done by now. A job for later, such as tomorrow's reminder, keeps nobody waiting."""
_SINCE = case((_FAILED, outbox.c.written_at), else_=outbox.c.due_at)
"""Since when. Every try that fails moves `due_at`: after one only the writing is known."""
_WAITING = select(
    func.count().filter(_WANTED),
    func.min(case((_WANTED, _SINCE)), type_=outbox.c.due_at.type),
    func.count().filter(not_(_WANTED)),
).where(text(f"outbox.{UNSENT}"))
_WHY = (
    select(outbox.c.problem)
    .where(text(f"outbox.{UNSENT}"), outbox.c.problem.is_not(None))
    .order_by(outbox.c.id)
    .limit(1)
)
_PARKED = (
    select(outbox.c.action, outbox.c.problem, func.count(), func.max(outbox.c.written_at))
    .where(text(f"outbox.{PARKED}"), outbox.c.written_at >= bindparam("after", type_=outbox.c.written_at.type))
    .group_by(outbox.c.action, outbox.c.problem)
    .order_by(func.count().desc(), outbox.c.action, outbox.c.problem)
)


_PARKED_COUNT = select(func.count()).select_from(outbox).where(text(f"outbox.{PARKED}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What the outbox has still to do: how many jobs, and since when the oldest waits, if there is one.

    `later` are those whose time has not come; `parked` those that were given up.
    """

    depth: int
    oldest_at: datetime | None
    later: int
    parked: int

    def age_s(self, now: datetime) -> float:
        """How many seconds the oldest has waited at the aware instant `now`; 0 when nothing waits."""
        return max(0.0, (now - self.oldest_at).total_seconds()) if self.oldest_at else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """Jobs given up for one reason; `latest_at` is when the newest of them was written."""

    action: str
    problem: str
    count: int
    latest_at: datetime


def file_of(url: str) -> Path | None:
    """The SQLite file at a URL; None for a server's. Raises ValueError for what is no URL."""
    parsed = _parsed(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def shown(url: str) -> str:
    """A server's URL as its own programs take it, without a password. Raises ValueError for what is none of ours."""
    database = Database(url)
    database.close()
    told = database.url
    query = {name: told.query[name] for name in _PLACES if name in told.query}
    plain = URL.create("postgresql", told.username, None, told.host, told.port, told.database, query)
    return plain.render_as_string()


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise ValueError("that is no address of a database") from None


def reach(url: str) -> Database:
    """The database at a URL; its server has CONNECT_S to answer. Raises ValueError for what is no URL."""
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite" and "connect_timeout" not in parsed.query:
        parsed = parsed.update_query_dict({"connect_timeout": str(CONNECT_S)})
    return Database(parsed.render_as_string(hide_password=False))


def address(database: Database) -> str:
    """Where the database is, without its password and without the query, where one may stand too."""
    return database.url.set(query={}).render_as_string()


def is_gone(database: Database) -> bool:
    """Whether the SQLite file was taken away: what is open to it still takes writes, which nobody will find."""
    return database.is_sqlite and not Path(str(database.url.database)).exists()


def waiting(connection: Connection, *, at: datetime) -> Waiting:
    """What waits at that instant; found by indexes that hold nothing else."""
    depth, oldest_at, later = connection.execute(_WAITING, {"at": at}).one()
    given_up = connection.execute(_PARKED_COUNT).scalar_one()
    return Waiting(depth=depth, oldest_at=oldest_at, later=later, parked=given_up)


def why_waiting(connection: Connection) -> str | None:
    """What went wrong with the oldest job that waits for another try."""
    problem: str | None = connection.execute(_WHY).scalar()
    return problem


def parked(connection: Connection, *, after: datetime) -> list[Parked]:
    """What was written since then and given up, by reason, the most frequent first."""
    return [
        Parked(action=action, problem=problem or "unknown", count=count, latest_at=latest_at)
        for action, problem, count, latest_at in connection.execute(_PARKED, {"after": after})
    ]


def try_writing(database: Database) -> None:
    """Write a row and take it back. Raises DBAPIError when the database does not take it; leaves nothing behind.

    Without tables, as before the first migration, only the lock for writing is taken.
    """
    with database.write() as connection:
        if inspect(connection).has_table(workspaces.name):
            connection.execute(insert(workspaces), {"id": _NOBODY, "last_incident_number": 0})
        connection.rollback()


def nearest_folder(file: Path) -> Path:
    """What there is of the way to the file: its folder, or the closest one above it; a file in the way too."""
    return next(place for place in file.absolute().parents if place.exists())
