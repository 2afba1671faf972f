"""Ways to rank documents for questions that everyone has: words, vectors, and the two fused by rank.

Each takes a `Task` and returns one ranking of its entries a question.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import rjieba

from ingest.models import Vectors

DEPTH = 10
"""Ranks that count."""
POOL = 50
"""Ranks that fusion looks at."""
RRF_K = 60
"""The constant of reciprocal rank fusion as its authors set it (Cormack, Clarke and Büttcher, 2009)."""

Ranking: TypeAlias = list[tuple[str, float]]
"""Ids with scores, best first; scores compare within one system only."""


@dataclass(frozen=True, slots=True)
class Task:
    """A corpus as entries, whole documents or passages of them, and the questions to it.

    `ids`, `owners` (each entry's document), `texts` and `vectors` (shape (entries, dimension)) are one an entry,
    `asked` and `asked_vectors` one a question. `wanted` entries are asked of a system that must be told.
    """

    ids: tuple[str, ...]
    owners: tuple[str, ...]
    texts: tuple[str, ...]
    vectors: Vectors
    asked: tuple[str, ...]
    asked_vectors: Vectors
    wanted: int = DEPTH


System: TypeAlias = Callable[[Task], list[Ranking]]


class Unavailable(Exception):
    """A system cannot be run here; the message says why."""


def by_document(task: Task, rankings: Sequence[Ranking]) -> list[Ranking]:
    """Rankings of entries as rankings of documents, each by its best entry."""
    owners = dict(zip(task.ids, task.owners, strict=True))
    found: list[Ranking] = []
    for ranking in rankings:
        best: dict[str, float] = {}
        for name, score in ranking:
            best.setdefault(owners[name], score)
        found.append(list(best.items()))
    return found


def dense(task: Task) -> list[Ranking]:
    """By cosine."""
    scores = task.asked_vectors @ task.vectors.T
    best = np.argsort(-scores, axis=1, kind="stable")[:, :POOL]
    return [
        [(task.ids[place], float(row[place])) for place in order]
        for row, order in zip(scores, best, strict=True)
    ]


def bm25_words(task: Task) -> list[Ranking]:
    """BM25 of bm25s as it comes: words of two letters and more, English stop words left out, no stemming,
    Lucene's variant, k1 = 1.5, b = .75. A run of Chinese between two punctuation marks is one word."""
    bm25s = _bm25s()
    return _bm25(
        task,
        bm25s.tokenize(list(task.texts), return_ids=False, show_progress=False),
        bm25s.tokenize(list(task.asked), return_ids=False, show_progress=False),
    )


def bm25_segmented(task: Task) -> list[Ranking]:
    """The same over words that jieba's dictionary cuts, which is what makes BM25 fair to Chinese."""
    return _bm25(task, [_cut(text) for text in task.texts], [_cut(text) for text in task.asked])


def _bm25(task: Task, documents: list[list[str]], questions: list[list[str]]) -> list[Ranking]:
    index = _bm25s().BM25()
    index.index(documents, show_progress=False)
    found, scores = index.retrieve(questions, k=min(POOL, len(task.ids)), show_progress=False)
    return [
        [(task.ids[place], float(score)) for place, score in zip(places, own, strict=True) if score > 0]
        for places, own in zip(found.tolist(), scores.tolist(), strict=True)
    ]


def _bm25s() -> Any:
    try:
        import bm25s
    except ImportError as error:
        raise Unavailable(f"bm25s cannot be imported: {error}") from error
    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to tell everything
    return bm25s


_segmenter = rjieba.Jieba()
_SAYS_SOMETHING = re.compile(r"\w")


def _cut(text: str) -> list[str]:
    return [word for word in _segmenter.cut(text.lower()) if _SAYS_SOMETHING.search(word)]


def fused_by_rank(halves: Sequence[Sequence[Ranking]]) -> list[Ranking]:
    """Reciprocal rank fusion of several systems' rankings of the same questions."""
    fused: list[Ranking] = []
    for rankings in zip(*halves, strict=True):
        scores: dict[str, float] = {}
        for ranking in rankings:
            for rank, (name, _) in enumerate(ranking[:POOL], 1):
                scores[name] = scores.get(name, 0.0) + 1 / (RRF_K + rank)
        fused.append(sorted(scores.items(), key=lambda item: (-item[1], item[0])))
    return fused
