from collections.abc import Iterator

import pytest

from bot.clock import now
from bot.fakeslack.slack import Slack
from storage.database import Database
from tests.support.workplace import left_behind


@pytest.fixture
def slack() -> Iterator[Slack]:
    made = Slack(clock=now)
    made.scopes |= {"pins:write"}
    with left_behind(made.serving()):
        yield made


@pytest.fixture
def url(sqlite: Database) -> str:
    return sqlite.url.render_as_string()
