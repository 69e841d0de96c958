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
def test_a_length_of_time_is_written_in_its_largest_units(seconds: float | None, text: str) -> None:
    assert time_format.duration(seconds) == text


@pytest.mark.parametrize("seconds", [-1, -0.001, float("inf"), float("nan")])
def test_a_negative_or_infinite_length_of_time_is_a_value_error(seconds: float) -> None:
    with pytest.raises(ValueError, match="length of time"):
        time_format.duration(seconds)


@QUICK
@given(first=st.floats(0, 10**8), second=st.floats(0, 10**8))
def test_a_longer_time_never_reads_as_a_shorter_one(first: float, second: float) -> None:
    shorter, longer = sorted((first, second))
    assert seconds_of(time_format.duration(shorter)) <= seconds_of(time_format.duration(longer))


@QUICK
@given(seconds=st.floats(0, 10**8))
def test_what_is_written_is_never_more_than_it_was_and_within_its_smallest_unit(seconds: float) -> None:
    said = seconds_of(time_format.duration(seconds))
    allowed = 1 if seconds < 600 else 60 if seconds < 86400 else 3600
    assert 0 <= seconds - said < allowed
    assert not re.search(r"\b(60 s|60 min|24 h)\b", time_format.duration(seconds))
