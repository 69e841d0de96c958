from collections.abc import Iterator

import pytest

from storage.database import Database
from tests.support.demo_site import DemoSite, demo_site


@pytest.fixture
def site(sqlite: Database) -> Iterator[DemoSite]:
    with demo_site(sqlite, http=True) as running:
        yield running
