"""Why a question was answered as it was: what each stage of the answering path noted, for an editor to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kb_service.handover.deciding import FOR_A_BOT, Checked, Situation
from kb_service.models import Question, Reply
from kb_service.replicas.replicas import Replicas
from kb_service.replying.rehearsing import Rehearsing
from kb_service.replying.trace import Stage, Trace
from kb_service.search.confidence import FEATURES, score_of
from kb_service.search.evidence import NEVER, Step, upper_limit
from kb_service.search.models import Filters, SearchQuery
from kb_service.search.precedents import FEATURE as PRECEDENTS
from kb_service.search.precedents import Spoken, with_points
from kb_service.search.retrieval import SearchIndex
from kb_service.search.search_explanation import SearchExplained, explained
from kb_service.search.searching import Searched
from kb_service.search.weighing import Weighed
from kb_service.understanding.question_reading import Reading

WIDE = 20
"""The best documents of all among which those that were left out are looked for."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that the confidence looks at: its value, and what it counts, in log-odds."""

    name: str
    value: float
    points: float

    @property
    def share(self) -> float | None:
        """The value as the share or probability that it stands for; None for one that is neither."""
        if self.name == "score":
            return score_of(self.value)
        return self.value if self.name in ("share", "coverage") else None


@dataclass(frozen=True, slots=True)
class ConfidenceTold:
    """`judged` is the probability by the features, `adjusted` what people's verdicts made of it, `given` what the
    answer was sent or shown with. `threshold` is None where nothing proves that any confidence is enough; `proof` are
    the judged answers behind it, with the upper limit of the share that was wrong (`limit`). `samples` is on how many
    judged questions the features' weights were fitted; `precedents` are those like this one, the likest first."""

    features: tuple[Feature, ...]
    judged: float
    adjusted: float
    given: float
    threshold: float | None
    bound: float
    proof: Step | None
    limit: float | None
    samples: int
    precedents: tuple[Spoken, ...]
    calibration: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reply with everything that led to it. `search` is None where nothing was searched; `rules` are those that were
    looked at, in their order, and `unreached` the names of the others. Nothing of it was logged or learned from."""

    reply: Reply
    reading: Reading
    query: SearchQuery
    search: SearchExplained
    confidence: ConfidenceTold
    situation: Situation | None
    rules: tuple[Checked, ...]
    unreached: tuple[str, ...]
    stages: tuple[Stage, ...]


class Explaining:
    """Explains answers of any workspace; see `Rehearsing` for what that leaves alone."""

    def __init__(self, replicas: Replicas, rehearsing: Rehearsing) -> None:
        self._replicas = replicas
        self._rehearsing = rehearsing

    def explain(self, workspace: str, question: Question) -> Explanation:
        """What a bot would be answered, with what every stage noted on the way."""
        replica = self._replicas.of(workspace)
        trace = Trace()  # the time of a workspace that had to be loaded first is nobody's stage
        considered, reply = self._rehearsing.answer(replica, question, trace)
        found = considered.found
        bound = replica.shop.rules.wrong_answer_bound
        search = explain_search(replica.index, found.query, trace.searched[-1])
        return Explanation(
            reply=reply,
            reading=considered.reading,
            query=found.query,
            search=search,
            confidence=explain_confidence(found.weighed, found.query, reply.confidence, bound),
            situation=trace.situation,
            rules=tuple(trace.rules),
            unreached=unreached(trace.rules),
            stages=tuple(trace.stages),
        )


def explain_search(index: SearchIndex, query: SearchQuery, searched: Searched) -> SearchExplained:
    """What a search noted, with the best documents that it may not see: the same question is asked of them all."""
    everything: list[Searched] = []
    filters = Filters(audiences=("public", "internal"), any_scope=True, any_state=True)
    at_home = query.at_home and not query.filters.region
    index.search(replace(query, filters=filters, limit=WIDE, at_home=at_home), told=everything)
    return explained(
        searched,
        wide=everything[0],
        default_region=index.default_region,
        reranks=index.reranking is not None,
    )


def explain_confidence(weighed: Weighed, query: SearchQuery, given: float, bound: float) -> ConfidenceTold:
    """Why the first hit is trusted as far as it is, and from where on an answer may be sent unseen."""
    calibration, language = weighed.calibration, query.language
    coefficients = calibration.confidence.of_language(language)
    weights = dict(zip(FEATURES, coefficients.values, strict=True))
    seen = weighed.features
    features = [Feature(name, value, value * weights[name]) for name, value in seen.items()]
    points = weighed.precedents
    if points:
        features.append(Feature(PRECEDENTS, points, points))
    threshold = calibration.threshold(bound, language)
    least = calibration.evidence.threshold(bound)
    proof = next((step for step in calibration.evidence.steps if step.confidence == least), None)
    judged = calibration.confidence.of_features(np.array([*seen.values()]), language) if seen else 0.0
    spoken = calibration.precedents.spoken(weighed.hits[0], query.vector) if weighed.hits else ()
    return ConfidenceTold(
        features=tuple(sorted(features, key=lambda feature: -abs(feature.points))),
        judged=with_points(judged, points),
        adjusted=weighed.confidence,
        given=given,
        threshold=None if threshold >= NEVER else threshold,
        bound=bound,
        proof=proof,
        limit=upper_limit(proof.wrong, proof.answers) if proof is not None else None,
        samples=coefficients.samples,
        precedents=spoken,
        calibration=calibration.id,
    )


def unreached(checked: Sequence[Checked]) -> tuple[str, ...]:
    """The rules for a bot that were not looked at, since one before them decided."""
    return tuple(name for name, _ in FOR_A_BOT)[len(checked) :]
