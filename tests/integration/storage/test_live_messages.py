"""Live messages: which change has which message edited, when, and what a death in between leaves behind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, select, update

from storage import incidents, live_messages, timeline
from storage.database import Database
from storage.items import action_items
from storage.live_messages import CARD, LIVE, LOST, PACE_S, WINDOW_S, LiveMessage
from storage.models import incidents as incident_rows
from storage.models import outbox as jobs
from tests.integration.storage.rows import NOW, declare, plan, say

SECOND = timedelta(seconds=1)


def posted(database: Database, incident_id: int, *, workspace: str = "T1", kind: str = CARD) -> LiveMessage:
    with database.write() as connection:
        live_messages.announce(connection, workspace, kind, incident_id, channel_id="C1", at=NOW)
        found = live_messages.find(connection, incident_id, kind)
        assert found is not None
        live_messages.note_posted(connection, found, ts="1.1", fingerprint="f", at=NOW)
    return replace(found, ts="1.1", fingerprint="f")


def begun(database: Database, message: LiveMessage, *, after: timedelta, job_id: int = 0) -> float:
    with database.write() as connection:
        return live_messages.begin(connection, message, job_id=job_id, at=NOW + after)


def taken_up(database: Database, *, after: timedelta = timedelta()) -> list[tuple[str, float]]:
    """The lanes of the jobs that are written for what has changed, and in how many seconds each is due."""
    with database.write() as connection:
        last = connection.execute(select(jobs.c.id).order_by(jobs.c.id.desc()).limit(1)).scalar() or 0
        found = live_messages.is_any_changed(connection)
        assert live_messages.take_up(connection, at=NOW + after) == found
        query = select(jobs.c.lane, jobs.c.due_at).where(jobs.c.id > last, jobs.c.action == live_messages.SHOW)
        written = connection.execute(query.order_by(jobs.c.id)).all()
        return [(row.lane, (row.due_at - NOW - after).total_seconds()) for row in written]


def test_each_change_of_an_incident_has_its_message_edited_once_and_no_other(database: Database) -> None:
    with database.write() as connection:
        incident, other = declare(connection), declare(connection)
        item = plan(connection, incident, "buy disks")
        entry = say(connection, incident)
    card, others = posted(database, incident.id), posted(database, other.id)
    quiet = 60 * SECOND
    changes: tuple[Callable[[Connection], object], ...] = (
        lambda connection: say(connection, incident),
        lambda connection: timeline.revise(connection, entry, by="U1", at=NOW, text="looked"),
        lambda connection: incidents.change(connection, incident, {"title": "other"}, by="U1", at=NOW),
        lambda connection: incidents.set_open(connection, incident, is_open=False),
        lambda connection: action_items.revise(connection, item, by="U1", at=NOW, state="done"),
        lambda connection: plan(connection, incident, "count disks"),
        lambda connection: live_messages.note_change(connection, incident.id),
    )
    # What was posted is compared once with what there is.
    assert len(taken_up(database, after=quiet)) == 2
    for number, change in enumerate(changes, 2):
        assert begun(database, card, after=quiet * number) == 0.0
        assert begun(database, others, after=quiet * number + 10 * SECOND) == 0.0
        with database.write() as connection:
            connection.execute(update(jobs).values(state="sent"))
            change(connection)
        assert taken_up(database, after=quiet * number + 30 * SECOND) == [(f"live:{card.id}", 0.0)], number
        assert taken_up(database, after=quiet * number + 30 * SECOND) == [], number


def test_an_edit_waits_for_the_window_and_for_the_pace_of_the_workspace(database: Database) -> None:
    with database.write() as connection:
        one, two = declare(connection), declare(connection)
    first, second = posted(database, one.id), posted(database, two.id)
    assert taken_up(database) == [(f"live:{each.id}", 0.0) for each in (first, second)]
    assert begun(database, first, after=10 * SECOND) == 0.0
    assert begun(database, second, after=10.5 * SECOND) == PACE_S - 0.5
    assert begun(database, second, after=12 * SECOND) == 0.0
    # A clock that went back an hour holds nothing up.
    assert begun(database, second, after=-3600 * SECOND) == 0.0
    with database.write() as connection:
        connection.execute(update(jobs).values(state="sent"))
        say(connection, one)
    assert taken_up(database, after=11 * SECOND) == [(f"live:{first.id}", WINDOW_S - 1)]


def test_each_edit_that_waits_has_a_turn_of_its_own(database: Database) -> None:
    with database.write() as connection:
        messages = [declare(connection) for _ in range(4)]
    first, *others = [posted(database, each.id) for each in messages]
    assert len(taken_up(database)) == 4
    with database.read() as connection:
        waiting = connection.execute(select(jobs.c.id).order_by(jobs.c.id)).scalars().all()
    assert begun(database, first, after=10 * SECOND, job_id=waiting[0]) == 0.0
    with database.write() as connection:
        connection.execute(update(jobs).where(jobs.c.id == waiting[0]).values(state="sent"))
    turns = [
        begun(database, each, after=10 * SECOND, job_id=job_id)
        for each, job_id in zip(others, waiting[1:], strict=True)
    ]
    assert turns == [PACE_S, 2 * PACE_S, 3 * PACE_S]


def test_what_moves_while_it_is_posted_is_posted_anew_where_it_goes_on(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
    message = posted(database, incident.id)
    with database.write() as connection:
        live_messages.move(connection, incident.id, "C2")
        live_messages.note_posted(connection, message, ts="1.2", fingerprint="f", at=NOW)
        live_messages.mark_lost(connection, message)
        found = live_messages.find(connection, incident.id, CARD)
    assert found is not None
    assert (found.channel_id, found.ts, found.state) == ("C2", "", LIVE)


def test_of_two_messages_of_an_incident_each_has_its_own_job(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
    card, draft = posted(database, incident.id), posted(database, incident.id, kind="draft")
    # The card's job was there already when something changed, and it takes the mark off that both wait for.
    assert begun(database, card, after=SECOND) == 0.0
    with database.read() as connection:
        lanes = connection.execute(select(jobs.c.lane).order_by(jobs.c.id)).scalars().all()
    assert lanes == [f"live:{draft.id}"]
    assert taken_up(database, after=2 * SECOND) == []


def test_one_workspace_does_not_edit_anothers(database: Database) -> None:
    with database.write() as connection:
        ours, theirs = declare(connection), declare(connection, workspace_id="T2")
    posted(database, ours.id)
    message = posted(database, theirs.id, workspace="T2")
    with database.write() as connection:
        assert live_messages.take_up(connection, at=NOW, workspace_id="T2")
        lanes = connection.execute(select(jobs.c.workspace_id, jobs.c.lane)).all()
        assert not live_messages.is_any_changed(connection, workspace_id="T2")
        assert live_messages.is_any_changed(connection, workspace_id="T1")
    assert [tuple(row) for row in lanes] == [("T2", f"live:{message.id}")]


def test_a_message_deleted_by_hand_is_posted_anew_once_and_a_lost_one_when_it_is_announced(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
    message, seen = posted(database, incident.id), []
    for _ in range(2):
        with database.write() as connection:
            live_messages.renew(connection, message)
            found = live_messages.find(connection, incident.id, CARD)
            assert found is not None
            seen.append((found.ts, found.state))
            live_messages.note_posted(connection, found, ts="1.2", fingerprint="f", at=NOW)
        message = replace(found, ts="1.2")
    assert seen == [("", LIVE), ("1.2", LOST)]
    assert taken_up(database) == []
    with database.write() as connection:
        live_messages.announce(connection, "T1", CARD, incident.id, channel_id="C1", at=NOW)
    assert len(taken_up(database)) == 1


def test_of_two_edits_at_once_it_is_not_known_which_one_is_shown(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
    message = posted(database, incident.id)
    begun(database, message, after=SECOND)
    with database.write() as connection:
        live_messages.note_edit(connection, message, fingerprint="g")
    assert taken_up(database) == []
    with database.write() as connection:
        live_messages.note_edit(connection, message, fingerprint="h")
        found = live_messages.find(connection, incident.id, CARD)
    assert found is not None
    assert found.fingerprint == ""
    assert len(taken_up(database)) == 1


def test_incidents_without_a_message_are_looked_at_no_longer(database: Database) -> None:
    with database.write() as connection:
        incident, other = declare(connection), declare(connection)
        say(connection, other)
    posted(database, incident.id)
    stale = select(incident_rows.c.id).where(incident_rows.c.stale).order_by(incident_rows.c.id)
    with database.write() as connection:
        assert connection.execute(stale).scalars().all() == [incident.id, other.id]
        live_messages.forget_changes(connection, most=9)
        assert connection.execute(stale).scalars().all() == [incident.id]
