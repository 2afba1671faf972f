from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.models import Intent, Problem
from graph.nodes import DocumentNode
from graph.paths import answer_prior, linked_documents, personalised_pagerank
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


def test_linked_documents_are_near_valid_and_current() -> None:
    found = linked_documents(shop(), {"problem:p1": 1.0, "product:S1": 1.0}, T)
    assert found["usual"] == 1.0
    assert set(found) == {"usual", "once", "manual", "renewed"}
    assert found["usual"] > found["manual"] > 0
    assert linked_documents(shop(), {"problem:p1": 1.0}, T, limit=1) == {"usual": 1.0}
    assert linked_documents(shop(), {"problem:unknown": 1.0}, T) == {}
    assert linked_documents(shop(), {}, T) == {}


networks = st.builds(
    lambda size, pairs: (size, [(a % size, b % size, k, w) for a, b, k, w in pairs if a % size != b % size]),
    st.integers(2, 12),
    st.lists(
        st.tuples(
            st.integers(0, 99), st.integers(0, 99), st.sampled_from("xy"), st.sampled_from([1.0, 3.0, 7.0])
        ),
        max_size=30,
    ),
)
seed_weights = st.dictionaries(st.integers(0, 11), st.sampled_from([0.5, 1.0, 2.0]), min_size=1, max_size=3)


def built(size: int, pairs: list[tuple[int, int, str, float]]) -> tuple[nx.MultiDiGraph, nx.Graph]:
    network, plain = nx.MultiDiGraph(), nx.Graph()
    network.add_nodes_from(range(size))
    plain.add_nodes_from(range(size))
    for source, target, kind, weight in pairs:
        network.add_edge(source, target, key=kind, weight=weight, valid_from=None, valid_to=None)
    for source, target, data in network.edges(data=True):
        before = plain.get_edge_data(source, target, {"weight": 0.0})["weight"]
        plain.add_edge(source, target, weight=before + math.log2(1 + data["weight"]))
    return network, plain


@given(networks, seed_weights)
@settings(derandomize=True, deadline=None)
def test_forward_push_agrees_with_power_iteration(
    network: tuple[int, list[tuple[int, int, str, float]]], seeds: dict[int, float]
) -> None:
    directed, plain = built(*network)
    seeds = {node: weight for node, weight in seeds.items() if node < network[0]} or {0: 1.0}
    expected = nx.pagerank(plain, alpha=0.5, personalization=seeds, tol=1e-12, max_iter=1000)
    exact = personalised_pagerank(directed, seeds, None, hops=None, tolerance=1e-12)  # type: ignore[arg-type]
    assert math.fsum(exact.values()) == pytest.approx(1.0)
    assert all(exact.get(node, 0.0) == pytest.approx(score, abs=1e-6) for node, score in expected.items())
    near = personalised_pagerank(directed, seeds, None, hops=3, tolerance=1e-12)  # type: ignore[arg-type]
    # Three hops leave half of a half of a half of a half of the mass unwalked; scaling spreads that.
    assert sum(abs(near.get(node, 0.0) - score) for node, score in expected.items()) <= 2 * 0.5**4


def test_a_walk_follows_valid_edges_only_and_stops_after_its_hops() -> None:
    network = nx.MultiDiGraph()
    for i in range(5):
        network.add_edge(i, i + 1, key="x", weight=1.0, valid_from=None, valid_to=None)
    network.add_edge(0, 9, key="x", weight=1.0, valid_from=None, valid_to=T)
    assert set(personalised_pagerank(network, {0: 1.0}, T)) == {0, 1, 2, 3}  # type: ignore[dict-item]
    assert 9 in personalised_pagerank(network, {0: 1.0}, T - DAY)  # type: ignore[dict-item]


def test_a_coarse_push_finds_the_same_documents_first() -> None:
    graph = ProblemGraph()
    for i in range(300):
        graph.put_document(DocumentNode(f"d{i}", "faq", "", "en"))
    for i in range(100):
        graph.put_problem(Problem(f"p{i}", {}, "open", T, T, T, products=(f"S{i % 7}",)))
        for j in range(8):
            graph.link_answer(f"p{i}", f"d{(i * i + 11 * j) % 300}", 1.0 + j, T)
    seeds = {"problem:p3": 1.0, "product:S5": 1.0}
    coarse, fine = (list(linked_documents(graph, seeds, T, tolerance=t, limit=10)) for t in (1e-4, 1e-9))
    assert coarse == fine
