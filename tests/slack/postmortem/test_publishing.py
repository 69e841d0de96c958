"""/postmortem publish, from the command to the message with the results."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SetClock, now
from bot.config import Settings
from bot.fakeslack.objects import Canvas
from bot.publishing.target import TARGETS
from bot.slack.bot import build
from bot.slack.outbound.publications import TARGET_FACTORIES
from storage import outbox, publications
from storage.database import Database
from storage.values import Publication
from tests.support.ledger import expire_leases, incident, outbox_states, problems
from tests.support.paths import ROOT
from tests.support.together import together
from tests.support.workplace import Workplace, at, workplace

FILES = ["postmortem.html", "postmortem.json", "postmortem.md", "timeline.svg"]


def git(folder: Path, *words: str) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(  # noqa: S603 - our own words
        ["git", *words],  # noqa: S607 - the one on the path
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def _git_without_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git without the configuration of the user who runs the tests."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "postmortems"
    place.mkdir()
    return place


@pytest.fixture
def repository(folder: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("no git on the path")
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def resolved(place: Workplace, **how: Any) -> Workplace:
    place.slack.scopes = {*place.slack.scopes, "canvases:write"}
    place.say("/detected by monitoring: disk full", **how)
    place.say("/resolved freed", **how)
    place.deliver()
    return place


@pytest.fixture
def office(sqlite: Database, clock: SetClock, folder: Path) -> Iterator[Workplace]:
    """A workplace that publishes to a folder and to canvases, with INC-1 resolved and drafted."""
    with workplace(sqlite, clock=clock, SCRIBE_PUBLISH_DIR=str(folder), SCRIBE_CANVAS="on") as place:
        yield resolved(place)


def publish(office: Workplace, words: str = "", **how: Any) -> list[str]:
    """Publish; returns the lines of the message in the channel."""
    office.private(f"/postmortem publish anyway {words}".strip(), **how)
    return last_message(office)


def last_message(office: Workplace) -> list[str]:
    return office.messages()[-1].text.split("\n")


def canvas(office: Workplace) -> Canvas:
    (only,) = office.slack.canvases
    return only


def known(office: Workplace) -> dict[str, Publication]:
    with office.database.read() as connection:
        return {each.target: each for each in publications.of_incident(connection, incident(office).id)}


def redraft(office: Workplace, words: str = "/cause process: nobody watched the disk") -> None:
    office.say(words)
    office.say("/postmortem draft")
    office.deliver()


def test_every_target_has_a_factory_and_a_setting() -> None:
    assert TARGET_FACTORIES.keys() == TARGETS.keys()
    assert {place.setting for place in TARGETS.values()} <= Settings.model_fields.keys()


def test_a_postmortem_is_published_to_all_targets_and_one_message_lists_them(office: Workplace, folder: Path) -> None:
    receipt = office.private("/postmortem publish anyway")
    assert receipt == (
        "INC-1 · version 1 of the postmortem is being published: folder, canvas. The channel is told when it is done."
    )
    before = len(office.slack.messages(office.channel))
    head, *places = last_message(office)
    # The picture that the canvas shows is a file of the channel.
    assert len(office.slack.messages(office.channel)) == before + 2
    assert head == "INC-1 · postmortem, version 1 · published by alice"
    assert places[0] == "Folder: published: INC-1 in the folder of postmortems"
    link = f"https://playground.slack.com/docs/{office.slack.team_id}/{canvas(office).id}"
    assert places[1] == f"Canvas: published: <{link}|the canvas in the incident's channel>"
    assert re.fullmatch(
        r"\d+ points are still open and left out of what is published; /postmortem check INC-1 tells which\.", places[2]
    )
    assert len(places) == 3
    assert sorted(path.name for path in (folder / "INC-1").iterdir()) == FILES
    assert canvas(office).channel == office.channel
    assert canvas(office).title == "INC-1 postmortem"
    assert canvas(office).markdown.startswith("*Version 1, published from Scribe.")
    assert "# INC-1: disk full" in canvas(office).markdown
    assert "## Still open" in office.drafts[-1].content.decode()
    texts = [path.read_text() for path in (folder / "INC-1").iterdir()]
    for text in (*texts, canvas(office).markdown, str(office.ask("/postmortem show blameless").body)):
        assert not re.search("Still open|still-open|Nothing is recorded|/lesson", text)
    assert {name: (each.location, each.version, each.published_by) for name, each in known(office).items()} == {
        "folder": ("INC-1", 1, "alice"),
        "canvas": (canvas(office).id, 1, "alice"),
    }
    assert problems(office) == []


def test_a_new_version_replaces_the_published_one(office: Workplace, folder: Path) -> None:
    publish(office)
    first = canvas(office).id
    office.say("/incident title The database disk is full")
    redraft(office)
    lines = publish(office)
    assert lines[0] == "INC-1 · postmortem, version 2 · published by alice"
    assert lines[1].startswith("Folder: updated to version 2: ")
    assert lines[2].startswith("Canvas: updated to version 2: ")
    assert canvas(office).id == first
    assert "# INC-1: The database disk is full" in canvas(office).markdown
    assert "nobody watched the disk" in (folder / "INC-1" / "postmortem.md").read_text()
    assert [path.name for path in folder.iterdir()] == ["INC-1"]
    assert {each.version for each in known(office).values()} == {2}


def test_the_same_version_again_writes_no_file_and_says_so(office: Workplace, folder: Path) -> None:
    publish(office)
    before = {path: (path.stat().st_ino, path.read_bytes()) for path in (folder / "INC-1").iterdir()}
    lines = publish(office)
    assert lines[1].startswith("Folder: version 1 is there already: ")
    assert lines[2].startswith("Canvas: version 1 is there already: ")
    assert {path: (path.stat().st_ino, path.read_bytes()) for path in (folder / "INC-1").iterdir()} == before
    assert len(office.slack.canvases) == 1


def test_the_message_names_changes_since_the_same_version(office: Workplace) -> None:
    publish(office)
    office.say("/note the disk is watched now")
    assert publish(office, "folder")[1].startswith("Folder: version 1 again, with what changed since: ")


def test_a_deleted_publication_is_created_again_and_the_message_says_so(office: Workplace, folder: Path) -> None:
    publish(office)
    first = canvas(office).id
    office.slack.delete_canvas(first)
    for path in (folder / "INC-1").iterdir():
        path.unlink()
    (folder / "INC-1").rmdir()
    lines = publish(office)
    assert [line.partition(": ")[2].partition(":")[0] for line in lines[1:3]] == [
        "the earlier one is gone, so this is a new one"
    ] * 2
    assert canvas(office).id != first
    assert known(office)["canvas"].location == canvas(office).id
    assert publish(office)[2].startswith("Canvas: version 1 is there already")


def test_a_missing_scope_is_reported_and_not_retried(office: Workplace, clock: SetClock) -> None:
    office.slack.scopes -= {"canvases:write"}
    lines = publish(office)
    assert lines[1].startswith("Folder: published: ")
    assert lines[2] == (
        "Canvas: not published. Slack has not given Scribe the scope canvases:write. Whoever runs Scribe adds it to "
        "the app (scribe manifest prints it) and installs the app again."
    )
    calls = len(office.slack.calls)
    clock.set(at("2026-03-12T13:00:00Z"))
    office.deliver()
    assert len(office.slack.calls) == calls
    assert outbox_states(office).keys() == {"sent"}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            "canvas_disabled_user_team",
            "Canvas: not published. The workspace's settings do not let Scribe write canvases",
        ),
        ("team_tier_cannot_create_channel_canvases", "Canvas: not published. This workspace's plan has one canvas"),
        (
            "not_in_channel",
            "Canvas: not published. Scribe is not in the incident's channel. Type /invite @scribe there",
        ),
        ("is_archived", "Canvas: not published. The incident's channel is archived"),
        ("something_new", "Canvas: not published. Slack refuses: something_new"),
    ],
)
def test_a_permanent_error_of_slack_is_reported_in_words(office: Workplace, error: str, words: str) -> None:
    office.slack.fail_next("canvases.create", error=error)
    assert publish(office, "canvas")[1].startswith(words)
    assert problems(office) == []


def test_a_free_plan_has_one_canvas_a_channel(office: Workplace) -> None:
    office.slack.workspace.free_plan = True
    assert publish(office, "canvas")[1].startswith("Canvas: published: ")
    resolved(office)
    assert publish(office, "canvas INC-2")[1].startswith("Canvas: not published. This workspace's plan has one canvas")


@pytest.mark.parametrize(
    ("error", "status"),
    [("ratelimited", None), ("internal_error", None), ("service_unavailable", 503), ("canvas_creation_failed", None)],
)
def test_a_temporary_error_of_slack_is_reported_once_and_retried(
    office: Workplace, clock: SetClock, error: str, status: int | None
) -> None:
    office.slack.fail_next("canvases.create", error=error, status=status, times=3)
    lines = publish(office)
    assert lines[1].startswith("Folder: published: ")
    assert lines[2] == "Canvas: not published yet. Slack does not take it just now. Scribe keeps trying."
    messages = len(office.messages())
    for minute in range(1, 5):
        clock.set(at(f"2026-03-12T12:{10 * minute}:00Z"))
        office.deliver()
    assert len(office.slack.messages(office.channel)) == messages + 2
    assert last_message(office)[0] == "INC-1 · postmortem, version 1 · published by alice"
    assert last_message(office)[1].startswith("Canvas: published: ")
    assert len(last_message(office)) == 3
    assert len(office.slack.canvases) == 1


def test_a_folder_that_cannot_be_written_is_reported_and_retried(
    office: Workplace, clock: SetClock, folder: Path
) -> None:
    (folder / "INC-1").write_text("a file in the way")
    lines = publish(office)
    assert lines[1] == f"Folder: not published yet. {folder}/INC-1 cannot be written: File exists. Scribe keeps trying."
    assert lines[2].startswith("Canvas: published: ")
    messages = len(office.messages())
    clock.set(at("2026-03-12T12:10:00Z"))
    assert len(office.messages()) == messages
    (folder / "INC-1").unlink()
    clock.set(at("2026-03-12T12:30:00Z"))
    assert last_message(office)[1] == "Folder: published: INC-1 in the folder of postmortems"
    assert outbox_states(office).keys() == {"sent"}


def test_a_missing_folder_is_not_created(office: Workplace, folder: Path) -> None:
    folder.rmdir()
    assert "cannot be written: No such file or directory" in publish(office, "folder")[1]
    assert not folder.exists()


def test_publishing_again_supersedes_the_retries(office: Workplace, clock: SetClock, folder: Path) -> None:
    in_the_way = folder / "INC-1"
    in_the_way.write_text("a file in the way")
    assert "Scribe keeps trying" in publish(office, "folder")[1]
    assert publish(office, "canvas")[1].startswith("Canvas: published: ")
    assert "Scribe keeps trying" in publish(office, "folder")[1]
    in_the_way.unlink()
    assert publish(office, "folder")[1].startswith("Folder: published: ")
    messages = len(office.messages())
    clock.set(at("2026-03-12T13:00:00Z"))
    assert len(office.messages()) == messages
    assert outbox_states(office).keys() == {"sent"}


def test_publishing_waits_for_a_retry_in_progress(office: Workplace, clock: SetClock, folder: Path) -> None:
    (folder / "INC-1").write_text("a file in the way")
    publish(office, "folder")
    clock.set(clock() + timedelta(minutes=9))
    with office.database.write() as connection:
        trying = outbox.claim(connection, at=clock(), lease_at=now())
    assert trying
    assert trying.lane == "publish:1:folder"
    messages = len(office.messages())
    office.private("/postmortem publish folder anyway")
    assert len(office.messages()) == messages
    with office.database.write() as connection:
        outbox.mark_sent(connection, trying, at=clock())
    clock.set(at("2026-03-12T12:10:00Z"))
    assert len(office.messages()) == messages + 1


def test_after_a_day_the_retries_end_and_the_message_says_so(office: Workplace, clock: SetClock, folder: Path) -> None:
    (folder / "INC-1").write_text("a file in the way")
    publish(office, "folder")
    clock.set(clock() + timedelta(hours=25))
    lines = last_message(office)
    assert lines[1].startswith("Folder: not published. ")
    assert lines[1].endswith("It was tried for a day, and is not tried again.")
    assert outbox_states(office).keys() == {"sent"}


def test_a_link_in_the_folder_is_not_followed(office: Workplace, folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "INC-1").symlink_to(elsewhere)
    assert "is a link, and nothing is written through one" in publish(office, "folder")[1]
    (folder / "INC-1").unlink()
    (folder / "INC-1").mkdir()
    secret = tmp_path / "secret"
    secret.write_text("kept")
    (folder / "INC-1" / "postmortem.md").symlink_to(secret)
    publish(office, "folder")
    assert secret.read_text() == "kept"
    assert not (folder / "INC-1" / "postmortem.md").is_symlink()
    assert list(elsewhere.iterdir()) == []


def test_each_rendering_has_its_own_location(office: Workplace, folder: Path) -> None:
    office.say("/did bob restarted it", user=office.bob)
    redraft(office)
    publish(office)
    lines = publish(office, "public")
    assert lines[0] == "INC-1 · postmortem, version 2, public · published by alice"
    assert [each.title for each in office.slack.canvases] == ["INC-1 postmortem", "INC-1 postmortem, public"]
    assert sorted(path.name for path in (folder / "INC-1-public").iterdir()) == [
        name for name in FILES if name != "postmortem.json"
    ]
    for path in (folder / "INC-1-public").iterdir():
        assert "bob" not in path.read_text().casefold(), path
    assert "bob" in (folder / "INC-1" / "postmortem.md").read_text()
    assert known(office).keys() == {"folder", "canvas", "folder:public", "canvas:public"}


def test_a_private_incident_stays_in_its_channel(office: Workplace, folder: Path) -> None:
    hidden = office.slack.add_channel("acquisition", private=True)
    resolved(office, channel=hidden)
    receipt = office.private("/postmortem publish anyway", channel=hidden)
    assert "is being published: canvas." in receipt
    office.deliver()
    assert [each.channel for each in office.slack.canvases] == [hidden]
    assert list(folder.iterdir()) == []
    refused = office.refused("/postmortem publish folder", channel=hidden)
    assert refused.startswith("INC-2 is kept to its own channel, and a folder is read by others too")
    assert "There is no INC-2 here" in office.refused("/postmortem publish INC-2")


def test_a_folder_with_an_address_is_linked_to(sqlite: Database, clock: SetClock, folder: Path) -> None:
    address = "https://git.example.org/ops/postmortems/?a=1&b=2"
    with workplace(sqlite, clock=clock, SCRIBE_PUBLISH_DIR=str(folder), SCRIBE_PUBLISH_URL=address) as office:
        resolved(office)
        link = "https://git.example.org/ops/postmortems/?a=1&amp;b=2/INC-1"
        assert publish(office)[1] == f"Folder: published: <{link}|INC-1 in the folder of postmortems>"


def test_unknown_words_are_refused_with_the_known_ones(sqlite: Database, clock: SetClock, folder: Path) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_PUBLISH_DIR=str(folder)) as office:
        office.say("/detected disk full")
        assert "INC-1 has no draft yet. /postmortem draft writes one." in office.refused("/postmortem publish")
        office.say("/postmortem draft")
        office.deliver()
        assert office.refused("/postmortem publish fodler").startswith(
            "“fodler” is no place to publish to. Did you mean folder? It is typed alone or with folder "
            "or canvas after it."
        )
        assert office.refused("/postmortem publish canvas").startswith(
            "Scribe is not set up to publish to a canvas. Whoever runs it can set SCRIBE_CANVAS=on."
        )
        assert "There is no INC-7 here" in office.refused("/postmortem publish INC-7")
        assert "is being published: folder." in office.private("/postmortem publish INC-1 Folder anyway")


def test_without_a_target_the_answer_names_the_setting(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock) as office:
        resolved(office)
        assert office.refused("/postmortem publish").startswith(
            "Scribe is not set up to publish to a place. Whoever runs it can set "
            "SCRIBE_PUBLISH_DIR=/srv/postmortems or SCRIBE_CANVAS=on. From a terminal, scribe export prints it."
        )


def test_a_repository_gets_one_commit_a_version_and_none_for_the_same_bytes(
    office: Workplace, repository: Path
) -> None:
    lines = publish(office, "folder")
    commit = git(repository, "rev-parse", "--short", "HEAD")
    assert lines[1] == f"Folder: published: INC-1 in the folder of postmortems, commit {commit}"
    assert publish(office, "folder")[1] == "Folder: version 1 is there already: INC-1 in the folder of postmortems"
    redraft(office)
    publish(office, "folder")
    assert git(repository, "log", "--format=%s %an").splitlines() == [
        "INC-1: postmortem, version 2 Scribe",
        "INC-1: postmortem, version 1 Scribe",
    ]
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "ls-files").splitlines() == [f"INC-1/{name}" for name in FILES]


def test_a_failing_hook_is_reported_in_its_words_and_the_commit_is_retried(
    office: Workplace, clock: SetClock, repository: Path
) -> None:
    hook = repository / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'no commits on a <Friday>' >&2\nexit 1\n")
    hook.chmod(0o755)
    assert publish(office, "folder")[1] == (
        "Folder: not published yet. The files are written, but git did not commit them: no commits on a "
        "&lt;Friday&gt;. Scribe "
        "keeps trying."
    )
    hook.unlink()
    clock.set(at("2026-03-12T12:10:00Z"))
    assert ", commit " in last_message(office)[1]
    assert git(repository, "log", "--format=%s") == "INC-1: postmortem, version 1"


REPLICA = """
import os, sys
from datetime import datetime
from bot.clock import SetClock, now
from bot.config import Settings
from bot.slack.bot import build
from storage.database import Database
bot = build(Settings.from_env(os.environ), Database(sys.argv[1]), clock=SetClock(datetime.fromisoformat(sys.argv[2])))
bot.context.delivery.deliver_due()
"""
KILLING_HOOK = """#!/bin/sh
kill -KILL "$(cut -d' ' -f4 /proc/$PPID/stat)"
exit 1
"""
"""Kills the process that runs git, before the commit."""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc to find the process to kill by")
def test_after_a_kill_between_the_files_and_the_commit_the_commit_follows(
    office: Workplace, clock: SetClock, repository: Path
) -> None:
    hook = repository / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(KILLING_HOOK)
    hook.chmod(0o755)
    office.private("/postmortem publish anyway")
    tokens = {"SLACK_BOT_TOKEN": office.slack.bot_token, "SLACK_API_URL": office.slack.api_url}
    url = office.database.url.render_as_string()
    killed = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", REPLICA, url, clock().isoformat()],
        env={**os.environ, **tokens, "SCRIBE_PUBLISH_DIR": str(repository), "SCRIBE_CANVAS": "on"},
        cwd=ROOT, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    hook.unlink()
    assert (repository / "INC-1" / "postmortem.md").exists()
    assert office.slack.canvases == []
    expire_leases(office.database)
    lines = last_message(office)
    assert lines[1].startswith("Folder: published: INC-1 in the folder of postmortems, commit ")
    assert git(repository, "log", "--format=%s") == "INC-1: postmortem, version 1"
    assert len(office.slack.canvases) == 1


def test_two_replicas_that_publish_at_once_make_one_publication(
    database: Database, clock: SetClock, repository: Path
) -> None:
    with workplace(database, clock=clock, SCRIBE_PUBLISH_DIR=str(repository), SCRIBE_CANVAS="on") as office:
        resolved(office)
        second = build(office.bot.context.settings, database, clock=clock)
        for user in (office.alice, office.bob, office.carol):
            office.say("/note I am on it", user=user)
            office.private("/postmortem publish anyway", user=user)
        together(lambda number: (office.bot, second)[number % 2].context.delivery.deliver_due(), threads=4)
        office.deliver()
        second.stop()
        assert len(office.slack.canvases) == 1
        assert known(office).keys() == {"folder", "canvas"}
        assert git(repository, "log", "--format=%s").splitlines() == ["INC-1: postmortem, version 1"]
        texts = [each.text for each in office.messages() if "postmortem, version 1 · published by" in each.text]
        assert len(texts) == 3
        assert sum("Folder: published" in text for text in texts) == 1
        assert problems(office) == []


def test_a_repeated_command_publishes_once(office: Workplace) -> None:
    answer = office.ask("/postmortem publish anyway")
    office.slack.repeat(answer)
    office.deliver()
    assert sum(call.method == "canvases.create" for call in office.slack.calls) == 1
    # The one edit puts the picture into the canvas.
    assert [call.method for call in office.slack.calls].count("canvases.edit") == 1


def test_a_canvas_shows_the_picture_that_is_a_file_of_its_channel(office: Workplace) -> None:
    publish(office, "canvas")
    [picture] = [file for message in office.slack.messages(office.channel) for file in message.files
                 if file.name == "INC-1-timeline.png" and "published" in file.title]  # fmt: skip
    assert picture.content.startswith(b"\x89PNG")
    assert "![The timeline of INC-1, drawn](https://" in canvas(office).markdown
    assert f"/{picture.id}/INC-1-timeline.png)" in canvas(office).markdown
    assert "timeline drawn comes with" not in canvas(office).markdown


def test_a_canvas_says_where_the_picture_is_if_the_bot_may_not_upload(office: Workplace) -> None:
    office.slack.fail_next("files.getUploadURLExternal", error="missing_scope")
    assert publish(office, "canvas")[1].startswith("Canvas: published: ")
    assert "*The timeline drawn comes with every draft in the incident's channel" in canvas(office).markdown
    assert "![" not in canvas(office).markdown


def test_the_folder_shows_the_picture_beside_it_and_that_it_is_published(office: Workplace, folder: Path) -> None:
    publish(office, "folder")
    file = (folder / "INC-1" / "postmortem.md").read_text(encoding="utf-8")
    assert "![The timeline of INC-1, drawn](timeline.svg)" in file
    assert "| Status | published, version 1 |" in file
    assert "published, version 1" in (folder / "INC-1" / "postmortem.html").read_text(encoding="utf-8")
