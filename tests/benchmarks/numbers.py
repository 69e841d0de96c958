"""The report over 10,000 incidents: from the store to words and picture, beside a bare query for the same rows."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert

from bot.documents.picture.png import png
from bot.documents.rendering import slack
from bot.domain.report.report import Report
from bot.fakeslack.objects import TEAM_ID
from bot.handlers.report.reports import FORMATS, requested_report
from storage import incidents, schema
from storage.database import Database
from storage.models import action_item_revisions, action_items, incident_figures, timeline_entries
from storage.models import incidents as incident_rows
from tests.benchmarks.draft import Stopwatch
from tests.benchmarks.effort import Effort
from tests.benchmarks.report import heading, say, table
from tests.benchmarks.seed import BEGIN

INCIDENTS = 10_000
ZONE = ZoneInfo("Europe/Berlin")
STEPS = ("started", "detected", "acknowledged", "mitigated", "resolved", "note", "note", "note")
END = BEGIN + timedelta(days=300)
BARE = """
SELECT e.incident_id, e.number, e.kind, coalesce(r.occurred_at, e.occurred_at) FROM timeline_entries e
JOIN incidents i ON i.id = e.incident_id LEFT JOIN entry_revisions r ON r.entry_id = e.id
AND r.number = (SELECT max(number) FROM entry_revisions WHERE entry_id = e.id)
WHERE i.workspace_id = ? AND e.kind <> 'note' AND NOT coalesce(r.retracted, 0)
"""


def measure(effort: Effort) -> None:
    """Print the median of each part. The number of incidents stays as it is, however short the effort."""
    watch = Stopwatch()
    with TemporaryDirectory(prefix="scribe-benchmark-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'scribe.db'}")
        schema.migrate(database)
        seed_incidents(database)
        for _ in range(effort.rounds):
            _round(watch, database)
        database.close()
    heading(f"The report over {INCIDENTS:,} incidents (aim: under 0.5 s of CPU time)")
    table(
        ("", "median", "worst"), [(name, f"{median(s):.3f} s", f"{max(s):.3f} s") for name, s in watch.taken_s.items()]
    )
    counted, bare = (
        median(watch.taken_s[name]) for name in ("with what was kept", "the bare query for the milestones")
    )
    say(f"with what was kept it takes {counted / bare:.1f} times the bare query")


def _round(watch: Stopwatch, database: Database) -> None:
    def bare() -> list[Any]:
        with database.read() as connection:
            return list(connection.exec_driver_sql(BARE, (TEAM_ID,)))

    def counted() -> Report:
        content = {"asked_at": END.isoformat(), "words": "1y", "zone": ZONE.key, "channel": ""}
        return requested_report(database, TEAM_ID, content)

    with database.write() as connection:
        connection.execute(delete(incident_figures))
    rows = watch.time("the bare query for the milestones", bare)
    watch.time("counted, and what is over kept", counted)
    report = watch.time("with what was kept", counted)
    assert len(rows) == 5 * INCIDENTS, "milestones are missing"
    assert sum(spread.known for spread in report.spreads) == 5 * INCIDENTS, "times are missing"
    watch.time("its words", lambda: slack("report", report=report, shown=6))
    drawing = watch.time("its picture", lambda: FORMATS["svg"](report))
    watch.time("  as PNG", lambda: png(drawing))


def seed_incidents(database: Database, count: int = INCIDENTS) -> None:
    """So many resolved incidents, 40 minutes apart, each with its entries and an action item."""
    numbers = range(1, count + 1)
    with database.write() as connection:
        incidents.lock_workspace(connection, TEAM_ID)
        connection.execute(insert(incident_rows), [_incident(number) for number in numbers])
        connection.execute(insert(timeline_entries), [row for number in numbers for row in _entries(number)])
        connection.execute(insert(action_items), [_item(number) for number in numbers])
        connection.execute(insert(action_item_revisions), [_revision(number) for number in numbers])


def _at(number: int) -> Any:
    return BEGIN + timedelta(minutes=40 * number)


def _incident(number: int) -> dict[str, Any]:
    return {
        "id": number, "workspace_id": TEAM_ID, "number": number, "channel_id": f"C{number}", "channel_name": "incident",
        "title": "Checkout times out", "severity": f"SEV{number % 4 + 1}", "lead": None, "lead_id": None,
        "declared_at": _at(number), "happened_at": _at(number), "declared_by": "alice",
        "timezone": "Europe/Berlin", "private": False, "open": False,
        "last_entry_number": len(STEPS), "last_item_number": 1,
    }  # fmt: skip


def _entries(number: int) -> Iterator[dict[str, Any]]:
    for place, kind in enumerate(STEPS, 1):
        at = _at(number) + timedelta(seconds=place * (17 + number % 997))
        yield {
            "incident_id": number, "number": place, "kind": kind, "occurred_at": at, "recorded_at": at,
            "author": "alice", "author_id": "U0ALICE", "recorded_by_id": "U0ALICE", "text": "p99 over 5 s",
            "qualifier": None, "source": "slash", "permalink": None,
        }  # fmt: skip


def _item(number: int) -> dict[str, Any]:
    facts = {"incident_id": number, "number": 1, "text": "alert before it is full", "kind": None}
    return {"id": number, **facts, "recorded_at": _at(number), "recorded_by_id": "U0ALICE"}


def _revision(number: int) -> dict[str, Any]:
    done = number % 2 == 0
    return {
        "item_id": number, "number": 1, "owner": "database-team", "owner_id": None,
        "due_on": _at(number).date() + timedelta(days=number % 30), "state": "done" if done else "open",
        "snoozed_until": None, "reason": None, "revised_at": _at(number) + timedelta(days=9),
        "revised_by_id": "U0ALICE",
    }  # fmt: skip
