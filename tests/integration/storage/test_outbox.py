from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, event, text

from storage import outbox
from storage.database import Database
from storage.dialects import Instant
from storage.outbox import LEASE, Job
from tests.integration.storage.rows import NOW
from tests.support.together import together

LONG_AGO = """
    INSERT INTO outbox (workspace_id, lane, action, content, state, attempts, due_at, written_at)
    WITH RECURSIVE rows(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM rows WHERE number < 100000)
    SELECT 'T1', 'C1', 'post', '{}', 'sent', 1, :at, :at FROM rows
"""
SECOND = timedelta(seconds=1)


def put(database: Database, *lanes: str, workspace_id: str = "T1") -> None:
    with database.write() as connection:
        for number, lane in enumerate(lanes):
            outbox.add(connection, workspace_id, lane=lane, action="post", content={"n": number}, at=NOW)


def claim(database: Database, at: datetime = NOW) -> Job | None:
    with database.write() as connection:
        return outbox.claim(connection, at=at)


def claimed(database: Database, at: datetime = NOW) -> tuple[str, int]:
    job = claim(database, at)
    assert job is not None
    return job.lane, job.content["n"]


def settle(database: Database, job: Job | None, action: Callable[..., None], **arguments: Any) -> None:
    assert job is not None
    with database.write() as connection:
        action(connection, job, **arguments)


def test_a_job_is_claimed_as_it_was_written(database: Database) -> None:
    put(database, "C1")
    assert claim(database) == Job(
        id=1, workspace_id="T1", lane="C1", action="post", content={"n": 0}, attempts=1, written_at=NOW
    )
    assert claim(database) is None


def test_a_lane_keeps_its_order_and_does_not_hold_up_another(database: Database) -> None:
    put(database, "C1", "C1", "C2", "C1")
    first = claim(database)
    assert claimed(database) == ("C2", 2)
    assert claim(database) is None
    settle(database, first, outbox.mark_sent, at=NOW)
    assert claimed(database) == ("C1", 1)
    assert claim(database) is None


def test_the_same_lane_of_another_workspace_is_another_lane(database: Database) -> None:
    put(database, "C1")
    put(database, "C1", workspace_id="T2")
    found = [claim(database), claim(database)]
    assert [each and each.workspace_id for each in found] == ["T1", "T2"]


def test_a_job_put_off_holds_up_its_lane_until_it_is_due(database: Database) -> None:
    put(database, "C1", "C1")
    settle(database, claim(database), outbox.retry_later, due_at=NOW + SECOND, problem="ratelimited")
    assert claim(database) is None
    again = claim(database, NOW + SECOND)
    assert again is not None
    assert (again.content["n"], again.attempts) == (0, 2)


def test_what_waits_is_superseded_in_its_lane_and_workspace_alone(database: Database) -> None:
    put(database, "C1", "C2", "C3")
    for _ in range(3):
        settle(database, claim(database), outbox.retry_later, due_at=NOW + SECOND, problem="ratelimited")
    with database.write() as connection:
        assert outbox.supersede(connection, "T2", lanes=["C1"], at=NOW)
        assert outbox.supersede(connection, "T1", lanes=["C2", "C3"], at=NOW)
    assert claimed(database, NOW + SECOND) == ("C1", 0)
    assert claim(database, NOW + 10 * LEASE - LEASE) is not None
    with database.read() as connection:
        assert outbox.count_by_state(connection) == {"sending": 1, "sent": 2}


def test_what_is_under_way_is_not_superseded(database: Database) -> None:
    put(database, "C1")
    claim(database)
    with database.write() as connection:
        assert not outbox.supersede(connection, "T1", lanes=["C1"], at=NOW)
    assert claim(database, NOW + LEASE) is not None


def test_what_is_parked_does_not_hold_up_its_lane_and_keeps_its_reason(database: Database) -> None:
    put(database, "C1", "C1")
    settle(database, claim(database), outbox.park, problem="channel_not_found")
    assert claimed(database) == ("C1", 1)
    with database.read() as connection:
        assert connection.execute(text("SELECT problem FROM outbox WHERE id = 1")).scalar() == "channel_not_found"
        assert outbox.count_by_state(connection) == {"parked": 1, "sending": 1}
    assert claim(database, NOW + 10 * LEASE) is not None


def test_what_its_holder_never_finished_is_claimed_again_when_the_lease_is_over(database: Database) -> None:
    put(database, "C1", "C1")
    claim(database)
    assert claim(database, NOW + LEASE - SECOND) is None
    again = claim(database, NOW + LEASE)
    assert again is not None
    assert (again.content["n"], again.attempts) == (0, 2)
    assert claim(database, NOW + LEASE + SECOND) is None


def test_what_is_sent_is_never_claimed_again(database: Database) -> None:
    put(database, "C1")
    settle(database, claim(database), outbox.mark_sent, at=NOW)
    assert claim(database, NOW + 100 * LEASE) is None
    with database.read() as connection:
        assert not outbox.is_due(connection, at=NOW + 100 * LEASE)


def test_something_is_due_only_from_its_time_on(database: Database) -> None:
    with database.read() as connection:
        assert not outbox.is_due(connection, at=NOW)
    put(database, "C1")
    with database.read() as connection:
        assert not outbox.is_due(connection, at=NOW - SECOND)
        assert outbox.is_due(connection, at=NOW)


def test_many_workers_claim_every_job_once_and_each_lane_in_order(database: Database) -> None:
    lanes = [f"C{number % 5}" for number in range(60)]
    put(database, *lanes)
    done: list[tuple[str, int]] = []

    def work(_number: int) -> int:
        count = 0
        while len(done) < len(lanes):
            job = claim(database)
            if job is not None:
                done.append((job.lane, job.content["n"]))
                count += 1
                settle(database, job, outbox.mark_sent, at=NOW)
        return count

    assert sum(together(work)) == len(lanes)
    assert Counter(done) == Counter((lane, number) for number, lane in enumerate(lanes))
    for lane in set(lanes):
        mine = [number for each, number in done if each == lane]
        assert mine == sorted(mine)


def test_a_hundred_thousand_jobs_sent_long_ago_are_not_walked_past(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text(LONG_AGO).bindparams(bindparam("at", NOW, Instant)))
    put(database, "C1", "C1", "C2")
    asked: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", hear)
    with database.write() as connection:
        assert outbox.is_due(connection, at=NOW)
        assert outbox.claim(connection, at=NOW) is not None
    event.remove(database.engine, "before_cursor_execute", hear)
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.read() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("ANALYZE outbox")
        for statement, parameters in asked[:2]:
            plan = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters))
            assert "ix_outbox_due_at" in plan
            assert "SCAN outbox" not in plan
            assert "Seq Scan" not in plan
