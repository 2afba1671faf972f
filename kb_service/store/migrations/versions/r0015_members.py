"""People who use the console, their one-time links and their sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kb_service.store.columns import Json, Moment, Words

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "members",
        sa.Column("id", Words(), nullable=False),
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("agent_id", Words()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment()),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_members_workspace", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
    )
    op.create_index("ix_members_workspace", "members", ["workspace"])
    op.create_table(
        "sign_in_links",
        sa.Column("hash", Words(), nullable=False),
        sa.Column("workspace", Words(), nullable=False),
        sa.Column("member_id", Words()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace"], ["workspaces.id"], name="fk_sign_in_links_workspace", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name="fk_sign_in_links_member_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name="pk_sign_in_links"),
    )
    op.create_index("ix_sign_in_links_workspace", "sign_in_links", ["workspace"])
    op.create_table(
        "sessions",
        sa.Column("hash", Words(), nullable=False),
        sa.Column("member_id", Words(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name="fk_sessions_member_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_member", "sessions", ["member_id"])


def downgrade() -> None:
    op.drop_table("sessions")
    op.drop_table("sign_in_links")
    op.drop_table("members")
