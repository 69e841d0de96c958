"""The audit of the locked packages: what fails it, what it lets pass, and that silence is no pass."""

import json
import runpy
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

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
