import random

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.report.report import Spread, spread

TIMES = st.lists(st.none() | st.integers(0, 10**9) | st.floats(0, 1e9), max_size=60)


def of(seconds: list[float | None]) -> Spread:
    return spread("time_to_detect", "Time to detect", "detected minus started", seconds)


@given(TIMES)
def test_every_incident_is_counted_once_as_known_or_unknown(seconds: list[float | None]) -> None:
    told = of(seconds)
    assert told.known + told.unknown == len(seconds)
    assert told.unknown == seconds.count(None)


@given(TIMES)
def test_the_median_has_as_many_above_it_as_below_and_lies_within_the_range(seconds: list[float | None]) -> None:
    told = of(seconds)
    if told.median_s is None or told.shortest_s is None or told.longest_s is None:
        assert told.known == 0
        return
    assert told.shortest_s <= told.median_s <= told.longest_s
    known = [each for each in seconds if each is not None]
    assert sum(each < told.median_s for each in known) <= len(known) / 2
    assert sum(each > told.median_s for each in known) <= len(known) / 2


@given(TIMES, st.randoms(use_true_random=False))
def test_the_order_of_the_incidents_changes_nothing(seconds: list[float | None], chance: random.Random) -> None:
    shuffled = list(seconds)
    chance.shuffle(shuffled)
    assert of(shuffled) == of(seconds)


def test_nothing_known_is_not_nought() -> None:
    told = of([None, None])
    assert (told.median_s, told.shortest_s, told.longest_s, told.unknown) == (None, None, None, 2)
