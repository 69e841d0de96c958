"""Which posted message tells a hand-over; which revisions of items were not committed when a summary was written."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("handovers", sa.Column("message_id", sa.BigInteger()))
    op.create_index(op.f("ix_handovers_message_id"), "handovers", ["message_id"])
    op.add_column("weekly_summaries", sa.Column("missing", sa.JSON()))


def downgrade() -> None:
    """Go back."""
    op.drop_column("weekly_summaries", "missing")
    op.drop_index(op.f("ix_handovers_message_id"), "handovers")
    op.drop_column("handovers", "message_id")
