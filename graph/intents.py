"""What a message is about, among the shop's own intents: probabilities from a few examples each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.errors import InvalidValue
from graph.models import Intent, IntentScore, Utterance
from graph.words import WordIndex

Floats: TypeAlias = NDArray[np.float64]
ReadingReason: TypeAlias = Literal[
    "one_intent", "several_intents", "close_intents", "unclear", "out_of_scope", "no_words", "no_examples"
]


@dataclass(frozen=True, slots=True)
class IntentReading:
    """What the classifier makes of one message.

    `scores` holds every label that has examples, best first; their probabilities sum to at most 1 and the
    rest is the chance that none fits. `candidates` are the intents to act on: one for "one_intent", two or
    three to ask about or to cover together for "close_intents" and "several_intents", none otherwise (a
    person sorts it).
    """

    scores: tuple[IntentScore, ...]
    out_of_scope: bool
    reason: ReadingReason
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How likeness becomes probability in one channel (by meaning, or by the words of one language).

    `nearest` is the share of the nearest example in an intent's likeness, the rest is its prototype's.
    P(in scope) = σ(slope · (best likeness − middle)); among intents softmax(sharpness · likeness).
    """

    nearest: float
    sharpness: float
    slope: float
    middle: float


# Rounded from what leaving examples out of BANKING77, HINT3 and SMP2019 finds; a shop's own examples move
# them, as many as `_STIFFNESS` by half.
BY_MEANING = Calibration(nearest=0.5, sharpness=21.0, slope=10.0, middle=0.52)
BY_WORDS = Calibration(nearest=0.3, sharpness=22.0, slope=9.0, middle=0.21)

_DENSE = 0.75
"""Share of the vectors' cosine where the encoder reads both texts; the rest is the words' cosine."""
_SAMPLE = 800
"""Examples left out in turn when calibrating; beyond, every n-th."""
_STIFFNESS = 30.0
"""How many examples the shipped constants weigh."""
_STRANGERS = 0.3
"""Weight of an example seen as a stranger to the other intents: such strangers stand nearer than real ones
do."""
_WHOLE = 0.7
"""Share of the whole message in a probability; the rest is its clauses'."""
_INSIDE = 0.5
"""P(in scope) below which a text says nothing of the shop's intents."""
_SAID = 0.6
"""Probability from which a clause counts as saying an intent of its own."""
_SURE, _COVER, _MANY = 0.6, 0.75, 3
"""Share of P(in scope) from which one intent is sure; share that two or three must hold together."""


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + e^-x), elementwise."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


@dataclass(frozen=True, slots=True)
class _Channel:
    """The examples that a message of some language can be compared with, grouped by intent."""

    rows: NDArray[np.intp]
    starts: NDArray[np.intp]
    intents: NDArray[np.intp]
    counts: NDArray[np.intp]
    norms: Floats
    calibration: Calibration

    def likeness(self, similarity: Floats) -> Floats:
        """Similarities to `rows`, shape (..., rows), to one likeness per intent of the channel."""
        nearest = np.maximum.reduceat(similarity, self.starts, axis=-1)
        prototype = np.add.reduceat(similarity, self.starts, axis=-1) / self.counts / self.norms
        return self.calibration.nearest * nearest + (1 - self.calibration.nearest) * prototype


class IntentClassifier:
    """Few-shot intents over frozen vectors and words; immutable, safe for concurrent readers.

    A clause's likeness to an intent is a weighted mean of its nearest example and the intent's prototype
    (mean of its examples), in a similarity that adds the vectors' cosine and the idf-weighted cosine of
    words. Vectors speak only where the encoder reads both languages; elsewhere words of the same language
    do. The calibration starts from constants measured on public sets, and is moved by leaving
    each example out in turn: its own intent shows what a hit looks like, the others what a stranger looks
    like.
    """

    def __init__(
        self,
        intents: tuple[Intent, ...],
        index: WordIndex,
        vectors: NDArray[np.float32],
        channels: Mapping[str, _Channel],
        reads: frozenset[str],
        model_id: str | None,
    ) -> None:
        self._intents = intents
        self._index = index
        self._vectors = vectors
        self._channels = channels
        self._reads = reads
        self._model_id = model_id

    @classmethod
    def fit(
        cls,
        intents: Sequence[Intent],
        examples: Mapping[str, Sequence[Utterance]],
        *,
        reads: frozenset[str] = frozenset({"en"}),
    ) -> IntentClassifier:
        """Learn from prepared examples by intent id; two each are enough, intents without any never score.

        `reads` names the languages that the encoder of the vectors reads well. Fitting 40 intents of 15
        examples takes some 50 ms. Raises InvalidValue when examples carry vectors of different models, or
        belong to no intent.
        """
        unknown = sorted(set(examples) - {intent.id for intent in intents})
        if unknown:
            raise InvalidValue(
                "examples", f"no intent has the id {unknown[0]!r}; give the intent with its examples"
            )
        taught = tuple(intent for intent in intents if examples.get(intent.id))
        texts = [example for intent in taught for example in examples[intent.id]]
        labels = np.repeat(np.arange(len(taught)), [len(examples[intent.id]) for intent in taught])
        models = sorted({text.model_id for text in texts})
        if len(models) > 1:
            raise InvalidValue(
                "examples", f"vectors of several models ({', '.join(models)}); embed all with one"
            )
        index = WordIndex.of(text.tokens for text in texts)
        vectors = np.stack([text.vector for text in texts]) if texts else np.zeros((0, 0), np.float32)
        languages = np.array([text.language for text in texts], dtype=object)
        channels: dict[str, _Channel] = {}
        groups = {"meaning": np.isin(languages, sorted(reads))}
        for language in sorted({text.language for text in texts} - reads):
            groups[language] = languages == language
        groups["any"] = np.ones(len(texts), dtype=bool)
        for name, chosen in groups.items():
            if chosen.any():
                channels[name] = _channel(name, np.flatnonzero(chosen), labels, index, vectors)
        return cls(taught, index, vectors, channels, reads, models[0] if models else None)

    @property
    def model_id(self) -> str | None:
        """The encoder whose vectors the examples carry; None without examples."""
        return self._model_id

    def predict(self, clauses: Sequence[Utterance], *, whole: Utterance | None = None) -> IntentReading:
        """Read one message, given as its clauses and, better, also as a whole.

        The whole message says most: on BANKING77 messages of several clauses it is right for .84, the
        noisy-or of the clauses for .70. So probabilities are mixed .7 to .3, and clauses decide alone only
        whether two of them speak of two intents. Without `whole`, the clauses' mean vector and joined words
        stand for it (.80). Raises InvalidValue when a vector comes from another model than the examples'.
        """
        if not self._intents:
            return IntentReading((), True, "no_examples", ())
        spoken = [clause for clause in clauses if clause.tokens]
        if whole is None or not whole.tokens:
            whole = _joined(spoken)
        if whole is None:
            return IntentReading(self._scores(np.zeros(len(self._intents))), True, "no_words", ())
        entire = self._probabilities(whole)
        parts = [self._probabilities(clause) for clause in spoken] if len(spoken) > 1 else [entire]
        missed = np.prod([1 - part for part in parts], axis=0)
        mixed = _WHOLE * entire + (1 - _WHOLE) * (1 - missed)
        mixed /= max(1.0, float(mixed.sum()))
        outside = all(part.sum() < _INSIDE for part in (entire, *parts))
        reason, chosen = ("out_of_scope", []) if outside else _choose(mixed, parts)
        ids = tuple(self._intents[place].id for place in chosen)
        return IntentReading(self._scores(mixed), outside, reason, ids)

    def _scores(self, probabilities: Floats) -> tuple[IntentScore, ...]:
        order = np.argsort(-probabilities, kind="stable")
        return tuple(
            IntentScore(self._intents[i].id, self._intents[i].label, float(probabilities[i])) for i in order
        )

    def likeness(self, text: Utterance) -> tuple[Calibration, Floats]:
        """Likeness of one text to every intent, 0 to 1, shape (intents,), and the calibration that applies to
        it."""
        if self._model_id is not None and text.model_id != self._model_id:
            raise InvalidValue(
                "clauses",
                f"vector of model {text.model_id!r}, examples of {self._model_id!r}; embed both with one",
            )
        name = "meaning" if text.language in self._reads else text.language
        channel = self._channels.get(name)
        by_meaning = name == "meaning" and channel is not None
        if channel is None:
            channel = self._channels["any"]
        similarity = self._index.cosines(text.tokens)[channel.rows]
        if by_meaning:
            similarity = (
                _DENSE * np.vecdot(self._vectors[channel.rows], text.vector) + (1 - _DENSE) * similarity
            )
        likeness = np.zeros(len(self._intents))
        likeness[channel.intents] = channel.likeness(similarity)
        return channel.calibration, likeness

    def _probabilities(self, text: Utterance) -> Floats:
        """P(intent), shape (intents,), summing to P(in scope)."""
        calibration, likeness = self.likeness(text)
        best = float(likeness.max())
        inside = sigmoid(np.array(calibration.slope * (best - calibration.middle)))
        powers = np.exp(calibration.sharpness * (likeness - best))
        return np.asarray(inside * powers / powers.sum())


def _joined(clauses: Sequence[Utterance]) -> Utterance | None:
    """One utterance that stands for several: their words in order and the direction of their mean vector."""
    if len(clauses) < 2:
        return clauses[0] if clauses else None
    models = {clause.model_id for clause in clauses}
    if len(models) > 1:
        raise InvalidValue(
            "clauses", f"vectors of several models ({', '.join(sorted(models))}); embed all with one"
        )
    mean = np.mean([clause.vector for clause in clauses], axis=0)
    length = float(np.linalg.norm(mean))
    return Utterance(
        text=" ".join(clause.text for clause in clauses),
        language=Counter(clause.language for clause in clauses).most_common(1)[0][0],
        tokens=tuple(token for clause in clauses for token in clause.tokens),
        vector=(mean / length if length else mean).astype(np.float32),
        model_id=clauses[0].model_id,
    )


def _choose(mixed: Floats, parts: Sequence[Floats]) -> tuple[ReadingReason, list[int]]:
    """The intents to act on: one that is sure, several said in clauses of their own, or two or three close
    ones."""
    said = dict.fromkeys(int(part.argmax()) for part in parts if part.max() >= _SAID)
    if 2 <= len(said) <= _MANY:
        return "several_intents", sorted(said, key=lambda place: (-mixed[place], place))
    order = np.argsort(-mixed, kind="stable")[:_MANY]
    shares = mixed[order] / mixed.sum()
    if shares[0] >= _SURE:
        return "one_intent", [int(order[0])]
    within = int(np.searchsorted(np.cumsum(shares), _COVER)) + 1
    if within <= len(order):
        return "close_intents", [int(place) for place in order[:within]]
    return "unclear", []


def _channel(
    name: str,
    rows: NDArray[np.intp],
    labels: NDArray[np.intp],
    index: WordIndex,
    vectors: NDArray[np.float32],
) -> _Channel:
    """Group the examples of one channel by intent and calibrate it on them."""
    intents, starts, counts = np.unique(labels[rows], return_index=True, return_counts=True)
    dense = _DENSE if name == "meaning" else 0.0
    norms = np.empty(len(intents))
    for place, (start, count) in enumerate(zip(starts, counts, strict=True)):
        norms[place] = _prototype_length(rows[start : start + count], index, vectors, dense)
    channel = _Channel(rows, starts, intents, counts, norms, BY_MEANING if name == "meaning" else BY_WORDS)
    if name == "any":  # a last resort for languages without examples, which leave nothing to calibrate on
        return channel
    sample = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(np.intp))
    similarity = np.stack([index.cosines_of(int(row))[rows] for row in rows[sample]]) * (1 - dense)
    if dense:
        similarity += dense * (vectors[rows[sample]] @ vectors[rows].T)
    own = np.searchsorted(starts, sample, side="right") - 1
    return replace(channel, calibration=_calibrated(channel, similarity, sample, own))


def _prototype_length(
    rows: NDArray[np.intp], index: WordIndex, vectors: NDArray[np.float32], dense: float
) -> float:
    """The length of the mean of some rows in the space whose inner product is the mixed similarity."""
    total: dict[str, float] = {}
    for row in rows:
        for token, weight in index.unit(int(row)).items():
            total[token] = total.get(token, 0.0) + weight
    words = sum(weight * weight for weight in total.values()) / len(rows) ** 2
    mean = vectors[rows].mean(axis=0)
    return float(np.sqrt(max((1 - dense) * words + dense * float(mean @ mean), 1e-9)))


def _calibrated(
    channel: _Channel, similarity: Floats, sample: NDArray[np.intp], own: NDArray[np.intp]
) -> Calibration:
    """Leave each sampled example out and fit the channel's constants, held near the shipped ones."""
    likeness, others = _left_out(channel, similarity, sample, own)
    twins = channel.counts[own] > 1  # an intent's only example leaves nothing to be found by
    base = channel.calibration
    if not twins.any():
        return base
    sharpness = _fit_sharpness(likeness[twins], own[twins], base.sharpness)
    strangers = others.max(axis=1) if likeness.shape[1] > 1 else np.zeros(0)
    slope, middle = _fit_scope(likeness[twins].max(axis=1), strangers, base)
    return replace(base, sharpness=sharpness, slope=slope, middle=middle)


def _left_out(
    channel: _Channel, similarity: Floats, sample: NDArray[np.intp], own: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Likeness of each sampled example to every intent with itself left out, and with its whole intent left
    out."""
    here = np.arange(len(sample))
    likeness = channel.likeness(similarity)
    hidden = similarity.copy()
    self_similarity = hidden[here, sample]
    hidden[here, sample] = -1.0
    nearest = np.maximum.reduceat(hidden, channel.starts, axis=1)[here, own]
    counts = channel.counts[own].astype(np.float64)
    sums = np.add.reduceat(similarity, channel.starts, axis=1)[here, own]
    left = np.maximum(counts - 1, 1)
    squared = ((counts * channel.norms[own]) ** 2 - 2 * sums + self_similarity) / left**2
    prototype = (sums - self_similarity) / left / np.sqrt(np.maximum(squared, 1e-9))
    share = channel.calibration.nearest
    likeness[here, own] = share * nearest + (1 - share) * prototype
    others = likeness.copy()
    others[here, own] = -1.0
    return likeness, others


def _fit_sharpness(likeness: Floats, own: NDArray[np.intp], start: float) -> float:
    """The softmax sharpness of the highest posterior on a grid around the shipped one."""
    factors = np.exp(np.linspace(-1.5, 1.5, 21))
    above = likeness - likeness[np.arange(len(own)), own][:, None]
    losses = [np.log(np.exp(np.minimum(start * f * above, 60.0)).sum(axis=1)).sum() for f in factors]
    penalty = _STIFFNESS * np.log(factors) ** 2 / 2
    return float(start * factors[int(np.argmin(np.array(losses) + penalty))])


def _fit_scope(hits: Floats, strangers: Floats, base: Calibration) -> tuple[float, float]:
    """Slope and middle of P(in scope) of the highest posterior on a grid around the shipped ones."""
    slopes = base.slope * np.exp(np.linspace(-0.7, 0.7, 7))
    middles = base.middle + np.linspace(-0.25, 0.25, 26)
    slope, middle = np.meshgrid(slopes, middles, indexing="ij")
    loss = _STIFFNESS * (np.log(slope / base.slope) ** 2 / 2 + ((middle - base.middle) / 0.1) ** 2 / 2)
    for values, sign in ((hits, -1.0), (strangers, 1.0)):
        if len(values):
            x = sign * slope[..., None] * (values - middle[..., None])
            loss = loss + (_STRANGERS if sign > 0 else 1.0) * np.logaddexp(0.0, x).sum(axis=-1)
    best = np.unravel_index(int(np.argmin(loss)), loss.shape)
    return float(slope[best]), float(middle[best])
