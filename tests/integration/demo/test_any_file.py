"""Any case file, any template: played and drafted, or refused in words; no path but their own is written to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from bot.cli import main
from bot.demo.casefile import Case, read_case
from bot.demo.replay import SAMPLE
from bot.documents import drafting
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.document import Document
from bot.errors import UsageError
from tests.support.casebook import entry
from tests.support.hostile import CONTROLS, JSON, PIECES, TEXTS, UNPRINTABLE, times
from tests.support.loads import loads
from tests.unit.documents.test_rendering import INCIDENT, after

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
        assert str(path) in str(error)  # noqa: PT017 - it need not be raised
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


def test_no_id_of_a_case_leads_out_of_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    for name in STRANGE_IDS:
        path.write_text(json.dumps({**WHOLE, "id": name}), encoding="utf-8")
        with pytest.raises(UsageError, match=r"case\.json: line 1: id: "):
            read_case(path)


def test_a_hostile_case_is_played_into_its_folder_and_does_nothing_there(tmp_path: Path) -> None:
    worst = "<script>alert(1)</script> <!channel> =cmd|'/c calc'!A1 \x1b[31m ![x](http://evil.example/x) {{ 7 * 7 }}"
    path, out = tmp_path / "case.json", tmp_path / "above" / "out"
    told = [
        {"at": f"2026-03-12T09:{minute:02}:00Z", "user": f"mal{worst}", "command": command, "text": worst}
        for minute, command in enumerate(("/detected", "/cause", "/note", "/resolved"))
    ]
    path.write_text(json.dumps({**WHOLE, "id": "a..b", "title": worst, "commands": told}), encoding="utf-8")
    ran = CliRunner().invoke(main, ["replay", str(path), "--out", str(out)], color=True)
    assert ran.exit_code == 0, ran.output
    assert UNPRINTABLE.search(ran.output) is None
    assert {each.name for each in out.iterdir()} == {f"a..b.{form}" for form in ("md", "html", "json", "svg", "png")}
    assert {each.name for each in (tmp_path / "above").iterdir()} == {"out"}
    for form in ("html", "svg"):
        text = (out / f"a..b.{form}").read_text(encoding="utf-8")
        assert loads(text) == []
        assert UNPRINTABLE.search(text) is None


def test_what_a_hostile_case_is_refused_for_is_told_without_its_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    told = [{"at": "2026-03-12T09:00:00Z", "user": "mallory", "command": "/lesson", "text": "\x1b]0;title\x07 \x9b31m"}]
    path.write_text(json.dumps({**WHOLE, "commands": told}), encoding="utf-8")
    ran = CliRunner().invoke(main, ["replay", str(path)], color=True)
    assert ran.exit_code == 2
    assert "/lesson" in ran.output
    assert UNPRINTABLE.search(ran.output) is None


@pytest.fixture
def document() -> Document:
    return assemble(INCIDENT, [entry(1, "detected", after(0), "disk *full*")], [], zone=ZoneInfo("UTC"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], TemplateCatalog]:
    def written(source: str) -> TemplateCatalog:
        (tmp_path / "ours.md.j2").write_text(source, encoding="utf-8", errors="replace")
        return TemplateCatalog(tmp_path)

    return written


JINJA = st.sampled_from(
    [
        "{{ ", " }}", "{% ", " %}", "{# ", " #}", "document", "section", "self", "loop", "|attr('__class__')",
        ".__class__", "[0]", "('summary', 'Ours')", "call ", "endcall", "for a in range(3)", "endfor", "if 1 / 0",
        "endif", "set x = ", "include 'parts/timeline.md.j2'", "import 'os' as os", "extends 'classic.md.j2'",
        "macro m()", "endmacro", "1 ** 99", "''.join", "|fenced", "|url", "|duration", "raw", "endraw", "namespace()",
        "filter upper", "endfilter",
    ]
)  # fmt: skip
SOURCES = st.lists(st.one_of(JINJA, PIECES), max_size=12).map("".join)


@times(6)
@given(source=SOURCES, framed=st.booleans())
@example(source="<script>alert(1)</script> <!channel> ![x](http://evil.example)", framed=True)
def test_any_template_of_the_operators_drafts_or_the_shipped_one_does(
    write: Callable[[str], TemplateCatalog], document: Document, source: str, *, framed: bool
) -> None:
    catalog = write(f'{{% call section("summary", "Ours") %}}{source}{{% endcall %}}' if framed else source)
    drafted = drafting.draft_sections(document, "ours", catalog)
    assert drafted.sections
    assert drafted.problem is None or CONTROLS.search(drafted.problem) is None, drafted.problem
    assert UNPRINTABLE.search("".join(f"{each.heading}{each.body}" for each in drafted.sections)) is None
