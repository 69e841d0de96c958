"""Times that are approximate, and the end of a time range, of entries and their revisions."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = ("timeline_entries", "entry_revisions")


def upgrade() -> None:
    """Go forward."""
    for table in _TABLES:
        op.add_column(table, sa.Column("approximate", sa.Boolean(), server_default=sa.false(), nullable=False))
        op.add_column(table, sa.Column("until_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Go back."""
    for table in _TABLES:
        op.drop_column(table, "until_at")
        op.drop_column(table, "approximate")
