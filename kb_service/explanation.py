"""Why a question was answered as it was: what each stage of the answering path noted, for an editor to read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kb_service.handover.deciding import FOR_A_BOT, Checked, Situation
from kb_service.models import Reply
from kb_service.search.confidence import FEATURES, score_of
from kb_service.search.evidence import NEVER, Step, upper_limit
from kb_service.search.explanation import SearchExplained, explained
from kb_service.search.models import Filters, SearchQuery
from kb_service.search.retrieval import Searched, SearchIndex
from kb_service.search.weighing import Weighed
from kb_service.understanding.question_reading import Reading

WIDE = 20
"""The best documents of all among which those that were left out are looked for."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the way and its wall time."""

    name: str
    milliseconds: float


class Trace:
    """What is noted on the way to one answer. The way itself decides nothing by it, and goes without as well."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.searched: list[Searched] = []
        self.rules: list[Checked] = []
        self.situation: Situation | None = None
        self._since = time.perf_counter()

    def stage(self, name: str) -> None:
        """A stage has ended; it began where the one before ended."""
        now = time.perf_counter()
        self.stages.append(Stage(name, round((now - self._since) * 1000, 1)))
        self._since = now


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
    judged questions the features' weights were fitted."""

    features: tuple[Feature, ...]
    judged: float
    adjusted: float
    given: float
    threshold: float | None
    bound: float
    proof: Step | None
    limit: float | None
    samples: int
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


def explain_search(index: SearchIndex, query: SearchQuery, searched: Searched) -> SearchExplained:
    """What a search noted, with the best documents that it may not see: the same question is asked of them all."""
    everything: list[Searched] = []
    filters = Filters(audiences=("public", "internal"), any_scope=True, any_state=True)
    index.search(replace(query, filters=filters, limit=WIDE), told=everything)
    return explained(
        searched,
        wide=everything[0],
        default_region=index.default_region,
        reranks=index.reranking is not None,
    )


def explain_confidence(weighed: Weighed, language: str, given: float, bound: float) -> ConfidenceTold:
    """Why the first hit is trusted as far as it is, and from where on an answer may be sent unseen."""
    calibration = weighed.calibration
    coefficients = calibration.confidence.of_language(language)
    weights = dict(zip(FEATURES, coefficients.values, strict=True))
    seen = weighed.features
    features = tuple(Feature(name, value, value * weights[name]) for name, value in seen.items())
    threshold = calibration.threshold(bound, language)
    least = calibration.evidence.threshold(bound)
    proof = next((step for step in calibration.evidence.steps if step.confidence == least), None)
    judged = calibration.confidence.of_features(np.array([*seen.values()]), language) if seen else 0.0
    return ConfidenceTold(
        features=tuple(sorted(features, key=lambda feature: -abs(feature.points))),
        judged=judged,
        adjusted=weighed.confidence,
        given=given,
        threshold=None if threshold >= NEVER else threshold,
        bound=bound,
        proof=proof,
        limit=upper_limit(proof.wrong, proof.answers) if proof is not None else None,
        samples=coefficients.samples,
        calibration=calibration.id,
    )


def unreached(checked: Sequence[Checked]) -> tuple[str, ...]:
    """The rules for a bot that were not looked at, since one before them decided."""
    return tuple(name for name, _ in FOR_A_BOT)[len(checked) :]
