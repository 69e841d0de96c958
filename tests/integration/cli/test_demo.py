"""`scribe replay`."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.demo.casefile import SAMPLE
from bot.demo.replay import replay_file
from tests.integration.cli.terminal import refused, scribe


def case(tmp_path: Path, **other: Any) -> str:
    facts = {**json.loads(SAMPLE.read_text()), **other}
    path = tmp_path / "case.json"
    path.write_text(json.dumps(facts))
    return str(path)


def test_replay_prints_the_shipped_samples_postmortem() -> None:
    assert scribe("replay").stdout == replay_file(SAMPLE).documents["md"]


def test_replay_writes_every_document_into_a_new_folder(tmp_path: Path) -> None:
    output = scribe("replay", "--out", str(tmp_path / "new" / "out")).stdout
    written = sorted(path.name for path in (tmp_path / "new" / "out").iterdir())
    assert written == [f"{SAMPLE.stem}.{suffix}" for suffix in ("html", "json", "md", "png", "svg")]
    assert all(name in output for name in written)


def test_replay_writes_another_template_and_edition(tmp_path: Path) -> None:
    learning = scribe("replay", "--template", "learning").stdout
    assert "## Issue summary" in scribe("replay").stdout
    assert "## Issue summary" not in learning
    assert "Mia" in learning
    assert "Mia" not in scribe("replay", "--template", "learning", "--edition", "blameless").stdout
    scribe("replay", "--edition", "public", "--out", str(tmp_path / "out"))
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".html", ".md", ".png", ".svg"]
    (tmp_path / "ours.md.j2").write_text('{% call section("a", "Ours") %}{{ incident.title }}{% endcall %}')
    assert "## Ours\n" in scribe("replay", "--template", "ours", SCRIBE_TEMPLATES=str(tmp_path)).stdout
    assert "Did you mean learning?" in refused("replay", "--template", "learnin")
    assert "has a template of its own" in refused("replay", "--template", "full", "--edition", "public")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file"),
        (b"{", "the file"),
        (b"\xff\xfe", "the file"),
        (b"[]", "the file"),
        (b"{}", "id: Field required"),
        (b'{"id": "../../etc/x"}', "line 1: id: "),
    ],
)
def test_replay_names_a_broken_file_and_its_problem(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    assert f"{path}: {problem}" in refused("replay", str(path))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"commands": []}, "commands"),
        ({"commands": [{"at": "2026-03-12T09:14:00", "user": "a", "command": "/note"}]}, "commands.0.at"),
        ({"commands": [{"at": "2026-03-12T09:14:00Z", "user": "", "command": "/note"}]}, "commands.0.user"),
        ({"commands": [{"at": "2026-03-12T09:14:00Z", "user": "a", "command": "note"}]}, "commands.0.command"),
        ({"title": 7}, "title"),
    ],
)
def test_replay_names_the_invalid_field_and_its_line(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    path = case(tmp_path, **changes)
    assert f"{path}: line 1: {field}: " in refused("replay", path)


def test_replay_names_a_missing_file_or_a_folder(tmp_path: Path) -> None:
    assert f"{tmp_path}/none.json: No such file" in refused("replay", f"{tmp_path}/none.json")
    assert f"{tmp_path}: Is a directory" in refused("replay", str(tmp_path))


@pytest.mark.parametrize(("command", "words"), [("/note", "INC-9 again"), ("/note", ""), ("/unknown", "x")])
def test_replay_names_the_file_and_the_refused_command(tmp_path: Path, command: str, words: str) -> None:
    path = case(tmp_path, commands=[{"at": "2026-03-12T09:14:00Z", "user": "a", "command": command, "text": words}])
    assert f"{path}: {command} {words}" in refused("replay", path)


def test_replay_names_a_path_that_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "is a file" in refused("replay", "--out", str(tmp_path / "file"))
    assert f"{tmp_path}/file" in refused("replay", "--out", str(tmp_path / "file" / "below"))
