"""What became of the message that an entry was made from."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MADE_FROM_ONE = sa.text("permalink IS NOT NULL")


def upgrade() -> None:
    """Go forward."""
    op.add_column("entry_revisions", sa.Column("message_state", sa.String(length=16)))
    op.create_index(
        op.f("ix_timeline_entries_permalink"),
        "timeline_entries",
        ["permalink"],
        sqlite_where=_MADE_FROM_ONE,
        postgresql_where=_MADE_FROM_ONE,
    )


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_timeline_entries_permalink"), table_name="timeline_entries")
    op.drop_column("entry_revisions", "message_state")
