"""Closed incidents: cancelled ones and duplicates. Those that pointed to another one were declared by mistake."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("incidents", sa.Column("closed_as", sa.String(length=16), nullable=True))
    op.add_column("incidents", sa.Column("closed_why", sa.Text(), nullable=True))
    op.execute("UPDATE incidents SET closed_as = 'mistaken' WHERE same_as_id IS NOT NULL")


def downgrade() -> None:
    """Go back. A cancelled incident becomes a resolved one."""
    op.drop_column("incidents", "closed_why")
    op.drop_column("incidents", "closed_as")
