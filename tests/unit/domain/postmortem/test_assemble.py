from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.incident.impact import ASPECTS
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.document import Document
from bot.vocabulary import FACTORS, SIDES
from storage.values import ActionItem, TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry, item

TOPICAL = (
    "systems: db1", "log: disk full", "Config: pool 10", "told customers: at 12:10", "told staff: by mail",
    "communication: sooner", "improve: drills", "docs: the runbook", "training: restores", "review: on Friday",
    "noticing: late", "coordinating: one lead", "telling: by mail",
)  # fmt: skip
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
INCIDENT = casebook.incident(casebook.load(casebook.NAMES[0]))


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def document(
    entries: list[TimelineEntry],
    items: list[ActionItem] | None = None,
    *,
    zone: str = "UTC",
    prefix: str = "",
) -> Document:
    return assemble(INCIDENT, entries, items or [], zone=ZoneInfo(zone), prefix=prefix, names={"U7ALICE": "Alice"})


def test_an_empty_incident_asks_for_everything_it_cannot_know() -> None:
    asked = document([]).questions
    assert {"started", "detected", "acknowledged", "mitigated", "resolved", "impact", "cause"} <= set(asked)
    assert {"measures", "well", "badly", "lucky"} <= set(asked)
    assert "share" not in asked
    assert asked["started"].command == "/started at 2019-07-02 13:45 UTC"


def test_a_question_names_the_workspaces_own_command() -> None:
    assert document([], prefix="inc-").questions["resolved"].command.startswith("/inc-resolved at ")


def test_an_example_pasted_as_it_stands_makes_an_order_that_can_be() -> None:
    told = [entry(1, "note", after(0), "slow"), entry(2, "detected", after(10)), entry(3, "did", after(30))]
    commands = {fact: each.command for fact, each in document(told).questions.items()}
    assert f"{after(0):%H:%M}" in commands["started"]
    assert f"{after(10):%H:%M}" in commands["acknowledged"]
    assert f"{after(30):%H:%M}" in commands["mitigated"]
    assert f"{after(30):%H:%M}" in commands["resolved"]
    resolved = [*told, entry(4, "resolved", after(20))]
    assert f"{after(20):%H:%M}" in document(resolved).questions["mitigated"].command


def test_what_is_told_is_not_asked() -> None:
    told = [
        entry(1, "impact", after(0), "20% of users saw errors"),
        entry(2, "detected", after(1), qualifier="monitoring"),
        entry(3, "acknowledged", after(2)),
        entry(4, "mitigated", after(3)),
        entry(5, "resolved", after(4)),
        entry(6, "escalated", after(2), "to the storage team"),
        *(entry(10, "cause", after(9), "a full disk", qualifier=factor) for factor in FACTORS),
        *(entry(20, "lesson", after(9), "x", qualifier=side) for side in SIDES),
        *(entry(30, "impact", after(9), f"{aspect}: much") for aspect in ASPECTS),
        *(entry(40, "note", after(9), words) for words in TOPICAL),
    ]
    assert document(told, [item(1, "alert on disks", owner="sre", due_on=date(2026, 4, 1))]).questions == {}


def test_a_detection_without_a_source_and_an_item_without_an_owner_are_asked_about_by_number() -> None:
    asked = document([entry(4, "detected", after(0))], [item(1, "a", owner="x"), item(2, "b")]).questions
    assert asked["detected_by"].command.startswith("/incident edit 4 ")
    assert asked["owner"].command == "/actionitem assign 2 me"


def test_the_latest_share_told_is_the_one_shown() -> None:
    told = [entry(1, "impact", after(0), "5% of users"), entry(2, "impact", after(90), "about 30% of users")]
    assert document(told).share == "about 30% of users"


def test_items_come_by_term_with_the_dropped_ones_apart() -> None:
    items = [
        item(3, "c", kind="long-term"),
        item(1, "a", kind="short-term", due_on=date(2026, 4, 1)),
        item(2, "b"),
        item(4, "d", kind="short-term", state="dropped", reason="too dear"),
    ]
    by_term = document([], items).items
    assert {term: [one.number for one in of_it] for term, of_it in by_term.items()} == {
        "short-term": [1],
        "long-term": [3],
        "unsorted": [2],
        "dropped": [4],
    }


def test_the_date_of_utc_is_asked_for_wherever_it_differs_from_the_local_one() -> None:
    told = [entry(n, "note", datetime(2026, 3, 2, hour, tzinfo=UTC)) for n, hour in enumerate((1, 2, 9, 23), 1)]
    days = document(told, zone="America/Los_Angeles").timeline[0].days
    assert [day.on for day in days] == [date(2026, 3, 1), date(2026, 3, 2)]
    assert [[line.time.other_day for line in day.lines] for day in days] == [[True, True], [False, False]]


def test_local_times_follow_the_change_of_the_clocks() -> None:
    spring = [entry(n, "note", datetime(2026, 3, 29, hour, 30, tzinfo=UTC)) for n, hour in enumerate((0, 1), 1)]
    lines = document(spring, zone="Europe/Berlin").timeline[0].days[0].lines
    assert [(line.time.local.hour, line.time.local.tzname()) for line in lines] == [(1, "CET"), (3, "CEST")]


def test_a_summary_told_afterwards_is_not_listed_on_the_timeline_but_kept() -> None:
    told = [
        entry(1, "detected", after(0)),
        entry(2, "cause", after(1), "found it"),
        entry(3, "resolved", after(2)),
        entry(4, "impact", after(9), "700 orders lost"),
        entry(5, "cause", after(9), "a full disk", qualifier="technical"),
        entry(6, "did", after(9)),
        entry(7, "lesson", after(9), "x"),
    ]
    shown = document(told)
    listed = [line.number for phase in shown.timeline for day in phase.days for line in day.lines]
    assert listed == [1, 2, 3, 6]
    assert [line.number for line in shown.impact] == [4]
    assert set(shown.causes) == {"unsorted", "technical"}
    assert set(shown.lessons) == {"unsorted"}


def test_retracted_entries_are_nowhere() -> None:
    shown = document([entry(1, "impact", after(0), "x", retracted=True)])
    assert (shown.entries, shown.timeline, shown.impact, shown.people) == (0, (), (), ())


def test_a_late_entry_says_by_how_much() -> None:
    shown = document([entry(1, "note", after(0), recorded_at=after(20)), entry(2, "note", after(21))])
    assert [line.late_s for line in shown.late] == [1200]


def test_mentions_of_known_people_are_names_and_other_lines_stand_apart() -> None:
    shown = document([entry(1, "note", after(0), " <@U7ALICE|al> asks <@U9>\r\nTraceback:\n  line 1\n\n")])
    words = shown.timeline[0].days[0].lines[0].words
    assert words.first == "@Alice asks <@U9>"
    assert words.rest == "Traceback:\n  line 1"


def test_the_last_resolution_is_the_one_told_of_and_none_while_reopened() -> None:
    told = [entry(1, "resolved", after(0)), entry(2, "reopened", after(1))]
    assert document(told).resolution is None
    shown = document([*told, entry(3, "resolved", after(2))]).resolution
    assert shown is not None
    assert shown.number == 3


def test_rounds_first_signs_and_mitigations_stand_on_both_clocks() -> None:
    told = [
        entry(1, "detected", NOON, "disk at 91%"),
        entry(2, "impact", NOON + timedelta(minutes=30), "uploads fail", approximate=True),
        entry(3, "mitigated", NOON + timedelta(minutes=40), "old bucket"),
        entry(4, "impact", NOON + timedelta(minutes=50), "downloads fail"),
        entry(5, "resolved", NOON + timedelta(minutes=60)),
        entry(6, "note", NOON + timedelta(minutes=90), "quiet"),
        entry(7, "reopened", NOON + timedelta(minutes=200)),
        entry(8, "mitigated", NOON + timedelta(minutes=210), "disk grown"),
        entry(9, "resolved", NOON + timedelta(minutes=215)),
    ]
    shown = document(list(reversed(told)), zone="Europe/Berlin")
    assert [(each.began.local_clock, each.ended and each.ended.local_clock, each.seconds) for each in shown.rounds] == [
        ("13:30", "14:00", 1800),
        ("16:20", "16:35", 900),
    ]
    assert [each.began.approximate for each in shown.rounds] == [True, False]
    assert shown.trouble_s == 2700
    assert (shown.first_sign, shown.detected_before_s) == (shown.times["detected_at"], 1800)
    assert shown.impact_began
    assert (shown.impact_began.utc_clock, shown.impact_began.about) == ("12:30", "about ")
    assert [(each.line.number, each.held, each.undone_by and each.undone_by.number) for each in shown.mitigations] == [
        (3, False, 4),
        (8, True, None),
    ]
    assert shown.mitigation == shown.mitigations[1].line
    assert [gap.start.utc_clock for gap in shown.gaps] == []


def test_while_nobody_knows_the_start_or_the_end_no_length_of_trouble_is_told() -> None:
    assert document([entry(1, "note", NOON)]).rounds == ()
    going_on = document([entry(1, "detected", NOON)])
    assert [(each.ended, each.seconds) for each in going_on.rounds] == [(None, None)]
    assert going_on.trouble_s is None
