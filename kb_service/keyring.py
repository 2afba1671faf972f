"""The keys of a workspace as its administrators make, see and revoke them; when each was used last."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from structlog.stdlib import get_logger

from kb_service.background import BackgroundWork
from kb_service.errors import InvalidRequest, NotFound
from kb_service.models import KEY_ROLES, Principal
from kb_service.security import Gatekeeper
from kb_service.store import ApiKey, Store

log = get_logger(__name__)

LONGEST_LABEL = 100
NOTED_SECONDS = 30.0
"""How often the uses of keys are noted, all at once: a request never waits for that."""


class Keyring:
    """Keys of every workspace; a workspace's caller reaches their own alone."""

    def __init__(self, store: Store, gatekeeper: Gatekeeper) -> None:
        self._store = store
        self._gatekeeper = gatekeeper

    def all(self, workspace: str) -> tuple[ApiKey, ...]:
        """The keys of a workspace, those revoked included, the newest first."""
        with self._store.administration(writing=False) as unit:
            return unit.keys.list(workspace)[::-1]

    def one(self, workspace: str, key_id: str) -> ApiKey:
        """Raises NotFound for a key that there is not in this workspace."""
        with self._store.administration(writing=False) as unit:
            key = unit.keys.get(key_id)
        if key is None or key.workspace != workspace:
            raise NotFound("There is no valid key {id}.", id=key_id)
        return key

    def create(self, caller: Principal, label: str, roles: Collection[str]) -> tuple[str, ApiKey]:
        """A new key: its secret, which nobody sees again, and the key."""
        label = " ".join(label.split())
        if not label:
            raise InvalidRequest.of("label", "is required")
        if len(label) > LONGEST_LABEL:
            raise InvalidRequest.of(
                "label", "must have at most {max_length} characters", max_length=LONGEST_LABEL
            )
        if not roles:
            raise InvalidRequest.of("roles", "choose at least one")
        if not set(roles) <= set(KEY_ROLES):
            raise InvalidRequest.of(
                "roles", "must be some of {known}, separated by commas", known=", ".join(KEY_ROLES)
            )
        with self._store.administration() as unit:
            secret, key = unit.keys.create(caller.workspace, roles, label, made_by=caller.key_id)
        self._tell(caller, "key.created", key)
        return secret, key

    def revoke(self, caller: Principal, key_id: str) -> ApiKey:
        """End a key; elsewhere it is dead within seconds, here at once."""
        key = self.one(caller.workspace, key_id)
        with self._store.administration() as unit:
            if not unit.keys.revoke(key_id):
                raise NotFound("There is no valid key {id}.", id=key_id)
        self._gatekeeper.forget()
        self._tell(caller, "key.revoked", key)
        return key

    def _tell(self, caller: Principal, action: str, key: ApiKey) -> None:
        detail = {"label": key.label, "roles": sorted(key.roles)}
        with self._store.writing(caller.workspace) as unit:
            unit.audit.append(caller.key_id, action, key.id, detail)


class KeyUses(BackgroundWork):
    """Notes in the store when each key was used last, from what the gatekeeper saw since."""

    def __init__(self, store: Store, gatekeeper: Gatekeeper, *, clock: Callable[[], datetime]) -> None:
        super().__init__("key-uses")
        self._store = store
        self._gatekeeper = gatekeeper
        self._clock = clock

    def note(self) -> None:
        """Note what was seen since the last time."""
        used = self._gatekeeper.used()
        if not used:
            return
        with self._store.administration() as unit:
            unit.keys.note_uses(dict.fromkeys(used, self._clock()))

    def _run(self) -> None:
        while not self._stopping.wait(NOTED_SECONDS):
            self._try()
        self._try()

    def _try(self) -> None:
        try:
            self.note()
        except Exception as error:
            log.error("key_uses_not_noted", exc_info=error)
