"""What the problem graph adds to search, and what following it costs.

    python -m bench.graph [--split calibrate]

A workspace is filled from the sample shop and its month of events. Judged questions are then asked without the graph;
with the answers of the problem that each would join; and with a walk along the graph besides, always, where a
question names several products or may have several intents, and where the first two hits are close. Nothing of the
judgements is in the graph: what it knows of answers it has from messages and resolutions.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from bench.shop import SAMPLE
from graph.models import Problem
from graph.paths import Linked, answer_prior, propagated
from kb_service.commands.sample import fill
from kb_service.commands.workbench import open_workbench
from kb_service.judging.evaluation import (
    DEPTH,
    Judged,
    JudgedQuestion,
    figures,
    markdown,
    ndcg,
    queries,
    read_questions,
)
from kb_service.judging.judging import CALIBRATE
from kb_service.replicas.replica import Replica
from kb_service.search.fusion import rank
from kb_service.search.models import SearchQuery
from kb_service.settings import Settings
from kb_service.understanding.reading import Reader

WORKSPACE = "graph"
CLOSE = 1.0
"""Log-odds between the first two documents below which the margin is low."""
RESAMPLES = 2000
WEIGHTS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Of the prior, in log-odds, that are tried."""
TITLES = [
    "",
    "asked",
    "zh nDCG@10",
    "hit@1",
    "MRR",
    "en nDCG@10",
    "hit@1",
    "MRR",
    "nDCG@10 gained, 95% of draws",
]


@dataclass(frozen=True)
class Asked:
    """A judged question as it is searched, and what the graph links it to."""

    question: JudgedQuestion
    query: SearchQuery
    linked: Linked


Condition = Callable[[Asked], bool]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--split", default=CALIBRATE, help="questions of this split")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="kb-graph-") as folder,
        open_workbench(Settings(data=Path(folder), database_url=None)) as bench,
    ):
        fill(bench, WORKSPACE, SAMPLE, lambda done, of, name: None)
        replica, reader = bench.services.replicas.settled(WORKSPACE), bench.services.reader
        replica.reset()  # as after a start: what the month's replies tell is learnt then, or every few seconds
        questions = [each for each in read_questions(SAMPLE / "questions.jsonl") if each.split == given.split]
        trial = Trial(replica, linked(replica, reader, questions))
        print(trial.table() + "\n")
        if given.split == CALIBRATE:
            print(trial.weights() + "\n")
        print(trial.cost())
    return 0


def linked(replica: Replica, reader: Reader, questions: Sequence[JudgedQuestion]) -> list[Asked]:
    """The questions with the problem that each would join, and the products and intents that it shows."""
    shop, asked = replica.shop, []
    compared = reader.masked([question.query for question in questions])
    searched = queries(replica, reader, questions, datetime.now(UTC))
    for question, query, utterance in zip(questions, searched, compared, strict=True):
        entities = shop.gazetteer.entities(query.text, query.at)
        problem: Problem | None = replica.problem_of(replica.match(utterance, entities, query.at))
        products = dict.fromkeys(sku for entity in entities for sku in shop.gazetteer.skus(entity))
        intents = shop.classifier.predict([utterance], whole=utterance).candidates
        asked.append(
            Asked(question, query, Linked(problem.id if problem else None, tuple(products), intents))
        )
    return asked


class Trial:
    """One workspace and the questions that are put to it."""

    def __init__(self, replica: Replica, asked: Sequence[Asked]) -> None:
        self._replica = replica
        self._asked = asked
        self._joined = sum(each.linked.problem_id is not None for each in asked)

    def table(self) -> str:
        conditions: dict[str, Condition] = {
            "and a walk, always": lambda asked: True,
            "and a walk, where a question branches": lambda asked: asked.linked.branches,
            "and a walk, where the first two are close": self._close,
            "and a walk, where either": lambda asked: asked.linked.branches or self._close(asked),
        }
        without = self._judged(answers=False)
        direct = self._judged()
        rows = [
            _row("without the graph", 0, without, without),
            _row(
                "the problem's answers",
                self._joined,
                direct,
                without,
            ),
        ]
        for name, condition in conditions.items():
            walked = sum(map(condition, self._asked))
            rows.append(_row(name, walked, self._judged(walks=condition), direct))
        return markdown(TITLES, rows)

    def weights(self) -> str:
        """The problem's answers by what the strongest tie counts."""
        without = self._judged(answers=False)
        rows = [
            _row(f"prior {weight}", self._joined, self._judged(weight=weight), without) for weight in WEIGHTS
        ]
        return markdown(TITLES, rows)

    def cost(self) -> str:
        """The time of the look-up and of a walk beside that of a search."""
        graph = self._replica.graph
        times: dict[str, list[float]] = {"search": [], "answers": [], "walk": []}
        for asked in self._asked:
            at = asked.query.at
            times["search"].append(_timed(partial(self._replica.weigh, asked.query)))
            if asked.linked.problem_id is not None:
                times["answers"].append(_timed(partial(answer_prior, graph, asked.linked.problem_id, at)))
            if asked.linked.branches:
                times["walk"].append(_timed(partial(propagated, graph, asked.linked.seeds(), at)))
        search = float(np.median(times["search"]))
        told = [
            f"{name} {float(np.median(times[name])):.3f} ms (p95 {float(np.quantile(times[name], 0.95)):.3f}), "
            f"{float(np.median(times[name])) / search:.2f} of a search"
            for name in ("answers", "walk")
            if times[name]
        ]
        return f"Median of a search {search:.2f} ms; " + "; ".join(told) + "."

    def _judged(
        self, *, answers: bool = True, walks: Condition | None = None, weight: float | None = None
    ) -> list[Judged]:
        fusion = self._replica.index.calibration.fusion
        fusion = fusion if weight is None else replace(fusion, prior=weight)
        found = []
        for asked in self._asked:
            prior = self._prior(asked, walks=walks is not None and walks(asked)) if answers else {}
            candidates, names = self._replica.index.candidates(replace(asked.query, prior=prior))
            ranked = rank(candidates, fusion)
            found.append(Judged(asked.question, tuple(names[place] for place in ranked.best[:DEPTH]), 0.0))
        return found

    def _prior(self, asked: Asked, *, walks: bool) -> dict[str, float]:
        graph, linked, at = self._replica.graph, asked.linked, asked.query.at
        found = answer_prior(graph, linked.problem_id, at) if linked.problem_id is not None else {}
        if walks:
            for external_id, mass in propagated(graph, linked.seeds(), at).items():
                found[external_id] = min(found.get(external_id, 0.0) + mass, 1.0)
        return found

    def _close(self, asked: Asked) -> bool:
        candidates, _ = self._replica.index.candidates(asked.query)
        evidence = rank(candidates, self._replica.index.calibration.fusion).evidence
        return len(evidence) > 1 and bool(evidence[0] - evidence[1] < CLOSE)


def _timed(work: Callable[[], object]) -> float:
    """Milliseconds that the work takes."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def _row(name: str, asked: int, judged: Sequence[Judged], before: Sequence[Judged]) -> list[object]:
    row: list[object] = [name, asked]
    for language in ("zh", "en"):
        own = figures([item for item in judged if item.question.language == language])
        row += [own.ndcg10, own.hit1, own.mrr]
    return [*row, _gained(judged, before)]


def _gained(judged: Sequence[Judged], before: Sequence[Judged]) -> str:
    """The mean gain of nDCG@10 and where 95% of a paired bootstrap's draws lie (Efron, 1979)."""
    pairs = [(ndcg(one), ndcg(other)) for one, other in zip(judged, before, strict=True)]
    gains = np.array([one - other for one, other in pairs if one is not None and other is not None])
    draws = np.random.default_rng(0).integers(0, len(gains), (RESAMPLES, len(gains)))
    low, high = np.quantile(gains[draws].mean(axis=1), [0.025, 0.975])
    return f"{gains.mean():+.4f} ({low:+.4f} to {high:+.4f})"


if __name__ == "__main__":
    raise SystemExit(main())
