"""Where trials take hold: the workspace as one customer is served, and the people as one case is given to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from graph.circles import Need
from graph.experiments import Policy, unit_of
from graph.profiles import SkillEstimate
from graph.trial_ways import way_of
from kb_service.models import Question
from kb_service.replicas.replica import Replica


def treated(
    replica: Replica, question: Question, now: datetime, *, customer_id: str | None = None
) -> Replica:
    """The replica as whoever asks is served, for the one request; the replica itself while nothing is tried.

    The unit is `customer_id`, else the question's customer, else the one whose case the conversation belongs to, else
    the conversation; who has none of them is served as the shop stands and counts for no trial.
    """
    running = [item for item in replica.experiments if item.treats(now)]
    if not running:
        return replica
    if customer_id is None and question.customer is not None:
        customer_id = question.customer.id
    if customer_id is None and question.conversation_id is not None:
        customer_id = replica.customer_of(question.conversation_id)
    unit = unit_of(customer_id, question.conversation_id)
    return replica if unit is None else replica.under(way_of(running, unit))


def under_policy(
    policy: Policy, need: Need, estimates: Mapping[str, SkillEstimate]
) -> tuple[Need, dict[str, SkillEstimate]]:
    """What a case asks of an agent, and what is known of the agents, as a policy of assignment sees it.

    `declared_skills` looks at what was declared, not at what outcomes taught; `round_robin` at neither, so that
    whoever was given the fewest cases lately is next. Language, permissions and capacity bind in each.
    """
    if policy == "declared_skills":
        return _declared(need), {}
    if policy == "round_robin":
        open_to_all = replace(need, expertise=None, secondary=(), neighbours=(), sticky_agent_id=None)
        return open_to_all, {}
    return need, dict(estimates)


def _declared(need: Need) -> Need:
    """The same need, for which only declared skills count."""
    return replace(
        need,
        expertise=replace(need.expertise, agent_ids=()) if need.expertise is not None else None,
        secondary=tuple(replace(item, agent_ids=()) for item in need.secondary),
        neighbours=(),
    )
