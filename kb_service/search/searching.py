"""One search of one snapshot: what is proposed, what is known of it, and in what order it comes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from kb_service.search.candidates import Proposed, describe, hit, propose
from kb_service.search.fusion import Candidates, Fusion, Ranked, rank
from kb_service.search.matters import DocumentMatters
from kb_service.search.models import Hit, Reason, SearchQuery
from kb_service.search.parts import Snapshot
from kb_service.search.reranking import Reranking
from kb_service.search.twins import own_language_first


@dataclass(frozen=True, slots=True)
class Searched:
    """What one search looked at on its way: for whoever explains it. `fused` is the ranking before documents of the
    asker's language came before their twins, `before` the hits before the reranker, `precedents` what judged questions
    added to the log-odds of hits (by external id) before they came in the order of `hits`, `behind` which of them stand
    behind the others, and why."""

    snapshot: Snapshot
    query: SearchQuery
    proposed: Proposed
    candidates: Candidates
    fusion: Fusion
    fused: Ranked
    before: tuple[Hit, ...]
    hits: tuple[Hit, ...]
    precedents: Mapping[str, float] = field(default_factory=dict)
    behind: Mapping[str, Reason] = field(default_factory=dict)

    @property
    def external_ids(self) -> frozenset[str]:
        """The documents of all candidates."""
        records = self.snapshot.catalogue.records
        return frozenset(records[slot].external_id for slot in self.candidates.documents.tolist())


def search(
    snapshot: Snapshot,
    query: SearchQuery,
    *,
    fusion: Fusion,
    reads: Collection[str],
    default_region: str | None,
    matters: DocumentMatters | None,
    reranking: Reranking | None,
) -> Searched:
    """The best documents for a question, each by its best passage, best first; at most `query.limit`. Where there is a
    reranker, the first of them are read by it."""
    proposed = propose(snapshot, query, default_region=default_region)
    candidates = describe(
        snapshot, query, proposed, reads=reads, default_region=default_region, matters=matters
    )
    fused = rank(candidates, fusion)
    ranked = own_language_first(snapshot, candidates, fused)
    wanted = max(query.limit, reranking.documents) if reranking else query.limit
    found = range(min(wanted, len(ranked.best)))
    hits = tuple(hit(snapshot.catalogue, candidates, ranked, place) for place in found)
    best = reranking.reordered(query, hits, fusion.slope)[: query.limit] if reranking else hits
    return Searched(snapshot, query, proposed, candidates, fusion, fused, hits, best)
