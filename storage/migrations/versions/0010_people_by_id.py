"""People by id: who declared an incident, who drafted a version, and who is meant by the names in people's words.

Rows from before keep the names alone. A declarer's id is filled in where an entry of the incident tells it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WITH_PEOPLE = ("timeline_entries", "entry_revisions", "action_items")
_DECLARERS = """
    UPDATE incidents SET declared_by_id = (
        SELECT min(e.author_id) FROM timeline_entries e
        WHERE e.incident_id = incidents.id AND e.author = incidents.declared_by AND e.author_id = e.recorded_by_id
        HAVING count(DISTINCT e.author_id) = 1
    )
"""


def upgrade() -> None:
    """Go forward."""
    op.add_column("incidents", sa.Column("declared_by_id", sa.String(length=64)))
    op.execute(_DECLARERS)
    op.add_column("postmortem_versions", sa.Column("drafted_by_id", sa.String(length=64)))
    op.add_column("postmortem_versions", sa.Column("names", sa.JSON()))
    for table in _WITH_PEOPLE:
        op.add_column(table, sa.Column("people", sa.JSON()))


def downgrade() -> None:
    """Go back."""
    for table in reversed(_WITH_PEOPLE):
        op.drop_column(table, "people")
    op.drop_column("postmortem_versions", "names")
    op.drop_column("postmortem_versions", "drafted_by_id")
    op.drop_column("incidents", "declared_by_id")
