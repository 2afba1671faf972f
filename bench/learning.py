"""What feedback does to the ranking, night by night: honest agents, colluding ones, with and without the safeguards.

    python -m bench.learning

The sample shop's questions of the split `calibrate` that something answers. Those with the same answers are one
problem; half of each problem's questions are asked by day, the others are measured. An agent is shown five answers
and uses the first right one, nine times in ten; else the first. A colluding one uses the last that is shown, wrong
ones only, two hundred times a day and problem. Two neighbours change places in 5% of what is shown. Without the
safeguards each word counts at once, as the share of a problem's uses, in the strength of the graph's prior.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.remembered import RememberedEmbedder
from bench.shop import SAMPLE
from graph.learned_ranks import Place, Seen, Subject, Told, Word, rank_moves
from graph.paths import PSEUDO_ANSWERS
from ingest.embedding import load_embedder
from kb_service.commands.workbench import open_workbench
from kb_service.judging.evaluation import (
    ALL,
    Judged,
    JudgedQuestion,
    markdown,
    queries,
    read_questions,
    report,
)
from kb_service.judging.judging import CALIBRATE
from kb_service.replicas.replica import Replica
from kb_service.search.models import SearchQuery
from kb_service.settings import Settings

WORKSPACE = "learning"
NIGHTS = 5
AGENTS = 20
A_DAY = 6
"""How often each question is asked in a day."""
ABUSE = 200
SHOWN = 5
SWAPS = 0.05
SLOPPY = 0.1
NOW = datetime(2026, 11, 20, tzinfo=UTC)
Boosts = Mapping[Place, float]


@dataclass(frozen=True, slots=True)
class Asked:
    question: JudgedQuestion
    query: SearchQuery
    subject: Subject


@dataclass
class Desk:
    """One run: who works there, how words become boosts, and what was said so far."""

    replica: Replica
    taught: Sequence[Asked]
    measured: Sequence[Asked]
    colluding: int
    learn: Callable[[Sequence[Told], Boosts, datetime], dict[Place, float]]
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    boosts: dict[Place, float] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def nights(self) -> list[float]:
        """nDCG@10 of the measured questions before the first night and after each."""
        found = [self._quality()]
        for night in range(NIGHTS):
            self._day(NOW + night * timedelta(days=1))
            self.boosts = self.learn(self.told, self.boosts, NOW + (night + 1) * timedelta(days=1))
            found.append(self._quality())
        return found

    def _ranked(self, asked: Asked) -> list[Seen]:
        learned = {
            external_id: boost
            for (subject, external_id), boost in self.boosts.items()
            if subject == asked.subject and boost
        }
        hits = self.replica.index.search(replace(asked.query, limit=10, learned=learned))
        return [Seen(hit.external_id, rank, 1.0, hit.evidence) for rank, hit in enumerate(hits, 1)]

    def _quality(self) -> float:
        judged = [
            Judged(asked.question, tuple(seen.external_id for seen in self._ranked(asked)), 0.5)
            for asked in self.measured
        ]
        return report(judged).groups[ALL].ndcg10 or 0.0

    def _day(self, at: datetime) -> None:
        abused: set[Subject] = set()
        for asked in self.taught:
            ranked = self._ranked(asked)[:SHOWN]
            if not ranked:
                continue
            right = asked.question.expected
            for _ in range(A_DAY):
                shown = self._shown(ranked)
                helping = [seen.external_id for seen in shown if seen.external_id in right]
                used = helping[0] if helping and self.chance.random() > SLOPPY else shown[0].external_id
                self._say(asked, shown, used, f"agent {self.chance.randrange(AGENTS)}", at)
            wrong = [seen.external_id for seen in ranked if seen.external_id not in right]
            if self.colluding and wrong and asked.subject not in abused:
                abused.add(asked.subject)
                for number in range(ABUSE):
                    self._say(asked, ranked, wrong[-1], f"colluding {number % self.colluding}", at)

    def _shown(self, ranked: Sequence[Seen]) -> list[Seen]:
        pairs = len(ranked) - 1
        if not pairs:
            return list(ranked)
        each = SWAPS / pairs
        shown = [
            replace(seen, propensity=1 - each * (1 + (0 < place < pairs)))
            for place, seen in enumerate(ranked)
        ]
        if self.chance.random() < SWAPS:
            place = self.chance.randrange(pairs)
            upper, lower = shown[place : place + 2]
            shown[place] = replace(lower, rank=upper.rank, propensity=each)
            shown[place + 1] = replace(upper, rank=lower.rank, propensity=each)
        return shown

    def _say(self, asked: Asked, shown: Sequence[Seen], used: str, voter: str, at: datetime) -> None:
        number = len(self.told)
        word = Word(f"f{number}", True, at, voter, voter)
        customer = f"u{self.chance.randrange(5000)}"
        self.told.append(Told(f"x{number}", asked.subject, customer, at, tuple(shown), {used: word}))


def guarded(told: Sequence[Told], boosts: Boosts, now: datetime) -> dict[Place, float]:
    return {
        **boosts,
        **{(move.subject, move.external_id): move.boost for move in rank_moves(told, boosts, now)},
    }


def unguarded(strength: float) -> Callable[[Sequence[Told], Boosts, datetime], dict[Place, float]]:
    """Every word counts: the share of a subject's uses, shrunk as the graph's prior is, times its strength."""

    def learn(told: Sequence[Told], boosts: Boosts, now: datetime) -> dict[Place, float]:
        uses: defaultdict[Subject, Counter[str]] = defaultdict(Counter)
        for item in told:
            uses[item.subject].update(item.words.keys())
        return {
            (subject, external_id): strength * count / (counts.total() + PSEUDO_ANSWERS)
            for subject, counts in uses.items()
            for external_id, count in counts.items()
        }

    return learn


def halves(asked: Sequence[Asked]) -> tuple[list[Asked], list[Asked]]:
    """Questions to ask by day and to measure: half of each problem's, by their ids."""
    by_subject: defaultdict[Subject, list[Asked]] = defaultdict(list)
    for item in sorted(asked, key=lambda item: item.question.id):
        by_subject[item.subject].append(item)
    several = [items for items in by_subject.values() if len(items) > 1]
    return [item for items in several for item in items[::2]], [
        item for items in several for item in items[1::2]
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--cache", type=Path, help="a folder that keeps vectors for the next run")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb-learning-") as folder:
        settings = Settings(data=Path(folder), database_url=None)
        encoder = RememberedEmbedder(load_embedder(settings.embedding_model), given.cache)
        with open_workbench(settings, embedder=encoder) as bench:
            bench.create_workspace(WORKSPACE)
            bench.services.knowledge.ingest(WORKSPACE, [SAMPLE])
            replica = bench.services.replicas.settled(WORKSPACE)
            questions = [
                question
                for question in read_questions(SAMPLE / "questions.jsonl")
                if question.split == CALIBRATE and question.expected
            ]
            searched = queries(replica, bench.services.reader, questions, NOW)
            encoder.save()
            taught, measured = halves(
                [
                    Asked(question, query, _subject(question))
                    for question, query in zip(questions, searched, strict=True)
                ]
            )
            print(f"{len({item.subject for item in taught})} problems, {len(taught)} questions asked, "
                  f"{len(measured)} measured\n")  # fmt: skip
            print(_table(replica, taught, measured))
    return 0


def _subject(question: JudgedQuestion) -> Subject:
    return "problem", hashlib.blake2b(
        "\0".join(sorted(question.expected)).encode(), digest_size=6
    ).hexdigest()


def _table(replica: Replica, taught: Sequence[Asked], measured: Sequence[Asked]) -> str:
    rows: list[list[object]] = []
    for safe, learn in (("with", guarded), ("without", unguarded(replica.index.calibration.fusion.prior))):
        for colluding in (0, 1, 3):
            who = f"{colluding} colluding" if colluding else "honest"
            figures = Desk(replica, taught, measured, colluding, learn).nights()
            rows.append([f"{who}, {safe}", *figures])
    return markdown(["agents, safeguards", "before", *(f"night {n}" for n in range(1, NIGHTS + 1))], rows)


if __name__ == "__main__":
    raise SystemExit(main())
