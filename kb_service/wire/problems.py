"""Problems, alerts, proposals and rules."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from graph.models import Alert, Problem, Proposal, Rules
from graph.sensitive_flows import effective_flows, own_flows
from kb_service.messages import Language
from kb_service.wire.base import Amount, Day, Id, Moment, ProblemRef, Request, Response, Text, When, fault
from kb_service.wire.questions import name_in, problem_ref
from kb_service.wire.sensitive_flows import SensitiveFlows
from kb_service.wire.service_levels import ServiceLevelsShape, TierLifts, TierValues
from kb_service.wire.weights import possible_weights
from kb_service.wire.zones import Zone

DEFAULTS = Rules()


class ProblemOut(Response):
    id: str
    name: str
    state: Literal["candidate", "open", "acknowledged", "resolved", "regressed", "silenced"]
    emerging: bool
    evergreen: bool
    opened_at: Moment
    active_at: Moment
    episode_at: Moment
    resolved_at: Moment | None
    silenced_until: Moment | None
    events: int
    customers: int
    products: list[str]
    intent_id: str | None
    expertise_id: str | None
    owner_id: str | None
    aliases: list[str]

    @classmethod
    def of(cls, problem: Problem, language: Language, *, emerging: bool, evergreen: bool) -> ProblemOut:
        return cls(
            id=problem.id,
            name=name_in(problem, language),
            state=problem.state,
            emerging=emerging,
            evergreen=evergreen,
            opened_at=problem.opened_at,
            active_at=problem.active_at,
            episode_at=problem.episode_at,
            resolved_at=problem.resolved_at,
            silenced_until=problem.silenced_until,
            events=problem.events,
            customers=problem.customers,
            products=list(problem.products),
            intent_id=problem.intent_id,
            expertise_id=problem.expertise_id,
            owner_id=problem.owner_id,
            aliases=list(problem.aliases),
        )


class HourOut(Response):
    hour: Moment
    events: int
    customers: int


class LinkedDocumentOut(Response):
    external_id: str
    kind: str
    title: str
    weight: float


class ProblemDetailOut(ProblemOut):
    evidence: str
    counts: list[HourOut]
    examples: list[str]
    answers: list[LinkedDocumentOut]
    policies: list[LinkedDocumentOut]
    resolutions: list[LinkedDocumentOut]
    alerts: list[str]


Name = Annotated[Text, Field(min_length=1, max_length=200, pattern=r"\S")]
Names = Annotated[dict[Literal["zh", "en"], Name], Field(min_length=1)]


class NamesIn(Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": {"zh": "华东包裹延误", "en": "East China parcels late"}}]},
    )

    name: Annotated[
        Annotated[Name, Tag("<text>")] | Annotated[Names, Tag("<by language>")],
        Discriminator(lambda value: "<by language>" if isinstance(value, dict) else "<text>"),
    ]


class SilenceIn(Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"until": "2026-12-01T00:00:00+08:00", "count": None}]},
    )

    until: When | None = None
    count: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def ends(self) -> SilenceIn:
        if self.until is None and self.count is None:
            raise fault("until", "is required, or count: a silence ends at a time or after further customers")
        return self


class OwnerIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"agent_id": "agent-07"}]})

    agent_id: Id


class MergeIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"into": "p-1a2b"}]})

    into: Id


class SplitIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"case_ids": ["k-1", "k-2"]}]})

    case_ids: Annotated[list[Id], Field(min_length=1, max_length=10_000)]


class AlertOut(Response):
    id: str
    kind: Literal["burst", "recurrence", "growth", "regression"]
    state: Literal["open", "acknowledged", "resolved", "silenced"]
    opened_at: Moment
    problem: ProblemRef
    observed: int
    expected: float
    window_minutes: int
    customers: int
    p_value: float | None
    evidence: dict[str, str]
    examples: list[str]
    expertise: str | None
    products: list[str]
    proposal_id: str | None

    @classmethod
    def of(cls, alert: Alert, problem: Problem, language: Language) -> AlertOut:
        return cls(
            id=alert.id,
            kind=alert.kind,
            state=alert.state,
            opened_at=alert.opened_at,
            problem=problem_ref(problem, language),
            observed=alert.evidence.observed,
            expected=alert.evidence.expected,
            window_minutes=alert.evidence.window_minutes,
            customers=alert.evidence.customers,
            p_value=alert.evidence.p_value,
            evidence=dict(alert.evidence.words),
            examples=list(alert.examples),
            expertise=alert.expertise_id,
            products=list(alert.products),
            proposal_id=alert.proposal_id,
        )


class ProposalOut(Response):
    id: str
    kind: Literal["document", "policy", "product", "routing", "training"]
    state: Literal["open", "accepted", "dismissed"]
    opened_at: Moment
    title: str
    evidence: str
    draft: str
    problem_id: str | None
    alert_id: str | None

    @classmethod
    def of(cls, proposal: Proposal, language: Language) -> ProposalOut:
        def in_language(texts: Any) -> str:
            return str(texts.get(language) or next(iter(texts.values()), ""))

        return cls(
            id=proposal.id,
            kind=proposal.kind,
            state=proposal.state,
            opened_at=proposal.opened_at,
            title=in_language(proposal.title),
            evidence=in_language(proposal.evidence),
            draft=proposal.draft,
            problem_id=proposal.problem_id,
            alert_id=proposal.alert_id,
        )


NamesByEntity: TypeAlias = Annotated[
    dict[
        Annotated[Text, Field(min_length=2, max_length=100)],
        Annotated[list[Annotated[Text, Field(min_length=2, max_length=100)]], Field(max_length=100)],
    ],
    Field(max_length=500, description="The names that customers use, by the name that stands for them."),
]


class RulesShape(Request):
    """All of a shop's rules; a field that is left out takes the product's default."""

    model_config = ConfigDict(
        extra="forbid",
        from_attributes=True,
        json_schema_extra={"examples": [{"recurrence_customers": 3, "recurrence_window_hours": 168}]},
    )

    recurrence_customers: Annotated[int, Field(ge=2, le=1000)] = DEFAULTS.recurrence_customers
    recurrence_window_hours: Annotated[float, Field(gt=0, le=24 * 90)] = DEFAULTS.recurrence_window_hours
    regression_customers: Annotated[int, Field(ge=1, le=1000)] = DEFAULTS.regression_customers
    regression_grace_hours: Annotated[float, Field(ge=0, le=24 * 90)] = DEFAULTS.regression_grace_hours
    promote_customers: Annotated[int, Field(ge=1, le=1000)] = DEFAULTS.promote_customers
    promote_window_hours: Annotated[float, Field(gt=0, le=24 * 90)] = DEFAULTS.promote_window_hours
    followup_hours: Annotated[float, Field(ge=0, le=24 * 90)] = DEFAULTS.followup_hours
    refund_limit: Amount = DEFAULTS.refund_limit
    wrong_answer_bound: Annotated[float, Field(gt=0, lt=1)] = DEFAULTS.wrong_answer_bound
    review_share: Annotated[float, Field(ge=0, le=1)] = DEFAULTS.review_share
    swap_share: Annotated[float, Field(ge=0, le=0.2)] = DEFAULTS.swap_share
    timezone: Zone = DEFAULTS.timezone
    promotion_days: Annotated[list[Day], Field(max_length=500)] = []
    surge_customers: Annotated[int, Field(ge=2, le=10_000)] = DEFAULTS.surge_customers
    inactive_minutes: Annotated[float, Field(ge=1, le=60 * 24 * 7)] = DEFAULTS.inactive_minutes
    auto_assign: bool = DEFAULTS.auto_assign
    priority_weights: dict[str, Annotated[float, Field(ge=0, le=100)]] = {}
    tier_values: TierValues = dict(DEFAULTS.tier_values)
    service_levels: ServiceLevelsShape = ServiceLevelsShape()
    tier_lifts: TierLifts = dict(DEFAULTS.tier_lifts)
    default_region: Annotated[Text, Field(min_length=1, max_length=40)] | None = DEFAULTS.default_region
    sensitive_flows: SensitiveFlows = {}
    carriers: NamesByEntity = {}
    campaigns: NamesByEntity = {}

    @field_validator("priority_weights")
    @classmethod
    def of_known_factors(cls, weights: dict[str, float]) -> dict[str, float]:
        return possible_weights(weights)

    @classmethod
    def of(cls, rules: Rules) -> RulesShape:
        """The rules as they hold: of a flow that the shop did not change, the product's words."""
        flows = {name: list(words) for name, words in effective_flows(rules).items()}
        return cls.model_validate(rules).model_copy(update={"sensitive_flows": flows})

    def value(self) -> Rules:
        values = self.model_dump()
        values["sensitive_flows"] = own_flows(self.sensitive_flows)
        for named in ("carriers", "campaigns"):
            values[named] = {name: tuple(called) for name, called in values[named].items()}
        values["promotion_days"] = tuple(sorted({day.isoformat() for day in self.promotion_days}))
        values["service_levels"] = self.service_levels.value()
        return Rules(**values)
