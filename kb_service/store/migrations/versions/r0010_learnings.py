"""How much a job had seen when it last ran, so that it is known also where nothing came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("seen", sa.Integer()))


def downgrade() -> None:
    op.drop_column("jobs", "seen")
