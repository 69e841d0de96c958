"""Whatever lies in the spool's folder, what is typed is saved, the rest is replayed, and memory stays bounded."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import portalocker
import pytest

from bot.doctor import set_aside
from bot.handlers import offline as offline_queue
from bot.handlers import routes
from bot.handlers.request import Reply, Request
from bot.telemetry.health import Health
from storage.database import Database
from storage.spool import DEADLY, MOST_DEATHS, RESERVE_BYTES, Spool
from storage.spool_lines import DEVICE, FOLDER, LINK, NO_RECORD, REASONS, RUBBISH, TOO_DEEP, TORN, UNREADABLE
from tests.integration.cli.terminal import scribe
from tests.support.ledger import standing
from tests.support.workplace import Workplace, at

FIRST = "20200101T000000000000-00000000.spool"
"""A name that is replayed before all others."""
AT = at("2026-03-12T12:00:00Z")
MB = 1 << 20
MOST_MEMORY = 32 * MB


def line(content: bytes) -> bytes:
    return b"%08x %s\n" % (zlib.crc32(content), content)


def folder(path: Path) -> None:
    path.mkdir()
    (path / "inside").write_text("kept")


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        # A socket's path must be short.
        here = os.open(path.parent, os.O_RDONLY)
        bound.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)


def long_lines(path: Path) -> None:
    with path.open("wb") as file:
        for _ in range(64):
            file.write(b"rubbish " * (MB // 8))


def many_lines(path: Path) -> None:
    path.write_bytes(b"some rubbish\n" * (24 * MB // 13))


def written(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


REQUEST = {
    "command": "note", "words": "x", "workspace_id": "T1", "channel_id": "C1", "user_id": "U1",
    "received_at": "2026-03-12T12:00:00+00:00", "zone": "UTC",
}  # fmt: skip


def request(**changed: object) -> Callable[[Path], object]:
    return written(line(json.dumps(REQUEST | changed).encode()))


HOSTILE: dict[str, tuple[Callable[[Path], object], str | None]] = {
    "a folder": (folder, REASONS[FOLDER]),
    "a pipe": (os.mkfifo, REASONS[DEVICE]),
    "a socket": (unix_socket, REASONS[DEVICE]),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), REASONS[LINK]),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), REASONS[LINK]),
    "64 MB without a line's end": (long_lines, REASONS[RUBBISH]),
    "24 MB of lines": (many_lines, REASONS[RUBBISH]),
    "nothing": (written(b""), None),
    "line ends": (written(b"\n" * MB), None),
    "a torn line": (written(line(b'{"a": 1}')[:-3]), TORN),
    "zeros": (written(b"\0" * 4096), TORN),
    "a deep list": (written(line(b"[" * 100_000 + b"]" * 100_000)), TOO_DEEP),
    "a deep object": (written(line(b'{"a":' * 50_000 + b"1" + b"}" * 50_000)), TOO_DEEP),
    "no JSON": (written(line(b"{")), NO_RECORD),
    "a number of 5,000 digits": (written(line(b"1" * 5_000)), NO_RECORD),
    "a list": (written(line(b"[]")), NO_RECORD),
    "a record of nothing": (written(line(b"{}")), "KeyError when it was done"),
    "a zone that is none": (request(zone="../x"), "ValueError when it was done"),
    "a number for a workspace": (request(workspace_id=5), "when it was done"),
    "half a character": (request(words="\ud800"), "when it was done"),
}  # fmt: skip


@contextmanager
def kept(office: Workplace, *words: str) -> Iterator[Spool]:
    """The spool with these notes, kept while another process held the database; it is back when the block begins."""
    other = sqlite3.connect(str(office.database.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for each in words:
        assert office.say(f"/note {each}").startswith("Kept")
    other.execute("ROLLBACK")
    other.close()
    yield office.bot.context.offline.spool


def reasons(spool: Spool) -> list[str]:
    return [each.reason for each in set_aside.listed(spool)]


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_set_aside_with_its_reason_and_all_else_goes_on(office: Workplace, name: str) -> None:
    lay, reason = HOSTILE[name]
    office.say("/detected disk full")
    with kept(office, "first", "second") as spool:
        lay(spool.folder / FIRST)
        tracemalloc.start()
        assert office.bot.context.offline.replay() >= 2
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MOST_MEMORY
    assert standing(office) == [("detected", "disk full"), ("note", "first"), ("note", "second")]
    assert office.say("/note third").startswith("Note · ")
    found = reasons(spool)
    assert len(found) == (reason is not None)
    assert all(each.endswith(reason or "") for each in found)
    assert spool.rejected_count() == len(found)
    part = Health(database=office.database, clock=lambda: AT, spool=spool).local_parts()["spool"]
    assert part.facts == {"length": 0, "bad": len(found)}
    # Tried again it is set aside again, and still nothing else.
    set_aside.put_back(spool)
    office.bot.context.offline.replay()
    assert reasons(spool) == found
    assert office.say("/note fourth").startswith("Note · ")


def test_the_records_between_rubbish_are_written_once(office: Workplace) -> None:
    office.say("/detected disk full")
    with kept(office, "first", "second") as spool:
        spool.close()
        (path,) = spool.files()
        one, two = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"\xff\n" + one + b"rubbish " * MB + b"\n" + two + b"00000000 {}")
        office.bot.context.offline.replay()
        assert [text for _, text in standing(office)] == ["disk full", "first", "second"]
        assert reasons(spool) == [REASONS[RUBBISH]]
        assert set_aside.put_back(spool) == set_aside.PutBack(again=1)
        office.bot.context.offline.replay()
    assert [text for _, text in standing(office)] == ["disk full", "first", "second"]


def test_an_operator_sees_what_waits_and_what_was_set_aside_and_why(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append({"command": "note", "words": "secret words"}, at=AT)
    spool.append(REQUEST | {"words": "secret words"}, at=AT)
    spool.close()
    (spool.folder / FIRST).write_bytes(b"rubbish\n")
    Path(os.fsdecode(os.fsencode(spool.folder) + b"/\xff\x1b[31m.spool")).mkdir()
    for path in spool.files():
        with spool.replaying(path) as file:
            if file is not None:
                for record in file.records():
                    file.reject(record, "KeyError when it was done")
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/a.db", "SCRIBE_SPOOL": str(spool.folder)}
    told = scribe("spool", "list", **environment).stdout
    assert "0 waiting, 4 set aside" in told
    assert "note in ? by ? at ?" in told
    assert "note in C1 by U1 at 2026-03-12T12:00:00+00:00" in told
    assert "KeyError when it was done" in told
    assert TORN in told
    assert REASONS[FOLDER] in told
    assert "secret words" not in told
    assert "\x1b" not in told
    told = scribe("spool", "retry", **environment).stdout
    assert "2 put back" in told
    assert "2 still cannot be read" in told
    assert "2 waiting, 2 set aside" in scribe("spool", "list", **environment).stdout
    assert not (tmp_path / "a.db").exists()


def test_what_broke_its_handler_is_done_once_it_is_tried_again(
    office: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.say("/detected disk full")
    with kept(office, "first") as spool, monkeypatch.context() as patch:

        def breaks(*_: object) -> None:
            raise MemoryError

        patch.setattr(routes, "handle", breaks)
        office.bot.context.offline.replay()
    assert reasons(spool) == ["MemoryError when it was done"]
    assert set_aside.put_back(spool) == set_aside.PutBack(again=1)
    assert reasons(spool) == []
    assert office.bot.context.offline.replay() == 1
    assert [text for _, text in standing(office)] == ["disk full", "first"]


@pytest.mark.parametrize("in_the_way", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/full")])
def test_where_lines_cannot_be_kept_apart_their_file_is_kept(
    office: Workplace, in_the_way: Callable[[Path], object]
) -> None:
    office.say("/detected disk full")
    with kept(office, "first") as spool:
        in_the_way(spool.rejects_file)
        (spool.folder / FIRST).write_bytes(b"rubbish\n")
        office.bot.context.offline.replay()
    assert spool.files() == []
    assert b"rubbish\n" in [each.read_bytes() for each in spool.aside_files()]
    assert office.say("/note second").startswith("Note · ")


def test_a_file_that_another_process_holds_for_ever_keeps_nobody_waiting(office: Workplace) -> None:
    office.say("/detected disk full")
    with kept(office, "first") as spool:
        held = spool.folder / FIRST
        held.write_bytes(b"rubbish\n")
        with held.open("rb") as file:
            portalocker.lock(file, portalocker.LOCK_EX)
            office.bot.context.offline.replay()
            assert office.say("/note second").startswith("Note · ")
            assert held.exists()
    assert [text for _, text in standing(office)] == ["disk full", "first", "second"]


def test_a_folder_that_cannot_be_read_keeps_nobody_waiting(office: Workplace) -> None:
    office.say("/detected disk full")
    with kept(office, "first") as spool:
        spool.close()
        away = spool.folder.rename(f"{spool.folder}-away")
        spool.folder.write_text("no folder")
        office.bot.context.offline.replay()
        assert office.say("/note second").startswith("Note · ")
        spool.folder.unlink()
        away.rename(spool.folder)
        assert office.bot.context.offline.replay() == 1
    assert [text for _, text in standing(office)] == ["disk full", "second", "first"]


def test_the_reserve_is_made_again_while_it_runs(office: Workplace) -> None:
    office.bot.context.offline.replay()
    spool = office.bot.context.offline.spool
    reserve = spool.folder / "reserve"
    assert reserve.stat().st_size == RESERVE_BYTES
    for spoil in (Path.unlink, lambda path: path.write_bytes(b"short")):
        spoil(reserve)
        office.bot.context.offline.replay()
        assert reserve.stat().st_size == RESERVE_BYTES


def test_a_request_that_the_database_never_finishes_is_set_aside_in_the_end(
    office: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.say("/detected disk full")
    monkeypatch.setattr(offline_queue, "REPLAY_S", 0.3)
    handle = routes.handle

    def never(database: Database, request: Request) -> Reply:
        if request.words == "endless":
            with office.database.read() as connection:
                connection.exec_driver_sql(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
                )
        return handle(database, request)

    with kept(office, "endless", "second") as spool:
        monkeypatch.setattr(routes, "handle", never)
        for _ in range(offline_queue.MOST_TIMEOUTS):
            assert [text for _, text in standing(office)] == ["disk full"]
            office.bot.context.offline.replay()
    assert [text for _, text in standing(office)] == ["disk full", "second"]
    assert reasons(spool) == ["OperationalError when it was done"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_file_of_another_user_is_set_aside_and_root_puts_it_back() -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory(prefix="scribe-spool-") as place:
        spool = Spool(Path(place) / "spool")
        spool.folder.mkdir()
        for owned in (Path(place), spool.folder):
            os.chown(owned, nobody, nobody)
        path = spool.folder / FIRST
        path.write_bytes(line(b'{"a":1}'))
        path.chmod(0o600)
        os.seteuid(nobody)
        try:
            with spool.replaying(path) as file:
                assert file is None
            assert (spool.files(), reasons(spool)) == ([], [REASONS[UNREADABLE]])
            assert set_aside.put_back(spool) == set_aside.PutBack(left=1)
        finally:
            os.seteuid(0)
        assert set_aside.put_back(spool) == set_aside.PutBack(again=1)
        os.seteuid(nobody)
        try:
            with spool.replaying(spool.files()[0]) as file:
                assert file is not None
                assert [each.record for each in file.records()] == [{"a": 1}]
        finally:
            os.seteuid(0)


DYING = """
import os, signal, sys
import storage.spool
from bot.clock import now
from bot.config import Settings
from bot.handlers import offline, routes
from storage.database import Database

way, url, folder = sys.argv[1:]

def deadly(module, name, is_deadly):
    real = getattr(module, name)
    def patched(*given):
        if is_deadly(given):
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given)
    setattr(module, name, patched)

if way == "done":
    deadly(routes, "handle", lambda given: "deadly" in given[1].words)
if way == "read":
    deadly(storage.spool, "decode_line", lambda given: b"deadly" in given[0])
if way == "told":
    deadly(offline, "_enqueue_notices", lambda given: True)
settings = Settings.from_env({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s", "SCRIBE_SPOOL": folder})
for _ in range(10):
    if not (child := os.fork()):
        offline.OfflineQueue(Database(url), settings, now).replay()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""Replays again and again, each time in a process of its own, which a signal kills at a line or in telling of them."""


@pytest.mark.parametrize(("way", "deaths", "set_aside_lines"), [("done", 6, 2), ("read", 6, 2), ("told", 3, 0)])
def test_a_line_at_which_the_process_dies_each_time_is_set_aside(
    office: Workplace, way: str, deaths: int, set_aside_lines: int
) -> None:
    office.say("/detected disk full")
    with kept(office, "deadly at first", "first", "deadly again", "second") as spool:
        spool.close()
    url = office.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", DYING, way, url, str(spool.folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()  # noqa: S603 - ours
    assert ended == ["-9"] * deaths + ["0"] * (10 - deaths)
    wanted = ["disk full", "deadly at first", "first", "deadly again", "second"]
    assert [text for _, text in standing(office)] == [
        each for each in wanted if not set_aside_lines or "dead" not in each
    ]
    assert reasons(spool) == [DEADLY] * set_aside_lines
    assert spool.files() == []
    assert {each.name for each in spool.folder.iterdir()} <= {"reserve", spool.rejects_file.name}
    # An operator may have them tried again, by a release that does not die of them.
    assert set_aside.put_back(spool) == set_aside.PutBack(again=set_aside_lines)
    assert office.bot.context.offline.replay() == set_aside_lines
    assert sorted(text for _, text in standing(office)) == sorted(wanted)


def test_an_interrupted_replay_is_no_death_and_what_lies_beside_a_file_stops_nothing(
    office: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.say("/detected disk full")
    with kept(office, "first") as spool:
        spool.close()
    handle = routes.handle

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(routes, "handle", interrupted)
    (path,) = spool.files()
    beside = path.with_name(f"{path.name}.attempts")
    for _ in range(MOST_DEATHS + 1):
        with pytest.raises(KeyboardInterrupt):
            office.bot.context.offline.replay()
        assert beside.read_bytes().split(b"\n")[0].strip() == b""
    for lay in (written(b"\xff\0" * MB), os.mkfifo, lambda path: path.symlink_to("/dev/full"), folder):
        beside.unlink()
        lay(beside)
        with pytest.raises(KeyboardInterrupt):
            office.bot.context.offline.replay()
    monkeypatch.setattr(routes, "handle", handle)
    assert office.bot.context.offline.replay() == 1
    assert [text for _, text in standing(office)] == ["disk full", "first"]
