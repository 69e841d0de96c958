"""What is printed from the store, and taken back."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.clock import SetClock, now
from bot.demo import replay
from bot.demo.casefile import read_case
from bot.demo.replay import SAMPLE, replay_file
from bot.documents.picture.png import png
from bot.fakeslack.slack import Slack
from storage import timeline
from storage.database import Database
from storage.values import TimelineEntry
from tests.integration.cli.terminal import refused, scribe
from tests.support.asking import ask
from tests.support.workplace import Workplace


def entries(database: Database, incident_id: int = 1) -> list[TimelineEntry]:
    with database.read() as connection:
        return timeline.of_incident(connection, incident_id)


def test_a_postmortem_goes_out_to_a_file_and_comes_back_edited(at_work: Workplace, url: str, tmp_path: Path) -> None:
    at_work.say("/detected disk full")
    at_work.say("/postmortem draft")
    at_work.deliver()
    text = scribe("export", "INC-1", DATABASE_URL=url).stdout
    assert text.startswith("<!-- scribe: INC-1, version 1.")
    assert "<!-- scribe" not in scribe("export", "INC-1", "--as", "blameless", DATABASE_URL=url).stdout
    file = tmp_path / "edited.md"
    file.write_bytes(text.replace("Detected: disk full", "Detected: db1 was full").replace("\n", "\r\n").encode())
    said = scribe("import", str(file), "--as", "carol", DATABASE_URL=url).stdout
    assert said == "INC-1: postmortem version 2\n  changed: Timeline\n"
    again = scribe("import", str(file), DATABASE_URL=url).stdout
    assert again == "INC-1: this very file was imported before, as version 2; the newest is version 2\n"
    file.write_text(text)
    assert scribe("import", str(file), DATABASE_URL=url).stdout == (
        "INC-1: the file changes nothing; the newest is version 2 still\n"
    )
    contract = json.loads(scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout)
    edited = [each["key"] for each in contract["postmortem"]["sections"] if each["edited"]]
    assert edited == ["timeline"]
    shown = at_work.ask("/postmortem show").text
    assert shown.startswith("INC-1 · postmortem, version 2 · imported ")
    assert shown.endswith(" by carol")
    file.write_bytes(b"\xff")
    assert "is not in UTF-8: see line 1" in refused("import", str(file), DATABASE_URL=url)
    assert "No such file" in refused("import", str(tmp_path / "none.md"), DATABASE_URL=url)


@pytest.fixture(scope="module")
def documents() -> dict[str, str]:
    return replay_file(SAMPLE).documents


@pytest.fixture(scope="module")
def replayed() -> Iterator[str]:
    """The URL of the store that a replay of the sample leaves behind."""
    sample = read_case(SAMPLE)
    clock = SetClock(sample.commands[0].at)
    slack = Slack(clock=clock)
    with slack.serving(), replay._bot(slack, clock, sample) as bot:
        replay._play(sample, slack, bot, clock)
        bot.context.delivery.deliver_due()
        yield bot.context.database.url.render_as_string()


@pytest.mark.parametrize("suffix", ["md", "html", "json", "svg"])
def test_export_writes_what_replay_wrote(replayed: str, documents: dict[str, str], suffix: str) -> None:
    written = scribe("export", "inc-1", "--format", suffix, DATABASE_URL=replayed).stdout
    without_comments = re.sub("(?m)^<!-- scribe: .*-->\n", "", written)
    assert without_comments.strip() == documents[suffix].strip()
    assert (without_comments != written) == (suffix == "md")
    assert documents[suffix] == documents[suffix].rstrip() + "\n"


def test_export_writes_a_png_as_bytes(replayed: str, documents: dict[str, str]) -> None:
    assert scribe("export", "inc-1", "--format", "png", DATABASE_URL=replayed).stdout_bytes == png(documents["svg"])


def test_export_says_which_incident_is_not_there(url: str, sqlite: Database) -> None:
    assert "holds no incident yet" in refused("export", "INC-1", DATABASE_URL=url)
    ask(sqlite, "/detected disk full")
    assert "There is no INC-2 in the store" in refused("export", "INC-2", DATABASE_URL=url)
    assert "'twelve' is no incident's name" in refused("export", "twelve", DATABASE_URL=url)
    assert "md" in refused("export", "INC-1", "--format", "pdf", DATABASE_URL=url)


def test_export_of_an_incident_without_a_draft_says_so_and_has_its_facts(url: str, sqlite: Database) -> None:
    ask(sqlite, "/detected disk full")
    for suffix in ("md", "html"):
        assert "has no draft yet" in refused("export", "INC-1", "--format", suffix, DATABASE_URL=url)
    facts = json.loads(scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout)
    assert facts["postmortem"] is None
    assert facts["entries"][0]["text"] == "disk full"
    assert scribe("export", "INC-1", "--format", "svg", DATABASE_URL=url).stdout.startswith("<svg")


def test_of_several_workspaces_one_must_be_named(url: str, sqlite: Database) -> None:
    for workspace_id in ("T1", "T2"):
        ask(sqlite, f"/detected disk of {workspace_id}", workspace_id=workspace_id)
    as_json = ("export", "INC-1", "--format", "json")
    assert "--workspace T1" in refused(*as_json, DATABASE_URL=url)
    assert "--workspace T1" in refused("log", "INC-1", "note x", DATABASE_URL=url)
    assert "no workspace T9" in refused(*as_json, "--workspace", "T9", DATABASE_URL=url)
    for workspace_id in ("T1", "T2"):
        facts = json.loads(scribe(*as_json, "--workspace", workspace_id, DATABASE_URL=url).stdout)
        assert facts["entries"][0]["text"] == f"disk of {workspace_id}"
    scribe("log", "INC-1", "--workspace", "T2", "note here", DATABASE_URL=url)
    assert [len(entries(sqlite, number)) for number in (1, 2)] == [1, 2]


def test_report_prints_the_numbers_in_every_format(url: str, sqlite: Database) -> None:
    ask(sqlite, "/detected disk full", received_at=now())
    ask(sqlite, "/resolved freed", received_at=now())
    ask(sqlite, "/detected nobody knows", received_at=now(), channel_id="C2", private=True)
    told = scribe("report", DATABASE_URL=url).stdout
    assert told.startswith("Incidents of the last 30 days: 1 declared\nSEV1: 0 ·")
    assert "Time to mitigate     none known · 1 unknown\n" in told
    assert told.endswith("Action items         none recorded\n")
    assert scribe("report", "7d", "--private", DATABASE_URL=url).stdout.startswith(
        "Incidents of the last 7 days: 2 declared, 1 still open"
    )
    numbers = json.loads(scribe("report", "--format", "json", DATABASE_URL=url).stdout)
    assert numbers["incidents"]["by_severity"]["unknown"] == 1
    assert numbers["durations"]["time_to_resolve"]["known"] == 1
    assert numbers["durations"]["time_to_mitigate"]["median_s"] is None
    assert scribe("report", "--format", "md", DATABASE_URL=url).stdout.startswith("# Incidents of the last 30 days\n")
    assert scribe("report", "--format", "svg", DATABASE_URL=url).stdout.startswith("<svg")
    assert scribe("report", "--format", "png", DATABASE_URL=url).stdout_bytes.startswith(b"\x89PNG")


@pytest.mark.parametrize("words", [("-3d",), ("0d",), ("400y",), ("last", "monday")])
def test_report_answers_what_is_no_period_with_examples(url: str, sqlite: Database, words: tuple[str, ...]) -> None:
    ask(sqlite, "/detected disk full")
    assert "Try: 30d, 12w, 1y or 2026-10-01..2026-10-31" in refused("report", *words, DATABASE_URL=url)


def test_report_of_an_empty_store_or_an_unnamed_workspace_says_so(url: str, sqlite: Database) -> None:
    assert "holds no incident yet" in refused("report", DATABASE_URL=url)
    for workspace_id in ("T1", "T2"):
        ask(sqlite, "/detected", workspace_id=workspace_id)
    assert "--workspace T1" in refused("report", DATABASE_URL=url)


def test_export_counts_revisions_and_leaves_out_what_was_taken_back(url: str, sqlite: Database) -> None:
    for typed in ("/detected disk full", "/note wrong", "/incident undo", "/incident edit 1 disk db-3 full"):
        ask(sqlite, typed)
    facts = json.loads(scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout)
    assert [(each["text"], each["revisions"]) for each in facts["entries"]] == [("disk db-3 full", 1)]
