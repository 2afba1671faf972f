"""What is remembered of problems: a few exemplars each, chosen to differ, a centroid, entity counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.errors import InvalidValue
from graph.models import Entity, Utterance
from graph.words import WordIndex

Floats: TypeAlias = NDArray[np.float64]

EXEMPLARS = 8
"""Messages kept of a problem, chosen to differ."""

_COPY = 0.97
"""Likeness from which a message adds nothing to an exemplar that is already kept."""
_DENSE = 0.75
"""Share of the vectors' cosine in the likeness of two messages that the encoder reads."""
_KINDS = {"sku": "product", "product": "product", "carrier": "carrier", "campaign": "campaign"}
"""Entities that tell problems apart; a product and its SKU are one kind."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A message as an instance of a problem, with the entities it names; `at` is event time."""

    utterance: Utterance
    entities: tuple[Entity, ...] = ()
    at: datetime | None = None
    event_id: str | None = None


@dataclass(slots=True)
class ProblemSummary:
    """What is known of one problem; `rows` point into the matcher's arrays, one a kept message.

    `likeness[i][j]` compares kept messages i and j; its diagonal is 0.
    """

    slot: int
    rows: list[int] = field(default_factory=list)
    kept: list[Instance] = field(default_factory=list)
    likeness: list[list[float]] = field(default_factory=list)
    total: Floats | None = None
    messages: int = 0
    active_at: datetime | None = None
    entities: dict[str, Counter[str]] = field(default_factory=dict)


class ProblemMemory:
    """Problems by id, each with its exemplars in growable arrays; a removed problem's places are used again.

    Only `join`, `merge`, `remove`, `remove_event` and `rebuild` change it. One writer at a time; no reader
    beside a writer.
    """

    def __init__(self, *, reads: frozenset[str] = frozenset({"en"})) -> None:
        self._reads = reads
        self._model_id: str | None = None
        self._index = WordIndex()
        self._states: dict[str, ProblemSummary] = {}
        self._ids: list[str] = []
        self._free: list[int] = []
        self._placed = 0
        self._by_event: dict[str, str] = {}
        self._vectors: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._centroids: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._read: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._owner: NDArray[np.intp] = np.zeros(0, dtype=np.intp)

    def __len__(self) -> int:
        """Problems now known."""
        return len(self._states)

    def __contains__(self, problem_id: str) -> bool:
        return problem_id in self._states

    def exemplars(self, problem_id: str) -> tuple[Instance, ...]:
        """The kept messages of a problem, in the order in which they were kept; empty when it is unknown."""
        state = self._states.get(problem_id)
        return tuple(state.kept) if state else ()

    def rarity(self, token: str) -> float:
        """How telling a word is among the kept messages (idf); for `graph.naming.name_problem`."""
        return self._index.rarity(token)

    def entities(self, problem_id: str) -> Mapping[str, Mapping[str, int]]:
        """How many messages of a problem named each product, carrier and campaign, by kind of entity."""
        state = self._states.get(problem_id)
        return {kind: dict(counts) for kind, counts in state.entities.items()} if state else {}

    def check(self, utterance: Utterance) -> None:
        """Raise InvalidValue for a vector of another model than the problems' own."""
        if self._model_id is not None and utterance.model_id != self._model_id:
            raise InvalidValue(
                "utterance",
                f"its vector is of model {utterance.model_id!r}, the problems' are of {self._model_id!r}; "
                "embed it with the same model or rebuild the matcher",
            )

    def join(
        self,
        problem_id: str,
        utterance: Utterance,
        entities: Sequence[Entity] = (),
        at: datetime | None = None,
        *,
        event_id: str | None = None,
    ) -> bool:
        """Count a message as an instance of a problem, known or new; True when it became an exemplar."""
        self.check(utterance)
        self._model_id = utterance.model_id
        state = self._states.get(problem_id) or self._open(problem_id, len(utterance.vector))
        state.messages += 1
        state.active_at = _later(state.active_at, at)
        for kind, values in telling(entities).items():
            state.entities.setdefault(kind, Counter()).update(values)
        if utterance.language in self._reads:
            self._shift(state, utterance.vector.astype(np.float64))
        return self._keep(problem_id, state, Instance(utterance, tuple(entities), at, event_id))

    def merge(self, old: str, into: str) -> None:
        """Let one problem take up another; the exemplars of both compete for the places. Unknown ids:
        nothing."""
        gone, state = self._states.get(old), self._states.get(into)
        if gone is None or state is None or old == into:
            return
        self.remove(old)
        state.messages += gone.messages
        state.active_at = _later(state.active_at, gone.active_at)
        for kind, counts in gone.entities.items():
            state.entities.setdefault(kind, Counter()).update(counts)
        if gone.total is not None:
            self._shift(state, gone.total)
        for instance in gone.kept:
            self._keep(into, state, instance)

    def remove(self, problem_id: str) -> bool:
        """Forget a problem; False when it was not known."""
        state = self._states.pop(problem_id, None)
        if state is None:
            return False
        for row, instance in zip(state.rows, state.kept, strict=True):
            self._index.remove(row)
            self._by_event.pop(instance.event_id or "", None)
        self._placed -= state.total is not None
        self._centroids[state.slot] = 0.0
        self._ids[state.slot] = ""
        self._free.append(state.slot)
        return True

    def remove_event(self, event_id: str) -> bool:
        """Forget the exemplar that a message became; False when it is none.

        A message that is no exemplar leaves nothing but its share in a centroid and in counts; `rebuild` the
        problem from its other messages to take that away too. A problem whose last exemplar goes is removed.
        """
        problem_id = self._by_event.get(event_id)
        if problem_id is None:
            return False
        state = self._states[problem_id]
        place = next(i for i, instance in enumerate(state.kept) if instance.event_id == event_id)
        gone = state.kept[place]
        if len(state.kept) == 1:
            return self.remove(problem_id)
        self._drop(state, place)
        state.messages -= 1
        for kind, values in telling(gone.entities).items():
            state.entities[kind].subtract(values)
        if gone.utterance.language in self._reads:
            self._shift(state, -gone.utterance.vector.astype(np.float64))
        return True

    def rebuild(self, problem_id: str, messages: Iterable[Instance]) -> None:
        """Learn a problem anew from its messages in order: after a split, an unmerge or an erasure."""
        self.remove(problem_id)
        for message in messages:
            self.join(problem_id, message.utterance, message.entities, message.at, event_id=message.event_id)

    def _open(self, problem_id: str, dimension: int) -> ProblemSummary:
        slot = self._free.pop() if self._free else len(self._ids)
        if slot == len(self._ids):
            self._ids.append("")
            if slot >= len(self._centroids):
                self._centroids = _grown(self._centroids, dimension)
        self._ids[slot] = problem_id
        state = self._states[problem_id] = ProblemSummary(slot)
        return state

    def _shift(self, state: ProblemSummary, by: Floats) -> None:
        """Move the problem's centroid."""
        self._placed += state.total is None
        state.total = by if state.total is None else state.total + by
        length = float(np.linalg.norm(state.total))
        self._centroids[state.slot] = state.total / length if length > 1e-9 else 0.0

    def _keep(self, problem_id: str, state: ProblemSummary, instance: Instance) -> bool:
        """Make room for a message if that makes the exemplars differ more; near copies are not kept."""
        likeness = [self._alike(instance.utterance, kept.utterance) for kept in state.kept]
        if max(likeness, default=0.0) >= _COPY:
            return False
        if len(state.kept) >= EXEMPLARS:
            pairs = ((state.likeness[i][j], i, j) for i in range(EXEMPLARS) for j in range(i))
            closest, first, second = max(pairs)
            if max(likeness) >= closest:
                return False
            crowded = sum(state.likeness[first]) >= sum(state.likeness[second])
            place = first if crowded else second
            self._drop(state, place)
            del likeness[place]
        self._add(state, instance, likeness)
        if instance.event_id is not None:
            self._by_event[instance.event_id] = problem_id
        return True

    def _alike(self, left: Utterance, right: Utterance) -> float:
        words = self._index.cosine(left.tokens, right.tokens)
        if left.language in self._reads and right.language in self._reads:
            return _DENSE * float(left.vector @ right.vector) + (1 - _DENSE) * words
        return words

    def _add(self, state: ProblemSummary, instance: Instance, likeness: list[float]) -> None:
        utterance = instance.utterance
        row = self._index.add(utterance.tokens)
        if row >= len(self._vectors):
            self._vectors = _grown(self._vectors, len(utterance.vector))
            self._read = np.resize(self._read, len(self._vectors))
            self._owner = np.resize(self._owner, len(self._vectors))
        self._vectors[row] = utterance.vector
        self._read[row] = utterance.language in self._reads
        self._owner[row] = state.slot
        for kept, value in zip(state.likeness, likeness, strict=True):
            kept.append(value)
        state.likeness.append([*likeness, 0.0])
        state.rows.append(row)
        state.kept.append(instance)

    def _drop(self, state: ProblemSummary, place: int) -> None:
        self._index.remove(state.rows.pop(place))
        self._by_event.pop(state.kept.pop(place).event_id or "", None)
        del state.likeness[place]
        for kept in state.likeness:
            del kept[place]


def _grown(matrix: NDArray[np.float32], dimension: int) -> NDArray[np.float32]:
    grown = np.zeros((max(64, 2 * len(matrix)), dimension), np.float32)
    if len(matrix):
        grown[: len(matrix)] = matrix
    return grown


def _later(first: datetime | None, second: datetime | None) -> datetime | None:
    if first is None or second is None:
        return first or second
    return max(first, second)


def telling(entities: Iterable[Entity]) -> dict[str, list[str]]:
    """The distinct values that tell problems apart, by kind."""
    found: dict[str, list[str]] = {}
    for entity in entities:
        kind = _KINDS.get(entity.type)
        if kind and entity.value not in found.setdefault(kind, []):
            found[kind].append(entity.value)
    return found
