from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.time.typed import needs_zone
from bot.errors import UsageError
from tests.unit.domain.texts import NOWS, QUICK, TEXTS, ZONES, outcome
from tests.unit.domain.time.reading import NOW, Read, read, refusal, said, utc


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ("14:02", "2026-11-21 13:02"),
        ("at 14:02", "2026-11-21 13:02"),
        ("AT 14:02", "2026-11-21 13:02"),
        ("at14:02", "2026-11-21 13:02"),
        ("9:05", "2026-11-21 08:05"),
        ("14:02:30", "2026-11-21 13:02:30"),
        ("14:02:30.250", "2026-11-21 13:02:30.250"),
        ("14:02:30.2509999", "2026-11-21 13:02:30.250"),
        ("14:02:30,250", "2026-11-21 13:02:30.250"),
        ("14:03:59.999", "2026-11-21 13:03:59.999"),
        ("2:02pm", "2026-11-21 13:02"),
        ("2:02 PM", "2026-11-21 13:02"),
        ("2:02\u202fp.m.", "2026-11-21 13:02"),
        ("12:30am", "2026-11-20 23:30"),
        ("12:30pm", "2026-11-21 11:30"),
        ("at 1pm", "2026-11-21 12:00"),
        ("yesterday 3 pm", "2026-11-20 14:00"),
        ("00:00", "2026-11-20 23:00"),
        ("14:07", "2026-11-20 13:07"),
        ("23:59", "2026-11-20 22:59"),
        ("yesterday 23:50", "2026-11-20 22:50"),
        ("at yesterday 23:50", "2026-11-20 22:50"),
        ("Yesterday at 23:50", "2026-11-20 22:50"),
        ("today 9:05", "2026-11-21 08:05"),
        ("at 9:05 yesterday", "2026-11-20 08:05"),
        ("at 9:05 on 2026-11-19", "2026-11-19 08:05"),
        ("2026-11-21 14:02", "2026-11-21 13:02"),
        ("2026-11-21, 14:02", "2026-11-21 13:02"),
        ("2026-11-21 2:02 pm", "2026-11-21 13:02"),
        ("at 2026-7-1 14:02", "2026-07-01 12:02"),
    ],
)
def test_a_time_without_a_zone_is_read_off_the_typists_clock(words: str, at: str) -> None:
    moment = said(words)
    assert moment.at == utc(at)
    assert moment.at.tzinfo is UTC
    assert moment.zone_assumed
    assert not moment.rest
    assert needs_zone(words)


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        ("at 14:02 disk full", "disk full"),
        ("at 14:02: disk full", "disk full"),
        ("at 14:02:disk full", "disk full"),
        ("at 14:02 - disk full", "disk full"),
        ("at 14:02 \u2013 disk full", "disk full"),
        ("at 14:02\u2014disk full", "disk full"),
        ("14:02, disk full", "disk full"),
        ("14:02; disk full", "disk full"),
        ("14:02. disk full", "disk full"),
        ("14:02 : : disk full", ": disk full"),
        ("at 14:02 by monitoring: disk full", "by monitoring: disk full"),
        ("14:02 :fire: on db1", ":fire: on db1"),
        ("14:02: :fire: on db1", ":fire: on db1"),
        ("14:02 502 pages", "502 pages"),
        ("14:02 CPU at 100%", "CPU at 100%"),
        ("14:02 est. 500 users", "est. 500 users"),
        ("14:02 ist das Netz weg", "ist das Netz weg"),
        ("14:02 west of the lake", "west of the lake"),
        ("14:02 pt 2 of the fix", "pt 2 of the fix"),
        ("14:02 UTC-based clock drifts", "UTC-based clock drifts"),
        ("14:02 TCP/IP stack down", "TCP/IP stack down"),
        ("14:02 CI/CD red", "CI/CD red"),
        ("14:02 US/EU links down", "US/EU links down"),
        ("14:02 +2 hosts", "+2 hosts"),
        ("14:02 -5% traffic", "-5% traffic"),
        ("14:02 to 3 pods", "to 3 pods"),
        ("14:02:5 hosts", "5 hosts"),
        ("14:02 yesterday's deploy", "yesterday's deploy"),
        ("14:02 UTC+2 is the zone", "is the zone"),
        ("14:02 PM's call: roll back", "PM's call: roll back"),
        ("13:02 UTC -5% traffic", "-5% traffic"),
        ("13:02Z +2 hosts", "+2 hosts"),
        ("13:02 UTC+0: 30 hosts", "30 hosts"),
        ("-10m -5% traffic", "-5% traffic"),
        ("-10m: disk full", "disk full"),
        ("2026-11-21T13:02Z disk full", "disk full"),
        ("14:02 a\nb", "a\nb"),
        ("14:02 \U0001f469\u200d\U0001f4bb fixed it", "\U0001f469\u200d\U0001f4bb fixed it"),
    ],
)
def test_the_words_after_the_time_come_back_as_typed(words: str, rest: str) -> None:
    assert said(words).rest == rest


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ("-10m", 10),
        ("at -10m", 10),
        ("-1h30m", 90),
        ("-1h30", 90),
        ("-1H", 60),
        ("-90s", 1.5),
        ("-2d", 2880),
        ("-10min", 10),
        ("-10 minutes", 10),
        ("-1 hour", 60),
        ("\u221210m", 10),
        ("\u201310m", 10),
        ("-0m", 0),
        ("-400d", 576000),
    ],
)
def test_a_minus_counts_back_from_now_and_needs_no_zone(words: str, minutes: float) -> None:
    moment = said(words)
    assert moment.at == NOW - timedelta(minutes=minutes)
    assert not moment.zone_assumed
    assert not needs_zone(words)


@pytest.mark.parametrize(
    ("words", "typed"),
    [("14:02", False), ("14:02:00", True), ("-90s", True), ("-1h", False), ("2026-11-21T13:02:30Z", True)],
)
def test_it_is_known_whether_seconds_were_typed(words: str, *, typed: bool) -> None:
    assert said(words).seconds is typed


@pytest.mark.parametrize(
    "words",
    [
        "", " ", "at", "AT ", "disk full", "at least two hosts down", "at peak 100% of traffic",
        "at 100% CPU", "at risk", "12:34:56:78", "12:34:56:ab:cd:ef lost its link", "10:1", "1:100",
        "at 1:100 odds", "10:20::1 is gone", "2001:db8::1", "-5", "-x", "-5 degrees", "-", "- 10m rows",
        "-10ms latency", "-10m/s", "--10m", "2026-11-21", "2026-11-21 backups", "2026-11-21 5 hosts",
        "yesterday", "yesterday we deployed", "today 5 hosts", "1402", "1:02:60", "14:99", "25:00 x", "14:02's deploy",
        "14:02% of it", "x 14:02", "the 14:02 deploy", "\u0661\u0664:\u0660\u0662 x",
        "\uff11\uff14:\uff10\uff12 x", "-\u0661\u0660m", "attack at 14:02",
    ],
)  # fmt: skip
def test_words_that_begin_with_no_time_are_only_words(words: str) -> None:
    assert read(words) is None
    assert not needs_zone(words)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("at 14:99 disk full", "14:99 is no time of day. Hours go up to 23, minutes and seconds up to 59."),
        ("at 7:60", "7:60 is no time of day"),
        ("at 0:30 on 2026-02-30", "2026-02-30 is no date"),
        ("at 45pm", "45pm is no time of day"),
        ("2026-02-30 14:02", "2026-02-30 is no date"),
        ("0000-01-01 14:02", "0000-01-01 is no date"),
        ("1999-12-31 14:02", "before the year 2000"),
        ("2026-11-21 14:05", "14:05 is still ahead: it is 14:04 in Berlin (13:04 UTC)"),
        ("today 23:00", "23:00 is still ahead"),
        ("2030-01-01 14:05", "2030-01-01 14:05 is still ahead"),
        ("9999-12-31 23:59 UTC-12", "still ahead"),
        ("-401d", "more than 400 days ago"),
        ("-99999999999999999999999m", "more than 400 days ago"),
        ("-" + "9" * 5000 + "m", "more than 400 days ago"),
        ("-999999999d24h", "more than 400 days ago"),
        ("14:02 Europe/Berln", "Europe/Berln is no time zone I know. Did you mean Europe/Berlin?"),
        ("14:02 UTC+25", "UTC+25 is no time zone"),
        ("14:02 UTC+200", "UTC+200 is no time zone"),
        ("14:02+15:00", "+15:00 is no time zone"),
        ("14:02 PST-8", "PST-8 is no time zone I know; it is written UTC-8."),
        ("14:02 +1000 requests", "+1000 may be a zone or not"),
        ("14:02 UTC +2 hosts", "UTC +2 may be one zone or not"),
        ("at 14:02x", "I cannot read 14:02x as a time. Try a space: at 14:02 …"),
        ("at 14:02\u0663", "I cannot read"),
        ("tomorrow 14:02", "2026-11-22 14:02 is still ahead"),
        ("2026-11-21T10:02:30Zfoo", "I cannot read 2026-11-21T10:02:30Zfoo as a time. Put a space after its zone."),
    ],
)
def test_what_looks_like_a_time_and_is_none_is_refused_with_an_example(words: str, problem: str) -> None:
    message = refusal(words)
    assert problem in message
    assert len(message) < 200


@pytest.mark.parametrize(
    ("words", "at", "problem"),
    [
        ("12:30-14:30", "2026-11-21 11:30", "14:30, is still ahead"),
        ("2026-11-20 12:30 - 2026-11-21 14:30", "2026-11-20 11:30", "14:30, is still ahead"),
        ("2026-11-20 12:30 - 9999-12-31 14:30", "2026-11-20 11:30", "14:30, is still ahead"),
        ("2026-11-20 12:30 to 2026-11-19 12:45", "2026-11-20 11:30", "12:45, is before the beginning"),
        ("12:30-12:20", "2026-11-21 11:30", "12:20, is before the beginning"),
    ],
)
def test_a_beginning_is_saved_whatever_its_end(words: str, at: str, problem: str) -> None:
    moment = said(words).moment
    assert (moment.at, moment.until_at, moment.end_problem, moment.doubtful) == (utc(at), None, problem, True)


def test_the_refusal_of_a_time_just_ahead_says_what_time_it_is_and_what_to_type() -> None:
    assert refusal("14:05") == (
        "14:05 is still ahead: it is 14:04 in Berlin (13:04 UTC). "
        "For now, leave the time out; for yesterday, type `yesterday 14:05`"
    )
    assert refusal("13:05 UTC").endswith("type `yesterday 13:05 UTC`")


@pytest.mark.parametrize(
    "words",
    [
        "\u200e14:02 x", "\ufeffat 14:02 x", "\u2068at\u2069 14:02 x", "at\u00a014:02 x",
        "\u00a0 at \u00a0 14:02\u00a0x", "at 14\u200b:02 x", "at 14:02\u200f: x", "\u202aat 14:02\u202c x",
        "\tat\n14:02\tx", "at 14:02 \u200bCET x",
    ],
)  # fmt: skip
def test_what_cannot_be_seen_does_not_hide_a_time(words: str) -> None:
    moment = said(words)
    assert moment.at == utc("2026-11-21 13:02")
    assert moment.rest == "x"


def test_now_may_carry_microseconds_and_the_moment_does_not() -> None:
    now = NOW + timedelta(microseconds=123_456)
    assert said("-10m", now=now).at == utc("2026-11-21 12:54:00.123")


@QUICK
@given(now=NOWS, zone=ZONES, back=st.integers(0, 10**10))
def test_an_iso_instant_means_itself_whenever_and_wherever_it_is_typed(now: datetime, zone: str, back: int) -> None:
    at = max(now - timedelta(milliseconds=back * 17), utc("2000-01-01"))
    typed = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert said(f"{typed} x", now=now, zone=zone).at == at
    local = at.astimezone(ZoneInfo(zone)).isoformat(timespec="milliseconds")
    assert said(f"{local}: x", now=now, zone=zone).at == at


@settings(QUICK, max_examples=600)
@given(words=TEXTS, zone=ZONES)
def test_no_text_raises_anything_but_a_usage_error(words: str, zone: str) -> None:
    assert needs_zone(words) in {True, False}
    moment = outcome(lambda: read(words, zone=zone))
    if isinstance(moment, Read):
        assert moment.at <= NOW
        assert words.endswith(moment.rest)
        assert moment.at.microsecond % 1000 == 0
        assert moment.zone_assumed <= needs_zone(words)


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
