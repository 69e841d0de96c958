"""The demo as a whole: time travel, its settings, and a store that outlives it."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.demo.actions import ACTIONS
from bot.demo.clock import travel
from bot.demo.demo import Demo
from bot.demo.drill import Drill
from bot.demo.serve import serve_page
from bot.handlers.postmortem.exports import read_by_name
from bot.slack.bot import build
from storage.database import Database
from storage.models import outbox
from storage.outbox import POST
from tests.support.demo_site import CASE, DemoSite
from tests.support.guarded import Locked, turns

MINUTE = timedelta(minutes=1)


def put_off(database: Database) -> bool:
    """Whether a message waits for its next attempt. While it is being sent, `put_off_at` is that of the claim."""
    waits = (outbox.c.action == POST, outbox.c.state == "waiting", outbox.c.put_off_at.is_not(None))
    with database.read() as connection:
        return connection.execute(select(outbox.c.id).where(*waits)).first() is not None


def test_time_travel_runs_what_is_due_on_the_way_at_its_own_time(site: DemoSite) -> None:
    """Slack refuses a message for 3,500 s: it is sent again about an hour later by the demo's clock."""
    slack, demo = site.demo.slack, site.demo
    slack.fail_next("chat.postMessage", error="ratelimited", retry_after_s=3_500)
    slack.say(site.alice, site.channel, "@scribe detected disk full")
    # Refused alone is not enough: the wait is counted from when the bot stores it.
    slack.wait_for(lambda: not slack.faults and put_off(site.database))
    began = demo.clock()
    demo.travel(timedelta(hours=5))
    sent = slack.wait_for(lambda: [each for each in slack.messages(site.channel) if "Detected" in each.text])
    waited = timedelta(seconds=float(sent[0].ts) - began.timestamp())
    assert 58 * MINUTE <= waited <= 2 * 60 * MINUTE + MINUTE


def test_the_prefix_stands_before_every_command_of_the_page_and_of_a_drill(sqlite: Database) -> None:
    with serve_page(sqlite, {CASE.id: CASE}, environment={"SCRIBE_PREFIX": "inc-"}, http=True) as (_, demo):
        alice, channel = demo.ids.people["alice"], demo.ids.channels["incident"]
        assert demo.bot_process.connected
        assert ACTIONS["say"](demo, user=alice, channel=channel, text="/inc-detected disk full") == {}
        assert ACTIONS["say"](demo, user=alice, channel=channel, text="/detected x")["problem"]
        assert demo.film.done == ["detect"]
        demo.start_drill(CASE.id, 100_000)
        drill = demo.drill
        assert drill is not None
        demo.slack.wait_for(lambda: drill.over)
        assert drill.status()["position"] == len(CASE.script)


def test_the_production_bots_spool_and_publishing_folder_are_not_used(sqlite: Database, tmp_path: Path) -> None:
    spool, folder = tmp_path / "spool", tmp_path / "published"
    environment = {"SCRIBE_SPOOL": str(spool), "SCRIBE_PUBLISH_DIR": str(folder), "SCRIBE_TEMPLATE": "sysadmin"}
    environment["SCRIBE_FILES_DIR"] = str(folder)
    for path in (spool, folder):
        path.mkdir()
    with serve_page(sqlite, {}, environment=environment, http=True) as (_, demo):
        assert demo.bot_process.bot is not None
        settings = demo.bot_process.bot.context.settings
        assert (settings.spool, settings.publish_dir) == (tmp_path / "scribe.db-spool", None)
        assert settings.template == "sysadmin"
        assert settings.files_dir == tmp_path / "scribe.db.files"
    assert [*spool.iterdir(), *folder.iterdir()] == []


def test_a_second_demo_over_a_store_finds_its_channels_and_takes_no_new_message_for_an_old_one(
    sqlite: Database,
) -> None:
    for words in ("/detected disk full", "/note still full"):
        with serve_page(sqlite, {}, environment={}) as (_, demo):
            alice, channel = demo.ids.people["alice"], demo.ids.channels["incident"]
            message = demo.slack.say(alice, channel, "from a message")
            assert ACTIONS["say"](demo, user=alice, channel=channel, text=words) == {}
            demo.slack.shortcut(alice, message, "add_to_timeline")
            assert demo.slack.modal(alice)
            assert demo.slack.submit(alice).ok
    texts = [entry.text for entry in read_by_name(sqlite, "INC-1").entries]
    assert texts == ["disk full", "from a message", "still full", "from a message"]


def test_what_moves_the_clock_or_the_bot_is_done_by_one_thread_after_another(site: DemoSite) -> None:
    """The page's requests come on threads of their own."""
    demo, process = site.demo, site.demo.bot_process
    locks: dict[Callable[..., Any], Locked] = {
        Demo._end_drill: demo._lock,
        travel: demo._lock,
        Drill.__init__: demo._lock,
        build: process._lock,
        ExitStack.close: process._lock,
    }
    with turns(locks) as found:
        demo.travel(MINUTE)
        demo.start_drill_on_first_view(CASE.id, 100_000)
        demo.on_view()
        demo.close()
        process.stop()
        process.start()
    assert found == {name: {True} for name in found}
    assert process.connected
