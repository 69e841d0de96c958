import errno
import os
import stat
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.doctor import set_aside
from storage.spool import RESERVE_BYTES, Spool
from storage.spool_lines import TORN, Record

AT = datetime(2026, 3, 12, 9, 14, tzinfo=UTC)
WORDS = [{"words": "disk full — ünï\n\u2028"}, {"words": ""}, {"words": "x" * 100_000}]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool")
    yield spool
    spool.close()


def kept(spool: Spool) -> list[Record]:
    spool.close()
    (path,) = spool.files()
    with spool.replaying(path) as held:
        assert held is not None
        return [each.record for each in held.records()]


def fill(spool: Spool) -> None:
    for record in WORDS:
        spool.append(record, at=AT)


def test_records_come_back_in_order_and_are_gone_once_replayed(spool: Spool) -> None:
    fill(spool)
    assert spool.count() == 3
    assert kept(spool) == WORDS
    assert (spool.files(), spool.count(), spool.rejected_count()) == ([], 0, 0)


def test_only_the_owner_may_read_the_spool(spool: Spool) -> None:
    fill(spool)
    assert stat.S_IMODE(spool.files()[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700


def test_a_record_that_a_crash_cut_short_is_rejected_and_the_rest_is_read(spool: Spool) -> None:
    fill(spool)
    path = spool.files()[0]
    content = path.read_bytes()
    path.write_bytes(content[:-50])
    assert kept(spool) == WORDS[:2]
    assert spool.rejects_file.read_bytes() == b"!%s\t%s\n" % (TORN.encode(), content.split(b"\n")[2][:-49])


@pytest.mark.parametrize("line", [b"", b"no checksum", b"zzzzzzzz {}", b"00000000 {}", b"a3a6bf43 []", b"\xff\xfe"])
def test_an_invalid_line_does_not_affect_the_others(spool: Spool, line: bytes) -> None:
    fill(spool)
    path = spool.files()[0]
    path.write_bytes(line + b"\n" + path.read_bytes())
    assert kept(spool) == WORDS
    assert spool.rejected_count() == (1 if line else 0)


def test_a_file_whose_replay_fails_stays(spool: Spool) -> None:
    fill(spool)
    spool.close()
    (path,) = spool.files()
    with pytest.raises(OSError, match="away again"), spool.replaying(path):
        raise OSError("away again")
    assert kept(spool) == WORDS


def test_the_file_of_a_living_process_is_left_alone_and_that_of_a_dead_one_taken_over(spool: Spool) -> None:
    fill(spool)
    other = Spool(spool.folder)
    (path,) = other.files()
    with other.replaying(path) as held:
        assert held is None
    spool.close()
    assert kept(other) == WORDS
    with other.replaying(path) as held:
        assert held is None


def test_a_record_appended_during_a_replay_goes_into_a_new_file(spool: Spool) -> None:
    fill(spool)
    spool.close()
    (path,) = spool.files()
    with spool.replaying(path) as held:
        assert held is not None
        assert [each.record for each in held.records()] == WORDS
        spool.append({"words": "later"}, at=AT)
    assert kept(spool) == [{"words": "later"}]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:  # noqa: S603
        pytest.skip("a disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607


def write_until_full(path: Path) -> None:
    with path.open("wb") as full:
        while True:
            full.write(b"\0" * 4096)
            full.flush()


def append_until_full(spool: Spool, record: Record, written: list[Record]) -> None:
    while len(written) < 2 * RESERVE_BYTES // 1000:
        spool.append(record, at=AT)
        written.append(record)


def test_on_a_full_disk_the_reserve_makes_room_and_then_the_caller_is_told(small_disk: Path) -> None:
    spool = Spool(small_disk / "spool")
    spool.reserve_space()
    with pytest.raises(OSError, match="No space"):
        write_until_full(small_disk / "full")
    written: list[Record] = []
    with pytest.raises(OSError, match="No space") as told:
        append_until_full(spool, {"words": "x" * 1000}, written)
    assert told.value.errno == errno.ENOSPC
    assert len(written) * 1000 > RESERVE_BYTES // 2
    # A file system that is full has no room for one more name either, and none is needed.
    assert kept(spool) == written
    assert spool.rejected_count() == 0


def test_words_are_changed_in_what_waits_and_in_what_was_rejected(spool: Spool) -> None:
    for words in ("db1 has hunter2", "disk full"):
        spool.append({"words": words}, at=AT)
    spool.close()
    (path,) = spool.files()
    spool.rejects_file.write_bytes(b'0000 {"words": "hunter2 on db1"}\nnothing \xff here\n')

    def erase(text: str) -> str:
        return text.replace("hunter2", "…")

    def change(record: Record) -> Record:
        return {"words": erase(record["words"])}

    assert spool.rewrite(change, erase) == 2
    assert spool.rewrite(change, erase) == 0
    assert [each.name for each in spool.files()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"hunter2" not in b"".join(each.read_bytes() for each in spool.folder.iterdir())
    assert b"nothing \xff here\n" in spool.rejects_file.read_bytes()
    assert kept(spool) == [{"words": "db1 has …"}, {"words": "disk full"}]


def test_a_rejected_line_keeps_its_reason_when_words_are_changed(spool: Spool) -> None:
    spool.append({"words": "hunter2"}, at=AT)
    spool.close()
    with spool.replaying(spool.files()[0]) as held:
        assert held is not None
        (record,) = held.records()
        held.reject(record, "KeyError when\tit was\ndone")
    assert spool.rewrite(lambda _: {"words": "…"}, str) == 1
    (found,) = set_aside.listed(spool)
    assert (found.reason, found.record) == ("KeyError when it was done", {"words": "…"})
    assert set_aside.put_back(spool) == set_aside.PutBack(again=1)
    assert kept(spool) == [{"words": "…"}]


def test_on_a_full_disk_a_file_with_a_torn_line_is_kept_whole_and_the_rest_is_read(small_disk: Path) -> None:
    spool = Spool(small_disk / "spool")
    spool.append({"words": "first"}, at=AT)
    spool.close()
    (path,) = spool.files()
    whole = path.read_bytes() + b"torn\n"
    path.write_bytes(whole)
    with pytest.raises(OSError, match="No space"):
        write_until_full(small_disk / "full")
    assert kept(spool) == [{"words": "first"}]
    assert spool.files() == []
    assert [each.read_bytes() for each in spool.aside_files()] == [whole]
    spool.reserve_space()
    assert not (spool.folder / "reserve").exists()
    (small_disk / "full").unlink()
    spool.reserve_space()
    assert (spool.folder / "reserve").stat().st_size == RESERVE_BYTES


def test_the_file_that_a_living_process_appends_to_is_not_changed(spool: Spool) -> None:
    spool.append({"words": "hunter2"}, at=AT)
    assert Spool(spool.folder).rewrite(lambda _: {}, str) == 0
    assert kept(spool) == [{"words": "hunter2"}]
