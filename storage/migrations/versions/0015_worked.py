"""Whether a finished action item worked: when that is asked, and the answer with who gave it, when and why."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("look_again_on", sa.Date()),
    ("worked", sa.Boolean()),
    ("worked_why", sa.Text()),
    ("worked_by", sa.Text()),
    ("worked_by_id", sa.String(length=64)),
    ("worked_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    """Go forward."""
    for name, type_ in _COLUMNS:
        op.add_column("action_item_revisions", sa.Column(name, type_))


def downgrade() -> None:
    """Go back."""
    for name, _ in reversed(_COLUMNS):
        op.drop_column("action_item_revisions", name)
