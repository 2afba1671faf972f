"""Problems and alerts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from graph.models import Agent, Problem
from kb_service.messages import Language
from kb_service.models import AlertView
from kb_service.wire.base import Flag, Id, Moment, ProblemRef, Request, Response, Text, When, Whole, fault
from kb_service.wire.problem_refs import name_in, problem_ref


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
    silenced_count: Annotated[int | None, Field(description="Customers of the episode at which it ends.")]
    silenced_customers_left: Annotated[
        int | None, Field(description="Further customers of the episode until it ends.")
    ]
    silenced_escalation: Annotated[bool, Field(description="Whether an escalation ends the silence.")]
    confirmed_at: Annotated[Moment | None, Field(description="When customers confirmed the resolution.")]
    events: int
    customers: Annotated[
        int, Field(description="Distinct customers of all its messages, as `events` counts them.")
    ]
    episode_customers: Annotated[
        int,
        Field(description="Those since it was last reopened or came back, whom alerts and silences count."),
    ]
    products: list[str]
    intent_id: str | None
    expertise_id: str | None
    owner_id: str | None
    parent_id: Annotated[str | None, Field(description="The problem whose alerts speak for this one.")]
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
            silenced_count=problem.silenced_count,
            silenced_customers_left=None
            if problem.silenced_count is None
            else max(0, problem.silenced_count - problem.customers),
            silenced_escalation=problem.silenced_rate is not None,
            confirmed_at=problem.confirmed_at,
            events=problem.events,
            customers=problem.customers_ever,
            episode_customers=problem.customers,
            products=list(problem.products),
            intent_id=problem.intent_id,
            expertise_id=problem.expertise_id,
            owner_id=problem.owner_id,
            parent_id=problem.parent_id,
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


class FollowUpSummary(Response):
    """What customers say of the latest resolution; `waiting` until they are asked at `due_at`."""

    state: Literal["waiting", "open", "confirmed", "reopened", "unconfirmed"]
    resolved_at: Moment
    due_at: Moment | None
    ids: list[str]
    asked: int
    yes: int
    no: int


class ProblemDetailOut(ProblemOut):
    evidence: str
    counts: list[HourOut]
    examples: list[str]
    answers: list[LinkedDocumentOut]
    policies: list[LinkedDocumentOut]
    resolutions: list[LinkedDocumentOut]
    alerts: list[str]
    followup: FollowUpSummary | None


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
        json_schema_extra={
            "examples": [{"until": "2026-12-01T00:00:00+08:00", "count": None, "escalation": True}]
        },
    )

    until: When | None = None
    count: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None
    escalation: Annotated[
        Flag,
        Field(description="It ends with a burst, or with twice the customers a day of now, at least three."),
    ] = False

    @model_validator(mode="after")
    def ends(self) -> SilenceIn:
        if self.until is None and self.count is None and not self.escalation:
            raise fault(
                "until",
                "is required, or count or escalation: a silence ends at a time, after further customers or when "
                "it gets worse",
            )
        return self


class ParentIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"problem_id": "p-1a2b"}]})

    problem_id: Annotated[Id | None, Field(description="null takes the parent away.")]


class OwnerIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"agent_id": "agent-07"}]})

    agent_id: Id


class ProblemOwnerIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"agent_id": "agent-07"}]})

    agent_id: Annotated[Id | None, Field(description="null takes the owner away.")]


class MergeIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"into": "p-1a2b"}]})

    into: Id


class UnmergeIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"alias": "p-3c4d"}]})

    alias: Id


class SplitIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"case_ids": ["k-1", "k-2"]}]})

    case_ids: Annotated[list[Id], Field(min_length=1, max_length=10_000)]


class OwnerOut(Response):
    id: str
    name: str

    @classmethod
    def of(cls, agent: Agent | None) -> OwnerOut | None:
        return None if agent is None else cls(id=agent.id, name=agent.name)


class AlertOut(Response):
    id: str
    kind: Literal["burst", "recurrence", "growth", "regression"]
    state: Literal["open", "acknowledged", "resolved", "silenced"]
    opened_at: Moment
    problem: ProblemRef
    title: Annotated[
        dict[str, str] | None,
        Field(
            description="What its messages say by zh and en, where the problem's name says something else."
        ),
    ]
    observed: int
    expected: Annotated[float | None, Field(description="null while there is no history to expect by.")]
    window_minutes: int
    customers: int
    p_value: float | None
    evidence: dict[str, str]
    joined: Annotated[dict[str, str] | None, Field(description="How surely the newest message was joined.")]
    examples: list[str]
    expertise: str | None
    products: list[str]
    owner: OwnerOut | None
    inhibited_by: Annotated[str | None, Field(description="The parent's alert that speaks for this one.")]
    told_at: Annotated[Moment | None, Field(description="When it was sent; null where it was not, so far.")]
    proposal_id: str | None

    @classmethod
    def of(cls, view: AlertView, language: Language) -> AlertOut:
        alert, problem, notice = view.alert, view.problem, view.notice
        return cls(
            id=alert.id,
            kind=alert.kind,
            state=alert.state,
            opened_at=alert.opened_at,
            problem=problem_ref(problem, language),
            title=dict(alert.evidence.title) if alert.evidence.title is not None else None,
            observed=alert.evidence.observed,
            expected=alert.evidence.expected,
            window_minutes=alert.evidence.window_minutes,
            customers=alert.evidence.customers,
            p_value=alert.evidence.p_value,
            evidence=dict(alert.evidence.words),
            joined=dict(alert.evidence.joined) if alert.evidence.joined is not None else None,
            examples=list(alert.examples),
            expertise=alert.expertise_id,
            products=list(alert.products),
            owner=OwnerOut.of(view.owner),
            inhibited_by=notice.inhibited_by if notice is not None and notice.state == "inhibited" else None,
            told_at=notice.told_at if notice is not None else None,
            proposal_id=alert.proposal_id,
        )
