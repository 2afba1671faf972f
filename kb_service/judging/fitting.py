"""Fits fusion and confidence on judged questions, so that no question is ever judged by what it taught."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from kb_service.judging.evaluation import JudgedQuestion, queries
from kb_service.replicas.replica import Replica
from kb_service.search.adjustment import Adjustment
from kb_service.search.calibration import Calibration
from kb_service.search.confidence import Confidence, Sample, features, fit_confidence
from kb_service.search.evidence import Evidence
from kb_service.search.fusion import Fusion, Judged
from kb_service.search.fusion_fitting import fit_fusion
from kb_service.search.models import Hit, SearchQuery, Vector
from kb_service.search.precedents import Case, Precedents, fit_precedents, with_points
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
) -> Calibration:
    """The constants that fit these questions best, and the evidence for sending answers unseen.

    The questions are dealt to two folds by their id. Each fold's confidence is fitted on hits that were
    ranked by a fusion of the other fold; each fold's evidence comes from a confidence and from precedents of the
    other fold. What is returned is fitted on all of them. `start` is what little data changes little. An adjustment
    by verdicts is not taken over.
    """
    asked = [item for number, each in enumerate(taught) for item in _asked(each, number, reader, now())]
    judged = [item.judged() for item in asked]
    found: list[_Found] = []
    for own in range(FOLDS):
        fusion = _fit(
            [each for item, each in zip(asked, judged, strict=True) if item.fold != own], start.fusion
        )
        found += [seen for item in asked if item.fold == own and (seen := item.found(fusion)) is not None]
    held_out = {fold: [item for item in found if item.fold != fold] for fold in range(FOLDS)}
    unaided = {fold: _confidence(others, start) for fold, others in held_out.items()}
    return replace(
        start,
        fusion=_fit(judged, start.fusion),
        confidence=_confidence(found, start),
        precedents=_precedents(found, [item.case(unaided[item.fold]) for item in found]),
        evidence=_evidence(found, held_out, unaided),
        adjustment=Adjustment(),
        source=f"{len(asked)} questions of {source}",
    )


def _confidence(found: Sequence[_Found], start: Calibration) -> Confidence:
    return fit_confidence([item.sample for item in found], start.confidence)


def _precedents(found: Sequence[_Found], cases: Sequence[Case]) -> Precedents:
    return fit_precedents([item.precedent() for item in found], cases)


def _evidence(
    found: Sequence[_Found],
    held_out: Mapping[int, Sequence[_Found]],
    unaided: Mapping[int, Confidence],
) -> Evidence:
    """How sure each question would have been answered by what the questions of the other fold alone teach."""
    confidence = np.zeros(len(found))
    for fold, others in held_out.items():
        learnt = unaided[fold]
        precedents = _precedents(others, [item.case(learnt) for item in others])
        for place, item in enumerate(found):
            if item.fold == fold:
                case = item.case(learnt)
                confidence[place] = with_points(case.confidence, precedents.points(case.hit, case.vector))
    return Evidence.of(confidence, np.array([item.sample.right for item in found], dtype=bool))


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

    def found(self, fusion: Fusion) -> _Found | None:
        """What is found under a fusion; None where nothing is, or where it does not tell how sure to be."""
        hits = self.replica.index.search(self.query, fusion=fusion, reranks=True) if self.how_sure else ()
        if not hits:
            return None
        right = hits[0].external_id in self.question.expected
        sample = Sample(features(hits, self.query), self.query.language, right)
        return _Found(self.question, self.fold, self.query.vector, hits, sample)


@dataclass(frozen=True, slots=True)
class _Found:
    """The hits of one judged question, at least one, and what the first of them looks like."""

    question: JudgedQuestion
    fold: int
    vector: Vector | None
    hits: tuple[Hit, ...]
    sample: Sample

    def case(self, learnt: Confidence) -> Case:
        probability = learnt.of_features(self.sample.features, self.sample.language)
        return Case(self.question.id, self.hits[0], self.vector, probability, self.sample.right)

    def precedent(self) -> Precedent:
        assert self.vector is not None, "judged questions are searched by their meaning"
        answers = {
            hit.external_id: (hit.version, hit.external_id in self.question.expected) for hit in self.hits
        }
        return Precedent(self.question.id, masked_text(self.question.query), self.vector, answers)


def _asked(taught: Taught, number: int, reader: Reader, moment: datetime) -> list[_Asked]:
    searched = queries(taught.replica, reader, taught.questions, moment)
    return [
        _Asked(taught.replica, question, query, f"{number}:{query.language}", taught.how_sure)
        for question, query in zip(taught.questions, searched, strict=True)
    ]


def _fit(judged: Sequence[Judged], start: Fusion) -> Fusion:
    return fit_fusion(judged, start) if any(item.right.any() for item in judged) else start
