"""Gaps: questions without a good answer, and the articles that would give one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from graph.drafting import DraftArticle
from graph.gaps import Gap
from kb_service.care.gap_views import GapDocument, GapView
from kb_service.messages import Language
from kb_service.wire.base import Moment, ProblemRef, Response
from kb_service.wire.problem_refs import problem_ref

SHOWN_CUSTOMERS = 50
SHOWN_CASES = 50
SHOWN_EXAMPLES = 5
LONGEST_TITLE = 200

Reason = Literal["reopened", "rejected", "rewritten", "expired", "nothing_found", "unsure"]


class GapDocumentOut(Response):
    document_id: str
    title: str
    kind: str
    confidence: float

    @classmethod
    def of(cls, document: GapDocument | None) -> GapDocumentOut | None:
        return None if document is None else cls.model_validate(document)


class DraftSourceOut(Response):
    """A reply that customers accepted: of a resolution by its event, of an agent's final text by its feedback."""

    kind: Literal["resolution", "feedback"]
    id: str
    at: Moment
    text: str


class DraftOut(Response):
    """`document` can be put as it stands; the first source is the reply that it holds."""

    title: str
    question: str
    body: str
    kind: Literal["faq"] = "faq"
    language: str
    status: Literal["draft"] = "draft"
    external_id: str
    document: dict[str, Any]
    sources: list[DraftSourceOut]

    @classmethod
    def of(cls, gap_id: str, gap: Gap, draft: DraftArticle) -> DraftOut:
        title = draft.title[:LONGEST_TITLE]
        return cls(
            title=title,
            question=draft.question,
            body=draft.body,
            language=draft.language,
            external_id=gap_id,
            document={
                "kind": "faq",
                "title": title,
                "language": draft.language,
                "status": "draft",
                "products": list(gap.products),
                "fields": {"question": draft.question, "reply": draft.body},
            },
            sources=[
                DraftSourceOut(kind=source.kind, id=source.id, at=source.at, text=source.utterance.text)
                for source in draft.sources
            ],
        )


class GapOut(Response):
    id: str
    name: str
    state: Literal["open", "answered", "dismissed"]
    reason: Reason
    reasons: Annotated[dict[Reason, int], Field(description="Questions by reason, one a customer and day.")]
    problem: ProblemRef | None
    customers: int
    customer_ids: Annotated[list[str], Field(description="The latest 50 that are known by an id.")]
    questions: int
    votes: Annotated[int, Field(description="Questions, one a customer and day.")]
    cases: Annotated[list[str], Field(description="The latest 50.")]
    first_at: Moment
    last_at: Moment
    languages: list[str]
    products: list[str]
    examples: list[str]
    best: GapDocumentOut | None
    answered_by: GapDocumentOut | None
    draft: DraftOut | None
    draft_reason: Literal["nothing_accepted"] | None
    told_at: Moment | None
    dismissed_at: Moment | None
    dismissed_by: str | None

    @classmethod
    def of(cls, view: GapView, language: Language) -> GapOut:
        gap = view.gap
        latest = list(reversed(gap.questions))
        texts = dict.fromkeys([gap.typical.text, *(item.text for item in reversed(gap.ballots))])
        customers = dict.fromkeys(item.customer_id for item in latest if item.customer_id is not None)
        return cls(
            id=view.id,
            name=view.names.get(language) or next(iter(view.names.values()), view.id),
            state=view.state,
            reason=view.reason,
            reasons=dict(gap.reasons),
            problem=problem_ref(view.problem, language) if view.problem is not None else None,
            customers=gap.customers,
            customer_ids=list(customers)[:SHOWN_CUSTOMERS],
            questions=len(gap.questions),
            votes=len(gap.ballots),
            cases=list(view.cases)[:SHOWN_CASES],
            first_at=gap.first_at,
            last_at=gap.last_at,
            languages=list(gap.languages),
            products=list(gap.products),
            examples=list(texts)[:SHOWN_EXAMPLES],
            best=GapDocumentOut.of(view.best),
            answered_by=GapDocumentOut.of(view.answered_by),
            draft=DraftOut.of(view.id, gap, view.draft) if view.draft is not None else None,
            draft_reason="nothing_accepted" if view.draft is None else None,
            told_at=view.told_at,
            dismissed_at=view.dismissed_at,
            dismissed_by=view.dismissed_by,
        )
