"""Where the list of members goes on that Slack had not told to its end."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "member_listings",
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_member_listings")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("member_listings")
