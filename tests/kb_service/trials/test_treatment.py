"""What a policy of assignment sees of a case and of the people."""

from __future__ import annotations

from datetime import UTC, datetime

from graph.assignment import assign
from graph.circles import Need
from graph.experiments import Policy
from graph.models import Agent, Expertise
from graph.profiles import SkillEstimate
from kb_service.trials.treatment import under_policy

NOW = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
FIELD = Expertise("logistics", "logistics", agent_ids=("learned",))
AGENTS = tuple(
    Agent(id=id, name=id, languages=("en",), skills=skills, capacity=5, online=True)
    for id, skills in (("learned", ()), ("declared", ("logistics",)), ("idle", ()))
)
NEED = Need("case", "en", FIELD, priority=50, sticky_agent_id="learned", sticky_at=NOW)
RECENT = {"learned": 6, "declared": 6, "idle": 0}


def estimate(rate: float) -> SkillEstimate:
    return SkillEstimate(rate=rate, low=rate - 0.1, high=rate + 0.1, n=60.0)


ESTIMATES = {"learned": estimate(0.95), "declared": estimate(0.5), "idle": estimate(0.3)}


def taken_by(policy: Policy) -> str | None:
    need, estimates = under_policy(policy, NEED, ESTIMATES)
    (placed,) = assign([need], AGENTS, now=NOW, estimates={"case": estimates}, recent=RECENT)
    return placed.choice.agent.id if placed.choice is not None else None


def test_each_policy_gives_the_case_to_another() -> None:
    assert taken_by("learned") == "learned"
    assert taken_by("declared_skills") == "declared"
    assert taken_by("round_robin") == "idle"


def test_language_and_capacity_bind_in_each_policy() -> None:
    busy = [Agent(id="busy", name="busy", languages=("en",), capacity=1, load=1, online=True)]
    foreign = [Agent(id="foreign", name="foreign", languages=("zh",), capacity=5, online=True)]
    policies: tuple[Policy, ...] = ("learned", "declared_skills", "round_robin")
    for policy in policies:
        need, estimates = under_policy(policy, NEED, {})
        (placed,) = assign([need], busy + foreign, now=NOW, estimates={"case": estimates})
        assert placed.choice is None, policy


def test_turns_go_round() -> None:
    counts = dict.fromkeys((agent.id for agent in AGENTS), 0)
    for number in range(9):
        need, estimates = under_policy("round_robin", NEED, ESTIMATES)
        (placed,) = assign([need], AGENTS, now=NOW, estimates={"case": estimates}, recent=counts)
        assert placed.choice is not None, number
        counts[placed.choice.agent.id] += 1
    assert set(counts.values()) == {3}
