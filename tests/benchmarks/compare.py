"""Whether Scribe costs more than when it was last kept: ratios of CPU time, which a busy machine hardly changes.

Each is taken in one run with what it is a ratio to, so that another machine hardly changes it either.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import contenders
from tests.benchmarks.contenders import Contender
from tests.benchmarks.load import back_to_back
from tests.benchmarks.office import Office, office
from tests.benchmarks.processes import START_WITHIN_S, cpu_s, free_port, python
from tests.benchmarks.report import heading, say, table
from tests.benchmarks.start import is_healthy

ROUNDS, REQUESTS, WARM_UP = 4, 200, 100
STARTS = 3
NOTES, START = (
    "/note, {connections} at once, over the floor",
    "scribe run until /healthz, over imports of Python's own",
)
REFERENCE = "import asyncio, email.mime.text, http.server, logging.config, time, unittest.mock, xml.dom.minidom"


def measure(file: Path, *, keep: bool) -> None:
    """Print the ratios beside those in the file, in less than a minute; with `keep`, write them there."""
    before: dict[str, Any] = {"python": "none", "ratios": {}}
    if file.exists():
        before = json.loads(file.read_text(encoding="utf-8"))
    with office() as place:
        found = {NOTES.format(connections=number): _answering(place, number) for number in (1, 16)}
        found[START] = _starting(place)
    heading("CPU time, all threads: ratios now and as kept (much more than 1 is a regression)")
    kept = before["ratios"]
    table(
        ("", "now", "kept", "now over kept"),
        [
            (name, f"{now:.2f}", f"{kept[name]:.2f}" if name in kept else "-",
             f"{now / kept[name]:.2f}" if name in kept else "-")
            for name, now in found.items()
        ],
    )  # fmt: skip
    say(f"now with Python {sys.version}, kept with {before['python']}".replace("\n", " "))
    if keep:
        ratios = {name: round(now, 2) for name, now in found.items()}
        file.write_text(
            json.dumps({"python": f"Python {sys.version}".replace("\n", " "), "ratios": ratios}, indent=2) + "\n",
            encoding="utf-8",
        )


def _answering(place: Office, connections: int) -> float:
    """The CPU time of an answer, and of what follows from it, over the floor's."""
    with (
        contenders.floor(place, f"floor-{connections}") as floor,
        contenders.scribe(place, place.sqlite(f"scribe-{connections}")) as scribe,
    ):
        for each in (floor, scribe):
            back_to_back(each.port, each.detections(1), connections=1)
            back_to_back(each.port, _notes(each, WARM_UP), connections=connections)
        begun_s = {each.name: cpu_s(each.pid) for each in (floor, scribe)}
        for _ in range(ROUNDS):
            for each in (floor, scribe):
                back_to_back(each.port, _notes(each, REQUESTS), connections=connections)
        return _since(scribe, begun_s) / _since(floor, begun_s)


def _notes(contender: Contender, count: int) -> list[bytes]:
    return [contender.author_name.types("/note", f"support counts {number} tickets") for number in range(count)]


def _since(contender: Contender, begun_s: dict[str, float]) -> float:
    return cpu_s(contender.pid) - begun_s[contender.name]


def _starting(place: Office) -> float:
    """The CPU time until the first healthy answer on a current database, over that of some imports."""
    taken = [(_start_s(place), _imports_s()) for _ in range(STARTS + 1)][1:]
    return median(start for start, _ in taken) / median(imports for _, imports in taken)


def _start_s(place: Office) -> float:
    port, give_up_at_s = free_port(), time.monotonic() + START_WITHIN_S
    with python(["-m", "bot", "run", "--port", str(port)], place.settings(place.sqlite("start"))) as process:
        while not is_healthy(port):
            if time.monotonic() > give_up_at_s:
                raise RuntimeError("the bot did not become healthy")
            time.sleep(0.01)
        return cpu_s(process.pid)


def _imports_s() -> float:
    program = f"{REFERENCE}; print(time.process_time())"
    return float(subprocess.check_output([sys.executable, "-c", program], text=True))  # noqa: S603 - our own words
