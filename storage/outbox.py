"""The outbox: what is to be said or done outside an ack, written with the change that caused it.

A lane keeps its order: nothing in it is claimed before what was written earlier is sent or parked. A claim is a
lease; when its holder dies, the row is claimed again after it expires.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, insert, select, text, update

from storage.models import PARKED, UNSENT, outbox

POST, EPHEMERAL = "post", "whisper"
"""The actions of a job that is a message, as they are stored."""
LEASE = timedelta(seconds=20)
"""How long a claim holds; its holder renews it, so that only a holder that died is taken for dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One row of the outbox: `action` says what to do, `content` with what. `attempts` counts this one too."""

    id: int
    workspace_id: str
    lane: str
    action: str
    content: dict[str, Any]
    attempts: int
    written_at: datetime


_EARLIER = outbox.alias("earlier")
_IS_DUE = and_(text(f"outbox.{UNSENT}"), outbox.c.due_at <= bindparam("at"))
# No EXISTS: PostgreSQL would join all that waits with itself, where the first in line is looked for.
_BEFORE_IT = (
    select(_EARLIER.c.id)
    .where(
        _EARLIER.c.workspace_id == outbox.c.workspace_id,
        _EARLIER.c.lane == outbox.c.lane,
        _EARLIER.c.id < outbox.c.id,
        text(f"earlier.{UNSENT}"),
    )
    .limit(1)
    .scalar_subquery()
)
_NEXT = (
    select(outbox)
    .where(_IS_DUE, _BEFORE_IT.is_(None))
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_PARKED = (
    select(outbox.c.problem)
    .where(
        outbox.c.workspace_id == bindparam("workspace_id"),
        outbox.c.lane.in_(bindparam("lanes", expanding=True)),
        text(f"outbox.{PARKED}"),
    )
    .order_by(outbox.c.id)
)
_IN_LANES = and_(
    text(f"outbox.{UNSENT}"),
    outbox.c.workspace_id == bindparam("in_workspace"),
    outbox.c.lane.in_(bindparam("in_lanes", expanding=True)),
)
_SUPERSEDE = (
    update(outbox)
    .where(_IN_LANES, outbox.c.state == "waiting")
    .values(state="sent", sent_at=bindparam("at", type_=outbox.c.sent_at.type), problem="superseded")
)
_UNDER_WAY = select(outbox.c.id).where(_IN_LANES).limit(1)
_DUE = select(outbox.c.id).where(_IS_DUE).limit(1)
_OURS = outbox.c.workspace_id == bindparam("workspace_id")
_OF_ONE = {query: query.where(_OURS) for query in (_NEXT, _DUE)}
_SUPERSEDED = (
    select(outbox.c.id)
    .join(_EARLIER, and_(_EARLIER.c.workspace_id == outbox.c.workspace_id, _EARLIER.c.lane == outbox.c.lane))
    .where(
        _EARLIER.c.id == bindparam("of"),
        outbox.c.id > bindparam("of"),
        outbox.c.action == bindparam("kind"),
        text(f"outbox.{UNSENT}"),
    )
    .limit(1)
)


def add(
    connection: Connection,
    workspace_id: str,
    *,
    lane: str,
    action: str,
    content: dict[str, Any],
    at: datetime,
    due_at: datetime | None = None,
) -> None:
    """Write a job; it is due at once, or at `due_at`: then in a lane of its own, since it holds up what follows."""
    job = {"workspace_id": workspace_id, "lane": lane, "action": action, "content": content}
    add_all(connection, [job], at=at, due_at=due_at)


def post(
    connection: Connection,
    workspace_id: str,
    channel_id: str,
    message: Mapping[str, Any],
    *,
    at: datetime,
    reply_url: str | None = None,
) -> None:
    """Have a message posted in the channel, after what waits for that channel already.

    `reply_url` is used where the bot is no member of the channel.
    """
    content = {"channel": channel_id, "reply_url": reply_url, **message}
    add(connection, workspace_id, lane=channel_id, action=POST, content=content, at=at)


def ephemeral(
    connection: Connection,
    workspace_id: str,
    channel_id: str,
    user_id: str,
    message: Mapping[str, Any],
    *,
    at: datetime,
    reply_url: str | None = None,
) -> None:
    """Have a message shown in the channel to one person alone; otherwise as `post`."""
    content = {"channel": channel_id, "reply_url": reply_url, **message, "user": user_id}
    add(connection, workspace_id, lane=channel_id, action=EPHEMERAL, content=content, at=at)


def add_all(
    connection: Connection, jobs: Sequence[dict[str, Any]], *, at: datetime, due_at: datetime | None = None
) -> None:
    """Write jobs, each with its workspace_id, lane, action and content; they are due at once, or at `due_at`."""
    common = {"state": "waiting", "attempts": 0, "due_at": due_at or at, "written_at": at}
    if jobs:
        connection.execute(insert(outbox), [job | common for job in jobs])


def supersede(connection: Connection, workspace_id: str, *, lanes: Sequence[str], at: datetime) -> bool:
    """Take what waits in these lanes to be tried again as done: something newer does the same.

    Gives whether none of it is under way; while one is, whoever does the same would do it twice.
    """
    there = {"in_workspace": workspace_id, "in_lanes": lanes}
    connection.execute(_SUPERSEDE, {**there, "at": at})
    return connection.execute(_UNDER_WAY, there).first() is None


def _of(workspace_id: str | None, query: Select[Any], at: datetime) -> tuple[Select[Any], dict[str, Any]]:
    """The query and its parameters; of any workspace where none is given."""
    return (query, {"at": at}) if workspace_id is None else (_OF_ONE[query], {"at": at, "workspace_id": workspace_id})


def claim(connection: Connection, *, at: datetime, workspace_id: str | None = None) -> Job | None:
    """Take the job that has been due longest and is first in its lane; leased until `at` + LEASE.

    With `workspace_id`, only that workspace's: another's would be said with a token that does not reach it.
    """
    row = connection.execute(*_of(workspace_id, _NEXT, at)).mappings().first()
    if row is None:
        return None
    attempts = row["attempts"] + 1
    connection.execute(
        update(outbox).where(outbox.c.id == row["id"]).values(state="sending", attempts=attempts, due_at=at + LEASE)
    )
    return Job(
        id=row["id"],
        workspace_id=row["workspace_id"],
        lane=row["lane"],
        action=row["action"],
        content=row["content"],
        attempts=attempts,
        written_at=row["written_at"],
    )


def _settle(connection: Connection, job: Job, **values: Any) -> None:
    connection.execute(update(outbox).where(outbox.c.id == job.id).values(**values))


def renew(connection: Connection, ids: Collection[int], *, at: datetime) -> None:
    """Hold these claims until `at` + LEASE; one that was settled meanwhile stays settled."""
    claimed = and_(outbox.c.id.in_(ids), outbox.c.state == "sending")
    connection.execute(update(outbox).where(claimed).values(due_at=at + LEASE))


def mark_sent(connection: Connection, job: Job, *, at: datetime) -> None:
    """The job is done.

    A job whose work is in the database says so in the transaction of that work; otherwise a crash just after
    it would have it done twice.
    """
    _settle(connection, job, state="sent", sent_at=at, problem=None)


def retry_later(connection: Connection, job: Job, *, due_at: datetime, problem: str) -> None:
    """It did not work now; try again at `due_at`."""
    _settle(connection, job, state="waiting", due_at=due_at, problem=problem)


def park(connection: Connection, job: Job, *, problem: str) -> None:
    """It will never work; keep it aside with the reason."""
    _settle(connection, job, state="parked", problem=problem)


def requeue(
    connection: Connection, *, problems: Collection[str], workspace_id: str | None, since_at: datetime, at: datetime
) -> None:
    """What was given up for one of these reasons, and written since then, is due again; of one workspace, or of all."""
    given_up = outbox.c.problem.in_(sorted(problems)) & (outbox.c.written_at >= since_at)
    ours = (outbox.c.workspace_id == workspace_id,) if workspace_id else ()
    again = update(outbox).where(text(f"outbox.{PARKED}"), given_up, *ours)
    connection.execute(again.values(state="waiting", due_at=at, problem=None))


def parked_problems(connection: Connection, workspace_id: str, lanes: Collection[str]) -> list[str]:
    """Why jobs of these lanes were given up, one reason a job, the oldest first."""
    return list(connection.execute(_PARKED, {"workspace_id": workspace_id, "lanes": lanes}).scalars())


def prune(connection: Connection, *, before: datetime) -> None:
    """Forget what was sent before then; what was given up stays."""
    connection.execute(delete(outbox).where(outbox.c.state == "sent", outbox.c.sent_at < before))


def is_superseded(connection: Connection, job: Job) -> bool:
    """Whether a later job of the same kind waits in the lane."""
    return connection.execute(_SUPERSEDED, {"of": job.id, "kind": job.action}).first() is not None


def count_by_state(connection: Connection) -> dict[str, int]:
    """How many rows are in each state."""
    query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
    return {state: count for state, count in connection.execute(query)}  # noqa: C416 - a Row is no pair to mypy


def is_due(connection: Connection, *, at: datetime, workspace_id: str | None = None) -> bool:
    """Whether anything may be due, of that workspace or of any: a look that takes no lock."""
    return connection.execute(*_of(workspace_id, _DUE, at)).first() is not None
