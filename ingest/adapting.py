"""Adapts a lexicon to a shop's own pairs of questions: which mean the same, which only look alike.

The vectors of Chinese words move so that the cosine of a pair tells whether the two mean the same (logistic loss),
and that each text of a pair that does is nearer to its other half than to any other text of the batch. A ridge holds
every row near where it was, so that words the shop says little about keep their meaning. Texts without Chinese keep
their vectors.

Part of the pairs is held out by a hash of their first text. What the tuning is worth there decides (`verdict`),
together with a fixed set of translated sentences that ships with the code: a shop's few hundred pairs must not cost
the encoder what it knew.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ingest import lexicon, row_tuning
from ingest.embedding import Embedder
from ingest.lexicon import HAN, Lexicon
from ingest.row_tuning import Matrix, Places, Placing, Progress, RowAdam, Texts

CONTROL = Path(__file__).parent / "lexicons" / "control.tsv"
HELD_OUT = 5
"""One pair in so many is held out."""
FEWEST = 100
FEWEST_SLICE = 20
"""Held-out pairs of a language from which its figure counts."""
_BATCHES, _SMALLEST_BATCH = 16, 8
"""Few pairs are taken in smaller batches, so that each round moves the rows some times."""
GAIN = 0.002
"""What the held-out pairs must improve by."""
LOSS = 0.01
"""What chance may take from one language among them, or from the control."""

Slice: TypeAlias = Literal["zh", "mixed", "en"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts and whether they mean the same, or whether the second answers the first."""

    first: str
    second: str
    same: bool


@dataclass(frozen=True, slots=True)
class Tuning:
    """Constants, chosen on pairs and translations that were held out of the tuning: what gains without a loss."""

    epochs: int = 8
    batch: int = 128
    rate: float = 7e-4
    temperature: float = 0.1
    steepness: float = 10.0
    apart: float = 0.3
    ridge: float = 0.0003
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What a lexicon is worth on held-out pairs and on the control, all 0..1.

    `precision` is the average precision of finding the same by cosine, where pairs of both kinds are held out;
    `found` how often a text has its other half nearest among all held out; `slices` is the first of the two that
    there is, by language; `control` how surely a control sentence has its translation nearest.
    """

    precision: float | None
    found: float
    slices: Mapping[str, float]
    control: float

    @property
    def chief(self) -> float:
        return self.found if self.precision is None else self.precision


@dataclass(frozen=True, slots=True)
class Adaptation:
    """An adapted lexicon, what it was before and after, and why it should not be used; None when it should."""

    lexicon: Lexicon
    pairs: int
    held_out: int
    before: Figures
    after: Figures
    refusal: str | None

    def figures(self) -> dict[str, Any]:
        return {
            "pairs": self.pairs,
            "held_out": self.held_out,
            "before": asdict(self.before),
            "after": asdict(self.after),
            "refusal": self.refusal,
        }


def read_pairs(lines: Iterable[str]) -> list[Pair]:
    """Pairs from JSON lines: {"a", "b", "label"} with a label of 0 or 1, or {"query", "document"}.

    Raises ValueError naming the first line that is neither.
    """
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            held = json.loads(line)
            if "query" in held:
                first, second, same = held["query"], held["document"], True
            else:
                first, second, same = held["a"], held["b"], bool(int(held["label"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'line {number}: neither {{"a", "b", "label"}} nor {{"query", "document"}} ({error!r})'
            ) from None
        if not (isinstance(first, str) and isinstance(second, str) and first.strip() and second.strip()):
            raise ValueError(f"line {number}: both texts must say something")
        found.append(Pair(first, second, same))
    return found


def adapt(
    held: Lexicon,
    english: Embedder,
    pairs: Sequence[Pair],
    *,
    tuning: Tuning | None = None,
    control: Sequence[tuple[str, str]] | None = None,
    progress: Progress = row_tuning.quiet,
) -> Adaptation:
    """`held` tuned on four fifths of the pairs and judged on the rest.

    Raises ValueError when fewer than a hundred pairs hold Chinese, which is all that can be tuned.
    """
    tuning = tuning or Tuning()
    pairs = list(dict.fromkeys(pairs))
    chinese = sum(bool(HAN.search(pair.first + pair.second)) for pair in pairs)
    if chinese < FEWEST:
        raise ValueError(f"{chinese} pairs hold Chinese; at least {FEWEST} are needed to tune its words")
    rows = held.rows(range(len(held.numbers)))
    kept_out = np.array([_kept_out(pair) for pair in pairs])
    firsts = row_tuning.read(held, [pair.first for pair in pairs], english, "reading the pairs", progress)
    seconds = row_tuning.read(held, [pair.second for pair in pairs], english, "reading the pairs", progress)
    same = np.array([pair.same for pair in pairs])
    taught, judged = np.flatnonzero(~kept_out), np.flatnonzero(kept_out)
    tuned = tune(rows, firsts.take(taught), seconds.take(taught), same[taught], tuning, progress)
    about = {**held.about, "adapted_from": held.digest}
    made = lexicon.made(held.words, held.glosses, tuned, held.table_share, about)
    judge = _Judge(
        firsts.take(judged),
        seconds.take(judged),
        same[judged],
        [_slice(pairs[place]) for place in judged],
        _control(held, english, control if control is not None else shipped_control()),
    )
    before, after = judge(rows), judge(made.rows(range(len(rows))))
    return Adaptation(made, len(taught), len(judged), before, after, verdict(before, after))


def verdict(before: Figures, after: Figures) -> str | None:
    """Why an adaptation should not be used: it must win on the held-out pairs, and nothing may lose."""
    if after.chief < before.chief + GAIN:
        return f"the held-out pairs do not improve: {before.chief:.3f} before, {after.chief:.3f} after"
    for name, was in before.slices.items():
        if after.slices[name] < was - LOSS:
            return f"held-out pairs in {name} lose: {was:.3f} before, {after.slices[name]:.3f} after"
    if after.control < before.control - LOSS:
        return f"the control sentences lose: {before.control:.3f} before, {after.control:.3f} after"
    return None


def tune(
    rows: Matrix,
    firsts: Texts,
    seconds: Texts,
    same: NDArray[np.bool_],
    tuning: Tuning,
    progress: Progress = row_tuning.quiet,
) -> Matrix:
    """Rows by which pairs are told apart; `rows` stays as it is."""
    start, rows = rows, rows.copy()
    chance = np.random.default_rng(tuning.seed)
    batch = min(tuning.batch, max(_SMALLEST_BATCH, len(same) // _BATCHES))
    a_round = len(same) // batch
    steps = tuning.epochs * a_round
    border = _Border(rows, firsts, seconds, same)
    adam = RowAdam(rows)
    for step in range(steps):
        if step % a_round == 0:
            order = chance.permutation(len(same))
        chosen = order[step % a_round * batch :][:batch]
        _, touched, gradient = loss(
            rows, firsts.take(chosen), seconds.take(chosen), same[chosen], border.place, tuning
        )
        gradient += tuning.ridge * (rows[touched] - start[touched])
        adam.step(touched, gradient, tuning.rate * (1 - step / steps))
        progress("tuning", step + 1, steps)
    return rows


class _Border:
    """The cosine from which two texts count as the same before the tuning: between the means of both kinds."""

    def __init__(self, rows: Matrix, firsts: Texts, seconds: Texts, same: NDArray[np.bool_]) -> None:
        cosines = (Placing(rows, firsts).vectors * Placing(rows, seconds).vectors).sum(axis=1)
        self.place: float | None = None
        if same.any() and not same.all():
            self.place = float((cosines[same].mean() + cosines[~same].mean()) / 2)


def loss(
    rows: Matrix,
    firsts: Texts,
    seconds: Texts,
    same: NDArray[np.bool_],
    border: float | None,
    tuning: Tuning,
) -> tuple[float, Places, Matrix]:
    """What a batch loses, the rows that this rests on, and its gradient for each of them.

    Without a border, where all pairs are of one kind, only what draws the same together counts.
    """
    placed = Placing(rows, firsts), Placing(rows, seconds)
    one, other = (placing.vectors for placing in placed)
    to_one, to_other = np.zeros_like(one), np.zeros_like(other)
    total = 0.0
    if border is not None:
        signs = np.where(same, np.float32(1), np.float32(-1))
        margin = signs * np.float32(tuning.steepness) * ((one * other).sum(axis=1) - np.float32(border))
        total += float(np.logaddexp(0, -margin).mean())
        pull = -(signs * np.float32(tuning.steepness) / (1 + np.exp(margin)) / len(same))[:, np.newaxis]
        to_one += pull * other
        to_other += pull * one
    together = np.flatnonzero(same)
    if len(together) > 1:
        apart, some, others = row_tuning.told_apart(one[together], other[together], tuning.temperature)
        total += tuning.apart * apart
        to_one[together] += np.float32(tuning.apart) * some
        to_other[together] += np.float32(tuning.apart) * others
    return total, *_summed(placed, (to_one, to_other))


def _summed(placed: Sequence[Placing], to_vectors: Sequence[Matrix]) -> tuple[Places, Matrix]:
    """The gradients of several placings by the same rows, as one for the rows of all."""
    touched = np.unique(np.concatenate([placing.touched for placing in placed]))
    gradient = np.zeros((len(touched), to_vectors[0].shape[1]), dtype=np.float32)
    for placing, to_each in zip(placed, to_vectors, strict=True):
        gradient[np.searchsorted(touched, placing.touched)] += placing.gradient(to_each)
    return touched, gradient


@dataclass(frozen=True, slots=True)
class _Judge:
    """Held-out pairs and the control; called with rows, it gives their figures."""

    firsts: Texts
    seconds: Texts
    same: NDArray[np.bool_]
    slices: Sequence[Slice]
    control: tuple[Texts, Matrix]

    def __call__(self, rows: Matrix) -> Figures:
        first, second = (Placing(rows, texts).vectors for texts in (self.firsts, self.seconds))
        cosines = (first * second).sum(axis=1)
        both = bool(self.same.any() and not self.same.all())
        found = row_tuning.found_first(first[self.same], second[self.same]) if self.same.any() else 0.0

        def figure(of: NDArray[np.bool_]) -> float:
            if both:
                return average_precision(cosines[of], self.same[of])
            return row_tuning.found_first(first[of], second[of])

        members = {
            name: np.array([held == name for held in self.slices]) for name in sorted(set(self.slices))
        }
        counted = {
            name: of
            for name, of in members.items()
            if of.sum() >= FEWEST_SLICE and (not both or (self.same[of].any() and not self.same[of].all()))
        }
        texts, targets = self.control
        return Figures(
            precision=figure(np.ones(len(self.same), dtype=np.bool_)) if both else None,
            found=found,
            slices={name: figure(of) for name, of in counted.items()},
            control=row_tuning.surely_found(Placing(rows, texts).vectors, targets),
        )


def average_precision(scores: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    """The mean, over what is right, of the share of right ones among all that score as high."""
    ranked = right[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return round(float(precision[ranked].mean()), 4)


def _kept_out(pair: Pair) -> bool:
    """By the first text alone, so that what a shop files under one question stays on one side."""
    digest = hashlib.blake2b(pair.first.strip().encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % HELD_OUT == 0


def _slice(pair: Pair) -> Slice:
    chinese = [bool(HAN.search(text)) for text in (pair.first, pair.second)]
    return "zh" if all(chinese) else "mixed" if any(chinese) else "en"


def _control(held: Lexicon, english: Embedder, pairs: Sequence[tuple[str, str]]) -> tuple[Texts, Matrix]:
    chinese = row_tuning.read(held, [pair[0] for pair in pairs], english, "reading the control")
    return chinese, row_tuning.encoded(
        [pair[1] for pair in pairs], english, "reading the control", row_tuning.quiet
    )


@functools.cache
def shipped_control() -> tuple[tuple[str, str], ...]:
    """Sentences of every day and of shops with their translations, on which nothing was ever tuned."""
    lines = CONTROL.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("\t") for line in lines if line and not line.startswith("#"))
    return tuple((chinese, english) for chinese, _, english in pairs)
