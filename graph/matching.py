"""Which problem a message belongs to, online: exemplars, centroids, words and entities into P(same problem)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.errors import InvalidValue
from graph.handover import small_talk
from graph.models import Entity, Match, Utterance
from graph.words import WordIndex, is_content

Floats: TypeAlias = NDArray[np.float64]
Channel: TypeAlias = Literal["meaning", "words"]

EXEMPLARS = 8
"""Messages kept of a problem, chosen to differ."""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Log-odds of "same problem" in one channel, and the probabilities from which to join or to open a new one.

    `features` weigh, by meaning: cosine to the nearest exemplar, to the centroid, of the words, nearest above
    background, log(1 + messages), length of the message; by words: the nearest, the prototype, nearest above
    background, log(1 + messages), length.
    """

    features: tuple[float, ...]
    intercept: float
    join: float
    new: float
    same: float = 1.5
    conflict: float = -4.0
    age: float = -0.15


COEFFICIENTS: Mapping[Channel, Coefficients] = {
    "meaning": Coefficients((0.5, 5.5, 2.4, 3.0, 0.1, 0.3), -5.0, join=0.6, new=0.45),
    "words": Coefficients((1.0, 7.0, 2.0, 0.2, 0.0), -2.0, join=0.6, new=0.4),
}
"""Fitted on streams of labelled messages (half of the labels of BANKING77, HWU64 and SMP2019, the first part of
News-T) and rounded; weights of entities and age are by judgement, since no public stream has either. The
thresholds lean to splitting, because two problems in one hide an incident and two of one can be merged."""

_USUAL: Mapping[Channel, tuple[float, float]] = {"meaning": (0.2, 5.0), "words": (0.04, 20.0)}
"""Background cosine while there are few problems, and how many problems it weighs."""
_SHORTLIST = 32
"""Problems looked at closely: the nearest by centroid, and those of twice as many exemplars by words."""
_COPY = 0.97
"""Likeness from which a message adds nothing to an exemplar that is already kept."""
_TOLD = 10
_DENSE = 0.75
_KINDS = {"sku": "product", "product": "product", "carrier": "carrier", "campaign": "campaign"}
"""Entities that tell problems apart; a product and its SKU are one kind."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A message as an instance of a problem; `entities` are those of the whole message, `at` is event time."""

    utterance: Utterance
    entities: tuple[Entity, ...] = ()
    at: datetime | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A problem that a message may belong to, with what speaks for it.

    `nearest` is the cosine to the nearest exemplar (by meaning, or by words where the encoder does not read);
    `same` and `conflict` (0 to 1) say how far products, carriers and campaigns agree or contradict.
    """

    problem_id: str
    probability: float
    nearest: float
    same: float
    conflict: float


@dataclass(slots=True)
class _State:
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


def says_something(utterance: Utterance) -> bool:
    """Whether a message can be an instance of a problem: it is no small talk and holds a telling word."""
    return any(map(is_content, utterance.tokens)) and not small_talk(utterance.text, utterance.language)


class ProblemMatcher:
    """Online grouping of messages by problem; only `join`, `merge`, `remove`, `remove_event`, `rebuild` change it.

    The same calls in the same order give the same state and the same answers in any process. Vectors speak for
    languages in `reads`, words for all. A match and a join take under 1 ms at 3,000 problems of 8 exemplars.
    One writer at a time; no reader beside a writer.
    """

    def __init__(self, *, reads: frozenset[str] = frozenset({"en"})) -> None:
        self._reads = reads
        self._model_id: str | None = None
        self._index = WordIndex()
        self._states: dict[str, _State] = {}
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

    # --- asking ---

    def match(
        self, utterance: Utterance, entities: Sequence[Entity] = (), at: datetime | None = None
    ) -> Match:
        """Where a message belongs, without changing anything: call `join` with what was decided.

        "joined": P(same) is high. "new": no problem is near. "pending": between the two; `problem_id` is
        provisional, to be tried again when more is known. "not_a_problem": small talk or nothing telling.
        """
        if not says_something(utterance):
            return Match(None, "not_a_problem", 0.0, 0.0)
        found = self.candidates(utterance, entities, at)
        score = found[0].probability if found else 0.0
        runner_up = found[1].probability if len(found) > 1 else 0.0
        limits = COEFFICIENTS[self._channel(utterance)]
        if score < limits.new:
            return Match(None, "new", score, runner_up)
        if score >= limits.join:
            return Match(found[0].problem_id, "joined", score, runner_up)
        return Match(found[0].problem_id, "pending", score, runner_up, pending=True)

    def candidates(
        self, utterance: Utterance, entities: Sequence[Entity] = (), at: datetime | None = None
    ) -> tuple[Candidate, ...]:
        """Up to ten problems that the message may belong to, the likeliest first. Changes nothing."""
        self._check(utterance)
        channel = self._channel(utterance)
        words = self._index.cosines(utterance.tokens)
        centroids = (
            self._centroids[: len(self._ids)] @ utterance.vector
            if channel == "meaning" and self._ids
            else np.zeros(len(self._ids))
        )
        slots = self._shortlist(words, centroids)
        if not len(slots):
            return ()
        states = [self._states[self._ids[slot]] for slot in slots]
        features = self._features(utterance, channel, states, words, centroids)
        same, conflict = _agreement(_values(entities), states)
        days = np.array([_days(state.active_at, at) for state in states])
        weights = COEFFICIENTS[channel]
        logits = features @ np.array(weights.features) + weights.intercept
        logits += weights.same * same + weights.conflict * conflict + weights.age * np.log1p(days)
        probabilities = 0.5 * (1.0 + np.tanh(0.5 * logits))
        return tuple(
            Candidate(
                self._ids[slots[i]],
                float(probabilities[i]),
                float(features[i, 0]),
                float(same[i]),
                float(conflict[i]),
            )
            for i in np.lexsort((slots, -probabilities))[:_TOLD]
        )

    def _channel(self, utterance: Utterance) -> Channel:
        return "meaning" if utterance.language in self._reads else "words"

    def _check(self, utterance: Utterance) -> None:
        if self._model_id is not None and utterance.model_id != self._model_id:
            raise InvalidValue(
                "utterance",
                f"its vector is of model {utterance.model_id!r}, the problems' are of {self._model_id!r}; "
                "embed it with the same model or rebuild the matcher",
            )

    def _shortlist(self, words: Floats, centroids: NDArray[np.floating]) -> NDArray[np.intp]:
        """Slots worth a closer look, ascending: the nearest by words and, where read, by centroid."""
        rows = np.flatnonzero(words > 0.0)
        if len(rows) > 2 * _SHORTLIST:
            rows = rows[np.argpartition(-words[rows], 2 * _SHORTLIST)[: 2 * _SHORTLIST]]
        near = np.flatnonzero(centroids > 0.0)
        if len(near) > _SHORTLIST:
            near = near[np.argpartition(-centroids[near], _SHORTLIST)[:_SHORTLIST]]
        return np.unique(np.concatenate([self._owner[rows], near]))

    def _features(
        self,
        utterance: Utterance,
        channel: Channel,
        states: Sequence[_State],
        words: Floats,
        centroids: NDArray[np.floating],
    ) -> Floats:
        """One row a problem, columns as in `Coefficients`; the first is the cosine to the nearest exemplar."""
        rows = np.array([row for state in states for row in state.rows], dtype=np.intp)
        starts = np.cumsum([0] + [len(state.rows) for state in states[:-1]])
        by_words = np.maximum.reduceat(words[rows], starts)
        size = np.log1p([state.messages for state in states])
        length = np.full(len(states), min(sum(map(is_content, utterance.tokens)), 8) / 8)
        usual, weight = _USUAL[channel]
        if channel == "words":
            lengths = np.sqrt([len(state.rows) + sum(map(sum, state.likeness)) for state in states])
            prototype = np.add.reduceat(words[rows], starts) / lengths
            background = (float(words.sum()) + weight * usual) / (len(self._index) + weight)
            return np.stack([by_words, prototype, by_words - background, size, length], axis=1)
        dense = np.where(self._read[rows], self._vectors[rows] @ utterance.vector, 0.0)
        nearest = np.maximum.reduceat(dense, starts)
        background = (float(centroids.sum()) + weight * usual) / (self._placed + weight)
        centroid = centroids[[state.slot for state in states]]
        return np.stack([nearest, centroid, by_words, nearest - background, size, length], axis=1)

    # --- telling ---

    def entities(self, problem_id: str) -> Mapping[str, Mapping[str, int]]:
        """How many messages of a problem named each product, carrier and campaign, by kind of entity."""
        state = self._states.get(problem_id)
        return {kind: dict(counts) for kind, counts in state.entities.items()} if state else {}

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
        self._model_id = utterance.model_id
        state = self._states.get(problem_id) or self._open(problem_id, len(utterance.vector))
        state.messages += 1
        state.active_at = _later(state.active_at, at)
        for kind, values in _values(entities).items():
            state.entities.setdefault(kind, Counter()).update(values)
        if utterance.language in self._reads:
            self._shift(state, utterance.vector.astype(np.float64))
        return self._keep(problem_id, state, Instance(utterance, tuple(entities), at, event_id))

    def merge(self, old: str, into: str) -> None:
        """Let one problem take up another; the exemplars of both compete for the places. Unknown ids: nothing."""
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
        for kind, values in _values(gone.entities).items():
            state.entities[kind].subtract(values)
        if gone.utterance.language in self._reads:
            self._shift(state, -gone.utterance.vector.astype(np.float64))
        return True

    def rebuild(self, problem_id: str, messages: Iterable[Instance]) -> None:
        """Learn a problem anew from its messages in order: after a split, an unmerge or an erasure."""
        self.remove(problem_id)
        for message in messages:
            self.join(
                problem_id, message.utterance, message.entities, message.at, event_id=message.event_id
            )

    def _open(self, problem_id: str, dimension: int) -> _State:
        slot = self._free.pop() if self._free else len(self._ids)
        if slot == len(self._ids):
            self._ids.append("")
            if slot >= len(self._centroids):
                self._centroids = _grown(self._centroids, dimension)
        self._ids[slot] = problem_id
        state = self._states[problem_id] = _State(slot)
        return state

    def _shift(self, state: _State, by: Floats) -> None:
        """Move the problem's centroid."""
        self._placed += state.total is None
        state.total = by if state.total is None else state.total + by
        length = float(np.linalg.norm(state.total))
        self._centroids[state.slot] = state.total / length if length > 1e-9 else 0.0

    def _keep(self, problem_id: str, state: _State, instance: Instance) -> bool:
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

    def _add(self, state: _State, instance: Instance, likeness: list[float]) -> None:
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

    def _drop(self, state: _State, place: int) -> None:
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


def _days(since: datetime | None, now: datetime | None) -> float:
    if since is None or now is None:
        return 0.0
    return max(0.0, (now - since).total_seconds() / 86_400)


def _values(entities: Iterable[Entity]) -> dict[str, list[str]]:
    """The distinct values that tell problems apart, by kind."""
    found: dict[str, list[str]] = {}
    for entity in entities:
        kind = _KINDS.get(entity.type)
        if kind and entity.value not in found.setdefault(kind, []):
            found[kind].append(entity.value)
    return found


def _agreement(values: Mapping[str, list[str]], states: Sequence[_State]) -> tuple[Floats, Floats]:
    """How far each problem's entities agree with and contradict a message's, 0 to 1 each.

    A problem that is about one product contradicts another product; one that spreads over many does not, and
    one message weighs less than five.
    """
    same, conflict = np.zeros(len(states)), np.zeros(len(states))
    for kind, wanted in values.items():
        for place, state in enumerate(states):
            counts = state.entities.get(kind)
            if not counts:
                continue
            share = max(counts[value] for value in wanted) / (counts.total() + 1)
            other = max(counts.values()) / (counts.total() + 1)
            same[place] = max(same[place], share)
            conflict[place] = max(conflict[place], 0.0 if share else other)
    return same, conflict
