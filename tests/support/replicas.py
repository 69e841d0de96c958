"""Several bots over one database, and requests that reach them at the same time."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlencode

from bot.clock import SetClock
from bot.slack.bot import Bot, build
from bot.slack.inbound.socket import connect
from storage.database import Database
from tests.support.workplace import HTTP, Workplace, workplace


@contextmanager
def replicas(database: Database, clock: SetClock, transport: str, bots: int) -> Iterator[tuple[Workplace, list[Bot]]]:
    """A workplace with `bots` bots over one database, each with its own connection pool."""
    url = database.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        office = stack.enter_context(workplace(database, clock=clock, transport=transport, SCRIBE_REACTIONS="pushpin"))
        office.slack.scopes |= {"reactions:read", "channels:history"}
        settings, running = office.bot.context.settings, [office.bot]
        for _ in range(1, bots):
            second = Database(url)
            stack.callback(second.close)
            bot = build(settings, second, clock=clock)
            bot.refresh()
            stack.callback(bot.stop)
            running.append(bot)
            if transport != HTTP:
                stack.callback(connect(bot, settings).close)
                office.slack.wait_connected(bots)
        yield office, running


def at_once(office: Workplace, posts: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """Post the forms to their addresses at the same time; returns the texts of the answers."""

    def send(post: tuple[str, dict[str, Any]]) -> str:
        status, body = office.slack.post_signed(post[0], urlencode(post[1]))
        assert status == 200, body
        return str(json.loads(body)["text"])

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(send, posts))
