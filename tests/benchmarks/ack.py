"""From a signed `/detected` to its answer: Scribe beside the floor and bare Bolt, then at a steady rate."""

from contextlib import ExitStack

from tests.benchmarks import contenders
from tests.benchmarks.contenders import Contender
from tests.benchmarks.effort import Effort
from tests.benchmarks.load import Lap, back_to_back, steady
from tests.benchmarks.office import office
from tests.benchmarks.race import Laps, race, ratio
from tests.benchmarks.report import heading, ms, say, table

LAPS = {1: 400, 16: 1600}
"""Requests of a lap by the number of connections."""
WARM_UP = 100
PER_SECOND = 200
STEADY_S = 3


def measure(effort: Effort) -> None:
    """Print the tables, and check that what was acknowledged is stored."""
    with ExitStack() as stack:
        place = stack.enter_context(office())
        floor = stack.enter_context(contenders.floor(place))
        bolt = stack.enter_context(contenders.bare_bolt(place))
        scribe = stack.enter_context(contenders.scribe(place, place.sqlite()))
        for connections in LAPS:
            laps = crowd([floor, bolt, scribe], connections, effort)
            compare(laps, scribe.name, [floor.name, bolt.name])
        _steady(floor, scribe, effort)
        for contender in (floor, bolt, scribe):
            say(contender.check())


def crowd(runners: list[Contender], connections: int, effort: Effort) -> dict[str, Laps]:
    """Laps of requests sent back to back over so many connections, and their table."""

    def lap(contender: Contender) -> Lap:
        requests = contender.detections(effort.of(LAPS[connections]))
        return contender.timed(lambda: back_to_back(contender.port, requests, connections=connections))

    for contender in runners:
        back_to_back(contender.port, contender.detections(WARM_UP), connections=connections)
    laps = race({each.name: each for each in runners}, lap, rounds=effort.rounds)
    heading(f"/detected, {connections} connection{'s' if connections > 1 else ''}")
    show(laps)
    return laps


def show(laps: dict[str, Laps]) -> None:
    """Print the laps' table."""
    rows = [
        (name, ms(of.percentile_ms(50)), ms(of.percentile_ms(99)), f"{of.per_second:.0f}/s", ms(of.cpu_ms))
        for name, of in laps.items()
    ]
    table(("", "p50", "p99", "throughput", "CPU each"), rows)


def compare(laps: dict[str, Laps], one: str, others: list[str]) -> None:
    """Print how many times slower `one` is; in brackets the least and the most of the single rounds."""
    for other in others:
        p50 = ratio(lambda of: of.percentile_ms(50), laps[one], laps[other])
        p99 = ratio(lambda of: of.percentile_ms(99), laps[one], laps[other])
        throughput = ratio(lambda of: of.per_second, laps[other], laps[one])
        cpu = laps[one].cpu_ms / laps[other].cpu_ms
        say(f"{one} over {other}: p50 {p50}, p99 {p99}, throughput {throughput}, CPU {cpu:.2f}")


def _steady(floor: Contender, scribe: Contender, effort: Effort) -> None:
    def lap(contender: Contender) -> Lap:
        requests = contender.detections(effort.of(PER_SECOND * STEADY_S))
        return contender.timed(lambda: steady(contender.port, requests, per_second=PER_SECOND))

    laps = race({each.name: each for each in (floor, scribe)}, lap, rounds=effort.rounds)
    heading(f"/detected, {PER_SECOND} a second, each counted from the instant it was due")
    show(laps)
    p99 = ratio(lambda of: of.percentile_ms(99), laps[scribe.name], laps[floor.name])
    say(f"{scribe.name} over {floor.name}: p99 {p99}")
