"""The first response to each idempotency key, kept so that a retry gets the same one."""

from __future__ import annotations

from kb_service.errors import IdempotencyMismatch
from kb_service.store import Replay, Store


class Replays:
    """Looks up and keeps responses by workspace, key and route."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, workspace: str, key: str, route: str, digest: str) -> Replay | None:
        """The kept response. Raises IdempotencyMismatch when the key came with another body before."""
        with self._store.reading(workspace) as unit:
            replay = unit.idempotency.get(key, route)
        if replay is not None and replay.body_hash != digest:
            raise IdempotencyMismatch(
                "The Idempotency-Key {key} was used with another body; use a new key for a new request.",
                key=key,
            )
        return replay

    def keep(self, workspace: str, key: str, route: str, digest: str, status: int, body: bytes) -> None:
        with self._store.writing(workspace) as unit:
            unit.idempotency.put(key, route, Replay(digest, status, body, {}))
