"""Cases: one customer's conversation across channels, as agents see it."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from graph.models import Case, CaseState, Problem
from kb_service.messages import Language
from kb_service.models import CaseDetail
from kb_service.wire.base import Id, Moment, ProblemRef, Request, Response, Text
from kb_service.wire.questions import problem_ref


class CaseOut(Response):
    id: str
    customer_id: str | None
    conversation_ids: list[str]
    channels: list[str]
    state: CaseState
    opened_at: Moment
    active_at: Moment
    resolved_at: Moment | None
    problem: ProblemRef | None
    agent_id: str | None
    language: str | None

    @classmethod
    def of(cls, case: Case, problem: Problem | None, language: Language) -> CaseOut:
        return cls(**_fields(case, problem, language))


class CaseEventOut(Response):
    id: str
    type: str
    role: str
    at: Moment
    channel: str | None
    text: str | None
    reply: str | None
    agent_id: str | None
    reason: str | None


class CaseDetailOut(CaseOut):
    events: list[CaseEventOut]

    @classmethod
    def of_detail(cls, detail: CaseDetail, language: Language) -> CaseDetailOut:
        events = [CaseEventOut.model_validate(event) for event in detail.events]
        return cls(**_fields(detail.case, detail.problem, language), events=events)


def _fields(case: Case, problem: Problem | None, language: Language) -> dict[str, object]:
    values: dict[str, object] = {
        name: getattr(case, name)
        for name in (
            "id",
            "customer_id",
            "state",
            "opened_at",
            "active_at",
            "resolved_at",
            "agent_id",
            "language",
        )
    }
    values["conversation_ids"] = list(case.conversation_ids)
    values["channels"] = list(case.channels)
    values["problem"] = problem_ref(problem, language) if problem else None
    return values


class ConsultIn(Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"agent_id": "agent-03", "note": "Is this a known fault?"}]},
    )

    agent_id: Id
    note: Annotated[Text, Field(max_length=4000)] | None = None


class HandoverIn(Request):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "The customer asked for a person."}]}
    )

    reason: Annotated[Text, Field(max_length=4000)] | None = None


class ResolveIn(Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"resolved": True, "agent_id": "agent-07", "handling_seconds": 128}]},
    )

    resolved: bool = True
    agent_id: Id | None = None
    reply: Annotated[Text, Field(max_length=20_000)] | None = None
    handling_seconds: Annotated[float, Field(ge=0, le=31_536_000)] | None = None
