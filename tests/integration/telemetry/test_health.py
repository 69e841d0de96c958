"""The probes over HTTP, while real parts fail."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette

from bot.clock import SetClock
from bot.server import probes as face
from bot.server.probes import probe_routes
from bot.server.threaded import ServerThread, base_url, listen
from bot.telemetry.health import Health
from bot.telemetry.metrics import PrometheusMetrics
from storage import outbox
from storage.database import Database
from storage.spool import Spool
from tests.conftest import NOON


@contextmanager
def served(health: Health) -> Iterator[httpx.Client]:
    listener = listen(0)
    server = ServerThread(Starlette(routes=probe_routes(health, PrometheusMetrics().exposition)), listener)
    server.start()
    with httpx.Client(base_url=base_url(listener), trust_env=False) as client:
        yield client
    server.stop()


def health(database: Database, **other: Any) -> Health:
    return Health(database=database, clock=SetClock(NOON), **other)


def ready(client: httpx.Client) -> tuple[int, dict[str, str]]:
    """The status, and each part's state."""
    answer = client.get("/readyz")
    told = answer.json()
    assert told["ready"] == (answer.status_code == 200)
    return answer.status_code, {name: part["state"] for name, part in told["parts"].items()}


def test_a_sound_bot_is_alive_and_ready(database: Database) -> None:
    with served(health(database, connected=lambda: True)) as client:
        assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (200, {"ok": True})
        assert ready(client) == (200, {"socket": "ok", "database": "ok", "schema": "ok", "outbox": "ok"})


def test_a_thread_that_died_is_named_and_no_database_is_asked(tmp_path: Path) -> None:
    nowhere = Database(f"sqlite:///{tmp_path}/never.db")
    with served(health(nowhere, dead=lambda: ["leases", "delivery-3"])) as client:
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "dead": ["delivery-3", "leases"]})
    assert list(tmp_path.iterdir()) == []
    nowhere.close()


def test_without_a_spool_it_is_not_ready_while_the_database_is_away_and_says_no_more_than_that(
    away: Database,
) -> None:
    with served(health(away)) as client:
        assert ready(client) == (503, {"database": "down"})
        assert "hidden-word" not in client.get("/readyz").text
        page = client.get("/metrics")
    assert page.status_code == 200
    assert 'scribe_part_up{part="database"} 0.0' in page.text
    assert "scribe_drafts_total 0.0" in page.text


def test_it_is_not_ready_with_another_schema_than_it_wants(sqlite: Database) -> None:
    with sqlite.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with served(health(sqlite)) as client:
        assert ready(client) == (503, {"database": "ok", "schema": "down"})


def test_after_a_failover_to_an_older_database_it_stays_ready_as_long_as_the_spool_takes_what_is_typed(
    sqlite: Database, tmp_path: Path
) -> None:
    with sqlite.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    for spool, status in ((Spool(tmp_path), 200), (None, 503)):
        with served(health(sqlite, spool=spool, serving=lambda: True)) as client:
            answer = ready(client)
            assert (answer[0], answer[1]["database"], answer[1]["schema"]) == (status, "down", "down")
    with served(health(sqlite, spool=Spool(tmp_path))) as client:
        assert ready(client)[0] == 503


def test_it_stays_ready_while_a_newer_scribe_is_rolled_out(sqlite: Database) -> None:
    with sqlite.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with served(health(sqlite)) as client:
        assert ready(client) == (200, {"database": "ok", "schema": "degraded"})


def test_while_a_migration_holds_a_table_a_probe_is_answered_and_afterwards_all_is_well(
    postgres: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.telemetry.health.ASK_S", 0.2)
    with served(health(postgres, spool=Spool(tmp_path))) as client:
        with postgres.write() as connection:
            connection.execute(text("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE"))
            assert ready(client) == (200, {"database": "down", "spool": "ok"})
        assert ready(client)[1]["outbox"] == "ok"


def test_it_is_not_ready_while_its_socket_is_closed(sqlite: Database) -> None:
    with served(health(sqlite, connected=lambda: False)) as client:
        status, parts = ready(client)
    assert (status, parts["socket"]) == (503, "down")


def test_an_outbox_that_waits_for_slack_is_degraded_and_stays_ready(database: Database) -> None:
    then = NOON - timedelta(minutes=11)
    with database.write() as connection:
        outbox.add(connection, "T1", lane="C1", action="post", content={}, at=then)
        job = outbox.claim(connection, at=then)
        assert job is not None
        outbox.retry_later(connection, job, due_at=NOON + timedelta(minutes=4), problem="URLError")
        outbox.add(connection, "T1", lane="C1", action="post", content={}, at=NOON)
    with served(health(database)) as client:
        status, parts = ready(client)
        told = client.get("/readyz").json()["parts"]["outbox"]
    assert (status, parts["outbox"]) == (200, "degraded")
    assert told == {"state": "degraded", "depth": 2, "oldest_s": 660, "later": 0, "parked": 0}


def test_a_job_for_later_and_a_parked_one_are_not_waiting(database: Database) -> None:
    week = timedelta(days=7)
    with database.write() as connection:
        outbox.add(connection, "T1", lane="C1", action="post", content={}, at=NOON - week)
        job = outbox.claim(connection, at=NOON)
        assert job is not None
        outbox.park(connection, job, problem="is_archived")
        for lane, due_at in (("R1", NOON + week), ("R2", NOON - timedelta(minutes=2))):
            outbox.add(connection, "T1", lane=lane, action="post", content={}, at=NOON - week, due_at=due_at)
    with served(health(database)) as client:
        told = client.get("/readyz").json()["parts"]["outbox"]
    assert told == {"state": "ok", "depth": 1, "oldest_s": 120, "later": 1, "parked": 1}


@pytest.mark.parametrize(("late_s", "state"), [(0, "ok"), (600, "ok"), (600.001, "degraded"), (-3_600, "ok")])
def test_a_backlog_counts_as_old_from_ten_minutes_on_by_its_oldest_job(
    sqlite: Database, late_s: float, state: str
) -> None:
    with sqlite.write() as connection:
        for lane, younger_s in (("C1", 60), ("C2", 0), ("C3", 120)):
            then = NOON - timedelta(seconds=late_s - min(younger_s, max(late_s, 0)))
            outbox.add(connection, "T1", lane=lane, action="post", content={}, at=then)
    part = health(sqlite).database_parts()["outbox"]
    assert (part.state, part.facts["oldest_s"]) == (state, max(0, round(late_s)))


@pytest.fixture
def away() -> Iterator[Database]:
    """A database at an address where no server listens."""
    listener = listen(0)
    port = base_url(listener).rpartition(":")[2]
    listener.close()
    database = Database(f"postgresql://scribe:hidden-word@127.0.0.1:{port}/scribe")
    yield database
    database.close()


def test_while_the_database_is_away_it_is_ready_as_long_as_the_spool_takes_what_is_typed(
    away: Database, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool")
    with served(health(away, spool=spool)) as client:
        assert ready(client) == (200, {"database": "down", "spool": "ok"})
        spool.append({"typed": "the secret runbook"}, at=NOON)
        spool.close()
        assert ready(client) == (200, {"database": "down", "spool": "degraded"})
        page = client.get("/metrics").text
    assert 'scribe_part_up{part="database"} 0.0' in page
    assert "scribe_spool_waiting 1.0" in page
    assert "secret" not in page
    (tmp_path / "file").write_text("in the way")
    with served(health(away, spool=Spool(tmp_path / "file" / "spool"))) as client:
        assert ready(client) == (503, {"database": "down", "spool": "down"})


def test_a_spool_that_is_not_writable_is_reported_and_does_no_harm_while_the_database_is_there(
    sqlite: Database, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with served(health(sqlite, spool=Spool(tmp_path / "file" / "spool"))) as client:
        status, parts = ready(client)
    assert (status, parts["spool"], parts["database"]) == (200, "down", "ok")


def test_it_is_not_ready_when_the_file_was_taken_away_under_it(sqlite: Database, tmp_path: Path) -> None:
    with served(health(sqlite, spool=Spool(tmp_path / "spool"))) as client:
        assert ready(client)[0] == 200
        Path(str(sqlite.url.database)).unlink()
        assert ready(client) == (503, {"spool": "ok", "database": "down", "file": "down"})


def test_a_database_that_reads_and_takes_no_writes_is_down(sqlite: Database, tmp_path: Path) -> None:
    with served(health(sqlite, spool=Spool(tmp_path), away=lambda: True)) as client:
        status, parts = ready(client)
    assert (status, parts["database"], parts["schema"]) == (200, "down", "ok")


def test_a_database_that_hangs_keeps_no_probe_waiting_and_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face, "WAIT_S", 0.05)
    with closing(listen(0)) as silent:
        silent.settimeout(0)
        hanging = Database(f"postgresql://scribe@127.0.0.1:{base_url(silent).rpartition(':')[2]}/scribe")
        with served(health(hanging)) as client, ThreadPoolExecutor(10) as pool:
            assert set(pool.map(lambda _: client.get("/readyz").status_code, range(20))) == {503}
            assert client.get("/readyz").json()["parts"] == {"database": {"state": "down", "error": "late"}}
            assert client.get("/healthz").status_code == client.get("/metrics").status_code == 200
            asked, _ = silent.accept()
            with pytest.raises(BlockingIOError):
                silent.accept()
            asked.close()
    hanging.close()
