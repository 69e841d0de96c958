from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.time import format as time_format

MOMENT = datetime(2019, 7, 2, 14, 2, tzinfo=UTC)


def test_days_and_clock_times_read_as_people_write_them() -> None:
    assert time_format.day(date(2019, 7, 2)) == "Tuesday 2 July 2019"
    assert time_format.short_day(MOMENT) == "2 July"
    assert time_format.clock(MOMENT) == "14:02"


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
