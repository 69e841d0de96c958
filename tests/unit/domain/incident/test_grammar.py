from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.incident.grammar import Correction, Utterance, entry_needs_zone, parse_correction, parse_entry
from bot.domain.words import MAX_CHARACTERS
from bot.errors import UsageError
from bot.vocabulary import CAUSE, DETECTED, DID, IMPACT, KINDS, LESSON, NOTE, RESOLVED
from tests.unit.domain.cases import CASES, Case, typed_at
from tests.unit.domain.texts import QUICK, TEXTS, outcome

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 13, 4, tzinfo=UTC)
TWO_MINUTES_AGO = NOW - timedelta(minutes=2)


def said(kind: str, words: str) -> Utterance:
    return parse_entry(KINDS[kind], words, now=NOW, zone=BERLIN)


def correct(words: str, *, reference: datetime, kind: str = DETECTED, now: datetime = NOW) -> Correction:
    return parse_correction(KINDS[kind], words, now=now, zone=BERLIN, reference=reference)


ENTRIES = [
    pytest.param(case.zone, command, id=f"{name}-{number}")
    for name, case in CASES.items()
    for number, command in enumerate(case.commands)
    if command["command"] != "/actionitem"
]


def by_the_reading_rules(command: dict[str, Any], zone: ZoneInfo) -> datetime:
    """`at HH:MM` is that local time on the latest date not after the command; else the command's own time."""
    typed = typed_at(command)
    if not command["backdated"]:
        return typed
    hour, minute = map(int, command["text"].split()[1].split(":"))
    local = typed.astimezone(zone).replace(hour=hour, minute=minute)
    return local if local <= typed else local - timedelta(days=1)


@pytest.mark.parametrize(("zone", "command"), ENTRIES)
def test_the_sample_incidents_are_read_by_their_reading_rules(zone: ZoneInfo, command: dict[str, Any]) -> None:
    kind = KINDS[command["command"].removeprefix("/")]
    entry = parse_entry(kind, command["text"], now=typed_at(command), zone=zone)
    assert entry.timed is command["backdated"]
    assert entry.zone_assumed is command["backdated"]
    assert entry.occurred_at == by_the_reading_rules(command, zone)
    assert command["text"].endswith(entry.text)
    if entry.qualifier is None and not entry.timed:
        assert entry.text == command["text"]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_sample_incidents_say_who_detected_them(case: Case) -> None:
    command = next(command for command in case.commands if command["command"] == "/detected")
    entry = parse_entry(KINDS[DETECTED], command["text"], now=typed_at(command), zone=case.zone)
    assert entry.qualifier == case.expected["detected_by"]
    assert not entry.text.startswith("by ")


@pytest.mark.parametrize(
    ("kind", "words", "qualifier", "text"),
    [
        (DETECTED, "at 14:02 by monitoring: p99 over 5 s", "monitoring", "p99 over 5 s"),
        (DETECTED, "at 14:02: by monitoring: p99", "monitoring", "p99"),
        (DETECTED, "by customer at 14:02: p99", "customer", "p99"),
        (DETECTED, "at 14:02 By the pager: p99", "monitoring", "p99"),
        (DETECTED, "at 14:02 by an engineer - p99", "engineer", "p99"),
        (DETECTED, "at 14:02 by users", "customer", ""),
        (DETECTED, "at 14:02 by customer's phone call", None, "by customer's phone call"),
        (DETECTED, "at 14:02 by hand: p99", None, "by hand: p99"),
        (DETECTED, "at 14:02", None, ""),
        (NOTE, "at 14:02 by monitoring: p99", None, "by monitoring: p99"),
        (CAUSE, "at 14:02 process: no review", "process", "no review"),
        (CAUSE, "Technical : regex", "technical", "regex"),
        (CAUSE, "human error: typo", None, "human error: typo"),
        (CAUSE, "a regex: it backtracks", None, "a regex: it backtracks"),
        (LESSON, "well: the rollback", "well", "the rollback"),
        (LESSON, "bad: the pager", "badly", "the pager"),
        (LESSON, "luck: it was Sunday", "lucky", "it was Sunday"),
        (LESSON, "well: :tada: the rollback", "well", ":tada: the rollback"),
        (DID, "  at 14:02 \n first\nsecond\n", None, "first\nsecond"),
        (IMPACT, "at 14:02 502 pages", None, "502 pages"),
        (DID, "tab\there", None, "tab\there"),
    ],
)
def test_time_and_qualifier_come_off_the_words_and_the_rest_stays(
    kind: str, words: str, qualifier: str | None, text: str
) -> None:
    entry = said(kind, words)
    assert (entry.qualifier, entry.text) == (qualifier, text)
    assert entry.timed is ("14:02" in words)
    assert entry.occurred_at == (TWO_MINUTES_AGO if entry.timed else NOW)


def test_an_entry_knows_how_its_time_was_typed() -> None:
    assert said(NOTE, "at 13:02:30 UTC: x") == Utterance(
        occurred_at=datetime(2026, 11, 21, 13, 2, 30, tzinfo=UTC),
        timed=True,
        zone_assumed=False,
        seconds=True,
        qualifier=None,
        text="x",
    )
    assert said(NOTE, "at 14:02 x").zone_assumed
    assert not said(NOTE, "x").zone_assumed


@pytest.mark.parametrize("words", ["", " \n", "\u200b", "at 14:02", "at 14:02:"])
def test_only_a_milestone_may_come_without_words(words: str) -> None:
    assert not said(RESOLVED, words).text
    for kind in KINDS.values():
        if not kind.milestone:
            with pytest.raises(UsageError, match="Try: "):
                said(kind.name, words)


@pytest.mark.parametrize(
    ("kind", "words", "problem"),
    [
        (NOTE, "", "There are no words to record. Try: disk full on db1"),
        (LESSON, "", "There are no words to record. Try: well: the rollback"),
        (LESSON, "well:", "no words"),
        (NOTE, "at 14:99 disk full", "14:99 is no time of day"),
        (NOTE, "x" * (MAX_CHARACTERS + 1), "That is 10,001 characters, and 10,000 fit"),
        (NOTE, "a\0b", "NUL"),
        (NOTE, "a\ud83db", "lone surrogate"),
    ],
)
def test_words_that_cannot_be_kept_are_refused_with_a_reason(kind: str, words: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        said(kind, words)
    assert problem in str(caught.value)


def test_the_longest_words_allowed_are_kept_whole() -> None:
    assert said(NOTE, "x" * MAX_CHARACTERS).text == "x" * MAX_CHARACTERS


@pytest.mark.parametrize(
    ("words", "at", "text"),
    [
        ("at 14:05", "2026-11-18 13:05", None),
        ("14:05: new words", "2026-11-18 13:05", "new words"),
        ("at 23:50", "2026-11-17 22:50", None),
        ("at 00:10", "2026-11-17 23:10", None),
        ("at 2026-11-20 14:05", "2026-11-20 13:05", None),
        ("yesterday 14:05", "2026-11-20 13:05", None),
        ("-10m", "2026-11-21 12:54", None),
        ("new words", None, "new words"),
    ],
)
def test_a_clock_time_in_a_correction_means_the_entrys_own_day(words: str, at: str | None, text: str | None) -> None:
    correction = correct(words, reference=datetime(2026, 11, 18, 9, 0, tzinfo=UTC))
    assert correction.occurred_at == (datetime.fromisoformat(at).replace(tzinfo=UTC) if at else None)
    assert correction.text == text


def test_a_corrected_time_is_never_ahead() -> None:
    assert correct("at 15:30", reference=NOW).occurred_at == datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
    with pytest.raises(UsageError, match="still ahead"):
        correct("at 14:05", reference=NOW)


def test_a_correction_in_the_doubled_hour_stays_beside_its_entry() -> None:
    later = datetime(2026, 10, 26, tzinfo=UTC)
    first, second = (datetime(2026, 10, 25, hour, 25, tzinfo=UTC) for hour in (0, 1))
    for entry in (first, second):
        moved = correct("at 02:30", reference=entry, now=later)
        assert moved.occurred_at == entry + timedelta(minutes=5)


def test_a_correction_to_a_skipped_time_is_refused() -> None:
    with pytest.raises(UsageError, match="02:30 did not exist on 29 March in Berlin"):
        correct("at 02:30", reference=datetime(2026, 3, 29, 2, 0, tzinfo=UTC))


def test_a_correction_may_change_only_who_detected() -> None:
    correction = correct("by customer", reference=NOW)
    assert correction == Correction(
        occurred_at=None, qualifier="customer", text=None, zone_assumed=False, seconds=False
    )


@pytest.mark.parametrize("words", ["", "  ", "\u200b"])
def test_a_correction_of_nothing_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="Say what to change"):
        correct(words, reference=NOW)


@settings(QUICK, max_examples=300)
@given(words=TEXTS, kind=st.sampled_from(sorted(KINDS)))
def test_no_text_raises_anything_but_a_usage_error(words: str, kind: str) -> None:
    outcome(lambda: said(kind, words))
    outcome(lambda: correct(words, kind=kind, reference=NOW - timedelta(days=3)))


@QUICK
@given(words=st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Nd"]), max_size=60))
def test_words_without_a_time_come_back_whole(words: str) -> None:
    entry = said(RESOLVED, words)
    assert entry.text == words.strip()
    assert entry.occurred_at == NOW
    assert not entry.timed


@QUICK
@given(
    reference=st.integers(0, 60 * 24 * 300).map(lambda minutes: NOW - timedelta(minutes=minutes)),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
)
def test_a_corrected_clock_time_is_within_a_day_of_the_entry_and_not_ahead(
    reference: datetime, hour: int, minute: int
) -> None:
    read = outcome(lambda: correct(f"at {hour:02}:{minute:02}", reference=reference))
    if isinstance(read, UsageError):
        assert any(reason in str(read) for reason in ("still ahead", "did not exist"))
        return
    at = read.occurred_at
    assert at is not None
    assert at <= NOW
    assert abs(at - reference) <= timedelta(hours=25)
    assert f"{at.astimezone(BERLIN):%H:%M}" == f"{hour:02}:{minute:02}"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("at 14:2 disk full", "at 14:02 …"),
    ],
)
def test_what_is_nearly_a_time_is_asked_about_rather_than_recorded_as_now(words: str, offered: str) -> None:
    with pytest.raises(UsageError) as refused:
        said(DETECTED, words)
    assert offered in str(refused.value)


@pytest.mark.parametrize("words", ["at 99.95% of capacity", "at 14.02% loss", "at 3 of 5 hosts", "by pagerduty: full"])
def test_what_only_begins_like_a_time_stays_words(words: str) -> None:
    assert said(DETECTED, words).text == words


def test_an_entry_keeps_that_its_time_is_approximate_and_when_a_range_ends() -> None:
    entry = said(NOTE, "between 13:30 and 13:45: disk full")
    assert (entry.occurred_at, entry.until_at) == (NOW - timedelta(minutes=34), NOW - timedelta(minutes=19))
    assert not entry.approximate
    assert said(NOTE, "~13:30 disk full").approximate
    moved = correct("about 13:30-13:45", reference=NOW)
    assert (moved.occurred_at, moved.until_at, moved.approximate) == (entry.occurred_at, entry.until_at, True)


@pytest.mark.parametrize(
    ("kind", "words", "qualifier", "text", "asks"),
    [
        (LESSON, "well: the rollback", "well", "the rollback", False),
        (LESSON, "badly the pager was muted", "badly", "the pager was muted", True),
        (LESSON, "lucky we had a backup", "lucky", "we had a backup", True),
        (LESSON, "at 14:02 good it was quick", "well", "it was quick", True),
        (LESSON, "well at 14:02 nobody slept", "well", "nobody slept", True),
        (LESSON, "well - quick rollback", "well", "quick rollback", False),
        (LESSON, "well documented runbooks help", None, "well documented runbooks help", True),
        (LESSON, "badly documented steps", None, "badly documented steps", True),
        (LESSON, "well, that was odd", None, "well, that was odd", True),
        (LESSON, "bad alerts", None, "bad alerts", True),
        (LESSON, "well", None, "well", True),
        (LESSON, "the rollback", None, "the rollback", True),
        (CAUSE, "process: no review", "process", "no review", False),
        (CAUSE, "process nobody reviewed", "process", "nobody reviewed", True),
        (CAUSE, "technical the pool was 10", "technical", "the pool was 10", True),
        (CAUSE, "process crashed on db1", None, "process crashed on db1", True),
        (CAUSE, "human error", None, "human error", True),
        (CAUSE, "technical debt", None, "technical debt", True),
        (DETECTED, "by monitoring: full", "monitoring", "full", False),
        (DETECTED, "full", None, "full", True),
        (DETECTED, "by pagerduty at 14:02 full", None, "by pagerduty full", True),
        (DETECTED, "by our data dog at 14:02: full", None, "by our data dog full", True),
        (DETECTED, "by looking at 12 dashboards", None, "by looking at 12 dashboards", True),
        (NOTE, "well the pager", None, "well the pager", False),
    ],
)
def test_a_qualifier_without_a_colon_is_taken_before_a_clause_and_a_missing_one_is_asked_for(
    kind: str, words: str, qualifier: str | None, text: str, *, asks: bool
) -> None:
    entry = said(kind, words)
    assert (entry.qualifier, entry.text, entry.asks) == (qualifier, text, asks)
    assert entry.timed is ("14:02" in words)


def test_the_zone_is_asked_for_a_time_after_an_unknown_source() -> None:
    assert entry_needs_zone(KINDS[DETECTED], "by pagerduty at 12:05 full")
    assert not entry_needs_zone(KINDS[DETECTED], "by pagerduty full")
