"""What a message is about, among the shop's own intents: probabilities from a few examples each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax  # type: ignore[import-untyped]

from graph.errors import InvalidValue
from graph.intent_heads import Head, fit_head
from graph.intent_likeness import Examples, Floats, Rows
from graph.intent_scope import Scope, fit_scope
from graph.models import Intent, IntentScore, Utterance
from graph.sharpness import STIFFNESS, fit_sharpness

ReadingReason: TypeAlias = Literal[
    "one_intent", "several_intents", "close_intents", "unclear", "out_of_scope", "no_words", "no_examples"
]


@dataclass(frozen=True, slots=True)
class IntentReading:
    """What the classifier makes of one message.

    `scores` holds every label that has examples, best first; their probabilities sum to at most 1 and the
    rest is the chance that none fits. `candidates` are the intents to act on: one for "one_intent", two or
    three to ask about or to cover together for "close_intents" and "several_intents", none otherwise (a
    person sorts it). `in_scope` is the chance that the message, or a clause of it, is about any of them.
    """

    scores: tuple[IntentScore, ...]
    out_of_scope: bool
    reason: ReadingReason
    candidates: tuple[str, ...]
    in_scope: float = 0.0


_SAMPLE = 400
"""Examples left out in turn when calibrating; beyond, every n-th."""
_WHOLE = 0.85
"""Share of the whole message in a probability; the rest is its clauses'."""
_INSIDE = 0.5
"""P(in scope) below which a text says nothing of the shop's intents."""
_SAID = 0.6
"""Probability from which a clause counts as saying an intent of its own."""
_MISSED = 0.1
"""Share of messages in scope whose intent may be missing from the candidates."""
_AHEAD, _LEAST_AHEAD, _MOST_AHEAD = 0.65, 0.55, 0.65
"""Share of P(in scope) that may stand ahead of an intent which is still a candidate: before examples move it,
and how far they may."""
_TELLING = 0.3
"""Share of names that must be likest to their own intent's examples for names to count."""
_MANY = 3
"""Most intents that a question back names or that several clauses may say."""


@dataclass(frozen=True, slots=True)
class _Channel:
    """How texts of some languages are read: compared with which examples, scored by which head.

    P(intent) = P(in scope) · softmax(sharpness · scores). `ahead` is the share that may stand ahead of a
    candidate.
    """

    examples: Examples
    head: Head
    scope: Scope
    sharpness: float
    ahead: float


class IntentClassifier:
    """Few-shot intents over frozen vectors and words; immutable, safe for concurrent readers.

    Scores come from kernel ridge regression over the examples and over what the intents are called; whether any
    intent is meant at all is decided apart from which. Vectors speak only where the encoder reads the text's
    language; elsewhere words of the same language do. Everything is calibrated by leaving each example out: its
    own intent shows what a hit looks like, the others, with all of its intent left out, what a stranger does.
    """

    def __init__(
        self,
        intents: tuple[Intent, ...],
        channels: Mapping[str, _Channel],
        reads: frozenset[str],
        model_id: str | None,
    ) -> None:
        self._intents = intents
        self._channels = channels
        self._reads = reads
        self._model_id = model_id

    @classmethod
    def fit(
        cls,
        intents: Sequence[Intent],
        examples: Mapping[str, Sequence[Utterance]],
        *,
        names: Mapping[str, Sequence[Utterance]] | None = None,
        reads: frozenset[str] = frozenset({"en"}),
    ) -> IntentClassifier:
        """Learn from prepared examples by intent id; two each are enough, intents without any never score.

        `names` are what the intents are called, prepared likewise. Each counts as an example more, unless as a
        whole they say too little of the examples, as "FAQ 17" would. `reads` names the
        languages that the encoder of the vectors reads well. Raises InvalidValue when examples carry vectors of
        different models, or belong to no intent.
        """
        unknown = sorted(set(examples) - {intent.id for intent in intents})
        if unknown:
            raise InvalidValue(
                "examples", f"no intent has the id {unknown[0]!r}; give the intent with its examples"
            )
        taught = tuple(intent for intent in intents if examples.get(intent.id))
        texts = [example for intent in taught for example in examples[intent.id]]
        labels = np.repeat(np.arange(len(taught)), [len(examples[intent.id]) for intent in taught])
        model_id = _one_model(texts, "examples")
        called = [
            (place, name) for place, intent in enumerate(taught) for name in (names or {}).get(intent.id, ())
        ]
        channels: dict[str, _Channel] = {}
        read = [text.language in reads for text in texts]
        groups = {"meaning": np.flatnonzero(read)}
        for language in sorted({text.language for text in texts} - reads):
            groups[language] = np.flatnonzero([text.language == language for text in texts])
        if not any(read):
            groups["any"] = np.arange(len(texts))  # for a language without examples, by words alone
        for name, rows in groups.items():
            if len(rows):
                own = [text for text in called if (text[1].language in reads) == (name == "meaning")]
                spoken = [text for text in own if name in ("meaning", "any", text[1].language)]
                channels[name] = _channel(
                    [texts[row] for row in rows], labels[rows], spoken, by_meaning=name == "meaning"
                )
        return cls(taught, channels, reads, model_id)

    @property
    def model_id(self) -> str | None:
        """The encoder whose vectors the examples carry; None without examples."""
        return self._model_id

    def predict(self, clauses: Sequence[Utterance], *, whole: Utterance | None = None) -> IntentReading:
        """Read one message, given as its clauses and, better, also as a whole.

        The whole message says most: giving the noisy-or of the clauses .15 of the say costs BANKING77 .001,
        .3 costs .004, .5 costs .007. Clauses decide alone only whether two of them speak of two intents.
        Without `whole`, the clauses' mean vector and joined words stand for it. Raises InvalidValue when a
        vector comes from another model than the examples'.
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
        inside = min(1.0, max(float(part.sum()) for part in (entire, *parts)))
        outside = inside < _INSIDE
        ahead = self._channel_of(whole).ahead
        reason, chosen = ("out_of_scope", []) if outside else _choose(mixed, parts, ahead)
        ids = tuple(self._intents[place].id for place in chosen)
        return IntentReading(self._scores(mixed), outside, reason, ids, inside)

    def _scores(self, probabilities: Floats) -> tuple[IntentScore, ...]:
        order = np.argsort(-probabilities, kind="stable")
        return tuple(
            IntentScore(self._intents[i].id, self._intents[i].label, float(probabilities[i])) for i in order
        )

    def _channel_of(self, text: Utterance) -> _Channel:
        """By meaning where the encoder reads the language, else by words of the same language. A language that
        it does not read and that no example is in, which a very short text is easily taken for, goes by meaning
        too."""
        channels = self._channels
        own = None if text.language in self._reads else channels.get(text.language)
        return own or channels.get("meaning") or channels["any"]

    def _probabilities(self, text: Utterance) -> Floats:
        """P(intent), shape (intents,), summing to P(in scope)."""
        if self._model_id is not None and text.model_id != self._model_id:
            raise InvalidValue(
                "clauses",
                f"vector of model {text.model_id!r}, examples of {self._model_id!r}; embed both with one",
            )
        channel = self._channel_of(text)
        examples = channel.examples
        compared = examples.compared(text)
        scores = channel.head.scores(compared.kernel)
        signs = channel.scope.signs(examples, compared.meaning, scores, text.tokens)
        inside = channel.scope.probability(signs)
        probabilities = np.zeros(len(self._intents))
        probabilities[examples.intents] = inside * softmax(channel.sharpness * scores)
        return probabilities


def _one_model(texts: Sequence[Utterance], field: str) -> str | None:
    models = sorted({text.model_id for text in texts})
    if len(models) > 1:
        raise InvalidValue(field, f"vectors of several models ({', '.join(models)}); embed all with one")
    return models[0] if models else None


def _joined(clauses: Sequence[Utterance]) -> Utterance | None:
    """One utterance that stands for several: their words in order and the direction of their mean vector."""
    if len(clauses) < 2:
        return clauses[0] if clauses else None
    _one_model(clauses, "clauses")
    mean = np.mean([clause.vector for clause in clauses], axis=0)
    length = float(np.linalg.norm(mean))
    return Utterance(
        text=" ".join(clause.text for clause in clauses),
        language=Counter(clause.language for clause in clauses).most_common(1)[0][0],
        tokens=tuple(token for clause in clauses for token in clause.tokens),
        vector=(mean / length if length else mean).astype(np.float32),
        model_id=clauses[0].model_id,
    )


def _choose(mixed: Floats, parts: Sequence[Floats], ahead: float) -> tuple[ReadingReason, list[int]]:
    """The intents to act on: several said in clauses of their own, one that stands alone, or two or three that
    leave too little behind them to choose between."""
    said = dict.fromkeys(int(part.argmax()) for part in parts if part.max() >= _SAID)
    if 2 <= len(said) <= _MANY:
        return "several_intents", sorted(said, key=lambda place: (-mixed[place], place))
    order = np.argsort(-mixed, kind="stable")
    before = np.cumsum(mixed[order] / mixed.sum())[:_MANY]
    chosen = 1 + int((before[: len(order) - 1] <= ahead).sum())
    if chosen == 1:
        return "one_intent", [int(order[0])]
    if chosen <= _MANY:
        return "close_intents", [int(place) for place in order[:chosen]]
    return "unclear", []


def _channel(
    texts: Sequence[Utterance],
    labels: NDArray[np.intp],
    names: Sequence[tuple[int, Utterance]],
    *,
    by_meaning: bool,
) -> _Channel:
    """Fit one channel to its examples and to names that say something, and calibrate it on the examples."""
    bare = Examples(texts, labels, vectors=by_meaning)
    known = [(place, name) for place, name in names if name.tokens and place in bare.intents]
    if sum(_speaks_for(bare, name, place) for place, name in known) < _TELLING * len(known):
        known = []
    both = [*zip(labels.tolist(), texts, strict=True), *known]
    order = sorted(range(len(both)), key=lambda row: (both[row][0], row >= len(texts)))
    examples = bare
    if known:
        examples = Examples(
            [both[row][1] for row in order], np.array([both[row][0] for row in order]), vectors=by_meaning
        )
    head = fit_head(examples)
    said = np.flatnonzero([row < len(texts) for row in order])
    sample = said[np.unique(np.linspace(0, len(said) - 1, min(len(said), _SAMPLE)).astype(np.intp))]
    left_out = head.left_out(sample)
    scope = fit_scope(examples, sample, left_out, head.unknown(sample))
    own = examples.place[sample]
    twins = examples.counts[own] > 1
    sharpness = fit_sharpness(left_out[twins], own[twins])
    return _Channel(
        examples, head, scope, sharpness, _fit_ahead(softmax(sharpness * left_out, axis=1), own, twins)
    )


def _speaks_for(examples: Examples, name: Utterance, place: int) -> bool:
    """Whether a name is likest, on the mean, to the examples of the intent that it names."""
    means = np.add.reduceat(examples.compared(name).meaning, examples.starts) / examples.counts
    return bool(examples.intents[means.argmax()] == place)


def _fit_ahead(shares: Floats, own: Rows, twins: NDArray[np.bool_]) -> float:
    """The share that stood ahead of all but a tenth of the true intents, within bounds.

    This is a split-conformal threshold (with the share ahead as the score), so that a message in scope has its
    intent among the candidates nine times out of ten; the bounds keep a shop whose examples are too alike from
    never asking, and one whose examples are too unlike from always doing so.
    """
    if not twins.any():
        return _AHEAD
    shares, own = shares[twins], own[twins]
    truth = shares[np.arange(len(own)), own][:, None]
    standing = (shares * (shares > truth)).sum(axis=1)
    found = float(np.quantile(standing, 1 - _MISSED, method="higher"))
    trust = len(own) / (len(own) + STIFFNESS)
    return float(np.clip(trust * found + (1 - trust) * _AHEAD, _LEAST_AHEAD, _MOST_AHEAD))
