"""The message shortcut *Add to timeline*: a form with the message's time and words filled in."""

from dataclasses import replace
from typing import Any

from bot.clock import SetClock
from bot.fakeslack.objects import Message, View
from bot.vocabulary import ADD_TO_TIMELINE
from tests.support.ledger import entries, standing
from tests.support.workplace import Workplace, at


def form(office: Workplace, message: Message, user: str = "") -> View:
    """Use the shortcut; returns the form."""
    user = user or office.carol
    assert office.slack.shortcut(user, message, ADD_TO_TIMELINE).ok
    view = office.slack.modal(user)
    assert view is not None
    return view


def initial(view: View) -> dict[str, Any]:
    """The form's initial values by the name of the input."""
    filled = {}
    for block in view.blocks:
        element = block["element"]
        first = next((element[key] for key in element if key.startswith("initial_")), None)
        filled[block["block_id"]] = first["value"] if isinstance(first, dict) else first
    return filled


def test_the_form_and_the_entry_have_the_messages_author_time_and_permalink(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-12T12:10:00Z"))
    message = office.slack.say(office.bob, office.channel, "14:02 @alice: the pool is <exhausted> & gone")
    clock.set(at("2026-03-12T12:20:00Z"))
    words = "14:02 @alice: the pool is <exhausted> & gone"
    assert initial(form(office, message)) == {
        "kind": "note",
        "time": int(at("2026-03-12T12:10:00Z").timestamp()),
        "words": words,
    }
    assert office.slack.submit(office.carol, {"kind": "did"}).ok
    entry = entries(office)[1]
    assert (entry.kind, entry.text, entry.author, entry.author_id) == ("did", words, "bob", office.bob)
    assert (entry.recorded_by_id, entry.source) == (office.carol, "shortcut")
    assert entry.occurred_at == at("2026-03-12T12:10:00Z")
    assert entry.permalink == f"https://playground.slack.com/archives/{office.channel}/p{message.ts.replace('.', '')}"
    assert office.messages()[-1].text == (
        "Did · 12:10 UTC (21:10 in Tokyo) · INC-1 #2 · late entry · words of bob\n"
        "14:02 @alice: the pool is &lt;exhausted&gt; &amp; gone"
    )


def test_the_time_can_be_changed_and_a_future_time_is_refused_in_the_form(office: Workplace) -> None:
    office.say("/detected disk full")
    message = office.slack.say(office.bob, office.channel, "pool exhausted")
    form(office, message)
    ahead = office.slack.submit(office.carol, {"time": int(at("2026-03-12T12:30:00Z").timestamp())})
    assert ahead.body["response_action"] == "errors"
    assert "still ahead" in ahead.body["errors"]["time"]
    assert office.slack.submit(office.carol, {"time": int(at("2026-03-12T11:30:00Z").timestamp())}).body == {}
    assert f"{entries(office)[1].occurred_at:%H:%M:%S}" == "11:30:00"


def test_a_message_is_recorded_once_for_each_kind(office: Workplace) -> None:
    office.say("/detected disk full")
    message = office.slack.say(office.bob, office.channel, "pool exhausted")
    for user, kind, problem in (
        (office.carol, "note", None),
        (office.alice, "note", "That message is on the timeline already: it is entry 2."),
        (office.alice, "cause", None),
    ):
        form(office, message, user)
        answer = office.slack.submit(user, {"kind": kind})
        assert answer.body.get("errors", {}).get("words") == problem
        if problem:
            office.slack.dismiss(user)
    office.say("/incident undo", user=office.carol)
    form(office, message)
    assert office.slack.submit(office.carol).body == {}
    assert standing(office)[1:] == [("cause", "pool exhausted"), ("note", "pool exhausted")]


def test_a_lesson_without_its_side_is_saved_and_asked_about(office: Workplace) -> None:
    office.say("/detected disk full")
    form(office, office.slack.say(office.bob, office.channel, "the rollback took a minute"))
    assert office.slack.submit(office.carol, {"kind": "lesson"}).body == {}
    assert standing(office)[-1] == ("lesson", "the rollback took a minute")
    office.slack.click(office.carol, office.messages()[-1], "qualify_well")
    assert office.messages()[-1].text.partition("\n")[0].endswith("INC-1 #2 · well · words of bob")


def test_a_long_message_is_cut_and_the_form_says_so(office: Workplace) -> None:
    office.say("/detected disk full")
    view = form(office, office.slack.say(office.bob, office.channel, "&" * 9_000))
    assert len(initial(view)["words"]) == 3_000
    assert view.blocks[-1]["hint"]["text"] == "The message is longer; this is its beginning."
    assert office.slack.submit(office.carol).body == {}
    assert office.messages()[-1].text.startswith("Note · ")


def test_an_alert_without_text_fills_in_the_words_of_its_attachments(office: Workplace) -> None:
    office.say("/detected disk full")
    robot = office.slack.add_user("alerts", is_bot=True)
    message = office.slack.say(robot, office.channel, "x")
    alert = office.slack.workspace.put_message(
        replace(message, text="", attachments=[{"fallback": "p99 over 5 s"}, {"text": "on db1", "fallback": "no"}])
    )
    assert initial(form(office, alert))["words"] == "p99 over 5 s\non db1"
    office.slack.submit(office.carol, {"kind": "impact"})
    assert entries(office)[1].author_id == robot


def test_in_a_thread_the_receipt_stays_in_the_thread(office: Workplace) -> None:
    office.say("/detected disk full")
    root = office.slack.say(office.bob, office.channel, "what do we know?")
    message = office.slack.say(office.bob, office.channel, "the pool is exhausted", thread_ts=root.ts)
    form(office, message)
    office.slack.submit(office.carol)
    assert office.messages()[-1].thread_ts == root.ts
    assert f"thread_ts={root.ts}" in (entries(office)[1].permalink or "")


def test_the_receipt_appears_where_the_bot_is_no_member(office: Workplace) -> None:
    outside = office.slack.add_channel("outside", bot_is_member=False)
    office.say("/detected disk full", channel=outside)
    form(office, office.slack.say(office.bob, outside, "the pool is exhausted"))
    office.slack.submit(office.carol)
    assert office.messages(outside)[-1].text.startswith("Note · 12:00 UTC")


def test_a_form_that_opens_too_late_is_reported_to_the_person_alone(office: Workplace) -> None:
    outside = office.slack.add_channel("outside", bot_is_member=False)
    for channel in (office.channel, outside):
        office.say("/detected disk full", channel=channel)
        message = office.slack.say(office.bob, channel, "pool exhausted")
        office.slack.fail_next("views.open", error="expired_trigger_id")
        assert office.slack.shortcut(office.carol, message, ADD_TO_TIMELINE).ok
        office.slack.wait_for(lambda: not office.slack.faults)
        office.bot.context.executor.submit(int).result()

        def ephemerals(channel: str = channel) -> list[str]:
            return [each.text for each in office.messages(channel, office.carol) if each.ephemeral_for == office.carol]

        assert office.slack.wait_for(ephemerals) == [
            "Slack did not open the form in time. Try again, or type it in one line: /incident help shows how."
        ]
