"""The postmortem's interview: the milestones, then the open questions, each answer recorded as if it had been typed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.clock import SetClock
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.objects import View
from storage import postmortems, reviews, timeline
from storage.database import Database
from tests.support.ledger import entries, incident, items, problems, revisions, standing
from tests.support.workplace import Workplace, at, workplace

RESOLVED = [("detected", "checkout fails"), ("did", "rolled back the release"), ("resolved", "all is well")]


def play(office: Workplace, clock: SetClock) -> Workplace:
    """INC-1, detected at 11:40:10, resolved at 12:30:20 and drafted; it is 13:00."""
    for when, said in (
        ("11:40:10", "/detected checkout fails"),
        ("12:20:30", "/did rolled back the release"),
        ("12:30:20", "/resolved all is well"),
    ):
        clock.set(at(f"2026-03-12T{when}Z"))
        office.say(said)
    office.deliver()
    clock.set(at("2026-03-12T13:00:00Z"))
    return office


@pytest.fixture
def over(office: Workplace, clock: SetClock) -> Workplace:
    return play(office, clock)


def modal(office: Workplace, user: str | None = None) -> View:
    view = office.slack.modal(user or office.alice)
    assert view is not None
    return view


def fields(office: Workplace, user: str | None = None) -> list[str]:
    view = modal(office, user)
    return [block["block_id"].partition("@")[0] for block in view.blocks if block["type"] == "input"]


def submit(office: Workplace, user: str | None = None, **values: Any) -> Answer:
    """Submit the form with values by the name of the field; `_` stands for a hyphen, the rest of a name may lack."""
    view = modal(office, user)
    names = [block["block_id"] for block in view.blocks if block["type"] == "input"]
    found = {}
    for name, value in values.items():
        known = name.replace("__", "-")
        found[next(each for each in names if known in {each, each.partition("@")[0]})] = value
    return office.slack.submit(user or office.alice, found)


def ask(office: Workplace, user: str | None = None, **milestones: Any) -> None:
    """Open the interview, and go on to the open questions."""
    assert office.ask("/postmortem answer", user=user or office.alice).ok
    modal(office, user)
    assert submit(office, user, **{"fix__2": [], **milestones}).body["response_action"] == "update"


def stamp(words: str) -> int:
    return int(at(f"2026-03-12T{words}Z").timestamp())


def receipts(office: Workplace) -> list[str]:
    return [each.text for each in office.messages() if "recorded, by" in each.text]


def version(office: Workplace) -> int:
    office.deliver()
    with office.database.read() as connection:
        newest = postmortems.newest(connection, incident(office).id)
    return newest.version if newest else 0


def test_the_milestones_come_first_and_each_answer_is_the_entry_it_is(over: Workplace, clock: SetClock) -> None:
    assert over.ask("/postmortem answer").ok
    assert fields(over) == [
        "time-1", "time-3", "fix-2", "at-started", "words-started", "at-acknowledged", "words-acknowledged",
        "at-mitigated", "words-mitigated",
    ]  # fmt: skip
    answer = submit(
        over, time__1=stamp("11:38:00"), at__started=stamp("11:30:00"), words__started="the release went out"
    )
    assert answer.body["response_action"] == "update"
    assert standing(over) == [
        *RESOLVED, ("mitigated", "rolled back the release"), ("started", "the release went out"),
    ]  # fmt: skip
    assert entries(over)[0].occurred_at == at("2026-03-12T11:38:00Z")
    assert len(revisions(over)) == 1
    assert [entry.occurred_at for entry in entries(over)[3:]] == [
        at("2026-03-12T12:20:30Z"), at("2026-03-12T11:30:00Z"),
    ]  # fmt: skip
    before = version(over)
    assert fields(over)[:4] == ["fact-detected_by", "fact-impact", "fact-cause", "sort-cause"]
    clock.set(clock() + timedelta(hours=1))  # a form that was open for an hour
    submit(
        over, fact__detected_by="customer", fact__impact="nobody could pay", fact__cause="nobody read the diff",
        sort__cause="process", fact__measures="by 2026-04-01: read each diff",
    )  # fmt: skip
    told = receipts(over)[-1]
    assert told.splitlines()[0] == "INC-1 · 4 answers recorded, by alice"
    assert "• Cause · 12:30:20 UTC · INC-1 #7 · process · late entry" in told.splitlines()
    assert standing(over)[5:] == [("impact", "nobody could pay"), ("cause", "nobody read the diff")]
    assert (entries(over)[0].qualifier, entries(over)[6].qualifier) == ("customer", "process")
    assert (items(over)[0].text, str(items(over)[0].due_on)) == ("read each diff", "2026-04-01")
    # What was entered at once is one new version.
    assert version(over) == before + 1
    assert problems(over) == []


def test_nothing_changed_and_nothing_answered_records_nothing(over: Workplace) -> None:
    before, drafted = entries(over), version(over)
    ask(over)
    assert submit(over).body in ({}, None, "")
    assert (entries(over), version(over), over.slack.modal(over.alice)) == (before, drafted, None)


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(over: Workplace) -> None:
    over.ask("/postmortem answer")
    before = entries(over)
    answer = submit(over, time__1=stamp("15:00:00"), words__acknowledged="bob has it", at__started=stamp("16:00:00"))
    wrong = {name.partition("@")[0]: text for name, text in answer.body["errors"].items()}
    assert wrong.keys() == {"time-1", "at-acknowledged", "at-started"}
    assert wrong["at-acknowledged"] == "When was it? Choose a time, or leave both empty."
    assert "still ahead" in wrong["time-1"]
    assert entries(over) == before
    submit(over, at__acknowledged=stamp("11:42:00"), words__acknowledged="bob has it", fix__2=[])
    assert standing(over)[3:] == [("acknowledged", "bob has it")]
    submit(over, fact__impact="12 orders failed")
    over.deliver()
    ask(over)
    answer = submit(over, fact__share="many", fact__lucky="it was night", sort__cause="human")
    assert answer.body["errors"].keys() == {"fact-share", "fact-cause"}
    assert standing(over)[5:] == []
    submit(over, fact__share="half of all orders failed", fact__lucky="it was night")
    assert standing(over)[5:] == [("impact", "half of all orders failed"), ("lesson", "it was night")]


def test_lessons_are_confirmed_or_struck_and_causes_sorted(over: Workplace) -> None:
    over.say("/cause the diff was not read; staging is smaller", user=over.bob)
    over.say("/cause `x;y` broke; so did z", user=over.bob)
    over.say("/actionitem read diffs")
    over.say("/postmortem draft")
    over.deliver()
    ask(over)
    assert {"factor-4-0", "factor-4-1", "owner-1", "offer-action-2"} <= set(fields(over))
    assert "Sort this one" in submit(over, factor__4__0="process").body["errors"]["factor-4-1"]
    submit(
        over, factor__4__0="process", factor__4__1="technical", factor__5__0="technical", owner__1=over.bob,
        offer__action__2="confirm",
    )  # fmt: skip
    over.deliver()
    assert standing(over)[3:] == [
        ("cause", "the diff was not read; technical: staging is smaller"),
        ("cause", "`x;y` broke; so did z"),
        ("lesson", "the first action on record came 40 min after it was noticed"),
    ]
    assert [entry.qualifier for entry in entries(over)[3:]] == ["process", "technical", "badly"]
    assert (items(over)[0].owner, items(over)[0].owner_id) == ("bob", over.bob)
    ask(over)
    assert not {each for each in fields(over) if each.startswith(("factor", "offer", "owner"))}


def test_a_lesson_that_is_struck_is_offered_no_more(over: Workplace) -> None:
    ask(over)
    submit(over, offer__action__2="strike")
    ask(over)
    assert "offer-action-2" not in fields(over)
    assert [each.retracted for each in entries(over) if each.kind == "lesson"] == [True]


def test_two_people_at_once_lose_nothing_and_the_second_is_told(over: Workplace) -> None:
    for user in (over.alice, over.bob):
        assert over.ask("/postmortem answer", user=user).ok
        modal(over, user)
    submit(over, over.alice, time__1=stamp("11:35:00"), fix__2=[])
    submit(over, over.bob, time__1=stamp("11:36:00"), fix__2=["2"])
    told = receipts(over)[-1]
    assert "The time of #1 was changed while the form was open; it is as you answered now." in told
    assert entries(over)[0].occurred_at == at("2026-03-12T11:36:00Z")
    submit(over, over.alice, fact__impact="nobody could pay", offer__action__2="confirm")
    submit(over, over.bob, fact__impact="most could not pay", offer__action__2="confirm")
    assert receipts(over)[-1].splitlines()[-1] == (
        "“Who was hurt, and how?” was answered by another while the form was open; both answers stand."
    )
    assert [words for kind, words in standing(over) if kind == "impact"] == ["nobody could pay", "most could not pay"]
    assert [kind for kind, _ in standing(over)].count("lesson") == 1


def test_what_slack_delivers_twice_is_recorded_once(over: Workplace) -> None:
    over.ask("/postmortem answer")
    first = submit(over, at__started=stamp("11:30:00"))
    again = over.slack.repeat(first)
    assert again.body["view"]["callback_id"] == "answer_open"
    second = submit(over, fact__impact="nobody could pay")
    over.slack.repeat(second)
    assert [kind for kind, _ in standing(over)] == ["detected", "did", "resolved", "mitigated", "started", "impact"]
    assert len(receipts(over)) == 2


def test_the_policy_holds_at_the_field_it_is_about(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_POLICY="edit=lead,review=lead") as office:
        play(office, clock)
        office.say("/incident lead @alice")
        office.ask("/postmortem answer", user=office.bob)
        answer = submit(office, office.bob, time__1=stamp("11:35:00"), fix__2=[])
        assert list(answer.body["errors"].values()) == ["On INC-1 that is for its lead, alice, to do. Ask them."]
        submit(office, office.bob, fix__2=[])
        assert fields(office, office.bob)


@pytest.mark.parametrize("count", [0, 40, 150])
def test_the_forms_fit_into_slacks_limits(over: Workplace, count: int) -> None:
    first = entries(over)[0]
    with over.database.write() as connection:
        for number in range(count):
            timeline.append(
                connection, incident(over).id, kind=("reopened", "cause", "detected")[number % 3], text="x" * 2_900,
                occurred_at=first.occurred_at + timedelta(seconds=number), recorded_at=first.recorded_at,
                author="alice", author_id=over.alice, recorded_by_id=over.alice, qualifier=None, source="slash",
                permalink=None,
            )  # fmt: skip
    for template in ("full", "classic"):
        over.say(f"/postmortem template {template}")
        over.deliver()
        over.ask("/postmortem answer")
        modal(over)
        submit(over)
        assert 2 <= len(modal(over).blocks) <= 100
        over.slack.workspace.close_view(over.alice, all_of_them=True)


def test_a_mention_says_where_the_form_opens(over: Workplace) -> None:
    over.slack.say(over.alice, over.channel, "@scribe postmortem answer INC-1")
    assert over.messages(user=over.alice)[-1].text.splitlines()[0] == (
        "A form opens in the channel, from /postmortem answer INC-1"
    )


def test_the_incidents_channel_is_told_what_was_answered_elsewhere(over: Workplace) -> None:
    elsewhere = over.slack.add_channel("elsewhere")
    over.ask("/postmortem answer INC-1", channel=elsewhere)
    submit(over, fix__2=["2"])
    over.deliver()
    assert any("1 answer recorded" in each.text for each in over.messages(over.channel))
    assert "1 answer recorded" in over.messages(elsewhere, over.alice)[-1].text


def test_words_of_other_incidents_are_masked_for_those_who_do_not_see_them(over: Workplace) -> None:
    over.say("/detected like INC-7", channel=over.slack.add_channel("second"))
    over.say("/acknowledged as in INC-2", channel=over.channel)
    guest = over.slack.add_user("gus", zone="UTC", restricted=True)
    over.bot.refresh()
    over.ask("/postmortem answer INC-1", user=guest)
    assert "INC-2" not in str(modal(over, guest).blocks)
    assert "INC-…" in str(modal(over, guest).blocks)


def pressed(office: Workplace, action: str, user: str | None = None) -> Answer:
    message = next(
        each for each in reversed(office.messages())
        if any(e.get("action_id") == action for block in each.blocks for e in block.get("elements", ()))
    )  # fmt: skip
    return office.slack.click(user or office.alice, message, action)


def test_the_receipt_of_the_resolution_opens_it_too(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask("/resolved freed")
    office.slack.click(office.bob, answer, "answer_questions")
    assert "time-1" in fields(office, office.bob)
    submit(office, office.bob)
    # There is no draft yet: it is asked what every form asks.
    assert "fact-cause" in fields(office, office.bob)


def test_the_drafts_message_is_one_that_is_edited_with_its_versions_in_its_thread(
    over: Workplace, clock: SetClock
) -> None:
    def shown() -> list[str]:
        return [each.text for each in over.messages() if each.text.startswith("INC-1 · postmortem, version")]

    (text,) = shown()
    assert "*0 of 9 questions answered.*" in text
    ask(over)
    submit(over, fact__impact="nobody could pay", fact__well="the rollback was ready")
    over.deliver()
    clock.set(clock() + timedelta(seconds=10))
    (text,) = shown()
    assert text.splitlines()[0].startswith("INC-1 · postmortem, version 2")
    # How much it was is asked since it is told who was hurt.
    assert "*3 of 10 questions answered.*" in text
    message = next(each for each in over.messages() if each.text == text)
    assert {each["action_id"]: each["text"]["text"] for each in message.blocks[-1]["elements"]} == {
        "answer_questions": "Answer 7 questions", "draft_edit": "Edit", "draft_check": "Check",
        "draft_publish": "Publish", "review_plan": "Plan review",
    }  # fmt: skip
    assert [file.thread_ts for file in over.drafts] == [message.ts, message.ts]
    assert problems(over) == []


def test_a_version_stands_for_itself_where_the_drafts_message_is_gone(over: Workplace) -> None:
    message = next(each for each in over.messages() if each.text.startswith("INC-1 · postmortem"))
    over.slack.delete(message)
    over.say("/postmortem draft")
    over.deliver()
    assert over.drafts[-1].thread_ts is None
    assert over.messages()[-1].text.startswith("INC-1 · postmortem, version 2 · ")


@pytest.fixture
def published(sqlite: Database, clock: SetClock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = str(tmp_path_factory.mktemp("published"))
    with workplace(sqlite, clock=clock, SCRIBE_PUBLISH_DIR=folder) as office:
        yield play(office, clock)


def test_the_drafts_buttons(published: Workplace) -> None:
    pressed(published, "draft_edit")
    assert modal(published).title == "Edit INC-1"
    pressed(published, "draft_check")
    assert "INC-1" in published.messages(user=published.alice)[-1].text
    pressed(published, "review_plan", published.bob)
    assert modal(published, published.bob).title == "Review of INC-1"
    submit(published, published.bob, time=int(at("2026-03-19T17:00:00Z").timestamp()), length="45m")
    with published.database.read() as connection:
        planned = reviews.planned(connection, incident(published).id)
    assert planned is not None
    assert (planned.starts_at, planned.duration_s, planned.timezone) == (
        at("2026-03-19T17:00:00Z"), 2700, "America/Los_Angeles",
    )  # fmt: skip


@pytest.mark.parametrize("how", ["button", "typed"])
def test_publishing_with_open_questions_asks_first(published: Workplace, how: str) -> None:
    def question() -> Any:
        return published.messages(user=published.alice)[-1]

    if how == "button":
        pressed(published, "draft_publish")
    else:
        published.private("/postmortem publish blameless")
    asked = question() if how == "button" else published.ask("/postmortem publish blameless")
    text = asked.text
    assert text.splitlines()[0].startswith("INC-1 · 9 questions are open, and they are left out")
    assert not any("published by alice" in each.text for each in published.messages())
    published.slack.click(published.alice, asked, "publish_anyway")
    last = published.messages()[-1].text.splitlines()[0]
    assert last == f"INC-1 · postmortem, version 1{', blameless' * (how == 'typed')} · published by alice"


@pytest.mark.parametrize("kept", ["sqlite", "postgres"])
def test_it_is_one_transaction_on_either_database(kept: str, clock: SetClock, request: pytest.FixtureRequest) -> None:
    with workplace(request.getfixturevalue(kept), clock=clock) as office:
        play(office, clock)
        office.ask("/postmortem answer")
        submit(office, at__started=stamp("11:30:00"), fix__2=[])
        submit(office, fact__impact="nobody could pay", fact__lucky="it was night")
        assert standing(office)[3:] == [
            ("started", ""), ("impact", "nobody could pay"), ("lesson", "it was night"),
        ]  # fmt: skip
        assert problems(office) == []


@pytest.mark.parametrize("words", ["done 1 alert a replica", "drop the old cache", "1 drop a replica"])
def test_what_has_to_change_is_never_taken_for_a_command(over: Workplace, words: str) -> None:
    ask(over)
    # The form was opened while there was no item, and another person adds one meanwhile.
    over.say("/actionitem @bob widen the pool")
    assert submit(over, fact__measures=words).body == {}
    assert [(each.text, each.state) for each in items(over)] == [("widen the pool", "open"), (words, "proposed")]


def test_the_answer_to_a_question_of_another_release_stays_in_the_form(over: Workplace) -> None:
    ask(over)
    view = modal(over)
    field = next(block for block in view.blocks if block["block_id"].partition("@")[0] == "fact-impact")
    field["block_id"] = field["element"]["action_id"] = "fact-weather"
    before = entries(over)
    answer = over.slack.submit(over.alice, {"fact-weather": "it rained"})
    assert answer.body["errors"]["fact-weather"].startswith("This is not asked any more.")
    assert entries(over) == before
