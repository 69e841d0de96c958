"""How soon there is an answer: `scribe --help` on the terminal, `scribe run` over HTTP."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from statistics import median

from tests.benchmarks.effort import Effort
from tests.benchmarks.office import Office, office
from tests.benchmarks.processes import ROOT, START_WITHIN_S, environment, free_port, python
from tests.benchmarks.report import heading, say, table

TIMES = 10
HELP = "scribe --help"
BARE = "python -c pass"
COMMANDS: Mapping[str, Sequence[str]] = {
    BARE: ("-c", "pass"),
    "python -c 'import click'": ("-c", "import click"),
    HELP: ("-m", "bot", "--help"),
}


def measure(effort: Effort) -> None:
    """Print the medians, taken in turns."""
    taken_s: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(effort.of(TIMES)):
        for name, arguments in COMMANDS.items():
            taken_s[name].append(_terminal_s(arguments))
    bare_s = median(taken_s[BARE])
    heading(f"From the command to its end (aim for {HELP}: under 0.1 s)")
    table(
        ("", "median", "over bare Python"),
        [(n, f"{median(s):.3f} s", f"{median(s) / bare_s:.1f}") for n, s in taken_s.items()],
    )
    with office() as place:
        heading("From scribe run to its first healthy answer (aim: 0.8 s)")
        say(f"on an empty folder {_run_s(place):.2f} s")
        say(f"on its database {median(_run_s(place) for _ in range(effort.rounds)):.2f} s")


def _terminal_s(arguments: Sequence[str]) -> float:
    start_s = time.perf_counter()
    command = [sys.executable, *arguments]
    subprocess.run(command, cwd=ROOT, env=environment({}), check=True, capture_output=True)  # noqa: S603 - our own words
    return time.perf_counter() - start_s


def _run_s(place: Office) -> float:
    port = free_port()
    start_s = time.perf_counter()
    with python(["-m", "bot", "run", "--port", str(port)], place.settings(place.sqlite())):
        while not is_healthy(port):
            if time.perf_counter() - start_s > START_WITHIN_S:
                raise RuntimeError("the bot did not become healthy")
            time.sleep(0.005)
        return time.perf_counter() - start_s


def is_healthy(port: int) -> bool:
    """Whether the bot on this port says that it is alive."""
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
