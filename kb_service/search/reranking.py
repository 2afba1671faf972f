"""The optional last stage of a search: a cross-encoder reads the first documents beside the question.

Its log-odds are added to what fusion found rather than put in their place, so that both halves, the names and the
graph still count. A document's evidence becomes its fused evidence plus `weight` times what it has less than the best
of them (so nothing gains, and a reranker alone makes no answer surer). Documents that were not read count as the worst
of those that were. When the reranker fails the fused order stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from structlog.stdlib import get_logger

from ingest.reranking import Logits, Reranker
from kb_service.observability import Metrics
from kb_service.search.models import Hit, SearchQuery

log = get_logger(__name__)

_EDGE = 1e-15
"""Scores nearer to 0 or 1 say no more."""


@dataclass(frozen=True, slots=True)
class Reranking:
    """A reranker, how many documents it reads of each search, and what its log-odds weigh beside fusion's."""

    reranker: Reranker
    metrics: Metrics
    documents: int = 20
    weight: float = 1.0

    def reordered(self, query: SearchQuery, hits: Sequence[Hit], slope: float) -> tuple[Hit, ...]:
        """The hits, best first by fusion, in their new order with their new scores. Raises nothing.

        `slope` is the fusion's: a score is the logistic of slope times evidence.
        """
        read = hits[: self.documents]
        if len(read) < 2 or not query.text.strip():
            return tuple(hits)
        try:
            logits = self._logits(query.text, [_read_text(hit) for hit in read])
        except Exception as error:
            self.metrics.rerankings.labels("failed").inc()
            log.warning("reranking_failed", model=self.reranker.model_id, exc_info=error)
            return tuple(hits)
        self.metrics.rerankings.labels("reranked").inc()
        behind = np.full(len(hits), logits.min() - logits.max())
        behind[: len(read)] = logits - logits.max()
        moved = [
            _moved(hit, self.weight * float(loss), slope) for hit, loss in zip(hits, behind, strict=True)
        ]
        return tuple(sorted(moved, key=lambda hit: -hit.score))

    def _logits(self, query: str, passages: Sequence[str]) -> Logits:
        logits = self.reranker.score(query, passages)
        if logits.shape != (len(passages),) or not np.isfinite(logits).all():
            raise ValueError(
                f"the reranker gave {logits.shape} numbers for {len(passages)} passages, or not numbers"
            )
        return logits


def _read_text(hit: Hit) -> str:
    """What the reranker reads of a document: its title, the question it was matched by, and what would be quoted."""
    question = hit.matched_text if hit.matched_role == "question" else ""
    return "\n".join(part for part in (hit.title, question, hit.text) if part)


def _moved(hit: Hit, lost: float, slope: float) -> Hit:
    """The hit with other evidence; of its score the graph's part and that of feedback keep their shares."""
    score = min(max(hit.score, _EDGE), 1 - _EDGE)
    total = float(np.log(score / (1 - score))) + slope * lost
    moved = float(1 / (1 + np.exp(-np.clip(total, -35, 35))))
    share = moved / score
    graph, learned = hit.graph * share, hit.learned * share
    return replace(hit, score=moved, graph=graph, learned=learned, evidence=hit.evidence + lost)
