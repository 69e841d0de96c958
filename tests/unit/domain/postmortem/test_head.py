"""The head of a postmortem: a row for each thing that is known, and none for what nobody said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.incident.lifecycle import lifecycle
from bot.domain.postmortem.head import Head, head
from storage.values import Incident, Postmortem, Review, TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
INCIDENT = replace(casebook.incident(casebook.load(casebook.NAMES[0])), severity="SEV2", timezone="UTC")
VERSION = Postmortem(template="classic", version=3, sections=(), drafted_at=NOON + timedelta(days=1), drafted_by="al")


def told(number: int, kind: str, minutes: int, text: str = "", who: str = "alice", **other: object) -> TimelineEntry:
    return entry(number, kind, NOON + timedelta(minutes=minutes), text, author=who, **other)


def head_of(entries: list[TimelineEntry], incident: Incident = INCIDENT, **other: object) -> Head:
    return head(incident, entries, lifecycle(entries), **other)  # type: ignore[arg-type]


def rows(made: Head) -> dict[str, str]:
    return {row.label: row.text for row in made.rows}


def test_an_incident_of_which_little_is_known_has_few_rows() -> None:
    made = head_of([], replace(INCIDENT, severity=None, channel_name="", declared_at=NOON))
    assert rows(made) == {"Incident": "INC-1", "Date": "Monday 2 March 2026"}
    assert made.figures == ()


def test_every_row_tells_what_was_recorded() -> None:
    entries = [
        told(1, "started", 0),
        told(2, "detected", 4, qualifier="monitoring"),
        told(3, "acknowledged", 5, "on it", who="bob"),
        told(4, "escalated", 6, "the database team\nand more", who="bob"),
        told(5, "note", 7, "systems: db1, the queue", who="carol"),
        told(6, "note", 8, "comms: @carol, scribe is bob"),
        told(7, "note", 9, "dave as incident commander, no scribe needed", who="dave"),
        told(8, "impact", 10, "about 20% of users saw errors, 1,200 orders failed"),
        told(9, "mitigated", 20),
        told(10, "resolved", 31),
        told(11, "note", 40, "who: nobody", who="erin", author_id="B0123ABCD"),
        told(12, "note", 41, "taken back", who="zoe", retracted=True),
    ]
    made = head_of(entries, postmortem=VERSION)
    assert rows(made) == {
        "Incident": "INC-1",
        "Date": "Monday 2 March 2026, 12:00 to 12:31 UTC",
        "Duration": "31 min",
        "Severity": "SEV2",
        "Status": "draft, version 3",
        "Responders": "alice, bob (scribe, acknowledged it), carol (communications), dave (incident commander)",
        "Escalated": "the database team",
        "Affected systems": "db1, the queue",
        "Detected by": "monitoring",
        "Channel": "#incident",
    }
    assert [(each.label, each.text) for each in made.figures] == [
        ("Time to detect", "4 min"),
        ("Time to acknowledge", "1 min"),
        ("Time to mitigate", "20 min"),
        ("Time to resolve", "31 min"),
        ("Share affected", "about 20% of users"),
        ("Customers", "1,200 orders"),
    ]
    assert made.brief == "SEV2 · 31 min · Monday 2 March 2026, 12:00 to 12:31 UTC · draft, version 3"


@pytest.mark.parametrize(
    "text",
    [
        "the ops team restarted it",
        "comms was quiet",
        "bob restarted the scribe",
        "on call alerts for bob",
        "Who is the IC?",
    ],
)
def test_no_role_is_given_that_nobody_said(text: str) -> None:
    made = head_of([told(1, "detected", 0), told(2, "note", 1, text, who="bob")])
    assert rows(made)["Responders"] == "alice, bob"


def test_who_acknowledges_for_somebody_else_did_not_take_it() -> None:
    made = head_of([told(1, "note", 0, who="bob"), told(2, "acknowledged", 1, "bob is on it")])
    assert rows(made)["Responders"] == "bob, alice"


def test_two_rounds_are_told_without_the_quiet_time_between() -> None:
    entries = [told(1, "started", 0), told(2, "resolved", 20), told(3, "reopened", 60), told(4, "resolved", 90)]
    assert rows(head_of(entries))["Duration"] == "50 min of trouble in two rounds (20 min, 30 min)"
    assert rows(head_of(entries[:3]))["Duration"] == "not over yet"
    assert rows(head_of(entries[:1]))["Date"] == "Monday 2 March 2026, from 12:00 UTC"


def test_changes_of_severity_and_lead_have_their_times() -> None:
    changed = replace(INCIDENT, severity="SEV3", highest_severity="SEV1", first_severity="SEV2", declared_at=NOON)
    entries = [
        told(1, "detected", 0),
        told(2, "severity", 10, "SEV1"),
        told(3, "severity", 50, "SEV3"),
        told(4, "lead", 5, "alice"),
        told(5, "lead", 30, "bob"),
        told(6, "resolved", 60),
    ]
    made = rows(head_of(entries, changed))
    assert made["Severity"] == "SEV1, now SEV3 (SEV2 at 12:00, SEV1 from 12:10, SEV3 from 12:50 UTC)"
    assert made["Lead"] == "alice 12:05\u201312:30 UTC, then bob"
    assert rows(head_of([told(1, "detected", 0), told(2, "lead", 0, "alice")]))["Lead"] == "alice"
    assert rows(head_of([], replace(INCIDENT, lead="carol")))["Lead"] == "carol"


def test_the_status_is_that_of_the_version_that_is_read() -> None:
    held = Review(
        sequence=1, starts_at=NOON, duration_s=1800, timezone="UTC", cancelled=False, people=(), planned_at=NOON,
        planned_by_id="U1",
    )  # fmt: skip
    assert rows(head_of([], postmortem=VERSION, review=held))["Status"] == "reviewed, version 3"
    ahead = replace(held, starts_at=NOON + timedelta(days=2))
    for review in (ahead, replace(held, cancelled=True)):
        assert rows(head_of([], postmortem=VERSION, review=review))["Status"] == "draft, version 3"
    assert rows(head_of([], postmortem=VERSION, review=held, published=3))["Status"] == "published, version 3"
    assert rows(head_of([], postmortem=VERSION, published=2))["Status"] == "draft, version 3"


def test_a_detection_before_the_impact_is_told_as_one() -> None:
    entries = [told(1, "detected", 0), told(2, "impact", 180, "uploads fail"), told(3, "resolved", 200)]
    made = head_of(entries)
    assert made.figures[0].text == "3 h before the impact"
    assert rows(made)["Duration"] == "20 min"
