"""Customers from elsewhere, and those who tell no region: whether they get the rules that hold for them.

    python -m bench.regions [--split calibrate]

A workspace is filled from the sample shop, whose FAQ and resolutions are mostly written for customers at home and do
not say so.

The questions of `questions-by-region.jsonl` are asked with the customer's region: those that a region's own rules
answer, and those that are answered alike everywhere or by nothing, which must not get worse for it. Beside leaving out
the documents of other regions, which is what a filter of any search does, documents that are limited to the customer's
own count more; how much more those do that speak of the matter is what is tried.

The questions of `questions.jsonl` are asked without a region: those that name a place, the brief ones, such as
"怎么退货", and all others. What is tried is how much less documents count that are limited to other regions than home,
and how much those count for or against them that are about certain places without being limited to a region.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.shop import SAMPLE
from kb_service.commands.sample import fill
from kb_service.commands.workbench import open_workbench
from kb_service.judging.evaluation import figures, judge, markdown, read_questions
from kb_service.judging.judging import CALIBRATE
from kb_service.replicas.replica import Replica
from kb_service.search import scopes
from kb_service.search.places import places_in
from kb_service.settings import Settings
from kb_service.understanding.reading import Reader

WORKSPACE = "regions"
TOLD, UNTOLD = SAMPLE / "questions-by-region.jsonl", SAMPLE / "questions.jsonl"
OWN_RULES = (2.0, 4.0, 5.0, 6.0, 7.0, 9.0)
ELSEWHERE = (0.5, 1.0, 1.5, 2.0)
PLACES = ((1.0, 1.0), (1.0, 3.0), (2.0, 2.0), (2.0, 3.0), (3.0, 3.0))
"""What is tried beside nothing, on the split that it is chosen on."""
PLACE = "place"
ASKED = {PLACE: "that name a place", "brief": "brief", "": "all others"}
FIGURES = ("questions", "hit@1", "nDCG@10", "ECE")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--split", default="report", help="questions of this split")
    given = parser.parse_args()
    choosing = given.split == CALIBRATE
    with (
        tempfile.TemporaryDirectory(prefix="kb-regions-") as folder,
        open_workbench(Settings(data=Path(folder), database_url=None)) as bench,
    ):
        fill(bench, WORKSPACE, SAMPLE, lambda done, of, name: None)
        trial = Trial(bench.services.replicas.settled(WORKSPACE), bench.services.reader, given.split)
        shipped = scopes.OWN_RULES, scopes.ELSEWHERE
        placed = scopes.NAMED_PLACE, scopes.OTHER_PLACE
        try:
            print(trial.told(OWN_RULES if choosing else shipped[:1]) + "\n")
            scopes.OWN_RULES = shipped[0]
            print(trial.untold(ELSEWHERE if choosing else shipped[1:]) + "\n")
            scopes.ELSEWHERE = shipped[1]
            print(trial.placed(PLACES if choosing else [placed]))
        finally:
            scopes.OWN_RULES, scopes.ELSEWHERE = shipped
            scopes.NAMED_PLACE, scopes.OTHER_PLACE = placed
    return 0


class Trial:
    """One workspace and the questions of one split."""

    def __init__(self, replica: Replica, reader: Reader, split: str) -> None:
        self._replica = replica
        self._reader = reader
        self._split = split

    def told(self, tried: Sequence[float]) -> str:
        """With the customer's region."""
        shipped = self._replica.index.calibration
        kinds = {"region": "by region", "everywhere": "everywhere", "none": "nothing answers"}
        rows: list[list[object]] = []
        for name, scope, own_rules in (
            ("others' documents left out, no more", 0.0, 0.0),
            ("own documents count more", shipped.fusion.scope, 0.0),
            *((f"and their rules for the matter, × {each:g}", shipped.fusion.scope, each) for each in tried),
        ):
            self._replica.index.calibration = replace(shipped, fusion=replace(shipped.fusion, scope=scope))
            scopes.OWN_RULES = own_rules
            rows.append([name, *self._figures(TOLD, kinds)])
        self._replica.index.calibration = shipped
        return _table(kinds, rows)

    def untold(self, tried: Sequence[float]) -> str:
        """Without."""
        rows: list[list[object]] = []
        for each in (0.0, *tried):
            scopes.ELSEWHERE = each
            rows.append([f"documents for elsewhere count {each:g} less", *self._figures(UNTOLD, ASKED)])
        return _table(ASKED, rows)

    def placed(self, tried: Sequence[tuple[float, float]]) -> str:
        """Without, by what places count."""
        rows: list[list[object]] = []
        for named, other in ((0.0, 0.0), *tried):
            scopes.NAMED_PLACE, scopes.OTHER_PLACE = named, other
            name = f"about a place that is named {named:g} more, about others {other:g} less"
            rows.append([name, *self._figures(UNTOLD, ASKED)])
        return _table(ASKED, rows)

    def _figures(self, path: Path, kinds: Mapping[str, str]) -> list[object]:
        """Of each kind; of all that are of no other where a kind is ''."""
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        kind_of = {line["id"]: _kind(line, kinds) for line in lines}
        questions = [question for question in read_questions(path) if question.split == self._split]
        judged = judge(self._replica, self._reader, questions, now=lambda: datetime.now(UTC))
        row: list[object] = []
        for kind in kinds:
            own = figures([each for each in judged if kind_of[each.question.id] == kind])
            row += [own.questions, own.hit1, own.ndcg10, own.calibration]
        return row


def _kind(line: Mapping[str, str], kinds: Mapping[str, str]) -> str:
    """The kind of a question, or that it names a place, or ''."""
    kind = PLACE if PLACE in kinds and places_in(line["query"]) else line["kind"]
    return kind if kind in kinds else ""


def _table(kinds: Mapping[str, str], rows: list[list[object]]) -> str:
    return markdown(["", *(f"{name}: {figure}" for name in kinds.values() for figure in FIGURES)], rows)


if __name__ == "__main__":
    raise SystemExit(main())
