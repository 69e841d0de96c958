"""`scribe backfill`: from an export or copied text to a file with ticks, and from that onto the timeline, once."""

from pathlib import Path

import pytest

from storage import incidents, timeline
from storage.database import Database
from storage.values import TimelineEntry
from tests.integration.cli.terminal import refused, scribe
from tests.support.asking import ask
from tests.support.chats import chats, write_export

CHAT = next(each for each in chats() if each.name.startswith("gitlab"))
PASTED = "Bob  14:02\nrolled back release 418\nAlice  14:03\nlol\n"


def entries(database: Database) -> list[TimelineEntry]:
    with database.read() as connection:
        return timeline.of_incident(connection, 1)


@pytest.fixture
def declared(sqlite: Database) -> Database:
    ask(sqlite, "/incident open SEV1 database gone")
    return sqlite


@pytest.fixture
def export(tmp_path: Path, declared: Database) -> Path:
    with declared.read() as connection:
        incident = incidents.by_id(connection, 1)
    path = tmp_path / "slack-export.zip"
    write_export(CHAT, path, channel=(incident.channel_id, "incident-12"))
    return path


def test_an_export_becomes_a_file_whose_ticks_are_recorded_once(url: str, declared: Database, export: Path) -> None:
    printed = scribe("backfill", str(export), "--channel", "incident-12", "--incident", "INC-1", DATABASE_URL=url)
    assert printed.exit_code == 0, printed.stderr
    assert "Nothing is recorded yet." in printed.stderr
    assert entries(declared) == []
    file = export.with_name("proposals.md")
    ticked = printed.stdout.count("- [x]")
    file.write_text(
        printed.stdout.replace("- [x] 2017-01-31 18:01:40 UTC · detected", "- [ ] 2017-01-31 18:01:40 UTC · detected")
    )
    receipt = scribe("backfill", str(file), "--as", "bob", DATABASE_URL=url).stdout
    assert receipt.startswith(f"{ticked - 1} entries recorded on INC-1: #1 to #{ticked - 1}")
    found = entries(declared)
    assert {entry.source for entry in found} == {"backfill"}
    assert all(entry.backfilled and entry.recorded_by_id == "bob" for entry in found)
    assert "no no no" not in "\n".join(entry.text for entry in found)
    first = next(entry for entry in found if entry.text.startswith("fyi took a manual LVM snapshot"))
    assert (first.author, first.occurred_at.isoformat()[:19]) == ("alice-dba", "2017-01-31T17:20:30")
    assert "/archives/" in (first.permalink or "")
    again = scribe("backfill", str(file), DATABASE_URL=url).stdout
    assert again == f"Nothing new recorded on INC-1.\n{ticked - 1} were on the timeline already.\n"
    assert len(entries(declared)) == ticked - 1
    anew = scribe("backfill", str(export), "--channel", "incident-12", "--incident", "INC-1", DATABASE_URL=url).stdout
    assert anew.count("- [x]") == 1
    document = scribe("export", "INC-1", "--format", "json", DATABASE_URL=url).stdout
    assert document.count('"backfilled": true') == ticked - 1


def test_words_kind_and_time_may_be_changed_in_the_file(url: str, declared: Database, tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text(f"2026-03-12\n{PASTED}")
    printed = scribe("backfill", str(tmp_path / "chat.txt"), "--incident", "INC-1", DATABASE_URL=url).stdout
    assert "- [x] 2026-03-12 14:02:00 UTC · did · Bob: rolled back release 418" in printed
    assert "- [ ] 2026-03-12 14:03:00 UTC · note · Alice: lol" in printed
    changed = printed.replace("14:02:00 UTC · did · Bob: rolled", "14:01:30 UTC · mitigated · Bob: we rolled")
    (tmp_path / "proposals.md").write_text(changed)
    assert scribe("backfill", str(tmp_path / "proposals.md"), DATABASE_URL=url).stdout.startswith("1 entry recorded")
    (entry,) = entries(declared)
    assert (entry.kind, entry.text, f"{entry.occurred_at:%H:%M:%S}") == (
        "mitigated",
        "we rolled back release 418",
        "14:01:30",
    )
    assert entry.author == "Bob"


def test_it_says_what_is_missing(url: str, export: Path, tmp_path: Path) -> None:
    text = tmp_path / "chat.txt"
    text.write_text(PASTED)
    assert "--channel incident-12" in refused("backfill", str(export), DATABASE_URL=url)
    assert "--incident INC-12" in refused("backfill", str(text), DATABASE_URL=url)
    assert "The export has no channel ops." in refused(
        "backfill", str(export), "--channel", "ops", "--incident", "INC-1", DATABASE_URL=url
    )
    assert "No incident of #nowhere" in refused("backfill", str(export), "--channel", "nowhere", DATABASE_URL=url)
    text.write_text("disk full")
    assert "No message begins" in refused("backfill", str(text), "--incident", "INC-1", DATABASE_URL=url)
    text.write_bytes(b"\xff\xfe")
    assert "no text in UTF-8" in refused("backfill", str(text), "--incident", "INC-1", DATABASE_URL=url)
    assert "is no stretch of time" in refused(
        "backfill",
        str(export),
        "--channel",
        "incident-12",
        "--incident",
        "INC-1",
        "--between",
        "soon",
        DATABASE_URL=url,
    )


def test_nothing_ticked_records_nothing(url: str, declared: Database, tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text(PASTED)
    printed = scribe("backfill", str(tmp_path / "chat.txt"), "--incident", "INC-1", DATABASE_URL=url).stdout
    (tmp_path / "proposals.md").write_text(printed.replace("[x]", "[ ]"))
    assert "Nothing is ticked" in refused("backfill", str(tmp_path / "proposals.md"), DATABASE_URL=url)
    assert entries(declared) == []
