"""When an incident happened, and the changes of its facts as entries of its timeline.

Rows from before know the changes alone: the value that the first one of them replaced is not on record.
"""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_FACTS = "('severity', 'lead', 'title', 'private')"
_PEOPLE = {"sqlite": "json_object({name}, {id})", "postgresql": "json_build_object({name}, {id})"}
_LEAD_ID = """(
    SELECT min(of_id.value) FROM incident_changes of_id WHERE of_id.incident_id = c.incident_id
    AND of_id.field = 'lead_id' AND of_id.changed_at = c.changed_at AND of_id.changed_by = c.changed_by
)"""
# A title that followed the words of an entry was changed at the instant of that entry's revision.
_CHANGES = f"""
    SELECT c.*, {_LEAD_ID} AS lead_id, lag(c.value) OVER (PARTITION BY c.incident_id, c.field ORDER BY c.id) AS was
    FROM incident_changes c WHERE c.field IN {_FACTS} AND c.value IS NOT NULL AND NOT (
        c.field = 'title' AND EXISTS (
            SELECT 1 FROM entry_revisions r JOIN timeline_entries e ON e.id = r.entry_id
            WHERE e.incident_id = c.incident_id AND r.revised_at = c.changed_at
        )
    )
"""  # noqa: S608 - no input
_ENTRIES = """
    INSERT INTO timeline_entries (incident_id, number, kind, occurred_at, recorded_at, author, author_id,
        recorded_by_id, text, source, people)
    SELECT x.incident_id, i.last_entry_number + row_number() OVER (PARTITION BY x.incident_id ORDER BY x.id),
        x.field, x.changed_at, x.changed_at, coalesce(m.name, x.changed_by), x.changed_by, x.changed_by,
        CASE WHEN x.field = 'lead' THEN '@' || x.value
            WHEN x.field = 'private' AND x.value = 'True' THEN 'in its own channel only'
            WHEN x.field = 'private' THEN 'everywhere' ELSE x.value END,
        'unknown', CASE WHEN x.field = 'lead' AND x.lead_id IS NOT NULL THEN {people} END
    FROM ({changes}) x JOIN incidents i ON i.id = x.incident_id
    LEFT JOIN members m ON m.workspace_id = i.workspace_id AND m.user_id = x.changed_by
    WHERE x.was IS NULL OR x.was <> x.value
"""
_NUMBERS = """
    UPDATE incidents SET last_entry_number = (SELECT max(number) FROM timeline_entries WHERE incident_id = incidents.id)
    WHERE id IN (SELECT incident_id FROM timeline_entries WHERE source = 'unknown')
"""
_FIRST = """
    UPDATE incidents SET first_{field} = {field} WHERE NOT EXISTS (
        SELECT 1 FROM timeline_entries e WHERE e.incident_id = incidents.id AND e.kind = '{field}'
    )
"""
_HIGHEST = """
    UPDATE incidents SET highest_severity = (
        SELECT min(v.severity) FROM (
            SELECT incidents.severity AS severity
            UNION ALL SELECT e.text FROM timeline_entries e WHERE e.incident_id = incidents.id AND e.kind = 'severity'
        ) v
    )
"""
_AT = "coalesce(r.occurred_at, e.occurred_at)"
_STANDING = """
    FROM timeline_entries e LEFT JOIN entry_revisions r ON r.entry_id = e.id
        AND r.number = (SELECT max(number) FROM entry_revisions WHERE entry_id = e.id)
    WHERE e.incident_id = incidents.id AND NOT coalesce(r.retracted, false)
"""
_RESOLVED = f"SELECT max({_AT}) {_STANDING} AND e.kind = 'resolved'"
_HAPPENED = f"""
    UPDATE incidents SET happened_at = coalesce(
        (SELECT min({_AT}) {_STANDING} AND e.kind = 'started'),
        (SELECT min({_AT}) {_STANDING} AND e.kind IN ('detected', 'impact')
            AND {_AT} <= coalesce(({_RESOLVED}), {_AT})),
        (SELECT min(v.happened_at) FROM (
            SELECT incidents.declared_at AS happened_at
            UNION ALL SELECT {_AT} {_STANDING} AND e.kind NOT IN {_FACTS}
        ) v)
    )
"""  # noqa: S608 - no input


def upgrade() -> None:
    """Go forward."""
    op.add_column("incidents", sa.Column("first_title", sa.Text()))
    op.add_column("incidents", sa.Column("first_severity", sa.String(length=8)))
    op.add_column("incidents", sa.Column("highest_severity", sa.String(length=8)))
    op.add_column("incidents", sa.Column("happened_at", Instant()))
    people = _PEOPLE[op.get_bind().dialect.name].format(name="x.value", id="x.lead_id")
    op.execute(_ENTRIES.format(people=people, changes=_CHANGES))
    op.execute(_NUMBERS)
    for field in ("severity", "title"):
        op.execute(_FIRST.format(field=field))
    op.execute(_HIGHEST)
    op.execute(_HAPPENED)
    op.create_index(op.f("ix_incidents_workspace_id_happened_at"), "incidents", ["workspace_id", "happened_at"])


def downgrade() -> None:
    """Go back. The changes stay in `incident_changes` alone, without the time that was typed for them."""
    facts = f"SELECT id FROM timeline_entries WHERE kind IN {_FACTS}"  # noqa: S608 - no input
    op.execute(f"DELETE FROM entry_revisions WHERE entry_id IN ({facts})")  # noqa: S608
    op.execute(f"DELETE FROM timeline_entries WHERE kind IN {_FACTS}")  # noqa: S608
    op.drop_index(op.f("ix_incidents_workspace_id_happened_at"), table_name="incidents")
    for column in ("happened_at", "highest_severity", "first_severity", "first_title"):
        op.drop_column("incidents", column)
