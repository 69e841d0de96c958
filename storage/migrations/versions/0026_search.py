"""An index of words, claims and prunes that read no more where more waits or was kept."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.drop_index("ix_outbox_due_at", "outbox")
    _create_index("outbox", "due_at", "id", where="state IN ('waiting', 'sending')")
    _create_index("outbox", "sent_at", where="state = 'sent'")
    _create_index("digests", "posted_at", where="state <> 'live'")
    _create_index("handovers", "recorded_at", where="due_at IS NULL")


def downgrade() -> None:
    """Go back."""
    for name, table in (
        ("ix_handovers_recorded_at", "handovers"),
        ("ix_digests_posted_at", "digests"),
        ("ix_outbox_sent_at", "outbox"),
        ("ix_outbox_due_at_id", "outbox"),
    ):
        op.drop_index(name, table)
    _create_index("outbox", "due_at", where="state IN ('waiting', 'sending')")


def _create_index(table: str, *columns: str, where: str) -> None:
    of = sa.text(where)
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), sqlite_where=of, postgresql_where=of)
