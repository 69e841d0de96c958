"""One real browser for all tests that look at a page: two of Playwright's cannot run in one process."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium. In CI it must be there."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: install the development packages")
    # The headless shell comes first: it has no window to draw, so a tab costs it a quarter of Chromium's CPU time.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: apt-get install chromium-headless-shell")
        pytest.skip("no Chromium: install it to try the pages in a real browser")
    # Chromium's own sandbox does not work for root.
    alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=alone)
        yield started
        started.close()
