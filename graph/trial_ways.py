"""How a unit is served while trials run: what its arms change of the shop as it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graph.experiments import Arm, Experiment, Policy, arm_of
from graph.field_evidence import FieldEvidence
from graph.models import Expertise, Problem
from graph.rules import Rules

TRIED_RULES = ("wrong_answer_bound", "swap_share", "priority_weights")
"""The rules of the shop that a treatment may change."""


@dataclass(frozen=True, slots=True)
class Way:
    """What holds for one unit. `arms` is by trial; `walks` None is as the shop has it set.

    `rules` are the values of rules that are other than the shop's, `homes` is the expertise of intents that are sent to
    another one. `assigned_by` is the trial, if there is one, that decides how this unit's cases find their people;
    `arms` has its arm.
    """

    arms: Mapping[str, Arm] = field(default_factory=dict)
    policy: Policy = "learned"
    clarifies: bool = True
    walks: bool | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)
    assigned_by: str | None = None
    homes: Mapping[str, str] = field(default_factory=dict)

    @property
    def assignment_arm(self) -> Arm | None:
        return self.arms[self.assigned_by] if self.assigned_by is not None else None

    def changed(self, rules: Rules) -> Rules:
        """The shop's rules as they hold for this unit."""
        return replace(rules, **self.rules) if self.rules else rules

    def placed(self, clusters: Sequence[Expertise], problems: Iterable[Problem]) -> tuple[Expertise, ...]:
        """The shop's clusters as they hold for this unit: an intent that is sent elsewhere takes its problems along."""
        if not self.homes:
            return tuple(clusters)
        moved = {
            item.id: home for item in problems if (home := self.homes.get(item.intent_id or "")) is not None
        }
        return tuple(
            replace(
                cluster,
                intent_ids=_with(cluster.intent_ids, self.homes, cluster.id),
                problem_ids=_with(cluster.problem_ids, moved, cluster.id),
            )
            for cluster in clusters
        )

    def told(self, evidence: FieldEvidence) -> FieldEvidence:
        """What tells of intents without a cluster, those that have one for this unit left out."""
        if not self.homes:
            return evidence
        return evidence.among(evidence.intents.keys() - self.homes.keys(), evidence.pinned)


def _with(ids: Sequence[str], homes: Mapping[str, str], cluster_id: str) -> tuple[str, ...]:
    """Ids without those that have another home, and with those whose home this is."""
    kept = [id for id in ids if homes.get(id, cluster_id) == cluster_id]
    return (*kept, *sorted(id for id, home in homes.items() if home == cluster_id and id not in ids))


AS_IT_STANDS = Way()
"""The way of everybody while nothing is tried."""


def way_of(experiments: Sequence[Experiment], unit: str) -> Way:
    """How a unit is served by the trials that treat now; no two of them change the same thing."""
    arms = {item.id: arm_of(item.salt, unit, item.share) for item in experiments}
    changes = {
        name: getattr(item.treatment, name)
        for item in experiments
        if arms[item.id] == "treatment"
        for name in item.treatment.touched
    }
    return Way(
        arms=arms,
        policy=changes.get("assignment", "learned"),
        clarifies=changes.get("clarification", True),
        walks=changes.get("graph_walk"),
        rules={name: changes[name] for name in TRIED_RULES if name in changes},
        homes=changes.get("expertise", {}),
        assigned_by=next((item.id for item in experiments if item.treatment.assignment is not None), None),
    )
