"""The database is away: requests are queued in the spool, and written once and in order when it is back."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from bot.clock import SetClock
from bot.config import Settings
from bot.handlers.offline import AWAY, OfflineQueue
from storage import schema
from storage.database import Database
from tests.support.hooks import SET_UP, alert, group, hear, post
from tests.support.ledger import entries, incident_count, standing
from tests.support.line import Line
from tests.support.workplace import SOCKET, Workplace, at, workplace

SLACK_WAITS_S = 3.0
DRAINED = "The database is back."


def replayed(office: Workplace) -> list[str]:
    """Replay the spool; returns the summaries posted in the channel."""
    assert office.bot.context.offline.replay()
    return [each.text for each in office.messages() if each.text.startswith(DRAINED)]


def test_while_the_server_is_gone_entries_are_queued_and_later_written_in_order(
    remote: Workplace, line: Line, clock: SetClock
) -> None:
    remote.say("/detected at 11:40 by monitoring: p99 over 5 s")
    line.cut()
    receipt = remote.say("/did at 04:58 restarted db1", user=remote.bob)
    clock.set(at("2026-03-12T12:01:00Z"))
    assert receipt.startswith("Kept · Did · 11:58 UTC (04:58 in Los Angeles)\nrestarted db1\nThe database is away.")
    assert remote.say("/incident severity SEV1").startswith("Kept · /incident severity SEV1\n")
    assert remote.say("/mitigated errors are gone").startswith("Kept · Mitigated · 12:01 UTC\n")
    clock.set(at("2026-03-12T12:30:00Z"))
    assert not remote.bot.context.offline.replay()
    line.mend()
    (message,) = replayed(remote)
    assert message.splitlines() == [
        f"{DRAINED} The 3 entries kept meanwhile are written down, in order:",
        "Did · 11:58 UTC (04:58 in Los Angeles) · INC-1 #2 · late entry",
        "INC-1 · severity: SEV1",
        "Mitigated · 12:01 UTC · INC-1 #4",
    ]
    assert standing(remote) == [
        ("detected", "p99 over 5 s"), ("did", "restarted db1"), ("severity", "SEV1"), ("mitigated", "errors are gone"),
    ]  # fmt: skip
    assert entries(remote)[3].occurred_at == entries(remote)[3].recorded_at == at("2026-03-12T12:01:00Z")
    assert remote.say("/note all is well").startswith("Note · 12:30 UTC · INC-1 #5")


def test_a_server_that_no_longer_answers_delays_no_answer(remote: Workplace, line: Line) -> None:
    remote.say("/detected disk full")
    line.freeze()
    for words in ("first", "second"):
        assert remote.say(f"/did {words}").startswith("Kept · Did")
    line.mend()
    assert len(replayed(remote)) == 1
    assert standing(remote) == [("detected", "disk full"), ("did", "first"), ("did", "second")]


def test_an_entry_written_before_its_answer_was_lost_is_written_once(remote: Workplace, line: Line) -> None:
    remote.say("/detected disk full")
    line.cut()
    assert remote.say("/did restarted db1", trigger_id="once").startswith("Kept")
    line.mend()
    replayed(remote)
    line.cut()
    assert remote.say("/did restarted db1", trigger_id="once").startswith("Kept")
    line.mend()
    assert "INC-1 #2" in replayed(remote)[-1]
    assert standing(remote) == [("detected", "disk full"), ("did", "restarted db1")]


def test_commands_that_only_show_and_mistakes_are_refused_at_once(remote: Workplace, line: Line) -> None:
    remote.say("/detected disk full")
    line.cut()
    assert AWAY in remote.refused("/timeline")
    assert AWAY in remote.refused("/incident status")
    refused = remote.refused("/did at 25:99 restarted db1")
    assert "25:99" in refused
    assert "/did at 25:99 restarted db1" in refused
    assert "There is no “dd”" in remote.refused("/dd x")
    line.mend()
    remote.bot.context.offline.replay()
    assert remote.private("/timeline")


def test_a_queued_command_that_fails_is_reported_to_the_person_with_their_words(remote: Workplace, line: Line) -> None:
    remote.say("/detected disk full")
    line.cut()
    remote.say("/incident edit 99 no such entry", user=remote.bob)
    remote.say("/actionitem")
    line.mend()
    remote.bot.context.offline.replay()
    texts = {each.ephemeral_for: each.text for each in remote.messages(user=remote.bob) if each.ephemeral_for}
    assert "/incident edit 99 no such entry" in texts[remote.bob]
    assert "99" in texts[remote.bob].splitlines()[1]
    own = [each.text for each in remote.messages(user=remote.alice) if each.ephemeral_for == remote.alice]
    assert any("It opens a form" in text for text in own)


def test_a_button_that_fails_later_is_not_reported_as_a_command_that_one_could_type(
    remote: Workplace, line: Line
) -> None:
    remote.say("/detected disk full")
    receipt = remote.ask("/actionitem @bob by tomorrow: buy disks")
    line.cut()
    remote.slack.click(remote.bob, receipt, "item_done")
    remote.slack.click(remote.bob, receipt, "item_done")
    kept = remote.slack.wait_for(
        lambda: [each.text for each in remote.slack.messages(remote.channel) if "Kept" in each.text]
    )
    assert kept[0].startswith("Kept · what you sent\n")
    line.mend()
    remote.bot.context.offline.replay()
    told = [each.text for each in remote.messages(user=remote.bob) if each.ephemeral_for == remote.bob]
    assert told[-1].startswith("The database is back, but this could not be done: what you sent\n")


def test_an_unknown_zone_is_looked_up_before_the_entry_is_written(far: Database, line: Line, clock: SetClock) -> None:
    with workplace(far, clock=clock, known=False) as remote:
        line.cut()
        assert "04:58" not in remote.say("/detected at 11:58 disk full", user=remote.alice)
        remote.say("/did at 04:58 restarted db1", user=remote.bob)
        line.mend()
        remote.bot.refresh()
        replayed(remote)
        assert entries(remote)[1].occurred_at == at("2026-03-12T11:58:00Z")


def test_mentions_and_forms_are_queued(remote: Workplace, line: Line) -> None:
    remote.say("/detected disk full")
    remote.say("/resolved freed space")
    remote.say("/detected disk full again")
    message = remote.slack.say(remote.bob, remote.channel, "replica is 4 GB behind")
    remote.slack.shortcut(remote.alice, message, "add_to_timeline")
    line.cut()
    remote.slack.say(remote.bob, remote.channel, "@scribe did restarted db1")
    remote.slack.submit(remote.alice, {})
    queued = remote.slack.wait_for(
        lambda: [m.text for m in remote.slack.messages(remote.channel) if m.text.startswith("Kept")][1:]
    )
    assert queued
    line.mend()
    replayed(remote)
    assert ("did", "restarted db1") in standing(remote, 2)
    assert ("note", "replica is 4 GB behind") in standing(remote, 2)


def test_a_bot_that_died_leaves_the_spool_to_the_next(
    far: Database, postgres: Database, line: Line, clock: SetClock, tmp_path: Path
) -> None:
    spool = str(tmp_path / "kept")
    with workplace(far, clock=clock, transport=SOCKET, SCRIBE_SPOOL=spool) as remote:
        remote.say("/detected disk full")
        line.cut()
        remote.say("/did restarted db1")
    line.mend()
    settings = Settings.from_env({"SCRIBE_SPOOL": spool})
    first, second = (OfflineQueue(postgres, settings, clock) for _ in range(2))
    assert [first.replay(), second.replay()] == [1, 0]
    assert standing(remote) == [("detected", "disk full"), ("did", "restarted db1")]
    assert OfflineQueue(postgres, settings, clock).replay() == 0


def test_a_bot_that_starts_while_the_server_is_gone_queues_commands(far: Database, line: Line, clock: SetClock) -> None:
    with workplace(far, clock=clock) as remote:
        line.cut()
        remote.bot.context.offline.start(ensured=False)
        assert remote.say("/detected disk full").startswith("Kept · Detected")
        line.mend()
        replayed(remote)
        assert incident_count(remote) == 1


def test_the_spool_waits_for_the_migration_of_an_older_schema(
    far: Database, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    version = text("UPDATE alembic_version SET version_num = :version")
    with workplace(far, clock=clock) as remote:
        with far.write() as connection:
            connection.execute(version, {"version": "0001"})
        remote.bot.context.offline.start(ensured=False)
        assert remote.say("/detected disk full").startswith("Kept · Detected")
        for _ in range(2):
            remote.bot.replay_spool()
        with far.write() as connection:
            connection.execute(version, {"version": schema.newest()})
        replayed(remote)
        assert incident_count(remote) == 1
    assert len([each for each in caplog.records if "another schema" in each.getMessage()]) == 1


@pytest.fixture
def locked(office: Workplace) -> Iterator[sqlite3.Connection]:
    """Another process that holds the SQLite file's write lock."""
    office.say("/detected disk full")
    other = sqlite3.connect(str(office.database.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def test_a_locked_file_delays_no_answer(office: Workplace, locked: sqlite3.Connection) -> None:
    assert office.say("/did restarted db1").startswith("Kept")
    assert office.bot.context.offline.replay() == 0
    locked.execute("ROLLBACK")
    assert "INC-1 #2" in replayed(office)[0]


@pytest.mark.parametrize("pragma", ["query_only=ON", "max_page_count=1"])
def test_a_full_or_read_only_disk_is_an_outage(office: Workplace, pragma: str) -> None:
    office.say("/detected disk full")
    engine = office.database.engine

    def restrict(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", restrict)
    engine.dispose()
    words = "x" * 9_000
    assert office.say(f"/did {words}").startswith("Kept · Did")
    event.remove(engine, "connect", restrict)
    engine.dispose()
    replayed(office)
    assert standing(office) == [("detected", "disk full"), ("did", words)]


def test_without_a_writable_spool_the_command_is_refused_with_its_words(
    remote: Workplace, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    remote.say("/detected disk full")
    spool = remote.bot.context.settings.spool
    spool.rename(f"{spool}-gone")
    spool.write_text("no folder")
    line.cut()
    refused = remote.refused("/did restarted db1")
    assert "could not save" in refused
    assert "/did restarted db1" in refused
    assert "not saved" in caplog.text
    spool.unlink()
    Path(f"{spool}-gone").rename(spool)


def test_a_request_that_cannot_be_read_is_set_aside_and_the_others_are_written(remote: Workplace, line: Line) -> None:
    remote.say("/detected disk full")
    line.cut()
    remote.say("/did first")
    offline = remote.bot.context.offline
    offline._spool.append({"command": "did"}, at=at("2026-03-12T12:00:00Z"))
    remote.say("/did second")
    line.mend()
    replayed(remote)
    assert standing(remote) == [("detected", "disk full"), ("did", "first"), ("did", "second")]
    assert offline._spool.rejected_count() == 1


def test_with_a_frozen_database_an_answer_still_leaves_within_three_seconds(remote: Workplace, line: Line) -> None:
    """Slack waits three seconds. The quickest of three counts: a busy machine may hold up one of them."""
    remote.say("/detected disk full")
    elapsed_s = []
    for number in range(3):
        line.freeze()
        answer = remote.ask(f"/note number {number}")
        assert answer.text.startswith("Kept · Note"), answer
        elapsed_s.append(answer.elapsed_s)
        line.mend()
        remote.bot.context.offline.replay()
    assert min(elapsed_s) < SLACK_WAITS_S
    assert [text for _, text in standing(remote)] == ["disk full", "number 0", "number 1", "number 2"]


def test_words_of_an_outage_without_an_incident_are_asked_about_once_the_database_is_back(
    remote: Workplace, line: Line, clock: SetClock
) -> None:
    remote.say("/detected disk full")
    lobby = remote.slack.add_channel("lobby")
    line.cut()
    assert remote.say("/did restarted db1", channel=lobby).startswith("Kept · Did · 12:00 UTC")
    assert remote.say("/note INC-1 we look", channel=lobby).startswith("Kept · Note · 12:00 UTC\nwe look")
    clock.set(at("2026-03-12T12:30:00Z"))
    line.mend()
    remote.bot.context.offline.replay()
    told, asked = sorted(remote.messages(lobby, remote.alice)[-2:], key=lambda each: each.ephemeral_for or "")
    assert told.text == f"{DRAINED} What was kept meanwhile is written down:\nNote · 12:00 UTC · INC-1 #2"
    assert asked.ephemeral_for == remote.alice
    assert asked.text.endswith("Your words: /did restarted db1")
    menu = asked.blocks[-1]["elements"][0]
    remote.slack.click(remote.alice, asked, "choose_incident", menu["options"][0]["value"])
    assert remote.messages(lobby)[-1].text.startswith("Did · 12:00 UTC · INC-1 #3\nrestarted db1")
    assert entries(remote)[-1].occurred_at == at("2026-03-12T12:00:00Z")


def test_alerts_that_come_meanwhile_wait_on_disk_and_are_one_entry_afterwards(
    far: Database, line: Line, clock: SetClock
) -> None:
    with workplace(far, clock=clock, **SET_UP) as remote:
        remote.say("/detected checkout is slow")
        line.cut()
        for _ in range(2):
            assert post(remote, group(alert())).status_code == 202
        line.mend()
        assert remote.bot.context.offline.replay() == 2
        hear(remote)
        assert [each.kind for each in entries(remote)] == ["detected", "alert"]
        assert not [each for each in remote.messages() if each.text.startswith(DRAINED)]
