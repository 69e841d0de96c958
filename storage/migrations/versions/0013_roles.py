"""Whether a person is a full member or a guest: NULL until Slack has told it, and nothing is taken for granted."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("members", sa.Column("role", sa.String(length=16)))


def downgrade() -> None:
    """Go back."""
    op.drop_column("members", "role")
