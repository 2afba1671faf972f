from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.models import Intent, Problem
from graph.nodes import DocumentNode
from graph.paths import answer_prior
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
