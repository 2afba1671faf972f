"""Documents that nobody has judged yet for the sample's questions, to be judged without knowing who found them.

    python -m bench.pooling --out FOLDER [--depth 2] [--parts 8]

The pool of a question are the first documents of four rankings alike: words (BM25 over segmented text), vectors, both
fused by rank, and this service. What its `expected` names already is left out, and so is what is not valid for it. The
folder gets `part-N.jsonl`, a question a line with its documents in random order and nothing of how they were found.
Pooling as at TREC: Spärck Jones and van Rijsbergen, Report on the need for and provision of an "ideal" information
retrieval test collection, 1975.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.shop import SAMPLE
from bench.systems import POOL, Ranking, Task, bm25_segmented, by_document, dense, fused_by_rank
from ingest.embedding import Embedder
from kb_service.commands.workbench import open_workbench
from kb_service.judging.evaluation import JudgedQuestion, judge, read_questions
from kb_service.judging.judging import utc_now
from kb_service.replicas.replica import Replica
from kb_service.search.models import Filters
from kb_service.settings import Settings
from kb_service.understanding.reading import Reader

WORKSPACE = "pool"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--depth", type=int, default=2, help="documents taken of each ranking")
    parser.add_argument("--parts", type=int, default=8)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="kb-pool-") as folder,
        open_workbench(Settings(data=Path(folder), database_url=None)) as bench,
    ):
        bench.create_workspace(WORKSPACE)
        bench.services.knowledge.ingest(WORKSPACE, [SAMPLE])
        replica, reader = bench.services.replicas.settled(WORKSPACE), bench.services.reader
        questions = read_questions(SAMPLE / "questions.jsonl")
        lines = list(pooled(replica, reader, bench.services.encoder, questions, given.depth))
    random.Random(0).shuffle(lines)
    given.out.mkdir(parents=True, exist_ok=True)
    for part in range(given.parts):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines[part :: given.parts])
        (given.out / f"part-{part}.jsonl").write_text(text, "utf-8")
    documents = sum(len(line["documents"]) for line in lines)
    print(f"{documents} documents of {len(lines)} questions to judge")
    return 0


def pooled(
    replica: Replica, reader: Reader, encoder: Embedder, questions: Sequence[JudgedQuestion], depth: int
) -> Iterator[dict[str, Any]]:
    """The questions that have anything to judge, each with the documents."""
    texts = {name: _whole(replica, name) for name in _names(replica)}
    rankings = [*_rankings(replica, encoder, questions), _served(replica, reader, questions)]
    for place, question in enumerate(questions):
        seen = _visible(replica, question)
        pool = {
            name for ranking in rankings for name in [name for name in ranking[place] if name in seen][:depth]
        }
        unjudged = sorted(pool - question.expected)
        random.Random(question.id).shuffle(unjudged)
        if unjudged:
            yield {
                "id": question.id,
                "query": question.query,
                "as_of": question.as_of.isoformat() if question.as_of else None,
                "documents": [{"id": name, "text": texts[name]} for name in unjudged],
            }


def _rankings(
    replica: Replica, encoder: Embedder, questions: Sequence[JudgedQuestion]
) -> list[list[list[str]]]:
    """The documents of each question by words, by vectors and by both."""
    catalogue = replica.index.snapshot.catalogue
    passages = [catalogue.passages[row] for row in range(catalogue.rows)]
    own = [f"{passage.context}\n{passage.text}" for passage in passages]
    asked = tuple(question.query for question in questions)
    task = Task(
        tuple(passage.id for passage in passages),
        tuple(passage.external_id for passage in passages),
        tuple(own),
        encoder.embed_passages(own),
        asked,
        encoder.embed_queries(asked),
        wanted=POOL,
    )
    halves: list[list[Ranking]] = [bm25_segmented(task), dense(task)]
    found = [*halves, fused_by_rank(halves)]
    return [[[name for name, _ in ranking] for ranking in by_document(task, one)] for one in found]


def _served(replica: Replica, reader: Reader, questions: Sequence[JudgedQuestion]) -> list[list[str]]:
    return [list(item.ranking) for item in judge(replica, reader, questions, now=utc_now)]


def _visible(replica: Replica, question: JudgedQuestion) -> frozenset[str]:
    """What a bot that asks this may see at its governing date."""
    catalogue = replica.index.snapshot.catalogue
    mask = catalogue.mask(Filters(), question.as_of or utc_now(), default_region=replica.index.default_region)
    return frozenset(catalogue.passages[row].external_id for row in mask.nonzero()[0].tolist())


def _names(replica: Replica) -> frozenset[str]:
    catalogue = replica.index.snapshot.catalogue
    return frozenset(catalogue.passages[row].external_id for row in range(catalogue.rows))


def _whole(replica: Replica, name: str) -> str:
    """A document as its readers see it."""
    catalogue = replica.index.snapshot.catalogue
    (slot,) = catalogue.slots_of([name]).tolist()
    passages = [catalogue.passages[row] for row in catalogue.rows_of(slot)]
    parts = [
        f"[{' / '.join(passage.section)}] {passage.text}" if passage.section else passage.text
        for passage in passages
    ]
    return "\n".join([passages[0].context.split("\n")[0], *parts])


if __name__ == "__main__":
    raise SystemExit(main())
