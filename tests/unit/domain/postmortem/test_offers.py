from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.incident.lifecycle import lifecycle
from bot.domain.postmortem.offers import Offer, offers
from storage.values import TimelineEntry
from tests.support.casebook import entry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(number: int, kind: str, minutes: float, text: str = "", **other: object) -> TimelineEntry:
    return entry(number, kind, NOON + timedelta(minutes=minutes), text, **other)


def offered(*told: TimelineEntry, zone: str = "UTC", **names: str) -> list[Offer]:
    standing = [each for each in told if not each.retracted]
    # Read in the wrong order on purpose.
    return list(offers(told[::-1], lifecycle(standing), zone=ZoneInfo(zone), **names))


def texts(*told: TimelineEntry) -> list[str]:
    return [f"{offer.side}: {offer.text}" for offer in offered(*told)]


IMPACT = at(1, "impact", 0, "12% of checkouts fail")
END = at(20, "resolved", 200, "over")


@pytest.mark.parametrize(
    ("minutes", "by", "said"),
    [
        (0, "monitoring", ["well: monitoring noticed within the minute (#2)"]),
        (3, "monitoring", ["well: monitoring noticed after 3 min (#2)"]),
        (5, "monitoring", ["well: monitoring noticed after 5 min (#2)"]),
        (6, "monitoring", []),
        (14, "engineer", []),
        (15, "monitoring", ["badly: it was noticed 15 min after the impact began (#2)"]),
        (3, "engineer", []),
        (3, None, []),
        (45, None, ["badly: it was noticed 45 min after the impact began (#2)"]),
        (3, "customer", ["badly: a customer noticed before monitoring did (#2)"]),
        (45, "customer", ["badly: a customer noticed before monitoring did, 45 min after the impact began (#2)"]),
    ],
)
def test_how_it_was_noticed_is_offered_where_it_was_soon_or_late(minutes: int, by: str | None, said: list[str]) -> None:
    assert texts(IMPACT, at(2, "detected", minutes, "p99", qualifier=by), END) == said


def test_a_first_sign_before_the_impact_is_offered_with_how_long_before() -> None:
    told = (at(2, "detected", -180, "disk at 91%", qualifier="monitoring"), IMPACT, END)
    assert texts(*told) == ["well: monitoring noticed 3 h before users were hurt (#2)"]


@pytest.mark.parametrize(
    ("kind", "minutes", "said"),
    [
        ("acknowledged", 4, ["well: somebody took it on after 4 min (#2 to #3)"]),
        ("acknowledged", 14, []),
        ("acknowledged", 40, ["badly: nobody acknowledged it for 40 min (#2 to #3)"]),
        ("escalated", 0, ["well: help was called within the minute (#2 to #3)"]),
        ("escalated", 29, []),
        ("escalated", 45, ["badly: help was called 45 min after it was noticed (#2 to #3)"]),
        ("did", 29, []),
        ("did", 40, ["badly: the first action on record came 40 min after it was noticed (#2 to #3)"]),
        ("mitigated", 40, ["badly: the first action on record came 40 min after it was noticed (#2 to #3)"]),
        ("note", 40, []),
    ],
)
def test_how_soon_somebody_came_and_did_something_is_offered(kind: str, minutes: int, said: list[str]) -> None:
    told = (at(2, "detected", 0, "p99"), at(3, kind, minutes, "words"), END)
    assert texts(*told) == said


def test_the_leads_that_cost_most_are_offered_and_short_ones_are_not() -> None:
    leads = ["attack", "deploy", "network", "cache", "quota"]
    told = [at(2 + n, "investigating", 10 * n, f"maybe the {lead}") for n, lead in enumerate(leads)]
    told += [
        at(10 + n, "ruledout", 10 * n + cost, f"not the {lead}")
        for n, (lead, cost) in enumerate(zip(leads, (9, 31, 12, 25, 60), strict=True))
    ]
    told.append(at(16, "ruledout", 190, "nothing that was looked at"))
    assert texts(*told, END) == [
        "badly: 1 h went into a lead that was ruled out (#6 to #14)",
        "badly: 31 min went into a lead that was ruled out (#3 to #11)",
        "badly: 25 min went into a lead that was ruled out (#5 to #13)",
    ]


FAILED = (
    "tried to roll the config back, security checks rejected it", "restarted db1, it did not help",
    "rolled back, no effect", "failover to db2: failed", "restart failed", "purged the cache, which made it worse",
    "rolled back but had to revert that", "attempted to drain the node", "the rollback failed", "scaled up in vain",
    "rolled back, didn't work", "killed the job, but it doesn't help", "added nodes without effect",
    "pushed the fix, the pipeline refused it", "raised the limit, no change",
)  # fmt: skip
WORKED = (
    "restarted db1", "failed over to db2", "removed the failed disk", "config rolled back", "switched back",
    "drained the failing node", "retried the failed jobs", "refused new connections for a minute", "blocked the IPs",
    "rejected the change in review", "no more errors after the restart", "deleted old logs", "changed the effect",
    "wiped the standby data directory and started pg_basebackup", "old bucket emptied",
)  # fmt: skip


@pytest.mark.parametrize("text", FAILED)
def test_a_step_that_says_it_did_not_work_is_offered(text: str) -> None:
    told = (at(2, "detected", 0), at(3, "did", 5, text), at(4, "note", 6, text), END)
    assert [offer.key for offer in offered(*told)] == ["failed-3"]


@pytest.mark.parametrize("text", WORKED)
def test_a_step_that_says_nothing_of_the_kind_is_not_offered(text: str) -> None:
    assert texts(at(2, "detected", 0), at(3, "did", 5, text), END) == []


def test_marks_of_code_and_mentions_are_not_repeated_in_a_command() -> None:
    step = at(3, "did", 5, "restart failed on <!here>")
    assert texts(at(2, "detected", 0), step, END) == ["badly: a step did not work at once (#3)"]


def test_of_a_private_step_nothing_is_offered() -> None:
    assert texts(at(2, "detected", 0), at(3, "did", 5, "private: restart failed"), END) == []


def test_a_mitigation_that_did_not_hold_and_a_return_are_offered() -> None:
    told = (
        at(1, "impact", 0, "all uploads fail"), at(2, "mitigated", 20, "old bucket"),
        at(3, "impact", 25, "downloads broken"), at(4, "mitigated", 30, "disk grown"), at(5, "resolved", 40),
        at(6, "reopened", 80, "again"), at(7, "resolved", 90),
    )  # fmt: skip
    assert texts(*told) == [
        "badly: the mitigation at 12:20 UTC did not hold (#2)",
        "badly: it came back 40 min after it was resolved (#5 to #6)",
    ]


def test_a_time_in_an_offer_is_local_and_has_its_date_where_there_are_several() -> None:
    told = (at(1, "impact", 0, "x"), at(2, "mitigated", 20), at(3, "impact", 600, "y"), at(4, "resolved", 900))
    [offer] = offered(*told, zone="America/Los_Angeles")
    assert offer.text == "the mitigation at 04:20 PST did not hold (#2)"
    far = (*told[:3], at(4, "resolved", 2000))
    assert offered(*far)[0].text == "the mitigation at 12:20 UTC on 2 March did not hold (#2)"


TOLD = (IMPACT, at(2, "detected", 3, "p99", qualifier="monitoring"), at(3, "acknowledged", 43, "me"), END)
BOTH = [
    "well: monitoring noticed after 3 min (#2)",
    "badly: nobody acknowledged it for 40 min (#2 to #3)",
]


@pytest.mark.parametrize(
    ("side", "text", "gone"),
    [
        ("well", "monitoring noticed after 3 min (#2)", {BOTH[0]}),
        ("well", "Monitoring noticed after 3 min, as it should", {BOTH[0]}),
        ("well", "#2 came soon", {BOTH[0]}),
        (None, "#2 came soon", {BOTH[0]}),
        ("badly", "from #2 to #3 nobody came", {BOTH[1]}),
        ("badly", "#2 and #30 say nothing", set()),
        ("badly", "monitoring noticed after 3 min", set()),
        ("lucky", "#2 and #3", set()),
        ("well", "the rollback was quick", set()),
    ],
)
def test_an_offer_is_gone_once_a_lesson_says_it_or_names_its_entries(
    side: str | None, text: str, gone: set[str]
) -> None:
    lesson = at(21, "lesson", 210, text, qualifier=side)
    assert texts(*TOLD) == BOTH
    assert texts(*TOLD, lesson) == [each for each in BOTH if each not in gone]
    # Struck: the same lesson was taken back.
    assert texts(*TOLD, replace(lesson, retracted=True)) == [each for each in BOTH if each not in gone]


def test_what_lies_after_the_end_or_was_taken_back_suggests_nothing() -> None:
    later = (
        at(4, "did", 300, "tried to restart it"), replace(at(5, "did", 10, "restart failed"), retracted=True),
        at(6, "investigating", 210, "the cache"), at(7, "ruledout", 290, "not the cache"),
    )  # fmt: skip
    assert texts(at(2, "detected", 0), *later, END) == []
    assert offered() == []


def test_the_commands_carry_prefix_name_and_the_time_of_the_end() -> None:
    offer = offered(*TOLD, zone="America/Los_Angeles", prefix="inc-", about="INC-7")[0]
    assert offer.command == ("/inc-lesson INC-7 at 2026-03-02 07:20 UTC-8 well: monitoring noticed after 3 min")
    assert offer.strike == "/inc-postmortem strike INC-7 noticed-2"
