import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.time.format import duration
from tests.unit.domain.texts import QUICK

UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def seconds_of(text: str) -> int:
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+) (s|min|h|d)\b", text))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "unknown"),
        (0, "0 s"),
        (0.9, "0 s"),
        (45, "45 s"),
        (59.999, "59 s"),
        (60, "1 min"),
        (180, "3 min"),
        (200, "3 min 20 s"),
        (599, "9 min 59 s"),
        (600, "10 min"),
        (659, "10 min"),
        (1620, "27 min"),
        (3599.9, "59 min"),
        (3600, "1 h"),
        (5520, "1 h 32 min"),
        (66780, "18 h 33 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d"),
        (93600, "1 d 2 h"),
        (9 * 86400 + 3 * 3600 + 59 * 60, "9 d 3 h"),
    ],
)
def test_a_length_of_time_is_said_in_its_largest_units(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("seconds", [-1, -0.001, float("inf"), float("nan")])
def test_what_is_no_length_of_time_is_an_error_of_ours(seconds: float) -> None:
    with pytest.raises(ValueError, match="length of time"):
        duration(seconds)


@QUICK
@given(first=st.floats(0, 10**8), second=st.floats(0, 10**8))
def test_a_longer_time_never_reads_as_a_shorter_one(first: float, second: float) -> None:
    shorter, longer = sorted((first, second))
    assert seconds_of(duration(shorter)) <= seconds_of(duration(longer))


@QUICK
@given(seconds=st.floats(0, 10**8))
def test_what_is_said_is_never_more_than_it_was_and_within_its_smallest_unit(seconds: float) -> None:
    said = seconds_of(duration(seconds))
    allowed = 1 if seconds < 600 else 60 if seconds < 86400 else 3600
    assert 0 <= seconds - said < allowed
    assert not re.search(r"\b(60 s|60 min|24 h)\b", duration(seconds))
