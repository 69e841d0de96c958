from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, event, text

from storage import outbox
from storage.database import Database
from storage.dialects import Instant
from storage.outbox import LEASE, SKEW, Job, LeaseLostError
from tests.integration.storage.rows import NOW
from tests.support.reading import analyze, effort
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


def test_lanes_can_be_left_out_and_of_one_workspace_alone(database: Database) -> None:
    put(database, "C1", "C2", "C1")
    put(database, "C1", workspace_id="T2")

    def next_of(*without: tuple[str, str], workspace_id: str | None = None) -> tuple[str, str] | None:
        with database.write() as connection:
            job = outbox.claim(connection, at=NOW, workspace_id=workspace_id, without=without)
        return None if job is None else (job.workspace_id, job.lane)

    assert next_of(("T1", "C1"), ("T1", "C2"), ("T3", "C1"), workspace_id="T1") is None
    assert next_of(("T1", "C1"), ("T1", "C2"), ("T3", "C1")) == ("T2", "C1")
    assert next_of(("T1", "C1"), ("T2", "C2")) == ("T1", "C2")
    assert next_of(("T2", "C1")) == ("T1", "C1")
    assert next_of() is None


def test_a_claim_under_way_leaves_the_other_lanes_to_others_and_its_own_to_nobody(postgres: Database) -> None:
    put(postgres, "C1", "C2", "C1")
    with postgres.write() as first, postgres.write() as second, postgres.write() as third:
        claims = [outbox.claim(each, at=NOW) for each in (first, second, third)]
    assert [each and each.content["n"] for each in claims] == [0, 1, None]


def test_the_job_that_has_been_due_longest_is_claimed_first(database: Database) -> None:
    with database.write() as connection:
        for number, (lane, seconds) in enumerate((("C1", 3), ("C2", 1), ("C3", 2), ("C4", 1))):
            outbox.add(
                connection, "T1", lane=lane, action="post", content={"n": number}, at=NOW, due_at=NOW + seconds * SECOND
            )
    assert [claimed(database, NOW + 5 * SECOND) for _ in range(4)] == [("C2", 1), ("C4", 3), ("C3", 2), ("C1", 0)]


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


def test_a_job_that_its_holders_die_of_is_set_aside_and_one_that_was_settled_between_is_not(database: Database) -> None:
    put(database, "C1", "C2")
    moments = (NOW + number * LEASE for number in range(100))
    found = []
    while (job := claim(database, next(moments))) is not None:
        if job.lane == "C2" and job.unsettled == outbox.MOST_UNSETTLED and ("C2", job.unsettled) not in found:
            # Slack is away for a moment: this claim ended well, and the count begins anew.
            settle(database, job, outbox.retry_later, due_at=job.written_at, problem="timeout")
        found.append((job.lane, job.unsettled))
    counts = [*range(outbox.MOST_UNSETTLED + 1)]
    assert [each for lane, each in found if lane == "C1"] == counts
    assert [each for lane, each in found if lane == "C2"] == counts + counts
    with database.read() as connection:
        (parked,) = outbox.set_aside_by_problem(connection)
        assert (parked.problem, parked.count) == (outbox.UNSETTLED, 2)
    with database.write() as connection:
        assert outbox.retry_set_aside(connection, at=NOW) == 2
    assert [(job.lane, job.unsettled) for job in (held(database), held(database))] == [("C1", 0), ("C2", 0)]


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


def renewed(database: Database, *jobs: Job, at: datetime) -> set[int]:
    with database.write() as connection:
        return outbox.renew(connection, jobs, lease_at=at)


def held(database: Database, at: datetime = NOW) -> Job:
    job = claim(database, at)
    assert job is not None
    return job


SETTLING: dict[str, Callable[[Any, Job], object]] = {
    "sent": lambda connection, job: outbox.mark_sent(connection, job, at=NOW),
    "put off": lambda connection, job: outbox.retry_later(connection, job, due_at=NOW, at=NOW, problem="x"),
    "parked": lambda connection, job: outbox.park(connection, job, problem="x"),
}


@pytest.mark.parametrize("settle_late", SETTLING.values(), ids=SETTLING)
@pytest.mark.parametrize("meanwhile", ["sending", *SETTLING])
def test_whoever_has_lost_the_lease_changes_nothing(
    database: Database, settle_late: Callable[[Any, Job], object], meanwhile: str
) -> None:
    put(database, "C1", "C2")
    mine = held(database)
    again = held(database, NOW + LEASE)
    if again.id != mine.id:
        again = held(database, NOW + LEASE)
    assert (again.id, again.attempts) == (mine.id, 2)
    if meanwhile != "sending":
        with database.write() as connection:
            SETTLING[meanwhile](connection, again)
    before = rows(database)

    def settle_with_more() -> None:
        with database.write() as connection:
            connection.execute(text("UPDATE outbox SET problem = 'of the same transaction'"))
            settle_late(connection, mine)

    with pytest.raises(LeaseLostError):
        settle_with_more()
    assert renewed(database, mine, at=NOW + LEASE) == set()
    assert rows(database) == before


def rows(database: Database) -> list[tuple[Any, ...]]:
    with database.read() as connection:
        query = "SELECT id, state, attempts, due_at, problem, sent_at FROM outbox ORDER BY id"
        return [tuple(row) for row in connection.execute(text(query))]


def test_a_lease_is_renewed_for_its_holder_alone(database: Database) -> None:
    put(database, "C1", "C2", "C3")
    lost, kept, done = held(database), held(database), held(database)
    again = held(database, NOW + LEASE)
    assert again.id == lost.id
    settle(database, done, outbox.mark_sent, at=NOW)
    assert renewed(database, lost, kept, done, at=NOW + LEASE) == {kept.id}
    assert claim(database, NOW + 2 * LEASE - SECOND) is None


def test_what_was_marked_may_be_marked_once_more_by_the_same_holder(database: Database) -> None:
    put(database, "C1")
    job = held(database)
    settle(database, job, outbox.mark_sent, at=NOW, sent_as="C1 1.2")
    settle(database, job, outbox.mark_sent, at=NOW + SECOND)
    with database.read() as connection:
        sent = connection.execute(text("SELECT sent_as FROM outbox")).scalar()
    assert sent == "C1 1.2"


def test_what_is_in_hand_is_not_claimed_whatever_the_clock_says(database: Database) -> None:
    put(database, "C1", "C1", "C2")
    mine = held(database)
    with database.write() as connection:
        found = outbox.claim(connection, at=NOW + 10 * LEASE, in_hand=[mine.id])
        assert found is not None
        assert found.lane == "C2"
        assert outbox.claim(connection, at=NOW + 100 * LEASE, in_hand=[mine.id, found.id]) is None


def test_after_an_outage_only_what_nobody_had_in_hand_is_claimed(database: Database) -> None:
    put(database, "C1", "C2")
    held(database)
    with database.write() as connection:
        found = outbox.claim(connection, at=NOW + 10 * LEASE, expired_too=False)
        assert found is not None
        assert found.lane == "C2"
        assert outbox.claim(connection, at=NOW + 10 * LEASE, expired_too=False) is None
        assert outbox.claim(connection, at=NOW + 10 * LEASE) is not None


HOURS = timedelta(hours=2)


def wrongly_put_off(database: Database, at: datetime) -> tuple[bool, list[str]]:
    """Whether something is to be corrected, and what can be claimed once it is."""
    lanes = []
    with database.write() as connection:
        found = outbox.is_put_off_wrongly(connection, at=at)
        outbox.correct(connection, at=at)
        while (job := outbox.claim(connection, at=at)) is not None:
            lanes.append(job.lane)
    return found, lanes


def test_what_a_wrong_clock_wrote_put_off_or_claimed_is_due_when_it_is_right(database: Database) -> None:
    ahead = NOW + HOURS
    with database.write() as connection:
        for lane in ("put off", "claimed", "parked", "written"):
            outbox.add(connection, "T1", lane=lane, action="post", content={"n": 0}, at=ahead)
        first = outbox.claim(connection, at=ahead)
        second = outbox.claim(connection, at=ahead)
        assert first is not None
        assert second is not None
        outbox.retry_later(connection, first, due_at=ahead + 3 * SECOND, at=ahead, problem="ratelimited")
    assert claim(database) is None
    assert wrongly_put_off(database, NOW) == (True, ["put off", "claimed", "parked", "written"])
    assert wrongly_put_off(database, NOW + SECOND) == (False, [])


def test_a_right_wait_is_kept_also_where_clocks_differ_a_little_and_so_is_an_appointment(database: Database) -> None:
    put(database, "put off", "claimed")
    tomorrow = NOW + timedelta(days=1)
    with database.write() as connection:
        outbox.add(connection, "T1", lane="tomorrow", action="post", content={}, at=NOW - HOURS, due_at=tomorrow)
        outbox.add(connection, "T1", lane="set ahead", action="post", content={}, at=NOW + HOURS, due_at=tomorrow)
    settle(database, claim(database), outbox.retry_later, due_at=NOW + HOURS / 2, at=NOW, problem="ratelimited")
    assert claimed(database) == ("claimed", 1)
    for at in (NOW - SKEW, NOW, NOW + LEASE - SECOND):
        assert wrongly_put_off(database, at) == (False, [])
    assert wrongly_put_off(database, NOW + LEASE) == (False, ["claimed"])
    assert wrongly_put_off(database, NOW + HOURS / 2)[1] == ["claimed", "put off"]
    assert wrongly_put_off(database, tomorrow)[1][-2:] == ["tomorrow", "set ahead"]


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
            assert "ix_outbox_" in plan
            assert "SCAN outbox" not in plan
            assert "Seq Scan" not in plan


WAITING = """
    INSERT INTO outbox (workspace_id, lane, action, content, state, attempts, due_at, written_at)
    WITH RECURSIVE rows(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM rows WHERE number < :jobs)
    SELECT 'T' || (number % 2), 'C' || (number % :lanes), 'post', '{}', 'waiting', 0, :at, :at FROM rows
"""


@pytest.mark.parametrize("lanes", [1, 100, 20_000], ids=["one busy lane", "many lanes", "a lane for each job"])
@pytest.mark.parametrize("in_hand", [0, 5], ids=["nothing in hand", "some in hand"])
def test_a_claim_reads_no_more_where_more_waits(database: Database, lanes: int, in_hand: int) -> None:
    taken = {}
    for jobs in (200, 20_000):
        with database.write() as connection:
            connection.execute(text("DELETE FROM outbox"))
            connection.execute(text(WAITING).bindparams(bindparam("at", NOW, Instant), jobs=jobs, lanes=lanes))
        analyze(database)
        with database.write() as connection:
            held = [outbox.claim(connection, at=NOW) for _ in range(in_hand)]
        assert sum(job is not None for job in held) == min(in_hand, 2 if lanes == 1 else in_hand)
        taken[jobs] = effort(database, lambda connection: outbox.claim(connection, at=NOW))
        in_one = effort(database, lambda connection: outbox.claim(connection, at=NOW, workspace_id="T1"))
        assert in_one <= 2 * taken[jobs]
    assert taken[20_000] <= 2 * taken[200], taken


@pytest.mark.parametrize("held", ["in hand", "put off"])
def test_what_waits_behind_blocked_lanes_is_passed_over_lane_by_lane(database: Database, held: str) -> None:
    """More jobs wait behind the first of their lane, which cannot be taken, than are looked at one by one."""
    put(database, *(["C1", "C2"] * 40), "C3", "C2")
    for _ in range(2):
        job = claim(database)
        if held == "put off":
            settle(database, job, outbox.retry_later, due_at=NOW + SECOND, problem="ratelimited")
    assert claimed(database) == ("C3", 80)
    assert claim(database) is None
    put(database, "C4", workspace_id="T2")
    put(database, "C0", workspace_id="T0")
    assert claimed(database) == ("C4", 0)
    assert claimed(database) == ("C0", 0)
    assert claim(database) is None


def test_a_lease_goes_by_its_own_clock_whatever_the_other_shows(database: Database) -> None:
    passed = NOW + timedelta(days=300)
    put(database, "C1")
    with database.write() as connection:
        mine = outbox.claim(connection, at=NOW, lease_at=passed)
        assert mine is not None
        for at in (NOW - timedelta(days=9), NOW, NOW + 100 * LEASE, passed + timedelta(days=7)):
            for lease_at in (passed, passed + LEASE - SECOND):
                assert not outbox.is_due(connection, at=at, lease_at=lease_at)
                assert not outbox.is_put_off_wrongly(connection, at=at, lease_at=lease_at)
                outbox.correct(connection, at=at, lease_at=lease_at)
                assert outbox.claim(connection, at=at, lease_at=lease_at) is None
        assert outbox.renew(connection, [mine], lease_at=passed + LEASE) == {mine.id}
        assert outbox.claim(connection, at=passed, lease_at=passed + LEASE) is None
        again = outbox.claim(connection, at=NOW, lease_at=passed + 2 * LEASE)
        assert again is not None
        assert again.attempts == 2
