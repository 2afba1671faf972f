"""Reviews of automatic answers and of edited suggestions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from kb_service.wire.base import Moment, Request, Response, Text
from kb_service.wire.replies import CitationOut

Verdict = Literal["right", "wrong", "harmful"]


class ReviewOut(Response):
    """`question`, `answer`, `final_text` and `note` are null once the customer was erased. Of an edit `answer` is what
    was suggested and `final_text` what the agent sent."""

    id: str
    kind: Literal["answer", "edit"]
    exposure_id: str
    state: Literal["pending", "done"]
    at: Moment
    question: str | None
    language: str | None
    answer: str | None
    citations: list[CitationOut]
    confidence: float
    verdict: Verdict | None
    note: str | None
    reviewer: str | None
    decided_at: Moment | None
    withheld: list[str]
    proposal_id: str | None
    final_text: str | None
    agent_id: str | None


class VerdictIn(Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"verdict": "harmful", "note": "The period is 7 days now."}]},
    )

    verdict: Verdict
    note: Annotated[Text, Field(max_length=2_000)] | None = None
    replaces: Verdict | None = None
