"""Which file gave which documents: what makes ingesting again cost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select

from kb_service.store import tables
from kb_service.store.repository import Repository
from kb_service.store.values import Source

_sources = tables.sources


class Sources(Repository):
    table = _sources

    def get(self, path: str) -> Source | None:
        row = self._read(select(_sources).where(self._mine(), _sources.c.path == path)).first()
        return None if row is None else _source(row)

    def put(self, path: str, digest: str, external_ids: Sequence[str]) -> None:
        """Notes that the bytes with this digest at `path` gave these documents."""
        self._upsert(
            {
                "workspace": self.workspace,
                "path": path,
                "digest": digest,
                "external_ids": list(external_ids),
                "updated_at": self._scope.now,
            }
        )

    def remove(self, path: str) -> bool:
        """Forgets a file; its documents stay until they are removed themselves."""
        return self._write(delete(_sources).where(self._mine(), _sources.c.path == path)).rowcount > 0

    def under(self, root: str) -> tuple[Source, ...]:
        """The sources at `root` or in the folder `root`, by path."""
        folder = root if root.endswith("/") else root + "/"
        inside = func.substr(_sources.c.path, 1, len(folder)) == folder
        statement = select(_sources).where(self._mine(), or_(_sources.c.path == root, inside))
        return tuple(map(_source, self._read(statement.order_by(_sources.c.path))))


def _source(row: Any) -> Source:
    return Source(row.path, row.digest, tuple(row.external_ids), row.updated_at)
