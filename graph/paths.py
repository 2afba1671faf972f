"""From a problem to its answers along the graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from graph.nodes import EdgeKind, node_id
from graph.problem_graph import ProblemGraph

PSEUDO_ANSWERS = 3.0
"""Weight of answers not yet seen: a problem's only answer, accepted once, weighs 1 / (1 + 3) = .25."""
RESTART = 0.5
HOPS = 3
LEAST = 1e-4
"""Mass below which a node passes nothing on: together they hold less than could move a rank."""
FOLLOWED: tuple[EdgeKind, ...] = ("answered_by", "about", "belongs_to")
"""Edges that lead from what a question is about to what answers it. Agents, clusters and alerts lead elsewhere."""


def answer_prior(graph: ProblemGraph, problem_id: str, at: datetime) -> dict[str, float]:
    """How much a problem's past speaks for each document that answered it, by external id, 0 to 1.

    The share of the problem's accepted answers that were this document, shrunk by three pseudo-answers, so
    that one acceptance suggests and twenty convince. Only documents valid and not superseded at `at` count,
    also in the sum. The weights of a problem add up to less than 1.
    """
    answers = graph.answers_of(problem_id, at)
    total = math.fsum(answer.weight for answer in answers) + PSEUDO_ANSWERS
    return {answer.external_id: answer.weight / total for answer in answers}


@dataclass(frozen=True, slots=True)
class Linked:
    """What a question is linked to: a problem, products by SKU, the intents that it may have."""

    problem_id: str | None = None
    products: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()

    @property
    def branches(self) -> bool:
        """Whether a walk can tell more than a look-up: two products or intents meet somewhere in the graph."""
        return len(set(self.products)) > 1 or len(set(self.intents)) > 1

    def seeds(self) -> dict[str, float]:
        """The nodes that a walk begins at; the intents share one weight."""
        found = {node_id("product", sku): 1.0 for sku in self.products}
        found |= {node_id("intent", intent): 1 / len(self.intents) for intent in self.intents}
        if self.problem_id is not None:
            found[node_id("problem", self.problem_id)] = 1.0
        return found


def prior(graph: ProblemGraph, linked: Linked, at: datetime, *, walks: bool = False) -> dict[str, float]:
    """How strongly the graph ties each document to a question, by external id, 0 to 1.

    Always the answers of its problem; with `walks`, where the question branches, also what a walk reaches.
    """
    found = answer_prior(graph, linked.problem_id, at) if linked.problem_id is not None else {}
    if walks and linked.branches:
        for external_id, mass in propagated(graph, linked.seeds(), at).items():
            found[external_id] = min(found.get(external_id, 0.0) + mass, 1.0)
    return found


def propagated(graph: ProblemGraph, seeds: Mapping[str, float], at: datetime) -> dict[str, float]:
    """How much of a walk from the seeds ends at each document, by external id; all of them sum to less than 1.

    Personalised PageRank by forward push (Andersen, Chung, Lang: Local Graph Partitioning using PageRank Vectors,
    2006), level by level: at each node half of what arrives stays, the rest goes to its neighbours in the measure of
    the edges' weights, at most three edges far. `seeds` maps nodes (`problem:p1`, `intent:i1`, `product:S1`) to
    weights of any sum; those that the graph does not know are left out. Only edges valid at `at` are followed, both
    ways, and no document that is superseded then is reached.
    """
    with graph.reading():
        known = {node: weight for node, weight in seeds.items() if weight > 0 and node in graph}
        total = math.fsum(known.values())
        arriving = {node: weight / total for node, weight in known.items()}
        settled: dict[str, float] = {}
        for hop in range(HOPS + 1):
            leaving: dict[str, float] = {}
            for node, mass in arriving.items():
                settled[node] = settled.get(node, 0.0) + RESTART * mass
                if hop < HOPS and mass >= LEAST:
                    _push(graph, node, (1 - RESTART) * mass, at, leaving)
            arriving = leaving
    return {
        external_id: mass
        for node, mass in sorted(settled.items())
        for kind, _, external_id in [node.partition(":")]
        if kind == "document"
    }


def _push(graph: ProblemGraph, node: str, mass: float, at: datetime, leaving: dict[str, float]) -> None:
    around = [
        neighbour
        for neighbour in graph.neighbours(node, at=at, edges=FOLLOWED)
        if neighbour.kind != "document" or not graph.superseded(neighbour.node, at)
    ]
    whole = math.fsum(neighbour.weight for neighbour in around)
    for neighbour in around:
        leaving[neighbour.node] = leaving.get(neighbour.node, 0.0) + mass * neighbour.weight / whole
