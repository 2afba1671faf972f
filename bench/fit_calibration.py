"""Fits the constants that ship with the service on the sample's `calibrate` split, and shows what they give.

    make calibration

The split `report` has no part in it and is judged before and after. Writes `kb_service/search/calibration.json`.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from kb_service.evaluation import judge, read_questions, report
from kb_service.fitting import fitted
from kb_service.judging import CALIBRATE
from kb_service.search.calibration import save
from kb_service.settings import Settings
from kb_service.workbench import open_workbench

SAMPLE = Path(__file__).parents[1] / "sample_kb"
WORKSPACE = "calibration"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--dry-run", action="store_true", help="show the figures, write nothing")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="kb-calibration-") as folder,
        open_workbench(Settings(data=Path(folder))) as bench,
    ):
        bench.create_workspace(WORKSPACE)
        bench.services.knowledge.ingest(WORKSPACE, [SAMPLE])
        replica, reader = bench.services.replicas.of(WORKSPACE), bench.services.reader
        questions = read_questions(SAMPLE / "questions.jsonl")
        taught = [question for question in questions if question.split == CALIBRATE]
        held_out = [question for question in questions if question.split != CALIBRATE]
        print("Before:\n" + report(judge(replica, reader, held_out, now=_now)).table())
        calibration = fitted(replica, reader, taught, now=_now, source="the sample shop, split calibrate")
        replica.index.calibration = calibration
        print("\nAfter:\n" + report(judge(replica, reader, held_out, now=_now)).table())
        for bound in (0.01, 0.02, 0.05, 0.1):
            print(
                f"at most {bound:.0%} wrong: answers from confidence {calibration.evidence.threshold(bound)}"
            )
        if not given.dry_run:
            save(calibration)
    return 0


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    raise SystemExit(main())
