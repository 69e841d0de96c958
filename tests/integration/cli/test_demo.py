"""`scribe replay`."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.demo.replay import SAMPLE, replay_file
from tests.integration.cli.terminal import refused, scribe


def case(tmp_path: Path, **other: Any) -> str:
    facts = {**json.loads(SAMPLE.read_text()), **other}
    path = tmp_path / "case.json"
    path.write_text(json.dumps(facts))
    return str(path)


def test_replay_shows_the_sample_that_ships() -> None:
    assert scribe("replay").stdout == replay_file(SAMPLE).documents["md"]


def test_replay_writes_every_document_into_a_folder_it_makes(tmp_path: Path) -> None:
    said = scribe("replay", "--out", str(tmp_path / "new" / "out")).stdout
    written = sorted(path.name for path in (tmp_path / "new" / "out").iterdir())
    assert written == [f"{SAMPLE.stem}.{suffix}" for suffix in ("html", "json", "md", "png", "svg")]
    assert all(name in said for name in written)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file"),
        (b"{", "the file"),
        (b"\xff\xfe", "the file"),
        (b"[]", "the file"),
        (b"{}", "id: Field required"),
        (b'{"id": "../../etc/x"}', "line 1: id: "),
    ],
)
def test_replay_names_a_broken_file_and_what_is_wrong_in_it(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    said = refused("replay", str(path))
    assert f"{path}: {told}" in said


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"commands": []}, "commands"),
        ({"commands": [{"at": "2026-03-12T09:14:00", "user": "a", "command": "/note"}]}, "commands.0.at"),
        ({"commands": [{"at": "2026-03-12T09:14:00Z", "user": "", "command": "/note"}]}, "commands.0.user"),
        ({"commands": [{"at": "2026-03-12T09:14:00Z", "user": "a", "command": "note"}]}, "commands.0.command"),
        ({"title": 7}, "title"),
    ],
)
def test_replay_names_the_field_that_is_wrong(tmp_path: Path, facts: dict[str, Any], told: str) -> None:
    path = case(tmp_path, **facts)
    assert f"{path}: line 1: {told}: " in refused("replay", path)


def test_replay_names_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    assert f"{tmp_path}/none.json: No such file" in refused("replay", f"{tmp_path}/none.json")
    assert f"{tmp_path}: Is a directory" in refused("replay", str(tmp_path))


@pytest.mark.parametrize(("command", "words"), [("/reopened", "again"), ("/note", ""), ("/unknown", "x")])
def test_replay_names_the_file_and_the_command_that_scribe_refuses(tmp_path: Path, command: str, words: str) -> None:
    path = case(tmp_path, commands=[{"at": "2026-03-12T09:14:00Z", "user": "a", "command": command, "text": words}])
    said = refused("replay", path)
    assert f"{path}: {command} {words}" in said


def test_replay_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "is a file" in refused("replay", "--out", str(tmp_path / "file"))
    assert f"{tmp_path}/file" in refused("replay", "--out", str(tmp_path / "file" / "below"))
