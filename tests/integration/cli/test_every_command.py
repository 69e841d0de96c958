"""Every command: its help, its start-up time, its use from any folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import main
from storage import schema
from tests.integration.cli.terminal import scribe
from tests.support.paths import ROOT

HEAVY = ("sqlalchemy", "slack_bolt", "slack_sdk", "jinja2", "pydantic", "starlette", "uvicorn", "alembic", "matplotlib",
         "prometheus_client", "structlog")  # fmt: skip


@pytest.mark.parametrize("command", ["", *sorted(main.commands)])
def test_every_command_has_help(command: str) -> None:
    output = scribe(*command.split(), "--help").stdout
    assert output.startswith("Usage: ")
    assert "--help" in output


def test_help_imports_no_heavy_module() -> None:
    program = f"import bot.cli, sys; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True) == "[]\n"  # noqa: S603 - a fixed command


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
