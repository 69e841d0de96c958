"""The databases that the commands run on."""

from collections.abc import Iterator

import pytest

from bot.clock import now
from storage.database import Database
from tests.support.workplace import Workplace, workplace


@pytest.fixture
def url(sqlite: Database) -> str:
    return sqlite.url.render_as_string()


@pytest.fixture
def at_work(sqlite: Database) -> Iterator[Workplace]:
    """A workplace whose clock shows the real time, as the command line's does."""
    with workplace(sqlite, clock=now) as place:
        yield place
