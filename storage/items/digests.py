"""Digests and hand-overs that were posted: where each stands, and what it lists, so that it is edited with that.

A recipient's latest digest is live: each change of what it lists has it edited. When a newer one is posted it is
replaced, and edited once more, to say so. A hand-over is edited until it is pruned.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, insert, select, text, update

from storage import outbox
from storage.dialects import row_id
from storage.live_messages import PACE_S
from storage.models import PAST, UNSENT, digest_items, digests
from storage.models import outbox as jobs
from storage.outbox import Job

LIVE, REPLACED, LOST, HANDED = "live", "replaced", "lost", "handed"
"""States: a digest that is edited at each change; one to say where the newer one is; a message that is gone from Slack,
or not to be edited there; and a hand-over, which is edited at each change as well."""
EDIT, EDIT_HANDED = "edit_digest", "edit_handover"
"""The jobs that have Slack show the message as it is now: a release that knows digests alone leaves the others be."""
LANE, LANE_OF_REPLACED = "digests", "digests:replaced"
"""One message at a time is edited in a workspace; those that were replaced delay none that is live."""
WINDOW_S = 5
"""Seconds: changes within one window are one edit of a message."""

Listed = tuple[int, int | None]
"""The row ids of an incident and of its action item, or None for its postmortem."""
Editable = tuple[int, str, str]
"""A message's row id, its workspace's id and its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedDigest:
    """A message at `channel_id` and `ts`. `fingerprint` is of what it shows, empty where that is not known.

    `told_on` is the day, in the recipient's calendar, that it was posted for.
    """

    id: int
    workspace_id: str
    recipient_id: str
    told_on: date
    channel_id: str
    ts: str
    state: str
    fingerprint: str


_COLUMNS = tuple(digests.c[field.name] for field in fields(PostedDigest))
_OF_RECIPIENT = (digests.c.workspace_id == bindparam("workspace"), digests.c.recipient_id == bindparam("recipient"))
_LIVE = select(*_COLUMNS).where(*_OF_RECIPIENT, digests.c.state == LIVE).order_by(digests.c.id.desc()).limit(1)
_HANDED_SINCE = (
    select(*_COLUMNS)
    .where(
        *_OF_RECIPIENT,
        digests.c.state == HANDED,
        digests.c.posted_at > bindparam("since", type_=digests.c.posted_at.type),
    )
    .order_by(digests.c.id.desc())
    .limit(1)
)
_REPLACE = update(digests).where(*_OF_RECIPIENT, digests.c.state == LIVE).values(state=REPLACED).returning(digests.c.id)
_BY_ID = select(*_COLUMNS).where(digests.c.workspace_id == bindparam("workspace"), digests.c.id == bindparam("digest"))
_LISTING = (
    select(digests.c.id, digests.c.workspace_id, digests.c.state)
    .join(digest_items, digest_items.c.digest_id == digests.c.id)
    .where(digests.c.state.in_((LIVE, HANDED)))
    .distinct()
    .order_by(digests.c.id)
)
LISTING_ITEM = _LISTING.where(digest_items.c.item_id == bindparam("item"))
"""The messages to be edited that list an item: none for most. `add_edits` takes them."""
_LISTING_INCIDENT = _LISTING.where(digest_items.c.incident_id == bindparam("incident"))
_LISTED = (
    select(digest_items.c.incident_id, digest_items.c.item_id)
    .where(digest_items.c.digest_id == bindparam("digest"))
    .order_by(digest_items.c.id)
)
_IN_LANE = (
    jobs.c.workspace_id == bindparam("in_workspace"),
    jobs.c.lane == bindparam("in_lane"),
    # Literal, or the partial index is not used.
    text(f"outbox.{UNSENT}"),
)
_WAITING = select(func.count()).select_from(jobs).where(*_IN_LANE)
_LATER_EDIT = (
    select(jobs.c.id)
    .where(
        *_IN_LANE,
        jobs.c.id > bindparam("of"),
        jobs.c.due_at <= bindparam("at", type_=jobs.c.due_at.type),
        jobs.c.content["digest"].as_integer() == bindparam("digest"),
    )
    .limit(1)
)


def note_change(connection: Connection, incident_id: int, *, at: datetime) -> None:
    """Have each message edited that lists something of the incident, in the transaction of its change.

    A change of an item is noted with its revision, by `storage.items.action_items`.
    """
    listing = connection.execute(_LISTING_INCIDENT, {"incident": incident_id}).all()
    add_edits(connection, [tuple(row) for row in listing], at=at)


def add_edits(connection: Connection, of: Sequence[Editable], *, at: datetime) -> None:
    """Have these messages edited after a change at `at`.

    The edits of one window are due together, and the last of them does the work of all.
    """
    _add_edits(connection, of, lane=LANE, at=at, due_at=_window_end(at))


def _add_edits(connection: Connection, of: Sequence[Editable], *, lane: str, at: datetime, due_at: datetime) -> None:
    edits = [
        {
            "workspace_id": workspace_id,
            "lane": lane,
            "action": EDIT_HANDED if state == HANDED else EDIT,
            "content": {"digest": digest_id},
        }
        for digest_id, workspace_id, state in of
    ]
    outbox.add_all(connection, edits, at=at, due_at=due_at)


def _window_end(at: datetime) -> datetime:
    seconds = int(at.timestamp()) // WINDOW_S * WINDOW_S
    return datetime.fromtimestamp(seconds, UTC) + timedelta(seconds=WINDOW_S)


def save(
    connection: Connection,
    workspace_id: str,
    recipient_id: str,
    *,
    told_on: date,
    channel_id: str,
    ts: str,
    fingerprint: str,
    listed: Collection[Listed],
    at: datetime,
) -> int:
    """Save that the digest was posted, and have the recipient's earlier one say that it is out of date.

    Returns its row id.
    """
    replaced = connection.execute(_REPLACE, {"workspace": workspace_id, "recipient": recipient_id}).scalars().all()
    connection.execute(delete(digest_items).where(digest_items.c.digest_id.in_(replaced)))
    if replaced:
        # One after the other, not all of a morning's at once: that would be a backlog.
        waiting = connection.execute(_WAITING, {"in_workspace": workspace_id, "in_lane": LANE_OF_REPLACED}).scalar_one()
        due_at = at + timedelta(seconds=PACE_S * waiting)
        of = [(digest_id, workspace_id, REPLACED) for digest_id in replaced]
        _add_edits(connection, of, lane=LANE_OF_REPLACED, at=at, due_at=due_at)
    return _save(
        connection, workspace_id, recipient_id, told_on=told_on, channel_id=channel_id, ts=ts, fingerprint=fingerprint,
        listed=listed, at=at, state=LIVE,
    )  # fmt: skip


def save_handover(
    connection: Connection,
    workspace_id: str,
    recipient_id: str,
    *,
    told_on: date,
    channel_id: str,
    ts: str,
    fingerprint: str,
    listed: Collection[Listed],
    at: datetime,
) -> int:
    """Save that a hand-over was posted; returns its row id. Digests and others stay as they are."""
    return _save(
        connection, workspace_id, recipient_id, told_on=told_on, channel_id=channel_id, ts=ts, fingerprint=fingerprint,
        listed=listed, at=at, state=HANDED,
    )  # fmt: skip


def _save(
    connection: Connection,
    workspace_id: str,
    recipient_id: str,
    *,
    listed: Collection[Listed],
    at: datetime,
    **facts: Any,
) -> int:
    row = {"workspace_id": workspace_id, "recipient_id": recipient_id, "posted_at": at, **facts}
    digest_id = row_id(connection.execute(insert(digests), row))
    _add_items(connection, digest_id, listed)
    return digest_id


def _add_items(connection: Connection, digest_id: int, listed: Collection[Listed]) -> None:
    rows = [{"digest_id": digest_id, "incident_id": incident, "item_id": item} for incident, item in listed]
    if rows:
        connection.execute(insert(digest_items), rows)


def live(connection: Connection, workspace_id: str, recipient_id: str) -> PostedDigest | None:
    """The recipient's live digest, the latest that was posted to them."""
    row = connection.execute(_LIVE, {"workspace": workspace_id, "recipient": recipient_id}).mappings().first()
    return None if row is None else PostedDigest(**row)


def handed_since(
    connection: Connection, workspace_id: str, recipient_id: str, *, since_at: datetime
) -> PostedDigest | None:
    """The recipient's latest hand-over, if it was posted after then."""
    parameters = {"workspace": workspace_id, "recipient": recipient_id, "since": since_at}
    row = connection.execute(_HANDED_SINCE, parameters).mappings().first()
    return None if row is None else PostedDigest(**row)


def by_id(connection: Connection, workspace_id: str, digest_id: int) -> PostedDigest | None:
    """The workspace's message with that row id; None for one that was pruned."""
    row = connection.execute(_BY_ID, {"workspace": workspace_id, "digest": digest_id}).mappings().first()
    return None if row is None else PostedDigest(**row)


def listed(connection: Connection, digest: PostedDigest) -> list[Listed]:
    """What the message has listed since it was posted, in that order; nothing for one that was replaced or lost."""
    return [(row.incident_id, row.item_id) for row in connection.execute(_LISTED, {"digest": digest.id})]


def note_edit(
    connection: Connection, before: PostedDigest, *, fingerprint: str, added: Collection[Listed], at: datetime
) -> None:
    """Save what the message shows since Slack was asked, and what it lists beside what it did `before`.

    Where another edit was saved meanwhile, by a replica that took this one's job, nobody knows which of the two Slack
    shows: it is edited once more.
    """
    of = _is(before)
    unchanged = of & (digests.c.fingerprint == before.fingerprint)
    if connection.execute(update(digests).where(unchanged).values(fingerprint=fingerprint, edited_at=at)).rowcount:
        _add_items(connection, before.id, added)
        return
    connection.execute(update(digests).where(of).values(fingerprint="", edited_at=at))
    add_edits(connection, [(before.id, before.workspace_id, before.state)], at=at)


def _is(digest: PostedDigest) -> ColumnElement[bool]:
    return and_(digests.c.workspace_id == digest.workspace_id, digests.c.id == digest.id)


def mark_lost(connection: Connection, digest: PostedDigest) -> None:
    """Save that Slack lets nobody edit the message: nothing is tried again."""
    connection.execute(update(digests).where(_is(digest)).values(state=LOST))
    connection.execute(delete(digest_items).where(digest_items.c.digest_id == digest.id))


def is_edited_later(connection: Connection, job: Job, *, at: datetime) -> bool:
    """Whether a later job that is due edits the same message."""
    of = {"in_workspace": job.workspace_id, "in_lane": job.lane, "of": job.id, "digest": job.content["digest"]}
    return connection.execute(_LATER_EDIT, {**of, "at": at}).first() is not None


_OLD = (
    select(digests.c.id)
    .where(text(f"digests.{PAST}"), digests.c.posted_at < bindparam("before", type_=digests.c.posted_at.type))
    .order_by(digests.c.posted_at, digests.c.id)
    .limit(bindparam("most"))
)


def prune(connection: Connection, *, before: datetime, most: int) -> int:
    """Delete `most` of those posted before then, except those that are live: one a recipient. Returns how many."""
    old = list(connection.execute(_OLD, {"before": before, "most": most}).scalars())
    connection.execute(delete(digest_items).where(digest_items.c.digest_id.in_(old)))
    connection.execute(delete(digests).where(digests.c.id.in_(old)))
    return len(old)
