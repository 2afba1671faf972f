"""The shop's own intents, as people declare them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from graph.models import Intent
from kb_service.errors import NotFound
from kb_service.models import Principal
from kb_service.replicas.replicas import Replicas
from kb_service.store import Page, Store


class Taxonomy:
    """Intents of every workspace; a change counts when the call returns."""

    def __init__(self, store: Store, replicas: Replicas) -> None:
        self._store = store
        self._replicas = replicas

    def intents(self, workspace: str, cursor: str | None, limit: int) -> Page[Intent]:
        with self._store.reading(workspace) as unit:
            return unit.intents.page(cursor, limit)

    def intent(self, workspace: str, intent_id: str) -> Intent:
        with self._store.reading(workspace) as unit:
            intent = unit.intents.get(intent_id)
        if intent is None:
            raise NotFound("There is no intent {id} in this workspace.", id=intent_id)
        return intent

    def put_intents(
        self, caller: Principal, intents: Sequence[Intent]
    ) -> list[Literal["created", "updated", "unchanged"]]:
        """Create or change intents; their examples count when this returns."""
        statuses: list[Literal["created", "updated", "unchanged"]] = []
        with self._store.writing(caller.workspace) as unit:
            for intent in intents:
                before = unit.intents.get(intent.id)
                if before == intent:
                    statuses.append("unchanged")
                    continue
                unit.intents.put(intent)
                unit.audit.append(caller.key_id, "intent.put", intent.id, {"examples": len(intent.examples)})
                statuses.append("created" if before is None else "updated")
        self._replicas.follow(caller.workspace)
        return statuses

    def remove_intent(self, caller: Principal, intent_id: str) -> None:
        with self._store.writing(caller.workspace) as unit:
            if not unit.intents.remove(intent_id):
                raise NotFound("There is no intent {id} in this workspace.", id=intent_id)
            unit.audit.append(caller.key_id, "intent.removed", intent_id, {})
        self._replicas.follow(caller.workspace)
