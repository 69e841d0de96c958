"""What an incident's channel is reminded of, the updates that were promised, and channels of incidents' own."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    for table in ("timeline_entries", "entry_revisions"):
        op.add_column(table, sa.Column("next_at", Instant()))
    is_open = sa.text("open")
    op.create_index("ix_incidents_open", "incidents", ["id"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "nudges",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("due_at", Instant()),
        sa.Column("told_at", Instant()),
        sa.Column("silent_since", sa.Integer()),
        sa.Column("heard_at", Instant()),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_nudges_incident_id_incidents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nudges")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_nudges_incident_id")),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(op.f("ix_nudges_due_at"), "nudges", ["due_at"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "incident_channels",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("old_channel_id", sa.String(length=64), nullable=False),
        sa.Column("channel_id", sa.String(length=64)),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("asked_by_id", sa.String(length=64), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("moved_at", Instant()),
        sa.Column("archived_at", Instant()),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_channels_incident_id_incidents")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_channels")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_incident_channels_incident_id")),
    )
    op.create_index(
        op.f("ix_incident_channels_workspace_id_old_channel_id"),
        "incident_channels",
        ["workspace_id", "old_channel_id"],
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("incident_channels")
    op.drop_table("nudges")
    op.drop_index("ix_incidents_open", "incidents")
    for table in ("entry_revisions", "timeline_entries"):
        op.drop_column(table, "next_at")
