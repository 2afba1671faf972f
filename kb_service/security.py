"""Who may do what: keys, roles, and the table of every route.

A key belongs to one workspace; the workspace of a request is the key's and nothing else, so an id of another
shop's object is simply not found. Roles are checked by route template, never by the URL's text.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping

from kb_service.errors import Forbidden, Unauthenticated
from kb_service.models import KEY_ROLES, KeyRole, Principal
from kb_service.store import Store

REVOCATION_SECONDS = 2.0
"""How long a key that was found valid is trusted without asking the store again."""

MOST_KNOWN = 10_000

ANY: frozenset[KeyRole] = frozenset(KEY_ROLES)
BOT: frozenset[KeyRole] = frozenset({"bot", "agent", "editor", "admin"})
AGENT: frozenset[KeyRole] = frozenset({"agent", "editor", "admin"})
PRODUCT: frozenset[KeyRole] = frozenset({"product", "editor", "admin"})
STAFF: frozenset[KeyRole] = frozenset({"agent", "product", "editor", "admin"})
EDITOR: frozenset[KeyRole] = frozenset({"editor", "admin"})
ADMIN: frozenset[KeyRole] = frozenset({"admin"})
APPRAISAL: frozenset[KeyRole] = frozenset({"product", "admin"})
"""Who sees figures about single people."""

OPEN: frozenset[str] = frozenset({"GET /health/live", "GET /health/ready"})

ACCESS: Mapping[str, frozenset[KeyRole]] = {
    "POST /v1/answers": BOT,
    "POST /v1/suggestions": AGENT,
    "POST /v1/search": ANY,
    "POST /v1/feedback": BOT,
    "POST /v1/route": BOT,
    "GET /v1/intents": ANY,
    "POST /v1/intents:batch": EDITOR,
    "GET /v1/intents/{id}": ANY,
    "PUT /v1/intents/{id}": EDITOR,
    "DELETE /v1/intents/{id}": EDITOR,
    "GET /v1/agents": STAFF,
    "GET /v1/agents/{id}": STAFF,
    "PUT /v1/agents/{id}": ADMIN,
    "DELETE /v1/agents/{id}": ADMIN,
    "GET /v1/agents/{id}/profile": STAFF,
    "GET /v1/expertise": STAFF,
    "GET /v1/expertise/{id}": STAFF,
    "PUT /v1/expertise/{id}": PRODUCT,
    "DELETE /v1/expertise/{id}": PRODUCT,
    "POST /v1/assignments": AGENT,
    "GET /v1/cases": STAFF,
    "GET /v1/cases/{id}": STAFF,
    "GET /v1/cases/{id}/decisions": STAFF,
    "POST /v1/cases/{id}/assign": AGENT,
    "POST /v1/cases/{id}/consult": AGENT,
    "POST /v1/cases/{id}/handover": BOT,
    "POST /v1/cases/{id}/resolve": AGENT,
    "POST /v1/events": BOT,
    "POST /v1/events:batch": BOT,
    "GET /v1/events/{id}": STAFF,
    "GET /v1/problems": STAFF,
    "GET /v1/problems/{id}": STAFF,
    "GET /v1/problems/{id}/cases": STAFF,
    "GET /v1/problems/{id}/graph": STAFF,
    "GET /v1/graph": STAFF,
    "POST /v1/problems/{id}/acknowledge": PRODUCT,
    "POST /v1/problems/{id}/resolve": PRODUCT,
    "POST /v1/problems/{id}/reopen": PRODUCT,
    "POST /v1/problems/{id}/rename": PRODUCT,
    "POST /v1/problems/{id}/silence": PRODUCT,
    "POST /v1/problems/{id}/assign": PRODUCT,
    "POST /v1/problems/{id}/parent": PRODUCT,
    "POST /v1/problems/{id}/merge": PRODUCT,
    "POST /v1/problems/{id}/split": PRODUCT,
    "POST /v1/problems/{id}/unmerge": PRODUCT,
    "GET /v1/followups": STAFF,
    "GET /v1/alerts": STAFF,
    "GET /v1/alerts/{id}": STAFF,
    "GET /v1/proposals": STAFF,
    "GET /v1/proposals/{id}": STAFF,
    "POST /v1/proposals/{id}/accept": PRODUCT,
    "POST /v1/proposals/{id}/dismiss": PRODUCT,
    "GET /v1/rules": STAFF,
    "PUT /v1/rules": ADMIN,
    "POST /v1/rules:backtest": PRODUCT,
    "GET /v1/rules/weights": STAFF,
    "POST /v1/rules/weights/{id}/apply": ADMIN,
    "POST /v1/rules/weights/rollback": ADMIN,
    "GET /v1/webhooks": PRODUCT,
    "GET /v1/webhooks/{id}": PRODUCT,
    "PUT /v1/webhooks/{id}": PRODUCT,
    "DELETE /v1/webhooks/{id}": PRODUCT,
    "POST /v1/webhooks/{id}/rotate": PRODUCT,
    "POST /v1/webhooks/{id}/test": PRODUCT,
    "GET /v1/webhooks/{id}/deliveries": PRODUCT,
    "POST /v1/webhooks/{id}/deliveries/{delivery}/replay": PRODUCT,
    "POST /v1/webhooks/{id}/replay": PRODUCT,
    "GET /v1/documents": STAFF,
    "POST /v1/documents:batch": EDITOR,
    "POST /v1/documents:upload": EDITOR,
    "GET /v1/documents/{external_id:path}": STAFF,
    "PUT /v1/documents/{external_id:path}": EDITOR,
    "DELETE /v1/documents/{external_id:path}": EDITOR,
    "GET /v1/documents/{external_id:path}/versions": STAFF,
    "GET /v1/traffic/heatmap": STAFF,
    "GET /v1/traffic/forecast": STAFF,
    "GET /v1/traffic/surges": STAFF,
    "GET /v1/traffic/help": STAFF,
    "GET /v1/traffic/training": STAFF,
    "GET /v1/gaps": PRODUCT,
    "GET /v1/conflicts": PRODUCT,
    "GET /v1/stale": PRODUCT,
    "GET /v1/reviews": PRODUCT,
    "POST /v1/reviews/{id}": PRODUCT,
    "GET /v1/experiments": STAFF,
    "GET /v1/experiments/{id}": STAFF,
    "PUT /v1/experiments/{id}": ADMIN,
    "POST /v1/experiments/{id}/stop": ADMIN,
    "GET /v1/metrics/support": PRODUCT,
    "GET /v1/agents:board": APPRAISAL,
    "GET /v1/audit": ADMIN,
    "DELETE /v1/customers/{id}": ADMIN,
    "GET /metrics": ADMIN,
    "GET /openapi.json": ANY,
}
"""The roles that each route admits. A route that is missing here refuses every key."""


class Gatekeeper:
    """Turns an `Authorization` header into a Principal, and decides by route."""

    def __init__(self, store: Store, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._known: dict[bytes, tuple[float, Principal]] = {}
        self._used: set[str] = set()
        self._lock = threading.Lock()

    def recent(self, authorization: str | None) -> Principal | None:
        """The Principal of a key that was found valid a moment ago; never asks the store."""
        known = self._known.get(_digest(authorization))
        return known[1] if known is not None and known[0] > self._monotonic() else None

    def identify(self, authorization: str | None) -> Principal:
        """The key's Principal. Raises Unauthenticated for a missing, malformed, unknown or revoked key."""
        if (recent := self.recent(authorization)) is not None:
            return recent
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise Unauthenticated("Send a key in the header `Authorization: Bearer KEY`.")
        key = self._store.authenticate(secret.strip())
        if key is None:
            raise Unauthenticated("This key is unknown or was revoked; create one with `kb keys create`.")
        roles = frozenset(role for role in KEY_ROLES if role in key.roles)
        principal = Principal(workspace=key.workspace, key_id=key.id, roles=roles)
        with self._lock:
            if len(self._known) > MOST_KNOWN:
                self._known.clear()
            self._known[_digest(authorization)] = (self._monotonic() + REVOCATION_SECONDS, principal)
            self._used.add(key.id)
        return principal

    def used(self) -> frozenset[str]:
        """The ids of the keys that were used since this was asked last."""
        with self._lock:
            found, self._used = frozenset(self._used), set()
        return found

    def forget(self) -> None:
        """Ask the store about every key again, as when one was revoked."""
        with self._lock:
            self._known.clear()

    def authorise(self, principal: Principal, method: str, template: str) -> None:
        """Raises Forbidden unless one of the key's roles is admitted to this route."""
        admitted = ACCESS.get(f"{method} {template}", frozenset())
        if not admitted & principal.roles:
            raise Forbidden(
                "This needs a key with one of the roles {needed}; this key has {present}.",
                needed=", ".join(sorted(admitted)) or "-",
                present=", ".join(sorted(principal.roles)) or "-",
            )


def _digest(authorization: str | None) -> bytes:
    """What stands for a header in memory, so that no secret does."""
    return hashlib.sha256((authorization or "").encode("utf-8", "surrogatepass")).digest()
