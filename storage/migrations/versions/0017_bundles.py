"""The weekly bundle of a recipient; a reminder's own snooze, how often it was told, and what told it otherwise."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_PENDING = """
    SELECT r.item_id FROM action_item_revisions r
    WHERE r.state IN ('open', 'proposed')
    AND r.number = (SELECT max(l.number) FROM action_item_revisions l WHERE l.item_id = r.item_id)
"""
_UNDATED = """
    INSERT INTO reminders (workspace_id, recipient_id, incident_id, item_id, kind, since_at, due_at, times)
    SELECT i.workspace_id, coalesce(i.lead_id, i.channel_id), i.id, a.id, 'escalation', a.recorded_at, a.recorded_at, 0
    FROM action_items a
    JOIN incidents i ON i.id = a.incident_id
    JOIN action_item_revisions r ON r.item_id = a.id
    WHERE r.state = 'open' AND r.owner IS NOT NULL AND r.due_on IS NULL
    AND r.number = (SELECT max(l.number) FROM action_item_revisions l WHERE l.item_id = a.id)
    AND NOT EXISTS (SELECT 1 FROM reminders e WHERE e.item_id = a.id AND e.kind = 'escalation')
"""
# What was told for the last time by the former rules is looked at by the first tick, which knows the new ones.
_AGAIN = f"""
    UPDATE reminders SET due_at = since_at
    WHERE due_at IS NULL AND kind IN ('item', 'escalation') AND item_id IN ({_PENDING})
"""  # noqa: S608 - constants of this file
_MISSING = """
    INSERT INTO agendas (workspace_id, recipient_id)
    SELECT DISTINCT r.workspace_id, r.recipient_id FROM reminders r
    WHERE NOT EXISTS (
        SELECT 1 FROM agendas a WHERE a.workspace_id = r.workspace_id AND a.recipient_id = r.recipient_id
    )
"""
_EARLIEST = """
    UPDATE agendas SET due_at = (
        SELECT min(r.due_at) FROM reminders r
        WHERE r.workspace_id = agendas.workspace_id AND r.recipient_id = agendas.recipient_id
    )
    WHERE EXISTS (
        SELECT 1 FROM reminders r
        WHERE r.workspace_id = agendas.workspace_id AND r.recipient_id = agendas.recipient_id
    )
"""


def upgrade() -> None:
    """Go forward."""
    op.add_column("reminders", sa.Column("handed_on", sa.Date()))
    op.add_column("reminders", sa.Column("snoozed_until", sa.Date()))
    op.add_column("reminders", sa.Column("times", sa.Integer(), server_default="0", nullable=False))
    op.add_column("agendas", sa.Column("bundled_on", sa.Date()))
    op.add_column("agendas", sa.Column("closed_at", Instant()))
    op.execute("UPDATE agendas SET bundled_on = told_on")
    op.execute(_AGAIN)
    op.execute(_UNDATED)
    op.execute(_MISSING)
    op.execute(_EARLIEST)


def downgrade() -> None:
    """Go back."""
    op.drop_column("agendas", "closed_at")
    op.drop_column("agendas", "bundled_on")
    op.drop_column("reminders", "times")
    op.drop_column("reminders", "snoozed_until")
    op.drop_column("reminders", "handed_on")
