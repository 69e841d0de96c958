"""An index of words, claims and prunes that read no more where more waits or was kept."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None

_UNSENT = sa.text("state IN ('waiting', 'sending')")


def upgrade() -> None:
    """Go forward."""
    _replace_index("ix_outbox_due_at", "ix_outbox_due_at_id", ["due_at", "id"])


def downgrade() -> None:
    """Go back."""
    _replace_index("ix_outbox_due_at_id", "ix_outbox_due_at", ["due_at"])


def _replace_index(before: str, after: str, columns: list[str]) -> None:
    op.drop_index(before, "outbox")
    op.create_index(after, "outbox", columns, sqlite_where=_UNSENT, postgresql_where=_UNSENT)
