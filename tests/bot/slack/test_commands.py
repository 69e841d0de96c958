"""Slash commands, typed as a responder types them, through real Bolt."""

from bot.clock import SetClock
from storage.database import Database
from tests.workplace import Workplace, at, workplace


def test_a_detection_declares_an_incident_and_the_receipt_is_the_ack(office: Workplace) -> None:
    text = office.say("/detected at 11:52 by monitoring: p99 over 5 s")
    assert text.startswith("Detected · 11:52 UTC · INC-1 #1 · by monitoring · late entry")
    assert "p99 over 5 s" in text
    assert "INC-1 is declared" in text


def test_the_receipt_tells_the_time_in_the_typists_zone(office: Workplace) -> None:
    office.say("/detected disk full")
    assert office.say("/did at 4:50 freed space", user=office.bob).startswith(
        "Did · 11:50 UTC (04:50 in Los Angeles) · INC-1 #2 · late entry"
    )


def test_both_transports_serve_the_same_commands(sqlite: Database, clock: SetClock, transport: str) -> None:
    with workplace(sqlite, clock=clock, transport=transport) as office:
        assert office.say("/detected disk full").startswith("Detected · 12:00 UTC · INC-1 #1\n")
        clock.set(at("2026-03-12T12:30:00Z"))
        assert "is resolved" in office.say("/resolved freed")
        office.deliver()
        assert [file.name for file in office.slack.files] == ["INC-1-postmortem-v1.md"]
