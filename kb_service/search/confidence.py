"""How likely it is that the best hit answers the question: a logistic over what the hits look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.language import words
from kb_service.search.codes import codes
from kb_service.search.models import Hit, SearchQuery

FEATURES = (
    "bias",
    "score",
    "share",
    "dense",
    "standout",
    "coverage",
    "ahead",
    "lead",
    "agreement",
    "question",
    "entity",
    "length",
    "across",
    "graph",
)
COMPARED = 5
"""Hits that are looked at, so that asking for more changes no confidence."""
_ODDS_UNIT = 5.0
_MOST_ODDS = 2.0
_STANDOUT_UNIT = 0.2

OTHER = "other"
"""The coefficients of every language that has none of its own."""

_RIDGE = 2.0
LEAST_SURE, MOST_SURE = 0.005, 0.995
"""A logistic over some features does not know better than this."""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """One number a feature, how many samples they were fitted on (0: set by hand, cautiously)."""

    values: tuple[float, ...]
    samples: int = 0

    def __post_init__(self) -> None:
        if len(self.values) != len(FEATURES):
            raise ValueError(
                f"values: {len(self.values)} numbers for the {len(FEATURES)} features {FEATURES}"
            )


@dataclass(frozen=True, slots=True)
class Confidence:
    """Coefficients by language, for the encoder whose scores they were fitted on."""

    languages: Mapping[str, Coefficients]

    def probability(self, hits: Sequence[Hit], query: SearchQuery) -> float:
        """The probability that the first hit's document answers the question; 0 without hits."""
        if not hits:
            return 0.0
        return self.of_features(features(hits, query), query.language)

    def of_features(self, seen: NDArray[np.float64], language: str) -> float:
        """The probability for features already taken, see `features`."""
        value = sigmoid(float(seen @ np.array(self.of_language(language).values)))
        return float(np.clip(value, LEAST_SURE, MOST_SURE))

    def of_language(self, language: str) -> Coefficients:
        """The coefficients that count for questions in a language."""
        return self.languages.get(language, self.languages[OTHER])


@dataclass(frozen=True, slots=True)
class Sample:
    """The features of one judged question and whether its first hit was right; `beside` are log-odds that something
    else adds, which the fit is told of."""

    features: NDArray[np.float64]
    language: str
    right: bool
    beside: float = 0.0


def features(hits: Sequence[Hit], query: SearchQuery) -> NDArray[np.float64]:
    """What the hits of one question look like, shape (len(FEATURES),), each about 0..1 or -1..1.

    Of the first hit: `score` is the log-odds of its score in units of five; `share` its part of the summed odds of
    the hits, how far it is alone; `dense` its cosine, `standout` how far that is above the mean of the other hits';
    `coverage` the share of the question's information that it holds, `ahead` that beyond the next best; `lead` how
    far its BM25 score is from the best other one, relative to the larger; `agreement` the share of the halves that
    put it first; `question` how alike the question is that it was matched by; `entity` is 1 when it names a code
    that the question names, -1 when it names others only, 0 otherwise;
    `across` is 1 when it is in another language.
    """
    hits = hits[:COMPARED]
    first, others = hits[0], hits[1:]
    odds = np.array([log_odds(hit.score) for hit in hits])
    cosines = [hit.dense for hit in others]
    words_beside = max((hit.lexical for hit in others), default=0.0)
    leads = [first.dense >= max(cosines, default=-1.0), first.lexical >= words_beside]
    matched_question = max(first.dense, first.coverage) if first.matched_role == "question" else 0.0
    values = {
        "bias": 1.0,
        "score": float(np.clip(odds[0] / _ODDS_UNIT, -_MOST_ODDS, _MOST_ODDS)),
        "share": float(1 / np.exp(odds - odds[0]).sum()),
        "dense": max(first.dense, 0.0),
        "standout": (first.dense - float(np.mean(cosines))) / _STANDOUT_UNIT if others else 0.0,
        "coverage": first.coverage,
        "ahead": first.coverage - max((hit.coverage for hit in others), default=0.0),
        "lead": (first.lexical - words_beside) / max(first.lexical, words_beside, 1e-9),
        "agreement": sum(leads) / 2,
        "question": max(matched_question, 0.0),
        "entity": _entity(first, query),
        "length": min(np.log1p(len(words(query.text))) / 4, 1.5),
        "across": float(first.language != query.language and query.language != "und"),
        "graph": first.graph,
    }
    return np.array([values[name] for name in FEATURES], dtype=np.float64)


def log_odds(score: float) -> float:
    """The log-odds of a score or a probability, finite at 0 and 1 too."""
    bounded = min(max(score, 1e-15), 1 - 1e-15)
    return float(np.log(bounded / (1 - bounded)))


def score_of(value: float) -> float:
    """The score that the feature `score` was made of, as far as it was not cut off."""
    return sigmoid(value * _ODDS_UNIT)


def _entity(hit: Hit, query: SearchQuery) -> float:
    named = codes([query.text, *query.filters.products, *query.filters.applies_to])
    if not named:
        return 0.0
    carried = codes([*hit.products, hit.title, hit.text, hit.matched_text])
    if named & carried:
        return 1.0
    return -1.0 if carried else 0.0


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -35, 35))))


# --- fitting ----------------------------------------------------------------------------------------------


def fit_confidence(samples: Sequence[Sample], start: Confidence, *, least: int = 50) -> Confidence:
    """Logistic regression by language, on questions that nothing else was fitted on.

    Newton's method with a ridge towards the coefficients of `start`, so that a feature which the samples do
    not move keeps its cautious value. A language with fewer than `least` samples, or where all are right or
    all are wrong, keeps its coefficients; `other` is fitted on all samples together.
    """
    groups: dict[str, list[Sample]] = {OTHER: list(samples)}
    for sample in samples:
        groups.setdefault(sample.language, []).append(sample)
    fitted = dict(start.languages)
    for language, members in groups.items():
        right = np.array([sample.right for sample in members], dtype=np.float64)
        if len(members) >= least and 0 < right.sum() < len(right):
            before = start.languages.get(language, start.languages[OTHER])
            values = _newton(
                np.stack([sample.features for sample in members]),
                right,
                np.array(before.values),
                np.array([sample.beside for sample in members]),
            )
            fitted[language] = Coefficients(tuple(round(float(value), 4) for value in values), len(members))
    return Confidence(fitted)


def _newton(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    start: NDArray[np.float64],
    beside: NDArray[np.float64],
    *,
    steps: int = 50,
) -> NDArray[np.float64]:
    """Minimises the negative log-likelihood plus a ridge towards `start`, halving steps that fail; `beside` is added
    to the log-odds as it is."""
    ridge = np.full(x.shape[1], _RIDGE)
    ridge[0] = 0.01  # the bias follows the data

    def loss(w: NDArray[np.float64]) -> float:
        return float(
            np.logaddexp(0, -(2 * y - 1) * (x @ w + beside)).sum() + (ridge * (w - start) ** 2).sum() / 2
        )

    weights = start.astype(np.float64)
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ weights + beside, -35, 35)))
        gradient = x.T @ (p - y) + ridge * (weights - start)
        hessian = (x * (p * (1 - p))[:, np.newaxis]).T @ x + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        share = 1.0
        while share > 1e-4 and loss(weights - share * step) > loss(weights):
            share /= 2
        weights = weights - share * step
        if float(np.abs(share * step).max()) < 1e-8:
            break
    return weights
