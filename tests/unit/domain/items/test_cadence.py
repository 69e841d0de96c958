from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from bot.domain.items.cadence import Cadence, after_workdays, parse_cadence, parse_holidays, workday_from
from bot.errors import UsageError
from tests.support.workplace import at

BERLIN = ZoneInfo("Europe/Berlin")
CHRISTMAS = frozenset({date(2026, 12, 24), date(2026, 12, 25)})


def test_the_spelling_in_the_error_message_is_the_default() -> None:
    words = "due-3d,due,due+1d,due+3d,due+7d,weekly,escalate=7d,confirm=2,drop=30d,publish=5,hours=9-17"
    assert parse_cadence(words) == Cadence()
    assert parse_cadence("") == Cadence()


@pytest.mark.parametrize(
    ("words", "cadence"),
    [
        ("off", Cadence(on=False)),
        ("OFF ", Cadence(on=False)),
        ("due", Cadence(steps=(0,), every=0)),
        ("weekly", Cadence(steps=(), every=7)),
        (" due+10d, due-1 ,due", Cadence(steps=(-1, 0, 10), every=0)),
        ("due+1,weekly", Cadence(steps=(1,), every=7)),
        ("escalate=off,confirm=off,publish=10", Cadence(escalate=None, confirm=None, publish=10)),
        ("hours=8-16", Cadence(opens=time(8), closes=time(16))),
    ],
)
def test_what_is_written_is_changed_and_the_rest_stays(words: str, cadence: Cadence) -> None:
    assert parse_cadence(words) == cadence


@pytest.mark.parametrize(
    "words",
    ["on", "due+", "due+1x", "overdue", "escalate=", "confirm=-1", "hours=17-9", "hours=9-9", "hours=9-24", "due,no"],
)
def test_what_is_no_cadence_is_refused_with_the_default_to_copy(words: str) -> None:
    with pytest.raises(UsageError, match="is no part of a cadence; the default is due-3d,due,"):
        parse_cadence(words)


def test_holidays_are_dates_with_comments() -> None:
    typed = "2026-12-24, 2026-12-25\n# the new year\n2027-01-01  # a Friday\n"
    assert parse_holidays(typed) == CHRISTMAS | {date(2027, 1, 1)}
    assert parse_holidays("") == frozenset()
    with pytest.raises(UsageError, match="holidays are dates such as 2026-12-25"):
        parse_holidays("Christmas")


def test_workdays_leave_out_weekends_and_holidays() -> None:
    thursday, saturday = date(2026, 12, 24), date(2026, 12, 26)
    assert workday_from(thursday, CHRISTMAS) == date(2026, 12, 28)
    assert workday_from(date(2026, 12, 23), CHRISTMAS) == date(2026, 12, 23)
    assert after_workdays(saturday, 1, ()) == date(2026, 12, 28)
    assert after_workdays(date(2026, 12, 23), 2, CHRISTMAS) == date(2026, 12, 29)
    assert after_workdays(thursday, 0, ()) == thursday


@pytest.mark.parametrize(
    ("moment", "working", "next_opening"),
    [
        ("2026-10-23T06:59:00Z", False, "2026-10-23T07:00:00Z"),
        ("2026-10-23T07:00:00Z", True, "2026-10-26T08:00:00Z"),
        ("2026-10-23T14:59:00Z", True, "2026-10-26T08:00:00Z"),
        ("2026-10-23T15:00:00Z", False, "2026-10-26T08:00:00Z"),
        ("2026-10-25T12:00:00Z", False, "2026-10-26T08:00:00Z"),
        ("2026-12-23T16:00:00Z", False, "2026-12-28T08:00:00Z"),
    ],
)
def test_working_hours_are_those_of_the_zone_on_workdays(moment: str, working: bool, next_opening: str) -> None:  # noqa: FBT001
    cadence = Cadence(holidays=CHRISTMAS)
    assert cadence.is_working(at(moment), BERLIN) is working
    assert cadence.next_opening(at(moment), BERLIN) == at(next_opening)
