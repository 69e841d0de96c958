"""A demo to try the page on, and tabs of a real browser."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, ViewportSize, expect

from storage.database import Database
from tests.support.demo_site import DemoSite, demo_site

WAIT_MS = 60_000
"""How long a test waits for the page to show something: other tests may keep the machine busy."""
expect.set_options(timeout=WAIT_MS)
WIDE, NARROW = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=800)


@pytest.fixture
def over_http() -> bool:
    """How the bot is reached; a test's parameter of this name replaces it."""
    return True


@pytest.fixture
def site(sqlite: Database, over_http: bool) -> Iterator[DemoSite]:  # noqa: FBT001 - pytest passes fixtures by name
    with demo_site(sqlite, http=over_http) as running:
        yield running


@dataclass
class Tab:
    """One tab with the page in it. `complaints` are its errors, warnings and dialogs."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, *where: str) -> None:
        """Load the page as the person, in the channel, given by their ids."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}#{'/'.join(where)}")
        self.page.wait_for_selector("#messages > *")

    def type(self, text: str, *, box: str = "#box") -> None:
        """Type into the box and press Enter."""
        self.page.fill(box, text)
        self.page.press(box, "Enter")

    def message(self, words: str, *, within: str = "#messages") -> Locator:
        """The last message with these words; waits for it."""
        found = self.page.locator(f"{within} article", has_text=words).last
        found.wait_for()
        return found

    def choose(self, message: Locator, action: str) -> None:
        """Choose an action in the message's menu."""
        message.locator(".more").click()
        self.page.locator("#menu").get_by_role("menuitem", name=action).click()

    def acting(self) -> str:
        """The name of the person that the tab acts as."""
        return self.page.locator(".actor[aria-pressed=true] b").inner_text()

    def act_as(self, name: str) -> None:
        self.page.locator("#sidebar").get_by_role("button", name=name).click()


@pytest.fixture
def new_tab(browser: Browser, site: DemoSite) -> Iterator[Callable[[], Tab]]:
    """Opens a tab in its own window: Chromium throttles a page behind another to one frame a second.

    At the end of every test, no page may have had an error, a dialog, or a violation of its policy.
    """
    tabs: list[Tab] = []

    def new() -> Tab:
        context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
        tab = Tab(page=context.new_page(), address=site.address)
        collect_complaints(tab)
        tabs.append(tab)
        return tab

    yield new
    for tab in tabs:
        tab.page.context.close()
    assert [each for tab in tabs for each in tab.complaints] == []


@pytest.fixture
def tab(new_tab: Callable[[], Tab], site: DemoSite) -> Tab:
    """A tab that shows #incident and acts as Alice."""
    opened = new_tab()
    opened.open(site.alice, site.channel)
    return opened


def collect_complaints(tab: Tab) -> None:
    def console(message: ConsoleMessage) -> None:
        # Chromium logs every response with an error status; the page expects some.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            tab.complaints.append(message.text)

    def dialog(opened: Dialog) -> None:
        tab.complaints.append(f"dialog: {opened.message}")
        opened.dismiss()

    tab.page.set_default_timeout(WAIT_MS)
    tab.page.on("console", console)
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.page.on("dialog", dialog)
