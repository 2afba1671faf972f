"""What became of an answer, as it is told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from kb_service.wire.base import Id, Number, Request, Response, Text


class FeedbackIn(Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"exposure_id": "x-1", "answer_id": "a-1", "outcome": "accepted", "agent_id": "agent-07"}
            ]
        },
    )

    exposure_id: Id
    answer_id: Id
    outcome: Literal["accepted", "edited", "rejected", "resolved", "reopened"]
    final_text: Annotated[Text, Field(max_length=20_000)] | None = None
    shown_text: Annotated[Text, Field(max_length=20_000)] | None = None
    agent_id: Id | None = None
    rating: Annotated[Number, Field(ge=0, le=5)] | None = None


class FeedbackOut(Response):
    exposure_id: str
    answer_id: str
    outcome: str
    status: Literal["recorded", "unchanged"]
