from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import structlog

from ingest.reranking import Logits, WordOverlapReranker
from kb_service.observability import Metrics
from kb_service.search.models import Hit
from kb_service.search.reranking import Reranking
from kb_service.search.retrieval import SearchIndex
from kb_service.search.weighing import weigh
from tests.kb_service.search.shelf import asked, index_of, shelf_of, written


class Told:
    """A reranker that says what it is told by a word of the passage, and keeps what it was asked."""

    model_id = "told"

    def __init__(self, **logits: float) -> None:
        self._logits = logits
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def score(self, query: str, passages: Sequence[str]) -> Logits:
        self.asked.append((query, tuple(passages)))
        return np.array(
            [max((self._logits.get(word, -9.0) for word in text.split()), default=-9.0) for text in passages]
        )


class Broken:
    model_id = "broken"

    def __init__(self, logits: Logits | None) -> None:
        self._logits = logits

    def score(self, query: str, passages: Sequence[str]) -> Logits:
        if self._logits is None:
            raise RuntimeError("out of memory")
        return self._logits


QUERY = asked("refund card parcel", limit=5)


@pytest.fixture
def index() -> SearchIndex:
    return index_of(
        shelf_of(
            written("best", "refund card parcel", title="Best"),
            written("second", "refund card lamp", title="Second"),
            written("third", "refund lamp lamp", title="Third"),
            written("answered", ("question", "card screen?"), ("reply", "twenty dollars"), title="Answered"),
        )
    )


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.external_id for hit in hits]


def outcomes(metrics: Metrics) -> dict[str, float]:
    return {
        sample.labels["outcome"]: sample.value
        for family in metrics.rerankings.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def test_off_is_as_it_was(index: SearchIndex) -> None:
    assert index.reranking is None
    assert index.search(QUERY, reranks=True) == index.search(QUERY)
    assert weigh(index, QUERY) == weigh(index, QUERY, reranks=False)


def test_a_sure_reranker_moves_a_document_to_the_front(index: SearchIndex) -> None:
    before = index.search(QUERY)
    assert ids(before)[0] == "best"
    index.reranking = Reranking(Told(Third=30.0), Metrics())
    after = index.search(QUERY, reranks=True)
    assert ids(after)[0] == "third"
    assert set(ids(after)) == set(ids(before))
    assert [hit.score for hit in after] == sorted((hit.score for hit in after), reverse=True)
    assert ids(index.search(QUERY)) == ids(before)  # only where it is wanted


def test_fusion_still_counts(index: SearchIndex) -> None:
    """A small difference of the reranker does not undo a large one of the evidence."""
    index.reranking = Reranking(Told(Best=0.0, Second=0.1, Third=0.2, Answered=0.2), Metrics())
    assert ids(index.search(QUERY, reranks=True))[0] == "best"
    index.reranking = Reranking(Told(Third=30.0), Metrics(), weight=0.0)
    moved = index.search(QUERY, reranks=True)
    assert ids(moved) == ids(index.search(QUERY))


def test_it_gives_no_document_more_than_fusion_did(index: SearchIndex) -> None:
    before = {hit.external_id: hit.score for hit in index.search(QUERY)}
    index.reranking = Reranking(Told(Second=7.0, Best=5.0), Metrics())
    after = {hit.external_id: hit.score for hit in index.search(QUERY, reranks=True)}
    assert after["second"] == pytest.approx(before["second"])
    assert all(after[name] <= before[name] + 1e-12 for name in after)
    slope = index.calibration.fusion.slope
    odds = [np.log(score / (1 - score)) for score in (before["best"], after["best"])]
    assert odds[0] - odds[1] == pytest.approx(2.0 * slope)


def test_the_parts_of_a_score_keep_their_shares(index: SearchIndex) -> None:
    tied = asked(QUERY.text, limit=5, prior={"best": 0.9})
    before = index.search(tied)[0]
    index.reranking = Reranking(Told(Best=0.0, Second=2.0), Metrics())
    after = next(hit for hit in index.search(tied, reranks=True) if hit.external_id == "best")
    assert after.score < before.score
    assert after.graph / after.score == pytest.approx(before.graph / before.score)


def test_only_the_first_documents_are_read_and_the_rest_count_as_the_worst_of_them(
    index: SearchIndex,
) -> None:
    told = Told(Best=0.0, Second=-2.0, Third=50.0)
    index.reranking = Reranking(told, Metrics(), documents=2)
    assert ids(index.search(QUERY, reranks=True)) == ids(index.search(QUERY))
    ((query, passages),) = told.asked
    assert query == QUERY.text
    assert passages == ("Best\nrefund card parcel", "Second\nrefund card lamp")


def test_more_documents_are_read_than_are_asked_for(index: SearchIndex) -> None:
    index.reranking = Reranking(Told(Third=30.0), Metrics())
    query = asked(QUERY.text, limit=1)
    assert ids(index.search(query)) == ["best"]
    assert ids(index.search(query, reranks=True)) == ["third"]


def test_a_reply_is_read_with_the_question_that_it_was_found_by(index: SearchIndex) -> None:
    told = Told()
    index.reranking = Reranking(told, Metrics())
    index.search(asked("card screen", limit=5), reranks=True)
    assert "Answered\ncard screen?\ntwenty dollars" in told.asked[0][1]


@pytest.mark.parametrize(
    "logits", [None, np.array([1.0]), np.array([1.0, np.nan, 0.0, 0.0])], ids=["raises", "short", "nan"]
)
def test_a_reranker_that_fails_leaves_the_fused_order(index: SearchIndex, logits: Logits | None) -> None:
    metrics = Metrics()
    index.reranking = Reranking(Broken(logits), metrics)
    with structlog.testing.capture_logs() as logs:
        assert index.search(QUERY, reranks=True) == index.search(QUERY)
    assert [(line["event"], line["log_level"]) for line in logs] == [("reranking_failed", "warning")]
    assert outcomes(metrics) == {"failed": 1.0}


def test_what_was_reranked_is_counted_and_nothing_to_order_is_not_read(index: SearchIndex) -> None:
    metrics = Metrics()
    index.reranking = Reranking(WordOverlapReranker(), metrics)
    index.search(QUERY, reranks=True)
    assert outcomes(metrics) == {"reranked": 1.0}
    index_of(shelf_of()).search(QUERY, reranks=True)
    index.search(asked("", limit=5), reranks=True)
    assert outcomes(metrics) == {"reranked": 1.0}
