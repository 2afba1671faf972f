"""Passages by meaning: cosines against unit-length vectors, exact or through FAISS's HNSW graph."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from ingest.models import Vectors
from kb_service.search.columns import Column, from_npy, to_npy
from kb_service.search.models import Mask, Rows, Scores, Vector

EXACT_ROWS = 5_000
"""Up to here every search is exact: a scan of 5,000 × 384 takes a quarter of a millisecond."""

_NEIGHBOURS = 32
_CONSTRUCTION = 40
_BREADTH = 64
"""HNSW's M, efConstruction and least efSearch: recall@10 above .99 at 20,000 rows, in a tenth of the time."""

_OPEN_SHARE = 0.75
"""The share of rows that a mask must let through for the graph to be used. Behind a narrower mask the graph
loses recall faster than it saves time (with half of the rows hidden, .86 at twice the breadth)."""

_TAIL = 1_024
"""Rows behind the graph that are scanned; beyond, they are added to a copy of the graph."""


class DenseIndex:
    """The writer's side: vectors by row, appended only. Not thread-safe; readers use a `view`.

    The first `len(graph)` rows are in an HNSW graph, which is never changed once a view may hold it: FAISS
    does not allow searching and adding at once, so further rows are scanned until a copy takes them in.
    """

    def __init__(self, dimension: int, *, exact_rows: int = EXACT_ROWS) -> None:
        self._dimension = dimension
        self._exact_rows = exact_rows
        self._vectors: Column[np.float32] = Column(np.float32, (dimension,))
        self._embedded: Column[np.bool_] = Column(np.bool_)
        self._graph: Any = None

    @property
    def rows(self) -> int:
        return len(self._vectors)

    def extend(self, vectors: Vectors, embedded: Mask) -> None:
        """Appends rows: unit vectors, shape (n, dimension), and which of them hold one at all, shape (n,)."""
        if vectors.shape != (len(embedded), self._dimension):
            raise ValueError(f"vectors: shape {vectors.shape} is not ({len(embedded)}, {self._dimension})")
        self._vectors.extend(vectors)
        self._embedded.extend(embedded)

    def complete(self, rows: range) -> bool:
        """Whether each of the rows has a vector."""
        return bool(self._embedded.view()[rows.start : rows.stop].all())

    def settle(self) -> None:
        """Takes rows into the graph once there are enough of them; views taken before keep the old graph."""
        begin = self._graph.ntotal if self._graph is not None else 0
        if self.rows <= self._exact_rows or self.rows - begin <= _TAIL:
            return
        if self._graph is None:
            graph: Any = faiss.IndexHNSWFlat(self._dimension, _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
            graph.hnsw.efConstruction = _CONSTRUCTION
        else:
            graph = faiss.clone_index(self._graph)
        faiss.omp_set_num_threads(len(os.sched_getaffinity(0)))
        graph.add(np.ascontiguousarray(self._vectors.view()[begin:]))
        self._graph = graph

    def view(self) -> DenseView:
        """The index as it is now, immutable."""
        return DenseView(self._vectors.view(), self._embedded.view(), self._graph)

    @classmethod
    def load(cls, files: Mapping[str, bytes], dimension: int, *, exact_rows: int = EXACT_ROWS) -> DenseIndex:
        """The reverse of `DenseView.dump`. Raises ValueError, KeyError or RuntimeError on what differs."""
        index = cls(dimension, exact_rows=exact_rows)
        index._vectors = Column.of(from_npy(files["vectors.npy"]), np.float32)
        index._embedded = Column.of(from_npy(files["embedded.npy"]), np.bool_)
        if index._vectors.view().shape != (len(index._embedded), dimension):
            raise ValueError(f"vectors.npy: shape {index._vectors.view().shape} does not fit embedded.npy")
        if "dense.faiss" in files:
            graph = faiss.deserialize_index(np.frombuffer(files["dense.faiss"], dtype=np.uint8))
            if graph.d != dimension or graph.ntotal > index.rows:
                raise ValueError(f"dense.faiss: {graph.ntotal} vectors of {graph.d} do not fit vectors.npy")
            index._graph = graph
        return index


@dataclass(frozen=True)
class DenseView:
    """An immutable state that any number of threads may search."""

    vectors: NDArray[np.float32]
    embedded: Mask
    graph: Any

    def search(self, vector: Vector, k: int, allowed: Mask | None = None) -> tuple[Rows, Scores]:
        """The rows with the highest cosine among the `allowed` (shape (rows,); None: all), best first.

        Exact, save that an index above its exact limit goes through the graph when `allowed` is wide.
        """
        usable = self.embedded if allowed is None else self.embedded & allowed
        count = int(np.count_nonzero(usable))
        if count == 0 or k < 1:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
        if self.graph is not None and count >= _OPEN_SHARE * len(usable):
            rows, scores = self._by_graph(vector, k, usable, count)
        else:
            rows = np.flatnonzero(usable)
            scores = self.scores(vector, rows)
        return _best(rows, scores, k)

    def dump(self) -> Mapping[str, bytes]:
        """Files by name."""
        files = {"vectors.npy": to_npy(self.vectors), "embedded.npy": to_npy(self.embedded)}
        if self.graph is not None:
            files["dense.faiss"] = faiss.serialize_index(self.graph).tobytes()
        return files

    def scores(self, vector: Vector, rows: Rows) -> Scores:
        """The cosine of each given row, exact; 0 where a row has no vector."""
        # FAISS's kernel rather than `vectors[rows] @ vector`: it copies nothing and starts no thread, whereas
        # a multi-threaded BLAS under many reader threads is slower by two orders of magnitude.
        query = self._query(vector)
        picked = np.ascontiguousarray(rows, dtype=np.int64)
        out = np.empty(len(picked), dtype=np.float32)
        if len(picked):
            faiss.omp_set_num_threads(1)
            faiss.fvec_inner_products_by_idx(  # type: ignore[attr-defined]
                faiss.swig_ptr(out),
                faiss.swig_ptr(query),
                faiss.swig_ptr(self.vectors),
                faiss.swig_ptr(picked),
                self.vectors.shape[1],
                1,
                len(picked),
            )
        return out.astype(np.float64)

    def _query(self, vector: Vector) -> NDArray[np.float32]:
        query = np.ascontiguousarray(vector, dtype=np.float32)
        if query.shape != self.vectors.shape[1:]:
            raise ValueError(f"vector: shape {query.shape} is not ({self.vectors.shape[1]},)")
        return query

    def _by_graph(self, vector: Vector, k: int, usable: Mask, count: int) -> tuple[Rows, Scores]:
        size = self.graph.ntotal
        breadth = int(max(_BREADTH, 2 * k) * (len(usable) / count) ** 2)
        bits = np.packbits(usable[:size], bitorder="little")
        selector = faiss.IDSelectorBitmap(size, faiss.swig_ptr(bits)) if count < len(usable) else None
        parameters = faiss.SearchParametersHNSW(  # type: ignore[attr-defined]
            efSearch=breadth, sel=selector
        )
        faiss.omp_set_num_threads(1)
        _, found = self.graph.search(self._query(vector)[np.newaxis], min(k, size), params=parameters)
        near = found[0][found[0] >= 0]
        if len(near) < min(k, int(np.count_nonzero(usable[:size]))):
            near = np.flatnonzero(usable[:size])  # the walk got stuck between hidden rows
        rows = np.concatenate([near, size + np.flatnonzero(usable[size:])])
        return rows, self.scores(vector, rows)


def _best(rows: Rows, scores: Scores, k: int) -> tuple[Rows, Scores]:
    """The k best in order; equal scores by row, so that an order never depends on chance."""
    if len(rows) > k:
        threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = scores >= threshold
        rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]
