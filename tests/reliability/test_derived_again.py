"""All derived data deleted: made anew from the store, it gives the same answers, in the same order."""

from __future__ import annotations

import json
import random
import shutil
from contextlib import closing
from pathlib import Path

from kb_service.replicas.replica import Replica
from tests.reliability import victims
from tests.reliability.harness import derived, new_shop, rounds, search
from tests.reliability.victims import SHOP, opened, replica_of

SAMPLE = Path(__file__).parents[2] / "sample_kb"
QUESTIONS = rounds(200, 1000)


def answers(replica: Replica, questions: list[str]) -> list[list[tuple[str, float]]]:
    return [
        [(hit.external_id, round(hit.score, 6)) for hit in search(replica, text, 10)] for text in questions
    ]


def test_the_rebuild_gives_the_same_top_ten(tmp_path: Path) -> None:
    data = tmp_path / "data"
    new_shop(data)
    lines = (SAMPLE / "questions.jsonl").read_text("utf-8").splitlines()
    questions = [str(json.loads(line)["query"]) for line in lines]
    questions = random.Random(5).sample(questions, min(QUESTIONS, len(questions)))
    with closing(opened(data)) as store:
        knowledge = victims.knowledge_of(store)
        first = knowledge.ingest(SHOP, [SAMPLE / "policies", SAMPLE / "faq"])
        assert first.created > 40
        # Lived in: followed step by step, with documents that left and came back, then published.
        replica = replica_of(store, data)
        with store.reading(SHOP) as unit:
            some = random.Random(6).sample(sorted(unit.documents.heads()), 10)
        for external_id in some:
            with store.writing(SHOP) as unit:
                unit.documents.remove(external_id)
            replica.follow()
        knowledge.ingest(SHOP, [SAMPLE / "resolutions"])
        replica.follow()
        with store.writing(SHOP) as unit:
            for source in unit.sources.under(str(SAMPLE.resolve())):
                unit.sources.put(source.path, "", source.external_ids)
        knowledge.ingest(SHOP, [SAMPLE / "policies", SAMPLE / "faq"])
        replica.follow()
        replica.publish()
        lived, held = answers(replica, questions), derived(replica)
        replica.close()
        assert sum(map(bool, lived)) > len(questions) * 0.9
        taken = replica_of(store, data)
        assert answers(taken, questions) == lived, "from the published generation"
        taken.close()
        shutil.rmtree(data / "derived")
        anew = replica_of(store, data)
        assert answers(anew, questions) == lived, "from the store alone"
        assert derived(anew) == held
        anew.close()
