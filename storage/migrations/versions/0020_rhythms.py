"""People's own rhythms of reminders, and how far the weekly summaries have told."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "rhythms",
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("days", sa.JSON(), nullable=False),
        sa.Column("at", sa.String(length=5)),
        sa.Column("off_until", sa.Date()),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name=op.f("pk_rhythms")),
    )
    op.create_table(
        "weekly_summaries",
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("revision_id", sa.BigInteger(), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_weekly_summaries")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("weekly_summaries")
    op.drop_table("rhythms")
