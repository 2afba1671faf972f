from __future__ import annotations

import threading

import numpy as np
import pytest

from ingest.models import Vectors
from kb_service.search.dense import DenseIndex, DenseView

D = 48


def unit_vectors(count: int, seed: int, clusters: int = 40) -> Vectors:
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(clusters, D))
    vectors = centres[random.integers(0, clusters, count)] + 0.7 * random.normal(size=(count, D))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def filled(vectors: Vectors, **options: int) -> DenseIndex:
    index = DenseIndex(D, **options)
    index.extend(vectors, np.ones(len(vectors), dtype=np.bool_))
    index.settle()
    return index


def best(vectors: Vectors, query: Vectors, k: int, allowed: np.ndarray | None = None) -> list[int]:
    cosines = (vectors * query).sum(axis=1)
    if allowed is not None:
        cosines = np.where(allowed, cosines, -2)
    return [int(row) for row in np.argsort(-cosines, kind="stable")[:k]]


def test_a_small_index_is_exact_and_gives_cosines() -> None:
    vectors = unit_vectors(300, 1)
    view = filled(vectors).view()
    for query in unit_vectors(20, 2):
        rows, scores = view.search(query, 10)
        assert rows.tolist() == best(vectors, query, 10)
        assert np.allclose(scores, (vectors[rows] * query).sum(axis=1), atol=1e-6)


def test_the_mask_holds_inside_the_search() -> None:
    vectors = unit_vectors(300, 1)
    view = filled(vectors).view()
    allowed = np.zeros(300, dtype=np.bool_)
    allowed[[7, 90, 200]] = True
    query = unit_vectors(1, 3)[0]
    rows, _ = view.search(query, 10, allowed)
    assert rows.tolist() == best(vectors, query, 3, allowed)
    assert view.search(query, 10, np.zeros(300, dtype=np.bool_))[0].tolist() == []


@pytest.fixture(scope="module")
def large() -> tuple[Vectors, DenseView]:
    vectors = unit_vectors(6_000, 4)
    return vectors, filled(vectors, exact_rows=2_000).view()


def test_the_graph_recalls_what_an_exact_search_finds(large: tuple[Vectors, DenseView]) -> None:
    vectors, view = large
    assert view.graph is not None
    assert view.graph.ntotal == 6_000
    recall = [
        len(set(view.search(query, 10)[0].tolist()) & set(best(vectors, query, 10))) / 10
        for query in unit_vectors(100, 5)
    ]
    assert np.mean(recall) >= 0.99


@pytest.mark.parametrize("share", [0.95, 0.8, 0.5, 0.05])
def test_a_mask_costs_no_recall_above_the_exact_limit(large: tuple[Vectors, DenseView], share: float) -> None:
    vectors, view = large
    allowed = np.random.default_rng(6).random(6_000) < share
    recall = []
    for query in unit_vectors(50, 7):
        rows, _ = view.search(query, 10, allowed)
        assert allowed[rows].all()
        recall.append(len(set(rows.tolist()) & set(best(vectors, query, 10, allowed))) / 10)
    assert np.mean(recall) >= 0.99


def test_rows_behind_the_graph_are_found_at_once_and_taken_in_later() -> None:
    vectors = unit_vectors(4_000, 8)
    index = filled(vectors[:2_500], exact_rows=2_000)
    early = index.view()
    index.extend(vectors[2_500:3_000], np.ones(500, dtype=np.bool_))
    index.settle()
    tail = index.view()
    assert tail.graph is early.graph
    assert tail.search(vectors[2_900], 1)[0].tolist() == [2_900]
    index.extend(vectors[3_000:], np.ones(1_000, dtype=np.bool_))
    index.settle()
    merged = index.view()
    assert merged.graph.ntotal == 4_000
    assert early.graph.ntotal == 2_500, "a view in use keeps its graph"
    assert merged.search(vectors[3_900], 1)[0].tolist() == [3_900]
    assert early.search(vectors[100], 1)[0].tolist() == [100]


def test_rows_without_a_vector_are_never_found() -> None:
    vectors = unit_vectors(10, 9)
    vectors[4] = 0
    index = DenseIndex(D)
    index.extend(vectors, np.arange(10) != 4)
    rows, _ = index.view().search(vectors[3], 10)
    assert sorted(rows.tolist()) == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert index.complete(range(4))
    assert not index.complete(range(3, 6))


def test_equal_vectors_come_in_the_order_of_rows() -> None:
    vectors = np.repeat(unit_vectors(1, 10), 20, axis=0)
    rows, _ = filled(vectors).view().search(vectors[0], 5)
    assert rows.tolist() == [0, 1, 2, 3, 4]


def test_files_hold_the_whole_index() -> None:
    vectors = unit_vectors(3_000, 11)
    index = filled(vectors, exact_rows=2_000)
    again = DenseIndex.load(index.view().dump(), D, exact_rows=2_000)
    query = unit_vectors(1, 12)[0]
    assert again.view().search(query, 10)[0].tolist() == index.view().search(query, 10)[0].tolist()
    again.extend(vectors[:1], np.ones(1, dtype=np.bool_))
    assert again.rows == 3_001


def test_shapes_that_do_not_fit_are_refused() -> None:
    index = DenseIndex(D)
    with pytest.raises(ValueError, match="vectors: shape"):
        index.extend(np.zeros((2, D), dtype=np.float32), np.ones(3, dtype=np.bool_))
    index.extend(unit_vectors(2, 13), np.ones(2, dtype=np.bool_))
    with pytest.raises(ValueError, match="vector: shape"):
        index.view().search(np.zeros(D + 1, dtype=np.float32), 1)
    files = dict(index.view().dump())
    with pytest.raises(ValueError, match="shape"):
        DenseIndex.load(files, D + 1)


def test_many_threads_search_while_the_graph_grows() -> None:
    vectors = unit_vectors(6_000, 14)
    index = filled(vectors[:3_000], exact_rows=2_000)
    views = [index.view()]
    wrong: list[str] = []
    stop = threading.Event()

    def read(seed: int) -> None:
        random = np.random.default_rng(seed)
        while not stop.is_set():
            view = views[-1]
            row = int(random.integers(0, len(view.vectors)))
            rows, scores = view.search(vectors[row], 5)
            cosines = (vectors[rows] * vectors[row]).sum(axis=1)
            if (
                len(rows) != 5
                or rows.max() >= len(view.vectors)
                or not np.allclose(scores, cosines, atol=1e-5)
            ):
                wrong.append(f"{rows} of {len(view.vectors)}")

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for begin in range(3_000, 6_000, 600):
        index.extend(vectors[begin : begin + 600], np.ones(600, dtype=np.bool_))
        index.settle()
        views.append(index.view())
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
