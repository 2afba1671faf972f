"""What proposals are expected to save, what accepting them does, and what was measured of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Json, Moment, Words

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("proposals", sa.Column("finding", Words()))
    op.add_column("proposals", sa.Column("change", Json))
    op.add_column("proposals", sa.Column("expected", Json))
    op.add_column("proposals", sa.Column("decided_at", Moment()))
    op.add_column("proposals", sa.Column("decided_by", Words()))
    op.add_column("proposals", sa.Column("experiment_id", Words()))
    op.add_column("proposals", sa.Column("effect", Json))
    op.create_index("ix_proposals_finding", "proposals", ["workspace", "finding"])
    op.create_index("ix_proposals_decided", "proposals", ["workspace", "decided_at"])


def downgrade() -> None:
    op.drop_index("ix_proposals_decided", "proposals")
    op.drop_index("ix_proposals_finding", "proposals")
    for name in ("effect", "experiment_id", "decided_by", "decided_at", "expected", "change", "finding"):
        op.drop_column("proposals", name)
