"""Errands that were given up are found by their lane."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PARKED = sa.text("state = 'parked'")


def upgrade() -> None:
    """Go forward."""
    op.create_index(
        op.f("ix_outbox_workspace_id_lane"),
        "outbox",
        ["workspace_id", "lane"],
        unique=False,
        sqlite_where=PARKED,
        postgresql_where=PARKED,
    )


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_outbox_workspace_id_lane"), table_name="outbox")
