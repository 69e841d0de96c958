"""What was never an incident, or was another one: cancelled, a duplicate, merged; kept, counted nowhere, reopenable."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.clock import SetClock
from bot.documents.export import FORMATS
from bot.domain.report.report import Report
from bot.handlers.items.reminders import tick
from bot.handlers.postmortem.exports import read_by_name
from bot.handlers.report.reports import report_for_terminal
from storage.database import Database
from storage.models import timeline_entries
from tests.support.ledger import counts, entries, incident, items, outbox_states, standing
from tests.support.together import together
from tests.support.workplace import Workplace, at, workplace


@pytest.fixture
def second(office: Workplace) -> str:
    """Another channel, where INC-2 is open; INC-1 is in the first one, each with an item of Bob's."""
    channel = office.slack.add_channel("second")
    office.say("/detected disk full")
    office.say("/actionitem @bob by 2026-03-13: watch the disk")
    office.say("/incident open SEV2 carts are empty", channel=channel)
    office.say("/did restart the carts", channel=channel)
    office.say("/actionitem @bob by 2026-03-13: watch the carts", channel=channel)
    return channel


CLOSED = {
    "cancel": ("/incident cancel false alarm", "cancelled: false alarm"),
    "duplicate": ("/incident duplicate INC-2", "duplicate: the same as INC-2"),
}
"""What closes INC-1 with its entries, and how it stands then."""


@pytest.mark.parametrize("how", CLOSED)
def test_a_closed_incident_says_so_plainly_and_keeps_its_entries(office: Workplace, second: str, how: str) -> None:
    typed, stands = CLOSED[how]
    assert office.say(typed).startswith(f"INC-1 is closed, {stands}")
    assert f"INC-1 · {stands} · disk full" in office.private("/incident status")
    assert f"INC-1 · {stands} · disk full" in office.private("/timeline INC-1", channel=second)
    assert f"INC-1 · {stands} · disk full" in office.private("/incident list all", channel=second)
    assert f"INC-1 · {stands} · disk full" in office.private("/incident search disk", channel=second)
    assert "INC-1" not in office.private("/incident list", channel=second)
    assert standing(office) == [("detected", "disk full")]
    assert "INC-1 is closed" in office.refused(typed)


@pytest.mark.parametrize("how", CLOSED)
def test_a_closed_incident_counts_nowhere_beside_one_that_counts(
    office: Workplace, second: str, clock: SetClock, how: str
) -> None:
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/resolved at 12:05 UTC freed")
    clock.set(at("2026-03-12T13:00:00Z"))
    office.say("/resolved fixed", channel=second)
    office.deliver()
    reported = report(office)
    assert (len(reported.declared), reported.items.recorded) == (2, 2)
    office.say(CLOSED[how][0])
    reported = report(office)
    assert (len(reported.declared), reported.items.recorded, reported.still_open) == (1, 1, 0)
    resolved = next(each for each in reported.spreads if each.key == "time_to_resolve")
    assert (resolved.known, resolved.unknown) == (0, 1)
    for which in ("mine", "all"):
        shown = office.private(f"/actionitem list {which}", user=office.bob)
        assert ("watch the disk" in shown, "watch the carts" in shown) == (False, True), which
    assert "watch the disk" in office.private("/actionitem list")
    office.slack.open_home(office.bob)
    office.deliver()
    home = str(office.slack.home(office.bob))
    assert ("watch the disk" in home, "watch the carts" in home) == (False, True)


def report(office: Workplace) -> Report:
    return report_for_terminal(
        office.database,
        "7d",
        now=office.bot.context.clock(),
        zone=office.bot.context.settings.timezone,
        workspace_id=None,
        private=False,
    )


@pytest.mark.parametrize("how", CLOSED)
def test_nobody_is_reminded_of_a_closed_incident_until_it_is_opened_again(
    office: Workplace, second: str, clock: SetClock, how: str
) -> None:
    office.say("/incident lead @carol")
    office.say("/incident lead @carol", channel=second)
    office.say("/resolved freed")
    office.say("/resolved fixed", channel=second)
    office.say(CLOSED[how][0])
    told = "\n".join(_told_in(office, clock, days=40))
    assert "watch the carts" in told
    assert "INC-2" in told
    assert "watch the disk" not in told
    assert "INC-1" not in told
    office.say("/incident undo")
    told = "\n".join(_told_in(office, clock, days=40))
    assert "watch the disk" in told


def _told_in(office: Workplace, clock: SetClock, *, days: int) -> list[str]:
    """What the digests of the days say, to Bob, to Carol and in the channels."""
    office.deliver()
    before = len(office.slack.calls)
    for _ in range(days * 4):
        clock.set(clock() + timedelta(hours=6))
        tick(office.database, office.bot.context.settings.cadence, at=clock())
        office.deliver()
    posts = [each for each in office.slack.calls[before:] if each.method == "chat.postMessage"]
    return [json.dumps(each.args.get("blocks") or each.args["text"], ensure_ascii=False) for each in posts]


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("how", CLOSED)
def test_a_closed_incident_gets_no_draft_but_one_that_is_asked_for_says_it(office: Workplace, how: str) -> None:
    typed, stands = CLOSED[how]
    office.say("/resolved freed")
    office.say(typed)
    office.deliver()
    assert office.drafts == []
    office.say("/resolved it is over")
    office.deliver()
    assert office.drafts == []
    office.say("/postmortem draft")
    office.deliver()
    assert f"*INC-1 is closed, {stands}*" in office.drafts[0].content.decode()
    record = read_by_name(office.database, "INC-1")
    assert stands in FORMATS["html"](record)
    assert stands.partition(":")[0].capitalize() in FORMATS["svg"](record)
    facts = json.loads(FORMATS["json"](record))["incident"]
    assert (facts["state"], facts["status"]) == (stands.partition(":")[0], "resolved")


def test_what_is_typed_after_a_cancellation_is_kept_and_says_so(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/incident cancel a drill")
    for typed in ("note one", "did two", "mitigated three", "escalated four", "resolved five", "investigating six"):
        assert "INC-1 is closed, cancelled: a drill. It counts nowhere; if it goes on: /reopened" in office.say(
            f"/{typed}"
        )
    assert len(standing(office)) == 7
    assert "so nobody is reminded of it" in office.say("/actionitem @bob by friday: tune the alarm")
    office.deliver()
    assert office.drafts == []
    assert incident(office).state == "cancelled"


def test_a_detection_after_a_cancellation_is_a_new_incident_and_offers_the_old(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/incident cancel false alarm")
    answer = office.ask("/detected disk full indeed")
    assert "INC-2 is declared" in answer.text
    assert "INC-1 in this channel is cancelled: disk full" in answer.text
    office.slack.click(office.bob, answer, "reopen")
    assert "INC-1 is open again" in office.messages()[-1].text
    assert (incident(office).state, incident(office, 2).state) == ("open", "duplicate")


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("how", CLOSED)
def test_a_reopening_and_the_button_open_it_again(office: Workplace, how: str) -> None:
    typed, _ = CLOSED[how]
    answer = office.ask(typed)
    assert [each["text"]["text"] for each in answer.message.blocks[-1]["elements"]] == ["Open it again"]  # type: ignore[union-attr]
    before = standing(office)
    assert office.slack.click(office.carol, answer, "open_again").ok
    assert office.messages()[-1].text == "INC-1 is open again and counts: disk full"
    assert (incident(office).state, standing(office)) == ("open", before)
    office.slack.click(office.carol, answer, "open_again")
    assert office.messages(user=office.carol)[-1].text == "INC-1 is open already."
    office.say(typed)
    assert "INC-1 is closed" not in office.say("/reopened it is real", user=office.carol)
    assert incident(office).state == "open"
    assert incident(office).same_as_id is None


def test_a_resolved_incident_that_was_cancelled_by_mistake_is_resolved_again(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/resolved freed")
    answer = office.ask("/incident cancel the wrong channel")
    office.deliver()
    assert office.drafts == []
    office.slack.click(office.alice, answer, "open_again")
    office.deliver()
    assert incident(office).state == "resolved"
    assert len(office.drafts) == 1
    assert [each.kind for each in entries(office)] == ["detected", "resolved"]


def test_an_undo_right_after_ones_cancellation_takes_it_back_and_no_entry(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-12T12:01:00Z"))
    office.say("/incident cancel false alarm")
    assert "You have no entry" in office.refused("/incident undo", user=office.bob)
    assert office.say("/incident undo") == "INC-1 is open again and counts: disk full"
    assert standing(office) == [("detected", "disk full")]
    office.say("/incident cancel false alarm")
    clock.set(at("2026-03-12T12:02:00Z"))
    office.say("/note the sensor lied")
    assert office.say("/incident undo").startswith("Taken back: Note")
    assert incident(office).state == "cancelled"


def test_a_cancellation_without_a_reason_asks_for_one_and_changes_nothing(office: Workplace) -> None:
    office.say("/detected disk full")
    before = counts(office) | {"receipts": 0}
    answer = office.ask("/incident cancel")
    assert answer.text.startswith("Why is INC-1 no incident?")
    assert counts(office) | {"receipts": 0} == before
    office.slack.click(office.alice, answer, "cancel_incident", "INC-1 drill")
    assert office.messages()[-1].text.startswith("INC-1 is closed, cancelled: drill")


def test_a_closed_incident_stays_closed_while_another_is_open_in_its_channel(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask("/incident cancel false alarm")
    office.say("/detected carts are empty")
    office.slack.click(office.bob, answer, "open_again")
    assert office.messages(user=office.bob)[-1].text == (
        "INC-2 is open in the channel of INC-1, so that one stays closed. "
        "To bring its entries there: /incident merge INC-1"
    )
    assert "INC-1 is merged into INC-2" in office.say("/incident merge INC-1")


def test_a_merge_brings_entries_and_items_with_times_and_authors(
    office: Workplace, second: str, clock: SetClock
) -> None:
    office.say("/note seen by me", user=office.carol)
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/note we know", channel=second)
    answer = office.ask("/incident merge INC-1", channel=second)
    assert answer.text == (
        "INC-1 is merged into INC-2: carts are empty\nMoved over, times unchanged: 2 entries, 1 action item."
    )
    moved = [(each.kind, each.occurred_at, each.author, each.text) for each in entries(office, 2)[2:]]
    assert moved == [
        ("detected", at("2026-03-12T12:00:00Z"), "alice", "disk full"),
        ("note", at("2026-03-12T12:00:00Z"), "carol", "seen by me"),
    ]
    assert [(each.text, each.owner, each.state) for each in items(office, 2)] == [
        ("watch the carts", "bob", "open"),
        ("watch the disk", "bob", "open"),
    ]
    assert incident(office).state == "duplicate"
    assert "INC-1 · duplicate: merged into INC-2" in office.private("/incident list all")
    assert office.private("/incident status INC-1").startswith("INC-2 · open")
    assert office.messages()[-1].text == (
        f"INC-1 is merged into INC-2 in <#{second}>.\nWhat is recorded here goes there from now on."
    )
    assert "INC-2 #5" in office.say("/note also here")
    reported = report(office)
    assert (len(reported.declared), reported.items.recorded) == (1, 2)
    assert "INC-1" not in office.private("/actionitem list all")


def test_a_merged_incident_is_opened_again_by_the_button_or_a_reopening(office: Workplace, second: str) -> None:
    answer = office.ask("/incident merge INC-1", channel=second)
    office.deliver()
    office.slack.click(office.alice, answer, "open_again")
    assert office.messages(second, office.alice)[-1].text == (
        "INC-1 is open again and counts: disk full\nWhat was moved out of it stays with INC-2."
    )
    assert "INC-1 #2" in office.say("/note on its own")
    office.say("/incident merge INC-1", channel=second)
    assert "Reopened · 12:00 UTC · INC-1 #3" in office.say("/reopened not the same after all")
    assert "INC-1 #4" in office.say("/note on its own")


def test_a_merge_of_a_resolved_incident_leaves_an_open_one_open(
    office: Workplace, second: str, clock: SetClock
) -> None:
    clock.set(at("2026-03-12T12:20:00Z"))
    office.say("/resolved freed")
    answer = office.say("/incident merge INC-1", channel=second)
    assert "INC-2 is open; its entry 4 records the reopening." in answer
    assert incident(office, 2).state == "open"
    assert standing(office, 2)[-1] == ("reopened", "INC-1 was resolved, INC-2 was not")
    office.deliver()
    assert office.drafts == []


def test_a_merge_of_an_open_incident_opens_a_resolved_one(office: Workplace, second: str, clock: SetClock) -> None:
    office.say("/resolved freed", channel=second)
    clock.set(at("2026-03-12T12:20:00Z"))
    office.say("/incident merge INC-1", channel=second)
    assert incident(office, 2).state == "open"
    assert [each.kind for each in entries(office, 2)].count("reopened") == 1


def test_what_was_merged_earlier_follows_into_the_next_one(office: Workplace, second: str) -> None:
    third = office.slack.add_channel("third")
    office.say("/detected db is slow", channel=third)
    office.say("/incident merge INC-1", channel=second)
    office.say("/incident merge INC-2", channel=third)
    for name in ("INC-1", "INC-2"):
        assert office.private(f"/incident status {name}").startswith("INC-3 · open"), name
    assert "INC-3 #4" in office.say("/note in the first channel")
    assert "INC-1 is this incident itself" not in office.refused("/incident merge INC-1", channel=third)


WORDS = {
    "duplicate 2": ("duplicate: the same as INC-2", 1),
    "duplicate of INC-2": ("duplicate: the same as INC-2", 1),
    "duplicate INC-2: one disk": ("duplicate: the same as INC-2: one disk", 1),
    "duplicate INC-2 of INC-1": ("duplicate: the same as INC-1", 2),
    "dup #2": ("duplicate: the same as INC-2", 1),
    "same as INC-2": ("duplicate: the same as INC-2", 1),
    "merge inc-2": ("duplicate: merged into INC-1", 2),
    "merge with INC-2": ("duplicate: merged into INC-1", 2),
    "merge INC-1 into INC-2": ("duplicate: merged into INC-2", 1),
    "merge 1 into 2": ("duplicate: merged into INC-2", 1),
    "cancel INC-2 a drill": ("cancelled: a drill", 2),
    "cancel: a\ndrill": ("cancelled: a drill", 1),
    "false alarm": ("cancelled: false alarm", 1),
    "dismiss flapping": ("cancelled: flapping", 1),
}


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("typed", WORDS)
def test_the_words_name_the_incident_and_the_reason(office: Workplace, typed: str) -> None:
    stands, number = WORDS[typed]
    office.ask(f"/incident {typed}")
    assert incident(office, number).standing == stands


def test_a_private_incident_of_another_channel_is_refused_as_one_that_does_not_exist(office: Workplace) -> None:
    hidden = office.slack.add_channel("acquisition", private=True)
    office.say("/detected zebra", channel=hidden)
    office.say("/detected disk full")
    for verb in ("duplicate", "merge", "cancel"):
        for form in ("{}", "{} a drill"):
            refused = [
                office.refused(f"/incident {verb} {form.format(name)}").partition("\n")[0].replace(name, "X")
                for name in ("INC-1", "INC-7")
            ]
            assert refused[0] == refused[1]
    assert "INC-1 is kept to its own channel" in office.refused("/incident merge INC-1 into INC-2", channel=hidden)
    office.say("/incident duplicate INC-2", channel=hidden)
    assert incident(office).standing == "duplicate: the same as INC-2"


def test_a_duplicate_of_a_private_incident_does_not_name_it(office: Workplace, second: str) -> None:
    office.say("/incident cancel false alarm")
    office.say("/detected again")
    office.say("/incident private")
    office.say("/incident duplicate INC-1 of INC-3")
    assert incident(office).standing == "duplicate: the same as another incident"
    assert "INC-3" not in office.private("/incident list all", channel=second)


def test_two_who_merge_two_into_each_other_at_once_lose_nothing(database: Database, clock: SetClock) -> None:
    with workplace(database, clock=clock) as office:
        channels = [office.channel, office.slack.add_channel("second")]
        for round_ in range(4):
            names = []
            for number, channel in enumerate(channels):
                office.say(f"/detected sign {round_} {number}", channel=channel)
                office.say("/actionitem @alice by friday: a", channel=channel)
                office.say("/actionitem @bob by friday: b", channel=channel)
                names.append(f"INC-{2 * round_ + number + 1}")
            answers = together(
                lambda turn: office.ask(f"/incident merge {names[1 - turn]}", channel=channels[turn]).body["text"],  # noqa: B023 - used within the round
                threads=2,
            )
            assert sorted("is merged into" in each.partition("\n")[0] for each in answers) == [False, True], answers
            numbers = [int(name[4:]) for name in names]
            kept = next(number for number in numbers if incident(office, number).open)
            assert sorted(text for _, text in standing(office, kept)) == [f"sign {round_} 0", f"sign {round_} 1"]
            assert len(items(office, kept)) == 4
            for channel in channels:
                office.ask("/resolved done", channel=channel)
        office.deliver()
        assert "parked" not in outbox_states(office)


def test_two_who_call_each_other_a_duplicate_at_once_leave_one(database: Database, clock: SetClock) -> None:
    with workplace(database, clock=clock) as office:
        channels = [office.channel, office.slack.add_channel("second")]
        for channel in channels:
            office.say("/detected a sign", channel=channel)
        together(lambda turn: office.ask(f"/incident duplicate INC-{2 - turn}", channel=channels[turn]), threads=2)
        assert sorted(incident(office, number).state for number in (1, 2)) == ["duplicate", "open"]


MERGED_TYPED = ("/incident edit INC-2 2 new words", "/incident undo INC-2 2", "/incident erase INC-2 2 a password")


def test_a_number_of_a_merged_incident_is_none_of_the_other_one(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/note we look")
    office.say("/actionitem @alice: alert on a full disk")
    mails = office.slack.add_channel("mails")
    office.say("/detected mails are late", channel=mails)
    secret = office.ask("/note password=hunter2secret", channel=mails)
    retimed = office.ask("/did restarted it at 11:40", channel=mails)
    office.say("/actionitem @alice: alert on late mails", channel=mails)
    office.say("/incident merge INC-2")
    before = standing(office)
    for answer, action in ((secret, "erase"), (retimed, "retime")):
        office.slack.click(office.alice, answer, action)
        told = office.messages(mails, user=office.alice)[-1].text
        assert "INC-2 was merged into INC-1, where its entries and items have other numbers: /timeline INC-1" in told
    for typed in (*MERGED_TYPED, "/actionitem done INC-2 1"):
        assert office.refused(typed).startswith("INC-2 was merged into INC-1"), typed
    assert standing(office) == before
    assert [each.state for each in items(office)] == ["open", "open"]


def test_a_stranger_in_words_that_were_moved_is_named_later(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask("/detected <@U0STRANGER> reports it")
    assert office.slack.click(office.alice, answer, "another_outage").ok
    with office.database.read() as connection:
        people = list(connection.execute(select(timeline_entries.c.people)).scalars())
    assert people == [None, None, None]
