"""Makes a lexicon from a dictionary and translated sentences, in some minutes on two cores.

1. Each word gets a gloss (`ingest.glossing`) and, as its first vector, the mean of what the English encoder makes
   of its senses, weighted by how much the word says (smooth inverse frequency: Arora, Liang, Ma, 2017).
2. The vectors are tuned so that a Chinese sentence, read as `ingest.bilingual` reads it, comes to lie where the
   encoder puts its English translation: symmetric in-batch softmax over cosines, plus the cosine itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ingest import glossing, lexicon, row_tuning
from ingest.embedding import Embedder
from ingest.lexicon import Lexicon
from ingest.row_tuning import Matrix, Places, Placing, Progress, RowAdam, Texts

SENSES = 8
"""Senses of a word that its first vector is the mean of; the k-th weighs 1 / (1 + k / 2)."""
_PROPER = 0.3
_SMOOTH = 1e-3
HELD_OUT = 1_000
FEWEST_PAIRS = 20


@dataclass(frozen=True, slots=True)
class Training:
    """Constants of the tuning, chosen on held-out pairs and on the validation part of a similarity set."""

    table_share: float = 0.4
    epochs: int = 8
    batch: int = 512
    rate: float = 3e-3
    temperature: float = 0.1
    cosine: float = 2.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Recall:
    """How often a held-out sentence finds its translation first among all held out, mean of both directions."""

    glosses: float
    table: float
    both: float


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build took in and what came out, with recall before and after tuning."""

    entries: int
    words: int
    pairs: int
    held_out: int
    before: Recall
    after: Recall

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def build(
    dictionary: Iterable[str],
    pairs: Sequence[tuple[str, str]],
    english: Embedder,
    *,
    given: Mapping[str, str] | None = None,
    sources: Sequence[str] = (),
    training: Training | None = None,
    progress: Progress = row_tuning.quiet,
) -> tuple[Lexicon, BuildReport]:
    """A lexicon for `english` from CEDICT lines and (Chinese, English) sentence pairs, and what it is worth.

    `given` words have the gloss that it says and are kept whole where a text is cut; the dictionary may lack them.
    `sources` are named in the lexicon with their licences. Of the pairs up to a tenth are held out by a hash of
    their text; nothing is tuned on them. Raises ValueError when the dictionary holds no Chinese word or the pairs
    are fewer than twenty.
    """
    training = training or Training()
    senses = glossing.senses(dictionary)
    if not senses:
        raise ValueError("dictionary: no line holds a Chinese word; it must be in CEDICT's format")
    pairs = _distinct(pairs)
    if len(pairs) < FEWEST_PAIRS:
        raise ValueError(
            f"pairs: {len(pairs)} with Chinese in their first column; at least {FEWEST_PAIRS} are needed"
        )
    settled = dict(given or {})
    for word, gloss in settled.items():
        senses[word] = [glossing.Sense(gloss, 0, False), *_later(senses.get(word, ()))]
    words = sorted(senses)
    about = {"encoder": english.model_id, "sources": list(sources), "kept_whole": sorted(settled)}
    held, taught = _parted(pairs)

    progress("choosing glosses", 0, len(words))
    bare = lexicon.made(words, [""] * len(words), np.zeros((len(words), 2), np.float32), 0.0, about)
    cut = glossing.cut_pairs([pairs[place] for place in taught], bare.cut)
    seen = _counted(cut)
    spelling = glossing.spelt(pairs[place][1] for place in taught)
    chosen = glossing.choose(senses, glossing.align(cut), seen, spelling) | settled
    progress("choosing glosses", len(words), len(words))
    glosses = [chosen[word] for word in words]

    first = _first_rows(words, senses, english, progress) * _telling(words, seen)
    start = lexicon.made(words, glosses, first, training.table_share, about)
    texts = row_tuning.read(start, [pair[0] for pair in pairs], english, "reading the sentences", progress)
    targets = row_tuning.encoded([pair[1] for pair in pairs], english, "reading the translations", progress)
    tuned = tune(first, texts.take(taught), targets[taught], training, progress)
    made = lexicon.made(words, glosses, tuned, training.table_share, about)
    report = BuildReport(
        entries=len(senses),
        words=sum(bool(gloss) for gloss in glosses),
        pairs=len(taught),
        held_out=len(held),
        before=_recall(start, texts.take(held), targets[held]),
        after=_recall(made, texts.take(held), targets[held]),
    )
    return made, report


def _later(senses: Sequence[glossing.Sense]) -> list[glossing.Sense]:
    """The senses of a word behind one that was put before them."""
    return [replace(sense, place=sense.place + 1) for sense in senses]


def _distinct(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs whose first text holds Chinese and whose second does not lack words, each Chinese text once."""
    kept = {
        chinese: english
        for chinese, english in reversed(pairs)
        if lexicon.HAN.search(chinese) and english.strip()
    }
    return list(reversed(kept.items()))


def _parted(pairs: Sequence[tuple[str, str]]) -> tuple[Places, Places]:
    """The places of pairs held out, by a hash of their Chinese text, and of the others."""
    order = sorted(range(len(pairs)), key=lambda place: _hash(pairs[place][0]))
    count = min(HELD_OUT, len(pairs) // 10)
    return np.array(sorted(order[:count]), dtype=np.int64), np.array(sorted(order[count:]), dtype=np.int64)


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def _counted(cut: Sequence[tuple[list[str], list[str]]]) -> dict[str, int]:
    seen: dict[str, int] = {}
    for chinese, _ in cut:
        for word in chinese:
            seen[word] = seen.get(word, 0) + 1
    return seen


def _first_rows(
    words: Sequence[str],
    senses: Mapping[str, Sequence[glossing.Sense]],
    english: Embedder,
    progress: Progress,
) -> Matrix:
    """The centred mean of the encoder's vectors of each word's senses; proper names weigh less beside others."""
    glosses = sorted({sense.gloss for held in senses.values() for sense in held[:SENSES]})
    number = {gloss: place for place, gloss in enumerate(glosses)}
    vectors = row_tuning.encoded(glosses, english, "reading the dictionary", progress)
    rows = np.zeros((len(words), english.dimension), dtype=np.float32)
    for place, word in enumerate(words):
        weights = {
            sense.gloss: (_PROPER if sense.proper else 1.0) / (1 + sense.place / 2)
            for sense in senses[word][:SENSES]
        }
        if weights:
            mix = np.array(list(weights.values()), dtype=np.float32)
            rows[place] = mix @ vectors[[number[gloss] for gloss in weights]] / mix.sum()
    known = rows.any(axis=1)
    rows[known] -= rows[known].mean(axis=0)
    return rows


def _telling(words: Sequence[str], seen: Mapping[str, int]) -> Matrix:
    """How much each word says: near one for a rare word, little for one of every sentence. Shape (words, 1)."""
    frequency = np.array([seen.get(word, 0) for word in words], dtype=np.float32)
    weights: Matrix = _SMOOTH / (_SMOOTH + frequency / max(float(frequency.sum()), 1.0))
    return weights[:, np.newaxis]


def tune(
    rows: Matrix, texts: Texts, targets: Matrix, training: Training, progress: Progress = row_tuning.quiet
) -> Matrix:
    """Rows by which the texts come nearer to their targets than to one another's; `rows` stays as it is."""
    rows = rows.copy()
    chance = np.random.default_rng(training.seed)
    usable = np.flatnonzero(np.diff(texts.words.indptr))
    batch = min(training.batch, len(usable))
    a_round = len(usable) // batch if batch else 0
    steps = training.epochs * a_round
    adam = RowAdam(rows)
    for step in range(steps):
        if step % a_round == 0:
            order = chance.permutation(usable)
        begin = step % a_round * batch
        chosen = order[begin : begin + batch]
        _, touched, gradient = loss(rows, texts.take(chosen), targets[chosen], training)
        adam.step(touched, gradient, training.rate * (1 - step / steps))
        progress("tuning", step + 1, steps)
    return rows


def loss(rows: Matrix, texts: Texts, targets: Matrix, training: Training) -> tuple[float, Places, Matrix]:
    """How far texts are from their targets, the rows that this rests on, and its gradient for each of them."""
    placing = Placing(rows, texts)
    apart, to_vectors, _ = row_tuning.told_apart(placing.vectors, targets, training.temperature)
    cosine = float((placing.vectors * targets).sum(axis=1).mean())
    to_vectors = to_vectors - training.cosine / len(texts) * targets
    return apart - training.cosine * cosine, placing.touched, placing.gradient(to_vectors)


def _recall(held: Lexicon, texts: Texts, targets: Matrix) -> Recall:
    placing = Placing(held.rows(range(len(held.numbers))), texts)
    read = (texts.read, placing.meant, placing.vectors)
    return Recall(*(row_tuning.found_first(vectors, targets) for vectors in read))


def read_pairs(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Sentence pairs, a line each: Chinese, a tab, English. Raises ValueError naming the first line without a tab."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        chinese, tab, english = line.rstrip("\n").partition("\t")
        if not tab:
            raise ValueError(f"line {number}: no tab between the Chinese text and the English one")
        found.append((chinese, english))
    return found
