"""Who could help where more comes in than its people can take, without leaving a field of their own short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from graph.expertise import expertise_id
from graph.models import Agent
from graph.profiles import SkillEstimate

HelpKind: TypeAlias = Literal["member", "skill", "experience", "flex"]
_WORDS: Mapping[HelpKind, tuple[str, str]] = {
    "member": ("属于该专长且有余力", "belongs to this expertise and has room"),
    "skill": ("已声明此项技能", "has declared this skill"),
    "experience": ("在此类会话上有经验", "has experience with such cases"),
    "flex": ("机动人员", "is in the flexible pool"),
}
NEAR_ENOUGH = 0.93
"""Experience counts when it resolves so much of what the field's own people resolve."""


@dataclass(frozen=True, slots=True)
class StaffedExpertise:
    """An expertise in the hour to come: its people, how many of them are there, and how many it needs."""

    expertise_id: str
    members: tuple[str, ...]
    online: int
    needed: int

    @property
    def spare(self) -> int:
        return self.online - self.needed


@dataclass(frozen=True, slots=True)
class Offer:
    """What one person could take. `rate` and `low` are None from fewer than twenty cases."""

    agent: Agent
    kind: HelpKind
    cases_per_hour: float
    cases: float
    rate: float | None
    low: float | None
    lent_by: tuple[str, ...]
    words: Mapping[str, str]


def offers(
    target: StaffedExpertise,
    fields: Sequence[StaffedExpertise],
    agents: Sequence[Agent],
    estimates: Mapping[str, SkillEstimate],
    *,
    seconds: float,
    language: str | None = None,
) -> tuple[Offer, ...]:
    """People with room who can help `target`, those first who would resolve most an hour.

    `estimates` are of every agent on the target; `seconds` is the handling time of whoever has none of their own.
    A field lends no more people than it has to spare; who declared no language speaks all.
    """
    found: list[tuple[float, Offer]] = []
    own = [estimates[id].rate for id in target.members if id in estimates]
    usual = sum(own) / len(own) if own else 0.0
    for agent in agents:
        if not agent.online or agent.load >= agent.capacity:
            continue
        if language is not None and agent.languages and language not in agent.languages:
            continue
        estimate = estimates[agent.id]
        kind = _kind(agent, target, estimate, usual)
        if kind is None:
            continue
        room = (agent.capacity - agent.load) / agent.capacity
        hourly = room * 3600.0 / max(estimate.seconds or seconds, 1.0)
        homes = tuple(f.expertise_id for f in fields if f is not target and agent.id in f.members)
        lent_by = () if kind == "member" else homes
        found.append((hourly * estimate.rate, _offer(agent, kind, hourly, estimate, lent_by)))
    found.sort(key=lambda item: (-item[0], item[1].agent.id))
    spare = {field.expertise_id: field.spare for field in fields}
    kept: list[Offer] = []
    for _, offer in found:
        if all(spare.get(home, 0) > 0 for home in offer.lent_by):
            kept.append(offer)
            for home in offer.lent_by:
                spare[home] -= 1
    return tuple(kept)


def _kind(agent: Agent, target: StaffedExpertise, estimate: SkillEstimate, usual: float) -> HelpKind | None:
    if agent.id in target.members:
        return "member"
    if any(expertise_id(skill) == target.expertise_id for skill in agent.skills):
        return "skill"
    if estimate.shown() and estimate.rate >= NEAR_ENOUGH * usual:
        return "experience"
    return "flex" if agent.pool == "flex" else None


def _offer(
    agent: Agent, kind: HelpKind, hourly: float, estimate: SkillEstimate, lent_by: tuple[str, ...]
) -> Offer:
    shown = estimate.shown()
    zh, en = _WORDS[kind]
    words = {
        "zh": f"{zh}，每小时可接约 {hourly:.1f} 单",
        "en": f"{en}; could take about {hourly:.1f} cases an hour",
    }
    if shown:
        words = {
            "zh": f"{words['zh']}，解决率 {estimate.rate:.0%}（{estimate.n:.0f} 例）",
            "en": f"{words['en']}, resolves {estimate.rate:.0%} (n = {estimate.n:.0f})",
        }
    return Offer(
        agent=agent,
        kind=kind,
        cases_per_hour=hourly,
        cases=estimate.n,
        rate=estimate.rate if shown else None,
        low=estimate.told()[0] if shown else None,
        lent_by=lent_by,
        words=words,
    )
