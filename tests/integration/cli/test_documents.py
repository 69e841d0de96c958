"""`scribe export`, `import`, `check` and `report`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.clock import now
from bot.demo.casefile import SAMPLE, read_case
from bot.demo.replay import replay_file, replayed
from bot.documents.picture.png import png
from storage import timeline
from storage.database import Database
from storage.values import TimelineEntry
from tests.integration.cli.terminal import refused, scribe
from tests.support.asking import ask
from tests.support.workplace import Workplace


def entries(database: Database, incident_id: int = 1) -> list[TimelineEntry]:
    with database.read() as connection:
        return timeline.of_incident(connection, incident_id)


def test_an_exported_postmortem_is_edited_in_a_file_and_imported(at_work: Workplace, url: str, tmp_path: Path) -> None:
    at_work.say("/detected disk full")
    at_work.say("/postmortem draft")
    at_work.deliver()
    text = scribe("export", "INC-1", DATABASE_URL=url).stdout
    assert text.startswith("<!-- scribe: INC-1, version 1.")
    assert "<!-- scribe" not in scribe("export", "INC-1", "--as", "blameless", DATABASE_URL=url).stdout
    file = tmp_path / "edited.md"
    file.write_bytes(text.replace("Detected: disk full", "Detected: db1 was full").replace("\n", "\r\n").encode())
    output = scribe("import", str(file), "--as", "carol", DATABASE_URL=url).stdout
    assert output == "INC-1: postmortem version 2\n  changed: Timeline\n"
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
    assert shown.splitlines()[0].endswith(" by carol")
    assert shown.splitlines()[1].endswith(", version 2")
    file.write_bytes(b"\xff")
    assert "is not in UTF-8: see line 1" in refused("import", str(file), DATABASE_URL=url)
    assert "No such file" in refused("import", str(tmp_path / "none.md"), DATABASE_URL=url)


def test_an_exported_incident_is_imported_into_another_store(url: str, sqlite: Database, tmp_path: Path) -> None:
    ask(sqlite, "/detected disk full")
    there = f"sqlite:///{tmp_path}/there/scribe.db"
    exported = scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout
    file = tmp_path / "INC-1.json"
    file.write_text(exported)
    assert "--workspace T0123ABC" in refused("import", str(file), DATABASE_URL=there)
    imported = scribe("import", str(file), "--workspace", "T1", "--public", DATABASE_URL=there)
    assert imported.stdout.startswith("INC-1 is in the store, to be seen by the workspace: ")
    assert scribe("export", "INC-1", "--format", "json", DATABASE_URL=there).stdout == exported
    assert "--as says whose" in refused("import", str(file), "--as", "carol", DATABASE_URL=there)
    assert "a file that ends in .json" in refused("import", str(tmp_path / "INC-1.md"), "--public", DATABASE_URL=there)
    assert "already; nothing is overwritten" in refused("import", str(file), DATABASE_URL=there)
    file.write_text(json.dumps({**json.loads(exported), "entries": []}))
    assert "incident.started_at: the file says" in refused("import", str(file), "--workspace", "T2", DATABASE_URL=there)


@pytest.fixture(scope="module")
def documents() -> dict[str, str]:
    return replay_file(SAMPLE).documents


@pytest.fixture(scope="module")
def replayed_url() -> Iterator[str]:
    """The URL of the store after a replay of the sample."""
    with replayed(read_case(SAMPLE)) as bot:
        yield bot.context.database.url.render_as_string()


@pytest.mark.parametrize("suffix", ["md", "html", "json", "svg"])
def test_export_writes_what_replay_wrote(replayed_url: str, documents: dict[str, str], suffix: str) -> None:
    written = scribe("export", "inc-1", "--format", suffix, DATABASE_URL=replayed_url).stdout
    without_comments = re.sub("(?m)^<!-- scribe: .*-->\n", "", written)
    assert without_comments.strip() == documents[suffix].strip()
    assert (without_comments != written) == (suffix == "md")
    assert documents[suffix] == documents[suffix].rstrip() + "\n"


def test_export_writes_a_png_as_bytes(replayed_url: str, documents: dict[str, str]) -> None:
    assert scribe("export", "inc-1", "--format", "png", DATABASE_URL=replayed_url).stdout_bytes == png(documents["svg"])


def test_export_in_another_template_keeps_nothing(replayed_url: str) -> None:
    def export(*options: str) -> str:
        return scribe("export", "INC-1", *options, DATABASE_URL=replayed_url).stdout

    before = export()
    learning = export("--template", "learning")
    assert "## Resolution and recovery" in learning
    # It cannot be read back: it is no version that is kept.
    assert "<!-- scribe" not in learning
    assert json.loads(export("--template", "full", "--format", "json"))["postmortem"]["template"] == "full"
    assert "Mia" in learning
    assert "Mia" not in export("--template", "learning", "--edition", "blameless")
    assert export("--edition", "public") == export("--as", "public")
    assert export() == before
    assert "Did you mean learning?" in refused("export", "INC-1", "--template", "lerning", DATABASE_URL=replayed_url)
    assert "has a template of its own" in refused("export", "INC-1", "--template", "full", "--edition", "public")


def test_export_names_an_unknown_incident_or_format(url: str, sqlite: Database) -> None:
    assert "holds no incident yet" in refused("export", "INC-1", DATABASE_URL=url)
    ask(sqlite, "/detected disk full")
    assert "There is no INC-2 in the store" in refused("export", "INC-2", DATABASE_URL=url)
    assert "'twelve' is no incident's name" in refused("export", "twelve", DATABASE_URL=url)
    assert "md" in refused("export", "INC-1", "--format", "pdf", DATABASE_URL=url)


def test_export_of_an_incident_without_a_draft_has_its_facts_only(url: str, sqlite: Database) -> None:
    ask(sqlite, "/detected disk full")
    for suffix in ("md", "html"):
        assert "has no draft yet" in refused("export", "INC-1", "--format", suffix, DATABASE_URL=url)
    facts = json.loads(scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout)
    assert facts["postmortem"] is None
    assert facts["entries"][0]["text"] == "disk full"
    assert scribe("export", "INC-1", "--format", "svg", DATABASE_URL=url).stdout.startswith("<svg")


def test_with_several_workspaces_one_must_be_named(url: str, sqlite: Database) -> None:
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
    ask(sqlite, "/detected in secret", received_at=now(), channel_id="C2", private=True)
    report = scribe("report", DATABASE_URL=url).stdout
    assert report.startswith("Incidents of the last 30 days: 1 declared\nSEV1: 0 ·")
    assert "Time to mitigate     none known · 1 unknown\n" in report
    assert report.endswith("Action items         none recorded\n")
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
def test_report_answers_an_invalid_period_with_examples(url: str, sqlite: Database, words: tuple[str, ...]) -> None:
    ask(sqlite, "/detected disk full")
    assert "Try: 30d" in refused("report", *words, DATABASE_URL=url)


def test_report_names_an_empty_store_and_a_missing_workspace(url: str, sqlite: Database) -> None:
    assert "holds no incident yet" in refused("report", DATABASE_URL=url)
    for workspace_id in ("T1", "T2"):
        ask(sqlite, "/detected", workspace_id=workspace_id)
    assert "--workspace T1" in refused("report", DATABASE_URL=url)


def test_export_counts_revisions_and_leaves_out_undone_entries(url: str, sqlite: Database) -> None:
    for typed in ("/detected disk full", "/note wrong", "/incident undo", "/incident edit 1 disk db-3 full"):
        ask(sqlite, typed)
    facts = json.loads(scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout)
    assert [(each["text"], each["revisions"]) for each in facts["entries"]] == [("disk db-3 full", 1)]
