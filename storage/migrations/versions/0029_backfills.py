"""Conversations that were read for an incident, until somebody has chosen what goes onto its timeline."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "backfills",
        sa.Column("id", _ID, nullable=False),
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_backfills_incident_id_incidents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backfills")),
        sa.UniqueConstraint("token", name=op.f("uq_backfills_token")),
    )
    op.create_index(op.f("ix_backfills_incident_id"), "backfills", ["incident_id"])
    op.create_index(op.f("ix_backfills_begun_at"), "backfills", ["begun_at"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("backfills")
