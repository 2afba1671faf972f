"""API keys: made once, shown once, kept as hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from kb_service.errors import NotFound
from kb_service.store import tables
from kb_service.store.ids import new_id
from kb_service.store.values import ApiKey

_keys = tables.api_keys
_PREFIX = "kb_"
_SHOWN = len(_PREFIX) + 6


class Keys:
    """A secret is `kb_` and 32 random bytes in URL-safe base64; the store holds its SHA-256.

    A slow, salted hash is for passwords, which can be guessed. Nobody guesses 256 random bits, so one round
    of SHA-256 keeps the secret as safe, and a request is not held up. The lookup goes by the hash: what its
    timing could tell is about a hash that the caller cannot steer. The first six characters stay readable,
    so that people can tell keys apart; 220 bits remain.
    """

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    def create(
        self, workspace: str, roles: Iterable[str], label: str = "", *, made_by: str | None = None
    ) -> tuple[str, ApiKey]:
        """A new key of a workspace: the secret, which cannot be had again, and the key. `made_by` is a member's id.

        Raises `NotFound` when there is no such workspace.
        """
        known = select(tables.workspaces.c.id).where(tables.workspaces.c.id == workspace)
        if self._connection.execute(known).first() is None:
            raise NotFound("there is no workspace {workspace!r}", workspace=workspace)
        secret = _PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(
            id=new_id("key_", self._now),
            workspace=workspace,
            roles=frozenset(roles),
            label=label,
            prefix=secret[:_SHOWN],
            created_at=self._now,
            made_by=made_by,
        )
        row = {
            "id": key.id,
            "workspace": workspace,
            "hash": _hash(secret),
            "prefix": key.prefix,
            "label": label,
            "roles": sorted(key.roles),
            "created_at": self._now,
            "made_by": made_by,
        }
        self._connection.execute(insert(_keys), [row])
        return secret, key

    def find(self, secret: str) -> ApiKey | None:
        """The key of a secret; None when it is unknown or revoked."""
        if not secret.startswith(_PREFIX):
            return None
        digest = _hash(secret)
        row = self._connection.execute(select(_keys).where(_keys.c.hash == digest)).first()
        if row is None or not hmac.compare_digest(row.hash, digest) or row.revoked_at is not None:
            return None
        return _key(row)

    def get(self, id: str) -> ApiKey | None:
        """A key by its id, revoked or not."""
        row = self._connection.execute(select(_keys).where(_keys.c.id == id)).first()
        return None if row is None else _key(row)

    def revoke(self, id: str) -> bool:
        """Ends a key from now on; False when there is none that was still valid."""
        statement = update(_keys).where(_keys.c.id == id, _keys.c.revoked_at.is_(None))
        return self._connection.execute(statement.values(revoked_at=self._now)).rowcount == 1

    def note_uses(self, uses: Mapping[str, datetime]) -> None:
        """Notes when keys, by id, were last used; never moves that back."""
        for id, at in uses.items():
            earlier = or_(_keys.c.used_at.is_(None), _keys.c.used_at < at)
            self._connection.execute(update(_keys).where(_keys.c.id == id, earlier).values(used_at=at))

    def list(self, workspace: str | None = None) -> tuple[ApiKey, ...]:
        """The keys of a workspace or of all, by id, which is the order they were made in."""
        statement = select(_keys).order_by(_keys.c.id)
        if workspace is not None:
            statement = statement.where(_keys.c.workspace == workspace)
        return tuple(map(_key, self._connection.execute(statement)))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: Any) -> ApiKey:
    return ApiKey(
        id=row.id,
        workspace=row.workspace,
        roles=frozenset(row.roles),
        label=row.label,
        prefix=row.prefix,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
        made_by=row.made_by,
    )
