from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.models import Intent, Problem
from graph.nodes import DocumentNode
from graph.paths import Linked, answer_prior, prior, propagated
from graph.problem_graph import ProblemGraph

T = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def shop() -> ProblemGraph:
    graph = ProblemGraph()
    for id_ in ("p1", "p2"):
        graph.put_problem(Problem(id_, {}, "open", T, T, T, intent_id="i1", products=("S1",)))
    graph.put_intent(Intent("i1", "Broken", ()))
    graph.put_document(DocumentNode("usual", "resolution", "Usual", "en"))
    graph.put_document(DocumentNode("once", "faq", "Once", "en"))
    graph.put_document(DocumentNode("manual", "product", "Manual", "en", products=("S1",)))
    graph.put_document(DocumentNode("old", "policy", "Old", "en", valid_to=T))
    graph.put_document(DocumentNode("renewed", "policy", "Renewed", "en", supersedes=("replaced",)))
    graph.put_document(DocumentNode("replaced", "policy", "Replaced", "en"))
    graph.link_answer("p1", "usual", 9.0, T)
    graph.link_answer("p1", "old", 9.0, T)
    graph.link_answer("p1", "replaced", 9.0, T)
    graph.link_answer("p1", "once", 1.0, T)
    graph.link_answer("p2", "renewed", 2.0, T)
    return graph


def test_the_prior_is_the_shrunk_share_of_accepted_answers() -> None:
    assert answer_prior(shop(), "p1", T) == {"usual": 9 / 13, "once": 1 / 13}
    assert answer_prior(shop(), "p2", T) == {"renewed": 2 / 5}
    assert answer_prior(shop(), "p1", T - DAY) == {"usual": 9 / 22, "old": 9 / 22, "once": 1 / 22}
    assert answer_prior(shop(), "unknown", T) == {}


@given(st.dictionaries(st.sampled_from("abcdef"), st.floats(0.01, 1e6)))
@settings(derandomize=True, deadline=None)
def test_priors_are_between_0_and_1_and_follow_the_evidence(weights: dict[str, float]) -> None:
    graph = ProblemGraph()
    graph.put_problem(Problem("p", {}, "open", T, T, T))
    for external_id, weight in weights.items():
        graph.put_document(DocumentNode(external_id, "faq", "", "en"))
        graph.link_answer("p", external_id, weight, T)
    prior = answer_prior(graph, "p", T)
    assert set(prior) == set(weights)
    assert all(0 < weight <= 1 for weight in prior.values())
    assert math.fsum(prior.values()) <= 1
    assert sorted(prior, key=lambda d: (-prior[d], d)) == [a.external_id for a in graph.answers_of("p", T)]


# --- a walk along the graph


def branching() -> ProblemGraph:
    """Two intents that share a problem's answer, and products with pages of their own."""
    graph = shop()
    graph.put_intent(Intent("i2", "Late", ()))
    graph.put_problem(Problem("p3", {}, "open", T, T, T, intent_id="i2", products=("S2",)))
    graph.put_document(DocumentNode("page", "product", "Page", "en", products=("S2",)))
    graph.link_answer("p3", "once", 4.0, T)
    return graph


def test_a_walk_leaves_half_at_each_node_and_shares_the_rest_by_weight() -> None:
    graph = ProblemGraph()
    graph.put_problem(Problem("p", {}, "open", T, T, T))
    for name, weight in (("a", 3.0), ("b", 1.0)):
        graph.put_document(DocumentNode(name, "faq", "", "en"))
        graph.link_answer("p", name, weight, T)
    found = propagated(graph, {"problem:p": 7.0}, T)
    # One edge: .5 x .5 of the mass by weight; three edges: there, back, and out again.
    assert found["a"] == pytest.approx(0.25 * 0.75 + 0.0625 * 0.75)
    assert found["b"] == pytest.approx(0.25 * 0.25 + 0.0625 * 0.25)


def test_a_walk_goes_three_edges_far_and_no_further() -> None:
    graph = ProblemGraph()
    for number in (1, 2):
        graph.put_problem(Problem(f"p{number}", {}, "open", T, T, T, products=("S",)))
    for name, problem in (("near", "p1"), ("far", "p2"), ("beyond", "p2")):
        graph.put_document(DocumentNode(name, "faq", "", "en"))
        graph.link_answer(problem, name, 1.0, T)
    graph.put_document(DocumentNode("five", "product", "", "en", products=("T",)))
    graph.put_problem(Problem("p3", {}, "open", T, T, T, products=("T",)))
    graph.link_answer("p3", "beyond", 1.0, T)
    found = propagated(graph, {"problem:p1": 1.0}, T)
    assert set(found) == {"near", "far", "beyond"}
    assert found["near"] > found["far"] > 0


def test_a_walk_follows_only_what_is_valid_then() -> None:
    graph = branching()
    assert "old" not in propagated(graph, {"problem:p1": 1.0}, T)
    assert "old" in propagated(graph, {"problem:p1": 1.0}, T - DAY)
    assert "replaced" not in propagated(graph, {"problem:p1": 1.0}, T)


def test_what_a_question_is_about_twice_over_is_reached_more() -> None:
    graph = branching()
    one = propagated(graph, {"intent:i1": 1.0}, T)
    both = propagated(graph, {"intent:i1": 1.0, "intent:i2": 1.0}, T)
    assert both["once"] > one["once"]


def test_a_walk_from_nowhere_reaches_nothing() -> None:
    assert propagated(branching(), {"problem:unknown": 1.0}, T) == {}
    assert propagated(branching(), {}, T) == {}
    assert propagated(branching(), {"problem:p1": 0.0}, T) == {}


@given(
    st.dictionaries(
        st.sampled_from(["problem:p1", "problem:p2", "intent:i1", "product:S1"]), st.floats(0, 1e6)
    )
)
@settings(derandomize=True, deadline=None)
def test_a_walk_gives_no_more_than_it_was_given(seeds: dict[str, float]) -> None:
    found = propagated(branching(), seeds, T)
    assert all(mass > 0 for mass in found.values())
    assert math.fsum(found.values()) < 1


def test_the_prior_walks_only_where_it_is_told_to_and_a_question_branches() -> None:
    graph = branching()
    plain, two = Linked("p1", ("S1",), ("i1",)), Linked("p1", ("S1", "S2"), ("i1",))
    assert not plain.branches
    assert not Linked("p1", ("S1", "S1")).branches
    assert two.branches
    assert Linked(None, (), ("i1", "i2")).branches
    assert prior(graph, plain, T, walks=True) == prior(graph, two, T) == answer_prior(graph, "p1", T)
    walked = prior(graph, two, T, walks=True)
    assert walked["page"] > 0
    assert walked["usual"] > answer_prior(graph, "p1", T)["usual"]
    assert all(0 < weight <= 1 for weight in walked.values())
    assert prior(graph, Linked(), T, walks=True) == {}
