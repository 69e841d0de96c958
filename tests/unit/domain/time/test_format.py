import re
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.time import format as time_format
from tests.unit.domain.texts import QUICK

MOMENT = datetime(2019, 7, 2, 14, 2, tzinfo=UTC)
UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def test_days_and_clock_times_read_as_people_write_them() -> None:
    assert time_format.day(date(2019, 7, 2)) == "Tuesday 2 July 2019"
    assert time_format.short_day(MOMENT) == "2 July"
    assert time_format.clock(MOMENT) == "14:02"
    assert time_format.local(MOMENT, ZoneInfo("America/New_York")) == "10:02"


def test_seconds_of_a_clock_time_are_written_only_where_there_are_any() -> None:
    shown = [time_format.clock_text(time(14, 2, second, us)) for second, us in ((0, 0), (30, 0), (30, 250_000))]
    assert shown == ["14:02", "14:02:30", "14:02:30.250"]


def test_a_stamp_names_each_day_that_is_not_the_one_before_it() -> None:
    zone, today = ZoneInfo("America/Los_Angeles"), date(2019, 7, 2)
    assert time_format.stamp(MOMENT, None, today) == "14:02 UTC"
    assert time_format.stamp(MOMENT, ZoneInfo("Africa/Abidjan"), today) == "14:02 UTC"
    assert time_format.stamp(MOMENT, zone, today, seconds=True) == "14:02:00 UTC (07:02:00 in Los Angeles)"
    assert time_format.stamp(MOMENT, zone, date(2019, 7, 3)) == "2 Jul 14:02 UTC (07:02 in Los Angeles)"
    assert time_format.stamp(MOMENT.replace(hour=1), zone, today) == "01:02 UTC (1 Jul 18:02 in Los Angeles)"
    assert time_format.stamp(MOMENT, None, date(2020, 7, 2)) == "2 Jul 2019 14:02 UTC"


def test_a_stamp_says_that_a_time_is_approximate_and_when_it_ended() -> None:
    zone, today = ZoneInfo("America/Los_Angeles"), date(2019, 7, 2)
    until = MOMENT.replace(minute=17)
    assert time_format.stamp(MOMENT, None, today, approximate=True) == "about 14:02 UTC"
    assert time_format.stamp(MOMENT, zone, today, until_at=until) == (
        "14:02 to 14:17 UTC (07:02 to 07:17 in Los Angeles)"
    )
    late = MOMENT.replace(hour=23)
    assert time_format.stamp(late, None, date(2019, 7, 9), until_at=MOMENT.replace(day=3, hour=1)) == (
        "2 Jul 23:02 to 3 Jul 01:02 UTC"
    )


@pytest.mark.parametrize(
    ("key", "label", "text"),
    [
        ("America/New_York", "New York", "New York"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires", "Buenos Aires"),
        ("UTC", "UTC", "UTC"),
        ("Etc/GMT+5", "Etc/GMT+5", "GMT+5"),
    ],
)
def test_a_zone_is_called_by_its_city(key: str, label: str, text: str) -> None:
    assert (time_format.zone_label(ZoneInfo(key)), time_format.zone_text(ZoneInfo(key))) == (label, text)


@pytest.mark.parametrize(
    ("zone", "name", "offset"),
    [
        ("UTC", "UTC", "UTC"),
        ("Africa/Abidjan", "UTC", "UTC"),
        ("America/Los_Angeles", "PDT", "UTC-7"),
        ("Asia/Kathmandu", "UTC+5:45", "UTC+5:45"),
        ("America/Sao_Paulo", "UTC-3", "UTC-3"),
    ],
)
def test_a_zone_has_its_letters_or_else_its_offset(zone: str, name: str, offset: str) -> None:
    local = MOMENT.astimezone(ZoneInfo(zone))
    assert (time_format.zone_name(local), time_format.offset(local)) == (name, offset)


def seconds_of(text: str) -> int:
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+) (s|min|h|d)\b", text))


def parts_of(text: str) -> list[str]:
    """`3 d 2 h (74 h 5 min)` as its rough and its exact part; any other length of time as one."""
    return text.removesuffix(")").split(" (")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "unknown"),
        (0, "under a minute"),
        (0.9, "under a minute"),
        (1, "1 s"),
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
        (76260, "21 h 11 min"),
        (86399, "23 h 59 min"),
        (86400, "24 h"),
        (87060, "24 h 11 min"),
        (93600, "26 h"),
        (72 * 3600 - 1, "71 h 59 min"),
        (72 * 3600, "3 d (72 h)"),
        (74 * 3600 + 5 * 60, "3 d 2 h (74 h 5 min)"),
        (3 * 86400 + 59, "3 d (72 h)"),
        (9 * 86400 + 3 * 3600 + 59 * 60, "9 d 3 h (219 h 59 min)"),
    ],
)
def test_a_length_of_time_is_written_as_it_is_quoted(seconds: float | None, text: str) -> None:
    assert time_format.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (200, "3 min 20 s"), (86399, "23 h 59 min"), (86400, "1 d"), (93600, "1 d 2 h"), (790000, "9 d 3 h")],
)
def test_where_there_is_little_room_it_stands_in_its_largest_units(seconds: float, text: str) -> None:
    assert time_format.rough_duration(seconds) == text


@pytest.mark.parametrize("seconds", [-1, -0.001, float("inf"), float("nan")])
def test_a_negative_or_infinite_length_of_time_is_a_value_error(seconds: float) -> None:
    with pytest.raises(ValueError, match="length of time"):
        time_format.duration(seconds)


@QUICK
@given(first=st.floats(0, 10**8), second=st.floats(0, 10**8))
def test_a_longer_time_never_reads_as_a_shorter_one(first: float, second: float) -> None:
    shorter, longer = (parts_of(time_format.duration(each)) for each in sorted((first, second)))
    assert seconds_of(shorter[-1]) <= seconds_of(longer[-1])


@QUICK
@given(seconds=st.floats(0, 10**8) | st.integers(0, 300).map(lambda minutes: minutes * 60.0))
def test_what_is_written_is_never_more_than_it_was_and_within_its_smallest_unit(seconds: float) -> None:
    *rough, exact = parts_of(time_format.duration(seconds))
    assert 0 <= seconds - seconds_of(exact) < (1 if seconds < 600 else 60)
    assert bool(rough) == (seconds >= time_format.EXACT_UP_TO)
    assert rough in ([], [time_format.rough_duration(seconds)])
    assert all(0 <= seconds - seconds_of(each) < 3600 for each in rough)


@QUICK
@given(seconds=st.floats(0, 10**8))
def test_no_unit_is_full_where_there_is_a_larger_one(seconds: float) -> None:
    for text in (*parts_of(time_format.duration(seconds)), time_format.rough_duration(seconds)):
        numbers = {unit: int(number) for number, unit in re.findall(r"(\d+) (s|min|h|d)\b", text)}
        assert numbers.get("s", 0) < 60
        assert numbers.get("min", 0) < 60
        assert numbers.get("h", 0) < 24 or "d" not in numbers
        assert all(numbers.values()) or text == "0 s"
