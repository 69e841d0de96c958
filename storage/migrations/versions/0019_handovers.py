"""What people are to be told of action items given to them, taken from them or changed; who left; who accepted."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DUE = sa.text("due_at IS NOT NULL")
_LEFT = sa.text("left_at IS NOT NULL")


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "handovers",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("incident_id", _BIG, nullable=False),
        sa.Column("item_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("by_id", sa.String(length=64), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16)),
        sa.Column("due_on", sa.Date()),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("due_at", Instant()),
        sa.Column("told_on", sa.Date()),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_handovers_incident_id_incidents")),
        sa.ForeignKeyConstraint(["item_id"], ["action_items.id"], name=op.f("fk_handovers_item_id_action_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handovers")),
    )
    op.create_index(op.f("ix_handovers_due_at"), "handovers", ["due_at"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.create_index(op.f("ix_handovers_workspace_id_recipient_id"), "handovers", ["workspace_id", "recipient_id"])
    op.create_index(op.f("ix_handovers_item_id"), "handovers", ["item_id"])
    op.add_column("action_item_revisions", sa.Column("accepted_at", Instant()))
    op.add_column("members", sa.Column("left_at", Instant()))
    op.create_index(op.f("ix_members_left_at"), "members", ["left_at"], sqlite_where=_LEFT, postgresql_where=_LEFT)


def downgrade() -> None:
    """Go back."""
    op.drop_index(op.f("ix_members_left_at"), "members")
    op.drop_column("members", "left_at")
    op.drop_column("action_item_revisions", "accepted_at")
    op.drop_table("handovers")
