"""Which problem a message belongs to, online: exemplars, centroid, words and entities to P(same problem)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.cells import Nearby, Vectors32
from graph.exemplars import (
    EXEMPLARS,
    Floats,
    Instance,
    ProblemMemory,
    ProblemSummary,
    halved,
    telling,
    without_products,
)
from graph.faults import fault_kinds, fault_shares
from graph.follow_up_turns import follow_up_turn
from graph.intervals import wilson
from graph.models import Entity, Match, Utterance
from graph.small_talk import small_talk
from graph.words import is_content

__all__ = [
    "COEFFICIENTS",
    "EXEMPLARS",
    "Candidate",
    "Coefficients",
    "Instance",
    "Limits",
    "ProblemMatcher",
    "join_limit",
    "says_something",
]

Channel: TypeAlias = Literal["meaning", "across", "words"]
"""By meaning within one language, by meaning from one language to another, by words alone."""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Log-odds of "same problem" in one channel, and the probabilities from which to join or to open a new
    one.

    `features` weigh, by meaning: cosine to the nearest exemplar, to the centroid, of the words, nearest above
    background, log(1 + messages), length of the message; by words: the nearest, the prototype, nearest above
    background, log(1 + messages), length.

    `same` and `conflict` weigh what products, carriers and campaigns agree and contradict; `fault` that both report one
    kind of fault, `fault_of_product` that besides it is of one product, `other_fault` that they report different ones
    or one of them none, the more the nearer they look.
    """

    features: tuple[float, ...]
    intercept: float
    join: float
    new: float
    same: float = -3.5
    conflict: float = -9.0
    age: float = -0.15
    fault: float = 0.5
    fault_of_product: float = 9.0
    other_fault: float = -4.0


@dataclass(frozen=True, slots=True)
class Limits:
    """P(same) from which a message joins, and below which it opens a problem; between them it waits."""

    join: float
    new: float


COEFFICIENTS: Mapping[Channel, Coefficients] = {
    "meaning": Coefficients((-2.4, 6.0, 2.0, 4.5, 0.1, 1.6), -4.6, join=0.6, new=0.45),
    "across": Coefficients((-2.4, 6.0, 2.0, 4.5, 0.1, 1.6), -4.0, join=0.6, new=0.45, fault=2.4),
    "words": Coefficients((1.0, 7.0, 2.0, 0.2, 0.0), -2.0, join=0.6, new=0.4, same=1.0, fault_of_product=4.0),
}
"""Fitted on streams of labelled messages (half of the labels of BANKING77, News-T and SMP2019, HWU64), then drawn
towards pairs of one product and different matters (invented sentences in both languages: how to charge it, that it
leaks, that it came without its cable) and the first half of the sample shop's month, then rounded; weights of conflict
and age are by judgement, since no public stream has either. By meaning `same` is negative: of two messages about one
product the cosine holds the product too, and what both have by it must be taken off again; that the product is shared
confirms only one fault of it (`fault_of_product`). Across languages no words are shared, hence the higher intercept,
and the kind of fault is what is shared instead. The thresholds lean to splitting, because two problems in one hide an
incident and two of one can be merged."""

_USUAL: Mapping[Channel, tuple[float, float]] = {"meaning": (0.2, 5.0), "words": (0.04, 20.0)}
"""Background cosine while there are few problems, and how many problems it weighs."""
_UNNAMED = 0.5
"""How far a fault of a product is another one than that of messages that name no product."""
_SHORTLIST = 24
"""Problems looked at closely: the nearest by centroid and those of as many exemplars by words; twice as many
exemplars where words are all there is."""
_TOLD = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """A problem that a message may belong to, with what speaks for it.

    `nearest` is the cosine to the nearest exemplar (by meaning, or by words where the encoder does not read);
    `same` and `conflict` (0 to 1) say how far products, carriers and campaigns agree or contradict. `channel` is
    what the probability was taken by, and so the limits that hold.
    """

    problem_id: str
    probability: float
    nearest: float
    same: float
    conflict: float
    channel: Channel = "meaning"


def join_limit(judged: Iterable[tuple[float, bool]], *, precision: float = 0.95) -> float | None:
    """The lowest P(same) from which joins are right so often, surely: the lower end of Wilson's 95% interval over
    all that scored as high or higher. None where no score is enough.

    `judged` are the scores of messages with their likeliest problem, and whether it was the right one.
    """
    right = 0
    found: float | None = None
    for total, (score, truth) in enumerate(sorted(judged, reverse=True), start=1):
        right += truth
        if wilson(right / total, total)[0] >= precision:
            found = score
    return found


def says_something(utterance: Utterance) -> bool:
    """Whether a message can be an instance of a problem: it is no small talk, does not merely press for what was said
    before, and holds a telling word."""
    text, language = utterance.text, utterance.language
    if not any(map(is_content, utterance.tokens)):
        return False
    return not small_talk(text, language) and not follow_up_turn(text, language)


class ProblemMatcher(ProblemMemory):
    """Online grouping of messages by problem: a memory of problems that can be asked where a message belongs.

    The same calls in the same order give the same state and the same answers in any process. Vectors speak
    for languages in `reads`, words for all. What a match and a join cost hardly grows with the problems, see
    `graph.cells` and `graph.near_words`.
    """

    def __init__(
        self,
        *,
        reads: frozenset[str] = frozenset({"en"}),
        centroids: Nearby | None = None,
        limits: Mapping[Channel, Limits] | None = None,
    ) -> None:
        """`limits` are the probabilities from which to join and to open, where they are not the shipped ones."""
        super().__init__(reads=reads, centroids=centroids)
        self._limits = {
            channel: Limits(held.join, held.new) for channel, held in COEFFICIENTS.items()
        } | dict(limits or {})

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
        limits = self._limits[found[0].channel if found else "meaning"]
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
        vector = halved(utterance.vector)
        said = without_products(utterance, entities)
        slots = self._shortlist(said, vector, channel)
        if not len(slots):
            return ()
        states = [self._states[self._ids[slot]] for slot in slots.tolist()]
        features = self._features(said, vector, channel, states)
        same, conflict = _agreement(telling(entities), states)
        days = np.array([_days(state.active_at, at) for state in states])
        channels = [self._towards(utterance, channel, state) for state in states]
        weights = [COEFFICIENTS[name] for name in channels]
        logits = (features * np.array([item.features for item in weights])).sum(axis=1)
        shifts = np.array([(item.intercept, item.same, item.conflict, item.age) for item in weights])
        logits += (shifts * np.stack([np.ones(len(states)), same, conflict, np.log1p(days)], axis=1)).sum(
            axis=1
        )
        logits += self._of_faults(
            utterance, states, weights, same, features[:, 1], names=bool(telling(entities))
        )
        probabilities = 0.5 * (1.0 + np.tanh(0.5 * logits))
        found: dict[str, Candidate] = {}
        for i in np.lexsort((slots, -probabilities)).tolist():
            problem_id = states[i].problem_id
            if problem_id not in found:
                found[problem_id] = Candidate(
                    problem_id,
                    float(probabilities[i]),
                    float(features[i, 0]),
                    float(same[i]),
                    float(conflict[i]),
                    channels[i],
                )
            if len(found) == _TOLD:
                break
        return tuple(found.values())

    def _of_faults(
        self,
        utterance: Utterance,
        states: Sequence[ProblemSummary],
        weights: Sequence[Coefficients],
        same: Floats,
        centroid: Floats,
        *,
        names: bool,
    ) -> Floats:
        """What the faults that a message and each facet report add to the log-odds. One fault of one product is
        one matter; the likelier two messages look alike, the more another fault, or a fault against none, says
        that it is the product which makes them so."""
        kinds = fault_kinds(utterance.text)
        shares = [fault_shares(kinds, state.faults, state.messages) for state in states]
        alike, unlike = np.array(shares).T
        if names:
            unlike = np.where(same > 0, unlike, np.maximum(unlike, _UNNAMED * bool(kinds)))
            alike = np.where(same > 0, alike, 0.0)
        told: Floats = np.array([(item.fault, item.fault_of_product, item.other_fault) for item in weights])
        likeness = np.clip(centroid, 0.0, 1.0)
        found: Floats = alike * (told[:, 0] + told[:, 1] * same) + told[:, 2] * unlike * likeness
        return found

    def _channel(self, utterance: Utterance) -> Channel:
        return "meaning" if utterance.language in self._reads else "words"

    def _towards(self, utterance: Utterance, channel: Channel, state: ProblemSummary) -> Channel:
        """By what a message is compared with a facet: across languages where nobody said it in the message's."""
        return "across" if channel == "meaning" and state.languages[utterance.language] <= 0 else channel

    def _shortlist(self, utterance: Utterance, vector: Vectors32, channel: Channel) -> NDArray[np.intp]:
        """Slots worth a closer look, ascending: the nearest by words and, where read, by centroid."""
        by_meaning = channel == "meaning" and len(self._centroids) > 0
        rows = self._words.nearest(utterance.tokens, _SHORTLIST if by_meaning else 2 * _SHORTLIST)
        found = self._owner[rows]
        if by_meaning:
            near, _ = self._centroids.nearest(vector, _SHORTLIST)
            found = np.concatenate([found, near])
        return np.unique(found)

    def _features(
        self, utterance: Utterance, vector: Vectors32, channel: Channel, states: Sequence[ProblemSummary]
    ) -> Floats:
        """One row a facet, columns as in `Coefficients`; the first is the nearest exemplar's cosine."""
        rows = np.fromiter(chain.from_iterable(state.rows for state in states), dtype=np.intp)
        starts = np.cumsum([0] + [len(state.rows) for state in states[:-1]])
        words = self._words.cosines(utterance.tokens, rows.tolist())
        by_words = np.maximum.reduceat(words, starts)
        size = np.log1p([state.messages for state in states])
        length = np.full(len(states), min(sum(map(is_content, utterance.tokens)), 8) / 8)
        usual, weight = _USUAL[channel]
        if channel == "words":
            lengths = np.sqrt([len(state.rows) + sum(map(sum, state.likeness)) for state in states])
            prototype = np.add.reduceat(words, starts) / lengths
            background = (self._words.usual(utterance.tokens) + weight * usual) / (len(self._words) + weight)
            return np.stack([by_words, prototype, by_words - background, size, length], axis=1)
        dense = np.where(self._read[rows], np.vecdot(self._vectors[rows], vector), 0.0)
        nearest = np.maximum.reduceat(dense, starts)
        placed = len(self._centroids)
        towards = float(self._centroids.total @ vector) if placed else 0.0
        background = (towards + weight * usual) / (placed + weight)
        centroid = self._centroids.cosines([state.slot for state in states], vector)
        return np.stack([nearest, centroid, by_words, nearest - background, size, length], axis=1)


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
