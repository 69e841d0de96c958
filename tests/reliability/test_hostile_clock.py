"""Clocks that are set while jobs wait or are in hand, and what is promised: each is sent once, and none is late."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from bot.clock import UNSETTLED_S, Pause, SetClock, SharedClock
from bot.slack.bot import build
from storage.database import Database
from storage.outbox import LEASE
from tests.support.ledger import outbox_states
from tests.support.workplace import Workplace, workplace

WAIT_S = 30
BOT = "U0SCRIBE"
HOURS = timedelta(hours=2)
SECOND = timedelta(seconds=1)
JUMPS: dict[str, tuple[timedelta, ...]] = {
    "two hours ahead": (HOURS,),
    "two hours behind": (-HOURS,),
    "ahead, and right again": (HOURS, -HOURS),
    "behind, and right again": (-HOURS, HOURS),
    "half a minute ahead, and right again": (LEASE * 1.5, -LEASE * 1.5),
    "to the beginning of time, and right again": (timedelta(days=-20_000), timedelta(days=20_000)),
}
"""By how much the clock is set, one after the other."""


@pytest.fixture
def office(database: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(database, clock=clock) as place:
        yield place


def posted(office: Workplace) -> list[str]:
    """Scribe's answers to what was typed."""
    return [each.text for each in office.slack.messages(office.channel) if "pool" in each.text and each.user == BOT]


def mention(office: Workplace, words: str = "pool exhausted") -> None:
    office.slack.say(office.alice, office.channel, f"@scribe note {words}")


@pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS)
def test_what_was_written_or_put_off_by_a_wrong_clock_is_sent_within_seconds_when_it_is_right(
    office: Workplace, clock: SetClock, jumps: tuple[timedelta, ...]
) -> None:
    office.say("/detected disk full")
    office.deliver()
    for number, jump in enumerate(jumps):
        clock.set(clock() + jump)
        office.slack.fail_next("chat.postMessage", error="internal_error")
        mention(office, f"pool {number} exhausted")
        # The first attempt fails, and is put off by this clock.
        office.bot.context.delivery.deliver_due()
    # The wait of the last attempt, which failed by the clock that is right now.
    clock.set(clock() + 10 * SECOND)
    office.bot.context.delivery.deliver_due()
    assert outbox_states(office).keys() == {"sent"}
    assert len(posted(office)) == len(jumps)


@pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS)
def test_what_is_in_hand_while_the_clock_is_set_is_sent_once(
    office: Workplace, clock: SetClock, jumps: tuple[timedelta, ...]
) -> None:
    delivery = office.bot.context.delivery
    office.say("/detected disk full")
    office.deliver()
    sends, in_hand, go_on = delivery._actions["post"], threading.Event(), threading.Event()

    def slow(job: object) -> str | None:
        in_hand.set()
        go_on.wait(WAIT_S)
        return sends(job)  # type: ignore[arg-type]

    delivery.use({**delivery._actions, "post": slow})
    mention(office)
    worker = threading.Thread(target=delivery.deliver_due)
    worker.start()
    assert in_hand.wait(WAIT_S)
    for jump in jumps:
        clock.set(clock() + jump)
        # Another worker of the same process looks.
        delivery.deliver_due()
        assert posted(office) == []
    go_on.set()
    worker.join()
    delivery.deliver_due()
    assert outbox_states(office).keys() == {"sent"}
    assert len(posted(office)) == 1


@dataclass
class ServerClock:
    """A database server's clock, and the seconds that pass."""

    at: datetime
    passed_s: float = 100.0
    took_s: float = 0.0
    error: Exception | None = None
    asked: int = 0

    def ask(self) -> datetime:
        self.asked += 1
        self.passed_s += self.took_s
        if self.error is not None:
            raise self.error
        return self.at

    def wait(self, seconds: float) -> None:
        self.passed_s += seconds
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def server(clock: SetClock) -> ServerClock:
    return ServerClock(at=clock() + HOURS)


@pytest.fixture
def shared(server: ServerClock, clock: SetClock) -> SharedClock:
    return SharedClock(server.ask, clock, elapsed=lambda: server.passed_s)


def test_the_shared_clock_is_the_servers_and_no_setting_of_the_machines_moves_it(
    server: ServerClock, shared: SharedClock, clock: SetClock
) -> None:
    assert shared() == server.at
    for jump in (HOURS, -3 * HOURS):
        clock.set(clock() + jump)
        server.wait(20)
        assert shared() == server.at
        assert not shared.unsettled
    assert server.asked == 2


@pytest.mark.parametrize("jump", [HOURS, -HOURS, 3 * SECOND])
def test_when_the_servers_clock_is_set_it_is_followed_and_leases_are_left_alone_for_a_while(
    server: ServerClock, shared: SharedClock, jump: timedelta
) -> None:
    shared()
    server.at += jump
    server.wait(31)
    assert shared() == server.at
    assert shared.unsettled
    server.wait(UNSETTLED_S)
    assert not shared.unsettled


def away(server: ServerClock) -> None:
    server.error = ConnectionError()


def late(server: ServerClock) -> None:
    server.took_s = 1.5


@pytest.mark.parametrize("trouble", [away, late])
def test_without_an_answer_in_time_the_shared_clock_goes_on(
    server: ServerClock, shared: SharedClock, trouble: Callable[[ServerClock], None]
) -> None:
    before = shared()
    trouble(server)
    server.at += HOURS
    server.passed_s += 3_600
    assert shared() == before + timedelta(seconds=3_600 + server.took_s)
    assert not shared.unsettled


def test_without_a_server_the_shared_clock_is_the_machines(clock: SetClock, sqlite: Database) -> None:
    shared = SharedClock(sqlite.server_time, clock)
    assert shared() == clock()
    clock.set(clock() - HOURS)
    assert shared() == clock()


def test_replicas_whose_machines_disagree_by_hours_take_nothing_from_each_other(
    postgres: Database, clock: SetClock
) -> None:
    """The one clock is PostgreSQL's own, though each machine believes another time."""
    with workplace(postgres, clock=clock) as office:
        settings = office.bot.context.settings
        bots = [
            build(settings, postgres, clock=wrong, shared=SharedClock(postgres.server_time, wrong))
            for wrong in (SetClock(clock() + HOURS), SetClock(clock() - HOURS))
        ]
        for bot in bots:
            bot.refresh()
        first, second = (bot.context.delivery for bot in bots)
        in_hand, go_on = threading.Event(), threading.Event()
        sends = first._actions["post"]

        def slow(job: object) -> str | None:
            in_hand.set()
            go_on.wait(WAIT_S)
            return sends(job)  # type: ignore[arg-type]

        first.use({**first._actions, "post": slow})
        office.say("/detected disk full")
        mention(office)
        worker = threading.Thread(target=first.step)
        worker.start()
        assert in_hand.wait(WAIT_S)
        assert not second.step()
        go_on.set()
        worker.join()
        second.deliver_due()
        assert outbox_states(office).keys() == {"sent"}
        assert len(posted(office)) == 1
        for bot in bots:
            bot.stop()


def test_a_pause_never_becomes_longer(clock: SetClock) -> None:
    pause = Pause(clock, 60)
    assert pause.left_s == 60
    clock.set(clock() + 20 * SECOND)
    assert pause.left_s == 40
    clock.set(clock() - HOURS)
    assert pause.left_s == 0
    clock.set(clock() + 2 * HOURS)
    assert pause.left_s == 0
