"""Several processes that remind from one database at once."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bot.fakeslack.objects import User
from bot.fakeslack.slack import Slack
from tests.support.many_items import AT
from tests.support.paths import ROOT


def staffed(slack: Slack, people: int) -> None:
    for number in range(people):
        slack.workspace.put_user(User(id=f"U{number}", name=f"u{number}", real_name="", zone="UTC", updated_at=AT))


def _inherited() -> dict[str, str]:
    """The variables without which Python is not found, or the user's own data folder would be used."""
    return {name: os.environ[name] for name in ("PATH", "XDG_DATA_HOME") if name in os.environ}


@contextmanager
def workers(environment: Mapping[str, str], count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """So many processes, ready to begin together."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.reminding"], cwd=ROOT, text=True,
            env={**_inherited(), **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(count)
    ]  # fmt: skip
    try:
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        yield started
    finally:
        for each in started:
            each.kill()
            each.communicate()


def go(processes: list[subprocess.Popen[str]]) -> None:
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
