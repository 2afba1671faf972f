"""What each part of the bilingual encoder is worth: `python -m bench.encoder`.

The English encoder alone, glosses alone, the table alone, both, and both after `kb encoder adapt` on the `dev` pairs
of a public set of Chinese questions; on translations, similarity, duplicate questions, and retrieval across
languages. Then what a question costs beside the English encoder. Sets are read as `bench.retrieval` reads them; one
that is absent is left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr  # type: ignore[import-untyped]

from bench.datasets import AbsentSet, RetrievalSet, data_folder, load_retrieval
from bench.retrieval_tables import shown
from ingest import adapting, lexicon, row_tuning
from ingest.adapting import Pair
from ingest.bilingual import BilingualEmbedder
from ingest.embedding import Embedder, load_embedder
from ingest.lexicon import Lexicon
from ingest.models import Vectors
from ingest.row_tuning import Placing, Texts

TRANSLATIONS = Path("parallel") / "tatoeba_test.tsv.gz"
SIMILARITY = Path("sts_zh") / "test.jsonl"
DUPLICATES = Path("lcqmc") / "data.jsonl"
COLUMNS = ("tatoeba", "sts_zh", "lcqmc AP", "AUROC", "F1", "xquad zh→en", "en→zh")
TIMED = 200
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Encoded:
    """Texts as the English encoder reads them, and as it reads them through the lexicon."""

    plain: Vectors
    texts: Texts


Variant: TypeAlias = Callable[[Encoded], Vectors]


@dataclass(frozen=True, slots=True)
class Encoder:
    """Reads texts once for all variants."""

    english: Embedder
    held: Lexicon

    def __call__(self, texts: Sequence[str]) -> Encoded:
        plain = row_tuning.encoded(texts, self.english, "", row_tuning.quiet)
        return Encoded(plain, row_tuning.read(self.held, texts, self.english, ""))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.encoder", description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder of the sets")
    parser.add_argument(
        "--lexicon", type=Path, default=lexicon.SHIPPED, help="another lexicon than the shipped"
    )
    given = parser.parse_args()
    folder = data_folder(given.data)
    encoder = Encoder(load_embedder("packaged-en"), lexicon.load(given.lexicon))
    variants = _variants(encoder, folder)
    rows: dict[str, dict[str, float]] = {name: {} for name in variants}
    for measure in (_translations, _similarity, _duplicates, partial(_across, "xquad_zh2en", "xquad zh→en")):
        _add(rows, variants, measure, encoder, folder)
    _add(rows, variants, partial(_across, "xquad_en2zh", "en→zh"), encoder, folder)
    print(_table(rows))
    print(f"\nA Chinese question takes {_cost(encoder):.2f} of the time of its English translation.")
    return 0


def _add(
    rows: dict[str, dict[str, float]],
    variants: Mapping[str, Variant],
    measure: Callable[[Encoder, Path, Mapping[str, Variant]], Mapping[str, Mapping[str, float]]],
    encoder: Encoder,
    folder: Path,
) -> None:
    try:
        for name, figures in measure(encoder, folder, variants).items():
            rows[name] |= figures
    except (AbsentSet, FileNotFoundError) as absent:
        print(f"left out: {absent}", file=sys.stderr)


def _variants(encoder: Encoder, folder: Path) -> dict[str, Variant]:
    held = encoder.held
    rows = held.rows(range(len(held.numbers)))
    variants: dict[str, Variant] = {
        "English encoder alone": lambda found: found.plain,
        "glosses alone": lambda found: found.texts.read,
        "table alone": partial(_by_table, rows),
        "both": partial(_joined, rows),
    }
    if (folder / DUPLICATES).is_file():
        begun = time.monotonic()
        found = adapting.adapt(held, encoder.english, _questions(folder, "dev"))
        print(
            f"adapted to {found.pairs} pairs in {time.monotonic() - begun:.0f} s, encoding included: average precision "
            f"of {found.held_out} held out {found.before.chief:.3f} before, {found.after.chief:.3f} after, control "
            f"{found.before.control:.3f} and {found.after.control:.3f}; {found.refusal or 'used'}",
            file=sys.stderr,
        )
        adapted = found.lexicon.rows(range(len(held.numbers)))
        variants["table alone, adapted"] = partial(_by_table, adapted)
        variants["both, adapted"] = partial(_joined, adapted)
    return variants


def _joined(rows: NDArray[np.float32], found: Encoded) -> Vectors:
    return Placing(rows, found.texts).vectors


def _by_table(rows: NDArray[np.float32], found: Encoded) -> Vectors:
    """The table's vectors; the encoder's of texts in which it knows no word."""
    meant = Placing(rows, found.texts).meant
    return np.where(meant.any(axis=1, keepdims=True), meant, found.plain)


# --- sets


def _translations(
    encoder: Encoder, folder: Path, variants: Mapping[str, Variant]
) -> dict[str, dict[str, float]]:
    with gzip.open(folder / TRANSLATIONS, "rt", encoding="utf-8") as lines:
        pairs = [line.rstrip("\n").split("\t") for line in lines]
    chinese, english = (encoder([pair[side] for pair in pairs]) for side in (0, 1))
    return {
        name: {"tatoeba": row_tuning.found_first(variant(chinese), english.plain)}
        for name, variant in variants.items()
    }


def _similarity(
    encoder: Encoder, folder: Path, variants: Mapping[str, Variant]
) -> dict[str, dict[str, float]]:
    items = [json.loads(line) for line in (folder / SIMILARITY).read_text("utf-8").split("\n") if line]
    sides = [encoder([item[side] for item in items]) for side in ("a", "b")]
    judged = [item["score"] for item in items]
    return {
        name: {"sts_zh": float(spearmanr(_cosines(variant, sides), judged).statistic)}
        for name, variant in variants.items()
    }


def _duplicates(
    encoder: Encoder, folder: Path, variants: Mapping[str, Variant]
) -> dict[str, dict[str, float]]:
    """The border for F1 is the best on `dev`."""
    parts = {}
    for split in ("dev", "test"):
        pairs = _questions(folder, split)
        sides = [encoder([pair.first for pair in pairs]), encoder([pair.second for pair in pairs])]
        parts[split] = sides, np.array([pair.same for pair in pairs])
    figures = {}
    for name, variant in variants.items():
        sides, same = parts["dev"]
        border = _best_border(_cosines(variant, sides), same)
        sides, same = parts["test"]
        cosines = _cosines(variant, sides)
        figures[name] = {
            "lcqmc AP": adapting.average_precision(cosines, same),
            "AUROC": _auroc(cosines, same),
            "F1": _f1(cosines >= border, same),
        }
    return figures


def _questions(folder: Path, split: str) -> list[Pair]:
    items = [json.loads(line) for line in (folder / DUPLICATES).read_text("utf-8").split("\n") if line]
    return [Pair(item["a"], item["b"], bool(item["label"])) for item in items if item["split"] == split]


def _across(
    name: str, column: str, encoder: Encoder, folder: Path, variants: Mapping[str, Variant]
) -> dict[str, dict[str, float]]:
    asked = load_retrieval(folder, name)
    corpus = encoder([f"{document.title}\n{document.text}".strip() for document in asked.corpus])
    questions = encoder([question.text for question in asked.queries])
    return {
        label: {column: _ndcg(asked, variant(questions) @ variant(corpus).T)}
        for label, variant in variants.items()
    }


# --- figures


def _cosines(variant: Variant, sides: Sequence[Encoded]) -> NDArray[np.float32]:
    one, other = (variant(side) for side in sides)
    cosines: NDArray[np.float32] = (one * other).sum(axis=1)
    return cosines


def _ndcg(asked: RetrievalSet, scores: NDArray[np.float32], depth: int = 10) -> float:
    gains = []
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    for question, row in zip(asked.queries, scores, strict=True):
        right = asked.qrels.get(question.id, frozenset())
        ranked = [asked.corpus[place].id in right for place in np.argsort(-row, kind="stable")[:depth]]
        best = discounts[: len(right)].sum()
        gains.append(float(discounts[: len(ranked)][ranked].sum() / best) if right else 0.0)
    return float(np.mean(gains))


def _auroc(scores: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    """The chance that something right scores above something wrong (Mann and Whitney)."""
    ranks = rankdata(scores)
    count = right.sum()
    return float((ranks[right].sum() - count * (count + 1) / 2) / (count * (~right).sum()))


def _best_border(scores: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    borders = np.quantile(scores, np.linspace(0.02, 0.98, 97))
    return float(max(borders, key=lambda border: _f1(scores >= border, right)))


def _f1(told: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    return float(2 * (told & right).sum() / max(int(told.sum() + right.sum()), 1))


def _cost(encoder: Encoder) -> float:
    """The time of Chinese questions one by one, beside their English translations; medians of rounds in turn."""
    pairs = adapting.shipped_control()[:TIMED]
    both = BilingualEmbedder(encoder.english, encoder.held)
    seconds: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(ROUNDS + 1):
        for side in (0, 1):
            begun = time.perf_counter()
            for pair in pairs:
                both.embed_queries([pair[side]])
            seconds[side].append(time.perf_counter() - begun)
    chinese, english = (float(np.median(seconds[side][1:])) for side in (0, 1))
    return chinese / english


def _table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| | " + " | ".join(COLUMNS) + " |", "| --- |" + " ---: |" * len(COLUMNS)]
    for name, figures in rows.items():
        cells = [shown(figures.get(column)) for column in COLUMNS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
