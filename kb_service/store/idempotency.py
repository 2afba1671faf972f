"""First responses under idempotency keys, for replay."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from kb_service.store import tables
from kb_service.store.repository import Repository
from kb_service.store.values import Replay

_idempotency = tables.idempotency


class Idempotency(Repository):
    """Look up, act and `put` in one writing unit: the workspace's lock keeps equal requests apart."""

    table = _idempotency

    def get(self, key: str, route: str) -> Replay | None:
        row = self._read(
            select(_idempotency).where(self._mine(), _idempotency.c.key == key, _idempotency.c.route == route)
        ).first()
        return None if row is None else Replay(row.body_hash, row.status, bytes(row.body), row.headers)

    def put(self, key: str, route: str, replay: Replay) -> bool:
        """Keeps a response; False, and nothing changes, when the key is taken on this route."""
        row = {
            "workspace": self.workspace,
            "key": key,
            "route": route,
            "body_hash": replay.body_hash,
            "status": replay.status,
            "body": replay.body,
            "headers": dict(replay.headers),
            "at": self._scope.now,
        }
        statement = self._insert().values(row).on_conflict_do_nothing().returning(_idempotency.c.key)
        return self._write(statement).first() is not None

    def purge(self, before: datetime) -> int:
        """Forgets the keys first used before `before`; how many there were."""
        return self._write(delete(_idempotency).where(self._mine(), _idempotency.c.at < before)).rowcount
