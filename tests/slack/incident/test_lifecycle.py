"""The lifecycle: which entries a channel's latest incident accepts once it is resolved, reopened or a duplicate."""

import pytest

from bot.clock import SetClock
from tests.support.ledger import counts, entries, incident, incident_count, items, problems, standing
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


def test_any_other_kind_is_refused_with_what_to_do(resolved: Workplace) -> None:
    for kind in ("started", "acknowledged", "escalated", "investigating", "ruledout", "mitigated"):
        before = counts(resolved)
        assert resolved.refused(f"/{kind} the words") == (
            f"INC-1 is resolved, at 12:30 UTC. For something from before, give its time: /{kind} at 12:30 UTC: words. "
            f"If it came back: /reopened\nYour words: /{kind} the words"
        )
        assert counts(resolved) == before
        assert "late entry" in resolved.say(f"/{kind} at 12:30 UTC: the words")


def test_the_example_in_a_refusal_still_works_the_day_after(resolved: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-13T13:00:00Z"))
    assert "/mitigated at 2026-03-12 12:30 UTC: words" in resolved.refused("/mitigated it")
    assert "late entry" in resolved.say("/mitigated at 2026-03-12 12:30 UTC: it")


def test_a_second_resolution_is_refused_with_the_correction(resolved: Workplace) -> None:
    assert "To correct that time: /incident edit 2 at 12:30 UTC." in resolved.refused("/resolved freed more")
    assert resolved.say("/incident edit 2 at 12:30 UTC").startswith("Corrected: Resolved · 12:30 UTC")
    resolved.say("/incident undo")
    resolved.say("/resolved at 12:10 UTC")
    assert "/incident edit 3 at 12:10 UTC" in resolved.refused("/resolved once more")


def test_a_reopening_of_an_open_incident_is_refused(office: Workplace) -> None:
    office.say("/detected disk full")
    assert "INC-1 is open, so there is nothing to reopen." in office.refused("/reopened it is back")


def test_a_late_resolution_before_a_reopening_leaves_the_incident_open(resolved: Workplace, clock: SetClock) -> None:
    resolved.say("/reopened again")
    clock.set(at("2026-03-12T13:10:00Z"))
    assert "INC-1 stays open: it was reopened after that." in resolved.say("/resolved at 12:50 only for a while")
    assert incident(resolved).open


def test_a_detection_after_the_resolution_declares_a_new_incident_and_offers_the_old(resolved: Workplace) -> None:
    answer = resolved.ask("/detected full again")
    assert "INC-2 is declared" in answer.text
    assert "INC-1 in this channel is resolved: disk full" in answer.text
    assert answer.message
    buttons = [each["text"]["text"] for each in answer.message.blocks[-1]["elements"]]
    assert buttons == ["It is the same one: reopen INC-1"]


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
    assert office.say("/incident undo") == ("Taken back: Resolved · 12:30 UTC · INC-1 #2\nfreed\nINC-1 is open again.")
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
