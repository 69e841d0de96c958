"""What an incident's live card costs a `/note`: Scribe with cards and without, in turns, in one run."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from subprocess import Popen

from tests.benchmarks.effort import Effort
from tests.benchmarks.load import Lap, back_to_back, steady
from tests.benchmarks.office import Office, office
from tests.benchmarks.processes import cpu_s, free_port, python, wait_listening
from tests.benchmarks.race import Laps, race, ratio
from tests.benchmarks.report import heading, ms, say, table
from tests.benchmarks.requests import Typist

NOTES, PER_SECOND, WARM_UP = 400, 50, 50
"""Requests of a lap, those of a second in the steady ones, and those before the first lap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A running bot in whose channel notes are typed, and its process."""

    port: int
    process: Popen[bytes]
    author: Typist

    def notes(self, n: int) -> list[bytes]:
        """Requests for `/note`."""
        return [self.author.types("/note", f"support counts {number} tickets") for number in range(n)]

    @property
    def cpu_s(self) -> float:
        """The CPU time of the process, all threads."""
        return cpu_s(self.process.pid)


def measure(effort: Effort) -> None:
    """Print p50, throughput and CPU time with and without cards, and their ratios."""
    with ExitStack() as stack:
        place = stack.enter_context(office())
        runners = {f"cards {switch}": stack.enter_context(_running(place, switch)) for switch in ("off", "on")}
        for name, each in runners.items():
            back_to_back(each.port, [each.author.types("/detected", f"disk full, {name}")], connections=1)
            back_to_back(each.port, each.notes(WARM_UP), connections=1)
        for connections in (1, 16):
            _race(runners, connections, effort)
        _race(runners, None, effort)


def _race(runners: dict[str, Noted], connections: int | None, effort: Effort) -> None:
    cpu_ms: dict[int, list[float]] = {each.process.pid: [] for each in runners.values()}
    count = effort.of(NOTES)

    def lap(each: Noted) -> Lap:
        before_s = each.cpu_s
        notes = each.notes(count)
        if connections is None:
            taken = steady(each.port, notes, per_second=PER_SECOND)
        else:
            taken = back_to_back(each.port, notes, connections=connections)
        cpu_ms[each.process.pid].append((each.cpu_s - before_s) / count * 1000)
        return taken

    laps = race(runners, lap, rounds=effort.rounds)
    how = f"{PER_SECOND} a second" if connections is None else f"{connections} connection{'s' * (connections > 1)}"
    heading(f"/note, {how}")
    off, on = laps.values()
    cpu = [median(cpu_ms[each.process.pid]) for each in runners.values()]
    rows = [
        (name, ms(of.percentile_ms(50)), ms(of.percentile_ms(99)), f"{of.per_second:.0f}/s", ms(each))
        for (name, of), each in zip(laps.items(), cpu, strict=True)
    ]
    table(("", "p50", "p99", "throughput", "CPU each"), rows)
    say(f"on over off: p50 {ratio(_p50, on, off)}, p99 {ratio(_p99, on, off)}, CPU {cpu[1] / cpu[0]:.2f}")


def _p50(laps: Laps) -> float:
    return laps.percentile_ms(50)


def _p99(laps: Laps) -> float:
    return laps.percentile_ms(99)


@contextmanager
def _running(place: Office, switch: str) -> Iterator[Noted]:
    port, channel = free_port(), place.slack.add_channel(f"cards-{switch}")
    settings = {**place.settings(place.sqlite(f"cards-{switch}")), "SCRIBE_CARD": switch}
    with python(["-m", "bot", "run", "--port", str(port)], settings) as process:
        wait_listening(process, port)
        yield Noted(port=port, process=process, author=place.in_channel(channel))
