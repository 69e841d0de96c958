"""A running demo for tests of its page, with or without a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.demo.actions import ACTIONS
from bot.demo.casefile import SAMPLE, read_case
from bot.demo.demo import Demo
from bot.demo.serve import serve_page
from storage.database import Database

CASE = read_case(SAMPLE)
ACK_S = 60
"""How long the stand-in Slack waits for an ack, instead of Slack's 3 s: other tests may keep the machine busy."""


@dataclass(frozen=True, kw_only=True)
class DemoSite:
    """A running demo, its page's address, and its store."""

    demo: Demo
    address: str
    database: Database

    @property
    def alice(self) -> str:
        return self.demo.ids.people["alice"]

    @property
    def bob(self) -> str:
        return self.demo.ids.people["bob"]

    @property
    def channel(self) -> str:
        return self.demo.ids.channels["incident"]

    def texts(self, channel: str | None = None, user: str | None = None) -> list[str]:
        return [each.text for each in self.demo.slack.messages(channel or self.channel, user)]

    def record(self, command: str) -> None:
        """Type a command in #incident as Alice, which the bot must take."""
        assert ACTIONS["say"](self.demo, user=self.alice, channel=self.channel, text=command) == {}


@contextmanager
def demo_site(database: Database, *, http: bool) -> Iterator[DemoSite]:
    """The demo over the database. Slack's Socket Mode client takes half a second to connect, and as long to close."""
    with serve_page(database, {CASE.id: CASE}, environment={}, http=http) as (address, demo):
        demo.slack.socket_wait_s = ACK_S
        if demo.slack._http:
            demo.slack.deliver_to(demo.slack._http.url, wait_s=ACK_S)
        yield DemoSite(demo=demo, address=address, database=database)
