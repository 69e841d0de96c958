"""Digests that were posted: which one is live, which job edits it, and what a paused replica may spoil."""

from datetime import date, timedelta

from sqlalchemy import select

from storage import incidents, outbox
from storage.database import Database
from storage.items import action_items, digests
from storage.models import outbox as jobs
from storage.values import ActionItem, Incident
from tests.integration.storage.rows import NOW, declare, plan

ON, WORKSPACE = date(2026, 3, 13), "T1"


def posted(database: Database, ts: str, *listed: tuple[Incident, ActionItem | None], recipient: str = "U1") -> int:
    with database.write() as connection:
        return digests.save(
            connection, WORKSPACE, recipient, told_on=ON, channel_id="D1", ts=ts, fingerprint="f",
            listed=[(incident.id, item.id if item else None) for incident, item in listed], at=NOW,
        )  # fmt: skip


def edited(database: Database) -> list[tuple[str, int]]:
    """(lane, digest) of the edits that wait, in their order."""
    with database.read() as connection:
        query = select(jobs.c.lane, jobs.c.content).where(jobs.c.action == digests.EDIT)
        rows = connection.execute(query.order_by(jobs.c.id)).all()
    return [(row.lane, row.content["digest"]) for row in rows]


def test_a_change_edits_each_live_digest_that_lists_the_item_and_no_other(database: Database) -> None:
    with database.write() as connection:
        incident, other = declare(connection), declare(connection)
        first, second = (plan(connection, incident, text) for text in ("buy disks", "count disks"))
        foreign = plan(connection, other, "sell disks")
    bobs = posted(database, "1.1", (incident, second), (incident, first))
    leads = posted(database, "1.2", (incident, first), (other, None), recipient="U2")
    posted(database, "1.3", (incident, second), (other, foreign), recipient="U3")
    with database.write() as connection:
        action_items.revise(connection, first, by="U1", at=NOW, state="done")
    assert edited(database) == [(digests.LANE, bobs), (digests.LANE, leads)]
    with database.write() as connection:
        incidents.change(connection, other, {"title": "other"}, by="U1", at=NOW)
    assert [digest for _, digest in edited(database)][2:] == [leads, leads + 1]


def test_a_newer_digest_replaces_the_older_one_of_its_recipient_alone(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        item = plan(connection, incident, "buy disks")
    old, kept = posted(database, "1.1", (incident, item)), posted(database, "1.2", (incident, item), recipient="U2")
    new = posted(database, "2.1", (incident, item))
    with database.read() as connection:
        states = [digests.by_id(connection, WORKSPACE, each) for each in (old, kept, new)]
        assert [each.state for each in states if each] == ["replaced", "live", "live"]
        assert digests.listed(connection, states[0]) == [] if states[0] else False
    assert edited(database) == [(digests.LANE_OF_REPLACED, old)]


def test_the_last_due_edit_of_a_digest_does_the_work_of_all(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        item = plan(connection, incident, "buy disks")
    digest = posted(database, "1.1", (incident, item))
    for seconds in (0, 1, 7):
        with database.write() as connection:
            action_items.revise(connection, item, by="U1", at=NOW + timedelta(seconds=seconds))
    at = NOW + timedelta(seconds=5)
    with database.write() as connection:
        job = outbox.claim(connection, at=at)
        assert job is not None
        assert job.content == {"digest": digest}
        assert digests.is_edited_later(connection, job, at=at)
        outbox.mark_sent(connection, job, at=at)
    with database.write() as connection:
        second = outbox.claim(connection, at=at)
        assert second is not None
        # The third is not due yet: a change every second must not keep the message from being edited.
        assert not digests.is_edited_later(connection, second, at=at)


def test_two_edits_that_cross_are_followed_by_a_third(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        item = plan(connection, incident, "buy disks")
    digest = posted(database, "1.1", (incident, item))
    with database.read() as connection:
        before = digests.by_id(connection, WORKSPACE, digest)
    assert before is not None
    for fingerprint in ("one", "two"):
        with database.write() as connection:
            digests.note_edit(connection, before, fingerprint=fingerprint, added=(), at=NOW)
    with database.read() as connection:
        now = digests.by_id(connection, WORKSPACE, digest)
    assert now is not None
    assert now.fingerprint == ""
    assert edited(database) == [(digests.LANE, digest)]
