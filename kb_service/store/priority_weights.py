"""Weights of the priority that escalations taught, and those that people put in force, one entry after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import func, insert, select

from kb_service.store import tables
from kb_service.store.repository import Repository

WeightsKind: TypeAlias = Literal["proposed", "applied", "rolled_back"]

_weights = tables.priority_weights
_NAMES = ("id", "at", "kind", "weights", "before", "evidence", "actor", "of_id")


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """One entry; none is ever changed.

    A `proposed` one holds points by factor and, in `evidence`, the figures that speak for them; nobody is served by
    it. An `applied` one put the weights of the proposal `of_id` into the shop's rules, a `rolled_back` one took the
    application `of_id` back. `before` is what the rules said before: their `priority_weights`, as they stood.
    """

    id: str
    at: datetime
    kind: WeightsKind
    weights: Mapping[str, float]
    before: Mapping[str, float]
    evidence: Mapping[str, Any]
    actor: str
    of_id: str | None = None


class PriorityWeights(Repository):
    """Append-only. The weights in force are those of the rules: an entry tells how they came there."""

    table = _weights

    def add(self, entry: StoredWeights) -> None:
        """Appends an entry; its id is new."""
        row: dict[str, Any] = {name: getattr(entry, name) for name in _NAMES}
        for name in ("weights", "before", "evidence"):
            row[name] = dict(row[name])
        latest = self._read(select(func.max(_weights.c.ordinal)).where(self._mine())).scalar()
        self._write(insert(_weights), [row | {"workspace": self.workspace, "ordinal": int(latest or 0) + 1}])

    def get(self, id: str) -> StoredWeights | None:
        row = self._read(select(_weights).where(self._mine(), _weights.c.id == id)).first()
        return None if row is None else _entry(row)

    def all(self, limit: int | None = None) -> tuple[StoredWeights, ...]:
        """The entries, the newest first."""
        statement = select(_weights).where(self._mine()).order_by(_weights.c.ordinal.desc())
        return tuple(map(_entry, self._read(statement.limit(limit))))


def _entry(row: Any) -> StoredWeights:
    return StoredWeights(**{name: getattr(row, name) for name in _NAMES})
