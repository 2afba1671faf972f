"""Cases: one customer's conversation across channels, as agents see it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from graph.models import Case, CaseState, Problem
from kb_service.messages import Language
from kb_service.models import CaseDetail, QueuedCase
from kb_service.wire.base import Flag, Id, Moment, Number, PriorityOut, ProblemRef, Request, Response, Text
from kb_service.wire.problem_refs import problem_ref
from kb_service.wire.routing import AgentChoiceOut, ServiceLevelOut


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
    assigned_at: Moment | None
    language: str | None

    @classmethod
    def of(cls, case: Case, problem: Problem | None, language: Language) -> CaseOut:
        return cls(**_fields(case, problem, language))


class ListedCaseOut(CaseOut):
    """A case of a list. The last three are known where the list is sorted by priority, else null."""

    priority: PriorityOut | None = None
    waiting_since: Moment | None = None
    sla: ServiceLevelOut | None = None

    @classmethod
    def queued(cls, item: QueuedCase, language: Language) -> ListedCaseOut:
        return cls(
            **_fields(item.case, item.problem, language),
            priority=PriorityOut.model_validate(item.priority),
            waiting_since=item.waiting_since,
            sla=ServiceLevelOut.model_validate(item.sla),
        )


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


class ConsultationOut(Response):
    """Somebody who was asked about a case that is not theirs; `actor` is the key that asked."""

    id: str
    at: Moment
    agent_id: str
    note: str | None
    actor: str


class CaseDetailOut(CaseOut):
    """`experts` is filled where somebody is to be consulted and nobody was named: who would be asked best."""

    events: list[CaseEventOut]
    consultations: list[ConsultationOut]
    experts: list[AgentChoiceOut]

    @classmethod
    def of_detail(cls, detail: CaseDetail, language: Language) -> CaseDetailOut:
        events = [CaseEventOut.model_validate(event) for event in detail.events]
        asked = [ConsultationOut.model_validate(item) for item in detail.consultations]
        experts = [AgentChoiceOut.of(choice) for choice in detail.experts]
        known = _fields(detail.case, detail.problem, language)
        return cls(**known, events=events, consultations=asked, experts=experts)


def _fields(case: Case, problem: Problem | None, language: Language) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: getattr(case, name)
        for name in (
            "id",
            "customer_id",
            "state",
            "opened_at",
            "active_at",
            "resolved_at",
            "agent_id",
            "assigned_at",
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

    agent_id: Id | None = None
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

    resolved: Flag = True
    agent_id: Id | None = None
    reply: Annotated[Text, Field(max_length=20_000)] | None = None
    handling_seconds: Annotated[Number, Field(ge=0, le=31_536_000)] | None = None
