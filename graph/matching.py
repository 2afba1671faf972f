"""Which problem a message belongs to, online: exemplars, centroids, words and entities into P(same problem)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.errors import InvalidValue
from graph.models import Entity, Match, Utterance
from graph.words import WordIndex, is_content

Floats: TypeAlias = NDArray[np.float64]
Channel: TypeAlias = Literal["meaning", "words"]

EXEMPLARS = 8
"""Messages kept of a problem, chosen to differ."""

_USUAL: dict[Channel, tuple[float, float]] = {"meaning": (0.2, 5.0), "words": (0.04, 20.0)}
_SHORTLIST = 32
"""Problems looked at closely: the nearest by centroid and as many by words."""
_COPY = 0.97
"""Likeness from which a message adds nothing to an exemplar that is already kept."""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Log-odds of "same problem" for one channel, fitted on public streams; entities and age by judgement."""

    features: tuple[float, ...]
    intercept: float
    same: float = 1.5
    conflict: float = -4.0
    age: float = -0.15


COEFFICIENTS: dict[Channel, Coefficients] = {
    "meaning": Coefficients((1, 1, 1, 1, 1, 0, 0), -3),
    "words": Coefficients((1, 1, 1, 0, 0), -3),
}


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A message kept as an instance of its problem."""

    utterance: Utterance
    event_id: str | None
    at: datetime


@dataclass(slots=True)
class _State:
    """What is known of one problem; rows point into the matcher's arrays."""

    slot: int
    rows: list[int] = field(default_factory=list)
    exemplars: list[Exemplar] = field(default_factory=list)
    likeness: list[list[float]] = field(default_factory=list)
    total: Floats | None = None
    messages: int = 0
    active_at: datetime | None = None
    entities: dict[str, Counter[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A problem that a message may belong to, with what speaks for it.

    `nearest` is the cosine to the nearest exemplar (by meaning, or by words where the encoder does not read),
    `same` and `conflict` (0 to 1) say how far products, carriers and campaigns agree or contradict.
    """

    problem_id: str
    probability: float
    nearest: float
    same: float
    conflict: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """P(same) from which a message joins, and below which it opens a new problem."""

    join: float
    new: float


THRESHOLDS: dict[Channel, Thresholds] = {
    "meaning": Thresholds(join=0.75, new=0.5),
    "words": Thresholds(join=0.75, new=0.5),
}


def says_something(utterance: Utterance) -> bool:
    return any(map(is_content, utterance.tokens))


class ProblemMatcher:
    """Online grouping of messages by problem; state changes only by `join`, `merge`, `remove_*` and `rebuild`.

    The same calls in the same order give the same state and the same answers, whatever the process. Vectors
    speak for languages in `reads`, words for all. Not safe for concurrent writers; readers of a state that
    nobody changes may be many.
    """

    def __init__(self, *, reads: frozenset[str] = frozenset({"en"})) -> None:
        self._reads = reads
        self._model_id: str | None = None
        self._index = WordIndex()
        self._states: dict[str, _State] = {}
        self._ids: list[str | None] = []
        self._free: list[int] = []
        self._placed = 0
        self._by_event: dict[str, str] = {}
        self._vectors: NDArray[np.float32] = np.zeros((0, 0), np.float32)
        self._read: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._owner: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._centroids: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def __len__(self) -> int:
        """Problems now known."""
        return len(self._states)

    def __contains__(self, problem_id: str) -> bool:
        return problem_id in self._states

    def exemplars(self, problem_id: str) -> tuple[Exemplar, ...]:
        """The kept messages of a problem, in the order in which they were kept; empty when it is unknown."""
        state = self._states.get(problem_id)
        return tuple(state.exemplars) if state else ()

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
        self._check(utterance)
        state = self._states.get(problem_id) or self._open(problem_id, len(utterance.vector))
        state.messages += 1
        if at is not None:
            state.active_at = at if state.active_at is None else max(at, state.active_at)
        for kind, values in _values(entities).items():
            state.entities.setdefault(kind, Counter()).update(values)
        if utterance.language in self._reads:
            self._shift(state, utterance.vector)
        return self._keep(problem_id, state, Exemplar(utterance, event_id, at))

    def _check(self, utterance: Utterance) -> None:
        if self._model_id is None:
            self._model_id = utterance.model_id
        if utterance.model_id != self._model_id:
            raise InvalidValue(
                "utterance", f"vector of model {utterance.model_id!r}, problems of {self._model_id!r}; embed it anew"
            )

    def _open(self, problem_id: str, dimension: int) -> _State:
        slot = self._free.pop() if self._free else len(self._ids)
        if slot == len(self._ids):
            self._ids.append(None)
            if slot >= len(self._centroids):
                self._centroids = _grown(self._centroids, dimension)
        self._ids[slot] = problem_id
        state = self._states[problem_id] = _State(slot)
        return state

    def _shift(self, state: _State, vector: NDArray[np.float32]) -> None:
        """Move the problem's centroid by one more message."""
        self._placed += state.total is None
        state.total = vector.astype(np.float64) if state.total is None else state.total + vector
        length = float(np.linalg.norm(state.total))
        self._centroids[state.slot] = state.total / length if length else 0.0

    # --- exemplars ---

    def _keep(self, problem_id: str, state: _State, exemplar: Exemplar) -> bool:
        """Make room for a message if that makes the exemplars differ more; near copies are not kept."""
        likeness = [self._alike(exemplar.utterance, kept.utterance) for kept in state.exemplars]
        if likeness and max(likeness) >= _COPY:
            return False
        if len(state.exemplars) >= EXEMPLARS:
            closest, pair = max(
                (state.likeness[i][j], (i, j)) for i in range(EXEMPLARS) for j in range(i)
            )
            if max(likeness) >= closest:
                return False
            first, second = pair
            place = first if sum(state.likeness[first]) >= sum(state.likeness[second]) else second
            self._drop(state, place)
            del likeness[place]
        self._add(problem_id, state, exemplar, likeness)
        return True

    def _alike(self, left: Utterance, right: Utterance) -> float:
        words = self._index.cosine(left.tokens, right.tokens)
        if left.language in self._reads and right.language in self._reads:
            return 0.75 * float(left.vector @ right.vector) + 0.25 * words
        return words

    def _add(self, problem_id: str, state: _State, exemplar: Exemplar, likeness: list[float]) -> None:
        row = self._index.add(exemplar.utterance.tokens)
        if row >= len(self._vectors):
            self._vectors = _grown(self._vectors, len(exemplar.utterance.vector))
            self._read = np.concatenate([self._read, np.zeros(len(self._vectors) - len(self._read), dtype=bool)])
            more = np.zeros(len(self._vectors) - len(self._owner), dtype=np.intp)
            self._owner = np.concatenate([self._owner, more])
        self._vectors[row] = exemplar.utterance.vector
        self._read[row] = exemplar.utterance.language in self._reads
        self._owner[row] = state.slot
        for kept, value in zip(state.likeness, likeness, strict=True):
            kept.append(value)
        state.likeness.append([*likeness, 0.0])
        state.rows.append(row)
        state.exemplars.append(exemplar)
        if exemplar.event_id is not None:
            self._by_event[exemplar.event_id] = problem_id

    def _drop(self, state: _State, place: int) -> None:
        self._index.remove(state.rows.pop(place))
        gone = state.exemplars.pop(place)
        if gone.event_id is not None:
            self._by_event.pop(gone.event_id, None)
        del state.likeness[place]
        for kept in state.likeness:
            del kept[place]

    # --- matching ---

    def candidates(
        self, utterance: Utterance, entities: Sequence[Entity] = (), at: datetime | None = None
    ) -> tuple[Candidate, ...]:
        """Up to ten problems that the message may belong to, the likeliest first. Changes nothing."""
        if self._model_id is not None:
            self._check(utterance)
        cosines = self._index.cosines(utterance.tokens)
        channel: Channel = "meaning" if utterance.language in self._reads else "words"
        slots = self._shortlist(utterance, cosines, channel)
        if not len(slots):
            return ()
        states = [self._states[self._ids[slot] or ""] for slot in slots]
        features, nearest = self._features(utterance, cosines, channel, states)
        same, conflict = _agreement(_values(entities), states)
        days = np.array([_days(state.active_at, at) for state in states])
        weights = COEFFICIENTS[channel]
        logits = features @ np.array(weights.features) + weights.intercept
        logits += weights.same * same + weights.conflict * conflict + weights.age * np.log1p(days)
        probabilities = 0.5 * (1.0 + np.tanh(0.5 * logits))
        order = np.lexsort((slots, -probabilities))[:10]
        return tuple(
            Candidate(
                self._ids[slots[i]] or "", float(probabilities[i]), float(nearest[i]), float(same[i]), float(conflict[i])
            )
            for i in order
        )

    def match(
        self, utterance: Utterance, entities: Sequence[Entity] = (), at: datetime | None = None
    ) -> Match:
        """Where a message belongs, without changing anything: call `join` with what was decided.

        "joined": P(same) is high and clear of the runner-up. "new": no problem is near. "pending": between the
        two; `problem_id` is provisional, to be tried again when more is known. "not_a_problem": small talk.
        """
        if not says_something(utterance):
            return Match(None, "not_a_problem", 0.0, 0.0)
        found = self.candidates(utterance, entities, at)
        score = found[0].probability if found else 0.0
        runner_up = found[1].probability if len(found) > 1 else 0.0
        limits = THRESHOLDS["meaning" if utterance.language in self._reads else "words"]
        if score < limits.new:
            return Match(None, "new", score, runner_up)
        if score >= limits.join:
            return Match(found[0].problem_id, "joined", score, runner_up)
        return Match(found[0].problem_id, "pending", score, runner_up, pending=True)

    def _shortlist(self, utterance: Utterance, cosines: Floats, channel: Channel) -> NDArray[np.intp]:
        """Slots worth a closer look, ascending: the nearest by words and, where read, by centroid."""
        rows = np.flatnonzero(cosines > 0.0)
        if len(rows) > 2 * _SHORTLIST:
            rows = rows[np.argpartition(-cosines[rows], 2 * _SHORTLIST)[: 2 * _SHORTLIST]]
        slots = self._owner[rows]
        if channel == "meaning" and self._ids:
            likeness = self._centroids[: len(self._ids)] @ utterance.vector
            near = np.arange(len(likeness))
            if len(near) > _SHORTLIST:
                near = np.argpartition(-likeness, _SHORTLIST)[:_SHORTLIST]
            slots = np.concatenate([slots, near[likeness[near] > 0.0]])
        return np.unique(slots)

    def _background(self, utterance: Utterance, cosines: Floats, channel: Channel) -> float:
        """How near the message stands to problems in general, so that one domain's thresholds fit another's."""
        usual, weight = _USUAL[channel]
        if channel == "words":
            return (float(cosines.sum()) + weight * usual) / (len(self._index) + weight)
        total = float((self._centroids[: len(self._ids)] @ utterance.vector).sum())
        return (total + weight * usual) / (self._placed + weight)

    def _features(
        self, utterance: Utterance, cosines: Floats, channel: Channel, states: Sequence[_State]
    ) -> tuple[Floats, Floats]:
        """One row of features a problem (see `COEFFICIENTS`), and the cosine to its nearest exemplar."""
        rows = np.array([row for state in states for row in state.rows], dtype=np.intp)
        sizes = np.array([len(state.rows) for state in states])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        words = cosines[rows]
        words_max = np.maximum.reduceat(words, starts)
        size = np.log1p(np.array([state.messages for state in states]))
        said = min(sum(map(is_content, utterance.tokens)), 8) / 8
        length = np.full(len(states), said)
        background = self._background(utterance, cosines, channel)
        if channel == "words":
            lengths = np.sqrt([len(s.rows) + sum(map(sum, s.likeness)) for s in states])
            prototype = np.add.reduceat(words, starts) / lengths
            return np.stack([words_max, prototype, words_max - background, size, length], axis=1), words_max
        dense = np.where(self._read[rows], self._vectors[rows] @ utterance.vector, 0.0)
        nearest = np.maximum.reduceat(dense, starts)
        mean = np.add.reduceat(dense, starts) / sizes
        centroid = self._centroids[[state.slot for state in states]] @ utterance.vector
        columns = [nearest, mean, centroid, words_max, nearest - background, size, length]
        return np.stack(columns, axis=1), nearest


def _grown(matrix: NDArray[np.float32], dimension: int) -> NDArray[np.float32]:
    grown = np.zeros((max(64, 2 * len(matrix)), dimension), np.float32)
    if len(matrix):
        grown[: len(matrix)] = matrix
    return grown


def _days(since: datetime | None, now: datetime | None) -> float:
    if since is None or now is None:
        return 0.0
    return max(0.0, (now - since).total_seconds() / 86_400)


def _values(entities: Iterable[Entity]) -> dict[str, list[str]]:
    """The distinct values that tell problems apart, by kind; a product and its SKU are one kind."""
    kinds = {"sku": "product", "product": "product", "carrier": "carrier", "campaign": "campaign"}
    found: dict[str, list[str]] = {}
    for entity in entities:
        kind = kinds.get(entity.type)
        if kind and entity.value not in found.setdefault(kind, []):
            found[kind].append(entity.value)
    return found


def _agreement(values: dict[str, list[str]], states: Sequence[_State]) -> tuple[Floats, Floats]:
    """How far each problem's entities agree with and contradict a message's, 0 to 1 each.

    A problem that is about one product contradicts another product; one that spreads over many does not.
    """
    same, conflict = np.zeros(len(states)), np.zeros(len(states))
    for kind, wanted in values.items():
        for place, state in enumerate(states):
            counts = state.entities.get(kind)
            if not counts:
                continue
            share = max(counts[value] for value in wanted) / (counts.total() + 1)
            if share:
                same[place] = max(same[place], share)
            else:
                conflict[place] = max(conflict[place], max(counts.values()) / (counts.total() + 1))
    return same, conflict
