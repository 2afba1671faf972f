"""Whether the problem of a waiting notice was acknowledged before its alert opened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notices", sa.Column("acknowledged", sa.Boolean()))


def downgrade() -> None:
    op.drop_column("notices", "acknowledged")
