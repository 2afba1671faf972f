"""Replies out: answers with their evidence, a question back, or a hand-over."""

from __future__ import annotations

from typing import Literal

from kb_service.messages import Language
from kb_service.models import Reply
from kb_service.wire.base import Moment, PriorityOut, ProblemRef, Response, WhyOut
from kb_service.wire.problem_refs import problem_ref
from kb_service.wire.routing import HandoffOut
from kb_service.wire.understanding import UnderstandingOut


class CitationOut(Response):
    document_id: str
    title: str
    url: str | None
    section: list[str]
    quote: str
    start: int
    end: int
    valid_from: Moment | None
    valid_to: Moment | None


class AnswerOut(Response):
    id: str
    exposure_id: str
    text: str
    kind: Literal["resolution", "policy", "product", "faq"]
    language: str
    confidence: float
    missing: list[str]
    citations: list[CitationOut]
    why: list[WhyOut]


class OptionOut(Response):
    label: str
    intent: str


class ClarifyOut(Response):
    question: str
    options: list[OptionOut]


class TimingOut(Response):
    total: float
    embed: float
    search: float


class ReplyOut(Response):
    action: Literal["answer", "suggest", "clarify", "handoff"]
    reason: str
    confidence: float
    answers: list[AnswerOut]
    clarify: ClarifyOut | None
    handoff: HandoffOut | None
    understanding: UnderstandingOut
    priority: PriorityOut
    problem: ProblemRef | None
    timing_ms: TimingOut

    @classmethod
    def of(cls, reply: Reply, language: Language) -> ReplyOut:
        return cls(
            action=reply.action,
            reason=reply.reason,
            confidence=round(reply.confidence, 4),
            answers=[AnswerOut.model_validate(answer) for answer in reply.answers],
            clarify=ClarifyOut.model_validate(reply.clarify) if reply.clarify else None,
            handoff=HandoffOut.of(reply.handoff, language) if reply.handoff is not None else None,
            understanding=UnderstandingOut.model_validate(reply.understanding),
            priority=PriorityOut.model_validate(reply.priority),
            problem=problem_ref(reply.problem, language) if reply.problem else None,
            timing_ms=TimingOut.model_validate(reply.timing_ms),
        )
