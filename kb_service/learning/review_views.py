"""Answers and edits as people review them, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class ReviewedAnswer:
    """One automatic answer of the sample, or one suggestion that an agent edited (`kind`), with the question it was
    given to and what a person said of it. Of an edit `final_text` is what the agent sent instead of `answer`."""

    id: str
    exposure_id: str
    state: Literal["pending", "done"]
    at: datetime
    question: str | None
    language: str | None
    answer: str | None
    citations: tuple[Mapping[str, object], ...]
    confidence: float
    verdict: Literal["right", "wrong", "harmful"] | None
    note: str | None
    reviewer: str | None
    decided_at: datetime | None
    withheld: tuple[str, ...]
    proposal_id: str | None
    kind: Literal["answer", "edit"] = "answer"
    final_text: str | None = None
    agent_id: str | None = None
    case_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewProgress:
    """How far the reviews of one kind are: how many wait, and of those judged how many got which verdict, with the
    95% interval of the share that was not right; None while nothing was judged.

    `bound` is the share of wrong automatic answers that the shop accepts, `threshold` the confidence from which
    evidence allows sending, None where it does not; `lacking` is how many more answers must be judged right until it
    does, 0 where it does, and `others` the same for other bounds. `evidence` are the judged answers that it rests on.
    `views` are how many wait and how many are judged, by kind.
    """

    waiting: int
    right: int
    wrong: int
    harmful: int
    interval: tuple[float, float] | None
    bound: float
    threshold: float | None
    lacking: int
    others: Mapping[float, int]
    evidence: int
    views: Mapping[str, tuple[int, int]]

    @property
    def judged(self) -> int:
        return self.right + self.wrong + self.harmful
