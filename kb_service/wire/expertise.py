"""Clusters of expertise: what leads to each, and what people decide of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from kb_service.messages import Language
from kb_service.people.profile_views import ClusterDetail, Via
from kb_service.wire.base import Id, Moment, Request, Response, Text
from kb_service.wire.people import SkillOut
from kb_service.wire.problem_refs import name_in

PIN_EXAMPLE: dict[str, Any] = {
    "name": "Screens and batteries",
    "intent_ids": ["return-damaged"],
    "problem_ids": ["p_5d2f"],
    "agent_ids": ["agent-07"],
}
Ids = Annotated[list[Id], Field(max_length=1000)]


class ExpertisePinIn(Request):
    """What people decide of a cluster. What is left out stays as it was decided before; null or an empty list leaves
    it to the shop's own words and to learning."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [PIN_EXAMPLE]})

    name: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    intent_ids: Ids | None = None
    problem_ids: Ids | None = None
    agent_ids: Ids | None = None


class ExpertisePinOut(Response):
    name: str | None
    intent_ids: list[str]
    problem_ids: list[str]
    agent_ids: list[str]
    actor: str
    pinned_at: Moment


class ClusterIntentOut(Response):
    id: str
    label: str
    via: Via


class ClusterProblemOut(Response):
    id: str
    name: str
    state: str
    via: Via


class ClusterAgentOut(Response):
    id: str
    name: str
    online: bool
    via: Via
    skill: SkillOut


class ExpertiseDetailOut(Response):
    """`via` is declared (the shop's own word), pinned (a person's), learned, or intent: through the problem's own."""

    id: str
    name: str
    intent_ids: list[str]
    problem_ids: list[str]
    agent_ids: list[str]
    intents: list[ClusterIntentOut]
    problems: list[ClusterProblemOut]
    agents: list[ClusterAgentOut]
    pinned: ExpertisePinOut | None

    @classmethod
    def of(cls, detail: ClusterDetail, language: Language) -> ExpertiseDetailOut:
        cluster = detail.expertise
        return cls(
            id=cluster.id,
            name=cluster.name,
            intent_ids=list(cluster.intent_ids),
            problem_ids=list(cluster.problem_ids),
            agent_ids=list(cluster.agent_ids),
            intents=[ClusterIntentOut(id=item.id, label=item.label, via=via) for item, via in detail.intents],
            problems=[
                ClusterProblemOut(id=item.id, name=name_in(item, language), state=item.state, via=via)
                for item, via in detail.problems
            ],
            agents=[
                ClusterAgentOut(
                    id=member.agent.id,
                    name=member.agent.name,
                    online=member.agent.online,
                    via=member.via,
                    skill=SkillOut.model_validate(member.skill),
                )
                for member in detail.members
            ],
            pinned=ExpertisePinOut.model_validate(detail.pin) if detail.pin is not None else None,
        )
