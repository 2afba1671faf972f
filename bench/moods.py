"""Emotion as the service reads it, beside others, on posts and reviews that nothing was fitted on.

SMP2020-EWECT labels posts with six emotions: anger counts as angry, sadness and fear as upset, happiness as pleased;
surprise, which is none of ours, is left out. Its parts `*_eval` served to choose constants, its parts `*_test` are
reported. Of the review set the first thousand rows served to choose, the rest is reported.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bench.datasets import data_folder
from bench.retrieval_tables import shown
from graph.emotion import emotion
from graph.models import EmotionLabel
from graph.mood_examples import mood_examples
from graph.mood_head import MOODS, MoodHead
from ingest.embedding import Embedder, load_embedder
from ingest.models import Vectors

POSTS = Path("smp2020_ewect") / "data.jsonl"
REVIEWS = Path("online_shopping_10_cats") / "data.jsonl"
OURS: Mapping[str, EmotionLabel] = {
    "angry": "angry", "sad": "upset", "fear": "upset", "happy": "pleased", "neutral": "neutral",
}  # fmt: skip
CHOSEN_ON = 1000
"""Reviews that served to choose; the others are reported."""
_BATCH = 64

Reading: TypeAlias = Callable[[Sequence[str], Vectors], list[EmotionLabel]]
"""Texts and their vectors to a mood each."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts with the mood that people gave them."""

    texts: tuple[str, ...]
    labels: tuple[EmotionLabel, ...]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.moods", description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder of the sets")
    parser.add_argument("--texts", type=int, default=0, help="read only so many texts of each part")
    given = parser.parse_args()
    folder = data_folder(given.data)
    if not ((folder / POSTS).is_file() and (folder / REVIEWS).is_file()):
        print(f"left out: {POSTS.parent} (SMP2020-EWECT) and {REVIEWS.parent} (ChineseNlpCorpus) "
              f"are not both in {folder}", file=sys.stderr)  # fmt: skip
        return 0
    encoder = load_embedder("packaged")
    most = given.texts or None
    usual, virus, learnt = (posts(folder, part)[:most] for part in ("usual_test", "virus_test", "usual_eval"))
    judged = reviews(folder)[CHOSEN_ON:][:most]
    kept = {name: _labelled(rows) for name, rows in (("usual", usual), ("virus", virus), ("learnt", learnt))}
    vectors = {name: _vectors(encoder, held.texts) for name, held in kept.items()}
    judged_vectors = _vectors(encoder, [text for text, _ in judged])
    print("| | posts, everyday | posts, epidemic | reviews told apart | of those, right |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, reading in _readings(encoder, kept["learnt"], vectors["learnt"]).items():
        figures = [
            macro_f1(kept[part].labels, reading(kept[part].texts, vectors[part]))
            for part in ("usual", "virus")
        ]
        told, right = polarity(
            [good for _, good in judged], reading([text for text, _ in judged], judged_vectors)
        )
        cells = " | ".join(shown(figure) for figure in (*figures, told, right))
        print(f"| {name} | {cells} |")
    return 0


def _readings(encoder: Embedder, learnt: Labelled, learnt_vectors: Vectors) -> dict[str, Reading]:
    sentences, moods = zip(*mood_examples(), strict=True)
    ours = MoodHead.fit(_vectors(encoder, sentences), moods)
    theirs = MoodHead.fit(learnt_vectors, learnt.labels)
    return {
        "**this service**: words and head": lambda texts, rows: [
            emotion(text, "zh", ours.log_probabilities(row)).label
            for text, row in zip(texts, rows, strict=True)
        ],
        "its words alone": lambda texts, rows: [emotion(text, "zh").label for text in texts],
        "its head alone": lambda texts, rows: _likeliest(ours, rows),
        "always neutral": lambda texts, rows: ["neutral"] * len(texts),
        f"a head on the same vectors, taught {len(learnt.labels):,} posts of the set": (
            lambda texts, rows: _likeliest(theirs, rows)
        ),
    }


def _likeliest(head: MoodHead, rows: Vectors) -> list[EmotionLabel]:
    return [MOODS[int(head.log_probabilities(row).argmax())] for row in rows]


def posts(folder: Path, part: str) -> list[tuple[str, EmotionLabel]]:
    """The posts of one part with their mood in our words."""
    return [
        (str(row["text"]), OURS[str(row["label"])])
        for row in _rows(folder / POSTS)
        if row["split"] == part and row["label"] in OURS
    ]


def reviews(folder: Path) -> list[tuple[str, bool]]:
    """The reviews, and whether each is a good one."""
    return [(str(row["text"]), row["label"] == 1) for row in _rows(folder / REVIEWS)]


def macro_f1(labels: Sequence[EmotionLabel], read: Sequence[EmotionLabel]) -> float:
    """The mean over moods of F1, each mood counting alike."""
    found = []
    for mood in MOODS:
        hits = sum(a == b == mood for a, b in zip(labels, read, strict=True))
        named = sum(label == mood for label in labels) + sum(label == mood for label in read)
        found.append(2 * hits / named if named else 0.0)
    return sum(found) / len(found)


def polarity(good: Sequence[bool], read: Sequence[EmotionLabel]) -> tuple[float, float]:
    """The share of reviews that are not called neutral, and of those the share put on the right side."""
    told = [(is_good, mood) for is_good, mood in zip(good, read, strict=True) if mood != "neutral"]
    right = sum(is_good == (mood == "pleased") for is_good, mood in told)
    return len(told) / len(good), right / len(told) if told else 0.0


def _rows(file: Path) -> Iterator[dict[str, object]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _labelled(rows: Sequence[tuple[str, EmotionLabel]]) -> Labelled:
    texts, labels = zip(*rows, strict=True)
    return Labelled(texts, labels)


def _vectors(encoder: Embedder, texts: Sequence[str]) -> Vectors:
    return np.concatenate(
        [encoder.embed_queries(texts[i : i + _BATCH]) for i in range(0, len(texts), _BATCH)]
    )


if __name__ == "__main__":
    sys.exit(main())
