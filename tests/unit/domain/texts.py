"""Hypothesis strategies for typed text, likely and unlikely, for zones and for instants around clock changes."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from bot.errors import UsageError
from tests.unit.domain.time.reading import utc

Read = TypeVar("Read")

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PIECES = st.sampled_from(
    [
        "at ", "14:02", "25:61", "-", "\u2212", "10", "m", "h", " ", "  ", ":", "+02:00", "UTC", "CST",
        "yesterday ", "2026-02-30", "2026-11-21", "T", "Z", "pm", ".", ",", "Europe/", "Berlin", "\u00a0",
        "\u200b", "9" * 30, "by ", "\u0663", "'", "(", ")", "/", "x", "\ud800", "on ", "Friday ", "@bob ",
        "monitoring", "well", "process", "long-term ", "next ", "SEV1 ", "#3 ", "\0", "0001-01-01 ",
        "9999-12-31 ",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=8).map("".join))

ZONES = st.sampled_from(
    [
        "UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles",
        "America/St_Johns", "America/Santiago", "America/Havana", "Asia/Kolkata", "Asia/Kathmandu",
        "Asia/Tokyo", "Asia/Beirut", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Auckland",
        "Pacific/Kiritimati", "Pacific/Pago_Pago", "Pacific/Chatham", "Pacific/Apia",
    ]
)  # fmt: skip
CLOCK_CHANGES = [utc(f"2026-{day}") for day in ("03-29", "10-25", "03-08", "11-01", "04-05", "09-06")] + [
    utc("2011-12-30")
]
ANY_TIME = st.integers(0, 8400 * 24 * 60 * 60).map(lambda seconds: utc("2012-01-01") + timedelta(seconds=seconds))
NOWS = st.one_of(
    ANY_TIME,
    st.tuples(st.sampled_from(CLOCK_CHANGES), st.integers(-18 * 60, 40 * 60)).map(
        lambda pair: pair[0] + timedelta(minutes=pair[1])
    ),
)


def outcome(parse: Callable[[], Read]) -> Read | UsageError:
    """The value read or the UsageError; any other exception propagates."""
    try:
        return parse()
    except UsageError as refused:
        return refused
