"""One Chromium per test process: two instances of Playwright cannot run in one."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; without it the tests are skipped, except in CI, where they fail."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: install the development packages")
    # The headless shell comes first: it has no window to draw, so a tab costs it a quarter of Chromium's CPU time.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: apt-get install chromium-headless-shell")
        pytest.skip("no Chromium: install it to try the pages in a real browser")
    # Chromium refuses to start its sandbox as root.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()
