"""Workers are shared out fairly: what is slow takes no more than its share of them."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from bot.clock import SetClock
from bot.slack.identity import Identity
from bot.slack.outbound import delivery
from bot.slack.outbound.delivery import MOST_SLOW, WORKERS, Delivery, Heard, Shares
from storage import outbox
from storage.outbox import Job
from tests.support.workplace import Workplace, at

WITHIN_S = 60.0


class Seconds:
    """A monotonic clock that the test sets."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Channels:
    """Jobs as Slack takes them: at once, or in a channel that is `slow`, not before they are let go."""

    def __init__(self, slow: set[str]) -> None:
        self.slow = slow
        self.changed = threading.Condition()
        self.held: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.passes = 0
        self.let_go = False

    def perform(self, job: Job) -> None:
        with self.changed:
            if job.lane in self.slow:
                self.held[job.lane] += 1
                self.changed.notify_all()
                self.changed.wait_for(lambda: self.passes or self.let_go, WITHIN_S)
                self.passes -= 1
                self.held[job.lane] -= 1
            self.done[job.lane] += 1
            self.changed.notify_all()

    def wait_until(self, **counts: int) -> None:
        """Wait until so many workers are `held`, or jobs of the quick channels `done`."""
        with self.changed:
            assert self.changed.wait_for(partial(self._is, counts), WITHIN_S), (self.held, self.done)

    def _is(self, counts: dict[str, int]) -> bool:
        quick = sum(count for lane, count in self.done.items() if lane not in self.slow)
        slow = sum(self.done.values()) - quick
        found = {"held": self.held.total(), "quick": quick, "slow": slow}
        return all(found[name] >= count for name, count in counts.items())

    def pass_on(self, count: int) -> None:
        """Let so many jobs of slow channels go."""
        with self.changed:
            self.passes += count
            self.changed.notify_all()


@contextmanager
def working(office: Workplace, channels: Channels) -> Iterator[Delivery]:
    context = office.bot.context
    found = Delivery(office.database, context.clock, Identity(context.client))
    found.use({outbox.POST: channels.perform})
    found.start()
    try:
        yield found
    finally:
        with channels.changed:
            channels.let_go = True
            channels.changed.notify_all()
        found.stop()


def put(office: Workplace, lanes: list[str], clock: SetClock, workspace_id: str | None = None) -> None:
    with office.database.write() as connection:
        for lane in lanes:
            team_id = workspace_id or office.slack.team_id
            outbox.add(connection, team_id, lane=lane, action=outbox.POST, content={}, at=clock())


def test_five_slow_channels_leave_a_worker_for_the_sixth(office: Workplace, clock: SetClock) -> None:
    slow = [f"S{number}" for number in range(WORKERS - 1)]
    channels = Channels(set(slow))
    put(office, slow * 4, clock)
    with working(office, channels):
        channels.wait_until(held=WORKERS - 1)
        put(office, ["C1"] * 5, clock)
        channels.wait_until(quick=5)
        assert channels.held.total() == WORKERS - 1


def test_channels_that_were_slow_hold_half_of_the_workers_however_many_they_are(
    office: Workplace, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = Seconds()
    monkeypatch.setattr(delivery, "Shares", partial(Shares, seconds))
    slow = [f"S{number}" for number in range(2 * WORKERS)]
    channels = Channels(set(slow))
    put(office, slow * 4, clock)
    with working(office, channels):
        # The first job in each shows that it is slow.
        for done in range(len(slow)):
            channels.wait_until(held=1, slow=done)
            seconds.now_s += delivery.SLOW_S + 0.1
            channels.pass_on(1)
        channels.wait_until(slow=len(slow), held=MOST_SLOW)
        put(office, ["C1", "C2"] * 5, clock)
        channels.wait_until(quick=10)
        assert MOST_SLOW <= channels.held.total() < WORKERS
        channels.let_go = True
        channels.pass_on(1)
        channels.wait_until(slow=4 * len(slow))


def job_of(lane: str, number: int) -> Job:
    return Job(
        id=number,
        workspace_id="T1",
        lane=lane,
        action=outbox.POST,
        content={},
        attempts=1,
        written_at=at("2026-03-12T12:00:00Z"),
    )


def test_a_lane_is_slow_from_its_slow_second_until_it_is_quick() -> None:
    seconds = Seconds()
    shares = Shares(seconds)
    with ExitStack() as slow:
        for number in range(MOST_SLOW):
            slow.enter_context(shares.measured(job_of(f"S{number}", number)))
        assert shares.used_up() == frozenset()
        seconds.now_s += delivery.SLOW_S + 0.1
        assert shares.used_up() == {("T1", f"S{number}") for number in range(MOST_SLOW)}
    assert shares.used_up() == frozenset()
    with ExitStack() as again:
        for number in range(MOST_SLOW - 1):
            again.enter_context(shares.measured(job_of(f"S{number}", number)))
        assert shares.used_up() == frozenset()
        again.enter_context(shares.measured(job_of("S2", 2)))
        assert ("T1", "S0") in shares.used_up()
    with ExitStack() as quick:
        for number in range(MOST_SLOW):
            quick.enter_context(shares.measured(job_of(f"S{number}", number)))
        assert shares.used_up() == frozenset()


def test_a_lane_that_was_slow_long_ago_is_tried_anew() -> None:
    seconds = Seconds()
    shares = Shares(seconds)
    for number in range(MOST_SLOW):
        with shares.measured(job_of(f"S{number}", number)):
            seconds.now_s += delivery.SLOW_S + 0.1
    seconds.now_s += delivery.SLOW_KEPT_S
    with ExitStack() as again:
        for number in range(MOST_SLOW):
            again.enter_context(shares.measured(job_of(f"S{number}", number)))
        assert shares.used_up() == frozenset()


def test_a_look_that_hangs_holds_one_worker(office: Workplace, clock: SetClock) -> None:
    channels, looked, go_on = Channels(set()), threading.Semaphore(0), threading.Event()

    def look(_heard: Heard) -> None:
        looked.release()
        go_on.wait(WITHIN_S)

    with working(office, channels) as found:
        found.use({outbox.POST: channels.perform}, look=look)
        for number in range(2 * WORKERS):
            found.wake(Heard(workspace_id=office.slack.team_id, channel_id=f"H{number}"))
        assert looked.acquire(timeout=WITHIN_S)
        put(office, [f"C{number}" for number in range(20)], clock)
        channels.wait_until(quick=20)
        assert not looked.acquire(blocking=False)
        go_on.set()
