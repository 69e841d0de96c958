"""Every command: its help, its start-up time, its use from any folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main
from storage import schema
from tests.integration.cli.terminal import refused, scribe
from tests.support.paths import ROOT

HEAVY = ("sqlalchemy", "slack_bolt", "slack_sdk", "jinja2", "pydantic", "starlette", "uvicorn", "alembic", "matplotlib",
         "prometheus_client")  # fmt: skip
MIGRATING = ("alembic", "mako", "pygments")
FEW, MANY = 170, 1_050
"""Modules in the process that prints its help, and in the one that runs: their number hardly depends on the machine."""


@pytest.mark.parametrize("command", ["", *sorted(main.commands)])
def test_every_command_has_help(command: str) -> None:
    output = scribe(*command.split(), "--help").stdout
    assert output.startswith("Usage: ")
    assert "--help" in output


def test_help_lists_whole_sentences() -> None:
    for output in (scribe("--help").stdout, scribe("spool", "--help").stdout):
        listed = " ".join(output.partition("Commands:")[2].split())
        assert "..." not in listed
        assert "…" not in listed
    for name, command in main.commands.items():
        assert command.help is not None
        assert " ".join(command.help.partition("\n\n")[0].split()) in " ".join(scribe("--help").stdout.split()), name


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("exprt INC-1", "export"),
        ("spol list", "spool"),
        ("spool lst", "list"),
        ("replay --templat full", "--template"),
        ("export INC-1 --fromat md", "--format"),
        ("demo --no-browsr", "--no-browser"),
    ],
)
def test_a_mistyped_command_or_option_is_told_what_was_meant(typed: str, meant: str) -> None:
    message = refused(*typed.split())
    assert "Did you mean" in message
    assert f"'{meant}'" in message


@pytest.mark.parametrize(
    ("imported", "lacks", "most"), [("bot.cli", HEAVY, FEW), ("bot.run", MIGRATING, MANY)], ids=["help", "run"]
)
def test_a_start_imports_few_modules_and_none_that_is_for_others(
    imported: str, lacks: tuple[str, ...], most: int
) -> None:
    program = f"import sys, {imported}; print([name for name in {lacks} if name in sys.modules], len(sys.modules))"
    told = subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True)  # noqa: S603 - a fixed command
    found, _, count = told.rpartition(" ")
    assert found == "[]"
    assert int(count) <= most


def test_a_start_on_a_current_database_imports_no_migrations(tmp_path: Path) -> None:
    program = (
        "import sys; from storage import schema; from storage.database import Database; "
        f"schema.ensure(Database(sys.argv[1])); print([name for name in {MIGRATING} if name in sys.modules])"
    )
    start = [sys.executable, "-c", program, f"sqlite:///{tmp_path}/a.db"]
    first, second = (subprocess.check_output(start, cwd=ROOT, text=True) for _ in range(2))  # noqa: S603 - a fixed command
    assert "alembic" in first
    assert second == "[]\n"


def test_it_runs_as_a_module_from_any_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": f"sqlite:///{tmp_path}/a.db"}

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - a fixed command
            [sys.executable, "-m", "bot", *args], cwd=tmp_path, env=environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    migrated = run("migrate")
    assert (migrated.returncode, migrated.stderr) == (0, "")
    assert f"schema {schema.newest()}" in migrated.stdout
    missing = run("export", "INC-1")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "holds no incident" in missing.stderr
    replayed = run("replay")
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert replayed.stdout.startswith("# ")
