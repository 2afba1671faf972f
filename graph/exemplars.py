"""What is remembered of problems: a few exemplars each, chosen to differ, a centroid, entity counts; what was merged
stays apart inside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.cells import Cells, Nearby, Vectors32
from graph.errors import InvalidValue
from graph.faults import fault_kinds
from graph.folding import fold
from graph.models import Entity, Utterance
from graph.near_words import NearWords
from graph.words import is_content, is_han

Floats: TypeAlias = NDArray[np.float64]

EXEMPLARS = 8
"""Messages kept of a problem, or of a facet of one, chosen to differ."""
FACETS = 12
"""Problems that one problem can take up and still tell apart."""

_COPY = 0.97
"""Likeness from which a message adds nothing to an exemplar that is already kept."""
_DENSE = 0.75
"""Share of the vectors' cosine in the likeness of two messages that the encoder reads."""
_PRODUCT = frozenset({"sku", "product", "product_kind"})
_MASK = re.compile(r"\[[A-Z]+\]")
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
    """What is known of one facet of a problem: of what it was before it took up others, or of one that it took up.

    `rows` point into the matcher's arrays, one a kept message. `likeness[i][j]` compares kept messages i and j; its
    diagonal is 0.
    """

    id: str
    slot: int
    problem_id: str
    rows: list[int] = field(default_factory=list)
    kept: list[Instance] = field(default_factory=list)
    likeness: list[list[float]] = field(default_factory=list)
    total: Vectors32 | None = None
    read: int = 0
    messages: int = 0
    active_at: datetime | None = None
    entities: dict[str, Counter[str]] = field(default_factory=dict)
    languages: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


class ProblemMemory:
    """Problems by id, each with its exemplars in growable arrays; a removed problem's places are used again.

    A problem that takes up another keeps both apart as its facets, so that what was joined wrongly does not blur
    what each of them looks like. Vectors are held at half precision, as they are stored, so that a memory made
    again from the store is the same. Only `join`, `merge`, `remove`, `remove_event` and `rebuild` change it. One
    writer at a time; no reader beside a writer.
    """

    def __init__(self, *, reads: frozenset[str] = frozenset({"en"}), centroids: Nearby | None = None) -> None:
        self._reads = reads
        self._model_id: str | None = None
        self._words = NearWords()
        self._centroids: Nearby = centroids if centroids is not None else Cells()
        self._states: dict[str, ProblemSummary] = {}
        self._facets: dict[str, list[str]] = {}
        self._ids: list[str] = []
        self._free: list[int] = []
        self._by_event: dict[str, str] = {}
        self._vectors: Vectors32 = np.zeros((0, 0), np.float32)
        self._read: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._owner: NDArray[np.intp] = np.zeros(0, dtype=np.intp)

    def __len__(self) -> int:
        """Problems now known."""
        return len(self._facets)

    def __contains__(self, problem_id: str) -> bool:
        return problem_id in self._facets

    def exemplars(self, problem_id: str) -> tuple[Instance, ...]:
        """The kept messages of a problem, in the order in which they were kept; empty when it is unknown. Of one
        with several facets the same number of each, as far as they have them, the largest first."""
        facets = [self._states[name] for name in self._facets.get(problem_id, ())]
        facets.sort(key=lambda state: -state.messages)
        longest = max((len(state.kept) for state in facets), default=0)
        found = [state.kept[turn] for turn in range(longest) for state in facets if turn < len(state.kept)]
        return tuple(found[:EXEMPLARS])

    def rarity(self, token: str) -> float:
        """How telling a word is among the kept messages (idf); for `graph.naming.name_problem`."""
        return self._words.rarity(token)

    def kept_before(self, at: datetime) -> Iterator[tuple[str, ...]]:
        """The words of each kept message that was written before a time."""
        for state in self._states.values():
            for instance in state.kept:
                if instance.at is not None and instance.at < at:
                    yield instance.utterance.tokens

    def entities(self, problem_id: str) -> Mapping[str, Mapping[str, int]]:
        """How many messages of a problem named each product, carrier and campaign, by kind of entity."""
        found: dict[str, Counter[str]] = {}
        for name in self._facets.get(problem_id, ()):
            for kind, counts in self._states[name].entities.items():
                found.setdefault(kind, Counter()).update(counts)
        return {kind: dict(counts) for kind, counts in found.items()}

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
        """Count a message as an instance of a problem, known or new; True when it became an exemplar.

        It goes to the facet that it is most like. The id of one that was taken up stands for that facet.
        """
        self.check(utterance)
        self._model_id = utterance.model_id
        vector = halved(utterance.vector)
        state = self._facet(problem_id, without_products(utterance, entities), vector) or self._open(
            problem_id
        )
        state.messages += 1
        state.languages[utterance.language] += 1
        state.faults.update(fault_kinds(utterance.text))
        state.active_at = _later(state.active_at, at)
        for kind, values in telling(entities).items():
            state.entities.setdefault(kind, Counter()).update(values)
        if utterance.language in self._reads:
            self._shift(state, vector, 1)
        return self._keep(state, Instance(utterance, tuple(entities), at, event_id), vector)

    def merge(self, old: str, into: str) -> None:
        """Let one problem take up another, as facets of one. Unknown ids: nothing.

        From `FACETS` on the smallest goes up into the one it is most like; the exemplars of both then compete for
        the places.
        """
        if old not in self._facets or into not in self._facets or old == into:
            return
        facets = self._facets[into]
        for name in self._facets.pop(old):
            self._states[name].problem_id = into
            facets.append(name)
        while len(facets) > FACETS:
            gone = min((self._states[name] for name in facets), key=lambda state: state.messages)
            others = [self._states[name] for name in facets if name != gone.id]
            self._absorb(gone, max(others, key=lambda state: self._closeness(gone, state)))

    def _absorb(self, gone: ProblemSummary, state: ProblemSummary) -> None:
        vectors = self._vectors[gone.rows]
        self._forget(gone)
        state.messages += gone.messages
        state.languages.update(gone.languages)
        state.faults.update(gone.faults)
        state.active_at = _later(state.active_at, gone.active_at)
        for kind, counts in gone.entities.items():
            state.entities.setdefault(kind, Counter()).update(counts)
        if gone.total is not None:
            self._shift(state, gone.total, gone.read)
        for instance, vector in zip(gone.kept, vectors, strict=True):
            self._keep(state, instance, vector)

    def remove(self, problem_id: str) -> bool:
        """Forget a problem, or the facet that one became; False when it was not known."""
        facets = tuple(self._facets.get(problem_id) or self._states.keys() & {problem_id})
        for name in facets:
            self._forget(self._states[name])
        return bool(facets)

    def _forget(self, state: ProblemSummary) -> None:
        del self._states[state.id]
        facets = self._facets[state.problem_id]
        facets.remove(state.id)
        if not facets:
            del self._facets[state.problem_id]
        for row, instance in zip(state.rows, state.kept, strict=True):
            self._words.remove(row)
            self._by_event.pop(instance.event_id or "", None)
        self._centroids.remove(state.slot)
        self._ids[state.slot] = ""
        self._free.append(state.slot)

    def remove_event(self, event_id: str) -> bool:
        """Forget the exemplar that a message became; False when it is none.

        A message that is no exemplar leaves nothing but its share in a centroid and in counts; `rebuild` the
        problem from its other messages to take that away too. A problem whose last exemplar goes is removed.
        """
        name = self._by_event.get(event_id)
        if name is None:
            return False
        state = self._states[name]
        if len(state.kept) == 1:
            self._forget(state)
            return True
        place = next(i for i, instance in enumerate(state.kept) if instance.event_id == event_id)
        gone, vector = state.kept[place], self._vectors[state.rows[place]].copy()
        self._drop(state, place)
        state.messages -= 1
        state.languages[gone.utterance.language] -= 1
        state.faults.subtract(fault_kinds(gone.utterance.text))
        for kind, values in telling(gone.entities).items():
            state.entities[kind].subtract(values)
        if gone.utterance.language in self._reads:
            self._shift(state, -vector, -1)
        return True

    def rebuild(self, problem_id: str, messages: Iterable[Instance]) -> None:
        """Learn a problem anew from its messages in order: after a split, an unmerge or an erasure."""
        self.remove(problem_id)
        for message in messages:
            self.join(problem_id, message.utterance, message.entities, message.at, event_id=message.event_id)

    def _facet(self, problem_id: str, utterance: Utterance, vector: Vectors32) -> ProblemSummary | None:
        """The facet of a problem that a message belongs to; None when the problem is not known."""
        facets = self._facets.get(problem_id)
        if facets is None:
            return self._states.get(problem_id)
        if len(facets) == 1:
            return self._states[facets[0]]
        states = [self._states[name] for name in facets]
        return max(states, key=lambda state: self._near(state, utterance, vector))

    def _near(self, state: ProblemSummary, utterance: Utterance, vector: Vectors32) -> float:
        by_words = float(self._words.cosines(utterance.tokens, state.rows).max(initial=0.0))
        if utterance.language not in self._reads or state.total is None:
            return (1 - _DENSE) * by_words
        return _DENSE * float(self._centroids.cosines([state.slot], vector)[0]) + (1 - _DENSE) * by_words

    def _closeness(self, one: ProblemSummary, other: ProblemSummary) -> float:
        """How like two facets are: by their centroids where both have one, else by the words of their exemplars."""
        if one.total is not None and other.total is not None:
            return float(self._centroids.cosines([other.slot], one.total)[0])
        likeness = (
            self._words.cosines(without_products(item.utterance, item.entities).tokens, other.rows).max(
                initial=0.0
            )
            for item in one.kept
        )
        return (1 - _DENSE) * float(max(likeness, default=0.0))

    def _open(self, problem_id: str) -> ProblemSummary:
        slot = self._free.pop() if self._free else len(self._ids)
        if slot == len(self._ids):
            self._ids.append("")
        self._ids[slot] = problem_id
        self._facets[problem_id] = [problem_id]
        state = self._states[problem_id] = ProblemSummary(problem_id, slot, problem_id)
        return state

    def _shift(self, state: ProblemSummary, by: Vectors32, messages: int) -> None:
        """Move the problem's centroid."""
        state.read += messages
        state.total = by.copy() if state.total is None else state.total + by
        length = float(np.linalg.norm(state.total))
        self._centroids.place(state.slot, state.total / length if length > 1e-6 else state.total * 0.0)

    def _keep(self, state: ProblemSummary, instance: Instance, vector: Vectors32) -> bool:
        """Make room for a message if that makes the exemplars differ more; near copies are not kept."""
        likeness = self._alike(state, instance.utterance, instance.entities, vector)
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
        self._add(state, instance, vector, likeness)
        if instance.event_id is not None:
            self._by_event[instance.event_id] = state.id
        return True

    def _alike(
        self, state: ProblemSummary, utterance: Utterance, entities: Sequence[Entity], vector: Vectors32
    ) -> list[float]:
        if not state.rows:
            return []
        rows = np.array(state.rows, dtype=np.intp)
        by_words = self._words.cosines(without_products(utterance, entities).tokens, state.rows)
        if utterance.language not in self._reads:
            return [float(value) for value in by_words]
        dense = np.vecdot(self._vectors[rows], vector).astype(np.float64)
        mixed = np.where(self._read[rows], _DENSE * dense + (1 - _DENSE) * by_words, by_words)
        return [float(value) for value in mixed]

    def _add(
        self, state: ProblemSummary, instance: Instance, vector: Vectors32, likeness: list[float]
    ) -> None:
        row = self._words.add(without_products(instance.utterance, instance.entities).tokens)
        if row >= len(self._vectors):
            self._vectors = _grown(self._vectors, len(vector))
            self._read = np.resize(self._read, len(self._vectors))
            self._owner = np.resize(self._owner, len(self._vectors))
        self._vectors[row] = vector
        self._read[row] = instance.utterance.language in self._reads
        self._owner[row] = state.slot
        for kept, value in zip(state.likeness, likeness, strict=True):
            kept.append(value)
        state.likeness.append([*likeness, 0.0])
        state.rows.append(row)
        state.kept.append(instance)

    def _drop(self, state: ProblemSummary, place: int) -> None:
        self._words.remove(state.rows.pop(place))
        self._by_event.pop(state.kept.pop(place).event_id or "", None)
        del state.likeness[place]
        for kept in state.likeness:
            del kept[place]


def without_products(utterance: Utterance, entities: Iterable[Entity]) -> Utterance:
    """A message without the words that name a product, since all that is said about a product shares them.

    Places of entities are those in the text before its numbers were masked: they hold up to the first mask."""
    folded = fold(utterance.text)
    sure = min((match.start() for match in _MASK.finditer(utterance.text)), default=len(folded))
    named = "".join(
        f" {fold(entity.value)} {folded[entity.start : entity.end] if entity.end <= sure else ''}"
        for entity in entities
        if entity.type in _PRODUCT
    )
    if not named:
        return utterance
    left = tuple(token for token in utterance.tokens if not _names(token, named))
    return replace(utterance, tokens=left) if any(map(is_content, left)) else utterance


def _names(token: str, named: str) -> bool:
    """Whether a word, perhaps stemmed, is among those that name a product."""
    if len(token) > 1 and is_han(token[0]):
        return token in named
    return len(token) > 2 and f" {token[:-1] if len(token) > 4 else token}" in named.replace("-", " ")


def halved(vector: NDArray[np.floating]) -> Vectors32:
    """A vector as it is stored and read again."""
    return vector.astype(np.float16).astype(np.float32)


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
