"""Messages grouped into problems as they arrive, beside leader clustering and river's DBSTREAM on the same vectors.

    make bench-recurrence
    PYTHONPATH=.venv-bench .venv/bin/python -m bench.grouping --sets banking77 --vectors /tmp/vectors

Rows named by a rule of the shop are what a shop gets that sets it: shipped limits, the shipped grain. A row "fitted" is
what no setting gives: the limit and the grain that did best on half of the labels of each set; the other half is
reported. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from bench.datasets import FOLDER_VARIABLE, AbsentSet, data_folder
from bench.remembered import RememberedEmbedder
from graph.exemplars import Floats
from graph.kinship import COARSE, Grain, Said, Themes, kin, strayed, themes
from graph.matching import COEFFICIENTS, Limits, ProblemMatcher, join_limit
from graph.models import Utterance, Vector
from ingest.embedding import load_embedder
from ingest.redaction import mask_numbers
from kb_service.judging.evaluation import markdown
from kb_service.understanding.reading import compared_words

ORIGINS: Mapping[str, str] = {
    "stream_news_t": "github.com/rashadulrakib/short-text-stream-clustering, OnlineClustering/data/News-T",
    "stackoverflow_short": "github.com/jacoxu/StackOverflow",
    "banking77": "github.com/PolyAI-LDN/task-specific-datasets, banking_data (CC BY 4.0)",
}
IN_ORDER = frozenset({"stream_news_t"})
"""Sets whose order is that of arrival; the others are shuffled once."""
LEADER = tuple(round(0.1 + 0.05 * step, 2) for step in range(14))
"""Cosines to a centroid from which leader clustering joins."""
DBSTREAM = tuple((radius, 0.3) for radius in (0.9, 1.0, 1.1, 1.2))
"""Radius of a micro-cluster (Euclidean, between unit vectors) and the share of overlap that connects two."""
READS = frozenset({"zh", "en"})
GRAINS = (
    *(replace(COARSE, neighbours=10, resolution=resolution) for resolution in (1.0, 1.5, 2.0)),
    replace(COARSE, words=0.15),
    COARSE,
)
"""Grains of which the row "fitted" takes the best on half of the labels."""
NIGHTS = 5
"""Looks at kinship after the stream, at most; the second as a rule finds nothing more."""
SIZES = (1_000, 10_000, 100_000)
ASKED = 300
BINS = 15

Grouping: TypeAlias = Sequence[Hashable]


@dataclass(frozen=True, slots=True)
class Stream:
    """Messages in order of arrival, each with the topic that it is of; `vectors` has one row a message."""

    name: str
    labels: tuple[str, ...]
    messages: tuple[Utterance, ...]

    @property
    def vectors(self) -> Vector:
        return np.stack([message.vector for message in self.messages])

    def halves(self, seed: int = 1) -> tuple[Stream, Stream]:
        """The messages of half of the labels, drawn at random, and those of the others."""
        labels = sorted(set(self.labels))
        random.Random(seed).shuffle(labels)
        drawn = set(labels[::2])
        return self._of(drawn), self._of(set(labels) - drawn)

    def first(self, most: int | None) -> Stream:
        """At most so many messages, those that came first."""
        return Stream(self.name, self.labels[:most], self.messages[:most])

    def _of(self, labels: set[str]) -> Stream:
        kept = [place for place, label in enumerate(self.labels) if label in labels]
        return Stream(self.name, tuple(self.labels[i] for i in kept), tuple(self.messages[i] for i in kept))


@dataclass(frozen=True, slots=True)
class Judged:
    """A grouping against the labels: BCubed (Amigó et al. 2009), the adjusted Rand index, groups."""

    precision: float
    recall: float
    f1: float
    rand: float
    groups: int


def load_stream(folder: Path, name: str, embedder: RememberedEmbedder) -> Stream:
    """One of `ORIGINS` as the service would hear it. Raises AbsentSet where it does not lie there."""
    file = folder / name / "data.jsonl"
    if not file.is_file():
        raise AbsentSet(f"{file} is absent; made from {ORIGINS[name]}")
    rows = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line.strip()]
    if name not in IN_ORDER:
        random.Random(3).shuffle(rows)
    texts = [mask_numbers(row["text"]) for row in rows]
    vectors = embedder.embed_queries(texts)
    messages = [
        Utterance(text, "en", compared_words(text), vector, embedder.model_id)
        for text, vector in zip(texts, vectors, strict=True)
    ]
    return Stream(name, tuple(str(row["label"]) for row in rows), tuple(messages))


def judge(found: Grouping, labels: Sequence[str]) -> Judged:
    both = Counter(zip(found, labels, strict=True))
    groups, topics = Counter(found), Counter(labels)
    precision = sum(count * count / groups[group] for (group, _), count in both.items()) / len(labels)
    recall = sum(count * count / topics[topic] for (_, topic), count in both.items()) / len(labels)
    together = sum(count * (count - 1) / 2 for count in both.values())
    ours = sum(count * (count - 1) / 2 for count in groups.values())
    theirs = sum(count * (count - 1) / 2 for count in topics.values())
    chance = ours * theirs / (len(labels) * (len(labels) - 1) / 2)
    rand = (together - chance) / ((ours + theirs) / 2 - chance)
    return Judged(precision, recall, 2 * precision * recall / (precision + recall), rand, len(groups))


# --- the ways


def leader(vectors: Vector, least: float) -> list[int]:
    """Single pass: to the nearest centroid from a cosine on, else a group of its own."""
    sums = np.zeros((64, vectors.shape[1]))
    centroids = np.zeros((64, vectors.shape[1]), np.float32)
    groups = 0
    found: list[int] = []
    for vector in vectors:
        cosines = centroids[:groups] @ vector
        nearest = int(np.argmax(cosines)) if groups else 0
        if not groups or cosines[nearest] < least:
            nearest, groups = groups, groups + 1
            if groups > len(sums):
                sums = np.concatenate([sums, np.zeros_like(sums)])
                centroids = np.concatenate([centroids, np.zeros_like(centroids)])
        sums[nearest] += vector
        centroids[nearest] = sums[nearest] / np.linalg.norm(sums[nearest])
        found.append(nearest)
    return found


def dbstream(vectors: Vector, radius: float, shared: float) -> list[int]:
    """river's DBSTREAM (Hahsler and Bolaños 2016) without forgetting, asked once all was learned. Raises
    ImportError where river is not installed."""
    from river import cluster

    model = cluster.DBSTREAM(
        clustering_threshold=radius,
        fading_factor=1e-9,
        cleanup_interval=10**9,
        intersection_factor=shared,
        minimum_weight=1.0,
    )
    points = [dict(enumerate(vector.tolist())) for vector in vectors]
    for point in points:
        model.learn_one(point)
    return [model.predict_one(point) for point in points]


@dataclass(frozen=True, slots=True)
class Replayed:
    """Where each message of a stream came online, and how likely its likeliest problem was.

    A message that waits counts where it would go, one that says nothing is alone. `judged` are the scores and
    whether most of that problem's messages were of the same topic.
    """

    found: tuple[str, ...]
    judged: tuple[tuple[float, bool], ...]
    seconds: float


def replay(stream: Stream, limits: Limits | None = None) -> Replayed:
    """Message after message through the service's matcher, as it joins them."""
    matcher = ProblemMatcher(reads=READS, limits={"meaning": limits} if limits is not None else {})
    topics: dict[str, Counter[str]] = {}
    found: list[str] = []
    judged: list[tuple[float, bool]] = []
    spent = 0.0
    for number, (message, label) in enumerate(zip(stream.messages, stream.labels, strict=True)):
        begun = time.perf_counter()
        match = matcher.match(message)
        spent += time.perf_counter() - begun
        problem_id = match.problem_id or f"p{number:06}"
        near = matcher.candidates(message)[:1] if match.reason != "not_a_problem" else ()
        if near:
            judged.append((match.score, topics[near[0].problem_id].most_common(1)[0][0] == label))
        if match.reason in ("new", "joined"):
            begun = time.perf_counter()
            matcher.join(problem_id, message, event_id=str(number))
            spent += time.perf_counter() - begun
            topics.setdefault(problem_id, Counter())[label] += 1
        found.append(problem_id)
    return Replayed(tuple(found), tuple(judged), spent)


def after_nights(
    stream: Stream, found: Sequence[str], grain: Grain = COARSE, nights: int = NIGHTS
) -> list[str]:
    """The problems as themes leave them once nights after the stream find nothing more."""
    about = themes([Said("", message) for message in stream.messages], grain, reads=READS)
    for night in range(nights):
        before = list(found)
        found = _parted(stream, before, about, night)
        said = [Said(name, message) for name, message in zip(found, stream.messages, strict=True)]
        first = {name: group[0] for group in kin(said, about) for name in group}
        found = [first.get(name, name) for name in found]
        if found == before:
            break
    return list(found)


def _parted(stream: Stream, found: Sequence[str], about: Themes, night: int) -> list[str]:
    """The problems without what strayed from them, which goes by names of its own."""
    parted = list(found)
    said = [Said(name, message) for name, message in zip(found, stream.messages, strict=True)]
    for number, stray in enumerate(strayed(said, about)):
        for place in stray.gone:
            parted[place] = f"{stray.problem_id}/{night}/{number}"
    return parted


def calibration_error(judged: Sequence[tuple[float, bool]]) -> float:
    """The mean distance between scores and how often they are right, over fifteen bins."""
    scores = np.array([score for score, _ in judged])
    right = np.array([truth for _, truth in judged])
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    return float(
        sum(
            abs(scores[bins == place].mean() - right[bins == place].mean()) * (bins == place).mean()
            for place in range(BINS)
            if (bins == place).any()
        )
    )


# --- the tables


def best(ways: Sequence[tuple[str, Callable[[], Grouping]]], stream: Stream) -> tuple[str, Judged, float]:
    """The best of some ways on a stream itself, with the milliseconds that it took a message."""
    found: list[tuple[str, Judged, float]] = []
    for title, way in ways:
        begun = time.perf_counter()
        judged = judge(way(), stream.labels)
        found.append((title, judged, 1000 * (time.perf_counter() - begun) / len(stream.labels)))
    return max(found, key=lambda item: item[1].f1)


def scored(title: str, stream: Stream, found: Grouping, seconds: float) -> tuple[str, Judged, float]:
    """A row of the table: with the milliseconds that a message took."""
    return title, judge(found, stream.labels), 1000 * seconds / len(stream.labels)


def nightly(title: str, stream: Stream, online: Replayed, grain: Grain) -> tuple[str, Judged, float]:
    """The row of what nights make of problems as first joined."""
    begun = time.perf_counter()
    night = after_nights(stream, online.found, grain)
    return scored(title, stream, night, time.perf_counter() - begun + online.seconds)


def compared(
    stream: Stream, *, peers: bool = True, most: int | None = None, whole: bool = False
) -> list[tuple[str, Judged, float]]:
    """Every way on the reported half of a stream's labels."""
    fitting, reported = (half.first(most) for half in stream.halves())
    reported = stream.first(most) if whole else reported
    shipped = COEFFICIENTS["meaning"]
    first = replay(fitting)
    join = join_limit(first.judged) or max(score for score, _ in first.judged)
    limits = Limits(max(join, shipped.join), max(join - 0.15, shipped.new))
    known = replay(fitting, limits).found
    for item in GRAINS:
        chosen_on = judge(after_nights(fitting, first.found, item), fitting.labels).f1
        print(f"{stream.name}, other half: {item}: F1 {chosen_on:.3f}", file=sys.stderr, flush=True)
    grain = max(GRAINS, key=lambda item: judge(after_nights(fitting, known, item, 1), fitting.labels).f1)
    plain, fitted = replay(reported), replay(reported, limits)
    drawn = f"join from {limits.join:.2f}, {grain.neighbours} neighbours, resolution {grain.resolution}"
    rows = [
        scored("this service, as first joined", reported, plain.found, plain.seconds),
        nightly("**this service, problem_grain: coarse, after nights**", reported, plain, COARSE),
        scored(
            f"fitted, as first joined, join from {limits.join:.2f}", reported, fitted.found, fitted.seconds
        ),
        nightly(f"fitted, after nights, {drawn}", reported, fitted, grain),
    ]
    error = calibration_error(plain.judged)
    print(f"{stream.name}: ECE {error:.3f} ({len(plain.judged)} scores)", file=sys.stderr, flush=True)
    vectors = reported.vectors
    ways = [[(f"leader, cosine {t}", partial(leader, vectors, t)) for t in LEADER]]
    if peers:
        ways.append([(f"DBSTREAM, radius {r}, {s}", partial(dbstream, vectors, r, s)) for r, s in DBSTREAM])
    for row in rows:
        print(f"{stream.name}: {row}", file=sys.stderr, flush=True)
    try:
        for group in ways:
            rows.append(best(group, reported))
            print(f"{stream.name}: {rows[-1]}", file=sys.stderr, flush=True)
    except ImportError:
        print("river is not installed; its rows are left out", file=sys.stderr)
    return rows


def made_message(rng: np.random.Generator, centres: Floats, topic: int, number: int) -> Utterance:
    """A message of a made-up problem: near to one of a few hundred directions, of words as frequent as words are."""
    vector = 0.8 * centres[topic % len(centres)] + 0.6 * rng.normal(size=centres.shape[1]) / np.sqrt(
        centres.shape[1]
    )
    drawn = np.minimum(rng.zipf(1.3, size=7), 50_000)
    tokens = (f"t{topic}", *(f"w{int(word)}" for word in drawn))
    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
    return Utterance(f"message {number}", "en", tokens, unit, "made")


def costs(sizes: Sequence[int] = SIZES) -> list[tuple[int, float, float]]:
    """Problems, milliseconds a match and a join take with so many, at the median."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(400, 384))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    matcher = ProblemMatcher(reads=READS)
    rows: list[tuple[int, float, float]] = []
    for topic in range(max(sizes)):
        matcher.join(f"p{topic}", made_message(rng, centres, topic, topic))
        if topic + 1 not in sizes:
            continue
        spent: list[tuple[float, float]] = []
        for number in range(ASKED):
            asked = made_message(rng, centres, int(rng.integers(topic + 1)), number)
            begun = time.perf_counter()
            match = matcher.match(asked)
            matched = time.perf_counter()
            matcher.join(match.problem_id or f"p{topic}", asked)
            spent.append((1000 * (matched - begun), 1000 * (time.perf_counter() - matched)))
        rows.append((topic + 1, *np.median(np.array(spent), axis=0).tolist()))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(ORIGINS))
    parser.add_argument("--data", type=Path, help=f"where the sets lie, else {FOLDER_VARIABLE}")
    parser.add_argument("--vectors", type=Path, help="a folder that remembers vectors between runs")
    parser.add_argument("--most", type=int, help="messages of each half; all by default")
    parser.add_argument(
        "--whole", action="store_true", help="report on all labels, those fitted on among them"
    )
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--without-costs", action="store_true")
    given = parser.parse_args()
    embedder = RememberedEmbedder(load_embedder("packaged"), given.vectors)
    for name in given.sets.split(",") if given.sets else ():
        try:
            stream = load_stream(data_folder(given.data), name, embedder)
        except AbsentSet as absent:
            print(f"{name} is left out: {absent}", file=sys.stderr)
            continue
        embedder.save()
        rows = [
            (title, j.precision, j.recall, j.f1, j.rand, j.groups, round(spent, 2))
            for title, j, spent in compared(
                stream, peers=not given.without_peers, most=given.most, whole=given.whole
            )
        ]
        labels = (stream if given.whole else stream.halves()[1]).first(given.most).labels
        print(f"\n{name}: {len(labels)} messages of {len(set(labels))} topics\n")
        print(markdown(["way", "precision", "recall", "F1", "ARI", "problems", "ms a message"], rows))
    if not given.without_costs:
        print("\n" + markdown(["problems", "match, ms", "join, ms"], [(str(n), a, b) for n, a, b in costs()]))


if __name__ == "__main__":
    main()
