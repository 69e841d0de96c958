"""Whatever is typed, reading a time ends at once: in a time, in none, or in a refusal."""

import re

import pytest
from hypothesis import given, settings

from bot.domain.time.moment import Moment, needs_zone
from bot.errors import UsageError
from tests.unit.domain.texts import QUICK, TEXTS, ZONES, outcome
from tests.unit.domain.time.reading import NOW, read


@settings(QUICK, max_examples=600)
@given(words=TEXTS, zone=ZONES)
def test_no_text_raises_anything_but_a_usage_error(words: str, zone: str) -> None:
    assert needs_zone(words) in {True, False}
    moment = outcome(lambda: read(words, zone=zone))
    if isinstance(moment, Moment):
        assert moment.at <= NOW
        assert words.endswith(moment.rest)
        assert moment.at.microsecond % 1000 == 0
        assert moment.zone_assumed <= needs_zone(words)


@QUICK
@given(words=TEXTS)
def test_a_time_always_holds_a_digit(words: str) -> None:
    if not re.search("[0-9]", words):
        assert read(words) is None


@pytest.mark.parametrize(
    "words",
    [
        " " * 10_000, "at" + " " * 10_000, "14:02" + " " * 10_000, "14:02 " + "A" * 10_000,
        "-" + "1h" * 5_000, "14:02 Europe" + "/a" * 5_000, "yesterday" + " ," * 5_000, "1" * 10_000,
        "Nov 2" + ", " * 5_000, "14:02:30." + "9" * 10_000, "14:02 Asia/" + "x" * 10_000,
    ],
)  # fmt: skip
def test_long_words_are_read_to_their_end(words: str) -> None:
    # A pattern that backtracks would hang here for hours.
    moment = outcome(lambda: read(words))
    if isinstance(moment, UsageError):
        assert len(str(moment)) < 200
