"""Intents, agents, profiles and expertise."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from graph.models import Agent, Intent
from graph.permissions import COMPENSATION, REFUND, spelt
from kb_service.messages import Language
from kb_service.models import Assignment
from kb_service.people.profile_views import AgentProfile
from kb_service.wire.base import (
    Flag,
    Id,
    PriorityOut,
    ProblemRef,
    Request,
    Response,
    Text,
    When,
    Whole,
    fault,
)
from kb_service.wire.problem_refs import problem_ref
from kb_service.wire.routing import AgentChoiceOut

INTENT_EXAMPLE: dict[str, Any] = {
    "label": "退货",
    "examples": ["我要退货", "这个不想要了能退吗", "how do I send this back"],
    "expertise": "after-sales",
    "description": "The customer wants to return goods.",
}
AGENT_EXAMPLE: dict[str, Any] = {
    "name": "agent-07",
    "languages": ["zh", "en"],
    "skills": ["after-sales"],
    "capacity": 5,
    "online": True,
    "pool": "core",
    "permissions": ["refund:500"],
}

Label = Annotated[Text, Field(min_length=1, max_length=200)]
Example = Annotated[Text, Field(min_length=1, max_length=1000)]
Short = Annotated[Text, Field(min_length=1, max_length=100)]
Rounded = Annotated[float, AfterValidator(lambda value: round(value, 4))]


_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


def _spoken(code: str) -> str:
    if not _LANGUAGE.fullmatch(code):
        raise fault("", "must be a language's ISO 639 code, such as zh, en or de")
    return code


def _limited(word: str) -> str:
    kind, colon, _ = word.partition(":")
    if colon and kind.strip().casefold() in (REFUND, COMPENSATION) and not spelt((word,)):
        raise fault("", "must give the most that it allows as a number, such as refund:300")
    return word


SpokenLanguage = Annotated[str, Field(max_length=35), AfterValidator(_spoken)]
PermissionWord = Annotated[Short, AfterValidator(_limited)]


class IntentIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [INTENT_EXAMPLE]})

    label: Label
    examples: Annotated[list[Example], Field(min_length=1, max_length=2000)]
    expertise: Short | None = None
    description: Annotated[Text, Field(max_length=2000)] | None = None
    sensitive: Flag = False

    def value(self, intent_id: str) -> Intent:
        return Intent(
            id=intent_id,
            label=self.label,
            examples=tuple(dict.fromkeys(self.examples)),
            expertise=self.expertise,
            description=self.description,
            sensitive=self.sensitive,
        )


class IntentLineIn(IntentIn):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"id": "return", **INTENT_EXAMPLE}]}
    )

    id: Id


class IntentsIn(Request):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"intents": [{"id": "return", **INTENT_EXAMPLE}]}]}
    )

    intents: Annotated[list[IntentLineIn], Field(min_length=1, max_length=5000)]

    @model_validator(mode="after")
    def has_each_id_once(self) -> IntentsIn:
        seen: set[str] = set()
        for place, intent in enumerate(self.intents):
            if intent.id in seen:
                raise fault(f"intents.{place}.id", "{id} is named twice; give each its own", id=intent.id)
            seen.add(intent.id)
        return self


class IntentOut(Response):
    id: str
    label: str
    examples: list[str]
    expertise: str | None
    description: str | None
    sensitive: bool


class IntentStatusOut(Response):
    id: str
    status: Literal["created", "updated", "unchanged"]


class IntentsOut(Response):
    items: list[IntentStatusOut]


class AgentIn(Request):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [AGENT_EXAMPLE]})

    name: Label
    languages: Annotated[list[SpokenLanguage], Field(max_length=20)] = []
    skills: Annotated[list[Short], Field(max_length=200)] = []
    capacity: Annotated[Whole, Field(ge=0, le=1000)] = 5
    online: Flag = False
    pool: Literal["core", "flex"] = "core"
    permissions: Annotated[list[PermissionWord], Field(max_length=200)] = []

    def value(self, agent_id: str) -> Agent:
        return Agent(
            id=agent_id,
            name=self.name,
            languages=tuple(self.languages),
            skills=tuple(self.skills),
            capacity=self.capacity,
            online=self.online,
            pool=self.pool,
            permissions=tuple(self.permissions),
        )


class AgentOut(Response):
    id: str
    name: str
    languages: list[str]
    skills: list[str]
    capacity: int
    online: bool
    pool: Literal["core", "flex"]
    permissions: list[str]
    load: int


class SkillOut(Response):
    """`rate` is the share resolved and not reopened in 72 h; null, as the rest, below twenty cases."""

    expertise_id: str | None
    expertise: str | None
    cases: int
    rate: float | None
    low: float | None
    high: float | None
    handling_seconds: float | None
    rating: float | None


class ProblemSkillOut(Response):
    problem: ProblemRef
    skill: SkillOut


class ComparisonOut(Response):
    """How many more of a hundred cases the agent resolves than the others on the same problems, with the 95% interval;
    0.05 are five points."""

    cases: Annotated[float, AfterValidator(lambda value: round(value, 1))]
    difference: Rounded
    low: Rounded
    high: Rounded


class ProfileOut(Response):
    """`by_problem` holds the problems of most cases; `compared` is null below twenty cases of problems that others
    had too."""

    agent: AgentOut
    overall: SkillOut
    by_expertise: list[SkillOut]
    by_problem: list[ProblemSkillOut]
    compared: ComparisonOut | None

    @classmethod
    def of(cls, profile: AgentProfile, language: Language) -> ProfileOut:
        return cls(
            agent=AgentOut.model_validate(profile.agent),
            overall=SkillOut.model_validate(profile.overall),
            by_expertise=[SkillOut.model_validate(skill) for skill in profile.by_expertise],
            by_problem=[
                ProblemSkillOut(
                    problem=problem_ref(item.problem, language), skill=SkillOut.model_validate(item.skill)
                )
                for item in profile.by_problem
            ],
            compared=ComparisonOut.model_validate(profile.compared) if profile.compared else None,
        )


class ExpertiseOut(Response):
    id: str
    name: str
    intent_ids: list[str]
    problem_ids: list[str]
    agent_ids: list[str]


class AssignmentsIn(Request):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"at": "2026-11-11T10:00:00+08:00"}]}
    )

    at: When | None = None


class AssignmentOut(Response):
    case_id: str
    agent: AgentChoiceOut | None
    reason: str
    priority: PriorityOut

    @classmethod
    def of(cls, made: Assignment) -> AssignmentOut:
        return cls(
            case_id=made.case_id,
            agent=AgentChoiceOut.of(made.agent) if made.agent is not None else None,
            reason=made.reason,
            priority=PriorityOut.model_validate(made.priority),
        )


class AssignmentsOut(Response):
    items: list[AssignmentOut]
