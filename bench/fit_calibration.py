"""Fits the constants that ship with the service, and shows what they give on questions that had no part in it.

    make calibration

The fusion is fitted on the sample shop's split `calibrate`, on questions to questions in English made from BANKING77,
and on questions to running text in Chinese, the part `trial` of CMRC 2018; the confidence on the sample alone.
Evidence for sending answers unseen does not ship: what was judged in one shop proves nothing for another. The sample's
split `report` is judged before and after. Writes `kb_service/search/calibration.json`.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.datasets import CorpusDocument, Question, RetrievalSet, data_folder, load_retrieval
from bench.remembered import RememberedEmbedder
from bench.shop import SAMPLE
from bench.tested_service import trial
from ingest.embedding import load_embedder
from kb_service.commands.sample import put_people
from kb_service.commands.workbench import Workbench, open_workbench
from kb_service.judging.evaluation import judge, read_questions, report
from kb_service.judging.fitting import Taught, fitted
from kb_service.judging.judging import CALIBRATE
from kb_service.models import KEY_ROLES, Principal
from kb_service.search.calibration import DEFAULT, calibration_for, save
from kb_service.search.evidence import Evidence
from kb_service.settings import Settings

WORKSPACE = "calibration"
RUNNING_TEXT, PART = "cmrc2018_dev", "trial"
BANKING = "banking77"
ENTRIES, ASKED = 4, 8
"""Entries and questions of each of its intents."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="the folder of the public sets; see bench.retrieval")
    parser.add_argument("--cache", type=Path, help="a folder that keeps vectors for the next run")
    parser.add_argument("--dry-run", action="store_true", help="show the figures, write nothing")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb-calibration-") as folder:
        settings = Settings(data=Path(folder), database_url=None)
        encoder = RememberedEmbedder(load_embedder(settings.embedding_model), given.cache)
        with open_workbench(settings, embedder=encoder) as bench:
            _fit(bench, encoder, data_folder(given.data), write=not given.dry_run)
            encoder.save()
    return 0


def _fit(bench: Workbench, encoder: RememberedEmbedder, data: Path, *, write: bool) -> None:
    bench.create_workspace(WORKSPACE)
    bench.services.knowledge.ingest(WORKSPACE, [SAMPLE])
    put_people(bench, Principal(WORKSPACE, "bench", frozenset(KEY_ROLES)), SAMPLE)
    replica, reader = bench.services.replicas.settled(WORKSPACE), bench.services.reader
    questions = read_questions(SAMPLE / "questions.jsonl")
    held_out = [question for question in questions if question.split != CALIBRATE]
    print("Before:\n" + report(judge(replica, reader, held_out, now=_now)).table())
    taught = [Taught(replica, [question for question in questions if question.split == CALIBRATE])]
    running = load_retrieval(data, RUNNING_TEXT).of_part(PART)
    for held in (running, _questions_to_questions(data)):
        on = trial(bench, f"{WORKSPACE}-{held.name}", held, encoder)
        taught.append(Taught(on.replica, on.questions, how_sure=False))
    calibration = fitted(
        taught,
        reader,
        now=_now,
        start=replace(calibration_for(DEFAULT), model_id=replica.index.model_id),
        source=f"the sample shop, split {CALIBRATE}, BANKING77, and CMRC 2018, part {PART}",
        for_others=True,
    )
    replica.index.calibration = calibration
    print("\nAfter:\n" + report(judge(replica, reader, held_out, now=_now)).table())
    if write:
        save(replace(calibration, evidence=Evidence()))


def _questions_to_questions(data: Path) -> RetrievalSet:
    """Some customers' questions of each intent of BANKING77 as FAQ entries, others as the questions to them."""
    by_intent: dict[str, list[str]] = {}
    for line in (data / BANKING / "data.jsonl").read_text("utf-8").splitlines():
        item = json.loads(line)
        if item["split"] == "train":
            by_intent.setdefault(item["label"], []).append(item["text"])
    corpus: list[CorpusDocument] = []
    queries: list[Question] = []
    qrels: dict[str, frozenset[str]] = {}
    for intent, texts in sorted(by_intent.items()):
        texts = random.Random(0).sample(texts, min(len(texts), ENTRIES + ASKED))
        names = [f"{intent}-{number}" for number in range(len(texts))]
        reply = intent.replace("_", " ")
        corpus += [
            CorpusDocument(name, text, reply) for name, text in zip(names[:ENTRIES], texts, strict=False)
        ]
        queries += [Question(name, text) for name, text in zip(names[ENTRIES:], texts[ENTRIES:], strict=True)]
        qrels |= {name: frozenset(names[:ENTRIES]) for name in names[ENTRIES:]}
    return RetrievalSet(BANKING, "faq", tuple(corpus), tuple(queries), qrels, ())


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    raise SystemExit(main())
