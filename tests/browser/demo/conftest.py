"""A demo to try the page on, and a real browser to try it with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, ViewportSize, expect

from bot.demo.casefile import read_case
from bot.demo.demo import Demo
from bot.demo.replay import SAMPLE
from bot.demo.serve import open_to_browsers
from storage.database import Database
from tests.support.paths import ROOT

CASE = read_case(SAMPLE)
WAIT_MS = 60_000
"""How long a page may take to show what a test waits for: long, as the machine may be busy with other tests."""
expect.set_options(timeout=WAIT_MS)
WIDE, NARROW = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=800)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A running demo, its page's address, and its store."""

    demo: Demo
    address: str
    database: Database

    @property
    def alice(self) -> str:
        return self.demo.cast.people["alice"]

    @property
    def bob(self) -> str:
        return self.demo.cast.people["bob"]

    @property
    def channel(self) -> str:
        return self.demo.cast.channels["incident"]

    def texts(self, channel: str | None = None, user: str | None = None) -> list[str]:
        return [each.text for each in self.demo.slack.messages(channel or self.channel, user)]


@pytest.fixture
def over_http() -> bool:
    """How the bot is reached. Slack's Socket Mode client takes half a second to come and as long to go."""
    return True


@pytest.fixture
def stage(sqlite: Database, over_http: bool) -> Iterator[Stage]:  # noqa: FBT001 - a fixture is given by its name
    with open_to_browsers(sqlite, {CASE.id: CASE}, environment={}, http=over_http) as (address, demo):
        yield Stage(demo=demo, address=address, database=sqlite)


@dataclass
class Tab:
    """One tab with the page in it. What the page complained about is kept."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, *where: str) -> None:
        """Load the page as the person, in the channel, given by their ids."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}#{'/'.join(where)}")
        self.page.wait_for_selector("#said > *")

    def type(self, text: str, *, box: str = "#box") -> None:
        """Type into the box and press Enter."""
        self.page.fill(box, text)
        self.page.press(box, "Enter")

    def message(self, words: str, *, within: str = "#said") -> Locator:
        """The last message with these words, once it is there."""
        found = self.page.locator(f"{within} article", has_text=words).last
        found.wait_for()
        return found

    def choose(self, message: Locator, action: str) -> None:
        """Open a message's menu and choose."""
        message.locator(".more").click()
        self.page.locator("#menu").get_by_role("menuitem", name=action).click()

    def acting(self) -> str:
        """Whose page it is now."""
        return self.page.locator(".actor[aria-pressed=true] b").inner_text()

    def act_as(self, name: str) -> None:
        self.page.locator("#places").get_by_role("button", name=name).click()


@pytest.fixture
def new_tab(browser: Browser, stage: Stage) -> Iterator[Callable[[], Tab]]:
    """Opens a tab, in a window of its own: a page that lies behind another draws once a second.

    Whatever a test does, no page of it may have an error, ask anything, or break its own policy.
    """
    made: list[Tab] = []

    def new() -> Tab:
        context = browser.new_context(viewport=WIDE, reduced_motion="reduce")
        made.append(Tab(page=context.new_page(), address=stage.address))
        listen_to(made[-1])
        return made[-1]

    yield new
    for tab in made:
        tab.page.context.close()
    assert [each for tab in made for each in tab.complaints] == []


@pytest.fixture
def tab(new_tab: Callable[[], Tab], stage: Stage) -> Tab:
    """A tab that shows #incident as Alice."""
    opened = new_tab()
    opened.open(stage.alice, stage.channel)
    return opened


def listen_to(tab: Tab) -> None:
    def console(message: ConsoleMessage) -> None:
        # A refusal is told by its status, and the browser remarks on every one.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            tab.complaints.append(message.text)

    def dialog(asked: Dialog) -> None:
        tab.complaints.append(f"dialog: {asked.message}")
        asked.dismiss()

    tab.page.set_default_timeout(WAIT_MS)
    tab.page.on("console", console)
    tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.page.on("dialog", dialog)


def shipped(name: str) -> Path:
    """A file of the page."""
    return ROOT / "templates" / "web" / "demo" / name
