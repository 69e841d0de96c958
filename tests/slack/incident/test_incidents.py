"""The subcommands of /incident: declare, show, correct."""

import re

import pytest

from bot.clock import SetClock
from tests.support.ledger import counts, entries, incident, revisions, standing
from tests.support.workplace import Workplace, at


def test_a_detection_joins_an_open_incident(office: Workplace) -> None:
    office.say("/incident open SEV1 disk full")
    assert "· INC-1 #1" in office.say("/detected disk full")
    assert "INC-1 is open in this channel: disk full." in office.refused("/incident open another")


def test_a_detection_without_words_gets_a_title_from_its_channel(office: Workplace) -> None:
    office.say("/detected")
    assert incident(office).title == "Incident in #incident"
    long = "the disk of the database is full " * 9
    office.say(f"/detected {long}", channel=office.slack.add_channel("second"))
    assert len(incident(office, 2).title) <= 120
    assert standing(office, 2)[0][1] == long.strip()


def test_the_status_lists_nothing_that_is_not_known(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-13T14:00:00Z"))
    office.say("/resolved freed")
    shown = office.private("/incident status")
    assert "Started: 12 Mar 12:00 UTC" in shown
    assert "nknown" not in shown.replace("nobody", "")
    assert "Mitigated" not in shown
    assert "Time to detect" not in shown
    assert "Time to resolve: 26 h" in shown


def told(office: Workplace) -> list[str]:
    """The facts of the status, one by one."""
    lines = office.private("/incident status").splitlines()
    return [fact for line in lines if not line.startswith("•") for fact in line.split(" · ")]


def test_the_status_tells_first_signs_and_a_mitigation_that_did_not_hold(office: Workplace, clock: SetClock) -> None:
    office.say("/detected at 09:00 UTC by monitoring: disk at 91%")
    office.say("/impact at 10:00 UTC all uploads fail")
    office.say("/mitigated at 10:30 UTC sent to the old bucket")
    office.say("/impact at 10:40 UTC downloads broken by the switch")
    assert office.private("/incident status").startswith("INC-1 · open · ")
    shown = told(office)
    assert "First signs: 09:00 UTC" in shown
    assert "Users hurt: 10:00 UTC" in shown
    assert "Time to detect: 1 h before the impact" in shown
    assert [line for line in shown if line.startswith("Mitigated")] == ["Mitigated: 10:30 UTC, did not hold (#4)"]
    clock.set(at("2026-03-13T12:00:00Z"))
    office.say("/mitigated at 11:00 UTC disk grown")
    office.say("/resolved at 11:05 UTC")
    shown = told(office)
    assert [line for line in shown if line.startswith("Mitigated")] == [
        "Mitigated: 12 Mar 10:30 UTC, did not hold (#4)",
        "Mitigated: 11:00 UTC",
    ]
    assert "Time to mitigate: 26 h" in shown
    assert "Time in trouble: 25 h 5 min" in shown


def test_rounds_are_told_by_status_list_and_the_receipt_of_the_last_resolution(
    office: Workplace, clock: SetClock
) -> None:
    office.say("/detected at 10:00 UTC p99 is 9 s")
    assert "came back" not in office.say("/resolved at 10:20 UTC normal")
    office.say("/reopened at 11:00 UTC slow again")
    assert "Round 2: 11:00 UTC on, still open" in told(office)
    assert "INC-1 · open · reopened · p99 is 9 s" in office.private("/incident list")
    closed = office.say("/resolved at 11:30 UTC rebuild stopped")
    assert "It came back: 50 min of trouble in 2 rounds." in closed.splitlines()
    shown = told(office)
    assert "Round 1: 10:00 UTC to 10:20 UTC, 20 min" in shown
    assert shown[shown.index("Time to resolve: 1 h 30 min") + 1] == "Time in trouble: 50 min in 2 rounds"
    office.say("/detected no round of its own", channel=office.slack.add_channel("second"))
    clock.set(at("2026-03-12T13:00:00Z"))
    office.say("/reopened at 12:10 UTC once more")
    listed = office.private("/incident list").splitlines()
    assert [line.split(" · ")[:3] for line in listed] == [
        ["INC-2", "open", "no round of its own"],
        ["INC-1", "open", "reopened 2 times"],
    ]


@pytest.mark.parametrize("zone", ["Europe/London", "Africa/Abidjan", "Atlantic/Reykjavik"])
def test_a_zone_whose_clock_equals_utc_shows_one_clock(office: Workplace, zone: str) -> None:
    there = office.slack.add_user("there", zone=zone)
    office.say("/detected disk full", user=there)
    office.deliver()
    assert office.say("/did at 11:58 freed", user=there).startswith("Did · 11:58 UTC · INC-1 #2")
    shown = office.private("/incident status", user=there) + office.private("/timeline", user=there)
    assert "Detected: 12:00 UTC\n" in shown
    assert "2. 11:58 UTC · Did" in shown
    assert not re.search("GMT|London|Abidjan|Reykjavik", shown)


def test_the_list_and_the_search_show_the_incidents(office: Workplace) -> None:
    assert office.private("/incident list") == "No incident is open. /incident open SEV2 title declares one."
    assert "No incident was declared yet." in office.private("/incident list all")
    office.say("/detected disk full")
    office.say("/resolved")
    office.say("/detected 100% of <carts> & orders", channel=office.slack.add_channel("carts"))
    assert "INC-1" not in office.private("/incident list")
    assert office.private("/incident list all").count("INC-") == 2
    assert "INC-2" in office.private("/incident search 100% of")
    assert office.private("/incident search 50%") == "No incident holds “50%”."
    assert "100% of &lt;carts&gt; &amp; orders" in office.private("/incident list")


def test_an_edit_changes_the_time_the_words_or_both_and_adds_a_revision(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/did at 11:50 restarted db1")
    table = (
        ("2 at 04:55", "11:55", "restarted db1"),
        ("2 restarted db2", "11:55", "restarted db2"),
        ("#2: 11:56 UTC: restarted db3", "11:56", "restarted db3"),
        ("2 -3m", "11:57", "restarted db3"),
    )
    for revision, (typed, clock, words) in enumerate(table, start=1):
        assert office.say(f"/incident edit {typed}", user=office.bob).startswith(f"Corrected: Did · {clock} UTC")
        edited = entries(office)[1]
        assert (f"{edited.occurred_at:%H:%M}", edited.text, edited.revisions) == (clock, words, revision)
    assert [(row.revised_by_id, row.number) for row in revisions(office)] == [(office.bob, n) for n in (1, 2, 3, 4)]


def test_an_edit_shows_the_previous_time_and_not_the_words_that_were_wrong(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-13T09:00:00Z"))
    office.say("/did restarted db1")
    assert office.say("/incident edit 2 yesterday 23:50: restarted db2") == (
        "Corrected: Did · 12 Mar 23:50 UTC · INC-1 #2 · late entry · was 13 Mar 09:00 UTC\nrestarted db2"
    )


REFUSED = (
    ("edit", "Which entry? Type its number first. Try: /incident edit last at 12:00"),
    ("edit first at 12:00", "Which entry?"),
    ("edit 0 at 12:00", "There is no entry 0."),
    ("edit 9 at 12:00", "INC-1 has no entry 9. /timeline shows the numbers."),
    ("edit 99999999999999999999 x", "There is no entry 99999999999999999999."),
    ("edit 2 other words", "Entry 2 was taken back. /timeline shows what stands."),
    ("edit 1", "Say what to change: the time, the words or both."),
    ("edit 1 at 25:00", "25:00 is no time of day."),
    ("edit 1 at 12:01", "12:01 is still ahead"),
    ("undo 1 of mine", "/incident undo 1 takes that entry back and needs no more words."),
    ("undo 2", "Entry 2 was taken back."),
    ("undo this", "Which entry? Type its number first. Try: /incident undo"),
    ("severity", "Which severity? Type one of SEV1, SEV2, SEV3, SEV4."),
    ("severity bad", "bad is no severity."),
    ("severity SEV7", "There is no SEV7."),
    ("lead", "That names nobody. Try: /incident lead @alice"),
    ("lead zed", "That names nobody."),
    ("lead @bob @carol", "That names nobody."),
    ("title", "The incident needs a title. Try: /incident title checkout fails"),
    (f"title {'x' * 201}", "The title has 201 characters, and 200 fit."),
    ("list closed", "/incident list shows the open ones"),
    ("search", "Search for what?"),
    ("cancel INC-9 a drill", "There is no INC-9 here."),
    (f"cancel {'x' * 301}", "The reason has 301 characters, and 300 fit."),
    ("duplicate", "Which incident? Name it."),
    ("duplicate INC-9", "There is no INC-9 here."),
    ("duplicate INC-1", "INC-1 is this incident itself. Name the other one."),
    ("merge", "Which incident? Name it."),
    ("merge of the two", "Which incident? Name it."),
    ("merge 9", "There is no INC-9 here."),
    ("status INC-9", "There is no INC-9 here."),
    ("status of this", "Which incident?"),
)


def test_a_refusal_repeats_the_words_and_changes_nothing(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/note a slip")
    office.say("/incident undo")
    before = counts(office)
    for typed, problem in REFUSED:
        answer = office.refused(f"/incident {typed}")
        assert answer.startswith(problem), answer
        assert answer.endswith(f"\nYour words: /incident {typed}"), answer
    assert counts(office) == before


def test_an_undo_retracts_ones_own_last_entry_and_no_other(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/note mine")
    office.say("/note theirs", user=office.bob)
    assert office.say("/incident undo") == "Taken back: Note · 12:00 UTC · INC-1 #2"
    office.say("/incident undo")
    assert "You have no entry on the timeline of INC-1 to take back." in office.refused("/incident undo")
    assert standing(office) == [("note", "theirs")]
    assert [row.retracted for row in revisions(office)] == [True, True]


def test_a_lead_is_a_person_or_a_role(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/incident lead @carol")
    assert (incident(office).lead, incident(office).lead_id) == ("carol", office.carol)
    office.say("/incident lead @database-team")
    assert (incident(office).lead, incident(office).lead_id) == ("database-team", None)
