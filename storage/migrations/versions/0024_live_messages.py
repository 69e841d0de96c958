"""Messages that are kept current by editing, and which incidents changed since they were."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "live_messages",
        sa.Column("id", _ID, nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("channel_id", sa.String(length=64), nullable=False),
        sa.Column("ts", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("renewed", sa.Boolean(), nullable=False),
        sa.Column("posted_at", Instant(), nullable=False),
        sa.Column("edited_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_live_messages_incident_id_incidents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_messages")),
        sa.UniqueConstraint("incident_id", "kind", name=op.f("uq_live_messages_incident_id_kind")),
    )
    op.create_index(op.f("ix_live_messages_workspace_id_edited_at"), "live_messages", ["workspace_id", "edited_at"])
    op.add_column("incidents", sa.Column("stale", sa.Boolean(), server_default=sa.false(), nullable=False))
    stale = sa.text("stale")
    op.create_index(
        op.f("ix_incidents_workspace_id_stale"),
        "incidents",
        ["workspace_id", "stale"],
        sqlite_where=stale,
        postgresql_where=stale,
    )


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_incidents_workspace_id_stale"), "incidents")
    op.drop_column("incidents", "stale")
    op.drop_table("live_messages")
