"""`@scribe detected …` in channels and in threads, where Slack allows no slash commands."""

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from storage.database import Database
from tests.support.ledger import counts, entries, standing
from tests.support.workplace import Workplace, at, workplace


def reply(office: Workplace, typed: str, *, user: str = "", thread_ts: str | None = None, raw: bool = False) -> Message:
    """Post a message in the channel; returns the bot's single new answer."""
    user = user or office.alice
    before = {message.ts for message in office.messages(user=user)}
    message = office.slack.say(user, office.channel, typed, thread_ts=thread_ts, raw=raw)
    assert not office.slack.undelivered
    answers = [each for each in office.messages(user=user) if each.ts not in before | {message.ts}]
    assert len(answers) == 1, answers
    return answers[0]


def test_the_whole_grammar_works_by_mention(office: Workplace) -> None:
    table = (
        (
            "@scribe detected at 11:52 by monitoring: slow",
            "Detected · 11:52 UTC · INC-1 #1 · by monitoring · late entry",
        ),
        ("@scribe: did restart db1", "Did · 12:00 UTC · INC-1 #2"),
        ("@scribe, Note: it helped", "Note · 12:00 UTC · INC-1 #3\nit helped"),
        ("@scribe /impact 5% of users", "Impact · 12:00 UTC · INC-1 #4"),
        ("look here @scribe note we saw it too", "Note · 12:00 UTC · INC-1 #5\nwe saw it too"),
        ("escalated to @carol @scribe", "Escalated · 12:00 UTC · INC-1 #6\nto @carol"),
        ("@scribe severity SEV1", "INC-1 · severity: SEV1"),
        ("@scribe incident lead @bob", "INC-1 · lead: bob"),
        ("@scribe edit 2 restarted db2", "Corrected: Did"),
        ("@scribe undo", "Taken back: Escalated · 12:00 UTC · INC-1 #6"),
        ("@scribe actionitem @bob short-term: watch it", "Action item 1 of INC-1: watch it\nOwner: bob"),
    )
    for typed, answer in table:
        message = reply(office, typed)
        assert message.text.startswith(answer), (typed, message.text)
        assert message.ephemeral_for is None
    for typed, answer in (
        ("@scribe status", "INC-1 · open · SEV1"),
        ("@scribe timeline", "INC-1 · slow"),
        ("@scribe list", "INC-"),
        ("@scribe", "Type what happens"),
        ("@scribe help", "Type what happens"),
    ):
        message = reply(office, typed)
        assert answer in message.text, (typed, message.text)
        assert message.ephemeral_for == office.alice


def test_in_a_thread_the_answer_and_the_refusal_stay_in_the_thread(office: Workplace) -> None:
    office.say("/detected disk full")
    root = office.slack.say(office.bob, office.channel, "what do we know?")
    done = reply(office, "@scribe did freed space", thread_ts=root.ts)
    assert (done.thread_ts, done.ephemeral_for) == (root.ts, None)
    refused = reply(office, "@scribe did at 25:00 freed", thread_ts=root.ts)
    assert (refused.thread_ts, refused.ephemeral_for) == (root.ts, office.alice)
    assert refused.text.startswith("25:00 is no time of day.")
    assert refused.text.endswith("did at 25:00 freed")


def test_the_messages_own_time_is_the_entrys_time(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    message = office.slack.say(office.alice, office.channel, "@scribe note now")
    office.slack.say(office.alice, office.channel, "@scribe note at -10m: before")
    now, before = entries(office)[1:]
    assert f"{now.occurred_at.timestamp():.3f}" == f"{float(message.ts):.3f}"
    assert before.occurred_at == at("2026-03-12T11:50:00Z")
    clock.set(at("2026-03-12T12:10:00Z"))
    office.slack.repeat(office.slack.answers[-1])
    assert len(entries(office)) == 3


def test_a_mistake_in_a_mention_is_refused_to_the_person_alone(office: Workplace) -> None:
    table = (
        ("@scribe thanks", "There is no “thanks”. @scribe incident help lists what there is."),
        ("@scribe detectd it", "There is no “detectd”. Did you mean @scribe detected?"),
        ("@scribe note it", "This channel has no incident yet. Declare one: @scribe detected what was seen"),
        ("@scribe note", "There are no words to record."),
        ("@scribe did a\0b", "There is a NUL character in the words"),
    )
    before = counts(office)
    for typed, problem in table:
        message = reply(office, typed)
        assert message.ephemeral_for == office.alice
        assert message.text.startswith(problem), message.text
    after = counts(office)
    assert {name for name in before if before[name] != after[name]} == {"outbox", "receipts"}


def test_a_bare_action_item_by_mention_is_refused_with_an_example(office: Workplace) -> None:
    office.say("/detected disk full")
    message = reply(office, "@scribe actionitem")
    assert message.text.startswith("Say it in one line: @scribe actionitem [@owner]")
    assert message.ephemeral_for == office.alice


def test_markup_people_and_broadcasts_in_a_mention_are_plain_words(office: Workplace) -> None:
    office.say("/detected disk full")
    text = f"<@U0SCRIBE> note <!here> <@{office.bob}> <#C1|general> a &lt; b <https://example.org|x>"
    message = reply(office, text, raw=True)
    assert standing(office)[-1] == ("note", "@here @bob #general a < b https://example.org")
    assert message.text.endswith("@here @bob #general a &lt; b https://example.org")


def test_a_bots_message_and_a_message_without_a_mention_get_no_answer(office: Workplace) -> None:
    office.say("/detected disk full")
    before = counts(office)
    office.slack.say(office.bob, office.channel, "scribe note not for you")
    robot = office.slack.add_user("alerts", is_bot=True)
    office.slack.say(robot, office.channel, "disk full on db1")
    office.deliver()
    assert counts(office) == before


def test_an_incident_declared_by_mention_is_not_shown_in_other_channels(office: Workplace) -> None:
    hidden = office.slack.add_channel("acquisition", private=True)
    office.slack.say(office.bob, hidden, "@scribe detected the secret is out")
    office.deliver()
    assert "secret" not in office.private("/incident list all")
    assert "secret" in office.private("/incident list all", channel=hidden)


def test_while_slack_is_limited_the_entry_is_recorded_and_the_answer_follows(
    office: Workplace, clock: SetClock
) -> None:
    office.say("/detected disk full")
    office.slack.fail_next("chat.postMessage", retry_after_s=7)
    office.slack.say(office.bob, office.channel, "@scribe note kept")
    seen = len(office.messages())
    assert standing(office)[-1] == ("note", "kept")
    clock.set(at("2026-03-12T12:00:08Z"))
    assert office.messages()[seen:][0].text.endswith("kept")


def test_a_prefix_is_not_removed_from_the_beginning_of_a_command(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_PREFIX="d") as office:
        for words in ("detected disk full", "ddid freed space"):
            office.slack.say(office.alice, office.channel, f"<@{office.slack.bot_user_id}> {words}")
        assert [entry.kind for entry in entries(office)] == ["detected", "did"]
