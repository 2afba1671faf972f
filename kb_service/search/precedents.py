"""What judged questions say of a document as the answer to a question like theirs. Pure.

`confidence` knows what a right first hit looks like in general. A precedent knows how one document did for one
question: who judged that it does not answer "can I pay by cheque" has said the same of the other ways to ask it. What
precedents say counts by their likeness, as in kernel regression (Nadaraya, 1964; Watson, 1964), and adds up to log-odds
beside those of the score, which put documents in order, and of the confidence. Where a question is like no judged one
nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from kb_service.search.confidence import LEAST_SURE, MOST_SURE, log_odds
from kb_service.search.models import Hit, Vector
from kb_service.store.values import Precedent

FEATURE = "precedents"
"""The name under which their log-odds stand beside the features of the confidence, where those are kept or told."""
ALIKE = (0.6, 0.7, 0.8, 0.9)
"""Cosines from which a judged question may begin to speak; which of them is fitted, as it depends on the encoder."""
_STEEPNESS = 3
"""A question halfway between the least likeness and its own words counts for an eighth."""
_DOUBT = 0.1
"""What speaks for either side before any precedent does; so one of the very same words moves the odds by eleven."""
_MOST = 5.0
_WEIGHT = 1.0
WEIGHTS = tuple(step / 4 for step in range(17))
_RIDGE = 2.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """One precedent of a document: the judged question, its cosine to the one that is asked, and whether the document
    answers it."""

    question: str
    likeness: float
    right: bool


@dataclass(frozen=True, eq=False)
class Precedents:
    """Judged questions, the cosine from which they speak (`alike`), and what their word counts (`weight`)."""

    held: tuple[Precedent, ...] = ()
    alike: float = ALIKE[0]
    weight: float = _WEIGHT

    def points(self, hit: Hit, vector: Vector | None, *, besides: str | None = None) -> float:
        """What they add to the log-odds that a hit answers the question of this vector; 0 where none is like it.

        `besides` is the id of a judged question that has no say.
        """
        return self.weight * self._evidence(hit, vector, self.alike, besides)

    def reordered(
        self, hits: Sequence[Hit], vector: Vector | None, *, besides: str | None = None
    ) -> tuple[Hit, ...]:
        """The hits by the log-odds of their scores and what speaks for them; the scores stay.

        What speaks against a document lowers the confidence in it and not its place: of those behind it nobody has
        said that they are better.
        """
        if vector is None or not self.held:
            return tuple(hits)

        def odds(hit: Hit) -> float:
            return log_odds(hit.score) + max(self.points(hit, vector, besides=besides), 0.0)

        return tuple(sorted(hits, key=odds, reverse=True))

    def spoken(self, hit: Hit, vector: Vector | None) -> tuple[Spoken, ...]:
        """The precedents that have a say on a hit, the likest first."""
        places, right, cosines = self._of(hit, vector)
        found = [
            Spoken(self.held[place].question, float(cosine), bool(answers))
            for place, answers, cosine in zip(places, right, cosines, strict=True)
            if cosine > self.alike
        ]
        return tuple(sorted(found, key=lambda spoken: -spoken.likeness))

    def _evidence(self, hit: Hit, vector: Vector | None, alike: float, besides: str | None = None) -> float:
        places, right, cosines = self._of(hit, vector)
        says = np.clip((cosines - alike) / (1 - alike), 0, 1) ** _STEEPNESS
        if besides is not None:
            says = says * [self.held[place].id != besides for place in places]
        odds = log((says[right].sum() + _DOUBT) / (says[~right].sum() + _DOUBT))
        return min(max(odds, -_MOST), _MOST)

    def _of(
        self, hit: Hit, vector: Vector | None
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]]:
        """The places of those that judge this version of the hit's document, whether it answers, and the cosines."""
        own = self._by_document.get((hit.external_id, hit.version))
        if own is None or vector is None:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), np.zeros(0)
        places, right = own
        return places, right, (self._vectors[places] @ vector).astype(np.float64)

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        return np.stack([item.vector for item in self.held])

    @cached_property
    def _by_document(self) -> dict[tuple[str, int], tuple[NDArray[np.int64], NDArray[np.bool_]]]:
        judged: dict[tuple[str, int], list[tuple[int, bool]]] = {}
        for place, item in enumerate(self.held):
            for external_id, (version, right) in item.answers.items():
                judged.setdefault((external_id, version), []).append((place, right))
        return {
            name: (np.array([place for place, _ in said]), np.array([right for _, right in said]))
            for name, said in judged.items()
        }


NONE = Precedents()


def with_points(probability: float, points: float) -> float:
    """A probability after so many log-odds were added; the same where none are."""
    if points == 0:
        return probability
    odds = log(probability / (1 - probability)) + points
    return min(max(1 / (1 + exp(-odds)), LEAST_SURE), MOST_SURE)


# --- fitting ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """The hits of a judged question in the order of their scores, and which of them answer it. `sure` is how likely the
    hit of a place would be right, were it the first, before any precedent speaks."""

    id: str
    vector: Vector | None
    hits: tuple[Hit, ...]
    right: tuple[bool, ...]
    sure: Callable[[int], float]


def fit_precedents(held: Sequence[Precedent], cases: Sequence[Case]) -> Precedents:
    """The likeness and the weight under which the verdicts on first hits are likeliest, each case's own precedent left
    out. A ridge holds the weight to one where the cases tell little.
    """
    found = Precedents(tuple(held))
    if not cases:
        return found
    scores = [np.array([log_odds(hit.score) for hit in case.hits]) for case in cases]
    fits = []
    for alike in ALIKE:
        says = [
            np.array([found._evidence(hit, case.vector, alike, case.id) for hit in case.hits])
            for case in cases
        ]
        for weight in WEIGHTS:
            moved = [weight * said for said in says]
            lost = sum(map(_surprise, cases, scores, moved)) + _RIDGE * (weight - _WEIGHT) ** 2 / 2
            fits.append((lost, alike, weight))
    _, alike, weight = min(fits)
    return replace(found, alike=alike, weight=weight)


def _surprise(case: Case, scores: NDArray[np.float64], moved: NDArray[np.float64]) -> float:
    """How unlikely the verdict on the hit is that comes first, in nats."""
    first = int(np.argmax(scores + np.maximum(moved, 0)))
    probability = with_points(case.sure(first), float(moved[first]))
    return -log(probability if case.right[first] else 1 - probability)
