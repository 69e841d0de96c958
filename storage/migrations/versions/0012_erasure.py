"""Where a message went, so that its words can be erased there; how often words of an incident were erased."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("outbox", sa.Column("sent_as", sa.String(length=96)))
    op.add_column("incidents", sa.Column("erasures", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Go back."""
    op.drop_column("incidents", "erasures")
    op.drop_column("outbox", "sent_as")
