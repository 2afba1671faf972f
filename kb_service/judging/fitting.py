"""Fits fusion and confidence on judged questions, so that no question is ever judged by what it taught."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from kb_service.judging.evaluation import JudgedQuestion, queries
from kb_service.replicas.replica import Replica
from kb_service.search.adjustment import Adjustment
from kb_service.search.calibration import Calibration
from kb_service.search.confidence import Sample, features, fit_confidence
from kb_service.search.evidence import Evidence
from kb_service.search.fusion import Fusion, Judged
from kb_service.search.fusion_fitting import fit_fusion
from kb_service.search.models import SearchQuery
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
    ranked by a fusion of the other fold; each fold's evidence comes from a confidence of the other fold.
    What is returned is fitted on all of them. `start` is what little data changes little. An adjustment by
    verdicts is not taken over.
    """
    asked = [item for number, each in enumerate(taught) for item in _asked(each, number, reader, now())]
    judged = [item.judged() for item in asked]
    folds = np.array([_fold(item.question.id) for item in asked])
    samples: list[Sample | None] = [None] * len(asked)
    for fold in range(FOLDS):
        outside = [item for item, own in zip(judged, folds, strict=True) if own != fold]
        fusion = _fit(outside, start.fusion)
        for place in np.flatnonzero(folds == fold).tolist():
            samples[place] = asked[place].sample(fusion) if asked[place].how_sure else None
    confidence = np.zeros(len(asked))
    for fold in range(FOLDS):
        learnt = fit_confidence(
            [item for item, own in zip(samples, folds, strict=True) if item and own != fold], start.confidence
        )
        for place in np.flatnonzero(folds == fold).tolist():
            sample = samples[place]
            if sample is not None:
                confidence[place] = learnt.of_features(sample.features, sample.language)
    known = [item for item in samples if item is not None]
    right = np.array([item is not None and item.right for item in samples])
    return replace(
        start,
        fusion=_fit(judged, start.fusion),
        confidence=fit_confidence(known, start.confidence),
        evidence=Evidence.of(confidence, right),
        adjustment=Adjustment(),
        source=f"{len(asked)} questions of {source}",
    )


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

    def sample(self, fusion: Fusion) -> Sample | None:
        hits = self.replica.index.search(self.query, fusion=fusion, reranks=True)
        if not hits:
            return None
        right = hits[0].external_id in self.question.expected
        return Sample(features(hits, self.query), self.query.language, right)


def _asked(taught: Taught, number: int, reader: Reader, moment: datetime) -> list[_Asked]:
    searched = queries(taught.replica, reader, taught.questions, moment)
    return [
        _Asked(taught.replica, question, query, f"{number}:{query.language}", taught.how_sure)
        for question, query in zip(taught.questions, searched, strict=True)
    ]


def _fit(judged: Sequence[Judged], start: Fusion) -> Fusion:
    return fit_fusion(judged, start) if any(item.right.any() for item in judged) else start


def _fold(question_id: str) -> int:
    return hashlib.blake2b(question_id.encode(), digest_size=2).digest()[0] % FOLDS
