"""The outbox: messages and other jobs done after the answer to Slack, written with the change that causes them.

Jobs of one lane are done in the order in which they were written: a job is claimed only when all earlier ones of its
lane are sent or parked. A claim is a lease; when its holder dies, the job is claimed again after the lease expires.
What a holder writes holds only while the claim is its own: `attempts` counts the claims, and so tells them apart.
A job may be what its holders die of: those found with an expired lease count how often that was, in `problem`.

A job is due by the clock of those who write jobs, which a demo or a replay moves as it likes; a lease goes by the time
that passes, which functions take as `lease_at`, since its holder renews it by that. Without it both are one.

Clocks go wrong. A wait is kept as two instants, when it began (`put_off_at`) and when it ends (`due_at`), so that one
that began in what is the future now is known to have been set by a wrong clock, and is over: see `correct`.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    Case,
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    String,
    TextClause,
    and_,
    any_,
    bindparam,
    case,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    tuple_,
    update,
)

from storage.availability import is_away
from storage.models import PARKED, SENT, UNSENT, outbox

POST, EPHEMERAL = "post", "whisper"
"""The actions of a job that is a message, as they are stored."""
DOCUMENT = "document"
"""The action of a job that shares files."""
UNKNOWN_ACTION = "UnknownAction"
"""Why a job is set aside that this release cannot do; a newer one may."""
UNSETTLED = "Unsettled"
"""Why a job is set aside whose holders end with it in hand, time and again: it may be what ends them."""
MOST_UNSETTLED = 5
"""Claims in a row that may end so."""
_UNREADABLE = "Unreadable"
_COUNTED = re.compile(rf"{UNSETTLED} (\d{{1,4}})")
_MOST_ATTEMPTS = 1_000_000
"""More than anybody makes: another number is none."""
LEASE = timedelta(seconds=20)
"""How long a claim holds. Its holder renews it during long jobs, so an expired lease means that the holder died."""
SKEW = timedelta(seconds=5)
"""How far the clocks of those who use one outbox may differ before one of them counts as wrong."""


class LeaseLostError(Exception):
    """The job is no longer its holder's: the lease expired, and another has claimed the job since."""


Lane = tuple[str, str]
"""The workspace and the name of a lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One claimed row: `action` says what to do with `content`. `attempts` includes the present one.

    `unsettled` counts the claims just before that ended with their holder.
    """

    id: int
    workspace_id: str
    lane: str
    action: str
    content: dict[str, Any]
    attempts: int
    written_at: datetime
    unsettled: int = 0


_EARLIER = outbox.alias("earlier")
_INSTANT = outbox.c.due_at.type


def _now(name: str) -> Case[datetime]:
    """The instant `name` of a job's clock: that of leases where it is being sent, else the one it is due by."""
    leases, other = (bindparam(each, type_=_INSTANT) for each in (f"lease_{name}", name))
    return case((outbox.c.state == "sending", leases), else_=other)


# The first comparison is implied by the second; for it there is an index.
_IS_DUE = and_(
    text(f"outbox.{UNSENT}"),
    outbox.c.due_at <= bindparam("later_at", type_=_INSTANT),
    outbox.c.due_at <= _now("at"),
)
_IS_AT_ONCE = and_(outbox.c.state == "waiting", outbox.c.due_at == outbox.c.written_at)
_IS_PUT_OFF_WRONGLY = and_(
    text(f"outbox.{UNSENT}"),
    outbox.c.due_at > bindparam("earlier_at", type_=_INSTANT),
    outbox.c.due_at > _now("at"),
    or_(_IS_AT_ONCE, outbox.c.put_off_at > _now("latest")),
)
"""Jobs that wait only because a clock was wrong; one for later, such as a reminder of a review, is not among them."""
_ANY_PUT_OFF_WRONGLY = select(outbox.c.id).where(_IS_PUT_OFF_WRONGLY).limit(1)
_MAY_BE_TAKEN = and_(
    or_(outbox.c.state == "waiting", and_(outbox.c.state == "sending", bindparam("expired_too", type_=Boolean))),
    outbox.c.id.not_in(bindparam("in_hand", expanding=True)),
)
_NEAREST = 50
"""How many due jobs are looked at before the lanes themselves are: see `_NEXT`."""


def _first_in(*conditions: ColumnElement[bool], by: Sequence[Column[Any]]) -> Select[Any]:
    """The first unsent job, in that order, that meets the conditions.

    Lanes are compared by their order, never for equality alone: only one index has that order, so PostgreSQL cannot
    choose another one that it would walk through.
    """
    return select(_EARLIER).where(*conditions, text(f"earlier.{UNSENT}")).order_by(*by, _EARLIER.c.id).limit(1)


def _heads() -> CTE:
    """The first unsent job of each lane: a step through the index for each lane, however many jobs it has."""
    names = ("id", "workspace_id", "lane")
    by = (_EARLIER.c.workspace_id, _EARLIER.c.lane)
    first = _first_in(by=by).subquery()
    heads = select(*(first.c[name] for name in names)).cte("heads", recursive=True)
    in_workspace = _first_in(_EARLIER.c.workspace_id == heads.c.workspace_id, _EARLIER.c.lane > heads.c.lane, by=by[1:])
    in_next = _first_in(_EARLIER.c.workspace_id > heads.c.workspace_id, by=by)
    # Column by column, as neither database has a subquery for a whole row that it would walk the index for.
    following = (
        func.coalesce(
            *(query.with_only_columns(_EARLIER.c[name]).scalar_subquery() for query in (in_workspace, in_next))
        )
        for name in names
    )
    return heads.union_all(select(*following).where(heads.c.id.is_not(None)))


def _next_near(*conditions: ColumnElement[bool]) -> Select[Any]:
    """The first of its lane among the jobs that have been due longest, if it meets the conditions and may be taken."""
    near = select(outbox.c.id).where(_IS_DUE).order_by(outbox.c.due_at, outbox.c.id).limit(_NEAREST).subquery("near")
    first = _first_in(
        _EARLIER.c.workspace_id == outbox.c.workspace_id, _EARLIER.c.lane >= outbox.c.lane, by=(_EARLIER.c.lane,)
    )
    head = first.with_only_columns(_EARLIER.c.id).correlate(outbox).scalar_subquery()
    query = select(outbox).join(near, near.c.id == outbox.c.id)
    return _longest_due(query.where(_IS_DUE, _MAY_BE_TAKEN, outbox.c.id == head, *conditions))


def _next_of_heads(dialect: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    """The job that has been due longest of those that are first in their lane, meet the conditions and may be taken."""
    heads = select(_heads().c.id)
    # Each is to be looked up by its id. SQLite reads the whole table to filter a join, PostgreSQL for an IN.
    is_head = (
        outbox.c.id.in_(heads) if dialect == "sqlite" else outbox.c.id == any_(func.array(heads.scalar_subquery()))
    )
    return _longest_due(select(outbox).where(is_head, outbox.c.due_at <= _now("at"), _MAY_BE_TAKEN, *conditions))


def _longest_due(query: Select[Any]) -> Select[Any]:
    # Not the column itself: PostgreSQL would walk through its index, in the hope of meeting one soon.
    query = query.order_by(func.coalesce(outbox.c.due_at, outbox.c.written_at), outbox.c.id)
    return query.limit(1).with_for_update(skip_locked=True, of=outbox)


_IN_WORKSPACE = outbox.c.workspace_id == bindparam("workspace_id", type_=String())
_NEXT = {
    (dialect, bool(conditions)): (_next_near(*conditions), _next_of_heads(dialect, *conditions))
    for dialect in ("sqlite", "postgresql")
    for conditions in ((), (_IN_WORKSPACE,))
}
"""The job that has been due longest among the first of each lane, without those that another process is claiming.

By dialect, and whether it is of one workspace alone. The first query looks at the jobs that have been due longest,
where it nearly always is. Behind a lane whose first job is in hand or put off there may be any number of jobs that
wait: where only such are found, the second looks at the first job of each lane. So neither reads more for a long lane.
"""
_ANY_DUE = select(outbox.c.id).where(_IS_DUE).limit(1)
_ANY_DUE_IN = _ANY_DUE.where(_IN_WORKSPACE)
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
_NEARBY = 10_000
"""How far apart the ids of two jobs are at most that were written within a second; it spares the table from a scan."""


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


def _instants(at: datetime, lease_at: datetime | None) -> dict[str, datetime]:
    """The parameters of `_IS_DUE` and `_IS_PUT_OFF_WRONGLY`."""
    leases = lease_at or at
    return {
        "at": at,
        "lease_at": leases,
        "later_at": max(at, leases),
        "earlier_at": min(at, leases),
        "latest": at + SKEW,
        "lease_latest": leases + SKEW,
    }


def is_due(
    connection: Connection, *, at: datetime, lease_at: datetime | None = None, workspace_id: str | None = None
) -> bool:
    """Whether a job may be due, of that workspace or of any; takes no lock, so `claim` may still find none."""
    query = _ANY_DUE if workspace_id is None else _ANY_DUE_IN
    parameters = {**_instants(at, lease_at), "workspace_id": workspace_id}
    return connection.execute(query, parameters).first() is not None


def claim(
    connection: Connection,
    *,
    at: datetime,
    lease_at: datetime | None = None,
    workspace_id: str | None = None,
    without: Collection[Lane] = (),
    in_hand: Collection[int] = (),
    expired_too: bool = True,
) -> Job | None:
    """Claim the job that has been due longest and is first in its lane, until `lease_at` + LEASE.

    With `workspace_id`, only a job of that workspace: the token of one workspace cannot send to another. The lanes
    `without` are left out, and the jobs that the caller has `in_hand`, whatever a clock says of their leases; unless
    `expired_too`, those of other holders as well. A job that cannot be read, or that not even giving it up settles, is
    parked, and the next one claimed.
    """
    leased_at = lease_at or at
    queries: Iterable[Select[Any]] = _NEXT[connection.dialect.name, workspace_id is not None]
    parameters = {
        **_instants(at, leased_at),
        "workspace_id": workspace_id,
        "in_hand": sorted(in_hand),
        "expired_too": expired_too,
    }
    if without:
        others = tuple_(outbox.c.workspace_id, outbox.c.lane).not_in(sorted(without))
        queries = [query.where(others) for query in queries]
    while True:
        try:
            row = _first(connection, queries, parameters)
            found = None if row is None else _readable(_job(row))
        except Exception as error:
            # One row that cannot be read would keep all others waiting.
            if is_away(error):
                raise
            unread = _first(connection, [query.with_only_columns(outbox.c.id) for query in queries], parameters)
            if unread is None:
                raise
            _set_aside(connection, outbox.c.id == unread["id"], f"{_UNREADABLE}: {type(error).__name__}", at)
            continue
        if found is None:
            return None
        if found.unsettled > MOST_UNSETTLED:
            _set_aside(connection, outbox.c.id == found.id, UNSETTLED, at)
            continue
        job = replace(found, attempts=found.attempts + 1)
        values = {"state": "sending", "attempts": job.attempts, "due_at": leased_at + LEASE, "put_off_at": leased_at}
        if job.unsettled:
            values["problem"] = f"{UNSETTLED} {job.unsettled}"
        connection.execute(update(outbox).where(outbox.c.id == job.id).values(**values))
        return job


def _first(connection: Connection, queries: Iterable[Select[Any]], parameters: Mapping[str, Any]) -> RowMapping | None:
    """The first row that one of the queries finds."""
    found = (connection.execute(query, parameters).mappings().first() for query in queries)
    return next(filter(None, found), None)


def is_put_off_wrongly(connection: Connection, *, at: datetime, lease_at: datetime | None = None) -> bool:
    """Whether a job waits only because a clock was wrong when it was written, put off or claimed."""
    return connection.execute(_ANY_PUT_OFF_WRONGLY, _instants(at, lease_at)).first() is not None


def correct(connection: Connection, *, at: datetime, lease_at: datetime | None = None) -> None:
    """Make the jobs due that wait only because a clock was wrong, leases included: their holders renew them."""
    corrected = update(outbox).where(_IS_PUT_OFF_WRONGLY).values(due_at=_now("at"), put_off_at=_now("at"))
    connection.execute(corrected, _instants(at, lease_at))


def _job(row: RowMapping) -> Job:
    stored = {field.name: row[field.name] for field in fields(Job) if field.name != "unsettled"}
    return Job(**stored, unsettled=_unsettled(row["problem"]) if row["state"] == "sending" else 0)


def _unsettled(problem: str | None) -> int:
    """How many claims in a row ended with their holder, the last one included, by what the last one found."""
    before = _COUNTED.fullmatch(problem or "")
    return 1 + (int(before[1]) if before else 0)


def _readable(job: Job) -> Job:
    """The job. Raises TypeError where a column holds another type than it should, which SQLite lets pass."""
    texts = (job.workspace_id, job.lane, job.action)
    attempts: object = job.attempts
    if not (
        isinstance(job.content, dict) and isinstance(attempts, int) and all(isinstance(each, str) for each in texts)
    ):
        raise TypeError("a column of another type")
    if not 0 <= job.attempts < _MOST_ATTEMPTS:
        raise TypeError("no number of attempts")
    return job


def _set_aside(connection: Connection, where: ColumnElement[bool], problem: str, at: datetime) -> None:
    """Park such jobs. Their content is kept; times and numbers become readable, since all jobs are counted."""
    readable = {"attempts": 0, "due_at": at, "written_at": at, "sent_at": None}
    connection.execute(update(outbox).where(where).values(state="parked", problem=problem, **readable))


def set_timeless_aside(connection: Connection, *, at: datetime) -> None:
    """Park the unsent jobs with a time that is none: they would never be due, and their lane would wait for them.

    Only SQLite lets such a value pass.
    """
    if connection.dialect.name == "sqlite":
        _set_aside(
            connection,
            and_(text(f"outbox.{UNSENT}"), or_(*map(_is_no_time, ("due_at", "written_at")))),
            _UNREADABLE,
            at,
        )


def _is_no_time(column: str) -> TextClause:
    return text(
        f"outbox.{column} NOT GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9]*'"
    )


def add_set_aside(
    connection: Connection,
    workspace_id: str,
    *,
    lane: str,
    action: str,
    content: dict[str, Any],
    problem: str,
    at: datetime,
) -> None:
    """Write a job that is parked from the beginning: something else could not be done, and doing the job retries it."""
    row = {"workspace_id": workspace_id, "lane": lane, "action": action, "content": content, "problem": problem}
    connection.execute(insert(outbox).values(state="parked", attempts=0, due_at=at, written_at=at, **row))


_IS_SET_ASIDE = and_(text(f"outbox.{PARKED}"), outbox.c.problem != func.lower(outbox.c.problem))
"""Parked for a reason of ours, the name of an exception. Slack's words are in lower case, and have their own ways."""


def retry_set_aside(connection: Connection, *, at: datetime) -> int:
    """Make the jobs due again that were set aside because they could not be read or done; returns how many."""
    retried = update(outbox).where(_IS_SET_ASIDE).values(state="waiting", attempts=0, due_at=at, problem=None)
    return connection.execute(retried).rowcount


def retry_known(connection: Connection, actions: Collection[str], *, at: datetime) -> None:
    """Make the jobs due again that another release did not know how to do, and this one does."""
    known = and_(text(f"outbox.{PARKED}"), outbox.c.problem == UNKNOWN_ACTION, outbox.c.action.in_(sorted(actions)))
    connection.execute(update(outbox).where(known).values(state="waiting", due_at=at, problem=None))


def renew(connection: Connection, jobs: Iterable[Job], *, lease_at: datetime) -> set[int]:
    """Extend these claims to `lease_at` + LEASE; returns the ids of those that still hold."""
    return {job.id for job in jobs if _update_held(connection, job, due_at=lease_at + LEASE, put_off_at=lease_at)}


def mark_sent(connection: Connection, job: Job, *, at: datetime, sent_as: str | None = None) -> None:
    """Mark the job as done; `sent_as` is the channel and the `ts` of the message that it posted, if it posted one.

    Of files that it shared it is their ids.

    A job that writes to the database is marked in the same transaction; otherwise a crash between the two would do the
    work twice. Marking once more changes nothing. Raises LeaseLostError.
    """
    values = {"state": "sent", "sent_at": at, "problem": None, "sent_as": sent_as}
    if not _update_held(connection, job, **values) and not _is_marked(connection, job):
        raise LeaseLostError


def retry_later(
    connection: Connection, job: Job, *, due_at: datetime, problem: str, at: datetime | None = None
) -> None:
    """Release a job that failed for now; it is due again at `due_at`. `at` is now. Raises LeaseLostError."""
    _settle(connection, job, state="waiting", due_at=due_at, put_off_at=at, problem=problem)


def park(connection: Connection, job: Job, *, problem: str, lane: str | None = None) -> None:
    """Give up a job that cannot succeed, and record the reason; the jobs after it in its lane follow.

    `lane` is the channel that the job was for, by which it is found again, where that is not its lane already. Raises
    LeaseLostError.
    """
    _settle(connection, job, state="parked", problem=problem, lane=lane or job.lane)


def _settle(connection: Connection, job: Job, **values: Any) -> None:
    if not _update_held(connection, job, **values):
        raise LeaseLostError


def _update_held(connection: Connection, job: Job, **values: Any) -> bool:
    """Change the row if the claim is still the job's holder's; returns whether it is."""
    held = and_(outbox.c.id == job.id, outbox.c.state == "sending", outbox.c.attempts == job.attempts)
    return connection.execute(update(outbox).where(held).values(**values)).rowcount == 1


def _is_marked(connection: Connection, job: Job) -> bool:
    """Whether this very claim was marked as sent: also when the answer to that commit was lost."""
    marked = and_(outbox.c.id == job.id, outbox.c.state == "sent", outbox.c.attempts == job.attempts)
    return connection.execute(select(outbox.c.id).where(marked)).first() is not None


def sent_as(connection: Connection, job_id: int) -> tuple[str, list[str], dict[str, Any]] | None:
    """The action, what it was sent as, and the content, as it is stored now, of a job that was sent.

    It was sent as a message, with a channel and a `ts`, or as files, with their ids. None for a job that was pruned or
    that sent neither. Raises LookupError while it is being sent.
    """
    query = select(outbox.c.action, outbox.c.state, outbox.c.sent_as, outbox.c.content).where(outbox.c.id == job_id)
    row = connection.execute(query).first()
    if row is None or (row.state == "sent" and row.sent_as is None):
        return None
    if row.sent_as is None:
        raise LookupError("not sent yet")
    return row.action, row.sent_as.split(" "), row.content


def last_message(connection: Connection, job: Job) -> tuple[str, str] | None:
    """Channel and `ts` of the last message that a job like this one posted before it in its lane; None without one.

    Only the NEARBY jobs before it are looked at.
    """
    query = select(outbox.c.sent_as).where(
        outbox.c.id < job.id,
        outbox.c.id >= job.id - _NEARBY,
        outbox.c.workspace_id == job.workspace_id,
        outbox.c.lane == job.lane,
        outbox.c.action == job.action,
        outbox.c.sent_as.is_not(None),
    )
    found = connection.execute(query.order_by(outbox.c.id.desc()).limit(1)).scalar()
    if found is None:
        return None
    channel_id, _, ts = found.partition(" ")
    return channel_id, ts


def requeue(
    connection: Connection,
    *,
    problems: Collection[str],
    workspace_id: str | None,
    since_at: datetime,
    at: datetime,
    lane: str | None = None,
) -> None:
    """Make parked jobs due again: those written since then and parked for these reasons.

    Of one workspace or all, of one lane or all.
    """
    given_up = outbox.c.problem.in_(sorted(problems)) & (outbox.c.written_at >= since_at)
    in_workspace = (outbox.c.workspace_id == workspace_id,) if workspace_id else ()
    in_lane = (outbox.c.lane == lane,) if lane else ()
    parked = update(outbox).where(text(f"outbox.{PARKED}"), given_up, *in_workspace, *in_lane)
    connection.execute(parked.values(state="waiting", due_at=at, put_off_at=at, problem=None))


def parked_lanes(
    connection: Connection, *, problems: Collection[str], since_at: datetime
) -> dict[tuple[str, str], int]:
    """How many jobs written since then are parked for these reasons, by workspace and lane."""
    given_up = outbox.c.problem.in_(sorted(problems)) & (outbox.c.written_at >= since_at)
    of_lane = (outbox.c.workspace_id, outbox.c.lane)
    query = select(*of_lane, func.count()).where(text(f"outbox.{PARKED}"), given_up).group_by(*of_lane)
    return {(workspace_id, lane): count for workspace_id, lane, count in connection.execute(query)}


def parked_in(connection: Connection, workspace_id: str, lane: str, *, problems: Collection[str]) -> list[Job]:
    """The lane's jobs that are parked for these reasons, the oldest first."""
    query = select(outbox).where(
        text(f"outbox.{PARKED}"),
        outbox.c.workspace_id == workspace_id,
        outbox.c.lane == lane,
        outbox.c.problem.in_(sorted(problems)),
    )
    return [_job(row) for row in connection.execute(query.order_by(outbox.c.id)).mappings()]


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


def waiting_behind(connection: Connection, job: Job, within: timedelta) -> list[Mapping[str, Any]]:
    """The contents of the jobs with the same action that wait in the job's lane, written at most `within` after it."""
    query = select(outbox.c.content).where(
        outbox.c.id > job.id,
        outbox.c.id <= job.id + _NEARBY,
        outbox.c.workspace_id == job.workspace_id,
        outbox.c.lane == job.lane,
        outbox.c.action == job.action,
        outbox.c.state == "waiting",
        outbox.c.written_at <= job.written_at + within,
    )
    return list(connection.execute(query.order_by(outbox.c.id)).scalars())


def written_around(connection: Connection, job: Job, *, action: str, within: timedelta) -> list[Mapping[str, Any]]:
    """The contents of the workspace's jobs with that action, written at most `within` before `job` or since.

    Sent or not, but without those that were given up.
    """
    query = select(outbox.c.content).where(
        outbox.c.id >= job.id - _NEARBY,
        outbox.c.workspace_id == job.workspace_id,
        outbox.c.action == action,
        outbox.c.state != "parked",
        outbox.c.written_at >= job.written_at - within,
    )
    return list(connection.execute(query.order_by(outbox.c.id)).scalars())


_OLD = (
    select(outbox.c.id)
    .where(text(f"outbox.{SENT}"), outbox.c.sent_at < bindparam("before", type_=outbox.c.sent_at.type))
    .order_by(outbox.c.sent_at)
    .limit(bindparam("most"))
)
_PRUNE = delete(outbox).where(outbox.c.id.in_(_OLD))


def prune(connection: Connection, *, before: datetime, most: int) -> int:
    """Delete `most` of the jobs sent before then, the oldest first; parked ones stay. Returns how many."""
    return connection.execute(_PRUNE, {"before": before, "most": most}).rowcount


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


def set_aside_by_problem(connection: Connection) -> list[ParkedJobs]:
    """The jobs of all times that were set aside because they could not be read or done, by action and reason."""
    of = (outbox.c.action, outbox.c.problem)
    query = select(*of, func.count(), func.max(outbox.c.written_at)).where(_IS_SET_ASIDE).group_by(*of).order_by(*of)
    return [
        ParkedJobs(action=action, problem=problem, count=count, latest_at=latest_at)
        for action, problem, count, latest_at in connection.execute(query)
    ]


def parked_problems(connection: Connection, workspace_id: str, lanes: Collection[str]) -> list[str]:
    """Why jobs of these lanes were parked, one reason for each job, the oldest first."""
    return list(connection.execute(_PARKED_PROBLEMS, {"workspace_id": workspace_id, "lanes": lanes}).scalars())


def count_by_state(connection: Connection) -> dict[str, int]:
    """The number of jobs in each state."""
    query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
    return {state: count for state, count in connection.execute(query)}  # noqa: C416 - a Row is no pair to mypy
