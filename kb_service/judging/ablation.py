"""What each stage of retrieval adds, on judged questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from kb_service.judging.evaluation import DEPTH, Figures, Judged, JudgedQuestion, figures, queries
from kb_service.replicas.replica import Replica
from kb_service.search.calibration import Calibration
from kb_service.search.fusion import Fusion, rank
from kb_service.search.models import SearchQuery
from kb_service.understanding.reading import Reader

LEXICAL, DENSE, FUSED, GRAPH = "words", "vectors", "fused", "with the graph"
CONFIDENCE = "as answered"


def stages(calibration: Calibration) -> Mapping[str, Fusion]:
    """The fusion of each stage, from one half alone to all of it, in the order in which they build up."""
    whole = calibration.fusion
    fused = replace(whole, prior=0.0)
    return {
        LEXICAL: _without(fused, cosine=0.0, offset=0.0),
        DENSE: _without(fused, coverage=0.0, relative=0.0, lead=0.0, offset=0.0),
        FUSED: fused,
        GRAPH: whole,
    }


def added(
    replica: Replica, reader: Reader, questions: Sequence[JudgedQuestion], *, now: Callable[[], datetime]
) -> dict[str, Figures]:
    """Figures by stage. Up to the last, a hit's score stands for its confidence; the last has the calibrated one.

    The graph's prior is that of the problem that a question would join, as for a customer's message. Where
    the workspace knows no problem, that stage adds nothing.
    """
    calibration = replica.index.calibration
    found: dict[str, list[Judged]] = {name: [] for name in (*stages(calibration), CONFIDENCE)}
    for question, query in zip(questions, _queries(replica, reader, questions, now()), strict=True):
        candidates, names = replica.index.candidates(query)
        for name, fusion in stages(calibration).items():
            ranked = rank(candidates, fusion)
            ranking = tuple(names[place] for place in ranked.best[:DEPTH])
            score = float(ranked.scores[0]) if ranking else 0.0
            found[name].append(Judged(question, ranking, min(max(score, 0.0), 1.0)))
        weighed = replica.weigh(query)
        ranking = tuple(hit.external_id for hit in weighed.hits)
        found[CONFIDENCE].append(Judged(question, ranking, weighed.confidence))
    return {name: figures(judged) for name, judged in found.items()}


def _queries(
    replica: Replica, reader: Reader, questions: Sequence[JudgedQuestion], now: datetime
) -> list[SearchQuery]:
    plain = queries(replica, reader, questions, now)
    if not replica.problems:
        return plain
    compared = reader.masked([question.query for question in questions])
    asked = []
    for query, utterance in zip(plain, compared, strict=True):
        entities = replica.shop.gazetteer.entities(query.text, query.at)
        problem = replica.problem_of(replica.match(utterance, entities, query.at))
        intents = replica.shop.classifier.predict([utterance], whole=utterance).candidates
        tied = replica.prior(problem, query.at, entities=entities, intents=intents)
        asked.append(replace(query, prior=tied))
    return asked


def _without(fusion: Fusion, **nothing: float) -> Fusion:
    return replace(fusion, blends={name: replace(mix, **nothing) for name, mix in fusion.blends.items()})
