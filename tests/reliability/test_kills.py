import random
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.database import Database
from tests.reliability.kills import kill
from tests.reliability.migrating import kill_migrations
from tests.support.workplace import HTTP, SOCKET

KILLS = 3
PLACES = ((HTTP, "sqlite"), (SOCKET, "postgres"))
"""All four by `python -m tests.benchmarks kills`."""


@pytest.fixture
def seeded() -> random.Random:
    seed = random.randrange(1_000_000)  # noqa: S311 - no secret
    print("seed", seed)  # pytest shows it with a failure
    return random.Random(seed)  # noqa: S311 - no secret


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of the test's own, with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/scribe.db"
        return
    admin = Database(request.getfixturevalue("server_url"))
    name = f"killed_{uuid.uuid4().hex[:12]}"
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield admin.url.set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.close()


@pytest.mark.parametrize(("transport", "empty_url"), PLACES, indirect=["empty_url"])
def test_killed_at_random_moments_it_loses_nothing_and_says_it_all(
    transport: str, empty_url: str, tmp_path: Path, seeded: random.Random
) -> None:
    killed = kill(transport, empty_url, tmp_path, times=KILLS, dice=seeded, entries=50, lapse=1.0)
    assert killed.comparison.faults == {}
    assert killed.comparison.acknowledged > 0
    assert killed.moments.total() >= KILLS
    assert "Traceback" not in killed.log


def test_a_migration_that_is_killed_is_done_or_not_begun_and_ends_when_run_again(
    empty_url: str, tmp_path: Path, seeded: random.Random
) -> None:
    migrated = kill_migrations(empty_url, tmp_path, times=2, dice=seeded)
    assert (migrated.kills, migrated.half_migrated, migrated.rows_lost) == (2, 0, 0)
