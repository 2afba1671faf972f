"""The retrieval benchmark works on any set of its shape, and without the systems that it compares with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench import retrieval
from bench.remembered import RememberedEmbedder
from bench.retrieval_tables import Abstention, Measured, better_half, shown
from bench.systems import Task, by_document, dense, fused_by_rank
from ingest.embedding import Embedder, WordHashEmbedder
from ingest.models import Vectors
from kb_service.judging.evaluation import Figures, Judged, JudgedQuestion
from tests.bench.small_sets import write_faq

OWN = (retrieval.SERVICE, retrieval.DENSE_HALF, retrieval.LEXICAL_HALF, retrieval.HALVES_BY_RANK, "dense")


def rows(printed: str) -> dict[str, list[str]]:
    """The cells of every table row by its first cell; of equal ones the first."""
    found: dict[str, list[str]] = {}
    for line in printed.splitlines():
        if line.startswith("| "):
            first, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            found.setdefault(first, cells)
    return found


def test_a_run_prints_both_tables(tmp_path: Path, word_hash: Embedder) -> None:
    write_faq(tmp_path)
    printed = retrieval.run(tmp_path, sets=["covidfaq"], chosen=OWN, embedder=word_hash)
    seen = rows(printed)
    assert seen["documents"] == ["6"]
    assert seen["questions, languages as identified"] == ["6 en"]
    assert seen["**this service**"] == ["**1.000** (1.000, 1.000)"], "each question shares words with its own"
    assert seen["its lexical half: passages by words"] == ["**1.000** (1.000, 1.000)"]
    assert seen["questions, without an answer"] == ["6, 3"]
    assert seen["this service: AUROC, answerable against not"] == ["1.000"]
    assert 0 < float(seen["this service: ECE of `confidence`"][0]) < 1
    assert "word-hash-384" in printed


def test_an_absent_set_is_named_and_the_others_are_run(tmp_path: Path, word_hash: Embedder) -> None:
    write_faq(tmp_path)
    printed = retrieval.run(
        tmp_path, sets=["stackfaq", "covidfaq"], chosen=["dense"], embedder=word_hash, abstention=False
    )
    assert "Left out: " in printed
    assert "stackfaq is absent" in printed
    assert rows(printed)["nDCG@10 (hit@1, MRR)"] == ["covidfaq"]


def test_systems_that_are_not_installed_are_named_and_the_others_are_run(
    tmp_path: Path, word_hash: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bm25s", "txtai", "haystack"):
        monkeypatch.setitem(sys.modules, name, None)
    write_faq(tmp_path)
    chosen = ["dense", "bm25", "bm25-segmented", "by-rank", "txtai", "haystack"]
    printed = retrieval.run(tmp_path, sets=["covidfaq"], chosen=chosen, embedder=word_hash)
    assert printed.count("cannot be imported") == 5
    assert "dense: whole documents by cosine" in rows(printed)
    assert "txtai, hybrid" not in rows(printed)


def test_few_questions_are_asked_when_few_are_wanted(tmp_path: Path, word_hash: Embedder) -> None:
    write_faq(tmp_path)
    printed = retrieval.run(tmp_path, sets=["covidfaq"], chosen=["dense"], questions=2, embedder=word_hash)
    assert rows(printed)["questions, languages as identified"] == ["2 en"]
    assert rows(printed)["questions, without an answer"] == ["2, 1"]


# --- the systems that everyone has


def test_fusion_by_rank_adds_reciprocal_ranks() -> None:
    (fused,) = fused_by_rank([[[("a", 9.0), ("b", 1.0)]], [[("b", 0.2), ("c", 0.1)]]])
    assert fused == [
        ("b", pytest.approx(1 / 62 + 1 / 61)),
        ("a", pytest.approx(1 / 61)),
        ("c", pytest.approx(1 / 62)),
    ]


def test_a_document_ranks_by_its_best_passage() -> None:
    nothing = np.zeros((0, 2), dtype=np.float32)
    task = Task(("a1", "a2", "b1"), ("a", "a", "b"), ("", "", ""), nothing, (), nothing)
    assert by_document(task, [[("a2", 0.9), ("b1", 0.5), ("a1", 0.1)], []]) == [[("a", 0.9), ("b", 0.5)], []]


def test_dense_orders_by_cosine() -> None:
    names, documents = ("x", "y", "z"), np.eye(3, dtype=np.float32)
    asked = np.array([[0.1, 0.9, 0.5]], dtype=np.float32)
    (ranking,) = dense(Task(names, names, names, documents, ("?",), asked))
    assert [name for name, _ in ranking] == ["y", "z", "x"]


# --- the tables


def figures(ndcg: float) -> Figures:
    return Figures(1, 0, ndcg, ndcg, ndcg, ndcg, None, None)


def test_the_share_closed_is_measured_from_the_better_half() -> None:
    both = {"bm25": figures(0.2), "dense": figures(0.6), "txtai": figures(0.9)}
    assert Measured("s", 1, {}, {**both, "service": figures(0.7)}).closed == pytest.approx(0.25)
    assert Measured("s", 1, {}, {**both, "service": figures(0.5)}).closed == pytest.approx(-0.25)
    assert Measured("s", 1, {}, {"service": figures(0.5)}).closed is None
    assert better_half(both) == 0.6
    assert better_half({"txtai": figures(0.9)}) is None
    assert (shown(0.8), shown(1.0), shown(-0.25), shown(None)) == (".800", "1.000", "-.250", "–")


def test_abstention_tells_right_first_answers_from_answerable_questions() -> None:
    def judged(first: str, expected: Sequence[str], confidence: float) -> Judged:
        asked = JudgedQuestion("q", "?", "", frozenset(expected), "", None, False)
        return Judged(asked, (first,), confidence)

    own = [judged("a", ["a"], 0.9), judged("b", ["a"], 0.4), judged("c", [], 0.6), judged("d", [], 0.1)]
    found = Abstention.of("s", {"service": own})
    assert (found.questions, found.unanswerable) == (4, 2)
    assert found.right_first == {"service": 1.0}
    assert found.answerable == pytest.approx(0.75)
    assert found.calibration == pytest.approx((0.1 + 0.4 + 0.6 + 0.1) / 4)


# --- vectors


class CountingEmbedder(WordHashEmbedder):
    """Remembers how many texts it was given."""

    def __init__(self) -> None:
        self.encoded = 0

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self.encoded += len(texts)
        return super().embed_queries(texts)


def test_a_text_is_encoded_once_and_in_the_next_run_not_at_all(tmp_path: Path) -> None:
    encoder = CountingEmbedder()
    first = RememberedEmbedder(encoder, tmp_path / "vectors")
    wanted = encoder.embed_queries(["two words", "one"])
    encoder.encoded = 0
    assert np.array_equal(first.embed_queries(["two words", "one"]), wanted)
    assert np.array_equal(first.embed_queries(["one", "two words"]), wanted[::-1])
    assert encoder.encoded == 2
    first.save()
    second = RememberedEmbedder(encoder, tmp_path / "vectors")
    assert np.array_equal(second.embed_queries(["two words", "one"]), wanted)
    assert encoder.encoded == 2
    second.embed_passages(["one"])
    assert second.embed_queries([]).shape == (0, encoder.dimension)
