"""Customers from elsewhere: whether they get the rules of their own region.

    python -m bench.regions [--split calibrate]

A workspace is filled from the sample shop, whose FAQ and resolutions are mostly written for customers at home and do
not say so. The questions of `questions-by-region.jsonl` are asked with the customer's region: those that a region's own
rules answer, and those that are answered alike everywhere, which must not get worse for it. Beside leaving out the
documents of other regions, which is what a filter of any search does, documents that are limited to the customer's own
count more; how much more those do that speak of the matter is what is tried.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.shop import SAMPLE
from kb_service.commands.sample import fill
from kb_service.commands.workbench import open_workbench
from kb_service.judging.evaluation import Judged, figures, judge, markdown, read_questions
from kb_service.judging.judging import CALIBRATE
from kb_service.replicas.replica import Replica
from kb_service.search import scopes
from kb_service.settings import Settings
from kb_service.understanding.reading import Reader

WORKSPACE = "regions"
QUESTIONS = SAMPLE / "questions-by-region.jsonl"
TRIED = (2.0, 4.0, 5.0, 6.0, 7.0, 9.0)
"""Values of `scopes.OWN_RULES` beside none, on the split that it is chosen on."""
KINDS = ("region", "everywhere")
TITLES = ["", *(f"{kind}: {figure}" for kind in KINDS for figure in ("questions", "hit@1", "nDCG@10", "ECE"))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--split", default="report", help="questions of this split")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="kb-regions-") as folder,
        open_workbench(Settings(data=Path(folder), database_url=None)) as bench,
    ):
        fill(bench, WORKSPACE, SAMPLE, lambda done, of, name: None)
        tried = TRIED if given.split == CALIBRATE else (scopes.OWN_RULES,)
        print(_table(bench.services.replicas.settled(WORKSPACE), bench.services.reader, given.split, tried))
    return 0


def _table(replica: Replica, reader: Reader, split: str, tried: Sequence[float]) -> str:
    shipped = replica.index.calibration
    ways = [
        ("others' documents left out, no more", 0.0, 0.0),
        ("own documents count more", shipped.fusion.scope, 0.0),
    ]
    ways += [
        (f"and their rules for the matter, × {weight:g}", shipped.fusion.scope, weight) for weight in tried
    ]
    rows: list[list[object]] = []
    for name, scope, own_rules in ways:
        replica.index.calibration = replace(shipped, fusion=replace(shipped.fusion, scope=scope))
        scopes.OWN_RULES = own_rules
        rows.append([name, *_figures(replica, reader, split)])
    return markdown(TITLES, rows)


def _figures(replica: Replica, reader: Reader, split: str) -> list[object]:
    kinds = {line["id"]: line["kind"] for line in map(json.loads, QUESTIONS.read_text("utf-8").splitlines())}
    questions = [question for question in read_questions(QUESTIONS) if question.split == split]
    judged: list[Judged] = judge(replica, reader, questions, now=lambda: datetime.now(UTC))
    row: list[object] = []
    for kind in KINDS:
        own = figures([each for each in judged if kinds[each.question.id] == kind])
        row += [own.questions, own.hit1, own.ndcg10, own.calibration]
    return row


if __name__ == "__main__":
    raise SystemExit(main())
