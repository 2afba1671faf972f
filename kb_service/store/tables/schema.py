"""What every table shares."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, MetaData

from kb_service.store.columns import Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def workspace_key() -> Column[str]:
    """The first column of the key: rows go with their workspace."""
    return Column("workspace", Words, ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
