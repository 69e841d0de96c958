"""What sources outside of Slack have told: alerts and changes."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "signals",
        sa.Column("id", _ID, nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("channel_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("service", sa.Text()),
        sa.Column("link", sa.Text()),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant()),
        sa.Column("fired", sa.Boolean(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("fresh", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_at", Instant()),
        sa.Column("incident_id", _ID),
        sa.Column("entry_id", _ID),
        sa.Column("told_at", Instant()),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["timeline_entries.id"], name=op.f("fk_signals_entry_id_timeline_entries")
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_signals_incident_id_incidents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
        sa.UniqueConstraint("workspace_id", "channel_id", "key", name=op.f("uq_signals_workspace_id_channel_id_key")),
    )
    place, fresh, pending = ["workspace_id", "channel_id"], sa.text("fresh"), sa.text("state = 'pending'")
    op.create_index("ix_signals_fresh", "signals", place, sqlite_where=fresh, postgresql_where=fresh)
    op.create_index(
        "ix_signals_pending", "signals", [*place, "occurred_at"], sqlite_where=pending, postgresql_where=pending
    )
    firing = sa.text("ended_at IS NULL")
    op.create_index("ix_signals_firing", "signals", [*place, "identity"], sqlite_where=firing, postgresql_where=firing)
    for column in ("incident_id", "entry_id", "received_at"):
        op.create_index(op.f(f"ix_signals_{column}"), "signals", [column])


def downgrade() -> None:
    """Go back."""
    op.drop_table("signals")
