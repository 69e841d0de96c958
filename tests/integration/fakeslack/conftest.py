import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import clock
from bot.fakeslack.slack import Slack
from tests.integration.fakeslack.echo import Echo, over_http, over_sockets

NUMBERS = count(1)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A workspace with alice and bob, a channel for this test only, and a bot at `url`."""

    slack: Slack
    echo: Echo
    alice: str
    bob: str
    channel: str
    transport: str
    url: str


def error_of(client: WebClient, method: str, **args: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        client.api_call(method, json=args)
    return str(refused.value.response["error"])


@pytest.fixture(scope="session")
def serving() -> Iterator[Slack]:
    with Slack(clock=clock.now).serving() as slack:
        yield slack


@pytest.fixture
def slack(serving: Slack) -> Slack:
    """A workspace shared by all tests, with the usual scopes at the start of each."""
    serving.scopes = {"commands", "chat:write", "files:write", "users:read"}
    return serving


@pytest.fixture
def alice(slack: Slack) -> str:
    return slack.add_user("alice", zone="America/New_York", real_name="Alice A.")


@pytest.fixture
def channel(slack: Slack) -> str:
    return slack.add_channel(f"inc-{next(NUMBERS)}")


@pytest.fixture
def client(slack: Slack) -> WebClient:
    return WebClient(token=slack.bot_token, base_url=slack.api_url)


@pytest.fixture(scope="session", params=["http", "sockets"])
def running(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A stage for the whole session. Bolt's log about listeners that fail on purpose is off."""
    slack = Slack(clock=clock.now)
    alice = slack.add_user("alice", zone="America/New_York")
    bob = slack.add_user("bob", zone="Europe/Berlin")
    logging.getLogger("slack_bolt").setLevel(logging.CRITICAL)
    with slack.serving():
        echo = Echo(slack)
        reach = over_http if request.param == "http" else over_sockets
        with reach(slack, echo) as url:
            yield Stage(slack=slack, echo=echo, alice=alice, bob=bob, channel="", transport=request.param, url=url)


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    """The running stage with a new channel and no recorded payloads; restores the scopes afterwards."""
    running.echo.heard.clear()
    running.echo.retries.clear()
    running.echo.form_errors = None
    scopes = set(running.slack.scopes)
    yield replace(running, channel=running.slack.add_channel(f"inc-{next(NUMBERS)}"))
    running.slack.scopes = scopes


@pytest.fixture
def hasty(stage: Stage) -> Iterator[Stage]:
    """A stage whose Slack waits a third of a second for an ack."""
    for wait_s in (0.3, 3.0):
        if stage.transport == "http":
            stage.slack.deliver_to(stage.url, wait_s=wait_s)
        else:
            stage.slack.socket_wait_s = wait_s
        if wait_s < 1:
            yield stage
