"""Live messages: what Scribe posted once and keeps current by editing it, such as an incident's card.

An incident has at most one of a kind. To add a kind, or to keep one current:

- `announce` it in the transaction after which there is something to show; it is posted soon after.
- `note_change` the incident wherever something changes that a message may show. Who updates the incident's row anyway
  sets `stale` there instead, as the recording of an entry does: that costs no statement.
- Write a row of `LIVE` in `bot.slack.outbound.live`: what the message of the kind shows, read at that moment.

The rest follows. Delivery looks for stale incidents (`is_any_changed`, `take_up`) and writes one job for each message
that none waits for. The job first takes the mark off the incident (`begin`) and then reads, so that no change is
missed, and changes that come close together are one edit. A message is edited at most once in WINDOW_S; in a workspace
one live message or digest at most in PACE_S. Who dies at any point leaves the job or the mark behind. A message has a
lane of its own, so it holds up nothing else, and one that was deleted by hand is made anew once (`renew`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from storage import outbox
from storage.models import STALE, UNSENT, digests, incidents, live_messages
from storage.models import outbox as jobs

CARD = "card"
"""The kind of message that shows where an incident stands."""
DRAFT = "draft"
"""The kind of message that shows how far an incident's postmortem is."""
SHOW = "show_live"
"""The job that has Slack show a live message as it is now."""
LIVE, LOST = "live", "lost"
"""States: edited at each change; gone from Slack, or not to be edited there."""
WINDOW_S = 3
"""Seconds between two edits of one message: what changes meanwhile is one edit."""
_WINDOW = timedelta(seconds=WINDOW_S)
PACE_S = 1.5
"""Seconds between two edits of a workspace's live messages and digests: 40 a minute, of which Slack allows 50."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveMessage:
    """A message at `channel_id` and `ts`, which is empty until it is posted; `renewed` says that it was made anew.

    `fingerprint` is of what it shows, empty where that is not known.
    """

    id: int
    workspace_id: str
    kind: str
    incident_id: int
    channel_id: str
    ts: str
    state: str
    fingerprint: str
    renewed: bool


_COLUMNS = tuple(live_messages.c[field.name] for field in fields(LiveMessage))
_OF_INCIDENT = (live_messages.c.incident_id == bindparam("of_incident"), live_messages.c.kind == bindparam("of_kind"))
_FIND = select(*_COLUMNS).where(*_OF_INCIDENT)
_LANE = literal("live:") + cast(live_messages.c.id, String(20))
_JOB_WAITS = exists().where(
    jobs.c.workspace_id == live_messages.c.workspace_id,
    jobs.c.lane == _LANE,
    # Literal, or the partial index is not used.
    text(f"outbox.{UNSENT}"),
)


def _changed(*where: ColumnElement[bool]) -> Select[Any]:
    """The messages of the stale incidents that no job waits for."""
    # Not a join: SQLite would read all messages of the workspace, instead of those of the few stale incidents.
    stale = select(incidents.c.id).where(text(f"incidents.{STALE}"), incidents.c.stale.is_(True), *where)
    names = ("id", "workspace_id", "kind", "incident_id", "edited_at")
    return select(*(live_messages.c[name] for name in names)).where(
        live_messages.c.incident_id.in_(stale), live_messages.c.state == LIVE, ~_JOB_WAITS
    )


_CHANGED, _CHANGED_IN = _changed(), _changed(incidents.c.workspace_id == bindparam("of_workspace"))
_CHANGED_OF = _changed(incidents.c.id == bindparam("of_incident"))
ANNOUNCE = insert(live_messages).values(state=LIVE, ts="", fingerprint="", renewed=False)
"""Announces a message of a new incident, which is stale from the beginning."""
_MARK = (
    update(incidents).where(incidents.c.id == bindparam("of_incident"), incidents.c.stale.is_(False)).values(stale=True)
)
_UNMARK = update(incidents).where(incidents.c.id == bindparam("of_incident")).values(stale=False)
_FORGET = (
    update(incidents)
    .where(
        incidents.c.id.in_(
            select(incidents.c.id)
            .where(
                text(f"incidents.{STALE}"),
                ~exists().where(live_messages.c.incident_id == incidents.c.id, live_messages.c.state == LIVE),
            )
            .limit(bindparam("most"))
        )
    )
    .values(stale=False)
)
_WAITING_BEFORE = (
    select(func.count())
    .select_from(jobs)
    .where(
        jobs.c.workspace_id == bindparam("of_workspace"),
        jobs.c.action == SHOW,
        jobs.c.id < bindparam("of_job"),
        text(f"outbox.{UNSENT}"),
    )
)
"""The jobs whose turn comes first: each edit has an instant of its own, instead of all trying at the same one."""
_LAST_EDITS = tuple(
    select(func.max(table.c.edited_at, type_=table.c.edited_at.type)).where(
        table.c.workspace_id == bindparam("of_workspace")
    )
    for table in (live_messages, digests)
)


def announce(
    connection: Connection, workspace_id: str, kind: str, incident_id: int, *, channel_id: str, at: datetime
) -> None:
    """Have the incident's message of that kind posted in the channel, or brought up to date where it is posted.

    One that was lost is posted anew.
    """
    row = {"workspace_id": workspace_id, "kind": kind, "incident_id": incident_id, "channel_id": channel_id}
    lost = {"channel_id": channel_id, "ts": "", "state": LIVE, "fingerprint": ""}
    again = update(live_messages).where(*_OF_INCIDENT, live_messages.c.state == LOST).values(**lost)
    if find(connection, incident_id, kind) is None:
        connection.execute(ANNOUNCE, row | {"posted_at": at})
    else:
        connection.execute(again, {"of_incident": incident_id, "of_kind": kind})
    note_change(connection, incident_id)


def announce_before(
    connection: Connection, workspace_id: str, kind: str, incident_id: int, *, channel_id: str, at: datetime
) -> str:
    """As `announce`, for a message with a thread; returns the lane for a job that needs the message to be there.

    One that was posted and is lost stays so.
    """
    known = find(connection, incident_id, kind)
    if known is None or (known.state == LOST and not known.ts):
        announce(connection, workspace_id, kind, incident_id, channel_id=channel_id, at=at)
        known = find(connection, incident_id, kind)
        _write_jobs(connection, connection.execute(_CHANGED_OF, {"of_incident": incident_id}).all(), at=at)
    # Behind the message while that is to be posted; not behind its edits, which wait for their turn.
    waits = known is not None and known.state == LIVE and not known.ts
    return f"live:{known.id}" if known is not None and waits else f"thread:{incident_id}:{kind}"


def note_change(connection: Connection, incident_id: int) -> None:
    """Have the incident's live messages edited, where what they show differs, after this transaction."""
    connection.execute(_MARK, {"of_incident": incident_id})


def is_any_changed(connection: Connection, *, workspace_id: str | None = None) -> bool:
    """Whether a message may have to be edited for which no job waits, in that workspace or in any."""
    return connection.execute(*_for_workspace(workspace_id, limit=1)).first() is not None


def take_up(connection: Connection, *, at: datetime, workspace_id: str | None = None) -> bool:
    """Write a job for each such message, due as soon as WINDOW_S allows; returns whether there were any."""
    changed = connection.execute(*_for_workspace(workspace_id)).all()
    _write_jobs(connection, changed, at=at)
    return bool(changed)


def _write_jobs(connection: Connection, changed: Sequence[Row[Any]], *, at: datetime) -> None:
    for row in sorted(changed, key=lambda each: each.id):
        outbox.add(
            connection,
            row.workspace_id,
            lane=f"live:{row.id}",
            action=SHOW,
            content={"kind": row.kind, "incident_id": row.incident_id},
            at=at,
            due_at=at if row.edited_at is None else min(max(at, row.edited_at + _WINDOW), at + _WINDOW),
        )


def _for_workspace(workspace_id: str | None, *, limit: int | None = None) -> tuple[Select[Any], dict[str, str]]:
    if workspace_id is None:
        return _CHANGED.limit(limit), {}
    return _CHANGED_IN.limit(limit), {"of_workspace": workspace_id}


def forget_changes(connection: Connection, *, most: int) -> int:
    """Take the mark off `most` incidents that have no live message: `is_any_changed` would read ever more of them.

    Returns how many.
    """
    return connection.execute(_FORGET, {"most": most}).rowcount


def move(connection: Connection, incident_id: int, channel_id: str) -> None:
    """The incident goes on in another channel: its messages are posted anew there, and those before edited no more."""
    anew = {"channel_id": channel_id, "ts": "", "fingerprint": "", "state": LIVE, "renewed": False}
    connection.execute(update(live_messages).where(live_messages.c.incident_id == incident_id).values(**anew))
    note_change(connection, incident_id)


def find(connection: Connection, incident_id: int, kind: str) -> LiveMessage | None:
    """The incident's message of that kind; None where none was posted yet."""
    row = connection.execute(_FIND, {"of_incident": incident_id, "of_kind": kind}).mappings().first()
    return None if row is None else LiveMessage(**row)


def note_posted(connection: Connection, message: LiveMessage, *, ts: str, fingerprint: str, at: datetime) -> None:
    """Save that the message was posted, for the first time or anew; not where it has moved to another channel since."""
    posted = {"ts": ts, "fingerprint": fingerprint, "posted_at": at}
    connection.execute(update(live_messages).where(_is_still(message)).values(**posted))


def begin(connection: Connection, message: LiveMessage, *, job_id: int, at: datetime) -> float:
    """Begin to show the message: from now on changes are noted anew. Read what it shows after this transaction.

    Returns the seconds until the job's turn among the workspace's edits: above 0 nothing was begun. What is yet to be
    posted is no edit, and does not wait.
    """
    left_s = pause_s(connection, message.workspace_id, at=at)
    if left_s > 0 and message.ts:
        before = {"of_workspace": message.workspace_id, "of_job": job_id}
        return left_s + PACE_S * int(connection.execute(_WAITING_BEFORE, before).scalar_one())
    connection.execute(update(live_messages).where(_is(message)).values(edited_at=at))
    # Another message of the incident needs its own job before the mark goes.
    changed = connection.execute(_CHANGED_OF, {"of_incident": message.incident_id}).all()
    _write_jobs(connection, [row for row in changed if row.id != message.id], at=at)
    connection.execute(_UNMARK, {"of_incident": message.incident_id})
    return 0.0


def pause_s(connection: Connection, workspace_id: str, *, at: datetime) -> float:
    """The seconds from `at` until the workspace may have another edit of a live message or digest, by any replica.

    An edit that lies ahead was noted by a clock that was wrong, and puts nothing off.
    """
    found = [connection.execute(query, {"of_workspace": workspace_id}).scalar() for query in _LAST_EDITS]
    last_at = max(filter(None, found), default=None)
    passed_s = PACE_S if last_at is None else (at - last_at).total_seconds()
    return PACE_S - passed_s if 0 <= passed_s < PACE_S else 0.0


def note_edit(connection: Connection, before: LiveMessage, *, fingerprint: str) -> None:
    """Save what the message shows since Slack was asked.

    Where another edit was saved meanwhile, by a replica that took this one's job, it is not known which of the two
    Slack shows: it is edited once more.
    """
    of = _is(before)
    unchanged = and_(of, live_messages.c.fingerprint == before.fingerprint, live_messages.c.ts == before.ts)
    if not connection.execute(update(live_messages).where(unchanged).values(fingerprint=fingerprint)).rowcount:
        connection.execute(update(live_messages).where(of).values(fingerprint=""))
        note_change(connection, before.incident_id)


def renew(connection: Connection, message: LiveMessage) -> None:
    """The message was deleted by hand: have it posted anew, once; the second time it stays away."""
    of = and_(_is(message), live_messages.c.ts == message.ts)
    anew = {"state": LOST} if message.renewed else {"ts": "", "fingerprint": "", "renewed": True}
    connection.execute(update(live_messages).where(of).values(**anew))
    note_change(connection, message.incident_id)


def mark_lost(connection: Connection, message: LiveMessage) -> None:
    """Save that the message cannot be posted or edited: nothing is tried until it is announced again."""
    connection.execute(update(live_messages).where(_is_still(message)).values(state=LOST))


def _is_still(message: LiveMessage) -> ColumnElement[bool]:
    return and_(_is(message), live_messages.c.channel_id == message.channel_id)


def _is(message: LiveMessage) -> ColumnElement[bool]:
    return and_(live_messages.c.workspace_id == message.workspace_id, live_messages.c.id == message.id)
