"""When a job of the outbox was put off, by which a wait that a wrong clock set is known."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("outbox", sa.Column("put_off_at", Instant()))


def downgrade() -> None:
    """Go back."""
    op.drop_column("outbox", "put_off_at")
