"""The outbox: messages and other jobs done after the answer to Slack, written with the change that causes them.

Jobs of one lane are done in the order in which they were written: a job is claimed only when all earlier ones of its
lane are sent or parked. A claim is a lease; when its holder dies, the job is claimed again after the lease expires.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    update,
)

from storage.models import PARKED, UNSENT, outbox

POST, EPHEMERAL = "post", "whisper"
"""The actions of a job that is a message, as they are stored."""
LEASE = timedelta(seconds=20)
"""How long a claim holds. Its holder renews it during long jobs, so an expired lease means that the holder died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One claimed row: `action` says what to do with `content`. `attempts` includes the present one."""

    id: int
    workspace_id: str
    lane: str
    action: str
    content: dict[str, Any]
    attempts: int
    written_at: datetime


_EARLIER = outbox.alias("earlier")
_IS_DUE = and_(text(f"outbox.{UNSENT}"), outbox.c.due_at <= bindparam("at"))
# A scalar subquery, not EXISTS: PostgreSQL plans EXISTS as a join of all unsent jobs with themselves.
_EARLIER_IN_LANE = (
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
    .where(_IS_DUE, _EARLIER_IN_LANE.is_(None))
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
"""The job that has been due longest among the first of each lane, without those that another process is claiming."""
_ANY_DUE = select(outbox.c.id).where(_IS_DUE).limit(1)
_OF_WORKSPACE = {query: query.where(outbox.c.workspace_id == bindparam("workspace_id")) for query in (_NEXT, _ANY_DUE)}
"""The same queries for one workspace."""
_PARKED_PROBLEMS = (
    select(outbox.c.problem)
    .where(
        outbox.c.workspace_id == bindparam("workspace_id"),
        outbox.c.lane.in_(bindparam("lanes", expanding=True)),
        text(f"outbox.{PARKED}"),
    )
    .order_by(outbox.c.id)
)
_UNSENT_IN_LANES = and_(
    text(f"outbox.{UNSENT}"),
    outbox.c.workspace_id == bindparam("in_workspace"),
    outbox.c.lane.in_(bindparam("in_lanes", expanding=True)),
)
_SUPERSEDE = (
    update(outbox)
    .where(_UNSENT_IN_LANES, outbox.c.state == "waiting")
    .values(state="sent", sent_at=bindparam("at", type_=outbox.c.sent_at.type), problem="superseded")
)
_ANY_UNSENT_IN_LANES = select(outbox.c.id).where(_UNSENT_IN_LANES).limit(1)
_LATER_OF_KIND = (
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
"""A later unsent job with the same action in the lane of the job `of`."""


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
    """Write a job that is due at once, or at `due_at`; a job for later needs its own lane, since it blocks the rest."""
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


def is_due(connection: Connection, *, at: datetime, workspace_id: str | None = None) -> bool:
    """Whether a job may be due, of that workspace or of any; takes no lock, so `claim` may still find none."""
    return connection.execute(*_for_workspace(workspace_id, _ANY_DUE, at)).first() is not None


def claim(connection: Connection, *, at: datetime, workspace_id: str | None = None) -> Job | None:
    """Claim the job that has been due longest and is first in its lane, until `at` + LEASE.

    With `workspace_id`, only a job of that workspace: the token of one workspace cannot send to another.
    """
    row = connection.execute(*_for_workspace(workspace_id, _NEXT, at)).mappings().first()
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


def _for_workspace(
    workspace_id: str | None, query: Select[Any], at: datetime
) -> tuple[Select[Any], dict[str, datetime | str]]:
    """The query and its parameters; for all workspaces where none is given."""
    if workspace_id is None:
        return query, {"at": at}
    return _OF_WORKSPACE[query], {"at": at, "workspace_id": workspace_id}


def renew(connection: Connection, ids: Collection[int], *, at: datetime) -> None:
    """Extend these claims to `at` + LEASE, except those that were settled in the meantime."""
    claimed = and_(outbox.c.id.in_(ids), outbox.c.state == "sending")
    connection.execute(update(outbox).where(claimed).values(due_at=at + LEASE))


def mark_sent(connection: Connection, job: Job, *, at: datetime) -> None:
    """Mark the job as done.

    A job that writes to the database is marked in the same transaction; otherwise a crash between the two would do the
    work twice.
    """
    _settle(connection, job, state="sent", sent_at=at, problem=None)


def retry_later(connection: Connection, job: Job, *, due_at: datetime, problem: str) -> None:
    """Release a job that failed for now; it is due again at `due_at`."""
    _settle(connection, job, state="waiting", due_at=due_at, problem=problem)


def park(connection: Connection, job: Job, *, problem: str) -> None:
    """Give up a job that cannot succeed, and record the reason; the jobs after it in its lane follow."""
    _settle(connection, job, state="parked", problem=problem)


def _settle(connection: Connection, job: Job, **values: Any) -> None:
    connection.execute(update(outbox).where(outbox.c.id == job.id).values(**values))


def requeue(
    connection: Connection, *, problems: Collection[str], workspace_id: str | None, since_at: datetime, at: datetime
) -> None:
    """Make parked jobs due again: those written since then and parked for these reasons, of one workspace or all."""
    given_up = outbox.c.problem.in_(sorted(problems)) & (outbox.c.written_at >= since_at)
    in_workspace = (outbox.c.workspace_id == workspace_id,) if workspace_id else ()
    parked = update(outbox).where(text(f"outbox.{PARKED}"), given_up, *in_workspace)
    connection.execute(parked.values(state="waiting", due_at=at, problem=None))


def supersede(connection: Connection, workspace_id: str, *, lanes: Sequence[str], at: datetime) -> bool:
    """Mark the waiting jobs of these lanes as sent, because a newer job does the same.

    Returns False while one of them is being sent: the newer job must wait, or the same would be done twice.
    """
    parameters = {"in_workspace": workspace_id, "in_lanes": lanes}
    connection.execute(_SUPERSEDE, {**parameters, "at": at})
    return connection.execute(_ANY_UNSENT_IN_LANES, parameters).first() is None


def is_superseded(connection: Connection, job: Job) -> bool:
    """Whether a later job with the same action waits in the job's lane."""
    return connection.execute(_LATER_OF_KIND, {"of": job.id, "kind": job.action}).first() is not None


def prune(connection: Connection, *, before: datetime) -> None:
    """Delete the jobs sent before then; parked ones stay."""
    connection.execute(delete(outbox).where(outbox.c.state == "sent", outbox.c.sent_at < before))


_FAILED = outbox.c.problem.is_not(None)
_AT = bindparam("at", type_=outbox.c.due_at.type)
_IS_BACKLOG = or_(_FAILED, outbox.c.state == "sending", outbox.c.due_at <= _AT)
"""Whether an unsent job should have been done at `at`; one for later, such as tomorrow's reminder, should not."""
_WAITING_SINCE = case((_FAILED, outbox.c.written_at), else_=outbox.c.due_at)
"""Since when a job waits. Each failed attempt moves `due_at`, so after one only the time of writing is known."""
_BACKLOG = select(
    func.count().filter(_IS_BACKLOG),
    func.min(case((_IS_BACKLOG, _WAITING_SINCE)), type_=outbox.c.due_at.type),
    func.count().filter(not_(_IS_BACKLOG)),
).where(text(f"outbox.{UNSENT}"))
_PARKED_COUNT = select(func.count()).select_from(outbox).where(text(f"outbox.{PARKED}"))
_OLDEST_PROBLEM = (
    select(outbox.c.problem)
    .where(text(f"outbox.{UNSENT}"), outbox.c.problem.is_not(None))
    .order_by(outbox.c.id)
    .limit(1)
)
_PARKED_BY_PROBLEM = (
    select(outbox.c.action, outbox.c.problem, func.count(), func.max(outbox.c.written_at))
    .where(text(f"outbox.{PARKED}"), outbox.c.written_at >= bindparam("after", type_=outbox.c.written_at.type))
    .group_by(outbox.c.action, outbox.c.problem)
    .order_by(func.count().desc(), outbox.c.action, outbox.c.problem)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The number of jobs that wait, and since when the oldest does, None without one.

    `later` counts the jobs that are not due yet, `parked` those that were given up.
    """

    depth: int
    oldest_at: datetime | None
    later: int
    parked: int

    def age_s(self, now: datetime) -> float:
        """Seconds the oldest job has waited at the aware instant `now`; 0 when nothing waits."""
        return max(0.0, (now - self.oldest_at).total_seconds()) if self.oldest_at else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedJobs:
    """Jobs parked for one reason; `latest_at` is when the newest of them was written."""

    action: str
    problem: str
    count: int
    latest_at: datetime


def backlog(connection: Connection, *, at: datetime) -> Backlog:
    """The backlog at that instant, read from the partial indexes."""
    depth, oldest_at, later = connection.execute(_BACKLOG, {"at": at}).one()
    parked = connection.execute(_PARKED_COUNT).scalar_one()
    return Backlog(depth=depth, oldest_at=oldest_at, later=later, parked=parked)


def oldest_problem(connection: Connection) -> str | None:
    """Why the last attempt of the oldest job that waits for another one failed."""
    problem: str | None = connection.execute(_OLDEST_PROBLEM).scalar()
    return problem


def parked_by_problem(connection: Connection, *, after: datetime) -> list[ParkedJobs]:
    """The parked jobs written since then, by action and reason, the most frequent first."""
    return [
        ParkedJobs(action=action, problem=problem or "unknown", count=count, latest_at=latest_at)
        for action, problem, count, latest_at in connection.execute(_PARKED_BY_PROBLEM, {"after": after})
    ]


def parked_problems(connection: Connection, workspace_id: str, lanes: Collection[str]) -> list[str]:
    """Why jobs of these lanes were parked, one reason for each job, the oldest first."""
    return list(connection.execute(_PARKED_PROBLEMS, {"workspace_id": workspace_id, "lanes": lanes}).scalars())


def count_by_state(connection: Connection) -> dict[str, int]:
    """The number of jobs in each state."""
    query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
    return {state: count for state, count in connection.execute(query)}  # noqa: C416 - a Row is no pair to mypy
