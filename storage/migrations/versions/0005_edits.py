"""What made a version of a postmortem: a draft, an edit or an import. All before were drafts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    origin = sa.Column("origin", sa.String(length=16), nullable=False, server_default="draft")
    op.add_column("postmortem_versions", origin)


def downgrade() -> None:
    """Go back."""
    op.drop_column("postmortem_versions", "origin")
