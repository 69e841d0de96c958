"""Reminders of action items; an item's ticket, priority and test of being done; members who can own nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NO_ITEM = sa.text("item_id IS NULL")
_DUE = sa.text("due_at IS NOT NULL")
# What was open before there were reminders is looked at by the first tick, which knows whom to tell, and when.
_FILL = """
    INSERT INTO reminders (workspace_id, recipient_id, incident_id, item_id, kind, since_at, due_at)
    SELECT i.workspace_id, coalesce(r.owner_id, i.lead_id, i.channel_id), i.id, a.id, 'item',
        a.recorded_at, a.recorded_at
    FROM action_items a
    JOIN incidents i ON i.id = a.incident_id
    JOIN action_item_revisions r ON r.item_id = a.id
    WHERE r.state = 'open'
    AND r.number = (SELECT max(l.number) FROM action_item_revisions l WHERE l.item_id = a.id)
"""
_AGENDAS = """
    INSERT INTO agendas (workspace_id, recipient_id, due_at)
    SELECT workspace_id, recipient_id, min(due_at) FROM reminders GROUP BY workspace_id, recipient_id
"""


def upgrade() -> None:
    """Go forward."""
    op.add_column("members", sa.Column("barred", sa.String(length=16)))
    op.execute("UPDATE members SET barred = 'bot' WHERE bot")
    op.drop_column("members", "bot")
    op.add_column("action_items", sa.Column("priority", sa.String(length=16)))
    op.add_column("action_items", sa.Column("done_when", sa.Text()))
    op.add_column("action_item_revisions", sa.Column("ticket", sa.Text()))
    op.create_table(
        "reminders",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("incident_id", _BIG, nullable=False),
        sa.Column("item_id", _BIG),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("told_on", sa.Date()),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_reminders_incident_id_incidents")),
        sa.ForeignKeyConstraint(["item_id"], ["action_items.id"], name=op.f("fk_reminders_item_id_action_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminders")),
    )
    op.create_index(op.f("uq_reminders_item_id"), "reminders", ["item_id", "kind"], unique=True)
    op.create_index(
        op.f("uq_reminders_incident_id"),
        "reminders",
        ["incident_id", "kind"],
        unique=True,
        sqlite_where=_NO_ITEM,
        postgresql_where=_NO_ITEM,
    )
    op.create_index(op.f("ix_reminders_recipient_id_due_at"), "reminders", ["recipient_id", "due_at"])
    op.create_table(
        "agendas",
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("told_on", sa.Date()),
        sa.PrimaryKeyConstraint("workspace_id", "recipient_id", name=op.f("pk_agendas")),
    )
    op.create_index(op.f("ix_agendas_due_at"), "agendas", ["due_at"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.execute(_FILL)
    op.execute(_AGENDAS)


def downgrade() -> None:
    """Go back."""
    op.drop_table("agendas")
    op.drop_table("reminders")
    op.drop_column("action_item_revisions", "ticket")
    op.drop_column("action_items", "done_when")
    op.drop_column("action_items", "priority")
    op.add_column("members", sa.Column("bot", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE members SET bot = true WHERE barred = 'bot'")
    op.drop_column("members", "barred")
