"""Digests that were posted, what they list, and which postmortems were reviewed without being published."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "digests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=False),
        sa.Column("channel_id", sa.String(length=64), nullable=False),
        sa.Column("ts", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("posted_at", Instant(), nullable=False),
        sa.Column("edited_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digests")),
    )
    op.create_index(
        op.f("ix_digests_workspace_id_recipient_id_state"), "digests", ["workspace_id", "recipient_id", "state"]
    )
    op.create_index(op.f("ix_digests_workspace_id_edited_at"), "digests", ["workspace_id", "edited_at"])
    op.create_table(
        "digest_items",
        sa.Column("id", _ID, nullable=False),
        sa.Column("digest_id", _ID, nullable=False),
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("item_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["digest_id"], ["digests.id"], name=op.f("fk_digest_items_digest_id_digests")),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_digest_items_incident_id_incidents")),
        sa.ForeignKeyConstraint(["item_id"], ["action_items.id"], name=op.f("fk_digest_items_item_id_action_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_items")),
    )
    op.create_index(op.f("ix_digest_items_digest_id"), "digest_items", ["digest_id"])
    op.create_index(op.f("ix_digest_items_incident_id"), "digest_items", ["incident_id"])
    op.create_index(op.f("ix_digest_items_item_id"), "digest_items", ["item_id"])
    op.create_table(
        "postmortem_reviews",
        sa.Column("id", _ID, nullable=False),
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reviewed_at", Instant(), nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=False),
        sa.Column("reviewed_by_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_postmortem_reviews_incident_id_incidents")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postmortem_reviews")),
    )
    op.create_index(op.f("ix_postmortem_reviews_incident_id"), "postmortem_reviews", ["incident_id"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("postmortem_reviews")
    op.drop_table("digest_items")
    op.drop_table("digests")
