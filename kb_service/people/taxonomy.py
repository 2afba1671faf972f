"""The shop's own intents, as people declare them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from graph.models import Intent, IntentScore
from kb_service.errors import Conflict, NotFound, changed_meanwhile
from kb_service.models import Principal, Question
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.store import Page, Store, Unit
from kb_service.understanding.question_reading import read_question
from kb_service.understanding.reading import Reader

MOST_KEPT = 500
"""Examples of a removed intent that the audit keeps, by which it can be had back; of one with more it keeps none."""
MOST_NAMED = 20
"""Examples of a change that the audit spells out."""
SHOWN = 5
"""Intents that a trial lists."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How a message is read: its likeliest intents, best first, and whether none of them is meant."""

    scores: tuple[IntentScore, ...]
    out_of_scope: bool


class Taxonomy:
    """Intents of every workspace; a change counts when the call returns."""

    def __init__(
        self, store: Store, replicas: Replicas, reader: Reader, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._reader = reader
        self._clock = clock

    def intents(
        self, workspace: str, cursor: str | None, limit: int, *, q: str | None = None
    ) -> Page[Intent]:
        """The intents by id; with `q` those that hold it in their words or examples."""
        with self._store.reading(workspace) as unit:
            return unit.intents.page(cursor, limit, q=q)

    def intent(self, workspace: str, intent_id: str) -> Intent:
        with self._store.reading(workspace) as unit:
            intent = unit.intents.get(intent_id)
        if intent is None:
            raise _no_intent(intent_id)
        return intent

    def known(self, workspace: str, intent_id: str) -> bool:
        with self._store.reading(workspace) as unit:
            return unit.intents.get(intent_id) is not None

    def tried(self, workspace: str, text: str, draft: Intent | None = None) -> tuple[Tried, Tried | None]:
        """How a message is read now, and how it would be with an intent as drafted; nothing is stored."""
        replica = self._replicas.of(workspace)
        now = self._read(replica, text)
        return now, None if draft is None else self._read(replica.with_intent(draft), text)

    def put_intents(
        self, caller: Principal, intents: Sequence[Intent], *, over: Intent | None = None
    ) -> list[Literal["created", "updated", "unchanged"]]:
        """Create or change intents; their examples count when this returns.

        With `over`, one of them as it was known, only while it is as it was then: raises Conflict.
        """
        statuses: list[Literal["created", "updated", "unchanged"]] = []
        with self._store.writing(caller.workspace) as unit:
            if over is not None and unit.intents.get(over.id) != over:
                raise changed_meanwhile()
            for intent in intents:
                before = unit.intents.get(intent.id)
                if before == intent:
                    statuses.append("unchanged")
                    continue
                unit.intents.put(intent)
                unit.audit.append(caller.key_id, "intent.put", intent.id, _told(before, intent))
                statuses.append("created" if before is None else "updated")
        self._replicas.follow(caller.workspace)
        return statuses

    def remove_intent(self, caller: Principal, intent_id: str) -> None:
        """Remove an intent; the audit keeps what it was, so that `restore_intent` can take that back."""
        with self._store.writing(caller.workspace) as unit:
            before = unit.intents.get(intent_id)
            if before is None or not unit.intents.remove(intent_id):
                raise _no_intent(intent_id)
            kept = asdict(before) if len(before.examples) <= MOST_KEPT else {"examples": len(before.examples)}
            unit.audit.append(caller.key_id, "intent.removed", intent_id, {"was": kept})
        self._replicas.follow(caller.workspace)

    def restore_intent(self, caller: Principal, intent_id: str) -> Intent:
        """Take the removal of an intent back. Raises Conflict where it is there, NotFound where nothing was kept."""
        with self._store.writing(caller.workspace) as unit:
            if unit.intents.get(intent_id) is not None:
                raise Conflict("There is an intent {id} again; it was left as it is.", id=intent_id)
            intent = _kept(unit, intent_id)
            unit.intents.put(intent)
            unit.audit.append(caller.key_id, "intent.restored", intent_id, {"label": intent.label})
        self._replicas.follow(caller.workspace)
        return intent

    def _read(self, replica: Replica, text: str) -> Tried:
        understood = read_question(self._reader, replica, Question(text), self._clock()).understanding
        return Tried(understood.intents[:SHOWN], understood.out_of_scope)


def _no_intent(intent_id: str) -> NotFound:
    return NotFound("There is no intent {id} in this workspace.", id=intent_id)


def _kept(unit: Unit, intent_id: str) -> Intent:
    """The intent as its last removal kept it."""
    for entry in unit.audit.page(limit=200, action="intent.removed", object=intent_id).items:
        was = entry.detail.get("was", {})
        if entry.object == intent_id and isinstance(was.get("examples"), list):
            return Intent(**{**was, "examples": tuple(was["examples"])})
    raise _no_intent(intent_id)


def _told(before: Intent | None, after: Intent) -> dict[str, Any]:
    """What the audit keeps of a change: each field that differs, and of examples how many came and went, with some."""
    told: dict[str, Any] = {"examples": len(after.examples)}
    if before is None:
        return told | {"label": after.label}
    fields = ("label", "expertise", "description", "sensitive")
    changes = {
        field: {"from": getattr(before, field), "to": getattr(after, field)}
        for field in fields
        if getattr(before, field) != getattr(after, field)
    }
    added = [text for text in after.examples if text not in before.examples]
    gone = [text for text in before.examples if text not in after.examples]
    return (
        told
        | ({"changes": changes} if changes else {})
        | ({"added": added[:MOST_NAMED]} if added else {})
        | ({"removed": gone[:MOST_NAMED]} if gone else {})
    )
