"""`kb eval`: a file of judged questions against a workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kb_service.errors import InvalidRequest
from kb_service.judging.ablation import added
from kb_service.judging.comparing import Loss
from kb_service.judging.coverage import Sent, coverage
from kb_service.judging.evaluation import (
    Figures,
    JudgedQuestion,
    Report,
    judge,
    markdown,
    read_questions,
    report,
)
from kb_service.judging.fitting import Taught, fitted
from kb_service.learning.calibrating import LEAST_HELD_OUT, halves
from kb_service.replicas.replica import Replica
from kb_service.search.calibration import calibration_for
from kb_service.search.evidence import NEVER
from kb_service.services import Services

CALIBRATE = "calibrate"
_SENT = ["sent from confidence", "answers", "of all", "wrong", "share wrong", "at most (95%)"]
_STAGES = ["stage", "hit@1", "nDCG@10", "abstention AUROC", "ECE"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that a file of questions tells: figures by group, what could be sent unseen, what stages add.

    `threshold` is the confidence from which each language's answers are sent now, None where nothing is proven
    for `bound`, the share of wrong answers that the shop accepts.
    """

    report: Report
    coverage: tuple[Sent, ...]
    stages: Mapping[str, Figures]
    bound: float
    threshold: Mapping[str, float | None]

    def figures(self) -> dict[str, Any]:
        """For programs: the groups by name, and beside them `coverage`, `stages`, `bound` and `threshold`."""
        return self.report.figures() | {
            "coverage": [asdict(item) for item in self.coverage],
            "stages": {name: asdict(item) for name, item in self.stages.items()},
            "bound": self.bound,
            "threshold": dict(self.threshold),
        }

    def text(self) -> str:
        """Markdown tables, and between them in words what is sent at present."""
        sent = [
            [f"{item.confidence:.2f}", item.answers, item.share, item.wrong, item.wrong_share, item.at_most]
            for item in self.coverage
        ]
        stages = [
            [name, item.hit1, item.ndcg10, item.abstention, item.calibration]
            for name, item in self.stages.items()
        ]
        tables = [self.report.table(), markdown(_SENT, sent), self._now(), markdown(_STAGES, stages)]
        return "\n\n".join(tables)

    def _now(self) -> str:
        proven = {name: least for name, least in self.threshold.items() if least is not None}
        if not proven:
            return f"Nothing is sent unseen: no confidence is proven to be wrong at most {self.bound:.1%}."
        from_each = ", ".join(f"{name} {least:.2f}" for name, least in proven.items())
        return f"Sent unseen at present, for at most {self.bound:.1%} wrong, from confidence: {from_each}."


def judge_file(services: Services, workspace: str, path: Path, *, split: str, fit: bool) -> Evaluation:
    """Judge the questions of one split, all without; with `fit`, after fitting on the split `calibrate`."""
    questions = read_questions(path)
    replica = services.replicas.settled(workspace)
    if fit:
        own = [question for question in questions if question.split == CALIBRATE]
        if not own:
            raise InvalidRequest.of("--fit", "{path} has no question of the split calibrate", path=path.name)
        replica.index.calibration = fitted(
            [Taught(replica, own)],
            services.reader,
            now=utc_now,
            start=calibration_for(replica.index.model_id),
            source=path.name,
        )
    chosen = [question for question in questions if not split or question.split == split]
    if not chosen:
        if not split:
            raise InvalidRequest.of("QUESTIONS", "{path} holds no question", path=path.name)
        present = ", ".join(sorted({question.split for question in questions} - {""})) or "none"
        raise InvalidRequest.of(
            "--split", "{path} has no question of {split}; its splits: {present}; --split '' takes all",
            path=path.name, split=split, present=present,
        )  # fmt: skip
    return evaluated(services, replica, chosen)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What `kb eval --calibrate` did: the held-out questions before and after, and the entry it was stored as."""

    taught: int
    held_out: int
    before: Evaluation
    after: Evaluation
    losses: tuple[Loss, ...]
    id: str | None

    def figures(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "taught": self.taught,
            "held_out": self.held_out,
            "losses": [asdict(loss) for loss in self.losses],
            "before": self.before.figures(),
            "after": self.after.figures(),
        }

    def text(self) -> str:
        told = f"Fitted on {self.taught} questions, judged on {self.held_out} others."
        parts = [told, "Before:", self.before.report.table(), "After:", self.after.text()]
        parts += [
            f"Worse: {loss.name} {loss.before:.3f} before, {loss.after:.3f} after "
            f"(by {loss.at_least:.3f} at least, with 95% certainty)."
            for loss in self.losses
        ]
        if self.id is not None:
            return "\n\n".join([*parts, f"Stored as {self.id} and in force."])
        few = self.held_out < LEAST_HELD_OUT
        why = f"fewer than {LEAST_HELD_OUT} questions to judge by" if few else "the figures got worse"
        return "\n\n".join([*parts, f"Not stored: {why}; --force stores it all the same."])


def calibrate_file(services: Services, workspace: str, path: Path, *, force: bool) -> Calibrated:
    """Fit on the split `calibrate`, or on a stable half where no split is named; judge on the rest; store."""
    taught, rest = halves(read_questions(path), CALIBRATE)
    before = evaluated(services, services.replicas.settled(workspace), rest)
    found = services.calibrating.by_questions(workspace, taught, rest, source=path.name, force=force)
    replica = services.replicas.settled(workspace)
    in_use, replica.index.calibration = replica.index.calibration, found.calibration
    after = evaluated(services, replica, rest)
    replica.index.calibration = in_use
    return Calibrated(len(taught), len(rest), before, after, found.losses, found.id)


def evaluated(services: Services, replica: Replica, questions: Sequence[JudgedQuestion]) -> Evaluation:
    """The questions judged under the calibration in force."""
    judged = judge(replica, services.reader, questions, now=utc_now)
    bound = replica.shop.rules.wrong_answer_bound
    least = {
        language: replica.index.calibration.threshold(bound, language)
        for language in sorted({question.language for question in questions})
    }
    return Evaluation(
        report(judged),
        coverage(judged),
        added(replica, services.reader, questions, now=utc_now),
        bound,
        {language: value if value < NEVER else None for language, value in least.items()},
    )


def utc_now() -> datetime:
    return datetime.now(UTC)
