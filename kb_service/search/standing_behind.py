"""Which documents stand behind the others although their words fit: they are about something else than is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from kb_service.search.models import Hit, Reason, SearchQuery
from kb_service.search.retrieval import SearchIndex
from kb_service.search.same_case import of_other_cases
from kb_service.search.same_kind import Meant, of_other_kinds


def standing_behind(
    hits: Sequence[Hit], query: SearchQuery, index: SearchIndex, meant: Meant | None
) -> Mapping[str, Reason]:
    """The external ids of an index's hits that stand behind the others, and why; without `meant` no kinds are known."""

    def case_of(hit: Hit) -> str:
        return " ".join(passage.text for passage in index.document_of(hit) if passage.role == "question")

    reasons: dict[str, Reason] = dict.fromkeys(of_other_cases(hits, query, case_of), "case")
    if meant is not None:
        reasons |= dict.fromkeys(of_other_kinds(hits, query, meant), "kind")
    return reasons


def put_behind(hits: Sequence[Hit], behind: Collection[str]) -> tuple[Hit, ...]:
    """The hits in their order, those of the documents `behind` after the rest."""
    return tuple(sorted(hits, key=lambda hit: hit.external_id in behind))
