"""Why a case went to one person and not to another: kept as plain figures, told in words.

The features of a decision, as they lie in the store:

    priority     {score, band, total, contributions: [{factor, points, evidence, evidences: {language: words}}]}
    sla          {tier, first_response_due, resolve_due, consumed}
    line         {asked, cause}, both by name
    waiting_since, language, permissions, intents, problem_id, triage_reason, avoided, waiting, policy
    candidates   [{id, name, score, available, online, load, capacity, terms: {code: weight}, overflow,
                   estimate: {rate, low, high, n, of}, texts: {language: [words]}, taken}], best first; the one chosen
                   is always among them; `of` names the expertise where the estimate is that of the whole of it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from graph.assignment import rank
from graph.models import Agent, AgentChoice, Priority
from graph.profiles import SkillEstimate
from graph.support_lines import FIRST_ANSWERS, LINES
from graph.workshare import Round, places
from kb_service.messages import Language
from kb_service.models import Route
from kb_service.people.decision_words import DecisionWords, words_in
from kb_service.people.recent_work import RecentWork
from kb_service.routing import LANGUAGES, Placed
from kb_service.store import Decision

KEPT = 6
"""Candidates that a decision keeps."""
TOLD = 3
"""Candidates that an explanation speaks of beside the one chosen."""
NOT_TOLD: Mapping[Language, Priority] = {}
NOTABLE = 0.005
"""The least difference of two terms that is worth a word."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What held at the moment of a decision, beside the case itself.

    `agents` are as they were before it, `left` the places that each has after it, `waiting` the number of cases that
    were decided together.
    """

    agents: Sequence[Agent]
    recent: RecentWork
    left: Mapping[str, int]
    waiting: int
    now: datetime


def route_features(route: Route, priorities: Mapping[Language, Priority] = NOT_TOLD) -> dict[str, Any]:
    """What a route was decided by, as plain JSON. `priorities` are the route's, with evidence in each language."""
    first = route.expertise
    told = {
        language: {item.factor: item.evidence for item in priority.contributions}
        for language, priority in priorities.items()
    }
    return {
        "priority": {
            "score": route.priority.score,
            "band": route.priority.band,
            "total": route.priority.total,
            "contributions": [
                {"factor": item.factor, "points": item.points, "evidence": item.evidence}
                | {
                    "evidences": dict(item.evidences)
                    | {language: words.get(item.factor, "") for language, words in told.items()}
                }
                for item in route.priority.contributions
            ],
        },
        "sla": {
            "tier": route.sla.tier,
            "first_response_due": route.sla.first_response_due.isoformat(),
            "resolve_due": route.sla.resolve_due.isoformat(),
        },
        "expertise": {"id": first.expertise.id, "name": first.expertise.name} if first is not None else None,
        "triage_reason": route.triage_reason,
        "intents": [
            {"id": item.id, "label": item.label, "probability": round(item.probability, 4)}
            for item in route.intents[:3]
        ],
        "candidates": [_candidate(choice, None, {}) for choice in route.agents[:KEPT]],
    }


def features_of(placed: Placed, chosen: AgentChoice | None, around: Circumstances) -> dict[str, Any]:
    """What the assignment of one case was decided by, as plain JSON."""
    need = placed.need
    known = route_features(placed.route, placed.told)
    return known | {
        "sla": known["sla"] | {"consumed": round(need.sla_consumed, 4)},
        "waiting_since": (need.waiting_since or around.now).isoformat(),
        "language": need.language,
        "permissions": list(need.permissions),
        "line": {"asked": LINES[placed.line.line], "cause": placed.line.cause},
        "problem_id": placed.problem.id if placed.problem else None,
        "avoided": sorted(need.avoid),
        "policy": placed.way.policy,
        "waiting": around.waiting,
        "candidates": _candidates(placed, chosen, around),
    }


def _candidates(placed: Placed, chosen: AgentChoice | None, around: Circumstances) -> list[dict[str, Any]]:
    """The best for the case at that moment, each with what they scored and why, in both languages."""
    agents = [
        chosen.agent if chosen is not None and agent.id == chosen.agent.id else agent
        for agent in around.agents
    ]
    held = {agent.id: agent.load for agent in around.agents}
    earlier = {chosen.agent.id: chosen.agent.load - held[chosen.agent.id]} if chosen is not None else {}
    ranked_in = partial(
        rank,
        need=placed.need,
        now=around.now,
        estimates=placed.estimates,
        recent=around.recent.cases,
        online_seconds=around.recent.online_seconds,
        within=Round(places(around.agents, around.waiting), earlier),
    )
    ranked = {language: ranked_in(agents, language=language) for language in LANGUAGES}
    told = {chosen.agent.id} if chosen is not None else set()
    kept = [item for place, item in enumerate(ranked["en"]) if place < KEPT or item.agent.id in told]
    texts = {
        language: {choice.agent.id: [reason.text for reason in choice.reasons] for choice in choices}
        for language, choices in ranked.items()
    }
    return [
        _candidate(choice, _best_known(placed, choice.agent.id), around.left)
        | {"texts": {language: texts[language].get(choice.agent.id, []) for language in LANGUAGES}}
        for choice in kept
    ]


def _best_known(placed: Placed, agent_id: str) -> dict[str, Any] | None:
    """What may be told of an agent: on the problem itself, or with too few cases there on the whole expertise."""
    finest, wider = placed.estimates.get(agent_id), placed.across_expertise.get(agent_id)
    field = placed.need.expertise
    if finest is None:
        return None
    if wider is not None and field is not None and wider.shown() and not finest.shown():
        return _figures(wider) | {"of": field.name}
    return _figures(finest)


def _candidate(
    choice: AgentChoice, figures: Mapping[str, Any] | None, left: Mapping[str, int]
) -> dict[str, Any]:
    agent = choice.agent
    return {
        "id": agent.id,
        "name": agent.name,
        "score": round(choice.score, 4),
        "available": choice.available,
        "online": agent.online,
        "load": agent.load,
        "capacity": agent.capacity,
        "overflow": any(reason.code == "overflow" for reason in choice.reasons),
        "terms": {
            reason.code: round(reason.weight, 4) for reason in choice.reasons if reason.weight is not None
        },
        "estimate": figures,
        "taken": choice.available and left.get(agent.id, 1) <= 0,
    }


def _figures(estimate: SkillEstimate) -> dict[str, Any]:
    low, high = estimate.told()
    figures = {"rate": estimate.rate, "low": low, "high": high, "n": estimate.n}
    return {name: round(value, 4) for name, value in figures.items()}


# --- in words


def explained(decision: Decision, language: Language, names: Mapping[str, str]) -> tuple[str, ...]:
    """A decision in sentences: who was chosen, why, and why not the others. `names` are agents' names by id."""
    say = words_in(language)
    features = decision.features
    candidates = {item["id"]: item for item in features.get("candidates", ())}
    chosen = candidates.get(decision.agent_id or "")

    def name(agent_id: str | None) -> str:
        return names.get(agent_id or "") or str(
            candidates.get(agent_id or "", {}).get("name") or agent_id or ""
        )

    told = [say.outcome(decision, name)]
    if chosen is not None and (texts := chosen.get("texts", {}).get(language)):
        told.append(say.because(name(chosen["id"]), texts))
        if (figures := chosen.get("estimate")) and figures.get("of"):
            told.append(say.in_field(name(chosen["id"]), figures))
    if (priority := features.get("priority")) is not None:
        told.append(say.priority(in_language(priority, language)))
    if chosen is not None:
        others = [item for item in candidates.values() if item["id"] != chosen["id"]][:TOLD]
        told += [say.not_chosen(name(item["id"]), _why_not(say, item, chosen)) for item in others]
    told += [say.avoided(name(agent_id)) for agent_id in _avoided(features) if agent_id != decision.agent_id]
    if features.get("permissions") and decision.kind in ("assignment", "reassignment"):
        told.append(say.permissions(features["permissions"]))
    if (line := features.get("line")) is not None and line["asked"] != LINES[FIRST_ANSWERS]:
        told.append(say.line(line["asked"], line["cause"]))
    if features.get("ahead"):
        told.append(say.out_of_turn(int(features["ahead"])))
    return tuple(sentence for sentence in told if sentence)


def _avoided(features: Mapping[str, Any]) -> Sequence[str]:
    """Who had the case before; decisions of earlier versions name one at most."""
    known = features.get("avoided") or ()
    return (known,) if isinstance(known, str) else known


def in_language(priority: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """A priority as it lies in a decision's features, with its evidence in one language."""
    parts = [
        {"factor": item["factor"], "points": item["points"]}
        | {"evidence": item.get("evidences", {}).get(language) or item["evidence"]}
        for item in priority["contributions"]
    ]
    return {**priority, "contributions": parts}


def _why_not(say: DecisionWords, item: Mapping[str, Any], chosen: Mapping[str, Any]) -> list[str]:
    """What spoke against a candidate, the weightiest first."""
    if not item["online"]:
        return [say.offline()]
    if not item["available"]:
        return [say.full(item["load"], item["capacity"])]
    mine, theirs = chosen["terms"], item["terms"]
    gaps = {code: mine.get(code, 0.0) - theirs.get(code, 0.0) for code in {*mine, *theirs} - {"limit"}}
    worse = sorted((code for code, gap in gaps.items() if gap > NOTABLE), key=lambda code: -gaps[code])
    found = [say.worse(code, item, chosen) for code in worse]
    if _whole(item) > _whole(chosen):
        found.insert(0, say.taken() if item.get("taken") else say.together())
    return found or [say.equal()]


def _whole(item: Mapping[str, Any]) -> float:
    """The score of a candidate as it decides, beyond 0 and 1 too."""
    return float(item["score"]) - float(item["terms"].get("limit", 0.0))
