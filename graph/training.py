"""Where training would pay: the cases a week that would be resolved besides, if somebody reached what others can.

Two ways to gain: people who work in a field and resolve less of it than its best half; and fields in which more comes
in than their people can take, where somebody who does well elsewhere could learn it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from graph.labels import label_in
from graph.profiles import SkillEstimate

LEAST_GAIN = 0.5
"""Cases a week below which training is not worth a word."""
LEAST_DISTANCE = 0.03
MOST_A_FIELD = 3
"""People who are proposed for a field that is short of them."""


@dataclass(frozen=True, slots=True)
class Demand:
    """An expertise in a usual week: arrivals, and those of them that its people have no time for."""

    expertise_id: str
    name: str
    weekly: float
    beyond: float
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Training:
    """One person and one field. `gain` is cases resolved besides, a week; `rate` is None from under twenty cases.

    `reason` is below_the_best (compared with the best half of the field) or short_of_people.
    """

    expertise_id: str
    agent_id: str
    reason: Literal["below_the_best", "short_of_people"]
    gain: float
    weekly: float
    cases: float
    rate: float | None
    reachable: float
    words: Mapping[str, str]


def trainings(
    demands: Sequence[Demand],
    estimates: Mapping[str, Mapping[str, SkillEstimate]],
    overall: Mapping[str, SkillEstimate],
    names: Mapping[str, str],
) -> tuple[Training, ...]:
    """What would pay, most first. `estimates` are by expertise and agent, `overall` by agent, as `names`."""
    found: list[Training] = []
    for demand in demands:
        of_field = estimates[demand.expertise_id]
        shown = {id: item for id, item in of_field.items() if item.shown()}
        if not shown:
            continue
        best = sorted((item.rate for item in shown.values()), reverse=True)[: (len(shown) + 1) // 2]
        reachable = sum(best) / len(best)
        total = sum(item.n for item in of_field.values())
        for id, item in shown.items():
            gain = demand.weekly * item.n / total * (reachable - item.rate)
            if gain >= LEAST_GAIN and item.rate <= reachable - LEAST_DISTANCE:
                found.append(_below(demand, id, names[id], item, reachable, gain))
        found += _short(demand, of_field, overall, names, reachable)
    return tuple(sorted(found, key=lambda item: (-item.gain, item.expertise_id, item.agent_id)))


def _below(
    demand: Demand, agent_id: str, name: str, item: SkillEstimate, reachable: float, gain: float
) -> Training:
    chinese, english = label_in(demand.name, "zh"), label_in(demand.name, "en")
    words = {
        "zh": f"{name} 在“{chinese}”的解决率为 {item.rate:.0%}（{item.n:.0f} 例），"
        f"较好的一半同事为 {reachable:.0%}；按每周约 {demand.weekly:.0f} 单计，培训后每周可多解决约 {gain:.1f} 单。",
        "en": f"{name} resolves {item.rate:.0%} of “{english}” (n = {item.n:.0f}), the better half of the team "
        f"{reachable:.0%}; at about {demand.weekly:.0f} cases a week, training would resolve {gain:.1f} more.",
    }
    return Training(
        demand.expertise_id,
        agent_id,
        "below_the_best",
        gain,
        demand.weekly,
        item.n,
        item.rate,
        reachable,
        words,
    )


def _short(
    demand: Demand,
    of_field: Mapping[str, SkillEstimate],
    overall: Mapping[str, SkillEstimate],
    names: Mapping[str, str],
    reachable: float,
) -> list[Training]:
    """Those who do best elsewhere and do not know the field yet, where it is short of people."""
    gain = demand.beyond * reachable
    if gain < LEAST_GAIN:
        return []
    outside = [
        id
        for id, item in overall.items()
        if id not in demand.members and item.shown() and not of_field[id].shown()
    ]
    outside.sort(key=lambda id: (-overall[id].rate, id))
    chinese, english = label_in(demand.name, "zh"), label_in(demand.name, "en")
    found = []
    for id in outside[:MOST_A_FIELD]:
        words = {
            "zh": f"“{chinese}”每周约有 {demand.beyond:.1f} 单超出现有人员的处理能力；"
            f"{names[id]} 在其他专长表现良好，学会后每周可多解决至多 {gain:.1f} 单。",
            "en": f"“{english}” gets about {demand.beyond:.1f} cases a week beyond what its people can take; "
            f"{names[id]} does well elsewhere and, once trained, could resolve up to {gain:.1f} more.",
        }
        found.append(
            Training(
                demand.expertise_id,
                id,
                "short_of_people",
                gain,
                demand.weekly,
                of_field[id].n,
                None,
                reachable,
                words,
            )
        )
    return found
