"""A search with the probability that its first hit is right, and what that was taken from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kb_service.search.apart import Apart
from kb_service.search.calibration import Calibration
from kb_service.search.confidence import FEATURES, features
from kb_service.search.models import Hit, Reason, SearchQuery
from kb_service.search.precedents import NONE, with_points
from kb_service.search.retrieval import SearchIndex
from kb_service.search.same_kind import Meant
from kb_service.search.searching import Searched
from kb_service.search.standing_behind import put_behind, standing_behind


@dataclass(frozen=True, slots=True)
class Weighed:
    """`query` is what was searched in the end. `features` are the first hit's, by name; empty without hits, as
    `confidence` is 0 then. `precedents` is what judged questions like this one added to its log-odds. `behind` tells of
    hits, by external id, why they stand behind the others."""

    query: SearchQuery
    hits: tuple[Hit, ...]
    confidence: float
    features: Mapping[str, float]
    calibration: Calibration
    precedents: float = 0.0
    behind: Mapping[str, Reason] = field(default_factory=dict)

    def confidence_of(self, hit: Hit, query: SearchQuery) -> float:
        """The probability that another hit answers the question, by the same calibration: what it looks like beside
        the others, the first among them.

        On the 693 questions of the sample's split `report` the second answers are right for .48 and said to be for
        .50 on average, each at most as likely as the first, with a calibration error of .06; the first one's
        confidence times the share of its score has .14.
        """
        seen = features((hit, *(other for other in self.hits if other.passage_id != hit.passage_id)), query)
        probability = self.calibration.confidence.of_features(seen, query.language)
        points = self.calibration.precedents.points(hit, query.vector)
        return self.calibration.adjustment.of(with_points(probability, points), query.language)


def weigh(
    index: SearchIndex,
    query: SearchQuery,
    *,
    reranks: bool = True,
    meant: Meant | None = None,
    apart: Apart | None = None,
    told: list[Searched] | None = None,
) -> Weighed:
    """Searches and weighs under one calibration, though another may come into force meanwhile; see `search` for
    `told`, `kb_service.search.same_kind` for `meant` and `kb_service.search.apart` for `apart`."""
    calibration = index.calibration
    if index.is_away(query.filters.region):  # what is right at home is not right elsewhere
        calibration = replace(calibration, precedents=NONE)
    precedents = calibration.precedents
    seen: list[Searched] = []
    found = index.search(query, fusion=calibration.fusion, reranks=reranks, told=seen)
    if apart is not None and (other := apart(seen[-1])) is not None:
        query = other
        found = index.search(query, fusion=calibration.fusion, reranks=reranks, told=seen)
    behind = standing_behind(found, query, index, meant)
    hits = put_behind(precedents.reordered(found, query.vector), behind)
    if told is not None:
        spoken = {hit.external_id: precedents.points(hit, query.vector) for hit in hits}
        told.append(replace(seen[-1], hits=hits, precedents=spoken, behind=behind))
    if not hits:
        return Weighed(query, (), 0.0, {}, calibration)
    values = features(hits, query)
    probability = calibration.confidence.of_features(values, query.language)
    points = precedents.points(hits[0], query.vector)
    return Weighed(
        query,
        hits,
        calibration.adjustment.of(with_points(probability, points), query.language),
        {name: float(value) for name, value in zip(FEATURES, values, strict=True)},
        calibration,
        points,
        behind,
    )
