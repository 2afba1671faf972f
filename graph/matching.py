"""Which problem a message belongs to, online: exemplars, centroid, words and entities to P(same problem)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.exemplars import EXEMPLARS, Floats, Instance, ProblemMemory, ProblemSummary, telling
from graph.models import Entity, Match, Utterance
from graph.small_talk import small_talk
from graph.words import is_content

__all__ = [
    "COEFFICIENTS",
    "EXEMPLARS",
    "Candidate",
    "Coefficients",
    "Instance",
    "ProblemMatcher",
    "says_something",
]

Channel: TypeAlias = Literal["meaning", "words"]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Log-odds of "same problem" in one channel, and the probabilities from which to join or to open a new
    one.

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
"""Fitted on streams of labelled messages (half of the labels of BANKING77, HWU64 and SMP2019, the first part
of News-T), then rounded; weights of entities and age are by judgement, since no public stream has either. The
thresholds lean to splitting, because two problems in one hide an incident and two of one can be merged. On
the sample shop's month BCubed precision and recall are .83 and .40 in Chinese, by words alone, and .92 and
.46 in English; one threshold on one vector (or one message's words) a group gets .68 and .26, .85 and .49."""

_USUAL: Mapping[Channel, tuple[float, float]] = {"meaning": (0.2, 5.0), "words": (0.04, 20.0)}
"""Background cosine while there are few problems, and how many problems it weighs."""
_SHORTLIST = 24
"""Problems looked at closely: the nearest by centroid and those of as many exemplars by words; twice as many
exemplars where words are all there is."""
_TOLD = 10


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


def says_something(utterance: Utterance) -> bool:
    """Whether a message can be an instance of a problem: it is no small talk and holds a telling word."""
    return any(map(is_content, utterance.tokens)) and not small_talk(utterance.text, utterance.language)


class ProblemMatcher(ProblemMemory):
    """Online grouping of messages by problem: a memory of problems that can be asked where a message belongs.

    The same calls in the same order give the same state and the same answers in any process. Vectors speak
    for languages in `reads`, words for all. A match and a join take under 1 ms at 3,000 problems of 8
    exemplars.
    """

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
        self.check(utterance)
        channel = self._channel(utterance)
        words = self._index.cosines(utterance.tokens)
        centroids = (
            _cosines(self._centroids[: len(self._ids)], utterance)
            if channel == "meaning" and self._ids
            else np.zeros(len(self._ids))
        )
        slots = self._shortlist(words, centroids)
        if not len(slots):
            return ()
        states = [self._states[self._ids[slot]] for slot in slots.tolist()]
        features = self._features(utterance, channel, states, words, centroids)
        same, conflict = _agreement(telling(entities), states)
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

    def _shortlist(self, words: Floats, centroids: NDArray[np.floating]) -> NDArray[np.intp]:
        """Slots worth a closer look, ascending: the nearest by words and, where read, by centroid."""
        rows = np.flatnonzero(words > 0.0)
        most = _SHORTLIST if centroids.any() else 2 * _SHORTLIST
        if len(rows) > most:
            rows = rows[np.argpartition(-words[rows], most)[:most]]
        near = np.flatnonzero(centroids > 0.0)
        if len(near) > _SHORTLIST:
            near = near[np.argpartition(-centroids[near], _SHORTLIST)[:_SHORTLIST]]
        return np.unique(np.concatenate([self._owner[rows], near]))

    def _features(
        self,
        utterance: Utterance,
        channel: Channel,
        states: Sequence[ProblemSummary],
        words: Floats,
        centroids: NDArray[np.floating],
    ) -> Floats:
        """One row a problem, columns as in `Coefficients`; the first is the nearest exemplar's cosine."""
        rows = np.fromiter(chain.from_iterable(state.rows for state in states), dtype=np.intp)
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
        dense = np.where(self._read[rows], _cosines(self._vectors[rows], utterance), 0.0)
        nearest = np.maximum.reduceat(dense, starts)
        background = (float(centroids.sum()) + weight * usual) / (self._placed + weight)
        centroid = centroids[[state.slot for state in states]]
        return np.stack([nearest, centroid, by_words, nearest - background, size, length], axis=1)


def _cosines(vectors: NDArray[np.float32], utterance: Utterance) -> NDArray[np.float32]:
    """Row by row rather than as one product: BLAS would share so small a task among threads and wait for them
    when the machine is busy (8 ms instead of .1 ms), and its sums would depend on their number."""
    return np.asarray(np.vecdot(vectors, utterance.vector))


def _days(since: datetime | None, now: datetime | None) -> float:
    if since is None or now is None:
        return 0.0
    return max(0.0, (now - since).total_seconds() / 86_400)


def _agreement(values: Mapping[str, list[str]], states: Sequence[ProblemSummary]) -> tuple[Floats, Floats]:
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
