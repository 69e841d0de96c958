"""An incident's card: one message in its channel that is kept up to date, whose buttons do what typing would."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from bot.clock import SetClock
from bot.fakeslack.delivery import PayloadDelivery
from bot.fakeslack.faults import RandomFaults, RateTiers
from bot.fakeslack.objects import Message
from bot.slack.identity import Facts
from storage.database import Database
from storage.live_messages import SHOW
from storage.models import incidents, live_messages, outbox
from tests.support.abroad import abroad, rows
from tests.support.ledger import entries, incident, items, outbox_states, problems, standing
from tests.support.workplace import Workplace, workplace


@pytest.fixture
def office(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(sqlite, clock=clock, SCRIBE_CARD="on") as place:
        yield place


def settle(office: Workplace, *, seconds: int = 8) -> None:
    """Let the time pass in which what changed is edited."""
    clock: SetClock = office.bot.context.clock  # type: ignore[assignment]
    office.deliver()
    for _ in range(seconds):
        clock.set(clock() + timedelta(seconds=1))
        office.deliver()


def is_card(message: Message) -> bool:
    return any(block.get("type") == "context" and "Detected" in str(block) for block in message.blocks) and (
        "━━" in str(message.blocks) or "──" in str(message.blocks)
    )


def cards(office: Workplace, channel: str | None = None) -> list[Message]:
    """The cards as Slack shows them now."""
    return [each for each in office.slack.messages(channel or office.channel) if is_card(each)]


def card(office: Workplace) -> Message:
    settle(office)
    (found,) = cards(office)
    return found


def text_of(message: Message) -> str:
    """All that the card says, without its buttons."""
    texts = [block.get("text") or block["elements"][0] for block in message.blocks if block["type"] != "actions"]
    return "\n".join(each["text"] for each in texts)


def labels(message: Message) -> list[str]:
    elements = [each for block in message.blocks if block["type"] == "actions" for each in block["elements"]]
    return [(each.get("text") or each["placeholder"])["text"] for each in elements]


def calls(office: Workplace, method: str) -> int:
    return sum(call.method == method for call in office.slack.calls)


def press(office: Workplace, action: str, choice: str = "", *, user: str | None = None, **more: Any) -> None:
    """A click on the card of INC-1 as it once was, as Slack delivers it."""
    person = user or office.alice
    payload = {
        "type": "block_actions",
        "team": {"id": office.slack.team_id, "domain": "x"},
        "user": {"id": person, "username": office.slack.workspace.users[person].name},
        "channel": {"id": office.channel, "name": "incident"},
        "container": {"type": "message", "channel_id": office.channel},
        "trigger_id": f"pressed {action} {len(office.slack.calls)} {more}",
        "actions": [{"type": "button", "block_id": "b", "action_id": action, "value": f"INC-1 card{choice}"}],
        **more,
    }
    assert office.slack.transport.deliver(PayloadDelivery(kind="interactive", payload=payload)).status == 200
    office.deliver()


def told(office: Workplace, user: str | None = None) -> str:
    """The last words to the channel or to the person, beside the card."""
    return [each for each in office.messages(user=user or office.alice) if not is_card(each)][-1].text


def test_the_card_is_posted_at_the_declaration_and_says_what_is_known(office: Workplace) -> None:
    answer = office.say("/detected by monitoring: checkout fails")
    # The receipt is there before the card, and no call to Slack was made for it.
    assert calls(office, "chat.postMessage") == 0
    assert answer.startswith("Detected · 12:00 UTC · INC-1 #1 · by monitoring")
    found = card(office)
    assert found.text == "INC-1 · open · checkout fails"
    assert text_of(found) == (
        "*INC-1* · checkout fails\n"
        "*Open* · began <!date^1773316800^{ago}|on Thursday 12 March 2026>, 12:00 UTC · lead: nobody yet\n"
        "● Detected 12:00 UTC ━━ ○ Acknowledged ── ○ Mitigated ── ○ Resolved\n"
        "12:00 UTC · *Detected* · checkout fails · alice\n"
        "Not known yet: how bad, who leads, who is hurt, when it began"
    )
    assert labels(found) == ["Acknowledge", "I lead", "Severity", "Mitigated", "Resolved", "Action item", "Timeline"]
    assert calls(office, "chat.update") == 0
    assert calls(office, "pins.add") == 0


def test_what_happens_is_on_the_card_seconds_later_in_one_edit(office: Workplace) -> None:
    office.say("/incident open SEV2 checkout fails")
    settle(office)
    for typed in ("/started at 11:50 a deploy", "/detected carts are empty", "/impact 5% of checkouts fail"):
        office.say(typed)
    office.say("/incident lead @bob", user=office.bob)
    found = card(office)
    assert calls(office, "chat.update") <= 2
    assert "*Open* · began <!date^1773316200^{ago}" in text_of(found)
    assert "lead: bob" in text_of(found)
    assert text_of(found).count("alice") == 2
    assert "*Lead* · @bob · bob" in text_of(found)
    assert "<@" not in text_of(found)
    assert "Not known" not in text_of(found)
    office.say("/incident edit 3 customers cannot pay")
    office.say("/incident title Payment fails")
    assert "customers cannot pay" in text_of(card(office))
    office.say("/incident undo 3")
    assert "customers cannot pay" not in text_of(card(office))
    assert "Payment fails" in text_of(card(office))
    office.say("/note see <!channel> & @channel\nand `code`")
    assert "see &lt;!channel&gt; &amp; @channel and `code`" in text_of(card(office)).replace("\u2060", "")


def test_the_card_names_the_roles_and_when_stakeholders_hear_more(office: Workplace) -> None:
    office.say("/detected checkout fails")
    office.say("/incident role comms @bob")
    office.say("/incident update customers see errors, next in 30m")
    assert "lead: nobody yet · comms: bob · next update: 12:30 UTC" in text_of(card(office))
    office.say("/incident role comms none")
    office.say("/incident update customers see fewer errors")
    assert "lead: nobody yet\n" in text_of(card(office))


PRESSED: dict[str, tuple[str, Callable[[Workplace], bool]]] = {
    "card_acknowledged": ("Acknowledged · 12:00 UTC", lambda office: entries(office)[-1].kind == "acknowledged"),
    "card_lead": ("INC-1 · lead: bob", lambda office: incident(office).lead_id == office.bob),
    "card_severity": ("INC-1 · severity: SEV3", lambda office: incident(office).severity == "SEV3"),
    "card_mitigated": ("Mitigated · 12:00 UTC", lambda office: entries(office)[-1].kind == "mitigated"),
    "card_resolved": ("Resolved · 12:0", lambda office: not incident(office).open),
}


def test_each_button_records_what_typing_would_and_says_who_pressed_it(office: Workplace) -> None:
    office.say("/detected checkout fails")
    for action, (receipt, done) in PRESSED.items():
        shown = card(office)
        assert not done(office), action
        choice = "INC-1 card SEV3" if action == "card_severity" else None
        assert office.slack.click(office.bob, shown, action, choice).ok
        said = [each.text.partition("\n")[0] for each in office.messages()]
        assert done(office), action
        assert [each for each in said if each.startswith(receipt) and each.endswith(" · by bob")], said
        entry = entries(office)[-1]
        assert (entry.source, entry.author_id, entry.recorded_by_id) == ("click", office.bob, office.bob)
    assert labels(card(office)) == ["Action item", "Timeline"]
    assert office.drafts


def test_the_form_of_an_action_item_and_the_timeline_are_for_the_incident_of_the_card(office: Workplace) -> None:
    office.say("/detected checkout fails")
    shown = card(office)
    office.slack.click(office.bob, shown, "card_timeline")
    office.deliver()
    assert told(office, office.bob).startswith("INC-1")
    assert len(office.slack.messages(office.channel, office.alice)) == 2
    office.slack.click(office.bob, shown, "card_item")
    office.slack.wait_for(lambda: office.slack.modal(office.bob))
    office.slack.submit(office.bob, {"words": "test the checkout"})
    assert [item.text for item in items(office)] == ["test the checkout"]


def test_at_the_resolution_the_card_becomes_the_summary(office: Workplace) -> None:
    office.say("/incident open SEV1 checkout fails")
    for typed in (
        "/started at 11:00 a deploy",
        "/detected at 11:10 carts are empty",
        "/acknowledged at 11:12",
        "/mitigated at 11:40 rolled back",
        "/resolved at 11:50 it holds",
        "/actionitem @bob: test it",
    ):
        office.say(typed)
    assert text_of(card(office)) == (
        "*INC-1* · *SEV1* · checkout fails\n"
        "*Resolved* after 50 min · began <!date^1773313200^{ago}|on Thursday 12 March 2026>, 11:00 UTC · lead: nobody\n"
        "1 open action item · time to detect: 10 min · time to acknowledge: 2 min · time to mitigate: 40 min\n"
        "● Detected 11:10 UTC ━━ ● Acknowledged 11:12 UTC ━━ ● Mitigated 11:40 UTC ━━ ● Resolved 11:50 UTC\n"
        "11:12 UTC · *Acknowledged* · alice\n"
        "11:40 UTC · *Mitigated* · rolled back · alice\n"
        "11:50 UTC · *Resolved* · it holds · alice\n"
        "Not recorded: who is hurt, what led to it"
    )
    office.say("/reopened it came back")
    found = card(office)
    assert "*Open* · began" in text_of(found)
    assert "It came back once." in text_of(found)
    assert labels(found) == ["I lead", "Severity", "Mitigated", "Resolved", "Action item", "Timeline"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("/incident cancel a drill", "INC-1 is closed, cancelled: a drill, so nothing was recorded."),
        ("/resolved it is over", "INC-1 was resolved at 12:00 UTC already, so nothing was recorded."),
    ],
)
def test_an_old_card_answers_politely_and_changes_nothing(office: Workplace, typed: str, says: str) -> None:
    office.say("/detected checkout fails")
    settle(office)
    office.say(typed)
    settle(office)
    before = rows(office)
    for action in PRESSED.keys() - {"card_lead"}:
        press(office, action, " SEV1" if action == "card_severity" else "")
        assert told(office).startswith(says), action
    if "cancel" in typed:
        press(office, "card_item")
        assert told(office).startswith(says)
        (shown,) = cards(office)
        assert labels(shown) == ["Timeline"]
        assert "*Cancelled*: a drill" in text_of(shown)
    assert rows(office) == before


def test_a_second_press_and_one_of_somebody_slower_change_nothing(office: Workplace) -> None:
    office.say("/detected checkout fails")
    shown = card(office)
    office.slack.click(office.bob, shown, "card_acknowledged")
    office.slack.click(office.carol, shown, "card_acknowledged")
    office.slack.click(office.bob, shown, "card_lead")
    office.slack.click(office.carol, shown, "card_lead")
    office.deliver()
    assert told(office, office.carol) == "INC-1 is led by bob already, so nothing was recorded."
    press(office, "card_mitigated", trigger_id="the same")
    press(office, "card_mitigated", trigger_id="the same")
    assert [kind for kind, _ in standing(office)] == ["detected", "acknowledged", "lead", "mitigated"]
    press(office, "card_severity", " SEV2")
    press(office, "card_severity", " SEV2")
    assert told(office).startswith("INC-1 · severity: SEV2 already, so nothing was changed.")


def test_a_merged_incidents_card_names_the_one_that_goes_on_and_records_nothing_there(office: Workplace) -> None:
    office.say("/detected checkout fails")
    other = office.slack.add_channel("other")
    office.say("/detected payments fail", channel=other)
    office.say("/incident merge INC-1 into INC-2", channel=other)
    settle(office)
    before = rows(office)
    press(office, "card_mitigated")
    assert told(office).startswith("INC-1 was merged into INC-2, so nothing was recorded.")
    assert rows(office) == before
    assert [labels(each) for each in cards(office)] == [[]]
    with abroad(office):
        press(office, "card_resolved", user=office.bob)
        assert told(office, office.bob).startswith("There is no INC-… here.")
    assert rows(office) == before


def test_a_private_incidents_card_is_in_its_channel_alone_and_its_buttons_work_there_alone(office: Workplace) -> None:
    secret = office.slack.add_channel("secret", private=True)
    office.say("/detected payroll leaks", channel=secret)
    settle(office)
    assert len(cards(office, secret)) == 1
    assert "payroll" not in str(office.slack.messages(office.channel))
    press(office, "card_acknowledged", user=office.bob)
    assert "There is no INC-1 here." in told(office, office.bob)
    assert len(entries(office)) == 1


def test_a_secret_is_not_shown_and_erased_words_leave_the_card(office: Workplace) -> None:
    office.say("/detected checkout fails")
    office.private("/note the password is Tr0ub4dor&3x9 on db1")
    assert "Tr0ub4dor" not in f"{card(office).text}{card(office).blocks}"
    office.say("/note ask Mrs Smith of Acme")
    assert "Mrs Smith" in text_of(card(office))
    asked = office.ask("/incident erase 3 it names a customer")
    office.slack.click(office.alice, asked, "erase")
    assert "Mrs Smith" not in f"{card(office).text}{card(office).blocks}"


def test_it_is_pinned_where_the_token_may_and_refusals_are_no_matter(office: Workplace) -> None:
    office.slack.scopes.add("pins:write")
    office.bot.context.identity.facts = Facts()
    office.bot.refresh()
    office.say("/detected checkout fails")
    shown = card(office)
    assert office.slack.workspace.pins.keys() == {(shown.channel, shown.ts)}
    office.slack.fail_next("pins.add", error="too_many_pins", status=200)
    office.say("/detected mails are late", channel=office.slack.add_channel("mails"))
    settle(office)
    assert problems(office) == []
    assert len(office.slack.workspace.pins) == 1


def test_a_card_deleted_by_hand_is_made_anew_once(office: Workplace) -> None:
    office.say("/detected checkout fails")
    first = card(office)
    office.slack.delete(first)
    office.say("/note we look")
    second = card(office)
    assert second.ts != first.ts
    assert "we look" in text_of(second)
    office.slack.delete(second)
    for _ in range(3):
        office.say("/note we look elsewhere")
        settle(office)
    assert cards(office) == []
    assert calls(office, "chat.postMessage") == 2
    assert not any(state.endswith("waiting") for state in outbox_states(office))


def test_where_the_bot_is_not_in_the_channel_there_is_no_card_until_it_joins(office: Workplace) -> None:
    outside = office.slack.add_channel("outside", bot_is_member=False)
    office.ask("/detected checkout fails", channel=outside)
    office.ask("/note we look", channel=outside)
    settle(office)
    assert cards(office, outside) == []
    assert problems(office) == []
    asked = calls(office, "chat.postMessage")
    settle(office, seconds=30)
    assert calls(office, "chat.postMessage") == asked
    office.slack.change_channel(outside, bot_is_member=True)
    office.ask("/note we still look", channel=outside)
    settle(office)
    office.deliver()
    settle(office)
    assert len(cards(office, outside)) == 1


def test_the_card_goes_along_into_a_channel_of_the_incidents_own(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_CARD="on", SCRIBE_CHANNELS="on") as office:
        office.slack.scopes |= {"channels:manage", "groups:write"}
        hidden = office.slack.add_channel("hidden", private=True)
        said = office.ask("/incident open SEV1 payroll leaks", channel=hidden)
        settle(office)
        (before,) = cards(office, hidden)
        office.slack.click(office.alice, said, "make_channel")
        settle(office)
        own = incident(office).channel_id
        assert own != hidden
        office.say("/note it was the export", channel=own)
        settle(office)
        assert [text_of(each) for each in cards(office, hidden)] == [text_of(before)]
        assert ["it was the export" in text_of(each) for each in cards(office, own)] == [True]


def test_two_hundred_entries_in_a_minute_are_few_edits_and_no_429(office: Workplace, clock: SetClock) -> None:
    office.say("/detected checkout fails")
    settle(office)
    tiers = RateTiers(clock)
    office.slack.refuse_by(tiers.next_fault)
    for number in range(200):
        assert office.ask(f"/note step {number}").ok
        clock.set(clock() + timedelta(seconds=0.3))
        office.deliver()
    assert f"step {199}" in text_of(card(office))
    edits = [call for call in office.slack.calls if call.method == "chat.update"]
    assert 15 <= len(edits) <= 22
    assert [call.error for call in office.slack.calls if call.error] == []


def test_it_ends_up_right_where_a_third_of_the_calls_fails(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_CARD="on") as office:
        faults = RandomFaults(clock, failing=0.3)
        office.slack.fail_randomly(faults)
        office.say("/detected checkout fails")
        for number in range(40):
            office.say(f"/note step {number}")
            settle(office, seconds=2)
        office.say("/resolved it is over")
        settle(office, seconds=400)
        assert faults.too_early == 0
        (shown,) = cards(office)
        assert "*Resolved*" in text_of(shown)
        assert labels(shown) == ["Action item", "Timeline"]
        assert any(call.error for call in office.slack.calls if call.method == "chat.update")


def test_who_dies_before_noting_the_post_posts_once_more_and_edits_that(office: Workplace) -> None:
    office.say("/detected checkout fails")
    office.deliver()
    with office.database.write() as connection:
        connection.execute(update(live_messages).values(ts="", fingerprint=""))
        # What its lease is worth once it has expired.
        again = {"state": "waiting", "due_at": office.bot.context.clock(), "sent_at": None}
        connection.execute(update(outbox).where(outbox.c.action == SHOW).values(**again))
    office.say("/note we look")
    settle(office, seconds=30)
    first, second = cards(office)
    assert "we look" in text_of(second)
    # The buttons of the first one work all the same.
    office.slack.click(office.bob, first, "card_acknowledged")
    assert entries(office)[-1].kind == "acknowledged"


def test_who_dies_between_taking_the_mark_off_and_the_edit_edits_later(office: Workplace) -> None:
    office.say("/detected checkout fails")
    settle(office)
    office.slack.fail_next("chat.update", error="internal_error", status=500, times=2)
    office.say("/note we look")
    office.deliver()
    with office.database.read() as connection:
        assert not connection.execute(select(func.count()).where(incidents.c.stale)).scalar()
    assert "we look" not in text_of(cards(office)[0])
    assert "we look" in text_of(card(office))


def test_it_can_be_turned_off_also_for_cards_that_are_there(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_CARD="on") as office:
        office.say("/detected checkout fails")
        settle(office)
    with workplace(sqlite, clock=clock, SCRIBE_CARD="off") as office:
        office.say("/note we look")
        office.say("/detected mails are late", channel=office.slack.add_channel("mails"))
        settle(office)
        assert calls(office, "chat.postMessage") == calls(office, "chat.update") == 0
        assert problems(office) == []


MENU = re.compile(r"\*Note\* we look at db1")


def test_a_receipt_has_its_words_first_and_a_menu(office: Workplace) -> None:
    office.say("/detected checkout fails", user=office.bob)
    answer = office.ask("/note at 11:55 UTC we look\nat db1 & db2", user=office.bob)
    assert answer.text == (
        "Note · 11:55 UTC (04:55 in Los Angeles) · INC-1 #2 · late entry\nwe look\nat db1 &amp; db2\n"
        "That is 5 min before it was detected (12:00 UTC)."
    ) or answer.text.startswith("Note · 11:55 UTC (04:55 in Los Angeles) · INC-1 #2 · late entry\nwe look\nat db1")
    section, context, *_ = answer.body["blocks"]
    assert section["text"]["text"] == "*Note* we look\nat db1 &amp; db2"
    assert context["elements"][0]["text"] == "11:55 UTC (04:55 in Los Angeles) · INC-1 #2 · late entry"
    assert [each["text"]["text"] for each in section["accessory"]["options"]] == ["Edit", "Undo"]
    assert len(str(answer.body)) < 1_500


def test_the_menu_of_a_receipt_edits_and_takes_back_as_the_commands_do(office: Workplace) -> None:
    office.say("/detected checkout fails")
    answer = office.ask("/note we look")
    office.slack.click(office.alice, answer, "entry_menu", "INC-1 2 edit")
    office.slack.wait_for(lambda: office.slack.modal(office.alice))
    office.slack.submit(office.alice, {"words": "we look at db1"})
    assert standing(office)[-1] == ("note", "we look at db1")
    # Bob has recorded nothing here: taking back what others said is for responders.
    office.slack.click(office.bob, answer, "entry_menu", "INC-1 2 undo")
    assert "that is for its responders to do" in told(office, office.bob)
    assert len(standing(office)) == 2
    office.slack.click(office.alice, answer, "entry_menu", "INC-1 2 undo")
    office.deliver()
    assert standing(office) == [("detected", "checkout fails")]
    shown = office.slack.messages(office.channel)
    assert "Taken back: Note" in str([each.text for each in shown])
    press(office, "entry_menu", actions=[{"type": "overflow", "block_id": "b", "action_id": "entry_menu",
                                          "selected_option": {"value": "INC-1 2 undo"}}])  # fmt: skip
    assert "Entry 2 was taken back." in told(office)
