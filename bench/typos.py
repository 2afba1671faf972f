"""Questions as customers type them: with mistakes, and over several turns.

    python -m bench.typos [--split calibrate]

Judged questions of the sample, clean and with one mistake each, answered without and with correction; and the
dialogues of the tests, whose last turn is asked alone, with all turns joined, and as the service reads it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.mistakes import KINDS, mistyped
from kb_service.commands.sample import put_people
from kb_service.commands.workbench import open_workbench
from kb_service.judging.evaluation import (
    Judged,
    JudgedQuestion,
    figures,
    judge,
    markdown,
    read_questions,
    search_query,
)
from kb_service.models import KEY_ROLES, Principal, Turn
from kb_service.replicas.replica import Replica
from kb_service.search.correction import correct
from kb_service.settings import Settings
from kb_service.understanding.reading import Reader

SAMPLE = Path(__file__).parents[1] / "sample_kb"
DIALOGUES = Path(__file__).parents[1] / "tests" / "kb_service" / "dialogues.jsonl"
WORKSPACE = "typos"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--split", default="calibrate", help="questions and dialogues of this split")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="kb-typos-") as folder,
        open_workbench(Settings(data=Path(folder))) as bench,
    ):
        bench.create_workspace(WORKSPACE)
        bench.services.knowledge.ingest(WORKSPACE, [SAMPLE])
        put_people(bench, Principal(WORKSPACE, "bench", frozenset(KEY_ROLES)), SAMPLE)
        replica, reader = bench.services.replicas.settled(WORKSPACE), bench.services.reader
        questions = [
            question
            for question in read_questions(SAMPLE / "questions.jsonl")
            if question.split == given.split and question.expected
        ]
        print(typed(replica, reader, questions) + "\n")
        print(cost(replica, questions) + "\n")
        print(turned(replica, reader, given.split))
    return 0


def typed(replica: Replica, reader: Reader, questions: Sequence[JudgedQuestion]) -> str:
    """A table of hit@1 and nDCG@10: clean questions, mistyped ones, and both with correction."""
    rows: list[list[object]] = []
    for language in ("en", "zh"):
        own = [question for question in questions if question.language == language]
        rows.append(_row(replica, reader, f"{language}, clean", own, own))
    originals = {question.id: question for question in questions}
    for kind in KINDS:
        wrong = mistyped([q for q in questions if (q.language == "en") == kind.startswith("English")], kind)
        rows.append(_row(replica, reader, kind, [originals[question.id] for question in wrong], wrong))
    titles = [
        "questions",
        "count",
        "clean hit@1",
        "nDCG@10",
        "typed hit@1",
        "nDCG@10",
        "corrected hit@1",
        "nDCG@10",
    ]
    return markdown(titles, rows)


def _row(
    replica: Replica,
    reader: Reader,
    name: str,
    clean: Sequence[JudgedQuestion],
    wrong: Sequence[JudgedQuestion],
) -> list[object]:
    with _uncorrected(replica):
        plain, broken = figures(_judge(replica, reader, clean)), figures(_judge(replica, reader, wrong))
    mended = figures(_judge(replica, reader, wrong))
    return [
        name,
        len(wrong),
        *(value for each in (plain, broken, mended) for value in (each.hit1, each.ndcg10)),
    ]


def _judge(replica: Replica, reader: Reader, questions: Sequence[JudgedQuestion]) -> list[Judged]:
    return judge(replica, reader, questions, now=_now)


@contextmanager
def _uncorrected(replica: Replica) -> Iterator[None]:
    held, replica.vocabulary = replica.vocabulary, None
    try:
        yield
    finally:
        replica.vocabulary = held


def cost(replica: Replica, questions: Sequence[JudgedQuestion]) -> str:
    """How often clean questions are changed, and what looking at one costs."""
    changed, times = 0, []
    for question in questions:
        started = time.perf_counter()
        corrected = correct(question.query, replica.vocabulary)
        if corrected.corrections:
            changed += corrected.changed
        else:
            times.append((time.perf_counter() - started) * 1000)
    low, high = np.median(times), np.percentile(times, 95)
    return f"{changed} of {len(questions)} clean questions are corrected; a look costs {low:.2f} ms (p95 {high:.2f})."


def turned(replica: Replica, reader: Reader, split: str) -> str:
    """A table of hit@1 and nDCG@10 of dialogues by what their last turn needs."""
    items = [json.loads(line) for line in DIALOGUES.read_text("utf-8").splitlines()]
    items = [item for item in items if item["split"] == split]
    ways: dict[str, Callable[[list[Turn]], tuple[str, Sequence[Turn]]]] = {
        "last turn": lambda turns: (turns[-1].text, ()),
        "joined": lambda turns: (" ".join(turn.text for turn in turns if turn.role == "customer"), ()),
        "as read": lambda turns: (turns[-1].text, turns),
    }
    judged = {
        name: [(item, _asked(replica, reader, item, *way(_turns(item)))) for item in items]
        for name, way in ways.items()
    }
    rows: list[list[object]] = []
    for group in ("zh", "en", "elliptic", "continues", "shifts", "stands", ""):
        chosen = [
            [each for item, each in held if group in (item["language"], item["bearing"], "")]
            for held in judged.values()
        ]
        values = [figures(each) for each in chosen]
        rows.append(
            [group or "all", len(chosen[0]), *(v for each in values for v in (each.hit1, each.ndcg10))]
        )
    titles = ["dialogues", "count", *(f"{name} {figure}" for name in ways for figure in ("hit@1", "nDCG@10"))]
    return markdown(titles, rows)


def _turns(item: dict[str, list[dict[str, str]]]) -> list[Turn]:
    return [Turn("bot" if turn["role"] == "bot" else "customer", turn["text"]) for turn in item["turns"]]


def _asked(
    replica: Replica, reader: Reader, item: dict[str, object], text: str, turns: Sequence[Turn]
) -> Judged:
    asked = replica.asked(text, turns)
    (spoken,) = reader.read([asked.meant], spoken=asked.language)
    expected = item["expected"]
    assert isinstance(expected, list)
    question = JudgedQuestion(
        id=str(item["id"]),
        query=text,
        language=str(item["language"]),
        expected=frozenset(expected),
        split=str(item["split"]),
        as_of=datetime.fromisoformat(str(item["as_of"])),
        cross_lingual=False,
    )
    query = replace(search_query(question, spoken.language, spoken.vector, _now()), weights=asked.weights)
    hits, confidence = replica.find(query)
    return Judged(question, tuple(hit.external_id for hit in hits), confidence)


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    raise SystemExit(main())
