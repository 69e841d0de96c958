"""What a person writes to Scribe alone: each message gets one answer, by the rights of the person."""

from collections.abc import Iterator

import pytest

from bot.clock import SetClock
from bot.fakeslack import payloads as sent
from bot.fakeslack.objects import File, Message
from storage.database import Database
from storage.values import GUEST
from tests.support.ledger import counts, entries, items
from tests.support.workplace import HTTP, SOCKET, Workplace, workplace

TYPED_HERE = "Here you can type: mine (your action items), "


@pytest.fixture(params=[HTTP, SOCKET])
def office(request: pytest.FixtureRequest, sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(sqlite, clock=clock, transport=request.param) as office:
        office.say("/detected disk full")
        office.say("/actionitem @bob: buy disks")
        office.say("/actionitem @bob: add an alert")
        office.deliver()
        yield office


def answers(office: Workplace, typed: str, *, user: str = "", **how: object) -> list[Message]:
    """Write to Scribe alone; its new messages in that conversation."""
    user = user or office.bob
    before = {message.ts for message in office.messages(user)}
    written = office.slack.write(user, typed, **how)  # type: ignore[arg-type]
    assert office.slack.undelivered == []
    return [each for each in office.messages(user) if each.ts not in before | {written.ts}]


def answer(office: Workplace, typed: str, *, user: str = "", **how: object) -> str:
    (only,) = answers(office, typed, user=user, **how)
    assert only.ephemeral_for is None
    return only.text


@pytest.mark.parametrize(
    ("typed", "state"),
    [
        ("done INC-1 2", "done"),
        ("Done: INC-1 2", "done"),
        ("done inc1 #2", "done"),
        ("INC-1 done 2", "done"),
        ("INC-1 2 done", "done"),
        ("INC-1: done 2", "done"),
        ("@scribe done INC-1 2", "done"),
        ("actionitem done INC-1 2", "done"),
        ("actionitem INC-1 2 done", "done"),
        ("@scribe actionitem done INC-1 2", "done"),
        ("close INC-1 2", "done"),
        ("finished INC-1 2", "done"),
        ("drop INC-1 2 nobody needs it", "dropped"),
        ("INC-1 drop 2 nobody needs it", "dropped"),
        ("cancel INC-1 2", "open"),
        ("thanks!", "open"),
    ],
)
def test_an_items_command_works_as_it_is_typed(office: Workplace, typed: str, state: str) -> None:
    assert answer(office, typed)
    assert [item.state for item in items(office)] == ["open", state]


def test_the_other_commands_work_as_they_are_typed(office: Workplace) -> None:
    for typed, beginning in (
        ("mine", "INC-1 1. buy disks"),
        ("Mine?", "INC-1 1. buy disks"),
        ("actionitem list mine", "INC-1 1. buy disks"),
        ("help", "I write down what happens in an incident, in its own channel"),
        ("help!", "I write down what happens"),
        ("status INC-1", "INC-1 · open"),
        ("INC-1", "INC-1 · open"),
        ("INC-1 status", "INC-1 · open"),
        ("what is the status of INC-1?", "INC-1 · open"),
        ("timeline INC-1", "INC-1 · disk full"),
        ("list", "INC-1"),
        ("actionitem INC-1 @carol: test the backups", "Action item 3 of INC-1: test the backups"),
        ("INC-1 note it is hot in here", "Note · "),
        ("assign INC-1 1 @carol", "buy disks"),
        ("snooze INC-1 1 3d", "buy disks"),
        ("thanks!", "You are welcome."),
        ("hi", "Hello. "),
    ):
        assert beginning in answer(office, typed), typed
    assert [entry.text for entry in entries(office)] == ["disk full", "it is hot in here"]


@pytest.mark.parametrize(
    "typed",
    ["what is for lunch", "my server is down", "ok", "close enough", "done and dusted", "@carol knows", "?",
     "x" * 3_900, "<!channel> look", "INC-1 is over I think", "i am done", "- one\n- two", "1", "/", "@scribe", "🎉"],
)  # fmt: skip
def test_anything_else_gets_one_calm_answer_that_pings_nobody(office: Workplace, typed: str) -> None:
    before = counts(office)
    said = answer(office, typed, raw=True)
    assert said
    assert "<!" not in said
    assert "<@" not in said
    after = counts(office)
    assert {name for name in before if before[name] != after[name]} <= {"outbox", "receipts"}


def test_what_is_no_command_is_told_what_can_be_typed_and_each_of_it_works(office: Workplace) -> None:
    said = answer(office, "what is for lunch")
    assert said.startswith(TYPED_HERE)
    examples = said.removeprefix("Here you can type: ").partition(". What happens")[0].split(", ")
    assert len(examples) == 5
    for example in examples:
        typed = example.partition(" (")[0]
        assert not answer(office, typed).startswith((TYPED_HERE, "There is no")), typed
    assert [item.state for item in items(office)] == ["done", "open", "open"]


def test_a_command_without_its_incident_says_how_to_name_it(office: Workplace) -> None:
    for typed in ("done 2", "note it is hot", "actionitem list"):
        said = answer(office, typed)
        assert "INC-1" in said, said
        assert "@scribe" not in said, said
        assert "@U0" not in said, said


def test_the_answer_to_a_reply_under_the_digest_stays_in_its_thread(office: Workplace) -> None:
    office.bot.context.client.chat_postMessage(channel=office.bob, text="2 of your action items are due")
    (digest,) = office.messages(office.bob)
    (told,) = answers(office, "done INC-1 1", thread_ts=digest.ts)
    assert told.thread_ts == digest.ts
    (told,) = answers(office, "good idea", thread_ts=digest.ts)
    assert told.thread_ts == digest.ts


def test_a_file_without_words_is_answered_as_well(office: Workplace, clock: SetClock) -> None:
    file = File(id="F1", name="graph.png", title="graph", content=b"1", created_at=clock(), channel=None)
    said = answer(office, "", files=(file,))
    assert said.startswith("I read words alone, no files and no pictures.")
    assert TYPED_HERE in said
    assert [item.state for item in items(office)] == ["open", "open"]
    answer(office, "done INC-1 1", files=(file,))
    assert [item.state for item in items(office)] == ["done", "open"]


def test_a_message_that_is_delivered_again_is_answered_once(office: Workplace) -> None:
    for typed in ("what is for lunch", "done INC-1 1", "done INC-1 9"):
        assert len(answers(office, typed)) == 1
        last = office.slack.answers[-1]
        before = len(office.messages(office.bob))
        office.slack.repeat(last)
        assert len(office.messages(office.bob)) == before


def test_the_bots_own_messages_other_bots_edits_and_joins_get_no_answer(office: Workplace) -> None:
    slack = office.slack
    written = slack.write(office.bob, "what is for lunch")
    office.deliver()
    place, seen = written.channel, len(office.messages(office.bob))
    own = office.messages(office.bob)[-1]
    slack._tell(own, sent.direct_message(own))
    slack.edit(written, "what is for dinner")
    slack.edit(written, f"<@{slack.bot_user_id}> done INC-1 1", raw=True)
    slack.delete(written)
    robot = slack.add_user("robot", is_bot=True)
    for content in (
        {"subtype": "bot_message", "bot_id": "B0OTHER", "text": "done INC-1 1"},
        {"bot_id": "B0OTHER", "user": robot, "text": "done INC-1 1"},
        {"user": robot, "bot_id": "B0OTHER", "text": f"<@{slack.bot_user_id}> help"},
        {"subtype": "channel_join", "user": office.bob, "text": "joined"},
        {"subtype": "channel_topic", "user": office.bob, "text": "set"},
        {"subtype": "message_replied", "user": office.bob, "text": "done INC-1 1"},
        {"user": slack.bot_user_id, "text": "help"},
    ):
        event = {"type": "message", "channel": place, "channel_type": "im", "ts": slack.workspace.next_ts(place)}
        assert slack._dispatcher.event(event | content, user=office.bob).status == 200
    assert len(office.messages(office.bob)) == seen - 1  # the deleted one
    assert [item.state for item in items(office)] == ["open", "open"]


def test_a_guest_is_shown_nothing_of_other_channels_in_a_direct_message(office: Workplace) -> None:
    guest = office.slack.add_user("gus", restricted=True)
    member = office.bot.context.members.look_up(office.slack.team_id, guest)
    assert member is not None
    assert member.standing == GUEST
    for typed in (
        *("status INC-1", "INC-1", "timeline INC-1", "list", "done INC-1 1", "INC-1 note x", "mine"),
        *("actionitem INC-1 @bob: x", "postmortem show INC-1", "search disk", "actionitem list all"),
    ):
        said = answer(office, typed, user=guest)
        assert "disk" not in said.replace("search disk", ""), typed
    assert [item.state for item in items(office)] == ["open", "open"]
    assert len(entries(office)) == 1


def test_without_the_scope_nothing_arrives(office: Workplace) -> None:
    office.slack.scopes -= {"im:history"}
    assert answers(office, "done INC-1 1") == []
