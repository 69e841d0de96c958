"""The whole main job before a Slack that others wrote: `emulate` 0.12.2 from npm.

It has the Web API: messages, direct messages, ephemeral ones, uploads, views, people, with scopes. It has no slash
commands, interactions, Socket Mode, response URLs, canvases, groups of users, rates and no time of its own, so the test
signs and posts what people type, as Slack does, and looks at what came of it through the emulator's own API. Skipped,
with the reason, where npm and PyPI are out of reach.
"""

import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SetClock
from bot.config import Settings
from bot.fakeslack.delivery import HttpTransport, PayloadDelivery
from bot.slack.bot import build
from storage.database import Database
from tests.support.emulator import Emulator, UnavailableError, emulator
from tests.support.workplace import serve

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - both ends are here


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Emulator]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        with emulator(port, tmp_path, users=["ana", "ben"], channels=["incident"]) as running:
            yield running
    except UnavailableError as error:
        pytest.skip(f"the emulator is out of reach: {error}")


class Responders:
    """People who type: commands and the Home tab, signed and posted to the bot as Slack does."""

    def __init__(self, slack: Emulator, door: HttpTransport) -> None:
        self.slack, self.door = slack, door
        self.team = slack.call("auth.test")["team_id"]
        self.ids = {each["name"]: each["id"] for each in slack.call("users.list")["members"]}
        listed = slack.call("conversations.list")["channels"]
        self.channel = next(each["id"] for each in listed if each["name"] == "incident")
        self.triggers = (f"1.2.{number}" for number in count())

    def type(self, words: str, *, who: str = "ana", trigger: str = "") -> str:
        """Type a command; the text of its answer."""
        name, _, text = words.partition(" ")
        answer = self.door.deliver(PayloadDelivery(kind="slash_commands", takes_payload=True, payload={
            "team_id": self.team, "team_domain": "emulate", "channel_id": self.channel, "channel_name": "incident",
            "user_id": self.ids[who], "user_name": who, "command": name, "text": text, "api_app_id": "A0SCRIBE",
            "is_enterprise_install": "false", "trigger_id": trigger or next(self.triggers),
        }))  # fmt: skip
        assert (answer.status, answer.error) == (200, None), answer
        return str(answer.body.get("text", ""))

    def open_home(self, who: str) -> None:
        """Open the app's Home tab."""
        event = {"type": "app_home_opened", "user": self.ids[who], "channel": "D0HOME", "tab": "home"}
        payload: dict[str, Any] = {
            "type": "event_callback", "team_id": self.team, "api_app_id": "A0SCRIBE", "event_id": "Ev0HOME",
            "event_time": 1, "event": event, "authorizations": [{"team_id": self.team, "user_id": self.ids["scribe"]}],
        }  # fmt: skip
        assert self.door.deliver(PayloadDelivery(kind="events_api", payload=payload)).status == 200


def test_an_incident_from_detection_to_reminders(slack: Emulator, sqlite: Database, clock: SetClock) -> None:
    settings = Settings.from_env({
        "SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": f"{slack.address}/api/", "SLACK_SIGNING_SECRET": SECRET,
    })  # fmt: skip
    bot = build(settings, sqlite, clock=clock)
    bot.refresh()
    try:
        with serve(bot, settings) as url, closing(HttpTransport(url=url, wait_s=60, secret=SECRET)) as door:
            people = Responders(slack, door)
            ben = people.ids["ben"]
            assert "Detected" in people.type("/detected by monitoring: disk full on db1")
            assert "#2" in people.type("/did dropped the old logs", who="ben")
            people.type(f"/actionitem <@{ben}|ben> by 2026-03-13 alert on free space")
            assert "Mitigated" in people.type("/mitigated writes are back")
            assert "Resolved" in people.type("/resolved the disk has room")
            bot.context.delivery.deliver_due()

            posted = next(each for each in slack.history(people.channel) if "postmortem, version 1" in each["text"])
            shared = [file for each in slack.thread(people.channel, posted["ts"]) for file in each.get("files", ())]
            draft = next(file for file in shared if file["name"].endswith(".md"))
            written = slack.content(draft)
            for words in ("disk full on db1", "dropped the old logs", "alert on free space", "ben"):
                assert words in written
            assert any(file["name"].endswith(".png") for file in shared)

            form = slack.call("views.generateTriggerId", user_id=people.ids["ana"])["trigger_id"]
            people.type("/actionitem", trigger=form)
            people.open_home("ben")

            clock.set(clock() + timedelta(days=5))
            bot.refresh()
            bot.remind()
            bot.context.delivery.deliver_due()
            direct = slack.call("conversations.open", users=ben)["channel"]["id"]
            reminded = str(slack.history(direct))
            assert "alert on free space" in reminded
    finally:
        bot.stop()
