"""The subcommands of /incident: declare, show, correct."""

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


def test_the_status_says_unknown_where_nothing_is_known(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-13T14:00:00Z"))
    office.say("/resolved freed")
    shown = office.private("/incident status")
    assert "Started: 12 Mar 12:00 UTC" in shown
    assert "Mitigated: unknown" in shown
    assert "Time to detect: unknown" in shown
    assert "Time to resolve: 1 d 2 h" in shown


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


def test_an_edit_shows_the_previous_words_and_time(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-13T09:00:00Z"))
    office.say("/did restarted db1")
    assert office.say("/incident edit 2 yesterday 23:50: restarted db2") == (
        "Corrected: Did · 12 Mar 23:50 UTC · INC-1 #2 · late entry · was 13 Mar 09:00 UTC\n"
        "restarted db2\nBefore: restarted db1"
    )


REFUSED = (
    ("edit", "Which entry? Type its number first. Try: /incident edit 3 at 14:05"),
    ("edit first at 12:00", "Which entry?"),
    ("edit 0 at 12:00", "There is no entry 0."),
    ("edit 9 at 12:00", "INC-1 has no entry 9. /timeline shows the numbers."),
    ("edit 99999999999999999999 x", "There is no entry 99999999999999999999."),
    ("edit 2 other words", "Entry 2 was taken back. /timeline shows what stands."),
    ("edit 1", "Say what to change: the time, the words or both."),
    ("edit 1 at 25:00", "25:00 is no time of day."),
    ("edit 1 at 12:01", "12:01 is still ahead"),
    ("undo 1", "/incident undo takes back your own last entry"),
    ("severity", "Which severity? Type one of SEV1, SEV2, SEV3, SEV4."),
    ("severity bad", "bad is no severity."),
    ("severity SEV7", "There is no SEV7."),
    ("lead", "That names nobody. Try: /incident lead @alice"),
    ("lead bob", "That names nobody."),
    ("lead @bob @carol", "That names nobody."),
    ("title", "The incident needs a title. Try: /incident title checkout fails"),
    (f"title {'x' * 201}", "The title has 201 characters, and 200 fit."),
    ("list closed", "/incident list shows the open ones"),
    ("search", "Search for what?"),
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
    assert office.say("/incident undo") == "Taken back: Note · 12:00 UTC · INC-1 #2\nmine"
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
