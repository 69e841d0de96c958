"""The table of times in forms.txt, and what holds for any words."""

import time as stopwatch
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.time.forms import FORMS, Form
from bot.domain.time.moment import IN_UTC, OTHER_ZONE, LocalClock, Moment, dated, place
from bot.domain.time.typed import ClockTime, TypedTime, mentioned_time, needs_zone, take_time
from bot.domain.time.zones import abbreviations_of
from bot.errors import UsageError
from tests.unit.domain.texts import NOWS, QUICK, ZONES, outcome
from tests.unit.domain.time.reading import Read, read, said

TABLE = Path(__file__).with_name("forms.txt")
REST = "disk full"


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    words: str
    expected: str
    rest: str
    now: datetime
    zone: ZoneInfo


def cases() -> list[Case]:
    found: list[Case] = []
    now, zone = datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC")
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("typed at "):
            day, clock, key = line.removeprefix("typed at ").split()
            now, zone = datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=UTC), ZoneInfo(key)
        elif line and not line.startswith("#"):
            words, expected, *rest = line.split(" | ")
            found.append(Case(words=words, expected=expected, rest=rest[0] if rest else REST, now=now, zone=zone))
    return found


CASES = cases()
TIMES = [case for case in CASES if not case.expected.startswith(("words", "refused"))]


def shown(at: datetime) -> str:
    text = f"{at:%Y-%m-%d %H:%M:%S}" + (f".{at.microsecond // 1000:03}" if at.microsecond else "")
    return text.removesuffix(":00")


def described(typed: TypedTime, moment: Moment, own: LocalClock) -> str:
    """A reading in the words of the table."""
    text = shown(moment.at) + (f" until {shown(moment.until_at)}" if moment.until_at else "")
    text += f", without its end: {moment.end_problem}" if moment.end_problem else ""
    text += ", about" if moment.approximate else ""
    text += "".join(f", on other clocks {shown(each.at)}" for each in moment.doubts if each.reason == OTHER_ZONE)
    text += ", in UTC" if moment.reason == IN_UTC else ""
    if isinstance(typed, ClockTime):
        text += ", half" if typed.half_unknown else ""
        other = dated(typed, own).other_day if typed.other_day else None
        text += f", or {other}" if other else ""
    return text


def reading(case: Case) -> tuple[str, str]:
    own = abbreviations_of(case.zone, case.now)
    try:
        typed, rest = take_time(case.words, own, now=case.now)
        if typed is None:
            mentioned = mentioned_time(case.words, own)
            return "words" + (f", {mentioned[1]}" if mentioned else ""), rest
        moment = place(typed, now=case.now, zone=case.zone)
        return described(typed, moment, LocalClock(zone=case.zone, now=case.now)), rest
    except UsageError as refused:
        return f"refused: {refused}", case.words


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words)
def test_the_table_of_times_is_read_as_it_says(case: Case) -> None:
    expected, rest = reading(case)
    assert expected == case.expected
    is_time = not case.expected.startswith(("words", "refused"))
    assert rest == (case.rest if is_time else case.words)


def test_the_table_is_long_and_names_no_case_twice() -> None:
    assert len(CASES) > 400
    named = [(case.words, case.now, case.zone.key) for case in CASES]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_the_examples_of_a_form_are_read_with_and_without_words_after_them(form: Form) -> None:
    now = datetime(2026, 11, 26, 13, 30, tzinfo=UTC)
    for example in form.examples:
        colon = "" if ": " in example else f": {REST}"
        typed, rest = take_time(example + colon, frozenset(), now=now)
        assert typed is not None, example
        assert place(typed, now=now, zone=ZoneInfo("Europe/Berlin")).at <= now
        assert rest == (REST if colon else "disk full"), example
        if ": " not in example:
            assert take_time(example, frozenset(), now=now)[1] == "", example


@pytest.mark.parametrize("case", TIMES, ids=lambda case: case.words)
def test_a_reading_typed_in_full_is_read_again_as_the_same(case: Case) -> None:
    own = abbreviations_of(case.zone, case.now)
    typed, rest = take_time(case.words, own, now=case.now)
    assert typed is not None
    moment = place(typed, now=case.now, zone=case.zone)
    about = "around " if moment.approximate else ""
    until = f" to {moment.until_at:%F %H:%M:%S} UTC" if moment.until_at else ""
    again, its_rest = take_time(
        f"{about}{moment.at.isoformat(sep=' ', timespec='milliseconds').removesuffix('+00:00')} UTC{until}: {rest}", own
    )
    assert again is not None
    repeated = place(again, now=case.now, zone=case.zone)
    assert (repeated.at, repeated.until_at, repeated.approximate) == (moment.at, moment.until_at, moment.approximate)
    assert its_rest == rest


PIECES = st.sampled_from(
    [example for form in FORMS for example in form.examples]
    + [case.words for case in CASES]
    + [
        "at ", "~", "around ", "(", ")", "[", "]", "-", " to ", " and ", "between ", "since ", " UTC", " CET", "Z",
        "ish", " ago", "yesterday", " on ", "last ", "26", "Nov", "2026", "15", ":", "30", "h", " Uhr", "pm", " ",
        ".", "vor ", "il y a ", "99", "0", "/", "\u2013", "tonight ", "half ", "now", "*", "`", "disk full",
        "in the morning", "9999-12-31 ", "0001-01-01 ", "24:00", "31/12/9999 ",
    ]
)  # fmt: skip
HEADS = st.lists(PIECES, min_size=1, max_size=5).map("".join)


@settings(QUICK, max_examples=400)
@given(words=HEADS, now=NOWS, zone=ZONES)
def test_no_words_make_a_time_ahead_of_now_or_any_error_but_one_that_says_what_is_wrong(
    words: str, now: datetime, zone: str
) -> None:
    found = outcome(lambda: read(words, now=now, zone=zone))
    needs_zone(words)
    if isinstance(found, Read):
        assert found.at <= now
        assert found.moment.until_at is None or found.at < found.moment.until_at <= now
        assert words.endswith(found.rest)
    elif found is None:
        assert take_time(words, abbreviations_of(ZoneInfo(zone), now), now=now)[1] == words


@settings(QUICK, max_examples=400)
@given(words=HEADS, now=NOWS, zone=ZONES)
def test_what_is_mentioned_stands_in_the_words_and_raises_nothing(words: str, now: datetime, zone: str) -> None:
    mentioned = mentioned_time(words, abbreviations_of(ZoneInfo(zone), now))
    if mentioned is not None:
        typed, piece = mentioned
        assert piece
        assert piece in words
        assert outcome(lambda: place(typed, now=now, zone=ZoneInfo(zone))) is not None


@QUICK
@given(
    words=st.text(st.characters(exclude_categories=["Nd", "Cs", "Cc", "Cf"]), max_size=60).filter(
        lambda words: not any(each in words.lower() for each in ("now", "noon", "mid", "ago", "min", "jetzt", "past"))
    )
)
def test_words_without_figures_keep_every_character(words: str) -> None:
    assert take_time(words, frozenset()) == (None, words)


LONG = 20_000


@pytest.mark.parametrize(
    "words",
    [
        piece * (LONG // len(piece))
        for piece in (
            "at ", "~", "(", "[", "around ", "1", "1 ", "1h", "1h ", "1 hour and ", "an hour and a half ", "Nov ",
            "26 ", "26.", "1.", "1/", "10:", "10:10 ", "10:10-", "10:10 to ", "2026-", "20261126", "yesterday ",
            "monday ", "last ", "half ", "vor ", "il y a ", "10-15 ", "a few ", " ", "\t", ",", "-", ".", "`",
            "`a", "at 1", "a", "restarted at 06:4 ", "06:40/", "every 06:40 ", "next ", "by 06:40 ", "1:1 ", "Z",
            "UTC ", "\u200b", "in the ", "Pacific ", "at 9 ", "a ",
            "New York ", "PT1M/", "at 9 failed ",
        )
    ]
    + [
        head + tail * LONG
        for head in (
            "at 14:02", "14:02 Pacific", "14:02 Berlin ", "at 9 restarted", "14:02 UTC", "26 Nov", "10 min", "-1h", "",
        )
        for tail in " ,-x9:"
    ],
    ids=lambda words: words[:24],
)  # fmt: skip
def test_long_words_take_no_longer_than_their_length_explains(words: str) -> None:
    own = frozenset({"CET"})
    started = stopwatch.perf_counter()
    outcome(lambda: take_time(words, own))
    mentioned_time(words, own)
    assert stopwatch.perf_counter() - started < 4


def test_a_bare_number_is_a_unix_time_only_of_the_last_months() -> None:
    now = datetime(2026, 11, 26, 13, 4, tzinfo=UTC)
    for age, is_time in ((timedelta(), True), (timedelta(days=399), True), (timedelta(days=401), False)):
        seconds = int((now - age).timestamp())
        assert (read(f"{seconds} {REST}", now=now) is not None) is is_time
        assert said(f"at {seconds} {REST}", now=now).at == now - age
    assert read(f"{int(now.timestamp()) + 1} {REST}", now=now) is None
