"""Agents and clusters as people look at them: how well who does on what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from graph.models import Agent, Expertise, Intent, Problem
from graph.peers import Comparison
from kb_service.store.clusters import ExpertisePin


@dataclass(frozen=True, slots=True)
class Skill:
    """How well an agent does on an expertise, or overall; figures are None below twenty cases."""

    expertise_id: str | None
    expertise: str | None
    cases: int
    rate: float | None
    low: float | None
    high: float | None
    handling_seconds: float | None
    rating: float | None


@dataclass(frozen=True, slots=True)
class ProblemSkill:
    """How well an agent does on one problem."""

    problem: Problem
    skill: Skill


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """`by_problem` holds those of which the agent has most cases. `compared` is None where there are too few cases of
    problems that others had too."""

    agent: Agent
    overall: Skill
    by_expertise: tuple[Skill, ...]
    by_problem: tuple[ProblemSkill, ...] = ()
    compared: Comparison | None = None


Via: TypeAlias = Literal["declared", "pinned", "learned", "intent"]
"""How an intent, a problem or an agent came into a cluster: a shop's own word, a person's pin, what outcomes taught,
or through the problem's intent."""


@dataclass(frozen=True, slots=True)
class ClusterMember:
    """An agent of a cluster, with how they do on its cases."""

    agent: Agent
    via: Via
    skill: Skill


@dataclass(frozen=True, slots=True)
class ClusterDetail:
    """A cluster with everything that leads to it. `pin` is what people decided of it, None where nothing."""

    expertise: Expertise
    intents: tuple[tuple[Intent, Via], ...]
    problems: tuple[tuple[Problem, Via], ...]
    members: tuple[ClusterMember, ...]
    pin: ExpertisePin | None
