"""Times as people write them, through Bolt: approximate ones and ranges are kept as such, shown, and corrected."""

import json

import pytest

from bot.clock import SetClock
from bot.documents.export import FORMATS
from bot.documents.templates import TemplateCatalog
from bot.handlers.postmortem.audiences import AudienceOptions, render_for
from bot.handlers.postmortem.exports import read_by_name
from tests.support.ledger import entries
from tests.support.workplace import Workplace, at


@pytest.fixture(autouse=True)
def declared(office: Workplace, clock: SetClock) -> None:
    """INC-1 is open, at 12:00 UTC; the typists are in UTC."""
    clock.set(at("2026-03-12T12:00:00Z"))
    office.say("/incident open SEV2 Checkout fails")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("/note 10 minutes ago disk full", "Note · 11:50 UTC · INC-1 #1 · late entry\ndisk full"),
        ("/note half an hour ago: disk full", "Note · 11:30 UTC · INC-1 #1 · late entry\ndisk full"),
        ("/note at 1130 disk full", "Note · 11:30 UTC · INC-1 #1"),
        ("/note 11h30 disk full", "Note · 11:30 UTC · INC-1 #1"),
        ("/note (11:30) disk full", "Note · 11:30 UTC · INC-1 #1"),
        ("/note 12 Mar 11:30 disk full", "Note · 11:30 UTC · INC-1 #1"),
        ("/note Mar 12 11:30:12 db1 kernel: oom", "Note · 11:30:12 UTC · INC-1 #1 · late entry\ndb1 kernel: oom"),
        ("/note now disk full", "Note · 12:00 UTC · INC-1 #1\ndisk full"),
        ("/note ~11:30 disk full", "Note · about 11:30 UTC · INC-1 #1 · late entry\ndisk full"),
        ("/note a few minutes ago disk full", "Note · about 11:57 UTC · INC-1 #1"),
        ("/impact 11:30-11:45 disk full", "Impact · 11:30 to 11:45 UTC · INC-1 #1 · late entry\ndisk full"),
        ("/impact between ~11:30 and 11:45: disk full", "Impact · about 11:30 to 11:45 UTC · INC-1 #1"),
        ("/impact 23:50-00:10 disk full", "Impact · 11 Mar 23:50 to 12 Mar 00:10 UTC · INC-1 #1"),
        ("/impact 11:30->11:45 disk full", "Impact \u00b7 11:30 to 11:45 UTC \u00b7 INC-1 #1"),
        ("/impact 2026-03-12T11:30Z/2026-03-12T11:45Z x", "Impact \u00b7 11:30 to 11:45 UTC \u00b7 INC-1 #1"),
        ("/note at 11:50 second replica died", "Note \u00b7 11:50 UTC \u00b7 INC-1 #1 \u00b7 late entry\nsecond"),
        ("/note at 9 restarted db1", "Note \u00b7 09:00 UTC \u00b7 INC-1 #1 \u00b7 late entry\nrestarted db1"),
        ("/note 1530 errors", "Note · 12:00 UTC · INC-1 #1\n1530 errors"),
        ("/note 3 pods down", "Note · 12:00 UTC · INC-1 #1\n3 pods down"),
    ],
)
def test_a_receipt_says_how_the_time_was_understood(office: Workplace, typed: str, shown: str) -> None:
    assert office.say(typed).startswith(shown)


def test_what_is_announced_as_a_time_and_is_none_is_refused_with_the_words(office: Workplace) -> None:
    refusal = office.refused("/note at 25:99 disk full")
    assert "25:99 is no time of day" in refusal
    assert "disk full" in refusal
    assert entries(office) == []


def test_a_range_is_shown_on_both_clocks(office: Workplace) -> None:
    said = office.say("/impact around 4:30-4:45 disk full", user=office.bob)
    assert said.startswith("Impact · about 11:30 to 11:45 UTC (04:30 to 04:45 in Los Angeles)")


def test_the_timeline_the_status_and_the_draft_show_what_is_approximate_and_what_took_a_while(
    office: Workplace,
) -> None:
    office.say("/detected about 11:30 by monitoring: p99")
    office.say("/impact 11:31-11:45: 5% of carts")
    timeline = office.private("/timeline")
    assert "1. about 11:30 UTC · Detected · by monitoring: p99" in timeline
    assert "2. 11:31 to 11:45 UTC · Impact: 5% of carts" in timeline
    status = office.private("/incident status")
    assert "Detected: about 11:30 UTC" in status
    office.say("/resolved at 11:50 freed")
    assert "Resolved: 11:50 UTC" in office.private("/incident status")
    office.deliver()
    draft = FORMATS["md"](read_by_name(office.database, "INC-1"))
    assert "- **about 11:30** Detected by monitoring: p99" in draft
    assert "- **11:31 to 11:45** Impact: 5% of carts" in draft
    assert "about 11:30 UTC" in draft.partition("## Timeline")[0]


def test_every_rendering_shows_them(office: Workplace) -> None:
    office.say("/detected about 11:30 by monitoring: p99")
    office.say("/impact 11:31-11:45: 5% of carts")
    office.say("/resolved at 11:50 freed")
    office.deliver()
    record = read_by_name(office.database, "INC-1")
    html, svg = FORMATS["html"](record), FORMATS["svg"](record)
    assert "<strong>about 11:30</strong>" in html
    assert "<strong>11:31 to 11:45</strong>" in html
    assert "about 11:30" in svg
    assert "11:31\u201311:45" in svg
    told = json.loads(FORMATS["json"](record))["entries"]
    assert [(entry["approximate"], entry["until_at"]) for entry in told] == [
        (True, None), (False, "2026-03-12T11:45:00Z"), (False, None),
    ]  # fmt: skip
    options = AudienceOptions(names={}, catalog=TemplateCatalog())
    for audience in ("public", "blameless"):
        shown = "\n".join(each.body for each in render_for(record, audience, options).drafted.sections)
        assert "about 11:30" in shown
        assert "11:31 to 11:45" in shown


def test_a_range_begins_where_it_begins_for_every_duration(office: Workplace) -> None:
    office.say("/impact 11:30-11:45: 5% of carts")
    office.say("/detected at 11:40: p99")
    assert "Time to detect: 10 min" in office.private("/incident status")


@pytest.mark.parametrize(
    ("correction", "shown", "facts"),
    [
        ("other words", "about 11:30 to 11:45 UTC", (True, "11:45")),
        ("at 11:31", "11:31 UTC", (False, None)),
        ("~11:31", "about 11:31 UTC", (True, None)),
        ("11:31-11:50", "11:31 to 11:50 UTC", (False, "11:50")),
        ("by 11:31 nothing", "about 11:30 to 11:45 UTC", (True, "11:45")),
    ],
)
def test_a_correction_keeps_them_unless_it_gives_another_time(
    office: Workplace, correction: str, shown: str, facts: tuple[bool, str | None]
) -> None:
    office.say("/impact about 11:30-11:45: 5% of carts")
    said = office.say(f"/incident edit 1 {correction}")
    assert said.startswith(f"Corrected: Impact · {shown}")
    assert ("was about 11:30 to 11:45 UTC" in said) is (not shown.startswith("about 11:30"))
    entry = entries(office)[0]
    assert (entry.approximate, entry.until_at and f"{entry.until_at:%H:%M}") == facts
    # A revision of words only, after that of the time, has the time of that.
    office.say("/incident edit 1 once more")
    entry = entries(office)[0]
    assert (entry.approximate, entry.until_at and f"{entry.until_at:%H:%M}") == facts


def test_the_other_reading_of_a_range_takes_its_end_along(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-02-14T12:30:00Z"))
    office.say("/detected at 09:33 disk full")
    office.say("/resolved at 11:59 freed")
    clock.set(at("2026-02-15T12:00:00Z"))
    answer = office.ask("/note 10:46-10:50 the graph looked odd")
    assert "Note · 14 Feb 10:46 to 10:50 UTC" in answer.text
    office.slack.click(office.alice, answer, "retime")
    entry = entries(office)[-1]
    assert entry.until_at is not None
    assert f"{entry.occurred_at:%F %H:%M} {entry.until_at:%F %H:%M}" == "2026-02-15 10:46 2026-02-15 10:50"


def test_a_mention_in_a_thread_reads_the_same_times(office: Workplace) -> None:
    office.slack.say(office.alice, office.channel, "@scribe note between 11:30 and 11:45: disk full")
    assert "Note · 11:30 to 11:45 UTC" in office.messages()[-1].text


def test_entries_that_move_to_the_incident_they_belong_to_keep_them(office: Workplace, clock: SetClock) -> None:
    office.say("/detected at 11:20 p99")
    office.say("/resolved at 11:25 freed")
    clock.set(at("2026-03-12T12:30:00Z"))
    answer = office.ask("/detected p99 again")
    office.say("/impact about 12:05-12:10: 5% of carts")
    assert office.slack.click(office.alice, answer, "reopen").ok
    moved = next(entry for entry in entries(office) if entry.text == "5% of carts")
    assert moved.approximate
    assert moved.until_at == at("2026-03-12T12:10:00Z")
