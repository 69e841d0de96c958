"""The lifecycle: which entries a channel's latest incident accepts once it is resolved, reopened or a duplicate."""

import pytest

from bot.clock import SetClock
from bot.fakeslack.dispatcher import Answer
from bot.vocabulary import KINDS
from tests.support.buttons import buttons as all_buttons
from tests.support.buttons import labels
from tests.support.ledger import entries, incident, incident_count, items, problems, standing
from tests.support.workplace import Workplace, at


@pytest.fixture
def resolved(office: Workplace, clock: SetClock) -> Workplace:
    """INC-1, detected at 12:00 and resolved at 12:30; the clock is at 13:00."""
    office.say("/detected disk full")
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/resolved freed")
    clock.set(at("2026-03-12T13:00:00Z"))
    office.deliver()
    return office


def test_a_resolved_incident_accepts_later_findings_and_a_reopening(resolved: Workplace) -> None:
    for typed in ("cause process: no alarm", "impact 5% of users", "lesson well: quick", "note more", "did write"):
        assert "· INC-1 #" in resolved.say(f"/{typed}")
        assert not incident(resolved).open
    assert "Action item 1 of INC-1" in resolved.say("/actionitem watch the disk")
    assert resolved.say("/reopened full again").startswith("Reopened · 13:00 UTC · INC-1 #8")
    assert incident(resolved).open


def test_a_milestone_from_before_the_resolution_is_a_late_entry(resolved: Workplace) -> None:
    for typed in ("mitigated at 12:20 rolled back", "acknowledged -45m", "started 2026-03-12 11:50 a leak"):
        assert "late entry" in resolved.say(f"/{typed}")
    assert not incident(resolved).open


def buttons(answer: Answer) -> list[str]:
    """The labels of the buttons under an answer, without those that ask for a qualifier."""
    return [each["text"]["text"] for each in all_buttons(answer) if not each["action_id"].startswith("qualify_")]


def test_every_kind_is_taken_after_the_resolution_as_afterwards(resolved: Workplace) -> None:
    # The time of a start that is after the resolution is doubted as well.
    for number, kind in enumerate(KINDS.keys() - {"started", "detected", "resolved", "reopened"}, start=3):
        words = "well: the words" if kind == "lesson" else "the words"
        answer = resolved.ask(f"/{kind} {words}", user=resolved.bob)
        assert f" · INC-1 #{number}" in answer.text
        # A cause and a lesson are always told afterwards, and are asked for then.
        news = "" if kind in {"cause", "lesson"} else "INC-1 was resolved at 12:30 UTC; this is recorded as afterwards."
        assert answer.text.endswith(f"the words\n{news}".rstrip())
        assert buttons(answer) == ["It came back: reopen"]
        assert not incident(resolved).open
    late = resolved.ask("/mitigated at 12:20 UTC: rolled back")
    assert "afterwards" not in late.text
    assert buttons(late) == []


def test_the_button_reopens_once(resolved: Workplace, clock: SetClock) -> None:
    answer = resolved.ask("/note errors again")
    other = resolved.ask("/did restarted")
    clock.set(at("2026-03-12T13:05:00Z"))
    assert resolved.slack.click(resolved.alice, answer, "came_back").ok
    assert resolved.messages()[-1].text == "INC-1 is open again: disk full\nReopened · 13:05 UTC · INC-1 #5"
    assert incident(resolved).open
    before = standing(resolved)
    for user, clicked in ((resolved.bob, answer), (resolved.carol, answer), (resolved.carol, other)):
        resolved.slack.click(user, clicked, "came_back")
        assert resolved.messages(user=user)[-1].text == "INC-1 is open again already."
    resolved.slack.repeat(resolved.slack.answers[-1])
    assert standing(resolved) == before
    assert before[-1] == ("reopened", "")


def test_a_second_resolution_is_kept_as_a_note_and_corrects_the_time_at_a_click(
    resolved: Workplace, clock: SetClock
) -> None:
    answer = resolved.ask("/resolved freed more", user=resolved.bob)
    assert answer.text == (
        "Note · 13:00 UTC (06:00 in Los Angeles) · INC-1 #3\nfreed more\n"
        "INC-1 was resolved already, at 12:30 UTC. That time stands; this is kept as a note."
    )
    assert buttons(answer) == ["Use 13:00 UTC as the time it was resolved"]
    assert standing(resolved)[1:] == [("resolved", "freed"), ("note", "freed more")]
    clock.set(at("2026-03-12T13:10:00Z"))
    resolved.slack.click(resolved.alice, answer, "resolved_then")
    assert resolved.messages()[-1].text.startswith("Corrected: Resolved · 13:00 UTC · INC-1 #2 · was 12:30 UTC")
    assert entries(resolved)[1].occurred_at == at("2026-03-12T13:00:00Z")
    resolved.slack.click(resolved.bob, answer, "resolved_then")
    assert resolved.messages(user=resolved.bob)[-1].text == "INC-1 is resolved at that time already."
    assert standing(resolved)[1:] == [("resolved", "freed"), ("note", "freed more")]
    assert not incident(resolved).open


def test_a_second_resolution_of_a_time_alone_leaves_no_note_once_that_time_is_taken(resolved: Workplace) -> None:
    answer = resolved.ask("/resolved at 12:10 UTC")
    assert standing(resolved)[2:] == [("note", "Resolved")]
    resolved.slack.click(resolved.bob, answer, "resolved_then")
    assert "· was 12:30 UTC" in resolved.messages()[-1].text
    assert standing(resolved) == [("detected", "disk full"), ("resolved", "freed")]
    assert buttons(resolved.ask("/resolved at 12:10 UTC")) == []


def test_the_time_of_a_resolution_is_not_corrected_once_it_was_reopened(resolved: Workplace) -> None:
    answer = resolved.ask("/resolved freed more")
    resolved.say("/reopened full again")
    resolved.slack.click(resolved.bob, answer, "resolved_then")
    assert "has changed since, so nothing was corrected" in resolved.messages(user=resolved.bob)[-1].text
    assert entries(resolved)[1].occurred_at == at("2026-03-12T12:30:00Z")


def test_a_reopening_of_an_open_incident_is_recorded_and_says_so(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/mitigated")
    assert office.say("/reopened it is back").endswith(
        "it is back\nINC-1 was open, so there was nothing to reopen: it is recorded that it came back."
    )
    assert "INC-1 · open" in office.private("/incident status")
    assert standing(office)[-1] == ("reopened", "it is back")


def test_a_second_detection_is_recorded_and_asked_about(office: Workplace, clock: SetClock) -> None:
    assert buttons(office.ask("/incident open SEV1 disk full")) == []
    assert buttons(office.ask("/detected disk full")) == []
    office.say("/mitigated freed")
    clock.set(at("2026-03-12T12:05:00Z"))
    answer = office.ask("/detected by customer: full again", user=office.bob)
    assert answer.text.endswith("Is this another outage of it, or a new incident?")
    assert buttons(answer) == ["It came back: new round", "New incident"]
    assert standing(office)[-1] == ("detected", "full again")
    clock.set(at("2026-03-12T12:10:00Z"))
    office.slack.click(office.alice, answer, "another_outage")
    assert office.messages()[-1].text == (
        "Reopened · 12:05 UTC · INC-1 #5\nby customer: full again\n"
        "It stands as another outage of INC-1, in place of entry 3.\n"
        "The round before ended at 12:00 UTC, when it was mitigated; entry 4 says so."
    )
    moved = entries(office)[-1]
    assert (moved.kind, moved.author, moved.occurred_at) == ("reopened", "bob", at("2026-03-12T12:05:00Z"))
    before = standing(office)
    for action in ("another_outage", "new_incident"):
        office.slack.click(office.alice, answer, action)
        refused = office.messages(user=office.alice)[-1].text
        assert refused == "Entry 3 of INC-1 was moved or taken back already. /timeline INC-1 shows what stands."
    assert standing(office) == before
    assert incident_count(office) == 1


@pytest.mark.parametrize("privacy", ["public", "private"])
def test_a_second_detection_becomes_an_incident_of_its_own(office: Workplace, clock: SetClock, privacy: str) -> None:
    channel = office.slack.add_channel("crew", private=privacy == "private")
    office.say("/detected disk full", channel=channel)
    answer = office.ask("/detected by monitoring: mails are late", channel=channel, user=office.bob)
    clock.set(at("2026-03-12T12:10:00Z"))
    office.slack.click(office.carol, answer, "new_incident")
    receipt = office.messages(channel)[-1].text
    assert "INC-2 is declared." in receipt
    assert "Detected · 12:00 UTC (21:00 in Tokyo) · INC-2 #1 · by monitoring\nmails are late" in receipt
    assert "moved from INC-1, where entry 2 is taken back" in receipt
    assert (
        "What is typed there is for INC-2 from now on; for the other one begin with its number: /note INC-1" in receipt
    )
    assert (incident(office, 2).title, incident(office, 2).private) == ("mails are late", privacy == "private")
    assert standing(office) == [("detected", "disk full")]
    assert "INC-2 #2" in office.say("/did restarted the queue", channel=channel)
    assert "· INC-1 #3" in office.say("/did INC-1 freed", channel=channel)
    ended = office.say("/resolved", channel=channel)
    assert "INC-1 is still open in the same channel, and what is typed there is for it now: disk full" in ended
    assert "· INC-1 #4" in office.say("/note on it", channel=channel)


def test_a_second_opening_in_a_channel_is_asked_about_and_done_at_a_click(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask("/incident open SEV2 mails are late", user=office.bob)
    assert answer.body["response_type"] == "ephemeral"
    assert "INC-1 is open in this channel: disk full." in answer.text
    assert "/incident title mails are late" in answer.text
    assert incident_count(office) == 1
    office.slack.click(office.bob, answer, "choose_incident")
    receipt = office.messages()[-1].text
    assert receipt.startswith("INC-2 is declared · SEV2 · mails are late")
    assert "INC-1 is open in the same channel." in receipt


def test_a_late_resolution_before_a_reopening_leaves_the_incident_open(resolved: Workplace, clock: SetClock) -> None:
    resolved.say("/reopened again")
    clock.set(at("2026-03-12T13:10:00Z"))
    assert "INC-1 stays open: it was reopened after that." in resolved.say("/resolved at 12:50 only for a while")
    assert incident(resolved).open


def test_a_detection_after_the_resolution_declares_a_new_incident_and_offers_the_old(resolved: Workplace) -> None:
    answer = resolved.ask("/detected full again")
    assert "INC-2 is declared" in answer.text
    assert "INC-1 in this channel is resolved: disk full" in answer.text
    assert labels(answer) == ["It is the same one: reopen INC-1", "By monitoring", "By a customer", "By an engineer"]


def test_a_detection_from_before_the_resolution_fills_the_gap_of_an_incident_without_one(
    office: Workplace, clock: SetClock
) -> None:
    office.say("/incident open SEV1 disk full")
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/resolved freed")
    clock.set(at("2026-03-12T13:00:00Z"))
    assert "· INC-1 #2 · by customer · late entry" in office.say("/detected at 12:10 by customer: it is slow")
    assert "INC-2 is declared" in office.say("/detected at 12:20 something else")
    assert incident_count(office) == 2


def test_the_button_moves_all_entries_with_times_and_authors(resolved: Workplace, clock: SetClock) -> None:
    answer = resolved.ask("/detected by monitoring: full again", user=resolved.bob)
    clock.set(at("2026-03-12T13:05:00Z"))
    resolved.say("/did freed more", user=resolved.carol)
    resolved.say("/note a slip")
    resolved.say("/incident undo")
    resolved.say("/actionitem @carol by 2026-04-01: buy disks")
    resolved.say("/actionitem count disks")
    resolved.say("/actionitem done 2")
    clock.set(at("2026-03-12T13:06:00Z"))
    assert resolved.slack.click(resolved.alice, answer, "reopen").ok
    assert resolved.messages()[-1].text == (
        "INC-1 is open again: disk full\n"
        "INC-2 was the same incident. Moved over, times unchanged: 2 entries, 2 action items.\n"
        "Reopened · 13:00 UTC · INC-1 #3"
    )
    assert incident(resolved).open
    moved = [(each.kind, each.occurred_at, each.recorded_at, each.author, each.text) for each in entries(resolved)[2:]]
    assert moved == [
        ("reopened", at("2026-03-12T13:00:00Z"), at("2026-03-12T13:00:00Z"), "bob", "full again"),
        ("did", at("2026-03-12T13:05:00Z"), at("2026-03-12T13:05:00Z"), "carol", "freed more"),
    ]
    assert [(item.text, item.owner, item.state) for item in items(resolved)] == [
        ("buy disks", "carol", "open"),
        ("count disks", None, "done"),
    ]
    assert standing(resolved, 2) == []
    assert "INC-2" not in resolved.private("/incident list all")
    assert "INC-1 · open" in resolved.private("/incident status INC-2")
    assert "INC-2" not in resolved.private("/actionitem list all")


def test_the_second_click_is_refused_to_the_person_alone_and_changes_nothing(resolved: Workplace) -> None:
    answer = resolved.ask("/detected full again")
    resolved.slack.click(resolved.bob, answer, "reopen")
    seen, before = resolved.messages(), standing(resolved)
    for user in (resolved.carol, resolved.bob):
        assert resolved.slack.click(user, answer, "reopen").ok
        assert resolved.messages(user=user)[-1].text == "INC-1 is open again already."
    assert resolved.messages() == seen
    assert standing(resolved) == before


def test_the_button_works_where_the_bot_is_no_member(office: Workplace) -> None:
    outside = office.slack.add_channel("outside", bot_is_member=False)
    office.say("/detected disk full", channel=outside)
    office.say("/resolved freed", channel=outside)
    answer = office.ask("/detected full again", channel=outside)
    office.messages(outside)
    office.slack.click(office.bob, answer, "reopen")
    assert office.messages(outside)[-1].text.startswith("INC-1 is open again: disk full")
    office.slack.click(office.carol, answer, "reopen")
    refusal = office.messages(outside, office.carol)[-1]
    assert (refusal.text, refusal.ephemeral_for) == ("INC-1 is open again already.", office.carol)


def test_an_old_button_does_not_change_a_newer_incident(resolved: Workplace, clock: SetClock) -> None:
    old = resolved.ask("/detected full again")
    resolved.say("/resolved freed again")
    resolved.deliver()
    clock.set(at("2026-03-12T14:00:00Z"))
    resolved.say("/detected something else")
    resolved.slack.click(resolved.alice, old, "reopen")
    assert resolved.messages(user=resolved.alice)[-1].text == (
        "INC-2 is resolved by now, so it stays an incident of its own."
    )
    assert standing(resolved, 3) == [("detected", "something else")]


def test_the_button_works_after_the_detection_was_retracted_or_moved_to_earlier(
    resolved: Workplace, clock: SetClock
) -> None:
    answer = resolved.ask("/detected a mistake")
    resolved.say("/incident undo")
    resolved.slack.click(resolved.bob, answer, "reopen")
    resolved.deliver()
    assert incident(resolved).open
    assert entries(resolved)[-1].kind == "reopened"
    assert entries(resolved)[-1].author == "bob"
    resolved.say("/resolved for good")
    clock.set(at("2026-03-12T13:30:00Z"))
    answer = resolved.ask("/detected at 12:40 by customer: it was never gone")
    resolved.slack.click(resolved.bob, answer, "reopen")
    resolved.deliver()
    assert incident(resolved).open
    assert standing(resolved)[-2:] == [("detected", "it was never gone"), ("reopened", "")]


def test_undoing_a_resolution_opens_and_undoing_a_reopening_closes(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/resolved freed")
    assert office.say("/incident undo") == ("Taken back: Resolved · 12:30 UTC · INC-1 #2\nINC-1 is open again.")
    assert incident(office).open
    office.say("/resolved freed")
    clock.set(at("2026-03-12T12:40:00Z"))
    office.say("/reopened no")
    assert "INC-1 is resolved. Its postmortem is being drafted." in office.say("/incident undo")
    assert not incident(office).open
    office.deliver()
    assert len(office.drafts) == 3
    assert problems(office) == []


def test_moving_a_resolution_before_a_reopening_opens_the_incident(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/resolved freed")
    clock.set(at("2026-03-12T12:40:00Z"))
    office.say("/reopened no")
    clock.set(at("2026-03-12T12:50:00Z"))
    office.say("/resolved yes")
    assert "INC-1 is open again." in office.say("/incident edit 4 at 12:35")
    assert "INC-1 is resolved." in office.say("/incident edit 4 at 12:45 yes, really")
    assert not incident(office).open
    assert items(office) == []


def test_a_reopening_from_before_the_resolution_says_that_nothing_opened(resolved: Workplace) -> None:
    text = resolved.say("/reopened at 12:10 came back")
    assert "INC-1 stays resolved: it was resolved after that. If it is back now: /reopened" in text
    assert not incident(resolved).open
