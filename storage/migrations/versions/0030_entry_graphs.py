"""Graphs that notes ask a monitoring system for, with their figures."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "entry_graphs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("entry_id", _ID, nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=True),
        sa.Column("problem", sa.String(length=64), nullable=True),
        sa.Column("added_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["timeline_entries.id"], name=op.f("fk_entry_graphs_entry_id_timeline_entries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_graphs")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_entry_graphs_entry_id")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("entry_graphs")
