"""A time that may be meant otherwise: saved at once, said, and one press away from the other reading."""

import pytest

from bot.clock import SetClock
from bot.fakeslack.dispatcher import Answer
from bot.handlers.postmortem.interview import ANSWER
from tests.support import buttons
from tests.support.ledger import entries, standing
from tests.support.workplace import Workplace, at


def labels(answer: Answer) -> list[str]:
    """The labels of the buttons under a receipt about its time, without the one that keeps the time."""
    others = ("came_back", "qualify_", ANSWER)
    found = [each["text"]["text"] for each in buttons.buttons(answer) if not each["action_id"].startswith(others)]
    assert not found or found[-1] == "It is right"
    return found[:-1]


def occurred(office: Workplace) -> str:
    """When the newest entry happened, to the minute."""
    return f"{entries(office)[-1].occurred_at:%F %H:%M}"


@pytest.fixture
def valentine(office: Workplace, clock: SetClock) -> Workplace:
    """INC-1, of 14 February from 09:33 to 11:59; the clock is at 12:00 on the 15th."""
    clock.set(at("2026-02-14T12:30:00Z"))
    office.say("/detected at 09:33 disk full")
    office.say("/resolved at 11:59 freed")
    office.deliver()
    clock.set(at("2026-02-15T12:00:00Z"))
    return office


def test_a_clock_time_of_the_day_after_belongs_to_the_incident(valentine: Workplace) -> None:
    answer = valentine.ask("/note at 10:46 the graph looked odd")
    assert "Note · 14 Feb 10:46 UTC" in answer.text
    assert "INC-1 ran on Saturday 14 February 2026, so that day is taken." in answer.text
    assert labels(answer) == ["Use 15 Feb 10:46 UTC"]
    assert occurred(valentine) == "2026-02-14 10:46"


def test_one_press_takes_the_other_reading_and_the_button_is_gone(valentine: Workplace) -> None:
    answer = valentine.ask("/note at 10:46 the graph looked odd")
    assert valentine.slack.click(valentine.bob, answer, "retime").status == 200
    shown = valentine.messages()[-1]
    assert answer.message is not None
    assert shown.ts == answer.message.ts
    assert shown.text.startswith("Corrected: Note · 10:46 UTC")
    assert buttons.labels(shown) == []
    assert occurred(valentine) == "2026-02-15 10:46"


def test_a_second_press_changes_nothing(valentine: Workplace) -> None:
    answer = valentine.ask("/note at 10:46 the graph looked odd")
    for _ in range(2):
        valentine.slack.click(valentine.bob, answer, "retime")
    assert [entry.revisions for entry in entries(valentine)] == [0, 0, 1]


def test_a_time_of_today_stays_of_today_while_the_incident_holds_no_such_one(valentine: Workplace) -> None:
    answer = valentine.ask("/note at 08:15 the report was written")
    assert "Note · 08:15 UTC" in answer.text
    assert labels(answer) == []


def test_the_day_that_was_typed_is_the_day(valentine: Workplace) -> None:
    assert "Note · 10:46 UTC" in valentine.say("/note today 10:46 the report was written")


def test_a_correction_within_the_entrys_own_day_asks_nothing_about_the_day(valentine: Workplace) -> None:
    valentine.say("/note at 2026-02-14 10:46 the graph looked odd")
    answer = valentine.ask("/incident edit last at 10:47")
    assert "14 Feb 10:47 UTC" in answer.text
    assert "Mind the day" not in answer.text
    assert buttons.labels(answer) == []


@pytest.mark.parametrize("by", ["It is right", "Use 15 Feb 10:46 UTC"])
def test_who_answers_leaves_no_button(valentine: Workplace, by: str) -> None:
    answer = valentine.ask("/note at 10:46 odd")
    action = "entry_right" if by == "It is right" else "retime"
    valentine.slack.click(valentine.alice, answer, action)
    assert buttons.labels(valentine.messages()[-1]) == []


def test_who_answers_about_the_time_of_a_resolution_keeps_the_way_to_its_postmortem(
    office: Workplace, clock: SetClock
) -> None:
    clock.set(at("2026-03-12T08:00:00Z"))
    office.say("/detected at 07:17 disk full")
    answer = office.ask("/resolved at 06:00 gone")
    assert buttons.labels(answer) == ["Correct", "It is right", "Answer the open questions"]
    office.slack.click(office.alice, answer, "entry_right")
    assert answer.message
    (confirmed,) = (each for each in office.messages() if each.ts == answer.message.ts)
    assert confirmed.text.endswith("the time is right\ngone")
    assert buttons.labels(confirmed) == ["Answer the open questions"]


def test_a_press_on_the_right_time_says_so_and_revises_nothing(valentine: Workplace) -> None:
    answer = valentine.ask("/note at 10:46 odd")
    valentine.slack.click(valentine.alice, answer, "entry_right")
    assert valentine.messages()[-1].text == "Note · 14 Feb 10:46 UTC · INC-1 #3 · late entry · the time is right\nodd"
    assert entries(valentine)[-1].revisions == 0


ABROAD: list[tuple[str, str, str, str, str, list[str]]] = [
    # who, now, words, taken, said, offered
    ("bob", "2026-07-02T13:20:00Z", "06:15 PST", "2026-07-02 13:15", "the time on the wall is taken, PDT",
     []),
    ("bob", "2026-07-02T18:20:00Z", "06:15 PST", "2026-07-02 13:15", "the time on the wall is taken, PDT",
     ["Use 06:15 PST (14:15 UTC)"]),
    ("bob", "2026-01-02T14:20:00Z", "06:15 PST", "2026-01-02 14:15", "", []),
    ("bob", "2026-07-02T18:30:00Z", "14:30 EST", "2026-07-02 18:30", "the time on the wall is taken, EDT", []),
    ("bob", "2026-07-02T20:00:00Z", "14:30 EST", "2026-07-02 19:30", "EST is taken as UTC-5; the clocks there",
     ["Use 14:30 EDT (18:30 UTC)"]),
    ("bob", "2026-07-02T07:24:00Z", "07:10", "2026-07-01 14:10", "It may have been read in UTC.",
     ["Use 07:10 UTC (00:10 in Los Angeles)"]),
    ("bob", "2026-11-01T12:00:00Z", "2026-11-01 01:30", "2026-11-01 09:30", "twice, and PST is taken",
     ["Use 01:30 PDT (08:30 UTC)"]),
    ("alice", "2026-07-02T07:24:00Z", "07:10", "2026-07-02 07:10", "", []),
    ("alice", "2026-07-02T20:30:00Z", "14:02 CST", "2026-07-02 20:02", "CST is used by several zones; UTC-6 is taken.",
     ["Use 14:02 CST (06:02 UTC)", "Use 14:02 CST (19:02 UTC)"]),
    ("alice", "2026-07-02T12:00:00Z", "4:30 am Pacific", "2026-07-02 11:30", "04:30 PDT is taken; the word after",
     ["Use 04:30 UTC"]),
    ("alice", "2026-07-02T12:00:00Z", "7:30 Eastern region", "2026-07-02 07:30", "07:30 UTC is taken; the word after",
     ["Use 07:30 EDT (11:30 UTC)"]),
    ("alice", "2026-07-02T12:00:00Z", "11:30 zulu", "2026-07-02 11:30", "", []),
    ("bob", "2026-03-12T07:43:00Z", "today 07:10", "2026-03-12 07:10", "so it is read in UTC", []),
]  # fmt: skip


def test_a_beginning_is_saved_though_its_end_is_ahead_and_that_is_said(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T12:00:00Z"))
    said = office.say("/detected 11:30-12:30 maintenance")
    assert said.startswith("Detected \u00b7 11:30 UTC")
    assert "The end, 12:30, is still ahead; it is left out." in said
    assert entries(office)[-1].until_at is None


def test_the_day_after_a_time_that_lies_in_the_incident_only_in_utc_is_offered(valentine: Workplace) -> None:
    # 10:46 in Los Angeles is after the incident on either day; 10:46 UTC lies within it.
    answer = valentine.ask("/note at 10:46 the graph looked odd", user=valentine.bob)
    assert "It may have been read in UTC." in answer.text
    assert "Use 14 Feb 10:46 UTC (02:46 in Los Angeles)" in labels(answer)


def test_of_an_incident_of_several_days_the_two_nearest_days_are_offered(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-02-14T12:30:00Z"))
    office.say("/detected at 09:33 disk full")
    clock.set(at("2026-02-19T12:30:00Z"))
    office.say("/resolved at 11:59 freed")
    office.deliver()
    clock.set(at("2026-02-20T12:00:00Z"))
    answer = office.ask("/note at 10:46 the graph looked odd")
    assert occurred(office) == "2026-02-19 10:46"
    assert labels(answer) == ["Use 20 Feb 10:46 UTC", "Use 18 Feb 10:46 UTC", "Use 17 Feb 10:46 UTC"]


@pytest.mark.parametrize(("who", "now", "words", "taken", "said", "offered"), ABROAD)
def test_a_zone_that_the_clock_contradicts_is_said_with_the_other_reading(
    office: Workplace, clock: SetClock, who: str, now: str, words: str, taken: str, said: str, offered: list[str]
) -> None:
    clock.set(at(now))
    answer = office.ask(f"/detected at {words} disk full", user=office.people[who])
    assert occurred(office) == taken
    assert said in answer.text
    assert labels(answer) == offered


ORDER = [
    ("/acknowledged at 06:00 on it", "77 min before it was detected (07:17 UTC)"),
    ("/resolved at 06:00 gone", "77 min before it was detected (07:17 UTC)"),
    ("/mitigated at 04:00 blocked", "3 h 17 min before it was detected (07:17 UTC)"),
    ("/acknowledged at 07:18 on it", None),
    ("/started at 06:00 a leak", None),
    ("/did at 06:00 a deploy", None),
]


@pytest.mark.parametrize(("typed", "said"), ORDER)
def test_an_order_that_cannot_be_is_asked_about(
    office: Workplace, clock: SetClock, typed: str, said: str | None
) -> None:
    clock.set(at("2026-03-12T08:00:00Z"))
    office.say("/detected at 07:17 disk full")
    answer = office.ask(typed)
    assert answer.body["response_type"] == "in_channel"
    if said is None:
        assert labels(answer) == []
    else:
        assert f"That is {said}." in answer.text
        assert labels(answer) == ["Correct"]


@pytest.mark.parametrize("typed", ["/acknowledged at 07:24 on it", "/note at 07:24 odd", "/resolved at 07:24 gone"])
def test_a_clock_time_in_the_minute_of_the_detection_is_not_before_it(
    office: Workplace, clock: SetClock, typed: str
) -> None:
    clock.set(at("2026-03-12T07:24:39Z"))
    office.say("/detected disk full")
    clock.set(at("2026-03-12T07:25:10Z"))
    answer = office.ask(typed)
    assert " · 07:24 UTC · INC-1 #2" in answer.text
    assert "before" not in answer.text
    assert entries(office)[1].occurred_at == at("2026-03-12T07:24:39Z")
    assert "Corrected" in office.say("/incident edit 2 at 07:25")
    assert "before" not in office.say("/incident edit 2 at 07:24")
    assert entries(office)[1].occurred_at == at("2026-03-12T07:24:39Z")


def test_so_it_is_where_the_incident_began_earlier(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T07:24:39Z"))
    office.say("/detected disk full")
    office.say("/started at 07:05 a leak")
    assert "before" not in office.say("/acknowledged at 07:24 on it")
    assert entries(office)[2].occurred_at == at("2026-03-12T07:24:39Z")


def test_a_beginning_in_the_minute_of_the_detection_is_at_its_full_minute(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T07:24:39Z"))
    office.say("/detected disk full")
    office.say("/started at 07:24 a leak")
    assert entries(office)[1].occurred_at == at("2026-03-12T07:24:00Z")


def test_seconds_that_were_typed_count(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T07:24:39Z"))
    office.say("/detected disk full")
    assert "That is 9 s before it was detected" in office.say("/acknowledged at 07:24:30 on it")


def test_a_detection_after_what_follows_it_is_asked_about_too(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T08:00:00Z"))
    office.say("/incident open SEV2 disk")
    office.say("/acknowledged at 07:50 on it")
    assert "That is 10 min after it was acknowledged (07:50 UTC)." in office.say("/detected disk full")
    assert "after" not in office.say("/detected disk full again")


def test_the_form_corrects_time_and_words(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T08:00:00Z"))
    office.say("/detected at 07:17 disk full")
    answer = office.ask("/acknowledged at 06:00 on it")
    office.slack.click(office.bob, answer, "entry_correct")
    modal = office.slack.modal(office.bob)
    assert modal is not None
    assert modal.title == "Correct entry 2"
    office.slack.submit(office.bob, {"time": int(at("2026-03-12T07:20:00Z").timestamp()), "words": "on it now"})
    assert office.messages()[-1].text.startswith("Corrected: Acknowledged · 07:20 UTC (00:20 in Los Angeles)")
    assert (entries(office)[-1].text, occurred(office)) == ("on it now", "2026-03-12 07:20")


def test_a_correction_is_doubted_as_well(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T08:00:00Z"))
    office.say("/detected at 07:17 disk full")
    office.say("/acknowledged at 07:20 on it")
    answer = office.ask("/incident edit 2 at 07:02")
    assert "That is 15 min before it was detected (07:17 UTC)." in answer.text
    assert labels(answer) == ["Correct"]
    assert labels(office.ask("/incident edit 2 at 07:30")) == []


def test_a_press_on_an_entry_that_was_taken_back_says_so(valentine: Workplace) -> None:
    answer = valentine.ask("/note at 10:46 odd")
    valentine.say("/incident undo")
    valentine.slack.click(valentine.alice, answer, "retime")
    assert "Entry 3 was taken back." in valentine.messages(user=valentine.alice)[-1].text
    assert [kind for kind, _ in standing(valentine)] == ["detected", "resolved"]


def test_a_timeline_that_spans_a_change_of_the_clocks_names_both_offsets(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-11-01T12:00:00Z"))
    office.say("/detected at 00:50 disk full", user=office.bob)
    office.say("/note at 08:30 UTC one", user=office.bob)
    office.say("/note at 09:30 UTC two", user=office.bob)
    office.say("/resolved at 09:40 UTC gone", user=office.bob)
    shown = office.private("/timeline", user=office.bob)
    assert "08:30 UTC (01:30 PDT in Los Angeles)" in shown
    assert "09:30 UTC (01:30 PST in Los Angeles)" in shown
    office.deliver()
    draft = office.drafts[-1].content.decode()
    assert "UTC-7), from the change of the clocks on in PST (UTC-8), with UTC in brackets." in draft
    assert "**01:30 PDT** (08:30 UTC)" in draft
    assert "**01:30 PST** (09:30 UTC)" in draft


def test_the_same_words_within_a_minute_may_be_a_slip(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T12:00:00Z"))
    office.say("/detected disk full")
    office.say("/note we look")
    assert "same as" not in office.say("/note we look", user=office.bob)
    assert "same as" not in office.say("/did we look")
    clock.set(at("2026-03-12T12:00:59Z"))
    answer = office.ask("/note we look")
    assert answer.text.endswith("\nThe same as #2?")
    office.slack.click(office.bob, answer, "entry_undo")
    assert "not one that you recorded" in office.messages(user=office.bob)[-1].text
    office.slack.click(office.alice, answer, "entry_undo")
    assert "Taken back: Note" in office.messages()[-1].text
    assert [entry.revisions for entry in entries(office)] == [0, 0, 0, 0, 1]
    clock.set(at("2026-03-12T12:01:01Z"))
    assert "same as" not in office.say("/note we look")


MENTIONS = [
    ("/note restarted the pods at 06:40", ["Use 06:40 UTC"], "2026-03-12 06:40"),
    ("/did alert fired 06:40 UTC, nobody saw it", ["Use 06:40 UTC"], "2026-03-12 06:40"),
    ("/note version 1.06:40 of it", [], None),
    ("/note disk full", [], None),
    ("/note at 7 failover began", ["Use 07:00 UTC"], "2026-03-12 07:00"),
    ("/note at 7 hosts", [], None),
    ("/note at 07:30 restarted the pods at 06:40", [], None),
]


@pytest.mark.parametrize(("typed", "offered", "taken"), MENTIONS)
def test_a_time_further_on_is_offered(
    office: Workplace, clock: SetClock, typed: str, offered: list[str], taken: str | None
) -> None:
    clock.set(at("2026-03-12T08:00:00Z"))
    office.say("/detected at 06:00 disk full")
    answer = office.ask(typed)
    assert buttons.labels(answer) == offered
    if taken is not None:
        assert occurred(office) == "2026-03-12 08:00"
        office.slack.click(office.alice, answer, "retime")
        assert occurred(office) == taken


def test_a_question_about_the_time_stands_beside_one_about_the_incident(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/resolved freed")
    clock.set(at("2026-03-12T13:00:00Z"))
    answer = office.ask("/started a deploy")
    assert "this is recorded as afterwards" in answer.text
    assert "after it was resolved" in answer.text
    assert labels(answer) == ["Correct"]
    office.deliver()
    office.slack.click(office.alice, answer, "came_back")
    assert office.messages()[-1].text.startswith("INC-1 is open again: disk full")


def test_a_doubt_about_what_was_kept_in_an_outage_is_told_to_its_author(valentine: Workplace) -> None:
    valentine.bot.context.offline._away = True
    valentine.ask("/note at 10:46 the graph looked odd")
    assert valentine.bot.context.offline.replay() == 1
    valentine.deliver()
    asked = valentine.messages(user=valentine.alice)[-1]
    assert asked.ephemeral_for == valentine.alice
    assert "INC-1 ran on Saturday 14 February 2026, so that day is taken." in asked.text
    assert asked.blocks[-1]["elements"][0]["text"]["text"] == "Use 15 Feb 10:46 UTC"


def test_a_time_further_on_that_is_about_so_stays_so(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask("/did restarted the pods around 11:40")
    assert office.slack.click(office.alice, answer, "retime").ok
    assert occurred(office) == "2026-03-12 11:40"
    assert entries(office)[-1].approximate


def test_the_time_of_a_second_resolution_is_taken_as_it_was_typed(office: Workplace) -> None:
    office.say("/detected at 11:00 disk full")
    office.say("/resolved at ~11:30 freed")
    answer = office.ask("/resolved at 11:40")
    assert office.slack.click(office.alice, answer, "resolved_then").ok
    entry = next(each for each in entries(office) if each.kind == "resolved")
    assert (f"{entry.occurred_at:%H:%M}", entry.approximate) == ("11:40", False)


def test_an_old_button_does_not_override_a_later_edit(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T08:00:00Z"))
    office.say("/detected at 06:00 disk full")
    answer = office.ask("/note restarted the pods at 06:40")
    office.say("/incident edit 2 07:20 UTC new words")
    office.slack.click(office.alice, answer, "retime")
    told = office.messages(user=office.alice)[-1].text
    assert told.startswith("Entry 2 of INC-1 was corrected since, and stands at 07:20 UTC, so nothing was changed.")
    assert entries(office)[1].occurred_at == at("2026-03-12T07:20:00Z")
    office.say(told.rpartition("If that is wrong: ")[2])
    assert entries(office)[1].occurred_at == at("2026-03-12T06:40:00Z")


def test_a_time_just_ahead_is_now_where_yesterdays_would_be_before_the_incident(
    office: Workplace, clock: SetClock
) -> None:
    clock.set(at("2026-03-12T00:55:00Z"))
    office.say("/detected at 00:30 disk full")
    answer = office.ask("/resolved at 01:05 freed")
    assert answer.text.startswith("Resolved · 00:55 UTC")
    assert "That time is still ahead, so now is taken." in answer.text
    assert labels(answer) == ["Use 11 Mar 01:05 UTC"]
    assert "migration" in office.say("/note migration ran at noon")


def test_a_cancelled_incident_does_not_stand_before_a_resolved_one(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/resolved freed")
    office.say("/incident open two")
    office.say("/incident cancel mistake")
    assert "· INC-1 #" in office.say("/lesson well: quick")
