from __future__ import annotations

from datetime import UTC, datetime

import pytest

from graph.expertise import expertise_for
from graph.field_evidence import FieldEvidence, family
from graph.models import Agent, Expertise, IntentScore, Problem
from graph.profiles import Outcome

T = datetime(2026, 11, 1, tzinfo=UTC)
CLUSTERS = (
    Expertise("electronics", "Electronics", ("broken",), (), ("e1", "e2")),
    Expertise("clothing", "Clothing", ("size",), (), ("k1", "k2")),
    Expertise("advice", "Advice", ("question",), (), ("e1", "k2")),
)
AGENTS = [Agent(id, id) for id in ("e1", "e2", "k1", "k2")]


def outcome(
    agent: str, intent: str, products: tuple[str, ...] = (), cluster: str | None = None, solved: bool = True
) -> Outcome:
    return Outcome(agent, None, intent, cluster, None, solved, False, None, None, T, products)


SOLD = [
    *[outcome("e1", "broken", ("SLA-1",), "electronics")] * 8,
    *[outcome("k1", "size", ("YDF-1",), "clothing")] * 8,
    *[outcome("e1", "question", ("SLA-1",), "advice")] * 6,
    *[outcome("e1", "question", ("YDF-1",), "advice")] * 6,
]
RETURNED = [
    *[outcome("e1", "return")] * 5,
    *[outcome("e2", "return")] * 5,
    *[outcome("k1", "return")] * 5,
    *[outcome("k2", "return")] * 5,
]
EVIDENCE = FieldEvidence.of([*SOLD, *RETURNED], CLUSTERS, AGENTS, {"return"})


def scores(**probabilities: float) -> list[IntentScore]:
    return [IntentScore(id, id, probability) for id, probability in probabilities.items()]


def routed(
    intents: list[IntentScore],
    products: tuple[str, ...] = (),
    problem: Problem | None = None,
    evidence: FieldEvidence = EVIDENCE,
) -> tuple[str, str | None]:
    found = expertise_for(CLUSTERS, intents, problem, evidence=evidence, products=products)
    assert sum(confidence for _, confidence in found.ranked) <= 1 + 1e-9
    return found.ranked[0][0].id if found.ranked else "", found.triage_reason


def test_the_skill_that_most_resolvers_share_explains_their_cases() -> None:
    shares = EVIDENCE.shares("return", (), {})
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["electronics"] == pytest.approx(shares["clothing"], abs=0.02)
    assert shares["advice"] < 0.15, "one of each side gives advice, but all of each side do the rest"


@pytest.mark.parametrize(
    ("products", "cluster"),
    [(("SLA-1",), "electronics"), (("YDF-1",), "clothing"), (("SLA-9",), "electronics")],
    ids=["electronics", "clothing", "a new one of the same family"],
)
def test_the_product_says_who_takes_its_return(products: tuple[str, ...], cluster: str) -> None:
    assert routed(scores(**{"return": 0.98}), products) == (cluster, None)


def test_the_words_say_it_where_no_product_is_named() -> None:
    assert routed(scores(**{"return": 0.7, "broken": 0.2})) == ("electronics", None)
    assert routed(scores(**{"return": 0.7, "size": 0.2})) == ("clothing", None)


def test_a_case_of_which_nothing_says_where_it_belongs_has_no_expertise() -> None:
    assert routed(scores(**{"return": 0.98}))[1] == "no_expertise", "and not low confidence"
    nothing = FieldEvidence.of([], CLUSTERS, AGENTS, {"return"})
    assert routed(scores(**{"return": 0.98, "broken": 0.01}), evidence=nothing)[1] == "no_expertise"


def test_a_learned_problem_does_not_overrule_the_product() -> None:
    """The problem of all returns was learned to be one of those who advise."""
    clusters = (*CLUSTERS[:2], Expertise("advice", "Advice", ("question", "return"), ("p1",), ("e1", "k2")))
    problem = Problem(
        "p1", {"zh": "退货"}, "open", opened_at=T, active_at=T, episode_at=T, intent_id="return"
    )
    found = expertise_for(
        clusters, scores(**{"return": 0.98}), problem, evidence=EVIDENCE, products=("SLA-1",)
    )
    assert found.ranked[0][0].id == "electronics" and not found.triage
    by_hand = EVIDENCE.among({"return"}, {"p1"})
    found = expertise_for(clusters, [], problem, evidence=by_hand, products=("SLA-1",))
    assert found.ranked[0][0].id == "advice", "what a person pinned stays"


def test_what_the_shop_declares_later_counts_at_once() -> None:
    clusters = (*CLUSTERS[:2], Expertise("advice", "Advice", ("question", "return"), (), ("e1", "k2")))
    found = expertise_for(
        clusters, scores(**{"return": 0.98}), evidence=EVIDENCE.among(set(), ()), products=("SLA-1",)
    )
    assert found.ranked[0][0].id == "advice"


def test_a_product_that_nobody_had_a_case_of_says_nothing() -> None:
    assert routed(scores(broken=0.9), ("XYZ-1",)) == ("electronics", None)
    assert EVIDENCE.shares("return", ("XYZ-1",), {}) == EVIDENCE.shares("return", (), {})
    assert not EVIDENCE.tells("other", ("XYZ-1",)) and EVIDENCE.tells("other", ("SLA-1",))
    assert (family("SLA-SP30"), family("SP30")) == ("SLA-", "SP30")


def test_failures_do_not_say_who_resolves() -> None:
    failed = [outcome("k1", "return", solved=False)] * 50
    assert FieldEvidence.of([*SOLD, *RETURNED, *failed], CLUSTERS, AGENTS, {"return"}) == EVIDENCE
