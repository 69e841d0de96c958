"""The timeline entry whose words an incident's title follows; the titles of before count as set by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("incidents", sa.Column("title_entry_number", sa.Integer()))


def downgrade() -> None:
    """Go back."""
    op.drop_column("incidents", "title_entry_number")
