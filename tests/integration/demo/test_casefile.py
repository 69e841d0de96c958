"""Any case file is read or refused in one line; a hostile one writes only into its folder."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from bot.cli import main
from bot.demo.casefile import SAMPLE, Case, read_case
from bot.errors import UsageError
from tests.support.hostile import CONTROLS, JSON, TEXTS, UNPRINTABLE, times
from tests.support.loads import loads

WHOLE: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
STRANGE_IDS = ["../x", "/etc/x", "a/b", "a\\b", "..", ".", "", "a\n", "a\0", "~", "-rf", ".git", "a b", "é", "con:"]


@times(40)
@given(key=st.sampled_from([*sorted(WHOLE), "at", "user", "command", "text"]), value=st.one_of(JSON, TEXTS))
@example(key="timezone", value="../../etc/passwd")
@example(key="timezone", value="/etc/passwd")
@example(key="timezone", value="x" * 5_000)
@example(key="at", value="\ud800")
def test_any_case_is_read_or_refused_in_one_line(tmp_path: Path, key: str, value: Any) -> None:
    case = {**WHOLE, key: value} if key in WHOLE else {**WHOLE, "commands": [{**WHOLE["commands"][0], key: value}]}
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case), encoding="utf-8")
    try:
        assert isinstance(read_case(path), Case)
    except UsageError as error:
        assert str(path) in str(error)  # noqa: PT017 - some cases are valid
        assert CONTROLS.search(str(error)) is None  # noqa: PT017 - as above


@times(50)
@given(content=st.one_of(st.binary(max_size=300), JSON.map(lambda value: json.dumps(value).encode())))
@example(content=b"[" * 100_000)
@example(content=b'{"id": 1' + b"0" * 5_000 + b"}")
def test_any_bytes_are_read_as_a_case_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "case.json"
    path.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        read_case(path)
    assert CONTROLS.search(str(refused.value)) is None


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    ("at", "is_read"),
    [
        ("0001-01-01T00:00:00Z", False),
        ("0001-01-01T00:00:00+14:00", False),
        ("1969-12-31T23:59:59.999Z", False),
        ("1970-01-01T00:00:00Z", True),
        ("8999-12-31T23:59:59.999Z", True),
        ("9000-01-01T00:00:00.001Z", False),
        ("9999-12-31T23:59:59.999Z", False),
        ("9999-12-31T23:59:59.999-12:00", False),
    ],
)
def test_a_year_that_scribe_keeps_is_replayed_and_another_is_refused_with_its_place(
    tmp_path: Path, at: str, zone: str, *, is_read: bool
) -> None:
    path = tmp_path / "case.json"
    told = (("/detected", "disk full"), ("/note", "at 08:00 the alert came"), ("/resolved", "freed space"))
    commands = [{"at": at, "user": "alice", "command": command, "text": text} for command, text in told]
    path.write_text(json.dumps({**WHOLE, "timezone": zone, "commands": commands}), encoding="utf-8")
    result = CliRunner().invoke(main, ["replay", str(path)])
    if is_read:
        assert (result.exit_code, "disk full" in result.stdout) == (0, True), result.output
    else:
        assert result.exit_code == 2
        assert "commands.0.at: " in result.stderr
        assert "1970 to 8999" in result.stderr


def test_an_id_that_is_no_plain_file_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    for name in STRANGE_IDS:
        path.write_text(json.dumps({**WHOLE, "id": name}), encoding="utf-8")
        with pytest.raises(UsageError, match=r"case\.json: line 1: id: "):
            read_case(path)


def test_the_documents_of_a_hostile_case_stay_in_their_folder_and_run_nothing(tmp_path: Path) -> None:
    worst = "<script>alert(1)</script> <!channel> =cmd|'/c calc'!A1 \x1b[31m ![x](http://evil.example/x) {{ 7 * 7 }}"
    path, out = tmp_path / "case.json", tmp_path / "above" / "out"
    commands = [
        {"at": f"2026-03-12T09:{minute:02}:00Z", "user": f"mal{worst}", "command": command, "text": worst}
        for minute, command in enumerate(("/detected", "/cause", "/note", "/resolved"))
    ]
    path.write_text(json.dumps({**WHOLE, "id": "a..b", "title": worst, "commands": commands}), encoding="utf-8")
    result = CliRunner().invoke(main, ["replay", str(path), "--out", str(out)], color=True)
    assert result.exit_code == 0, result.output
    assert UNPRINTABLE.search(result.output) is None
    assert {each.name for each in out.iterdir()} == {f"a..b.{form}" for form in ("md", "html", "json", "svg", "png")}
    assert {each.name for each in (tmp_path / "above").iterdir()} == {"out"}
    for form in ("html", "svg"):
        text = (out / f"a..b.{form}").read_text(encoding="utf-8")
        assert loads(text) == []
        assert UNPRINTABLE.search(text) is None


def test_the_refusal_of_a_hostile_case_has_no_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    commands = [
        {
            "at": "2026-03-12T09:00:00Z",
            "user": "mallory",
            "command": "/note",
            "text": "at 14:99 \x1b]0;title\x07 \x9b31m",
        }
    ]
    path.write_text(json.dumps({**WHOLE, "commands": commands}), encoding="utf-8")
    result = CliRunner().invoke(main, ["replay", str(path)], color=True)
    assert result.exit_code == 2
    assert "/note" in result.output
    assert UNPRINTABLE.search(result.output) is None
