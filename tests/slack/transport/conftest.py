"""A workplace whose database is a server at the end of a line that can be cut or frozen."""

from collections.abc import Iterator

import pytest

from bot.clock import SetClock
from storage.database import Database
from tests.support.line import Line
from tests.support.workplace import Workplace, workplace


@pytest.fixture
def line(postgres: Database) -> Iterator[Line]:
    """A proxy to the PostgreSQL server that can cut or freeze its connections."""
    url = postgres.url
    host = url.query.get("host")
    line = Line(f"{host}/.s.PGSQL.5432" if host else (url.host or "127.0.0.1", url.port or 5432))
    yield line
    line.close()


@pytest.fixture
def far(postgres: Database, line: Line) -> Iterator[Database]:
    """The same database, reached through the proxy."""
    database = Database(
        postgres.url.set(host="127.0.0.1", port=line.port, query={}).render_as_string(hide_password=False)
    )
    yield database
    database.close()


@pytest.fixture
def remote(far: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(far, clock=clock) as place:
        yield place
