"""A conversation in the channel becomes proposals with ticks, and what is ticked is recorded once."""

import pytest

from bot.clock import SetClock
from bot.fakeslack.delivery import PayloadDelivery
from bot.fakeslack.faults import Fault
from bot.fakeslack.objects import Message, View
from bot.handlers.incident.conversations import PAGE
from storage.database import Database
from tests.slack.incident.test_erase import stored
from tests.support.ledger import entries, standing
from tests.support.workplace import Workplace, at, workplace

SCOPES = {"channels:history", "groups:history", "reactions:read"}


@pytest.fixture
def declared(office: Workplace, clock: SetClock) -> Workplace:
    office.slack.scopes |= SCOPES
    clock.set(at("2026-03-12T11:00:00Z"))
    office.say("/incident open SEV2 disk full")
    return office


def talk(office: Workplace, clock: SetClock, *said: tuple[str, str, str]) -> None:
    people = {"alice": office.alice, "bob": office.bob, "carol": office.carol}
    for time, who, words in said:
        clock.set(at(f"2026-03-12T{time}Z"))
        office.slack.say(people[who], office.channel, words)


TALK = (
    ("11:02:10", "bob", "customers report that uploads fail"),
    ("11:03:20", "carol", "lol"),
    ("11:05:00", "alice", "restarting the pods on db1"),
    ("11:09:00", "bob", "what's going on?"),
    ("11:30:00", "alice", "error rate is back below 1%"),
)


def modal(office: Workplace) -> View:
    view = office.slack.modal(office.alice)
    assert view is not None
    return view


def boxes(view: View) -> list[tuple[str, bool]]:
    found = []
    for block in view.blocks:
        element = block.get("element", {})
        if element.get("type") == "checkboxes":
            ticked = [each["value"] for each in element.get("initial_options", ())]
            found += [(each["text"]["text"], each["value"] in ticked) for each in element["options"]]
    return found


def test_history_is_read_offered_and_what_is_ticked_is_recorded_once(database: Database, clock: SetClock) -> None:
    with workplace(database, clock=clock) as office:
        office.slack.scopes |= SCOPES
        clock.set(at("2026-03-12T11:00:00Z"))
        office.say("/incident open SEV2 disk full")
        read_offer_and_record(office, clock)


def read_offer_and_record(declared: Workplace, clock: SetClock) -> None:
    talk(declared, clock, *TALK)
    clock.set(at("2026-03-12T12:00:00Z"))
    answer = declared.ask("/incident backfill 11:01..11:45")
    assert answer.text.startswith("One moment: reading this channel's messages from 11:01 UTC to 11:45 UTC for INC-1.")
    declared.deliver()
    offered = declared.messages(user=declared.alice)[-1]
    assert offered.text.startswith("5 messages read for INC-1: 3 proposed for the timeline.")
    assert offered.ephemeral_for == declared.alice
    declared.slack.click(declared.alice, offered, "backfill_choose")
    shown = boxes(modal(declared))
    assert [text for text, ticked in shown if ticked] == [
        "11:02 UTC · Impact · bob", "11:05 UTC · Did · alice", "11:30 UTC · Mitigated · alice",
    ]  # fmt: skip
    assert len(shown) == 5
    assert standing(declared) == []
    declared.slack.submit(declared.alice, {})
    assert [(entry.kind, entry.text, entry.author, entry.source) for entry in entries(declared)] == [
        ("impact", "customers report that uploads fail", "bob", "backfill"),
        ("did", "restarting the pods on db1", "alice", "backfill"),
        ("mitigated", "error rate is back below 1%", "alice", "backfill"),
    ]
    assert all("/archives/" in (entry.permalink or "") for entry in entries(declared))
    declared.ask("/incident backfill 11:01..11:45")
    declared.deliver()
    again = declared.messages(user=declared.alice)[-1]
    assert "3 are on the timeline already." in again.text
    declared.slack.click(declared.alice, again, "backfill_choose")
    assert [ticked for _, ticked in boxes(modal(declared))] == [False, False]
    refused = declared.slack.submit(declared.alice, {})
    assert refused.body["response_action"] == "errors"
    assert len(entries(declared)) == 3


def offered(office: Workplace, typed: str = "/incident backfill 11:01..11:45") -> Message:
    assert office.ask(typed).ok
    office.deliver()
    return office.messages(user=office.alice)[-1]


def test_replies_in_threads_are_read_each_once_and_own_and_channel_messages_left_out(
    declared: Workplace, clock: SetClock
) -> None:
    clock.set(at("2026-03-12T10:30:00Z"))
    early = declared.slack.say(declared.bob, declared.channel, "who knows db1?")
    talk(declared, clock, ("11:02:10", "bob", "customers report that uploads fail"))
    root = declared.slack.messages(declared.channel)[-1]
    clock.set(at("2026-03-12T11:06:00Z"))
    declared.slack.say(declared.alice, declared.channel, "restarting the pods on db1", thread_ts=root.ts)
    declared.slack.say(declared.alice, declared.channel, "failed over to db2", thread_ts=early.ts)
    declared.say("/note typed into Scribe at once")
    clock.set(at("2026-03-12T12:00:00Z"))
    message = offered(declared)
    declared.slack.click(declared.alice, message, "backfill_choose")
    assert [text for text, ticked in boxes(modal(declared)) if ticked] == [
        "11:02 UTC · Impact · bob", "11:06 UTC · Did · alice", "11:06 UTC · Did · alice",
    ]  # fmt: skip
    declared.slack.submit(declared.alice, {})
    said = [entry for entry in entries(declared) if entry.source == "backfill"]
    assert [entry.text for entry in said] == [
        "customers report that uploads fail", "restarting the pods on db1", "failed over to db2",
    ]  # fmt: skip
    assert f"thread_ts={root.ts}" in (said[1].permalink or "")


def test_a_message_that_a_reaction_took_is_not_taken_again(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_REACTIONS="pushpin") as office:
        office.slack.scopes |= SCOPES
        clock.set(at("2026-03-12T11:00:00Z"))
        office.say("/incident open SEV2 disk full")
        talk(office, clock, *TALK[:3])
        office.slack.react(office.carol, office.slack.messages(office.channel)[-1], "pushpin")
        office.deliver()
        assert standing(office) == [("note", "restarting the pods on db1")]
        clock.set(at("2026-03-12T12:00:00Z"))
        message = offered(office)
        assert "1 is on the timeline already." in message.text
        office.slack.click(office.alice, message, "backfill_choose")
        assert [text for text, ticked in boxes(modal(office)) if ticked] == ["11:02 UTC · Impact · bob"]
        office.say("/note meanwhile")
        office.slack.submit(office.alice, {"lines-0-0": ["0", "1"]})
        assert len(standing(office)) == 4


def test_a_long_conversation_has_pages_and_only_what_was_seen_is_recorded(declared: Workplace, clock: SetClock) -> None:
    said = [(f"11:{number:02}:00", "bob", f"restarting pod number {number}") for number in range(45)]
    talk(declared, clock, *said, ("11:50:00", "bob", "lol"))
    clock.set(at("2026-03-12T12:00:00Z"))
    message = offered(declared, "/incident backfill 10:59..11:59")
    declared.slack.click(declared.alice, message, "backfill_choose")
    first = modal(declared)
    assert len(boxes(first)) == PAGE
    then = next(block["element"] for block in first.blocks if block.get("block_id") == "then-0")
    assert then["initial_option"]["text"]["text"] == "Page 2 of 2"
    declared.slack.submit(declared.alice, {"lines-0-0": ["1"], "lines-0-10": [], "lines-0-20": [], "then-0": "1"})
    second = modal(declared)
    assert len(boxes(second)) == 16
    declared.slack.submit(declared.alice, {"then-1": "0"})
    assert sum(ticked for _, ticked in boxes(modal(declared))) == 1
    declared.slack.submit(declared.alice, {"then-0": "record"})
    assert len(standing(declared)) == 1 + 15
    assert declared.messages()[-1].text.startswith("16 entries recorded on INC-1")


def test_proposals_on_pages_that_were_not_looked_at_are_not_recorded(declared: Workplace, clock: SetClock) -> None:
    talk(declared, clock, *((f"11:{number:02}:00", "bob", f"restarting pod {number}") for number in range(45)))
    clock.set(at("2026-03-12T12:00:00Z"))
    declared.slack.click(declared.alice, offered(declared, "/incident backfill 10:59..11:59"), "backfill_choose")
    assert modal(declared)
    declared.slack.submit(declared.alice, {"then-0": "record"})
    assert len(standing(declared)) == PAGE
    assert "15 more proposed on pages that were not looked at: not recorded." in declared.messages()[-1].text


@pytest.mark.parametrize(
    ("scopes", "member", "says"),
    [
        (SCOPES - {"channels:history"}, True, "the app lacks the scope channels:history"),
        (SCOPES, False, "/invite @scribe"),
    ],
)
def test_what_slack_does_not_let_be_read_is_said_with_what_to_do(
    declared: Workplace, clock: SetClock, *, scopes: set[str], member: bool, says: str
) -> None:
    clock.set(at("2026-03-12T12:00:00Z"))
    declared.slack.scopes = (declared.slack.scopes - SCOPES) | scopes
    declared.slack.change_channel(declared.channel, bot_is_member=member)
    declared.ask("/incident backfill 11:01..11:45")
    declared.deliver()
    told = [each.text for each in declared.messages(user=declared.alice)]
    assert any(says in each for each in told)
    assert standing(declared) == []


def test_reading_goes_on_where_slack_asked_to_wait(declared: Workplace, clock: SetClock) -> None:
    said = ((f"11:{number // 60 + 1:02}:{number % 60:02}", "bob", f"restarting pod {number}") for number in range(450))
    talk(declared, clock, *said)
    clock.set(at("2026-03-12T12:00:00Z"))
    waits = [Fault(method="conversations.history", error="ratelimited", status=429, retry_after_s=5)]
    declared.slack.refuse_by(lambda _method, args: waits.pop() if args.get("cursor") and waits else None)
    declared.ask("/incident backfill 11:01..11:45")
    declared.deliver()
    assert waits == []
    clock.set(at("2026-03-12T12:00:10Z"))
    declared.deliver()
    assert declared.messages(user=declared.alice)[-1].text.startswith("450 messages read for INC-1")
    read = [str(call.args.get("cursor")) for call in declared.slack.calls if call.method == "conversations.history"]
    assert (len(read), len(set(read))) == (4, 3)


def test_nobody_else_uses_the_button_and_erasing_forgets_what_was_read(declared: Workplace, clock: SetClock) -> None:
    talk(declared, clock, *TALK)
    clock.set(at("2026-03-12T12:00:00Z"))
    message = offered(declared)
    pressed = declared.slack.click(declared.alice, message, "backfill_choose").delivery.payload
    assert modal(declared)
    declared.slack.workspace.close_view(declared.alice, all_of_them=True)
    forged = {**pressed, "user": {"id": declared.bob, "username": "bob"}, "trigger_id": "forged"}
    declared.slack.transport.deliver(PayloadDelivery(kind="interactive", payload=forged))
    declared.deliver()
    assert "That conversation is kept no longer" in declared.messages(user=declared.bob)[-1].text
    # What was read for one incident may hold the words of another one's entry.
    elsewhere = declared.slack.add_channel("elsewhere")
    declared.say("/detected uploads fail", channel=elsewhere)
    declared.say("/note customers report that uploads fail", channel=elsewhere)
    asked = declared.ask("/incident erase 2 it named customers", channel=elsewhere)
    assert declared.slack.click(declared.alice, asked, "erase").ok
    assert "customers report" not in stored(declared.database)
    declared.slack.click(declared.alice, message, "backfill_choose")
    declared.deliver()
    assert "That conversation is kept no longer" in declared.messages(user=declared.alice)[-1].text


def test_a_pasted_conversation_is_previewed_by_what_is_proposed(declared: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-12T12:00:00Z"))
    assert declared.ask("/incident backfill").ok
    assert modal(declared)
    declared.slack.submit(declared.alice, {"words": "Bob Jones\n  11:02 AM\nrolled back 418\nCarol\n  11:03 AM\nlol"})
    assert boxes(modal(declared)) == [("11:02 UTC · Did · Bob Jones", True), ("11:03 UTC · Note · Carol", False)]
    declared.slack.submit(declared.alice, {})
    (entry,) = entries(declared)
    assert (entry.kind, entry.text, entry.author, entry.permalink) == ("did", "rolled back 418", "Bob Jones", None)
    answer = declared.ask("/incident backfill Bob Jones  11:02 AM\nrolled back 418\nCarol  11:04 AM\nfailed over")
    assert answer.ok
    assert boxes(modal(declared)) == [("11:04 UTC · Did · Carol", True)]


def test_a_stretch_of_time_is_read_in_the_channel_it_is_typed_in(declared: Workplace) -> None:
    direct = declared.slack.workspace.direct(declared.alice).id
    assert "Type it in the channel" in declared.refused("/incident backfill INC-1 10:00..10:30", channel=direct)
