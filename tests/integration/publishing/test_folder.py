"""A directory is brought to certain bytes: whole files, none left over, nothing else touched."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.demo.casefile import SAMPLE
from bot.demo.replay import replay_file
from bot.documents.picture.png import png
from bot.publishing import folder
from tests.support.paths import ROOT


def test_only_what_differs_is_written_and_strangers_are_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "INC-1"
    assert folder.write(place, {"a": b"1", "b": b"1"})
    (place / "notes").write_text("somebody's own")
    before = (place / "a").stat().st_ino
    assert folder.write(place, {"a": b"1", "b": b"2"})
    assert (place / "a").stat().st_ino == before
    assert (place / "b").read_bytes() == b"2"
    assert not folder.write(place, {"a": b"1", "b": b"2"})
    assert sorted(path.name for path in place.iterdir()) == ["a", "b", "notes"]


def test_what_is_published_may_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    """A web server may serve the folder, so the files are no private ones."""
    before = os.umask(0o022)
    try:
        place = tmp_path / "INC-1"
        folder.write(place, {"a": b"1"})
        folder.write(place, {"a": b"2"})
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o755
    assert stat.S_IMODE((place / "a").stat().st_mode) == 0o644


def test_what_a_killed_writer_left_is_cleared_away(tmp_path: Path) -> None:
    place = tmp_path / "INC-1"
    place.mkdir()
    (place / ".a.1234.part").write_bytes(b"hal")
    folder.write(place, {"a": b"1"})
    assert [path.name for path in place.iterdir()] == ["a"]


def test_a_file_that_cannot_be_put_there_leaves_no_part_behind(tmp_path: Path) -> None:
    place = tmp_path / "INC-1"
    (place / "a" / "deeper").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        folder.write(place, {"a": b"1"})
    assert [path.name for path in place.iterdir()] == ["a"]


def test_the_bytes_depend_on_the_store_alone(tmp_path: Path) -> None:
    """Not on the hour, the machine's zone, or the order of its sets."""
    subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "bot", "replay", "--out", str(tmp_path)],
        cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}, capture_output=True, check=True,
    )  # fmt: skip
    elsewhere = {path.suffix[1:]: path.read_bytes() for path in tmp_path.iterdir()}
    here = replay_file(SAMPLE).documents
    assert elsewhere == {suffix: text.encode() for suffix, text in here.items()} | {"png": png(here["svg"])}
    assert here.keys() == set(folder.FILES.values())
