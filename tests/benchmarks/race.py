"""A race: every contender runs a lap in each round, in another order every time."""

from collections.abc import Callable, Mapping
from statistics import quantiles
from typing import TypeVar

from tests.benchmarks.load import Lap

Runner = TypeVar("Runner")


class Laps:
    """One contender's laps, one for each round."""

    def __init__(self, laps: list[Lap]) -> None:
        self.laps = laps

    def percentile_ms(self, percent: int) -> float:
        """The milliseconds that so many per cent of all requests stayed under."""
        return _percentile_ms([each_s for lap in self.laps for each_s in lap.each_s], percent)

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of the server's CPU time for a request."""
        return sum(lap.cpu_s for lap in self.laps) / sum(len(lap.each_s) for lap in self.laps) * 1000

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return sum(len(lap.each_s) for lap in self.laps) / sum(lap.all_s for lap in self.laps)


def _percentile_ms(each_s: list[float], percent: int) -> float:
    return quantiles(each_s, n=100, method="inclusive")[percent - 1] * 1000


def race(runners: Mapping[str, Runner], lap: Callable[[Runner], Lap], *, rounds: int) -> dict[str, Laps]:
    """Every runner's laps by its name. Each round begins with another runner."""
    names = list(runners)
    laps: dict[str, list[Lap]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            laps[name].append(lap(runners[name]))
    return {name: Laps(run) for name, run in laps.items()}


def ratio(value: Callable[[Laps], float], over: Laps, under: Laps) -> str:
    """How many times `under`'s value `over`'s is, and within which bounds that was in the single rounds."""
    rounds = [value(Laps([one])) / value(Laps([other])) for one, other in zip(over.laps, under.laps, strict=True)]
    return f"{value(over) / value(under):.2f} ({min(rounds):.2f} to {max(rounds):.2f})"
