"""The page's server: who gets in, what they are told, and what becomes of rubbish."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.demo.actions import ACTIONS
from bot.demo.page import BODY_LIMIT, FILES, HEADERS, TYPES
from bot.demo.serve import open_to_browsers
from bot.handlers.postmortem.exports import read_by_name
from storage.database import Database
from tests.browser.demo.conftest import CASE, Stage

Json = dict[str, Any]
Post = Callable[..., httpx.Response]


@pytest.fixture
def post(stage: Stage) -> Post:
    def do(deed: str, **body: object) -> httpx.Response:
        return httpx.post(f"{stage.address}do/{deed}", json={"user": stage.alice, **body}, trust_env=False)

    return do


def get(stage: Stage, path: str = "", **headers: str) -> httpx.Response:
    return httpx.get(f"{stage.address}{path}", headers=headers, trust_env=False)


def state(stage: Stage, **about: str) -> Json:
    query = {"as": stage.alice, "channel": stage.channel, **about}
    told: Json = httpx.get(f"{stage.address}state", params=query, trust_env=False).json()
    return told


def test_only_the_token_opens_the_page_and_only_under_its_own_address(stage: Stage) -> None:
    server = stage.demo.slack.address
    assert stage.address.startswith(f"{server}/")
    assert server.startswith("http://127.0.0.1:")
    token = stage.address.split("/")[3]
    assert len(token) >= 20
    assert get(stage).status_code == 200
    assert httpx.get(f"{server}/", trust_env=False).status_code == 404
    for wrong in ("x", token[:-1], f"{token}x", "%ff"):
        assert httpx.get(f"{server}/{wrong}/setup", trust_env=False).status_code == 404
    port = server.rpartition(":")[2]
    for host in ("evil.example", f"evil.example:{port}", f"localhost:{port}", "127.0.0.1"):
        assert get(stage, Host=host).status_code == 421
    assert get(stage, Origin="http://evil.example").status_code == 421
    assert get(stage, Origin="null").status_code == 421


def test_every_answer_has_the_strict_headers(stage: Stage) -> None:
    for path in ("", "page.js", "page.css", "setup", "nothing.js", "picture.svg"):
        headers = get(stage, path).headers
        assert {name: headers.get(name) for name in HEADERS} == HEADERS, path
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert "http" not in HEADERS["Content-Security-Policy"]


RUBBISH: list[Json] = [
    {},
    {"text": 5, "channel": "C1"},
    {"text": "/note x", "channel": "C1"},
    {"text": "hello", "channel": None},
    {"user": "U404", "text": "hello", "channel": "C1"},
    {"text": "hello", "channel": "C1", "colour": "red"},
]


def test_rubbish_is_refused_with_a_reason(stage: Stage, post: Post) -> None:
    for deed in ACTIONS:
        for body in RUBBISH:
            if body or deed not in {"home", "plug"}:
                answer = post(deed, **body)
                assert answer.status_code == 400, (deed, body)
                assert answer.json()["problem"]
    assert stage.texts() == []


def test_what_is_no_deed_or_no_object_or_too_much_is_refused(stage: Stage, post: Post) -> None:
    assert post("shout").status_code == 404
    for content, status in (("[1]", 400), ("{", 400), (json.dumps({"text": "x" * BODY_LIMIT}), 413)):
        answer = httpx.post(f"{stage.address}do/say", content=content, trust_env=False)
        assert answer.status_code == status
    for about in ({"as": "U404"}, {"channel": "C404"}):
        assert "problem" in state(stage, **about)
    assert get(stage, "document?tab=nothing&channel=C1").status_code in {200, 400}


def test_it_waits_for_news_and_gives_them(stage: Stage, post: Post) -> None:
    version = str(state(stage)["version"])
    post("say", channel=stage.channel, text="hello")
    told = state(stage, after=version)
    assert [each["text"] for each in told["messages"]] == ["hello"]


def test_a_person_is_not_told_what_is_none_of_theirs(stage: Stage, post: Post) -> None:
    slack = stage.demo.slack
    secret = slack.add_channel("secret", private=True, members=[stage.bob])
    post("say", channel=secret, text="psst", user=stage.bob)
    told = state(stage, channel=secret)
    assert told["messages"] == []
    assert secret not in [each["id"] for each in told["channels"]]
    assert [each["text"] for each in state(stage, channel=secret, **{"as": stage.bob})["messages"]] == ["psst"]


def test_the_living_document_is_what_a_draft_would_say_and_makes_none(stage: Stage, post: Post) -> None:
    post("say", channel=stage.channel, text="/detected by monitoring: disk full")
    shown = stage.demo.living.shown(stage.channel, "postmortem")
    assert "disk full" in json.dumps(shown)
    assert (shown["incident"]["name"], shown["incident"]["version"]) == ("INC-1", None)
    assert read_by_name(stage.database, "INC-1").postmortem is None
    post("say", channel=stage.channel, text="/note more")
    again = stage.demo.living.shown(stage.channel, "postmortem")
    assert again["incident"]["state"] != shown["incident"]["state"]
    # Where there is no incident of its own, a channel shows the newest.
    elsewhere = stage.demo.living.shown(stage.demo.cast.channels["general"], "postmortem")
    assert (elsewhere["incident"]["name"], elsewhere["incident"]["here"]) == ("INC-1", False)


def test_what_is_overdue_happens_on_the_way_at_its_own_time(stage: Stage) -> None:
    """A message that Slack would not take is tried again minutes later by the demo's clock, not the real one."""
    slack, demo = stage.demo.slack, stage.demo
    slack.fail_next("chat.postMessage", error="ratelimited", retry_after_s=7_000)
    slack.say(stage.alice, stage.channel, "@scribe detected disk full")
    slack.wait_for(lambda: not slack.faults)
    began = demo.clock()
    demo.travel(timedelta(hours=5))
    stamp = float(
        slack.wait_for(lambda: [each for each in slack.messages(stage.channel) if "Detected" in each.text])[0].ts
    )
    assert (
        timedelta(hours=2).total_seconds() - 60 <= stamp - began.timestamp() <= timedelta(hours=3).total_seconds() + 60
    )


def test_a_drill_says_what_was_refused_and_waits_for_a_bot_that_is_away(stage: Stage) -> None:
    demo = stage.demo
    demo.plug.pull()
    demo.begin_drill(CASE.id, 100_000)
    drill = demo.drill
    assert drill is not None
    demo.slack.wait_for(lambda: drill.shown()["refused"])
    assert drill.shown()["refused"] == "/incident: dispatch_failed"
    assert (drill.shown()["at"], drill.shown()["playing"]) == (0, False)
    demo.plug.push()
    drill.go_on()
    demo.slack.wait_for(lambda: drill.over, within_s=20)
    assert drill.shown()["at"] == len(CASE.script)
    # Played by the clock of the incident, it is the incident: the times are its own.
    record = read_by_name(stage.database, "INC-1")
    assert (record.incident.title, record.incident.declared_at) == (CASE.title, CASE.commands[0].at)
    assert demo.clock() >= CASE.commands[-1].at


def test_a_new_drill_ends_the_old_and_a_journey_ends_it_too(stage: Stage) -> None:
    demo = stage.demo
    first = demo.begin_drill(CASE.id, 0.001)
    old = demo.drill
    assert old is not None
    assert demo.begin_drill(CASE.id, 0.001) != first
    assert old.over
    demo.travel(timedelta(hours=1))
    assert demo.drill is not None
    assert demo.drill.over
    assert demo.clock.rate == 1


def test_a_prefix_stands_before_every_command_of_the_page_and_of_a_drill(sqlite: Database) -> None:
    with open_to_browsers(sqlite, {CASE.id: CASE}, environment={"SCRIBE_PREFIX": "inc-"}, http=True) as (_, demo):
        alice, channel = demo.cast.people["alice"], demo.cast.channels["incident"]
        assert demo.plug.connected
        assert ACTIONS["say"](demo, user=alice, channel=channel, text="/inc-detected disk full") == {}
        assert ACTIONS["say"](demo, user=alice, channel=channel, text="/detected x")["problem"]
        assert demo.hints.done == ["detect"]
        demo.begin_drill(CASE.id, 100_000)
        drill = demo.drill
        assert drill is not None
        demo.slack.wait_for(lambda: drill.over, within_s=20)
        assert drill.shown()["at"] == len(CASE.script)


def test_it_leaves_alone_what_the_bot_that_works_here_keeps_and_where_it_publishes(
    sqlite: Database, tmp_path: Path
) -> None:
    spool, folder = tmp_path / "spool", tmp_path / "published"
    theirs = {"SCRIBE_SPOOL": str(spool), "SCRIBE_PUBLISH_DIR": str(folder), "SCRIBE_TEMPLATE": "sysadmin"}
    for path in (spool, folder):
        path.mkdir()
    with open_to_browsers(sqlite, {}, environment=theirs, http=True) as (_, demo):
        assert demo.plug.bot is not None
        settings = demo.plug.bot.context.settings
        assert (settings.spool, settings.publish_dir) == (tmp_path / "scribe.db-spool", None)
        assert settings.template == "sysadmin"
    assert [*spool.iterdir(), *folder.iterdir()] == []


def test_a_store_that_is_kept_finds_its_channels_again_and_takes_nothing_new_for_old(sqlite: Database) -> None:
    for words in ("/detected disk full", "/note still full"):
        with open_to_browsers(sqlite, {}, environment={}) as (_, demo):
            alice, channel = demo.cast.people["alice"], demo.cast.channels["incident"]
            message = demo.slack.say(alice, channel, "from a message")
            assert ACTIONS["say"](demo, user=alice, channel=channel, text=words) == {}
            demo.slack.shortcut(alice, message, "add_to_timeline")
            assert demo.slack.modal(alice)
            assert demo.slack.submit(alice).ok
    texts = [entry.text for entry in read_by_name(sqlite, "INC-1").entries]
    assert texts == ["disk full", "from a message", "still full", "from a message"]


def test_the_page_is_plain_files_that_name_no_other_place() -> None:
    files = sorted(FILES.iterdir())
    assert {path.suffix for path in files} == set(TYPES)
    for path in files:
        text = path.read_text(encoding="utf-8")
        named = re.findall(r"https?://[\w.]+", text)
        assert set(named) <= {"http://www.w3.org"}, path.name
        assert "innerHTML" not in text
        assert " style=" not in text
        assert len(text.splitlines()) < 250, path.name
