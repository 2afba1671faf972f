"""From two halves to one score: evidence that adds up, weighed by how far each half can be trusted.

Each candidate passage gets log-odds: its cosine, the share of the question's information that it covers, its BM25
score as a share of the best one, and how far it leads the next document by words, each times a weight. A document's
evidence is the sum of its passages' (the logarithm of their summed odds), so that the best leads and others help. The
attributes of a product do not add up: each repeats its name, and ten that say so tell no more than one.

The weights belong to a regime, which tells whether the encoder reads both languages and whether they are the same,
and where enough was judged to a language too: in English vectors must lead, in Chinese words weigh twice as much.
A lead counts by its square: a passage that is a little ahead by words is ahead by chance, one that is far ahead is
right nearly always, in every set tried. Ranks are not used: reciprocal rank fusion is worse than the better half
alone on every public set (`docs/benchmarks.md`). Convex combinations with few calibrated constants hold out of
domain (Bruch, Gai, Ingber: An Analysis of Fusion Functions for Hybrid Retrieval, 2023).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from kb_service.search.models import Mask, Rows, Scores

Regime: TypeAlias = Literal["read", "unread", "crossed", "apart"]
"""How a question's language and a passage's stand to each other: the same and read by the encoder; the same
and not read; different and both read; different and at least one not read."""

REGIMES: tuple[Regime, ...] = get_args(Regime)
_OWN = np.array([name in ("read", "unread") for name in REGIMES])


@dataclass(frozen=True, slots=True)
class Blend:
    """What each sign weighs in one regime, in log-odds: per unit of cosine, of the question's information covered
    (0..1), of BM25 relative to the best passage of the question's language (0..1), and of its squared lead over the
    next document (0..1). `subject` is what a code that the question names counts where it stands, and against where
    only others do; `matter` what it counts, per unit of its logarithm, that the document speaks of what is asked about;
    `offset` what the regime itself counts."""

    cosine: float
    coverage: float
    relative: float
    lead: float
    subject: float = 0.0
    matter: float = 0.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Fusion:
    """All constants of one encoder.

    `blends` are by regime (`read`) and, where they were fitted for a language, by both (`zh:read`). `prior` is what
    the graph's strongest tie between question and document adds, `scope` what a document gains that is limited to the
    region or tier of the customer, beside those for everybody, and `kinds` what it counts that a document is of a kind,
    beside the question's other candidates. A score is the logistic of `slope` times the evidence beyond `middle`:
    roughly how often a first document with that much evidence is right.
    """

    blends: Mapping[str, Blend]
    prior: float
    slope: float = 1.0
    middle: float = 0.0
    scope: float = 0.0
    kinds: Mapping[str, float] = field(default_factory=dict)

    def blend_of(self, language: str, name: Regime) -> Blend:
        """The constants for questions in a language (primary tag) and passages of a regime."""
        return self.blends.get(key(language, name), self.blends[name])


def key(language: str, name: Regime) -> str:
    return f"{language}:{name}"


@dataclass(frozen=True, slots=True)
class Candidates:
    """What is known of each candidate passage of one question; arrays of one length.

    `language` is the question's. `documents` numbers the documents the passages belong to, `regimes` are places in
    `REGIMES`, `cosine` is NaN where there is no vector, `coverage` is in 0..1, `prior` the document's. `subject` is 1
    where a code stands that the question names, -1 where only other codes do, and 0 otherwise; `attribute` tells which
    are one attribute of a product, `kinds` what kind of document each belongs to; `matter` is how much
    more than by chance the document speaks of the question's intents, as a logarithm; `scoped` is how far the document
    is made for this customer in particular or about the place that is asked about, and `own_rules` what it counts
    besides as a rule of their own region, in the same units; see `kb_service.search.scopes`. `learned` is what feedback
    adds to the document's evidence, None where it moves none of them.
    """

    language: str
    rows: Rows
    documents: NDArray[np.int64]
    regimes: NDArray[np.int64]
    cosine: Scores
    bm25: Scores
    coverage: Scores
    subject: Scores
    attribute: Mask
    kinds: NDArray[np.str_]
    matter: Scores
    prior: Scores
    scoped: Scores
    own_rules: Scores
    learned: Scores | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """Documents in order: the place of each one's best candidate, its score, what the prior and what feedback added
    to that, the evidence (log-odds) that the score was taken from, what of it brought it before others as a rule of the
    customer's region, and what it counts what kind of document it is."""

    best: NDArray[np.int64]
    scores: Scores
    gains: Scores
    learned: Scores
    evidence: Scores
    lifts: Scores
    kinds: Scores


def regime(query_language: str, language: str, reads: Collection[str]) -> Regime:
    """Languages are primary tags; "und" (a bare model number, say) is every language, and read by none."""
    same = query_language == language or "und" in (query_language, language)
    if query_language in reads and language in reads:
        return "read" if same else "crossed"
    return "unread" if same else "apart"


_AHEAD = 4.0
"""Log-odds by which at most a rule of the customer's own region is brought before the best of the others; of .5, 2, 3,
4, 5, 6 and 8 the best calibrated on the sample's questions by region of the split `calibrate`."""

SIGNS = ("cosine", "coverage", "relative", "lead", "subject", "matter", "offset")


def signs(candidates: Candidates) -> NDArray[np.float64]:
    """What the weights of a `Blend` multiply, shape (candidates, len(SIGNS)).

    BM25 compares passages of one language only: in another a question has no words but names and numbers.
    """
    own = _OWN[candidates.regimes]
    bm25 = np.where(own, candidates.bm25, 0.0)
    best = max(float(bm25.max(initial=0.0)), 1e-9)
    lead = np.maximum(bm25 - _best_of_others(bm25, candidates.documents), 0.0) / best
    return np.stack(
        [
            np.nan_to_num(candidates.cosine, nan=0.0),
            candidates.coverage,
            bm25 / best,
            lead**2,
            candidates.subject,
            candidates.matter,
            np.ones(len(own)),
        ],
        axis=1,
    )


def _best_of_others(values: Scores, documents: NDArray[np.int64]) -> Scores:
    """For each candidate the highest value among the other documents' candidates; 0 where there are none."""
    if not len(values):
        return values
    top = int(values.argmax())
    others = values[documents != documents[top]]
    found: Scores = np.where(documents == documents[top], others.max(initial=0.0), values[top])
    return found


def points(candidates: Candidates, fusion: Fusion) -> NDArray[np.float64]:
    """What each sign counts for each passage, in log-odds, shape (candidates, len(SIGNS))."""
    weights = np.array([_row(fusion.blend_of(candidates.language, name)) for name in REGIMES])
    return np.asarray(signs(candidates) * weights[candidates.regimes])


def evidence(candidates: Candidates, fusion: Fusion) -> Scores:
    """The log-odds of each passage, before its document's prior."""
    return np.asarray(points(candidates, fusion).sum(axis=1))


def rank(candidates: Candidates, fusion: Fusion) -> Ranked:
    """Folds the passages of each document into one and orders the documents, best first.

    Equal scores are ordered by the candidates' order, which the caller makes independent of chance.
    """
    odds = evidence(candidates, fusion)
    documents, best = _best_of_each(candidates, odds)
    counted = _counted(candidates, best)
    owners = np.searchsorted(documents, candidates.documents[counted])
    folded = summed(odds[counted], owners, odds[best])
    kinds = _of_kinds(candidates.kinds[best], fusion)
    folded += kinds + fusion.scope * candidates.scoped[best]
    linked = folded + fusion.prior * candidates.prior[best]
    total = linked if candidates.learned is None else linked + candidates.learned[best]
    own = fusion.scope * candidates.own_rules[best]
    lifts = _in_front(total, own)
    final = np.lexsort((best, -(total + own), -(total + lifts)))
    scores, before = _score(total + lifts, fusion)[final], _score(linked + lifts, fusion)[final]
    gains = before - _score(folded + lifts, fusion)[final]
    return Ranked(
        best[final], scores, gains, scores - before, (total + lifts)[final], lifts[final], kinds[final]
    )


def _of_kinds(kinds: NDArray[np.str_], fusion: Fusion) -> Scores:
    """What each document's kind counts beside the others': nothing where all are of one, and odds of one on average."""
    weights = np.array([fusion.kinds.get(kind, 0.0) for kind in kinds.tolist()])
    return weights - np.log(np.exp(weights).mean()) if len(weights) else weights


def counted(candidates: Candidates, fusion: Fusion) -> Mask:
    """Which passages count for their documents: all but attributes beside a better passage."""
    _, best = _best_of_each(candidates, evidence(candidates, fusion))
    return _counted(candidates, best)


def _best_of_each(candidates: Candidates, odds: Scores) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The documents in order, and the place of each one's best passage."""
    order = np.lexsort((np.arange(len(odds)), -odds))
    documents, first = np.unique(candidates.documents[order], return_index=True)
    return documents, order[first]


def _counted(candidates: Candidates, best: NDArray[np.int64]) -> Mask:
    mask = ~candidates.attribute
    mask[best] = True
    return mask


def _in_front(total: Scores, own: Scores) -> Scores:
    """How far `own` brings each document: to before the best of the others and not much further, since a rule that
    takes the place of another answers the question hardly better than that one would."""
    if not (own.any() and (own == 0).any()):
        return np.zeros(len(total))
    front = total[own == 0].max() + _AHEAD
    return np.asarray(np.maximum(np.minimum(own, front - total), 0.0))


def summed(odds: Scores, owners: NDArray[np.int64], highest: Scores) -> Scores:
    """The logarithm of the sum of each owner's odds, given as logarithms; `highest` is each owner's highest."""
    sums = np.zeros(len(highest))
    np.add.at(sums, owners, np.exp(odds - highest[owners]))
    total: Scores = highest + np.log(sums)
    return total


def _score(total: Scores, fusion: Fusion) -> Scores:
    return np.asarray(1 / (1 + np.exp(-np.clip(fusion.slope * (total - fusion.middle), -35, 35))))


def _row(mix: Blend) -> list[float]:
    return [getattr(mix, name) for name in SIGNS]


@dataclass(frozen=True, slots=True)
class Judged:
    """One judged question: its candidates, and which of them belong to a right document.

    `group` is a language or a set, say; the mean of each group counts as much as any other's.
    """

    candidates: Candidates
    right: Mask
    group: str
