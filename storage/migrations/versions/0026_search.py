"""An index of words, claims and prunes that read no more where more waits or was kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


_FTS = "CREATE VIRTUAL TABLE search_grams USING fts5 (grams, content='', detail=none, columnsize=0, tokenize=ascii)"


def upgrade() -> None:
    """Go forward. What was told before is indexed afterwards, in portions."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "search_documents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("grams", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_documents")),
    )
    if is_sqlite:
        op.execute(_FTS)
    else:
        op.create_index(
            "ix_search_documents_grams",
            "search_documents",
            ["grams"],
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        )
    op.add_column("incidents", sa.Column("indexed_entries", sa.Integer(), server_default="-1", nullable=False))
    for name in ("indexed_items", "indexed_version"):
        op.add_column("incidents", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("incidents", sa.Column("unindexed", sa.Boolean(), server_default=sa.true(), nullable=False))
    unindexed = sa.text("unindexed")
    op.create_index("ix_incidents_unindexed", "incidents", ["id"], sqlite_where=unindexed, postgresql_where=unindexed)
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
    op.drop_index("ix_incidents_unindexed", "incidents")
    for name in ("unindexed", "indexed_version", "indexed_items", "indexed_entries"):
        op.drop_column("incidents", name)
    op.drop_table("search_documents")
    op.execute("DROP TABLE IF EXISTS search_grams")


def _create_index(table: str, *columns: str, where: str) -> None:
    of = sa.text(where)
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), sqlite_where=of, postgresql_where=of)
