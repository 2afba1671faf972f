"""From two halves to one score: a convex combination, by how far each half can be trusted.

Each half's raw score is mapped to 0..1 by a monotone function with constants, then the two are mixed with a
weight for the pair of languages and for whether the encoder reads them. Ranks are not used: on every public
set tried, reciprocal rank fusion was worse than the better half alone (with an English encoder the words must
lead in Chinese, the vectors in English). A convex combination with calibrated constants needs few judged
questions and holds out of domain (Bruch, Gai, Ingber: An Analysis of Fusion Functions for Hybrid Retrieval,
2023).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from kb_service.search.models import Mask, Rows, Scores

Regime: TypeAlias = Literal["read", "unread", "crossed", "apart"]
"""How a question's language and a passage's stand to each other: the same and read by the encoder; the same
and not read; different and both read; different and at least one not read."""

REGIMES: tuple[Regime, ...] = get_args(Regime)


@dataclass(frozen=True, slots=True)
class Blend:
    """How the halves mix in one regime.

    The cosine c becomes 1 / (1 + exp(−(c − middle) / width)) and weighs `dense`. The words' half is
    `cover` · coverage + (1 − cover) · (1 − exp(−saturation / half)), where saturation is the BM25 score over
    what the question could reach at most, and weighs 1 − `dense`.
    """

    dense: float
    middle: float
    width: float
    cover: float
    half: float


@dataclass(frozen=True, slots=True)
class Fusion:
    """All constants of one encoder.

    A passage that is itself a customer's question gains by `question` times its own score; a document gains
    by `more` times the score of its second passage; the graph's prior adds by at most `prior`. All three
    close part of the distance to 1, so that a score stays within 0..1 and no gain outweighs the halves.
    """

    blends: Mapping[Regime, Blend]
    question: float
    more: float
    prior: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """What is known of each candidate passage of one question; arrays of one length.

    `documents` numbers the documents they belong to, `regimes` are places in `REGIMES`, `cosine` is NaN where
    there is no vector, `saturation` and `coverage` are in 0..1, `prior` is the document's.
    """

    rows: Rows
    documents: NDArray[np.int64]
    regimes: NDArray[np.int64]
    questions: Mask
    cosine: Scores
    bm25: Scores
    saturation: Scores
    coverage: Scores
    prior: Scores


@dataclass(frozen=True, slots=True)
class Ranked:
    """Documents in order: the place of each one's best candidate, its score, and what the prior added."""

    best: NDArray[np.int64]
    scores: Scores
    gains: Scores


def regime(query_language: str, language: str, reads: Collection[str]) -> Regime:
    """Languages are primary tags; "und" (a bare model number, say) is every language, and read by none."""
    same = query_language == language or "und" in (query_language, language)
    if query_language in reads and language in reads:
        return "read" if same else "crossed"
    return "unread" if same else "apart"


def blend(candidates: Candidates, fusion: Fusion) -> Scores:
    """The score of each passage, 0..1, before its document's gains."""
    constants = np.array([_row(fusion.blends[name]) for name in REGIMES])[candidates.regimes]
    weight, middle, width, cover, half = constants.T
    absent = np.isnan(candidates.cosine)
    dense = 1 / (1 + np.exp(-(np.where(absent, 0.0, candidates.cosine) - middle) / width))
    dense = np.where(absent, 0.0, dense)
    words = cover * candidates.coverage + (1 - cover) * -np.expm1(-candidates.saturation / half)
    mixed = weight * dense + (1 - weight) * words
    return np.asarray(_gain(mixed, fusion.question * mixed * candidates.questions))


def rank(candidates: Candidates, fusion: Fusion) -> Ranked:
    """Folds the passages of each document into one and orders the documents, best first.

    Equal scores are ordered by the candidates' order, which the caller makes independent of chance.
    """
    scores = blend(candidates, fusion)
    order = np.lexsort((np.arange(len(scores)), -scores))
    documents, first = np.unique(candidates.documents[order], return_index=True)
    best = order[first]
    rest = np.ones(len(order), dtype=np.bool_)
    rest[first] = False
    second = np.zeros(len(documents))
    np.maximum.at(second, np.searchsorted(documents, candidates.documents[order[rest]]), scores[order[rest]])
    folded = _gain(scores[best], fusion.more * second)
    total = _gain(folded, fusion.prior * candidates.prior[best])
    final = np.lexsort((best, -total))
    return Ranked(best[final], total[final], (total - folded)[final])


def _gain(score: Scores, share: Scores) -> Scores:
    return score + (1 - score) * share


def _row(mix: Blend) -> list[float]:
    return [getattr(mix, field.name) for field in fields(Blend)]


# --- fitting ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judged:
    """One judged question: its candidates, and which of them belong to a right document.

    `group` is a language, say; the mean of each group counts as much as any other's.
    """

    candidates: Candidates
    right: Mask
    group: str


_GRID: Mapping[str, tuple[float, ...]] = {
    "dense": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    "middle": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    "width": (0.05, 0.08, 0.12, 0.16, 0.24),
    "cover": (0.0, 0.25, 0.5, 0.75, 1.0),
    "half": (0.05, 0.1, 0.2, 0.4, 0.8),
}
_SHARED: Mapping[str, tuple[float, ...]] = {
    "question": (0.0, 0.1, 0.2, 0.3, 0.4),
    "more": (0.0, 0.02, 0.05, 0.1, 0.2),
}
_NOISE = 1e-4
"""A change that gains less is not taken, so that constants which the questions do not bear on stay."""


def fit_fusion(judged: Sequence[Judged], start: Fusion, *, rounds: int = 3) -> Fusion:
    """The constants with the highest mean nDCG@10, by coordinate search over small grids from `start`.

    Only regimes that occur among the candidates change; `prior` stays, since questions are judged without a
    graph. Candidates of right documents that retrieval missed do not count, so every constant sees the same.
    Raises ValueError without judged questions that have a right candidate.
    """
    judged = [question for question in judged if question.right.any()]
    if not judged:
        raise ValueError("judged: no question has a right document among its candidates; judge some first")
    occurring = {REGIMES[code] for question in judged for code in np.unique(question.candidates.regimes)}
    best, value = start, objective(judged, start)
    for _ in range(rounds):
        before = value
        for name in (name for name in REGIMES if name in occurring):
            for constant, grid in _GRID.items():
                trials = [_with(best, name, constant, number) for number in grid]
                best, value = _better(judged, best, value, trials)
        for constant, grid in _SHARED.items():
            trials = [_shared(best, constant, number) for number in grid]
            best, value = _better(judged, best, value, trials)
        if value - before < _NOISE:
            break
    return best


def objective(judged: Sequence[Judged], fusion: Fusion) -> float:
    """nDCG@10 of binary judgements, averaged over the questions of a group and then over the groups."""
    values: dict[str, list[float]] = {}
    for question in judged:
        right = question.right[rank(question.candidates, fusion).best[:10]]
        wanted = len(np.unique(question.candidates.documents[question.right]))
        ideal = _DISCOUNTS[: min(wanted, 10)].sum()
        values.setdefault(question.group, []).append(float(_DISCOUNTS[: len(right)][right].sum() / ideal))
    return float(np.mean([np.mean(group) for group in values.values()]))


_DISCOUNTS = 1 / np.log2(np.arange(2, 12))


def _with(fusion: Fusion, name: Regime, constant: str, number: float) -> Fusion:
    return replace(fusion, blends={**fusion.blends, name: replace(fusion.blends[name], **{constant: number})})


def _shared(fusion: Fusion, constant: str, number: float) -> Fusion:
    values = {name: getattr(fusion, name) for name in ("question", "more", "prior")} | {constant: number}
    return Fusion(fusion.blends, **values)


def _better(
    judged: Sequence[Judged], best: Fusion, value: float, trials: Sequence[Fusion]
) -> tuple[Fusion, float]:
    for trial in trials:
        tried = objective(judged, trial)
        if tried > value + _NOISE:
            best, value = trial, tried
    return best, value
