"""Questions to customers whether a problem is solved, and what came of them."""

from __future__ import annotations

from typing import Literal

from kb_service.messages import Language
from kb_service.recurring.following_up import FollowUpView
from kb_service.store import AskedCase
from kb_service.wire.base import Moment, ProblemRef, Response
from kb_service.wire.problem_refs import problem_ref
from kb_service.wire.problems import OwnerOut


class AskedCaseOut(Response):
    """`asked` is false for somebody who answered without having been on the list."""

    case_id: str | None
    conversation_id: str | None
    customer_id: str | None
    asked: bool
    answered_at: Moment | None
    solved: bool | None

    @classmethod
    def of(cls, case: AskedCase) -> AskedCaseOut:
        return cls.model_validate(case)


class FollowUpOut(Response):
    """`owner` owns the channel; `question` is what its customers may be asked, by language."""

    id: str
    state: Literal["open", "confirmed", "reopened", "unconfirmed"]
    problem: ProblemRef
    channel: str | None
    owner: OwnerOut | None
    resolved_at: Moment
    sent_at: Moment
    closed_at: Moment | None
    question: dict[str, str]
    cases: list[AskedCaseOut]

    @classmethod
    def of(cls, view: FollowUpView, language: Language) -> FollowUpOut:
        found = view.follow_up
        return cls(
            id=found.id,
            state=found.state,
            problem=problem_ref(view.problem, language),
            channel=found.channel,
            owner=OwnerOut.of(view.owner),
            resolved_at=found.resolved_at,
            sent_at=found.sent_at,
            closed_at=found.closed_at,
            question=view.question,
            cases=[AskedCaseOut.of(case) for case in found.cases],
        )
