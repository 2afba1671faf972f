"""What was decided about a case, with the figures behind it and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from graph.profiles import SHOWN_FROM
from graph.support_lines import Cause
from kb_service.messages import Language
from kb_service.people.explaining import explained, in_language
from kb_service.store import Decision, DecisionKind
from kb_service.wire.base import IntentScoreOut, Moment, PriorityOut, Response
from kb_service.wire.routing import ServiceLevelOut


class EstimateOut(Response):
    """How likely the agent resolves such a case; null figures below twenty cases of their own. `of` names the expertise
    where the figures are those of the whole of it, since the problem itself has too few."""

    rate: float | None
    low: float | None
    high: float | None
    cases: int
    of: str | None


class CandidateOut(Response):
    """Somebody who could have been given the case. The `terms` add up to the `score`; `skill`, the rate that was
    decided by, is null where that rate rests on fewer than twenty cases, as in the `estimate`."""

    id: str
    name: str
    score: float
    available: bool
    online: bool
    load: int
    capacity: int
    overflow: bool
    terms: dict[str, float | None]
    estimate: EstimateOut | None


class LineOut(Response):
    """The line of support that a case asks for, and why that one."""

    asked: Literal["first_answers", "experts", "product_team"]
    cause: Cause


class DecisionOut(Response):
    """`explanation` tells the whole in sentences. What was not part of a decision is null."""

    id: str
    at: Moment
    kind: DecisionKind
    reason: str
    actor: str
    agent_id: str | None
    previous_agent_id: str | None
    expertise_id: str | None
    note: str | None
    explanation: list[str]
    candidates: list[CandidateOut]
    priority: PriorityOut | None
    sla: ServiceLevelOut | None
    sla_consumed: float | None
    intents: list[IntentScoreOut]
    problem_id: str | None
    language: str | None
    permissions: list[str]
    line: LineOut | None
    waiting: int | None
    experiment_id: str | None
    arm: str | None
    propensity: float | None

    @classmethod
    def of(cls, decision: Decision, language: Language, names: Mapping[str, str]) -> DecisionOut:
        plain = (
            "id",
            "at",
            "kind",
            "reason",
            "actor",
            "agent_id",
            "previous_agent_id",
            "expertise_id",
            "note",
        )
        trial = ("experiment_id", "arm", "propensity")
        known = decision.features
        priority, sla = known.get("priority"), known.get("sla")
        return cls(
            **{name: getattr(decision, name) for name in (*plain, *trial)},
            explanation=list(explained(decision, language, names)),
            candidates=[_candidate(item) for item in known.get("candidates", ())],
            priority=PriorityOut.model_validate(in_language(priority, language)) if priority else None,
            sla=ServiceLevelOut.model_validate(sla) if sla else None,
            sla_consumed=sla.get("consumed") if sla else None,
            intents=[IntentScoreOut.model_validate(item) for item in known.get("intents", ())],
            problem_id=known.get("problem_id"),
            language=known.get("language"),
            permissions=list(known.get("permissions", ())),
            line=LineOut.model_validate(line) if (line := known.get("line")) else None,
            waiting=known.get("waiting"),
        )


def _candidate(item: Mapping[str, Any]) -> CandidateOut:
    names = ("id", "name", "score", "available", "online", "load", "capacity", "overflow")
    estimate, terms = _estimate(item.get("estimate")), dict(item["terms"])
    # An estimate that is told of the whole expertise stands for one that may not be told.
    if estimate is not None and (estimate.rate is None or estimate.of is not None) and "skill" in terms:
        terms["skill"] = None
    return CandidateOut(**{name: item[name] for name in names}, terms=terms, estimate=estimate)


def _estimate(figures: Mapping[str, Any] | None) -> EstimateOut | None:
    if figures is None:
        return None
    shown = round(figures["n"]) >= SHOWN_FROM
    return EstimateOut(
        rate=figures["rate"] if shown else None,
        low=figures["low"] if shown else None,
        high=figures["high"] if shown else None,
        cases=round(figures["n"]),
        of=figures.get("of"),
    )


class DecisionsOut(Response):
    """Oldest first."""

    items: list[DecisionOut]
