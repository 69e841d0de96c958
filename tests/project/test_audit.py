"""The audit of the locked packages: what fails it, what it lets pass, and that silence is no pass."""

import json
import runpy
import tomllib
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.support.paths import ROOT

DEPLOY = ROOT / "deploy"
TODAY = date(2026, 12, 1)
AUDIT = runpy.run_path(str(DEPLOY / "audit.py"))
CLEAN = {"name": "jinja2", "version": "3.1.6", "vulns": []}
FLAWED = {
    "name": "jinja2",
    "version": "2.10",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.10.1"], "aliases": ["CVE-1", "GHSA-1"], "description": "x"}],
}
SKIPPED = {"name": "jinja2", "skip_reason": "not found"}
EXCEPTION = '[[exception]]\nid = "CVE-1"\npackage = "jinja2"\nreason = "never reached"\nuntil = 2026-12-31\n'


def audited(tmp_path: Path, capsys: pytest.CaptureFixture[str], found: Any, exceptions: str = "") -> tuple[int, str]:
    path = tmp_path / "exceptions.toml"
    path.write_text(exceptions, encoding="utf-8")
    text = found if isinstance(found, str) else json.dumps({"dependencies": found, "fixes": []})
    code: int = AUDIT["main"](path, text, today=TODAY)
    return code, capsys.readouterr().out


def test_nothing_known_against_any_package_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = audited(tmp_path, capsys, [CLEAN])
    assert code == 0
    assert "1 packages audited, 0 exceptions" in said


def test_a_vulnerability_fails_and_says_what_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audited(tmp_path, capsys, [FLAWED]) == (1, "jinja2 2.10: PYSEC-1, mended in 2.10.1\n")


def test_an_exception_lets_one_pass_by_any_of_its_names_until_its_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audited(tmp_path, capsys, [FLAWED], EXCEPTION)[0] == 0
    code, said = audited(tmp_path, capsys, [FLAWED], EXCEPTION.replace("12-31", "11-30"))
    assert code == 1
    assert "look at it again" in said


def test_an_exception_that_nothing_needs_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = audited(tmp_path, capsys, [CLEAN], EXCEPTION)
    assert code == 1
    assert "needed no more" in said


@pytest.mark.parametrize("found", ["", "Traceback: no such host", "[]", "{}", [], [SKIPPED], [CLEAN, SKIPPED]])
def test_where_the_advisories_are_out_of_reach_it_says_so_loudly_and_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], found: Any
) -> None:
    code, said = audited(tmp_path, capsys, found, EXCEPTION)
    assert code == 0
    assert "NOT AUDITED" in said
    assert "packages audited" not in said


def test_a_vulnerability_counts_also_where_other_packages_could_not_be_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = audited(tmp_path, capsys, [{**FLAWED, "name": "click"}, SKIPPED])
    assert code == 1
    assert "NOT AUDITED" in said


def test_the_exceptions_we_ship_each_have_a_reason_and_a_day() -> None:
    for each in tomllib.loads((DEPLOY / "audit-exceptions.toml").read_text(encoding="utf-8")).get("exception", []):
        assert set(each) == {"id", "package", "reason", "until"}
        assert isinstance(each["until"], date)


LOCK = "jinja2==3.1.5 \\\n    --hash=sha256:00\nTyping_Extensions==4.16.0 ; sys_platform != 'win32' \\\nh11==0.16.0\n"


def advisory(name: str, *events: dict[str, str], versions: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
    package = {"ecosystem": "PyPI", "name": name}
    return {"id": "GHSA-1", "affected": [{"package": package, "ranges": ranges, "versions": list(versions)}], **more}


def audited_from_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], found: Any, exceptions: str = ""
) -> tuple[int, str]:
    for name, text in (("exceptions.toml", exceptions), ("lock", LOCK)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    file = tmp_path / "advisories"
    if isinstance(found, bytes):
        file.write_bytes(found)
    else:
        file.write_text(json.dumps(found), encoding="utf-8")
    words = [str(tmp_path / "exceptions.toml"), "--advisories", str(file), "--lock", str(tmp_path / "lock")]
    code: int = AUDIT["run"](words)
    return code, capsys.readouterr().out


FROM_START, FIXED = {"introduced": "0"}, {"fixed": "3.1.6"}


@pytest.mark.parametrize(
    ("found", "is_hit"),
    [
        (advisory("jinja2", FROM_START, FIXED), True),
        (advisory("Jinja2", FROM_START, {"fixed": "3.1.5"}), False),
        (advisory("jinja2", FROM_START, {"fixed": "3.1.5.post1"}), True),
        (advisory("jinja2", {"introduced": "3.1.5"}, FIXED), True),
        (advisory("jinja2", {"introduced": "3.1.6"}), False),
        (advisory("jinja2", FROM_START, {"last_affected": "3.1.5"}), True),
        (advisory("jinja2", FROM_START, {"last_affected": "3.1.4"}), False),
        (advisory("jinja2", FIXED, {"introduced": "3.2"}, {"fixed": "3.2.1"}, FROM_START), True),
        (advisory("jinja2", FROM_START, {"fixed": "2.0"}, {"introduced": "3.1.10"}, {"fixed": "3.1.11"}), False),
        (advisory("jinja2", versions=("3.1.4", "3.1.5")), True),
        (advisory("jinja2", versions=("3.1.4", "3.1.50")), False),
        (advisory("typing.extensions", FROM_START), True),
        (advisory("flask", FROM_START), False),
        (advisory("jinja2", FROM_START, FIXED, withdrawn="2026-01-01T00:00:00Z"), False),
        ({"id": "X", "affected": [{"package": {"ecosystem": "npm", "name": "jinja2"}, "versions": ["3.1.5"]}]}, False),
    ],
)
def test_a_file_of_advisories_is_compared_with_the_lock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], found: dict[str, Any], *, is_hit: bool
) -> None:
    for content in (found, [found], {"vulns": [found]}):
        code, said = audited_from_file(tmp_path, capsys, content)
        assert (code, "GHSA-1" in said) == (int(is_hit), is_hit), said
        assert is_hit or "3 packages audited" in said


def test_the_archive_that_osv_exports_is_read_and_the_same_flaw_of_two_databases_counts_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as writing:
        for name, aliases in (("GHSA-1", ["CVE-1"]), ("PYSEC-1", ["CVE-1", "GHSA-1"])):
            each = {**advisory("jinja2", FROM_START, FIXED), "id": name, "aliases": aliases}
            writing.writestr(f"{name}.json", json.dumps(each))
        writing.writestr("readme.txt", "no advisory")
    assert audited_from_file(tmp_path, capsys, archive.read_bytes()) == (
        1,
        "jinja2 3.1.5: GHSA-1, mended in 3.1.6\n",
    )
    exception = EXCEPTION.replace("2026-12-31", "2999-12-31")
    assert audited_from_file(tmp_path, capsys, archive.read_bytes(), exception)[0] == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[1]", b'{"vulns": []}', b"[" * 100_000, b'[{"id": "X"}, {}]'])
def test_a_file_that_holds_no_advisories_fails_and_is_no_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    with pytest.raises(SystemExit) as ended:
        audited_from_file(tmp_path, capsys, content)
    assert ended.value.code == 2


def test_the_help_shows_the_form_and_the_form_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    form: str = AUDIT["FORM"]
    example = json.loads(form[form.index("\n  [{") : form.index("\n\nA version")])
    assert audited_from_file(tmp_path, capsys, example)[0] == 1
    with pytest.raises(SystemExit):
        AUDIT["run"](["--help"])
    assert "osv.dev" in capsys.readouterr().out


MENDED = {"starlette": "1.3.1", "jinja2": "3.1.6", "h11": "0.16.0", "mako": "1.3.12", "idna": "3.15", "click": "8.3.3"}
"""From which version on there is no known vulnerability, for packages that had one lately."""


def test_what_is_installed_without_the_lock_has_the_known_fixes_too() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    floors = {requirement.name: requirement for requirement in map(Requirement, project["dependencies"])}
    for name, mended in MENDED.items():
        floor = min(Version(each.version) for each in floors[name].specifier if each.operator == ">=")
        assert floor >= Version(mended), name
    lock = AUDIT["locked"]((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert all(requirement.specifier.contains(lock[name]) for name, requirement in floors.items() if name in lock)
