"""Expertise as it was learned last, and what people pinned of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from graph.models import Expertise
from kb_service.store import tables
from kb_service.store.repository import Repository

_clusters = tables.expertise
_pins = tables.expertise_pins
_jobs = tables.jobs
_LEARNING = "expertise_learned"
_LISTS = ("intent_ids", "problem_ids", "agent_ids")


@dataclass(frozen=True, slots=True)
class ExpertisePin:
    """What people decided of one cluster: its name, and what belongs to it whatever is learned."""

    id: str
    name: str | None
    intent_ids: tuple[str, ...]
    problem_ids: tuple[str, ...]
    agent_ids: tuple[str, ...]
    actor: str
    pinned_at: datetime

    @property
    def empty(self) -> bool:
        return self.name is None and not (self.intent_ids or self.problem_ids or self.agent_ids)


class Clusters(Repository):
    """The clusters of the last learning, so that ids and names last and every process sees the same."""

    table = _clusters

    def all(self) -> tuple[Expertise, ...]:
        """What was learned last, by id; `agent_ids` are those whom outcomes brought in, not the declared ones."""
        rows = self._read(select(_clusters).where(self._mine()).order_by(_clusters.c.id))
        return tuple(
            Expertise(row.id, row.name, *(tuple(getattr(row, name)) for name in _LISTS)) for row in rows
        )

    def learnt_from(self) -> int:
        """How many outcomes the last learning saw, whatever it found; 0 before the first."""
        noted = select(_jobs.c.seen).where(self._mine(_jobs), _jobs.c.name == _LEARNING)
        # Learnings of earlier versions are known by what they found only.
        found = select(func.max(_clusters.c.outcomes)).where(self._mine())
        return int(self._read(noted).scalar() or self._read(found).scalar() or 0)

    def replace(self, clusters: Sequence[Expertise], outcomes: int) -> None:
        """Stores a learning over the one before; `outcomes` is how many it saw.

        One that found what was known already is no change.
        """
        learning = {"workspace": self.workspace, "name": _LEARNING, "at": self._scope.now, "seen": outcomes}
        self._upsert(learning, _jobs)
        if self.all() == tuple(sorted(clusters, key=lambda cluster: cluster.id)):
            return
        self._write(delete(_clusters).where(self._mine()))
        self._upsert_many(
            [
                {name: list(getattr(cluster, name)) for name in _LISTS}
                | {"workspace": self.workspace, "id": cluster.id, "name": cluster.name}
                | {"outcomes": outcomes, "made_at": self._scope.now}
                for cluster in clusters
            ]
        )
        self._log("expertise", self.workspace)

    def pins(self) -> tuple[ExpertisePin, ...]:
        """Everything that is pinned, by the id of the cluster."""
        rows = self._read(select(_pins).where(self._mine(_pins)).order_by(_pins.c.id))
        return tuple(map(_pin, rows))

    def put_pin(self, pin: ExpertisePin) -> None:
        """Stores what is pinned of a cluster, over what was; an empty pin takes it back."""
        if pin.empty:
            self._write(delete(_pins).where(self._mine(_pins), _pins.c.id == pin.id))
        else:
            row: dict[str, Any] = {name: list(getattr(pin, name)) for name in _LISTS}
            row |= {name: getattr(pin, name) for name in ("id", "name", "actor", "pinned_at")}
            self._upsert(row | {"workspace": self.workspace}, _pins)
        self._log("expertise", pin.id)


def _pin(row: Any) -> ExpertisePin:
    lists = {name: tuple(getattr(row, name)) for name in _LISTS}
    return ExpertisePin(id=row.id, name=row.name, actor=row.actor, pinned_at=row.pinned_at, **lists)
