from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.items.due import other_reading, parse_due, parse_snooze, read_dates
from bot.errors import UsageError
from tests.unit.domain.texts import QUICK, TEXTS, outcome

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("words", "due"),
    [
        ("2026-12-01", "2026-12-01"),
        ("2019-07-31", "2019-07-31"),
        ("2026-1-5", "2026-01-05"),
        ("today", "2026-11-20"),
        ("Tomorrow", "2026-11-21"),
        ("friday", "2026-11-27"),
        ("next friday", "2026-11-27"),
        ("on Monday", "2026-11-23"),
        ("tues", "2026-11-24"),
        ("thurs", "2026-11-26"),
        ("in 3 days", "2026-11-23"),
        ("in 2 weeks", "2026-12-04"),
        ("2 weeks", "2026-12-04"),
        ("a week", "2026-11-27"),
        ("in a month", "2026-12-20"),
        ("next week", "2026-11-27"),
        ("1 December", "2026-12-01"),
        ("Dec 1", "2026-12-01"),
        ("the 1st of December", "2026-12-01"),
        ("December 1st, 2027", "2027-12-01"),
        ("1 December 2025", "2025-12-01"),
        ("Sept 3", "2027-09-03"),
        ("29 Feb", "2028-02-29"),
        ("end of month", "2026-11-30"),
        (" \u200e in\u00a02  weeks. ", "2026-12-04"),
        ("2w", "2026-12-04"),
        ("in 3d", "2026-11-23"),
        ("EOD", "2026-11-20"),
        ("EOD monday", "2026-11-23"),
        ("monday, end of day", "2026-11-23"),
        ("eow", "2026-11-20"),
        ("end of next week", "2026-11-27"),
        ("EOM", "2026-11-30"),
        ("end of december", "2026-12-31"),
        ("end of the quarter", "2026-12-31"),
        ("this monday", "2026-11-23"),
        ("the day after tomorrow", "2026-11-22"),
        ("24.12.2026", "2026-12-24"),
        ("12/24/2026", "2026-12-24"),
        ("24.12.", "2026-12-24"),
        ("25/12", "2026-12-25"),
        ("2026/12/24", "2026-12-24"),
        ("04/04/2027", "2027-04-04"),
        ("Montag", "2026-11-23"),
        ("n\u00e4chste Woche", "2026-11-27"),
        ("24. Dezember", "2026-12-24"),
        ("\u00fcbermorgen", "2026-11-22"),
        ("Ende des Monats", "2026-11-30"),
        ("in 2 Wochen", "2026-12-04"),
        ("lundi", "2026-11-23"),
        ("le 24 d\u00e9cembre 2026", "2026-12-24"),
        ("1er d\u00e9cembre", "2026-12-01"),
        ("dans une semaine", "2026-11-27"),
        ("fin du mois", "2026-11-30"),
    ],
)
def test_a_date_is_read_as_people_say_it(words: str, due: str) -> None:
    assert parse_due(words, today=FRIDAY) == date.fromisoformat(due)


@pytest.mark.parametrize(
    ("words", "other"),
    [
        ("next monday", "2026-11-30"),
        ("on next Mon", "2026-11-30"),
        ("Next week.", "2026-12-04"),
        ("friday", "2026-11-20"),
        ("EOD Friday", "2026-11-20"),
        ("", None),
        ("monday", None),
        ("in a week", None),
        ("2026-12-01", None),
        ("03/04/2026", None),
    ],
)
def test_some_words_mean_different_days_to_different_people(words: str, other: str | None) -> None:
    assert other_reading(words, today=FRIDAY) == (other and date.fromisoformat(other))


def test_no_words_are_no_date() -> None:
    assert parse_due(" \u200b", today=FRIDAY) is None


@pytest.mark.parametrize(
    ("words", "offer"),
    [
        ("03/04/2026", "Type 2026-03-04 or 2026-04-03"),
        ("3.4.26", "Type 2026-03-04 or 2026-04-03"),
        ("1/2", "Type 2027-01-02 or 2027-02-01"),
        ("1.12.", "Type 2026-12-01 or 2027-01-12"),
    ],
)
def test_figures_that_differ_from_place_to_place_are_refused_with_the_iso_date(words: str, offer: str) -> None:
    with pytest.raises(UsageError, match=offer):
        parse_due(words, today=FRIDAY)
    assert [f"{each}" in offer for each in read_dates(words, today=FRIDAY)] == [True, True]


@pytest.mark.parametrize(
    "words",
    [
        "99/99/2026", "end", "end of", "mars", "in",
        "30 February", "Feb 30", "31 April", "2026-02-30", "2026-13-01", "1", "may", "2026", "3pm",
        "yesterday", "soon", "friday-ish", "in 9999 weeks", "friday 14:00", "x" * 10_000, "\u0661 December",
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused_and_never_guessed(words: str) -> None:
    with pytest.raises(UsageError, match=r"is no date I know\. Dates are 2026-12-01") as caught:
        parse_due(words, today=FRIDAY)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("3d", 3),
        ("2w", 14),
        ("1 week", 7),
        ("3 days", 3),
        ("a week", 7),
        ("for 3 days", 3),
        ("365 d", 365),
        ("3D", 3),
        ("next  Week", 3),
    ],
)
def test_a_snooze_is_counted_in_days(words: str, days: int) -> None:
    assert parse_snooze(words, today=FRIDAY) == FRIDAY + timedelta(days=days)


@pytest.mark.parametrize(
    "words", ["0d", "-3d", "366d", "53w", "9" * 5000 + "d", "", "3", "3 months", "soon", "\u0663d"]
)
def test_a_snooze_of_no_time_or_more_than_a_year_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="Try: 3d") as caught:
        parse_snooze(words, today=FRIDAY)
    assert len(str(caught.value)) < 200


PHRASES = st.lists(
    st.sampled_from(
        ["in", "next", "on", "1", "31", "0", "999", "1st", "feb", "May", "friday", "days", "2026", "months"]
    ),
    max_size=4,
).map(" ".join)


@settings(QUICK, max_examples=100)
@given(words=st.one_of(TEXTS, PHRASES), today=st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_no_text_raises_anything_but_a_usage_error(words: str, today: date) -> None:
    outcome(lambda: parse_due(words, today=today))
    outcome(lambda: parse_snooze(words, today=today))


@QUICK
@given(due=st.dates(date(1000, 1, 1)), today=st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_an_iso_date_means_itself_on_any_day(due: date, today: date) -> None:
    assert parse_due(due.isoformat(), today=today) == due
