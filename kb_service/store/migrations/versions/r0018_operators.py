"""When a key was used last and who made it; members who open workspaces for the installation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Moment, Words

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("used_at", Moment()))
    op.add_column("api_keys", sa.Column("made_by", Words()))
    op.add_column("members", sa.Column("operator", sa.Boolean()))


def downgrade() -> None:
    op.drop_column("members", "operator")
    op.drop_column("api_keys", "made_by")
    op.drop_column("api_keys", "used_at")
