"""What keeps an answer's time from growing with the past: the timeline in order, and figures that were counted."""

import sqlalchemy as sa
from alembic import op

from storage.dialects import Instant

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INDEXES: dict[str, tuple[str, list[str], str | None]] = {
    "ix_timeline_entries_incident_id_occurred_at_number": (
        "timeline_entries", ["incident_id", "occurred_at", "number"], None
    ),
    "ix_timeline_entries_incident_id_kind_occurred_at_number": (
        "timeline_entries", ["incident_id", "kind", "occurred_at", "number"], None
    ),
    "ix_timeline_entries_incident_id_recorded_by_id_number": (
        "timeline_entries", ["incident_id", "recorded_by_id", "number"], None
    ),
    "ix_timeline_entries_incident_id_permalink": (
        "timeline_entries", ["incident_id", "permalink"], "permalink IS NOT NULL"
    ),
    "ix_timeline_entries_of_another": (
        "timeline_entries", ["incident_id", "author_id", "number"], "author_id <> recorded_by_id"
    ),
    "ix_timeline_entries_resolved": ("timeline_entries", ["recorded_by_id", "incident_id"], "kind = 'resolved'"),
    "ix_incidents_workspace_id_channel_id_happened_at_number": (
        "incidents", ["workspace_id", "channel_id", "happened_at", "number"], None
    ),
    "ix_incidents_workspace_id_lead_id": ("incidents", ["workspace_id", "lead_id"], "lead_id IS NOT NULL"),
    "ix_incidents_open_in": ("incidents", ["workspace_id", "channel_id", "number"], "open"),
    "ix_incidents_open_since": ("incidents", ["workspace_id", "happened_at", "number"], "open"),
    "ix_action_item_revisions_owner_id_item_id": (
        "action_item_revisions", ["owner_id", "item_id"], "owner_id IS NOT NULL"
    ),
}  # fmt: skip
_STANDING = """
    INSERT INTO revised_entries (entry_id, incident_id, number, kind, stands_at)
    SELECT e.id, e.incident_id, e.number, e.kind, CASE WHEN NOT r.retracted THEN r.occurred_at END
    FROM timeline_entries e JOIN entry_revisions r ON r.entry_id = e.id
    WHERE r.number = (SELECT max(number) FROM entry_revisions WHERE entry_id = e.id)
"""


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "revised_entries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("entry_id", _ID, nullable=False),
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("stands_at", Instant()),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["timeline_entries.id"], name=op.f("fk_revised_entries_entry_id_timeline_entries")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_revised_entries_incident_id_incidents")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revised_entries")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_revised_entries_entry_id")),
    )
    op.execute(_STANDING)
    op.create_index(
        op.f("ix_revised_entries_incident_id_stands_at_number"),
        "revised_entries",
        ["incident_id", "stands_at", "number"],
    )
    op.create_index(
        op.f("ix_revised_entries_incident_id_kind_stands_at_number"),
        "revised_entries",
        ["incident_id", "kind", "stands_at", "number"],
    )
    for name, (table, columns, where) in _INDEXES.items():
        only = None if where is None else sa.text(where)
        op.create_index(name, table, columns, sqlite_where=only, postgresql_where=only)
    op.create_table(
        "incident_figures",
        sa.Column("id", _ID, nullable=False),
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("revisions", sa.Integer(), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_figures_incident_id_incidents")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_figures")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_incident_figures_incident_id")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("incident_figures")
    for name, (table, _, _) in _INDEXES.items():
        op.drop_index(name, table)
    op.drop_table("revised_entries")
