"""Where a case belongs, who should take it, and what whoever takes it over is told."""

from __future__ import annotations

from typing import Literal

from graph.briefing import Known
from graph.models import AgentChoice
from kb_service.messages import Language
from kb_service.models import Handoff, Route
from kb_service.wire.base import IntentScoreOut, Moment, PriorityOut, ProblemRef, ReasonOut, Response
from kb_service.wire.problem_refs import problem_ref
from kb_service.wire.understanding import BestIntents, EmotionOut


class ExpertiseChoiceOut(Response):
    id: str
    name: str
    confidence: float


class AgentChoiceOut(Response):
    id: str
    name: str
    score: float
    available: bool
    reasons: list[ReasonOut]

    @classmethod
    def of(cls, choice: AgentChoice) -> AgentChoiceOut:
        return cls(
            id=choice.agent.id,
            name=choice.agent.name,
            score=round(choice.score, 4),
            available=choice.available,
            reasons=[ReasonOut.model_validate(reason) for reason in choice.reasons],
        )


class ServiceLevelOut(Response):
    tier: int
    first_response_due: Moment
    resolve_due: Moment


class RouteOut(Response):
    expertise: ExpertiseChoiceOut | None
    alternatives: list[ExpertiseChoiceOut]
    triage: bool
    triage_reason: str | None
    intents: BestIntents
    priority: PriorityOut
    agents: list[AgentChoiceOut]
    sla: ServiceLevelOut

    @classmethod
    def of(cls, route: Route) -> RouteOut:
        choices = [
            ExpertiseChoiceOut(
                id=choice.expertise.id, name=choice.expertise.name, confidence=round(choice.confidence, 4)
            )
            for choice in ((route.expertise,) if route.expertise else ()) + route.alternatives
        ]
        named = choices[:1] if route.expertise else []
        return cls(
            expertise=named[0] if named else None,
            alternatives=choices[len(named) :],
            triage=route.triage,
            triage_reason=route.triage_reason,
            intents=[IntentScoreOut.model_validate(score) for score in route.intents],
            priority=PriorityOut.model_validate(route.priority),
            agents=[AgentChoiceOut.of(choice) for choice in route.agents],
            sla=ServiceLevelOut.model_validate(route.sla),
        )


class AttemptOut(Response):
    """A reply that was given (by `bot` or `agent`) or a `document` that was shown, with its title as `text`."""

    by: Literal["bot", "agent", "document"]
    text: str
    at: Moment | None
    document_id: str | None


class FactOut(Response):
    type: str
    value: str


class KnownCustomerOut(Response):
    id: str
    tier: str | None
    orders: int | None
    spend: float | None
    recency_days: float | None


class KnownCaseOut(Response):
    id: str
    state: str
    opened_at: Moment
    agent_id: str | None


class KnownOut(Response):
    """What is known besides the words; `contacts` counts the customer's other cases within a week."""

    language: str
    intent: str | None
    entities: list[FactOut]
    emotion: EmotionOut
    customer: KnownCustomerOut | None
    context: dict[str, str]
    problem: ProblemRef | None
    case: KnownCaseOut | None
    contacts: int

    @classmethod
    def of(cls, known: Known, language: Language) -> KnownOut:
        return cls(
            language=known.language,
            intent=known.intent,
            entities=[FactOut.model_validate(entity) for entity in known.entities],
            emotion=EmotionOut.model_validate(known.emotion),
            customer=KnownCustomerOut.model_validate(known.customer) if known.customer else None,
            context=dict(known.context),
            problem=problem_ref(known.problem, language) if known.problem else None,
            case=KnownCaseOut.model_validate(known.case) if known.case else None,
            contacts=known.contacts,
        )


class HandoffOut(Response):
    trigger: Literal[
        "explicit",
        "emotion",
        "sensitive",
        "complexity",
        "repeated_failure",
        "out_of_scope",
        "no_answer",
        "conflict",
    ]
    summary: str
    route: RouteOut
    wants: str
    since: Moment | None
    tried: list[AttemptOut]
    known: KnownOut | None

    @classmethod
    def of(cls, handoff: Handoff, language: Language) -> HandoffOut:
        return cls(
            trigger=handoff.trigger,
            summary=handoff.summary,
            route=RouteOut.of(handoff.route),
            wants=handoff.wants,
            since=handoff.since,
            tried=[AttemptOut.model_validate(attempt) for attempt in handoff.tried],
            known=KnownOut.of(handoff.known, language) if handoff.known is not None else None,
        )
