"""A digest after it was posted: it says what is true by then, and its buttons act on what there is."""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from storage.database import Database
from storage.items.digests import HANDED
from storage.models import digests, outbox, postmortem_reviews
from tests.support.ledger import counts, expire_leases, items, outbox_states, problems
from tests.support.workplace import Workplace, at, workplace

FRIDAY, LATER_THAT_DAY = at("2026-03-13T16:00:00Z"), at("2026-03-13T17:00:00Z")
"""Nine in the morning in Los Angeles, where Bob is."""


def settle(office: Workplace, *, seconds: int = 60) -> None:
    """Let the time pass in which what changed is edited."""
    clock: SetClock = office.bot.context.clock  # type: ignore[assignment]
    office.deliver()
    for _ in range(seconds):
        clock.set(clock() + timedelta(seconds=1))
        office.deliver()


def remind(office: Workplace, when: str) -> None:
    clock: SetClock = office.bot.context.clock  # type: ignore[assignment]
    clock.set(at(when))
    office.bot.remind()
    office.deliver()


def newest(office: Workplace, place: str) -> Message:
    return office.messages(place)[-1]


def at_ts(office: Workplace, message: Message) -> Message:
    """The message as Slack shows it now."""
    return next(each for each in office.slack.messages(message.channel) if each.ts == message.ts)


def numbers(message: Message, action: str = "item_") -> list[str]:
    """The items that have buttons."""
    elements = [each for block in message.blocks for each in block.get("elements", ())]
    values = [each["value"] for each in elements if each.get("action_id", "").startswith(action) and "value" in each]
    return sorted({value.split()[1] for value in values})


def edits(office: Workplace) -> int:
    """The edits of digests; what was handed over is edited as well."""
    with office.database.read() as connection:
        handed = set(connection.execute(select(digests.c.ts).where(digests.c.state == HANDED)).scalars())
    return sum(call.method == "chat.update" and call.args["ts"] not in handed for call in office.slack.calls)


@pytest.fixture
def bobs(office: Workplace) -> Message:
    """Bob's digest of Friday, of three items that are due on that day, in an incident that Alice leads."""
    office.say("/detected disk full")
    office.say("/incident lead @alice")
    for text in ("buy disks", "count disks", "sell disks"):
        office.say(f"/actionitem @bob by 2026-03-13: {text}")
    office.say("/actionitem @carol by 2026-05-01: label disks")
    remind(office, "2026-03-13T16:00:00Z")
    return newest(office, office.bob)


def _click(action: str, value: str | None = None) -> Callable[[Workplace, Message], None]:
    def way(office: Workplace, digest: Message) -> None:
        assert office.slack.click(office.bob, digest, action, value).status == 200

    return way


def _say(typed: str) -> Callable[[Workplace, Message], None]:
    def way(office: Workplace, _digest: Message) -> None:
        office.say(typed)

    return way


def _form(action: str, **filled: str) -> Callable[[Workplace, Message], None]:
    def way(office: Workplace, digest: Message) -> None:
        office.slack.click(office.bob, digest, action, "INC-1 2")
        office.slack.wait_for(lambda: office.slack.modal(office.bob))
        given = {name: office.people.get(value, value) for name, value in filled.items()}
        assert office.slack.submit(office.bob, given).body == {}

    return way


WAYS = {
    "command": (_say("/actionitem done 2"), "done"),
    "another's command": (_say("/actionitem drop 2 moot"), "dropped"),
    "button": (_click("item_done", "INC-1 2"), "done"),
    "menu": (_click("item_snooze", "INC-1 2 next week"), "snoozed until Monday 16 March 2026"),
    "form of the date": (_form("item_date", due="2026-05-02"), "due Saturday 2 May 2026"),
    "form of the owner": (_form("item_assign", owner="carol"), "carol has it"),
    "form of the reason": (_form("item_drop", words="moot"), "dropped"),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_digest_is_edited_in_place_however_its_item_changes(office: Workplace, bobs: Message, way: str) -> None:
    assert numbers(bobs) == ["1", "2", "3"]
    change, outcome = WAYS[way]
    change(office, bobs)
    settle(office, seconds=8)
    now = at_ts(office, bobs)
    assert numbers(now) == ["1", "3"]
    assert re.match(r"Your action items: .*\b2 due today\n", now.text)
    assert f"• *INC-1 #2* · count disks · {outcome}" in now.text
    assert edits(office) == 1
    # Nobody was told of a second list.
    assert sum("Your action items" in each.text for each in office.slack.messages(office.bob)) == 1


def test_a_digest_to_somebody_whom_the_bot_has_not_heard_of_is_not_edited_for_that(office: Workplace) -> None:
    office.say("/detected disk full")
    new = office.slack.add_user("new")
    office.say("/actionitem @new by 2026-03-13: buy disks")
    remind(office, "2026-03-13T16:00:00Z")
    settle(office, seconds=8)
    assert "*INC-1 #1* · buy disks" in newest(office, new).text
    assert edits(office) == 0
    assert not any(job.startswith("edit_digest") for job in outbox_states(office))


def test_an_item_that_is_reopened_is_on_the_list_again_and_a_change_elsewhere_edits_nothing(
    office: Workplace, bobs: Message
) -> None:
    office.say("/actionitem done 1")
    settle(office, seconds=8)
    assert numbers(at_ts(office, bobs)) == ["2", "3"]
    office.say("/actionitem done 4")
    office.say("/note nothing new")
    settle(office, seconds=8)
    assert edits(office) == 1
    office.say("/actionitem reopen 1")
    settle(office, seconds=8)
    now = at_ts(office, bobs)
    assert (sorted(now.text.split("\n\n")), numbers(now)) == (sorted(bobs.text.split("\n\n")), ["1", "2", "3"])


def test_the_latest_digest_lives_on_after_its_day_and_counts_the_days(office: Workplace, bobs: Message) -> None:
    remind(office, "2026-03-14T20:00:00Z")
    office.say("/actionitem done 1")
    settle(office, seconds=8)
    now = at_ts(office, bobs)
    assert re.match(r"Your action items: .*\b2 overdue\b", now.text)
    assert now.text.count("Overdue for 1 day") == 2
    assert numbers(now) == ["2", "3"]


def test_items_that_are_moved_leave_the_digest_under_their_old_number(office: Workplace, bobs: Message) -> None:
    other = office.slack.add_channel("other")
    office.say("/detected the same", channel=other)
    office.ask("/incident merge INC-1 into INC-2")
    settle(office, seconds=8)
    now = at_ts(office, bobs)
    assert "• *INC-1 #1* · buy disks · dropped" in now.text
    assert "INC-1" not in str([block for block in now.blocks if block["type"] == "actions"])


def test_when_nothing_is_left_the_digest_says_so_and_has_no_button(office: Workplace, bobs: Message) -> None:
    for number in (1, 2, 3):
        office.say(f"/actionitem done {number}")
    settle(office, seconds=8)
    now = at_ts(office, bobs)
    assert now.text.startswith(
        "Nothing is left on your list of Friday 13 March 2026.\n\n• *INC-1 #1* · buy disks · done"
    )
    assert numbers(now, "") == []
    # Three changes at once are one edit.
    assert edits(office) == 1


@pytest.mark.parametrize(
    ("typed", "outcome"),
    [("/incident cancel a drill", "its incident is closed"), ("/incident private on", "a private incident")],
)
def test_a_change_of_the_incident_reaches_the_digest(
    office: Workplace, bobs: Message, typed: str, outcome: str
) -> None:
    office.say(typed)
    settle(office, seconds=8)
    now = at_ts(office, bobs)
    assert outcome in now.text
    if "private" in typed:
        assert "disks" not in f"{now.text}{now.blocks}"


def test_erased_words_leave_the_digest(office: Workplace, bobs: Message) -> None:
    asked = office.ask("/actionitem erase 2 it named a customer")
    office.slack.click(office.alice, asked, "erase")
    settle(office, seconds=8)
    now = at_ts(office, bobs)
    assert "count disks" not in f"{now.text}{now.blocks}"
    assert "buy disks" in now.text
    with office.database.read() as connection:
        kept = str(connection.execute(select(digests)).all())
    assert "disks" not in kept


def test_an_older_digest_is_one_line_that_points_to_the_current_one(office: Workplace, bobs: Message) -> None:
    # The third message of Bob's item is one day after its date.
    remind(office, "2026-03-16T16:00:00Z")
    settle(office, seconds=5)
    current = newest(office, office.bob)
    assert current.ts != bobs.ts
    old = at_ts(office, bobs)
    address = f"archives/{current.channel}/p{current.ts.replace('.', '')}"
    assert re.fullmatch(
        rf"This list of Friday 13 March 2026 is out of date\. The current one: "
        rf"<https://\S+/{address}\|Monday 16 March 2026>",
        old.text,
    )
    assert numbers(old, "") == []
    office.say("/actionitem done 1")
    settle(office, seconds=8)
    assert at_ts(office, bobs) == old
    assert numbers(at_ts(office, current)) == ["2", "3"]


def test_a_button_of_the_old_digest_that_is_pressed_late_acts_once_and_says_what_there_is(
    office: Workplace, bobs: Message
) -> None:
    # It looks as before until Slack takes the edit.
    office.slack.fail_next("chat.update", error="service_unavailable", status=503)
    remind(office, "2026-03-16T16:00:00Z")
    office.slack.click(office.bob, bobs, "item_done", "INC-1 2")
    before = counts(office)["action_item_revisions"]
    for user in (office.bob, office.alice):
        office.slack.click(user, bobs, "item_done", "INC-1 2")
    office.deliver()
    late = [each for each in office.slack.messages(bobs.channel, office.bob) if each.ephemeral_for == office.bob]
    assert [each.text for each in late] == ["Action item 2 is done already: count disks"]
    assert counts(office)["action_item_revisions"] == before


def test_what_changes_while_the_digest_is_posted_is_edited_after_it(office: Workplace) -> None:
    office.say("/detected disk full")
    for text in ("buy disks", "count disks"):
        office.say(f"/actionitem @bob by 2026-03-13: {text}")
    # The day before, he is told that they are his.
    remind(office, "2026-03-12T17:00:00Z")
    done: list[str] = []

    def meanwhile(method: str, args: dict[str, object]) -> None:
        if method == "chat.postMessage" and "Your action items" in str(args.get("text")) and not done:
            done.append(office.say("/actionitem done 1"))

    office.slack.refuse_by(meanwhile)
    remind(office, "2026-03-13T16:00:00Z")
    digest = next(each for each in office.messages(office.bob) if "Your action items" in each.text)
    assert numbers(digest) == ["1", "2"]
    settle(office, seconds=8)
    assert numbers(at_ts(office, digest)) == ["2"]


def test_a_digest_of_which_the_process_that_posted_it_died_is_posted_once_more_and_only_that_is_edited(
    office: Workplace, clock: SetClock
) -> None:
    office.say("/detected disk full")
    office.say("/actionitem @bob by 2026-03-13: buy disks")
    remind(office, "2026-03-12T17:00:00Z")
    clock.set(FRIDAY)
    office.bot.remind()
    delivery = office.bot.context.delivery
    client = office.bot.context.client
    post = client.chat_postMessage

    def killed(**message: object) -> None:
        post(**message)  # type: ignore[arg-type]
        if "Your action items" in str(message["text"]):
            raise KeyboardInterrupt

    client.chat_postMessage = killed  # type: ignore[assignment,method-assign]
    with pytest.raises(KeyboardInterrupt):
        delivery.deliver_due()
    client.chat_postMessage = post  # type: ignore[method-assign]
    expire_leases(office.database)
    office.deliver()
    missed, found = [each for each in office.slack.messages(office.bob) if "Your action items" in each.text]
    assert missed.metadata == found.metadata
    office.say("/actionitem done 1")
    settle(office, seconds=8)
    assert at_ts(office, missed) == missed
    assert at_ts(office, found).text.startswith("Nothing is left")
    # The missed one harms nobody: its button says what there is.
    office.slack.click(office.bob, missed, "item_done", "INC-1 1")
    assert office.messages(missed.channel, office.bob)[-1].text == "Action item 1 is done already: buy disks"


def test_a_digest_that_was_deleted_in_slack_is_given_up_without_a_problem(office: Workplace, bobs: Message) -> None:
    office.slack.delete(bobs)
    office.say("/actionitem done 1")
    settle(office, seconds=8)
    office.say("/actionitem done 2")
    settle(office, seconds=8)
    assert edits(office) == 1
    assert problems(office) == []
    assert "waiting" not in outbox_states(office)


def test_a_day_on_which_everything_is_done_at_once_stays_within_slacks_limits(
    office: Workplace, clock: SetClock
) -> None:
    office.say("/detected disk full")
    people = [office.slack.add_user(f"owner{number}", zone="America/Los_Angeles") for number in range(70)]
    office.bot.refresh()
    for number, user in enumerate(people):
        office.ask(f"/actionitem <@{user}|owner{number}> by 2026-03-13: part {number}", raw=True)
        office.ask(f"/actionitem <@{user}|owner{number}> by 2026-03-13: other part {number}", raw=True)
    office.deliver()
    clock.set(FRIDAY)
    office.bot.remind()
    office.deliver()
    tiers = office.slack.limit_rates()
    for number in range(1, 141):
        assert office.ask(f"/actionitem done {number}").ok
    for _ in range(300):
        clock.set(clock() + timedelta(seconds=1))
        office.deliver()
    assert tiers is not None
    updates = [call for call in office.slack.calls if call.method == "chat.update"]
    assert [call.error for call in updates if call.error] == []
    # Two changes of each digest are one edit, and so they are of what was handed over.
    assert len(updates) == 140
    gaps = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(updates)]
    assert min(gaps) >= 1.5
    for user in people:
        assert any("Nothing is left" in each.text for each in office.slack.messages(user))


def test_snooze_all_snoozes_what_the_list_holds_once(office: Workplace, bobs: Message) -> None:
    elements = [each for block in bobs.blocks for each in block.get("elements", ()) if "action_id" in each]
    (menu,) = [each for each in elements if each["action_id"] == "digest_snooze"]
    assert [each["value"] for each in menu["options"]] == [f"2026-03-13 {each}" for each in ("1d", "3d", "next week")]
    office.slack.click(office.bob, bobs, "digest_snooze", "2026-03-13 next week")
    assert newest(office, office.bob).text == "3 action items are snoozed until Monday 16 March 2026."
    assert [str(each.snoozed_until) for each in items(office)] == ["2026-03-16"] * 3 + ["None"]
    before = counts(office)["action_item_revisions"]
    office.slack.click(office.bob, bobs, "digest_snooze", "2026-03-13 next week")
    assert office.messages(bobs.channel, office.bob)[-1].text.startswith(
        "Nothing was snoozed. Action item 1 is snoozed until 2026-03-16 already"
    )
    assert counts(office)["action_item_revisions"] == before
    settle(office, seconds=8)
    assert at_ts(office, bobs).text.startswith("Nothing is left")


def test_snooze_all_of_an_old_list_snoozes_nothing(office: Workplace, bobs: Message) -> None:
    office.slack.fail_next("chat.update", error="service_unavailable", status=503)
    remind(office, "2026-03-16T16:00:00Z")
    before = counts(office)["action_item_revisions"]
    office.slack.click(office.bob, bobs, "digest_snooze", "2026-03-13 1d")
    answer = office.messages(bobs.channel, office.bob)[-1]
    assert answer.text == ("That list is out of date, so nothing was snoozed. What is open now: /actionitem list mine")
    assert answer.ephemeral_for == office.bob
    assert counts(office)["action_item_revisions"] == before


def test_the_form_of_a_new_date_starts_at_the_old_one_and_is_refused_at_its_field(
    office: Workplace, bobs: Message
) -> None:
    office.slack.click(office.bob, bobs, "item_date", "INC-1 2")
    form = office.slack.wait_for(lambda: office.slack.modal(office.bob))
    assert form is not None
    assert form.blocks[-1]["element"]["initial_date"] == "2026-03-13"
    answer = office.slack.submit(office.bob, {"due": "2026-03-13"})
    assert answer.body["errors"]["due"].startswith("Action item 2 is due on 2026-03-13 already")
    office.say("/actionitem done 2")
    answer = office.slack.submit(office.bob, {"due": "2026-04-01"})
    assert answer.body["errors"]["due"] == "Action item 2 is done already: count disks"
    office.slack.click(office.bob, bobs, "item_date", "INC-1 2")
    assert office.messages(bobs.channel, office.bob)[-1].text == "Action item 2 is done already: count disks"


def test_who_has_left_changes_nothing_by_an_old_button(office: Workplace, bobs: Message) -> None:
    office.slack.change_user(office.bob, deleted=True)
    office.slack.wait_for(lambda: office.bot.context.members.find(office.slack.team_id, office.bob).barred)  # type: ignore[union-attr]
    before = counts(office)["action_item_revisions"]
    for action, value in (("item_done", "INC-1 1"), ("digest_snooze", "2026-03-13 1d")):
        office.slack.click(office.bob, bobs, action, value)
    assert counts(office)["action_item_revisions"] == before


@pytest.fixture
def unpublished(office: Workplace) -> Message:
    """Alice's digest with the postmortem of her incident; there is no place to publish to."""
    office.say("/detected disk full")
    office.say("/incident lead @alice")
    office.say("/resolved over")
    office.deliver()
    remind(office, "2026-03-19T09:00:00Z")
    return newest(office, office.alice)


def test_a_postmortem_that_can_be_published_nowhere_is_read_and_reviewed_by_buttons(
    office: Workplace, unpublished: Message
) -> None:
    assert "waits to be read and marked as reviewed: it is published nowhere" in unpublished.text
    labels = [each["text"]["text"] for each in unpublished.blocks[2]["elements"]]
    assert labels == ["Show", "Mark as reviewed"]
    office.slack.click(office.alice, unpublished, "postmortem_look", "INC-1")
    shown = office.messages(unpublished.channel, office.alice)[-1]
    assert shown.text.startswith("INC-1 · postmortem, version 1")
    assert shown.ephemeral_for == office.alice
    office.slack.click(office.alice, unpublished, "postmortem_seen", "INC-1")
    assert newest(office, office.alice).text == (
        "The postmortem of INC-1, version 1, is reviewed, alice says. Nobody is reminded of it any more."
    )
    with office.database.read() as connection:
        (row,) = connection.execute(select(postmortem_reviews)).all()
    assert (row.version, row.reviewed_by, row.reviewed_by_id) == (1, "alice", office.alice)
    office.slack.click(office.alice, unpublished, "postmortem_seen", "INC-1")
    assert office.messages(unpublished.channel, office.alice)[-1].text == (
        "Nobody waits for the postmortem of INC-1: alice has reviewed it, so nothing was changed now."
    )
    settle(office, seconds=8)
    assert at_ts(office, unpublished).text.startswith("Nothing is left")
    assert counts(office)["postmortem_reviews"] == 1
    for day in range(20, 31):
        remind(office, f"2026-03-{day}T09:00:00Z")
    assert sum("Your action items" in each.text for each in office.slack.messages(office.alice)) == 0


def test_an_incident_that_is_reopened_needs_its_review_anew(office: Workplace, unpublished: Message) -> None:
    office.slack.click(office.alice, unpublished, "postmortem_seen", "INC-1")
    office.say("/reopened it is back")
    office.say("/resolved over again")
    remind(office, "2026-03-26T09:00:00Z")
    assert "waits to be read" in newest(office, office.alice).text


@pytest.mark.parametrize("lead", ["@alice", "@bob"])
def test_the_postmortem_of_a_private_incident_is_shown_to_who_may_read_it(
    database: Database, clock: SetClock, lead: str
) -> None:
    """With a place to publish to that others read; Alice has a record on it, Bob leads it and has none."""
    with workplace(database, clock=clock, SCRIBE_PUBLISH_CANVAS="on") as office:
        office.say("/detected disk full")
        office.say("/incident private on")
        office.say(f"/incident lead {lead}")
        office.say("/resolved over")
        office.deliver()
        remind(office, "2026-03-19T16:00:00Z")
        digest = newest(office, office.people[lead[1:]])
        labels = [each["text"]["text"] for each in digest.blocks[2]["elements"]]
        assert labels == (["Show", "Mark as reviewed"] if lead == "@alice" else ["Mark as reviewed"])
        if lead == "@alice":
            office.slack.click(office.alice, digest, "postmortem_look", "INC-1")
            shown = office.messages(digest.channel, office.alice)[-1]
            assert "disk full" in f"{shown.text}{shown.blocks}"
            assert shown.ephemeral_for == office.alice
        office.slack.click(office.people[lead[1:]], digest, "postmortem_seen", "INC-1")
        assert counts(office)["postmortem_reviews"] == 1


def test_only_what_is_out_of_date_is_pruned(office: Workplace, bobs: Message, clock: SetClock) -> None:
    remind(office, "2026-03-16T16:00:00Z")
    settle(office, seconds=5)
    clock.set(at("2026-05-01T00:00:00Z"))
    office.bot.prune()
    with office.database.read() as connection:
        states = connection.execute(select(digests.c.state).where(digests.c.recipient_id == office.bob)).scalars().all()
        jobs = connection.execute(select(outbox.c.id).where(outbox.c.action == "edit_digest")).all()
    assert states == ["live"]
    assert jobs == []
    assert bobs.ts
