"""Severity, lead, title and where it is shown: each change is an entry with its time."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SetClock
from bot.documents.export import FORMATS
from bot.handlers.postmortem.exports import read_by_name
from bot.handlers.postmortem.json_import import ImportTarget, import_json
from tests.support.ledger import entries, incident, standing
from tests.support.workplace import Workplace, at


def exported(office: Workplace, name: str = "INC-1") -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(FORMATS["json"](read_by_name(office.database, name)))["incident"]
    return facts


def severities(office: Workplace) -> list[tuple[str, str]]:
    """(clock, severity) of the export."""
    return [(each["at"][11:16], each["severity"]) for each in exported(office)["severity_changes"]]


def test_each_change_is_an_entry_with_its_time(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open SEV3 carts are empty")
    office.say("/detected by monitoring: carts are empty")
    clock.set(at("2026-03-12T12:31:00Z"))
    office.say("/incident severity SEV1", user=office.bob)
    office.say("/incident lead @carol")
    office.say("/incident title Carts and orders are empty")
    office.say("/incident private")
    assert standing(office)[1:] == [
        ("severity", "SEV1"), ("lead", "@carol"), ("title", "Carts and orders are empty"),
        ("private", "in its own channel only"),
    ]  # fmt: skip
    shown = office.private("/timeline")
    assert "2. 12:31 UTC · Severity: SEV1 (bob)" in shown
    assert "5. 12:31 UTC · Shown: in its own channel only (alice)" in shown
    assert severities(office) == [("12:00", "SEV3"), ("12:31", "SEV1")]
    assert exported(office)["leads"] == [{"name": "carol", "from": "2026-03-12T12:31:00Z", "until": None}]


def test_what_it_is_already_is_no_change(office: Workplace) -> None:
    office.say("/incident open SEV2 disk full")
    office.say("/incident lead @bob")
    before = standing(office)
    for typed in ("severity sev2", "lead @bob", "lead bob", "title disk full", "private off"):
        office.say(f"/incident {typed}")
    assert office.say("/incident severity SEV2") == "INC-1 · severity: SEV2 already, so nothing was changed."
    assert standing(office) == before == [("lead", "@bob")]


@pytest.mark.parametrize("typed", ["sev1 at 12:31", "at 12:31 sev1", "12:31 UTC: SEV-1", "SEV1 12:31", "1 -29m"])
def test_a_change_takes_a_time(office: Workplace, clock: SetClock, typed: str) -> None:
    office.say("/incident open SEV3 disk full")
    clock.set(at("2026-03-12T13:00:00Z"))
    told = office.say(f"/incident severity {typed}")
    assert told.startswith("INC-1 · severity: SEV1 (was SEV3) · #1, from 12:31 UTC")
    assert severities(office) == [("12:00", "SEV3"), ("12:31", "SEV1")]


def test_a_change_typed_late_leaves_the_later_one(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open SEV4 disk full")
    clock.set(at("2026-03-12T13:00:00Z"))
    office.say("/incident severity SEV3")
    told = office.say("/incident severity SEV1 at 12:31")
    assert told.splitlines() == [
        "INC-1 · severity: SEV1 (was SEV4) · #2, from 12:31 UTC", "It stands at SEV3 since 13:00 UTC; that stays.",
    ]  # fmt: skip
    assert severities(office) == [("12:00", "SEV4"), ("12:31", "SEV1"), ("13:00", "SEV3")]
    assert (incident(office).severity, incident(office).highest_severity) == ("SEV3", "SEV1")
    assert "INC-1 · open · SEV1, now SEV3 · disk full" in office.private("/incident list")
    assert "INC-1 · open · SEV1, now SEV3 · disk full" in office.private("/incident status")


def test_taking_a_change_back_restores_what_was_before(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open SEV3 disk full")
    for minute, typed in ((5, "severity SEV1"), (6, "lead @bob"), (7, "lead @carol"), (8, "title disks are full")):
        clock.set(at(f"2026-03-12T12:{minute:02}:00Z"))
        office.say(f"/incident {typed}")
    assert office.say("/incident undo") == "Taken back: Title · 12:08 UTC · INC-1 #4\nTitle now: disk full"
    assert office.say("/incident undo 3").endswith("Lead now: bob")
    assert incident(office).lead_id == office.bob
    assert office.say("/incident undo 1").endswith("Severity now: SEV3")
    assert (incident(office).highest_severity, incident(office).title) == ("SEV3", "disk full")
    assert office.say("/incident undo 2").endswith("Lead now: unknown")
    assert severities(office) == [("12:00", "SEV3")]


def test_a_change_is_corrected_as_any_entry_is(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open SEV4 disk full")
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/incident severity SEV1")
    office.say("/incident lead @bob")
    assert "Severity now: SEV2" in office.say("/incident edit 1 sev2")
    office.say("/incident edit 1 SEV3 at 12:10")
    assert severities(office) == [("12:00", "SEV4"), ("12:10", "SEV3")]
    assert incident(office).highest_severity == "SEV3"
    office.say("/incident edit 2 @carol")
    assert (incident(office).lead, incident(office).lead_id) == ("carol", office.carol)
    assert "is no severity" in office.refused("/incident edit 1 quite bad")
    office.say("/incident severity SEV2 at 12:20")
    office.say("/incident edit 3 at 12:05")
    assert incident(office).severity == "SEV3", "the later one is in effect"


def test_where_it_is_shown_is_decided_anew_and_not_taken_back(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/incident private")
    for typed in ("undo", "undo 2", "edit 2 everywhere", "edit 2 at 11:00"):
        assert "To change that: /incident private off" in office.refused(f"/incident {typed}")
    assert incident(office).private
    office.say("/incident private off")
    assert [words for kind, words in standing(office) if kind == "private"] == ["in its own channel only", "everywhere"]


def test_the_policy_holds_for_the_correction_of_a_change(office: Workplace) -> None:
    settings = office.bot.context.settings
    assert settings.policy["undo"] == "responders"
    office.say("/incident open SEV3 disk full")
    office.say("/incident severity SEV1")
    assert "that is for its responders" in office.refused("/incident undo 1", user=office.carol)


def test_a_title_set_by_hand_stays_when_the_words_it_came_from_change(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/incident title Checkout is down")
    assert "Title" not in office.say("/incident edit 1 disks are full")
    assert incident(office).title == "Checkout is down"
    assert office.say("/incident undo 2").endswith("Title now: disks are full")
    assert "Title, as it followed these words: db1 is full" in office.say("/incident edit 1 db1 is full")


def test_an_erased_title_falls_back(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/incident title the customer Acme is down")
    asked = office.ask("/incident erase 2 it names a customer")
    office.slack.click(office.alice, asked, "erase")
    assert "Acme" not in office.private("/timeline")
    assert "Acme" not in office.private("/incident status")
    assert incident(office).title == "disk full"
    office.say("/incident lead @bob")
    office.say("/incident lead @carol")
    asked = office.ask("/incident erase 4 it was a slip")
    office.slack.click(office.alice, asked, "erase")
    assert incident(office).lead == "bob"


def test_the_changes_of_a_merged_incident_are_notes_of_the_other(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open SEV3 disk full")
    mails = office.slack.add_channel("mails")
    office.say("/incident open SEV4 mails are late", channel=mails)
    office.say("/incident severity SEV1", channel=mails)
    clock.set(at("2026-03-12T12:10:00Z"))
    office.say("/incident merge INC-2")
    assert standing(office) == [("note", "INC-2, severity: SEV1")]
    assert (incident(office).severity, incident(office).highest_severity) == ("SEV3", "SEV3")


def test_a_private_incident_that_is_the_same_makes_the_other_private(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    office.say("/resolved freed")
    clock.set(at("2026-03-12T12:10:00Z"))
    answer = office.ask("/detected full again")
    office.say("/incident severity SEV1")
    office.say("/incident private")
    office.slack.click(office.alice, answer, "reopen")
    office.deliver()
    assert (incident(office).private, incident(office).severity) == (True, "SEV1")


def test_the_draft_names_severities_and_leads_with_their_hours(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open SEV3 disk full")
    office.say("/detected disk full")
    office.say("/incident lead @bob")
    clock.set(at("2026-03-12T12:31:00Z"))
    office.say("/incident severity SEV1")
    office.say("/incident lead @carol")
    clock.set(at("2026-03-12T13:00:00Z"))
    office.say("/resolved freed")
    office.deliver()
    shown = office.ask("/postmortem show").body["blocks"][-1]["text"]
    assert "Severity: SEV1 — alice" in shown
    assert "Led by bob from 12:00 UTC to 12:31 UTC, carol from 12:31 UTC." in shown
    public = office.ask("/postmortem show public").text + str(office.ask("/postmortem show public").body)
    assert "carol" not in public
    blameless = str(office.ask("/postmortem show blameless").body)
    assert "carol" not in blameless
    assert "the lead from 12:31 UTC" in blameless


def test_an_export_with_changes_is_imported_as_it_was(office: Workplace, clock: SetClock, tmp_path: Path) -> None:
    office.say("/incident open SEV3 disk full")
    office.say("/incident lead @bob")
    clock.set(at("2026-03-12T12:31:00Z"))
    office.say("/incident severity SEV1")
    office.say("/incident title disks are full")
    office.say("/resolved freed")
    written = FORMATS["json"](read_by_name(office.database, "INC-1"))
    path = tmp_path / "INC-7.json"
    path.write_text(written.replace('"INC-1"', '"INC-7"'), encoding="utf-8")
    target = ImportTarget(workspace_id=office.slack.team_id, timezone="UTC")
    imported = import_json(office.database, path, target, at=clock())
    assert (imported.severity, imported.first_severity, imported.highest_severity) == ("SEV1", "SEV3", "SEV1")
    assert imported.lead == "bob"
    assert len(entries(office, 7)) == len(entries(office))
