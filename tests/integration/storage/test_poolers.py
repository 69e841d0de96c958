"""A pooler or a proxy before PostgreSQL: what is typed is written as without one, and kept while it is gone."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.clock import SetClock
from storage import schema
from storage.availability import is_away, within
from storage.database import Database, retry_stale_connection
from tests.integration.storage.rows import declare
from tests.support.ledger import entries
from tests.support.line import Line
from tests.support.relays import Relay, haproxy, pgbouncer
from tests.support.together import together
from tests.support.workplace import Workplace, workplace

EACH = 40
NAMES = ("dave", "erin", "frank")
"""Three people more than every workplace has."""
SECONDS_OF_SLACK = 3.0


@pytest.fixture
def pooler(postgres: Database) -> Iterator[Relay]:
    """PgBouncer in transaction mode, with three connections to the server."""
    with pgbouncer(postgres.url) as relay:
        yield relay


@contextmanager
def reached(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def office_at(url: str, clock: SetClock) -> Iterator[Workplace]:
    """A workplace at work, its delivery included, over the database at that URL."""
    with reached(url) as database, workplace(database, clock=clock) as office:
        for name in NAMES:
            office.people[name] = office.slack.add_user(name, zone="UTC")
        office.bot.context.delivery.start()
        yield office


def type_notes(office: Workplace) -> list[str]:
    """Everybody types EACH notes at the same time; the receipts."""
    people = list(office.people.items())

    def type_all(number: int) -> list[str]:
        name, user = people[number]
        return [office.say(f"/note {name} {turn}", user=user) for turn in range(EACH)]

    return [receipt for receipts in together(type_all, len(people)) for receipt in receipts]


def all_written_in_order(office: Workplace) -> bool:
    """Whether every note is there once, numbered without a gap, and in the order of the one who typed it."""
    written = entries(office)
    notes = [entry.text.split() for entry in written if entry.kind == "note"]
    by_person = {name: [int(turn) for who, turn in notes if who == name] for name in office.people}
    return [entry.number for entry in written] == list(range(1, len(written) + 1)) and by_person == {
        name: list(range(EACH)) for name in office.people
    }


@pytest.mark.parametrize("asked", ["", "?prepare_threshold=0", "?prepare_threshold=5", "?prepare_threshold=none"])
def test_six_people_at_once_are_all_written_through_three_connections(
    pooler: Relay, clock: SetClock, asked: str
) -> None:
    with office_at(pooler.url + asked, clock) as office:
        office.say("/detected disk full")
        receipts = type_notes(office)
        assert {receipt.partition(" ")[0] for receipt in receipts} == {"Note"}
        assert len(receipts) == 6 * EACH
        assert all_written_in_order(office)


def test_one_connection_is_enough_for_everything_that_an_incident_needs(postgres: Database, clock: SetClock) -> None:
    """A transaction that needed a second connection would wait for itself."""
    with pgbouncer(postgres.url, size=1) as relay, office_at(relay.url, clock) as office:
        slack, bob = office.slack, office.bob
        office.say("/detected disk full")
        slack.say(bob, office.channel, "@scribe did restarted db1")
        office.say("/actionitem @carol by 2026-03-13: alert on a full disk")
        slack.shortcut(bob, slack.say(bob, office.channel, "replica is behind"), "add_to_timeline")
        assert slack.modal(bob)
        slack.submit(bob)
        office.say("/resolved freed space")
        office.say("/postmortem review 2026-03-16 10:00")
        office.bot.remind()
        assert slack.wait_for(lambda: office.drafts)
        office.private("/incident report 30d")
        office.private("/incident status")
        assert slack.wait_for(lambda: [file for file in slack.files if file.name == "incident-report.png"])
        assert not office.bot.context.offline.away


def test_a_pooler_that_restarts_loses_nothing_and_what_it_kept_is_written_in_order(
    pooler: Relay, clock: SetClock
) -> None:
    with office_at(pooler.url, clock) as office:
        office.say("/detected disk full")
        done = threading.Event()

        def restart_and_replay() -> None:
            # As the scheduler does, which tries every second to write what was kept.
            for _ in range(4):
                time.sleep(0.2)
                pooler.stop()
                time.sleep(0.2)
                pooler.start()
                office.bot.replay_spool()
            while not done.wait(0.1):
                office.bot.replay_spool()

        with ThreadPoolExecutor(1) as pool:
            restarting = pool.submit(restart_and_replay)
            receipts = type_notes(office)
            done.set()
            restarting.result(timeout=60)
        office.bot.replay_spool()
        assert {receipt.partition(" ")[0] for receipt in receipts} == {"Note", "Kept"}
        # As the product reads: the pool may still hold connections to a pooler that has gone.
        assert retry_stale_connection(lambda: all_written_in_order(office))


def test_a_server_that_hangs_behind_its_pooler_delays_no_answer(postgres: Database, clock: SetClock) -> None:
    url = postgres.url
    host = url.query.get("host")
    line = Line(f"{host}/.s.PGSQL.5432" if host else (url.host or "127.0.0.1", url.port or 5432))
    far = url.set(host="127.0.0.1", port=line.port, query={})
    with pgbouncer(far, more="server_login_retry = 1") as relay, office_at(relay.url, clock) as office:
        office.say("/detected disk full")
        line.freeze()
        assert office.say("/did first").startswith("Kept · Did")
        with reached(relay.url) as fresh:
            # The pooler lets a new client in, though no server is there to answer it.
            before_s = time.monotonic()
            with pytest.raises(DBAPIError) as raised, within(1.0):
                fresh.probe_write()
            assert time.monotonic() - before_s < SECONDS_OF_SLACK
            assert is_away(raised.value)
        line.mend()
        assert office.slack.wait_for(office.bot.context.offline.replay)
        assert [entry.text for entry in entries(office)] == ["disk full", "first"]
    line.close()


def test_a_pooler_is_found_and_no_statement_is_prepared_through_it(postgres: Database, pooler: Relay) -> None:
    for asked in ("", "?prepare_threshold=0", "?prepare_threshold=7"):
        with reached(pooler.url + asked) as database, database.read() as connection:
            assert (database.preparing.is_pooled, database.preparing.is_on) == (True, False)
            assert connection.connection.driver_connection.prepare_threshold is None  # type: ignore[union-attr]
    with postgres.read():
        assert (postgres.preparing.is_pooled, postgres.preparing.is_on) == (False, True)


@pytest.mark.parametrize(("asked", "threshold"), [("none", None), ("NONE", None), ("0", 0), ("7", 7)])
def test_the_url_says_when_statements_are_prepared(postgres: Database, asked: str, threshold: int | None) -> None:
    url = postgres.url.update_query_dict({"prepare_threshold": asked}).render_as_string(hide_password=False)
    with reached(url) as database, database.read() as connection:
        assert connection.connection.driver_connection.prepare_threshold == threshold  # type: ignore[union-attr]


@pytest.mark.parametrize("asked", ["off", "-1", "1.5", ""])
def test_a_threshold_that_is_no_number_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="prepare_threshold"):
        Database(f"postgresql://scribe@db.example.org/scribe?prepare_threshold={asked or '%20'}")


@pytest.mark.parametrize("statement", ["EXECUTE lost", "PREPARE twice AS SELECT 1"])
def test_where_a_prepared_statement_is_lost_none_is_prepared_any_more_and_the_next_attempt_succeeds(
    postgres: Database, statement: str
) -> None:
    """As through a pooler that nothing tells from a server."""
    with reached(postgres.url.render_as_string(hide_password=False)) as database:
        with database.engine.connect() as connection:
            connection.execute(text("PREPARE twice AS SELECT 1"))
            connection.commit()
        problems: list[DBAPIError] = []

        def attempt() -> bool:
            with database.write() as connection:
                if not problems:
                    try:
                        connection.execute(text(statement))
                    except DBAPIError as error:
                        problems.append(error)
                        raise
                return database.preparing.is_on

        assert retry_stale_connection(attempt) is False
        assert [is_away(each) for each in problems] == [True]


def test_a_pooler_without_room_is_away_and_no_mistake(postgres: Database) -> None:
    with (
        pgbouncer(postgres.url, size=1, more="query_wait_timeout = 1\nmax_client_conn = 2") as relay,
        reached(relay.url) as first,
        reached(relay.url) as second,
        reached(relay.url) as third,
    ):
        with second.read():
            pass
        with first.write() as connection:
            connection.execute(text("SELECT 1"))
            for crowded in (second, third):
                with pytest.raises(DBAPIError) as raised, crowded.write() as other:
                    other.execute(text("SELECT 1"))
                assert is_away(raised.value), raised.value


def test_the_schema_is_migrated_through_a_pooler(postgres: Database) -> None:
    name = "migrated_through_a_pooler"
    with postgres.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
        admin.execute(text(f"CREATE DATABASE {name}"))
        try:
            with pgbouncer(postgres.url.set(database=name)) as relay, reached(relay.url) as database:
                # Replicas that migrate at once take turns.
                together(lambda _: schema.migrate(database), 3)
                assert schema.current(database) == schema.newest()
                with database.write() as connection:
                    assert declare(connection).number == 1
        finally:
            admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def test_haproxy_that_closes_idle_connections_is_not_taken_for_a_pooler_and_delays_nothing(
    postgres: Database, clock: SetClock
) -> None:
    with haproxy(postgres.url, idle_ms=1500) as relay, office_at(relay.url, clock) as office:
        office.say("/detected disk full")
        time.sleep(2)
        assert office.say("/note after the pause").startswith("Note")
        receipts = type_notes(office)
        assert {receipt.partition(" ")[0] for receipt in receipts} == {"Note"}
        assert office.database.preparing.is_on
        relay.stop()
        assert office.say("/note while it is gone").startswith("Kept")
        relay.start()
        office.bot.replay_spool()
        assert [entry.text for entry in entries(office)][-1] == "while it is gone"
