"""The database is away in every way that a server can be: what is done in Slack is answered in time, and done later."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from storage.database import Database
from tests.support.ledger import entries, standing
from tests.support.line import Line
from tests.support.workplace import Workplace, at, workplace

SLACK_WAITS_S = 3.0
WAYS = {
    "a table is gone": (
        "ALTER TABLE timeline_entries RENAME TO elsewhere",
        "ALTER TABLE elsewhere RENAME TO timeline_entries",
    ),
    "a column is gone": (
        "ALTER TABLE timeline_entries RENAME COLUMN text TO words",
        "ALTER TABLE timeline_entries RENAME COLUMN words TO text",
    ),
    "an empty schema": ("ALTER SCHEMA public RENAME TO before", "ALTER SCHEMA before RENAME TO public"),
    "a standby": ("ALTER DATABASE {name} SET default_transaction_read_only = on", "ALTER DATABASE {name} RESET ALL"),
}


@contextmanager
def administered(database: Database) -> Iterator[Connection]:
    """A connection to the server itself, without a transaction."""
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SET default_transaction_read_only = off"))
        yield connection


def tell(admin: Connection, statement: str) -> None:
    """Change the server, and end all other sessions, as a failover does."""
    admin.execute(text(statement.format(name=admin.execute(text("SELECT current_database()")).scalar())))
    admin.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    )


@pytest.mark.parametrize("way", WAYS)
def test_whatever_a_failover_led_to_what_is_typed_is_kept_until_it_is_mended(
    remote: Workplace, postgres: Database, way: str
) -> None:
    broken, mended = WAYS[way]
    remote.say("/detected disk full")
    with administered(postgres) as admin:
        try:
            tell(admin, broken)
            assert remote.say("/did restarted db1").startswith("Kept · Did")
            for _ in range(2):
                assert remote.bot.context.offline.replay() == 0
                assert remote.bot.context.offline.away
            assert remote.say("/note still looking").startswith("Kept · Note")
        finally:
            tell(admin, mended)
    remote.bot.context.offline.replay()
    assert standing(remote) == [("detected", "disk full"), ("did", "restarted db1"), ("note", "still looking")]
    assert not remote.bot.context.offline.away


@pytest.fixture
def pinning(far: Database, clock: SetClock) -> Iterator[Workplace]:
    """A workplace at the end of the line, with an incident, where a pushpin records a note."""
    with workplace(far, clock=clock, SCRIBE_REACTIONS="pushpin") as office:
        office.slack.scopes |= {"reactions:read", "channels:history"}
        office.say("/detected disk full")
        office.deliver()
        yield office


def post(office: Workplace) -> Message:
    return office.slack.say(office.bob, office.channel, "the pool is exhausted")


def react(office: Workplace) -> Callable[[], object]:
    message = post(office)
    return lambda: office.slack.react(office.carol, message, "pushpin")


def open_home(office: Workplace) -> Callable[[], object]:
    return lambda: office.slack.open_home(office.alice)


def use_shortcut(office: Workplace) -> Callable[[], object]:
    message = post(office)
    return lambda: office.slack.shortcut(office.alice, message, "add_to_timeline")


def submit(office: Workplace) -> Callable[[], object]:
    office.slack.shortcut(office.alice, post(office), "add_to_timeline")
    assert office.slack.modal(office.alice)
    return lambda: office.slack.submit(office.alice, {})


def be_mistaken(office: Workplace) -> Callable[[], object]:
    return lambda: office.slack.say(office.bob, office.channel, "@scribe did at 25:99 restarted db1")


DEEDS = (react, open_home, use_shortcut, submit, be_mistaken)


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("how", ["cut", "freeze"])
def test_what_is_done_without_typing_is_answered_in_time_too(
    pinning: Workplace, line: Line, how: str, deed: Callable[[Workplace], Callable[[], object]]
) -> None:
    act = deed(pinning)
    pinning.deliver()
    # Nobody is remembered any more, so everything that is asked of the database is asked anew.
    pinning.bot.context.members._cache.clear()
    getattr(line, how)()
    before_s = time.monotonic()
    act()
    assert time.monotonic() - before_s < SLACK_WAITS_S
    assert not pinning.slack.undelivered
    line.mend()


def test_a_reaction_and_its_removal_during_an_outage_are_done_in_order_afterwards(
    pinning: Workplace, line: Line
) -> None:
    first, second = post(pinning), pinning.slack.say(pinning.bob, pinning.channel, "replica is behind")
    line.cut()
    pinning.slack.react(pinning.carol, first, "pushpin")
    pinning.slack.unreact(pinning.carol, pinning.slack.messages(pinning.channel)[-2], "pushpin")
    pinning.slack.react(pinning.carol, second, "pushpin")
    pinning.slack.open_home(pinning.alice)
    line.mend()
    before = len(pinning.slack.messages(pinning.channel))
    assert pinning.bot.context.offline.replay() == 4
    pinning.deliver()
    assert standing(pinning) == [("detected", "disk full"), ("note", "replica is behind")]
    assert pinning.slack.home(pinning.alice)
    # Nobody typed, so nobody is told that anything was kept.
    told = [each.text for each in pinning.slack.messages(pinning.channel)[before:]]
    assert not [each for each in told if "database is back" in each]


def test_a_button_of_the_card_is_kept_like_a_command_and_counts_from_when_it_was_pressed(
    far: Database, line: Line, clock: SetClock
) -> None:
    with workplace(far, clock=clock, SCRIBE_CARD="on") as office:
        office.say("/detected disk full")
        shown = next(each for each in office.messages() if "card_mitigated" in str(each.blocks))
        line.cut()
        assert office.slack.click(office.bob, shown, "card_mitigated").ok
        assert office.slack.click(office.alice, shown, "card_mitigated").ok
        pressed_at = clock()
        clock.set(pressed_at + timedelta(minutes=5))
        line.mend()
        office.bot.context.offline.replay()
        assert standing(office) == [("detected", "disk full"), ("mitigated", "")]
        assert entries(office)[-1].occurred_at == pressed_at
        assert "INC-1 was mitigated at 12:00 UTC already, so nothing was recorded." in str(
            office.messages(user=office.alice)
        )


def test_what_an_interview_is_answered_during_an_outage_is_recorded_afterwards(remote: Workplace, line: Line) -> None:
    office = remote
    for typed in ("/detected disk full", "/resolved freed"):
        office.say(typed)
    office.deliver()
    assert office.ask("/postmortem answer").ok
    began = office.slack.modal(office.alice)
    assert began
    office.slack.submit(office.alice, {_field(office, "at-started"): int(at("2026-03-12T11:30:00Z").timestamp())})
    line.cut()
    before_s = time.monotonic()
    answer = office.slack.submit(office.alice, {_field(office, "fact-impact"): "nobody could pay"})
    assert answer.ok
    assert time.monotonic() - before_s < SLACK_WAITS_S
    line.mend()
    assert office.bot.context.offline.replay() == 1
    office.deliver()
    assert ("impact", "nobody could pay") in standing(office)
    assert ("started", "") in standing(office)


def _field(office: Workplace, name: str) -> str:
    view = office.slack.modal(office.alice)
    assert view
    names = [str(block["block_id"]) for block in view.blocks if block["type"] == "input"]
    return next(each for each in names if each.partition("@")[0] == name)
