"""Open action items by the thousand, with their reminders, written straight into the store."""

from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, text

from bot.fakeslack.objects import TEAM_ID
from storage.dialects import Instant

AT = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)
"""A Thursday at noon, when people in UTC work. What is due is due since then."""
_FAR = datetime(2027, 3, 12, 9, 0, tzinfo=UTC)
_ROWS = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :items)"
_SEED = (
    "INSERT INTO workspaces (id, last_incident_number) VALUES (:team, :items)",
    """INSERT INTO incidents (workspace_id, number, channel_id, channel_name, title, severity, lead, lead_id,
            declared_at, declared_by, timezone, private, open, last_entry_number, last_item_number)
        {rows} SELECT :team, n, 'C' || n, 'incident', 'Checkout times out', 'SEV1', 'alice', 'U0', :at, 'alice', 'UTC',
            {false}, {false}, 0, 20 FROM n WHERE n <= :items / 20 + 1""",
    """INSERT INTO action_items (incident_id, number, text, kind, recorded_at, recorded_by_id)
        {rows} SELECT (n - 1) / 20 + 1, (n - 1) % 20 + 1, 'alert on pool saturation before it is full', 'short-term',
            :at, 'U0' FROM n""",
    """INSERT INTO action_item_revisions (item_id, number, owner, owner_id, due_on, state, revised_at, revised_by_id)
        SELECT id, 1, 'owner', 'U' || (id % :owners),
            CASE WHEN id % :step = 0 THEN {today} ELSE {later} END, 'open', :at, 'U0' FROM action_items""",
    """INSERT INTO reminders (workspace_id, recipient_id, incident_id, item_id, kind, since_at, due_at)
        SELECT :team, 'U' || (id % :owners), incident_id, id, 'item', :at,
            CASE WHEN id % :step = 0 THEN :at ELSE :far END FROM action_items""",
    """INSERT INTO reminders (workspace_id, recipient_id, incident_id, item_id, kind, since_at, due_at)
        SELECT :team, 'C' || incident_id, incident_id, id, 'escalation', :at, :far FROM action_items""",
    """INSERT INTO agendas (workspace_id, recipient_id, due_at)
        SELECT workspace_id, recipient_id, min(due_at) FROM reminders GROUP BY workspace_id, recipient_id""",
)
_SAID = {
    "sqlite": {"rows": _ROWS, "false": "0", "today": "'2026-03-12'", "later": "'2027-03-12'"},
    "postgresql": {"rows": _ROWS, "false": "false", "today": "date '2026-03-12'", "later": "date '2027-03-12'"},
}


def seed(connection: Connection, items: int, *, owners: int, due: int) -> None:
    """So many open items of the owners U0, U1, …; `due` of them are due at AT, the others next year."""
    asked = {"team": TEAM_ID, "items": items, "owners": owners, "step": items // due, "at": AT, "far": _FAR}
    for statement in _SEED:
        worded = statement.format(**_SAID[connection.dialect.name])
        wanted = {name: value for name, value in asked.items() if f":{name}" in worded}
        instants = [bindparam(name, type_=Instant) for name in ("at", "far") if name in wanted]
        connection.execute(text(worded).bindparams(*instants), wanted)
