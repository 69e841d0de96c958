"""Files of the messages that entries were made from."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "entry_files",
        sa.Column("id", _ID, nullable=False),
        sa.Column("entry_id", _ID, nullable=False),
        sa.Column("file_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("permalink", sa.Text(), nullable=True),
        sa.Column("problem", sa.String(length=64), nullable=True),
        sa.Column("added_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["timeline_entries.id"], name=op.f("fk_entry_files_entry_id_timeline_entries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_files")),
        sa.UniqueConstraint("entry_id", "file_id", name=op.f("uq_entry_files_entry_id_file_id")),
    )
    op.create_index(op.f("ix_entry_files_sha256"), "entry_files", ["sha256"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("entry_files")
