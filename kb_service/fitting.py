"""Fits fusion and confidence on judged questions, so that no question is ever judged by what it taught."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from kb_service.evaluation import JudgedQuestion, search_query
from kb_service.reading import Reader
from kb_service.replica import Replica
from kb_service.search.calibration import Calibration
from kb_service.search.confidence import Sample, features, fit_confidence
from kb_service.search.evidence import Evidence
from kb_service.search.fusion import Fusion, Judged, fit_fusion
from kb_service.search.models import Hit, SearchQuery

FOLDS = 2


def fitted(
    replica: Replica,
    reader: Reader,
    questions: Sequence[JudgedQuestion],
    *,
    now: Callable[[], datetime],
    source: str = "the workspace's own questions",
) -> Calibration:
    """The constants that fit these questions best, and the evidence for sending answers unseen.

    The questions are dealt to two folds by their id. Each fold's confidence is fitted on hits that were
    ranked by a fusion of the other fold; each fold's evidence comes from a confidence of the other fold.
    What is returned is fitted on all of them.
    """
    start = replica.index.calibration
    moment = now()
    queries = _queries(reader, questions, moment)
    judged = [_judged(replica, query, question) for query, question in zip(queries, questions, strict=True)]
    folds = np.array([_fold(question.id) for question in questions])
    samples: list[Sample | None] = [None] * len(questions)
    for fold in range(FOLDS):
        outside = [item for item, own in zip(judged, folds, strict=True) if own != fold]
        fusion = _fit(outside, start.fusion)
        for place in np.flatnonzero(folds == fold).tolist():
            samples[place] = _sample(replica, fusion, queries[place], questions[place])
    confidence = np.zeros(len(questions))
    for fold in range(FOLDS):
        taught = fit_confidence(
            [item for item, own in zip(samples, folds, strict=True) if item and own != fold], start.confidence
        )
        for place in np.flatnonzero(folds == fold).tolist():
            sample = samples[place]
            if sample is not None:
                confidence[place] = taught.of_features(sample.features, sample.language)
    known = [item for item in samples if item is not None]
    right = np.array([item is not None and item.right for item in samples])
    return replace(
        start,
        fusion=_fit(judged, start.fusion),
        confidence=fit_confidence(known, start.confidence),
        evidence=Evidence.of(confidence, right),
        source=f"{len(questions)} questions of {source}",
    )


def _queries(reader: Reader, questions: Sequence[JudgedQuestion], moment: datetime) -> list[SearchQuery]:
    spoken = reader.read([question.query for question in questions])
    return [
        search_query(question, utterance.language, utterance.vector, moment)
        for question, utterance in zip(questions, spoken, strict=True)
    ]


def _judged(replica: Replica, query: SearchQuery, question: JudgedQuestion) -> Judged:
    candidates, names = replica.index.candidates(query)
    right = np.array([name in question.expected for name in names], dtype=bool)
    return Judged(candidates, right, question.language)


def _fit(judged: Sequence[Judged], start: Fusion) -> Fusion:
    return fit_fusion(judged, start) if any(item.right.any() for item in judged) else start


def _sample(replica: Replica, fusion: Fusion, query: SearchQuery, question: JudgedQuestion) -> Sample | None:
    hits: tuple[Hit, ...] = replica.index.search(query, fusion=fusion)
    if not hits:
        return None
    return Sample(features(hits, query), query.language, hits[0].external_id in question.expected)


def _fold(question_id: str) -> int:
    return hashlib.blake2b(question_id.encode(), digest_size=2).digest()[0] % FOLDS
