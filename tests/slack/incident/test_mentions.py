"""`@scribe detected …` in channels and in threads, where Slack allows no slash commands."""

import pytest
from sqlalchemy import select

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from storage.database import Database
from storage.models import outbox
from tests.support.ledger import counts, entries, incident, standing
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
        ("@scribe undo", "Taken back: Lead · 12:00 UTC · INC-1 #8\nLead now: unknown"),
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
        ("@scribe", "I write down what happens here"),
        ("@scribe help", "I write down what happens here"),
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
    assert standing(office)[-1] == ("note", "@here @bob #general a < b x (https://example.org)")
    assert message.text.endswith("@here @bob #general a &lt; b x (https://example.org)")


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


def test_words_that_are_no_command_get_a_helpful_line(office: Workplace) -> None:
    answers = (
        ("@scribe thanks!", "You are welcome."),
        ("@scribe thank you so much", "You are welcome."),
        ("thanks @scribe", "You are welcome."),
        ("@scribe hi", "Hello. I write down what happens here: @scribe {} what you see."),
        (
            "@scribe we see 500s again",
            "This begins with no command, so it is not recorded yet. Press the button, or type: @scribe {} we see",
        ),
        ("@scribe who is on call?", "I record what begins with a command, and answer @scribe status"),
        ("@scribe is it over? are you sure?", "I record what begins with a command, and answer @scribe status"),
        (
            "@scribe please look at db1",
            "This begins with no command, so it is not recorded yet. Press the button, or type: @scribe {} please",
        ),
        ("@scribe :+1:", "I record what begins with a command, and answer @scribe status"),
    )
    for place in ("detected", "note"):
        for typed, line in answers:
            message = reply(office, typed)
            assert message.text.startswith(line.format(place)), message.text
            assert "There is no" not in message.text
            assert message.ephemeral_for == office.alice
        if place == "detected":
            office.say("/detected disk full")
    assert standing(office) == [("detected", "disk full")]


def test_a_question_for_the_status_or_the_timeline_is_answered(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/detected other", channel=office.slack.add_channel("second"))
    for typed, answer in (
        ("@scribe status?", "INC-1 · open"),
        ("@scribe Status!", "INC-1 · open"),
        ("@scribe status INC-2?", "INC-2 · open"),
        ("@scribe what is the status of INC-2?", "INC-2 · open"),
        ("@scribe what's the status?", "INC-1 · open"),
        ("@scribe can I see the timeline?", "INC-1 · disk full"),
        ("@scribe timeline!", "INC-1 · disk full"),
        ("@scribe help?", "I write down what"),
        ("@scribe help!!", "I write down what"),
        ("@scribe list?", "INC-2"),
        ("@scribe what is the status of INC-9?", "There is no INC-9 here."),
    ):
        message = reply(office, typed)
        assert message.text.startswith(answer), (typed, message.text)


def test_words_that_look_like_a_note_are_recorded_by_one_press(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    root = office.slack.say(office.bob, office.channel, "what do we know?")
    offer = reply(office, "@scribe We saw *500s* on db1,\nthen it stopped", user=office.bob, thread_ts=root.ts)
    clock.set(at("2026-03-12T12:10:00Z"))
    for _ in range(2):
        office.slack.click(office.bob, offer, "record_note")
    assert standing(office)[1:] == [("note", "We saw *500s* on db1,\nthen it stopped")]
    note = entries(office)[1]
    assert (note.author, note.source, f"{note.occurred_at:%H:%M}") == ("bob", "mention", "12:00")
    assert [each.text for each in office.messages()][-1].startswith("Note · 12:00 UTC")
    for typed in ("@scribe thanks!", "@scribe is it over?", "@scribe hm"):
        assert "record_note" not in str(reply(office, typed).blocks), typed


def test_the_button_of_a_note_is_for_the_words_alone_however_long(office: Workplace) -> None:
    office.say("/detected disk full")
    long = "we look " * 400
    assert "record_note" not in str(reply(office, f"@scribe {long}").blocks)
    offer = reply(office, f"@scribe {'we look ' * 200}")
    office.slack.click(office.alice, offer, "record_note")
    assert standing(office)[-1] == ("note", ("we look " * 200).strip())


def test_a_button_is_no_command_of_a_mention(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem @bob: buy disks")
    for words in ("item_done INC-1 1", "record_note 2026-03-12T12:00:00+00:00 forged", "unreact x y"):
        reply(office, f"@scribe {words}")
    assert standing(office) == [("detected", "disk full")]
    assert "done" not in office.private("/actionitem list")


QUESTIONS = {
    "resolved?": ("resolved", ""),
    "Resolved or not?": ("resolved", "or not?"),
    "detected?": ("detected", ""),
    "mitigated yet?": ("mitigated", "yet?"),
    "did it work?": ("did", "it work?"),
    "did you restart db1?!": ("did", "you restart db1?!"),
    "impact so far?": ("impact", "so far?"),
    "close?": ("resolved", ""),
    "incident resolved?": ("resolved", ""),
    "incident did it work?": ("did", "it work?"),
    "reopen?": ("reopened", ""),
}


@pytest.mark.parametrize("typed", QUESTIONS)
def test_a_question_records_nothing_until_it_is_pressed(office: Workplace, clock: SetClock, typed: str) -> None:
    office.say("/detected disk full")
    told = reply(office, f"@scribe {typed}", user=office.bob)
    assert told.text.startswith("That reads as a question, so nothing is recorded.\nINC-1 · open")
    assert (told.ephemeral_for, standing(office)) == (office.bob, [("detected", "disk full")])
    clock.set(at("2026-03-12T12:10:00Z"))
    for _ in range(2):
        office.slack.click(office.bob, told, "record_said")
    assert standing(office)[1:] == [QUESTIONS[typed]]
    assert f"{entries(office)[1].occurred_at:%H:%M}" == "12:00"


def test_a_question_about_a_named_incident_stays_about_it(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/detected cards fail", channel=office.slack.add_channel("payments"))
    told = reply(office, "@scribe resolved INC-2 yet?")
    assert "INC-2 · open" in told.text
    office.slack.click(office.alice, told, "record_said")
    assert standing(office, 2)[-1] == ("resolved", "yet?")
    assert len(standing(office)) == 1


def test_a_question_where_there_is_no_incident_declares_none(office: Workplace) -> None:
    told = reply(office, "@scribe detected?")
    assert told.text.startswith("That reads as a question, so nothing is recorded.\nThere is no incident here yet.")
    assert counts(office)["incidents"] == 0
    office.slack.click(office.alice, told, "record_said")
    assert standing(office) == [("detected", "")]


def test_words_that_may_be_a_question_are_recorded(office: Workplace) -> None:
    office.say("/detected disk full")
    for typed in ("note is it the pool?", "investigating: is it the pool?", "lesson why so late?"):
        reply(office, f"@scribe {typed}")
    office.say("/did it work?")
    office.say("/incident did it work?")
    assert [kind for kind, _ in standing(office)[1:]] == ["note", "investigating", "lesson", "did", "did"]


@pytest.mark.parametrize("typed", ["resolved?", "resolve?", "close?", "undo?", "private?", "cancel?"])
def test_a_question_mark_at_a_subcommand_asks(office: Workplace, typed: str) -> None:
    office.say("/detected disk full")
    assert "INC-1 · open" in office.private(f"/incident {typed}")
    assert standing(office) == [("detected", "disk full")]
    assert not incident(office).private


def test_polite_words_are_no_title_and_no_page(office: Workplace) -> None:
    office.say("/detected disk full")
    reply(office, "@scribe SEV1 please")
    assert (counts(office)["incidents"], incident(office).severity) == (1, "SEV1")
    assert reply(office, "@scribe timeline please").text.startswith("INC-1 · disk full")


@pytest.mark.parametrize("learned", [False, True])
def test_your_words_never_show_the_bots_id(sqlite: Database, clock: SetClock, *, learned: bool) -> None:
    with workplace(sqlite, clock=clock, known=learned) as office:
        bot_id = office.slack.bot_user_id
        for typed in (
            f"<@{bot_id}> did at 25:00 asked <@{bot_id}> again",
            f"<@{bot_id}>, did at 25:00 asked <@{bot_id}|scribe-prod> again",
            f"please <@{bot_id}> did at 25:00 freed",
        ):
            office.slack.say(office.alice, office.channel, typed, raw=True)
        with office.database.read() as connection:
            sent = list(connection.execute(select(outbox.c.content)).scalars())
        texts = [content["text"] for content in sent]
        assert len(texts) == 3
        for refused in texts:
            assert "25:00 is no time of day." in refused
            assert bot_id not in refused
            assert "@scribe" in refused
