"""What endpoints failed at, and the digests that left by mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Json, Moment, Words

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("language", Words()))
    op.add_column("webhooks", sa.Column("signing_secret", Words()))
    op.add_column("webhooks", sa.Column("failing_since", Moment()))
    op.add_column("webhooks", sa.Column("failed_at", Moment()))
    op.add_column("deliveries", sa.Column("response", Words()))
    op.create_index("ix_messages_at", "messages", ["workspace", "at"])
    op.create_table(
        "digests",
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("id", Words(), nullable=False),
        sa.Column("day", Words(), nullable=False),
        sa.Column("address", Words(), nullable=False),
        sa.Column("language", Words(), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("state", Words(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("next_at", Moment()),
        sa.Column("lease", Words()),
        sa.Column("lease_until", Moment()),
        sa.Column("last_error", Words()),
        sa.Column("finished_at", Moment()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_digests_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_digests"),
    )
    op.create_index("ix_digests_day", "digests", ["workspace", "day", "address"], unique=True)


def downgrade() -> None:
    op.drop_table("digests")
    op.drop_index("ix_messages_at", "messages")
    op.drop_column("deliveries", "response")
    for name in ("failed_at", "failing_since", "signing_secret", "language"):
        op.drop_column("webhooks", name)
