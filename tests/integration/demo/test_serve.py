"""`scribe demo` as a process: its output, its signals, its errors."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.demo.casefile import SAMPLE
from bot.demo.page import STARTING
from bot.server.threaded import base_url, listen
from storage.database import Database
from tests.support.paths import ROOT


@contextmanager
def demo(folder: Path, *args: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`scribe demo ARGS` with its temporary files in the folder: the process, and the address that it printed."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "DATABASE_URL": "x://y"}
    environment |= {"XDG_DATA_HOME": f"{folder}/data", **variables}
    process = subprocess.Popen(  # noqa: S603 - a fixed command
        [sys.executable, "-m", "bot", "demo", *args],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, process.communicate(timeout=60)
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


def setup(address: str) -> dict[str, Any]:
    """The page's setup, once the bot runs: the address is printed before."""
    while (answer := httpx.get(f"{address}setup", trust_env=False, timeout=120)).status_code == STARTING:
        pass
    found: dict[str, Any] = answer.json()
    return found


def refused(*args: str, **variables: str) -> str:
    """What `scribe demo` says when it does not start. Called in this process: another takes two seconds to come up."""
    done = CliRunner().invoke(main, ["demo", "--no-browser", *args], env=variables)
    assert (done.exit_code, done.stdout) == (2, "")
    return done.stderr


@pytest.fixture
def default_hangup() -> Iterator[None]:
    """SIGHUP with its default action: under nohup it is ignored, which child processes inherit."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("default_hangup")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_prints_its_address_and_leaves_no_file_behind(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path, "--no-browser") as (process, address):
        assert address.startswith("http://127.0.0.1:")
        assert httpx.get(address, trust_env=False, timeout=120).status_code == 200
        assert process.stdout is not None
        assert "Ctrl-C" in process.stdout.readline()
        assert list(tmp_path.iterdir())
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_a_named_store_is_kept_and_a_drill_starts_with_the_first_request(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/kept.db"
    args = ("--database", store, "--replay", str(SAMPLE), "--speed", "90000")
    with demo(tmp_path, *args) as (process, address):
        assert process.stdout is not None
        lines = process.stdout.readline() + process.stdout.readline()
        assert "There is no screen here" in lines
        channel = setup(address)["channel"]
        query, over = {"as": "U000000001", "channel": channel}, False
        while not over:
            state = httpx.get(f"{address}state", params=query, trust_env=False, timeout=120).json()
            over, query["after"] = bool(state["drill"] and state["drill"]["over"]), str(state["version"])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0
    database = Database(store)
    with database.read() as connection:
        assert connection.exec_driver_sql("select count(*) from timeline_entries").scalar() == 16
    database.close()


def test_a_browser_that_does_not_start_is_reported(tmp_path: Path) -> None:
    with demo(tmp_path, "--http", BROWSER="/nowhere/browser") as (process, _):
        assert process.stdout is not None
        lines = process.stdout.readline() + process.stdout.readline()
        assert "No browser could be started; open that address in one." in lines


def test_an_invalid_setting_is_named() -> None:
    for name, value in (("SCRIBE_LOG_LEVEL", "loud"), ("SCRIBE_PREFIX", "!"), ("SCRIBE_TEMPLATE", "nothing")):
        assert f"{name}: " in refused(**{name: value})


def test_a_port_in_use_is_reported() -> None:
    with listen(0) as taken:
        port = base_url(taken).rpartition(":")[2]
        assert f"Port {port}: Address already in use. For any free one: scribe demo --port 0" in refused("--port", port)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{\n  nonsense", "line 2 column 3"),
        (SAMPLE.read_text().replace("2026-03-12T09:17:00Z", "soon"), "line 10: commands.2.at:"),
        (SAMPLE.read_text().replace("Europe/Berlin", "Mars"), "line 5: timezone: 'Mars' is no time zone"),
        ('{"a": "\\"commands\\": [", "id": "x"}', "title: Field required"),
    ],
)
def test_a_broken_case_file_is_named_with_its_line(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "case.json"
    path.write_text(content, encoding="utf-8")
    output = " ".join(refused("--replay", str(path)).split())
    assert f"{path}: " in output
    assert problem in output


def test_a_missing_case_file_is_named() -> None:
    assert "/nowhere.json: No such file" in refused("--replay", "/nowhere.json")
