"""Fits fusion and confidence on judged questions, so that no question is ever judged by what it taught."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial

import numpy as np

from kb_service.judging.evaluation import JudgedQuestion, queries
from kb_service.replicas.replica import Replica
from kb_service.search.adjustment import Adjustment
from kb_service.search.calibration import Calibration
from kb_service.search.confidence import Confidence, Sample, features, fit_confidence
from kb_service.search.evidence import Evidence
from kb_service.search.fusion import Fusion, Judged
from kb_service.search.fusion_fitting import fit_fusion
from kb_service.search.models import Hit, SearchQuery
from kb_service.search.precedents import NONE, Case, Precedents, fit_precedents, with_points
from kb_service.search.standing_behind import put_behind, standing_behind
from kb_service.store import Precedent
from kb_service.understanding.question_reading import masked_text
from kb_service.understanding.reading import Reader

FOLDS = 2


@dataclass(frozen=True, slots=True)
class Taught:
    """Judged questions and the workspace that they are asked of. Of several, each counts as much as any other.

    Only a shop's own questions, or some like them, tell `how_sure` one may be; how evidence adds up can be learnt
    from others too.
    """

    replica: Replica
    questions: Sequence[JudgedQuestion]
    how_sure: bool = True


def fitted(
    taught: Sequence[Taught],
    reader: Reader,
    *,
    now: Callable[[], datetime],
    start: Calibration,
    source: str = "the workspace's own questions",
    for_others: bool = False,
) -> Calibration:
    """The constants that fit these questions best, and the evidence for sending answers unseen.

    The questions are dealt to two folds by their id. Each fold's confidence is fitted on hits that were
    ranked by a fusion of the other fold; each fold's evidence comes from a confidence and from precedents of the
    other fold. What is returned is fitted on all of them. `start` is what little data changes little. An adjustment
    by verdicts is not taken over. Constants `for_others`, who have other questions and documents, are fitted without
    precedents.
    """
    asked = [item for number, each in enumerate(taught) for item in _asked(each, number, reader, now())]
    judged = [(item.fold, item.judged()) for item in asked if not item.away]
    found: list[_Found] = []
    for own in range(FOLDS):
        fusion = _fit([each for fold, each in judged if fold != own], start.fusion)
        found += [seen for item in asked if item.fold == own and (seen := item.found(fusion)) is not None]
    confidence, precedents = _learnt(found, start, for_others)
    return replace(
        start,
        fusion=_fit([each for _, each in judged], start.fusion),
        confidence=confidence,
        precedents=precedents,
        evidence=_evidence(found, start, for_others),
        adjustment=Adjustment(),
        source=f"{len(asked)} questions of {source}",
    )


def _learnt(found: Sequence[_Found], start: Calibration, for_others: bool) -> tuple[Confidence, Precedents]:
    """How sure to be of first hits, and what the questions say of each other's; none has a say on itself, and those
    from elsewhere on none: what is right there is not right at home."""
    unaided = fit_confidence([item.sample() for item in found], start.confidence)
    if for_others:
        return unaided, NONE
    home = [item for item in found if not item.away]
    precedents = fit_precedents([item.precedent() for item in home], [item.case(unaided) for item in home])
    aided = fit_confidence([item.beside(item.heeded(precedents)) for item in found], start.confidence)
    return aided, precedents


def _evidence(found: Sequence[_Found], start: Calibration, for_others: bool) -> Evidence:
    """How sure each question would have been answered by what the questions of the other fold alone teach."""
    sure: list[float] = []
    right: list[bool] = []
    for fold in range(FOLDS):
        confidence, precedents = _learnt([item for item in found if item.fold != fold], start, for_others)
        for item in found:
            if item.fold == fold:
                heeded = item.heeded(precedents)
                answered = item.among(heeded)
                points = heeded.points(answered.hits[0], item.query.vector)
                sure.append(with_points(answered.sure(confidence, 0), points))
                right.append(answered.right[0])
    return Evidence.of(np.array(sure), np.array(right, dtype=bool))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One judged question as it was searched for."""

    replica: Replica
    question: JudgedQuestion
    query: SearchQuery
    group: str
    how_sure: bool

    def judged(self) -> Judged:
        candidates, names = self.replica.index.candidates(self.query)
        right = np.array([name in self.question.expected for name in names], dtype=bool)
        return Judged(candidates, right, self.group)

    @property
    def fold(self) -> int:
        return hashlib.blake2b(self.question.id.encode(), digest_size=2).digest()[0] % FOLDS

    @property
    def away(self) -> bool:
        return self.replica.index.is_away(self.question.region)

    def found(self, fusion: Fusion) -> _Found | None:
        """What is found under a fusion; None where nothing is, or where it does not tell how sure to be."""
        index = self.replica.index
        hits = index.search(self.query, fusion=fusion, reranks=True) if self.how_sure else ()
        if not hits:
            return None
        behind = standing_behind(hits, self.query, index, self.replica.shop.gazetteer.meant)
        return _Found(
            self.question, self.fold, self.query, put_behind(hits, behind), frozenset(behind), self.away
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """The hits of one judged question, at least one; `behind` are those that stand behind the others, `away` tells
    whether the customer is elsewhere than at home."""

    question: JudgedQuestion
    fold: int
    query: SearchQuery
    hits: tuple[Hit, ...]
    behind: frozenset[str]
    away: bool

    def heeded(self, precedents: Precedents) -> Precedents:
        """Those of the precedents that speak on this question."""
        return NONE if self.away else precedents

    def among(self, precedents: Precedents, *, besides: str | None = None) -> _Found:
        """The same in the order that precedents make of the hits."""
        hits = precedents.reordered(self.hits, self.query.vector, besides=besides)
        return replace(self, hits=put_behind(hits, self.behind))

    @property
    def right(self) -> tuple[bool, ...]:
        return tuple(hit.external_id in self.question.expected for hit in self.hits)

    def sample(self) -> Sample:
        return Sample(features(self.hits, self.query), self.query.language, self.right[0])

    def beside(self, precedents: Precedents) -> Sample:
        """The same once the other questions have spoken."""
        moved = self.among(precedents, besides=self.question.id)
        points = precedents.points(moved.hits[0], self.query.vector, besides=self.question.id)
        return replace(moved.sample(), beside=points)

    def case(self, learnt: Confidence) -> Case:
        sure = cache(partial(self.sure, learnt))
        return Case(self.question.id, self.query.vector, self.hits, self.right, sure)

    def sure(self, learnt: Confidence, first: int) -> float:
        """How likely the hit of a place is right, were it the first."""
        hits = (self.hits[first], *self.hits[:first], *self.hits[first + 1 :])
        return learnt.of_features(features(hits, self.query), self.query.language)

    def precedent(self) -> Precedent:
        vector = self.query.vector
        assert vector is not None, "judged questions are searched by their meaning"
        answers = {
            hit.external_id: (hit.version, right) for hit, right in zip(self.hits, self.right, strict=True)
        }
        return Precedent(self.question.id, masked_text(self.question.query), vector, answers)


def _asked(taught: Taught, number: int, reader: Reader, moment: datetime) -> list[_Asked]:
    searched = queries(taught.replica, reader, taught.questions, moment)
    return [
        _Asked(taught.replica, question, query, f"{number}:{query.language}", taught.how_sure)
        for question, query in zip(taught.questions, searched, strict=True)
    ]


def _fit(judged: Sequence[Judged], start: Fusion) -> Fusion:
    return fit_fusion(judged, start) if any(item.right.any() for item in judged) else start
