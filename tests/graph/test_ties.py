"""What nodes of the graph are tied to at a moment, and until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from graph.models import Problem
from graph.nodes import DocumentNode, EdgeKind
from graph.problem_graph import ProblemGraph

NOW = datetime(2026, 6, 18, tzinfo=UTC)
DAY = timedelta(days=1)
ABOUT: tuple[EdgeKind, ...] = ("about",)
ANSWERED: tuple[EdgeKind, ...] = ("answered_by",)
KINDS = (*ABOUT, *ANSWERED)


def graph_with(*documents: DocumentNode) -> ProblemGraph:
    graph = ProblemGraph()
    graph.put_problem(
        Problem("p1", {"en": "late"}, "open", NOW, NOW, NOW, products=("SKU-1",), intent_id="i1")
    )
    for document in documents:
        graph.put_document(document)
        graph.link_answer("p1", document.external_id, 0.5, NOW)
    return graph


def test_ties_of_the_kinds_asked_for_are_told_with_what_they_lead_to() -> None:
    graph = graph_with(DocumentNode("returns", "policy", "Returns", "en"))
    ties = graph.ties(["problem:p1", "problem:unknown"], KINDS, NOW)
    assert ties.weights == {("problem:p1", "product:SKU-1"): 1.0, ("problem:p1", "document:returns"): 0.5}
    assert ties.others["document:returns"]["document_kind"] == "policy"
    assert ties.until is None
    assert graph.ties(["problem:p1"], ABOUT, NOW).weights.keys() == {("problem:p1", "product:SKU-1")}


def test_only_what_holds_is_told_and_when_that_changes() -> None:
    graph = graph_with(
        DocumentNode("over", "policy", "Over", "en", valid_to=NOW - DAY),
        DocumentNode("ends", "policy", "Ends", "en", valid_to=NOW + 3 * DAY),
        DocumentNode("comes", "policy", "Comes", "en", valid_from=NOW + 2 * DAY),
    )
    ties = graph.ties(["problem:p1"], ANSWERED, NOW)
    assert ties.weights.keys() == {("problem:p1", "document:ends")}
    assert ties.until == NOW + 2 * DAY
    later = graph.ties(["problem:p1"], ANSWERED, NOW + 2 * DAY)
    assert later.weights.keys() == {("problem:p1", "document:ends"), ("problem:p1", "document:comes")}
    assert later.until == NOW + 3 * DAY


def test_a_graph_that_changes_has_another_version() -> None:
    graph = graph_with()
    changes: list[Callable[[], None]] = [
        lambda: graph.put_document(DocumentNode("returns", "policy", "Returns", "en")),
        lambda: graph.link_answer("p1", "returns", 1.0, NOW, source="s"),
        lambda: graph.unlink("s"),
        lambda: graph.put_problem(Problem("p2", {"en": "later"}, "open", NOW, NOW, NOW)),
        lambda: graph.merge_problems("p2", "p1"),
        lambda: graph.remove_document("returns"),
    ]
    for change in changes:
        before = graph.version
        change()
        assert graph.version > before
    before = graph.version
    graph.merge_problems("p2", "p1")
    graph.ties(["problem:p1"], KINDS, NOW)
    assert graph.version == before
