"""The hostile Slack, socket, spool, clock and file, for longer than in the suite: what is held of what is promised."""

import os
import re
import subprocess
import sys
import time

from tests.benchmarks.effort import Effort
from tests.benchmarks.report import heading, say, table
from tests.support.attacks import ROUNDS_VARIABLE, SEED_VARIABLE
from tests.support.paths import ROOT

_COUNT = re.compile(r"(\d+) (passed|failed|error|skipped)")


def measure(effort: Effort) -> None:
    """Print how many attacks each table has, and how many were not withstood, with `effort.rounds` of each."""
    say(f"seed {effort.seed}")
    heading(f"Attacks, {effort.rounds} rounds of each")
    tables = sorted((ROOT / "tests/reliability").glob("test_hostile_*.py"))
    environment = {**os.environ, ROUNDS_VARIABLE: str(effort.rounds), SEED_VARIABLE: str(effort.seed)}
    rows, failed = [], []
    for path in tables:
        begun_s = time.monotonic()
        run = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", "pytest", "-n0", "--no-header", "-rfE", "--tb=no", str(path)],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        counts = {name: number for number, name in _COUNT.findall(run.stdout)}
        failed += [line for line in run.stdout.splitlines() if line.startswith(("FAILED tests", "ERROR tests"))]
        broken = int(counts.get("failed", 0)) + int(counts.get("error", 0))
        name = path.stem.removeprefix("test_hostile_")
        rows.append((name, counts.get("passed", "0"), str(broken), f"{time.monotonic() - begun_s:.0f} s"))
    table(("", "withstood", "not withstood", "in"), rows)
    for line in failed:
        say(line)
