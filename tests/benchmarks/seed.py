"""Incidents with a long past, written straight into the store."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, insert, update

from bot.fakeslack.objects import TEAM_ID
from storage import incidents
from storage.items import action_items
from storage.models import incidents as incidents_table
from storage.models import timeline_entries
from storage.values import Incident

BEGIN = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
_TEXTS = {
    "did": "restarted `db1`; connections went from 480 to 12, see https://grafana.example/d/a_b?from=1&to=2",
    "investigating": "whether the *new* pool size (10 -> 50) is what makes checkout time out for ~5% of people",
    "ruledout": "not the deploy: it was rolled back at 09:14 and p99 stayed over 5 s",
    "impact": "5% of checkouts fail, about 1,200 orders an hour",
    "note": "support counts 31 tickets, most from the app",
}


def incident(connection: Connection, channel: str, entries: int, *, items: int = 0) -> Incident:
    """An open incident in the channel with so many entries, a minute apart, and action items."""
    incidents.lock_workspace(connection, TEAM_ID)
    declared = incidents.declare(
        connection,
        workspace_id=TEAM_ID,
        number=incidents.next_number(connection, TEAM_ID),
        channel_id=channel,
        channel_name="incident",
        title="Checkout times out",
        severity="SEV1",
        lead=None,
        lead_id=None,
        declared_at=BEGIN,
        declared_by="alice",
        timezone="Europe/Berlin",
        private=False,
    )
    connection.execute(insert(timeline_entries), [_entry(declared.id, n) for n in range(1, entries + 1)])
    count = update(incidents_table).where(incidents_table.c.id == declared.id)
    connection.execute(count.values(last_entry_number=entries))
    for number in range(items):
        _item(connection, declared.id, number)
    return declared


def more(connection: Connection, incident_id: int, after: int) -> None:
    """Ten more entries, the last of them a minute and more after the others."""
    connection.execute(insert(timeline_entries), [_entry(incident_id, after + n) for n in range(1, 11)])


def _entry(incident_id: int, number: int) -> dict[str, object]:
    kind = "detected" if number == 1 else list(_TEXTS)[number % len(_TEXTS)]
    at = BEGIN + timedelta(minutes=number)
    return {
        "incident_id": incident_id,
        "number": number,
        "kind": kind,
        "occurred_at": at,
        "recorded_at": at + timedelta(seconds=90 * (number % 7 == 0)),
        "author": ("alice", "bob", "carol")[number % 3],
        "author_id": "U0ALICE",
        "recorded_by_id": "U0ALICE",
        "text": _TEXTS.get(kind, "p99 of checkout over 5 s"),
        "qualifier": "monitoring" if kind == "detected" else None,
        "source": "slash",
        "permalink": f"https://playground.slack.com/archives/C1/p{number}" if number % 5 == 0 else None,
    }


def _item(connection: Connection, incident_id: int, number: int) -> None:
    action_items.add(
        connection,
        incident_id,
        text=f"alert on pool saturation before it is full, {number}",
        kind=("short-term", "long-term")[number % 2],
        owner="alice",
        owner_id=None,
        due_on=None,
        by="U0ALICE",
        at=BEGIN,
    )
