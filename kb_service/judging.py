"""`kb eval`: a file of judged questions against a workspace."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from kb_service.errors import InvalidRequest
from kb_service.evaluation import Report, judge, read_questions, report
from kb_service.fitting import fitted
from kb_service.services import Services

CALIBRATE = "calibrate"


def judge_file(services: Services, workspace: str, path: Path, *, split: str, fit: bool) -> Report:
    """Judge the questions of one split, all without; with `fit`, after fitting on the split `calibrate`."""
    questions = read_questions(path)
    replica = services.replicas.of(workspace)
    if fit:
        own = [question for question in questions if question.split == CALIBRATE]
        if not own:
            raise InvalidRequest.of("--fit", "{path} has no question of the split calibrate", path=path.name)
        replica.index.calibration = fitted(replica, services.reader, own, now=utc_now, source=path.name)
    chosen = [question for question in questions if not split or question.split == split]
    if not chosen:
        if not split:
            raise InvalidRequest.of("QUESTIONS", "{path} holds no question", path=path.name)
        present = ", ".join(sorted({question.split for question in questions} - {""})) or "none"
        raise InvalidRequest.of(
            "--split", "{path} has no question of {split}; its splits: {present}; --split '' takes all",
            path=path.name, split=split, present=present,
        )  # fmt: skip
    return report(judge(replica, services.reader, chosen, now=utc_now))


def utc_now() -> datetime:
    return datetime.now(UTC)
