"""What a message tells people to type: pasted, it does what it says, to the incident that it is about."""

import pytest

from bot.clock import SetClock
from storage.database import Database
from tests.support.ledger import entries, incident, incident_count, items, standing
from tests.support.workplace import Workplace, workplace


@pytest.fixture
def payments(office: Workplace) -> str:
    """INC-1 is open in #incident, INC-2 in the channel that is returned; each has two entries and an item."""
    channel = office.slack.add_channel("payments")
    for place in (office.channel, channel):
        office.say("/detected disk full", channel=place)
        office.say("/note we look", channel=place)
        office.say("/actionitem @bob by 2026-04-01: buy disks", channel=place)
    office.deliver()
    return channel


ITEM = "That is an action item; /actionitem list shows them. To add one: /actionitem "
HINTS = {
    "/note INC-2 password=hunter2-Xy77pq": "/incident erase INC-2 3 it held a password",
    "/actionitem INC-2 @bob password=hunter2-Xy77pq": "/actionitem erase INC-2 2 it held a password",
    "/actionitem INC-2 rotate the key": "/actionitem assign INC-2 2 @alice",
    "/actionitem INC-2 @carol rotate the key": "/actionitem due INC-2 2 friday",
    "/actionitem assign INC-2 1": "/actionitem assign INC-2 1 @alice",
    "/actionitem done INC-2 9": "/actionitem list INC-2 shows",
    "/incident edit INC-2 9 x": "/timeline INC-2 shows",
    "/incident undo INC-2 1 x": "/incident undo INC-2 1 takes",
    "/incident edit INC-2 2": "/incident edit INC-2 2 disk full on db1",
    "/incident erase INC-2 2": "/incident erase INC-2 2 it names a customer",
    "/note INC-2 at 11:30": "/note INC-2 at 11:30 disk full on db1",
    "/actionitem INC-2 @bob": "/actionitem INC-2 @bob: test the backups",
    "/postmortem check INC-2": "/incident edit INC-2 1 by monitoring",
    "/postmortem review INC-2": "/postmortem review INC-2 2026-03-19 10:00",
    "/postmortem publish INC-2": "/postmortem draft INC-2 writes one",
}


@pytest.mark.parametrize("typed", HINTS)
@pytest.mark.parametrize("name", [" INC-2", ""])
def test_a_command_names_the_incident_where_it_is_not_the_channels(
    office: Workplace, payments: str, typed: str, name: str
) -> None:
    told = office.ask(typed.replace(" INC-2", name), channel=office.channel if name else payments).text
    assert HINTS[typed].replace(" INC-2", name) in told
    assert standing(office) == [("detected", "disk full"), ("note", "we look")]


def test_the_second_open_incident_of_a_channel_is_named_too(office: Workplace, payments: str) -> None:
    asked = office.ask("/incident open cards fail", channel=payments)
    office.slack.click(office.alice, asked, "choose_incident")
    assert incident_count(office) == 3
    assert "/actionitem assign INC-2 2 @alice" in office.say("/actionitem INC-2 rotate the key", channel=payments)
    assert "/actionitem assign 1 @alice" in office.say("/actionitem rotate the key", channel=payments)


def test_a_default_zone_is_corrected_on_the_right_incident(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock) as office:
        office.say("/detected disk full")
        office.say("/detected cards fail", channel=office.slack.add_channel("payments"))
        dan = office.slack.add_user("dan", zone=None)
        office.bot.refresh()
        told = office.say("/note INC-2 at 11:30 we look", user=dan)
        assert "/incident edit INC-2 2 at 11:30" in told


@pytest.mark.usefixtures("payments")
@pytest.mark.parametrize(
    ("typed", "kind", "words"),
    [
        ("/note at 11:40 INC-2 we look", "note", "we look"),
        ("/note -20m: (INC-2) we look", "note", "we look"),
        ("/note (INC-2) we look", "note", "we look"),
        ("/note *INC-2* we look", "note", "we look"),
        ("/note `INC-2`: we look", "note", "we look"),
        ("/cause process: INC-2 nobody looked", "cause", "nobody looked"),
        ("/lesson well: INC-2: it held", "lesson", "it held"),
        ("/incident note at 11:40 INC-2 we look", "note", "we look"),
    ],
)
def test_a_number_behind_the_time_names_the_incident(office: Workplace, typed: str, kind: str, words: str) -> None:
    answer = office.ask(typed)
    assert "Recorded on INC-2" in answer.text
    assert standing(office, 2)[-1] == (kind, words)
    assert len(standing(office)) == 2
    office.slack.click(office.alice, answer, "move_here")
    assert standing(office)[-1] == (kind, f"INC-2 {words}")


@pytest.mark.usefixtures("payments")
def test_what_follows_such_a_number_is_read_as_ever(office: Workplace) -> None:
    office.say("/detected at 11:40 INC-2 by customer: cards fail")
    assert [(each.qualifier, each.text) for each in entries(office, 2)][-1] == ("customer", "cards fail")
    office.say("/actionitem @bob by 2026-04-02 INC-2 fix it")
    assert (items(office, 2)[-1].text, items(office, 2)[-1].owner) == ("fix it", "bob")
    assert len(items(office)) == 1
    office.say("/note INC-1 at 11:40 INC-2 has the same cause")
    assert standing(office)[-1] == ("note", "INC-2 has the same cause")
    office.say("/note at 11:41 INC-2's disk is full")
    assert standing(office)[-1] == ("note", "INC-2's disk is full")


@pytest.mark.usefixtures("payments")
def test_a_number_after_the_lead_or_the_severity_names_the_incident(office: Workplace) -> None:
    office.private("/incident lead @bob INC-2")
    office.private("/incident severity SEV1 INC-2")
    assert (incident(office, 2).lead, incident(office, 2).severity) == ("bob", "SEV1")
    assert (incident(office).lead, incident(office).severity) == (None, None)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("/timeline 11:40 restarted db1", "/timeline only shows. To record that: /note 11:40 restarted db1"),
        ("/timeline INC-1 restarted db1", "/timeline only shows. To record that: /note restarted db1"),
        ("/timeline please", "INC-1 · disk full"),
        ("/timeline", "INC-1 · disk full"),
        ("/incident status please!", "INC-1 · open"),
        ("/incident update", "There are no words to tell. Try: /incident update customers see errors"),
        ("/incident SEV1 please", "INC-1 · severity: SEV1"),
        ("/lesson", "There are no words to record. Try: /lesson well: the rollback took a minute"),
        ("/lesson well:", "There are no words to record. Try: /lesson well: the rollback took a minute"),
        ("/cause process:", "There are no words to record. Try: /cause process: the change skipped staging"),
        ("/incident edit last", "Say what to change: the time, the words or both. Try: /incident edit last disk full"),
        *(
            (f"/incident {word} @bob test it", f"{ITEM}@bob test it")
            for word in ("todo", "action", "followup", "tasks", "task", "follow-up")
        ),
        ("/incident todo", f"{ITEM}@alice by friday: test the backups"),
    ],
)  # fmt: skip
def test_an_odd_text_is_answered_with_what_was_meant(office: Workplace, typed: str, answer: str) -> None:
    office.say("/detected disk full")
    assert office.ask(typed).text.startswith(answer)
    assert incident_count(office) == 1
    changed = [("severity", "SEV1")] if "SEV1" in typed else []
    assert standing(office) == [("detected", "disk full"), *changed]


@pytest.mark.parametrize(
    ("words", "side", "text"),
    [
        ("went well: the alert came", "well", "the alert came"),
        ("What went badly: no runbook", "badly", "no runbook"),
        ("where we got lucky: it was night", "lucky", "it was night"),
        ("at 11:40 it went well: the alert", "well", "the alert"),
        ("well: the alert", "well", "the alert"),
        ("the alert went well", None, "the alert went well"),
        ("went to db1: nothing", None, "went to db1: nothing"),
    ],
)
def test_a_lesson_takes_its_side_from_a_phrase(office: Workplace, words: str, side: str | None, text: str) -> None:
    office.say("/detected disk full")
    office.say(f"/lesson {words}")
    assert (entries(office)[-1].qualifier, entries(office)[-1].text) == (side, text)


def test_the_same_words_at_another_time_are_no_slip(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/did at 11:30 restarted db1")
    assert "The same as" not in office.say("/did at 11:40 restarted db1")
    assert "The same as #3?" in office.say("/did at 11:40 restarted db1")
    assert "The same as" in office.say("/did restarted db1")


def test_the_timeline_shows_nobody_by_id(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/note asked <@U0GHOST> for help", raw=True)
    told = office.private("/timeline")
    assert "U0GHOST" not in told
    assert "asked @somebody for help" in told
