"""Questions in, replies, routes and hits out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from graph.briefing import Known
from graph.models import AgentChoice, Problem
from kb_service.messages import Language
from kb_service.models import Handoff, Question, Reply, Route, Scope, Turn
from kb_service.wire.base import (
    Amount,
    Channel,
    CustomerIn,
    Id,
    IntentScoreOut,
    Message,
    Moment,
    PriorityOut,
    ProblemRef,
    ReasonOut,
    Request,
    Response,
    Scalar,
    Text,
    When,
    WhyOut,
    fault,
)

QUESTION_EXAMPLE: dict[str, Any] = {
    "query": "上周买的手机屏幕碎了,我要退货",
    "conversation_id": "c-123",
    "customer": {"id": "u-9", "tier": "silver", "orders": 4, "spend": 5230.0, "recency_days": 7},
    "channel": "app",
    "locale": "zh-CN",
    "region": "CN",
    "as_of": "2026-11-11T00:00:00+08:00",
    "context": {"order.status": "已发货"},
    "limit": 3,
}


class TurnIn(Request):
    role: Literal["customer", "agent", "bot"]
    text: Message
    at: When | None = None


class QuestionIn(Request):
    """`query` or `turns` is required; the last customer's turn stands in for a missing query."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [QUESTION_EXAMPLE]})

    query: Text | None = None
    turns: Annotated[list[TurnIn], Field(max_length=200)] = []
    conversation_id: Id | None = None
    customer: CustomerIn | None = None
    channel: Channel | None = None
    locale: Annotated[Text, Field(max_length=35)] | None = None
    products: Annotated[list[Id], Field(max_length=50)] = []
    region: Annotated[Text, Field(max_length=40)] | None = None
    as_of: When | None = None
    context: Annotated[dict[Annotated[Text, Field(max_length=100)], Scalar], Field(max_length=200)] = {}
    intent: Id | None = None
    event_id: Id | None = None
    limit: Annotated[int, Field(ge=1, le=20)] = 3
    order_value: Amount | None = None

    @model_validator(mode="after")
    def has_a_question(self) -> QuestionIn:
        if not self.text.strip():
            raise fault("query", "is required: send the customer's words here, or a customer's turn in turns")
        return self

    @property
    def text(self) -> str:
        if self.query is not None and self.query.strip():
            return self.query
        return next((turn.text for turn in reversed(self.turns) if turn.role == "customer"), "")

    def value(self, reader: Language | None = None) -> Question:
        """The question; `reader` is the language of reasons, where the caller asked for one."""
        return Question(
            text=self.text,
            turns=tuple(Turn(turn.role, turn.text, turn.at) for turn in self.turns),
            conversation_id=self.conversation_id,
            customer=self.customer.value() if self.customer else None,
            channel=self.channel,
            locale=self.locale,
            products=tuple(self.products),
            region=self.region,
            as_of=self.as_of,
            context={key: str(value) for key, value in self.context.items() if value is not None},
            intent=self.intent,
            event_id=self.event_id,
            limit=self.limit,
            order_value=self.order_value,
            reader=reader,
        )


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


class EntityOut(Response):
    type: str
    value: str
    start: int
    end: int


class EmotionOut(Response):
    label: Literal["angry", "upset", "neutral", "pleased"]
    score: float


LEAST_TOLD, MOST_TOLD = 3, 10
WORTH_TELLING = 0.01
"""Probability from which an intent is told of beyond the first three."""


def _told(scores: list[IntentScoreOut]) -> list[IntentScoreOut]:
    """Of all the shop's intents, best first, those that may matter to a reader."""
    likely = sum(score.probability >= WORTH_TELLING for score in scores)
    return scores[: min(max(likely, LEAST_TOLD), MOST_TOLD)]


BestIntents = Annotated[list[IntentScoreOut], AfterValidator(_told)]


class UnderstandingOut(Response):
    language: str
    corrected_query: str | None
    intents: BestIntents
    out_of_scope: bool
    entities: list[EntityOut]
    emotion: EmotionOut
    urgency: float


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


def problem_ref(problem: Problem, language: Language) -> ProblemRef:
    return ProblemRef(id=problem.id, name=name_in(problem, language), state=problem.state)


def name_in(problem: Problem, language: Language) -> str:
    """The problem's name for a reader of `language`, else in any language it has."""
    return problem.names.get(language) or next(iter(problem.names.values()), problem.id)


class FiltersIn(Request):
    kind: Annotated[list[Literal["product", "policy", "resolution", "faq"]], Field(max_length=4)] = []
    language: Annotated[list[Annotated[str, Field(max_length=8)]], Field(max_length=20)] = []
    product: Annotated[list[Id], Field(max_length=200)] = []
    document_id: Annotated[list[Id], Field(max_length=1000)] = []


class SearchIn(Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "query": "退货要多久到账",
                    "limit": 5,
                    "filters": {"kind": ["policy", "faq"]},
                    "as_of": "2026-11-11T00:00:00+08:00",
                }
            ]
        },
    )

    query: Annotated[Text, Field(min_length=1, pattern=r"\S")]
    limit: Annotated[int, Field(ge=1, le=100)] = 10
    filters: FiltersIn = FiltersIn()
    as_of: When | None = None

    def scope(self, audiences: tuple[Literal["public", "internal"], ...]) -> Scope:
        return Scope(
            audiences=audiences,
            kinds=tuple(self.filters.kind),
            languages=tuple(self.filters.language),
            products=tuple(self.filters.product),
            document_ids=tuple(self.filters.document_id),
            as_of=self.as_of,
        )


class HitOut(Response):
    """`document_id` and `external_id` are the same id: the one that the shop gave the document."""

    document_id: str
    external_id: str
    title: str
    passage: str
    section: list[str]
    start: int
    end: int
    score: float
    dense: float
    lexical: float
    graph: float


class HitsOut(Response):
    hits: list[HitOut]


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
    rating: Annotated[float, Field(ge=0, le=5)] | None = None


class FeedbackOut(Response):
    exposure_id: str
    answer_id: str
    outcome: str
    status: Literal["recorded", "unchanged"]
