"""From a problem to its answers along the graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

import networkx as nx  # type: ignore[import-untyped]

from graph.nodes import holds
from graph.problem_graph import ProblemGraph

PSEUDO_ANSWERS = 3.0
"""Weight of answers not yet seen: a problem's only answer, accepted once, weighs 1 / (1 + 3) = .25."""


def answer_prior(graph: ProblemGraph, problem_id: str, at: datetime) -> dict[str, float]:
    """How much a problem's past speaks for each document that answered it, by external id, 0 to 1.

    The share of the problem's accepted answers that were this document, shrunk by three pseudo-answers, so
    that one acceptance suggests and twenty convince. Only documents valid and not superseded at `at` count,
    also in the sum. The weights of a problem add up to less than 1.
    """
    answers = graph.answers_of(problem_id, at)
    total = math.fsum(answer.weight for answer in answers) + PSEUDO_ANSWERS
    return {answer.external_id: answer.weight / total for answer in answers}


def linked_documents(
    graph: ProblemGraph,
    seeds: Mapping[str, float],
    at: datetime,
    *,
    restart: float = 0.5,
    hops: int = 3,
    tolerance: float = 1e-4,
    limit: int = 50,
) -> dict[str, float]:
    """Documents near the seed nodes, by external id, from 1 for the nearest down to 0.

    `seeds` maps node ids (problems, intents, entities) to their weight in the question. Meant for questions
    with two or more linked seeds, or with a low margin at the top. Only edges, and documents, valid and not
    superseded at `at` count. At most `limit` documents, best first.
    """
    with graph.reading() as network:
        scores = personalised_pagerank(network, seeds, at, restart=restart, hops=hops, tolerance=tolerance)
        found = {
            external_id: score
            for node, score in scores.items()
            for kind, _, external_id in (node.partition(":"),)
            if kind == "document" and graph.current(external_id, at)
        }
    best = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return {external_id: score / best[0][1] for external_id, score in best}


def personalised_pagerank(
    network: nx.MultiDiGraph,
    seeds: Mapping[str, float],
    at: datetime | None,
    *,
    restart: float = 0.5,
    hops: int | None = 3,
    tolerance: float = 1e-4,
) -> dict[str, float]:
    """Personalised PageRank of the nodes around `seeds`, by forward push; the scores sum to 1.

    Forward push after Andersen, Chung and Lang, "Local Graph Partitioning using PageRank Vectors" (FOCS
    2006), level by level, so that at most `hops` steps are walked (None: until nothing is left to push). A
    node passes its residue on while it exceeds `tolerance` times the number of its neighbours; a smaller one
    ends there. Edges are walked both ways, weighted by log2(1 + weight), so that one popular answer
    does not drown the rest; only those valid at `at` (all, when None). What reaches a node without edges
    goes back to the seeds, as in `nx.pagerank`. Unknown seeds are left out; without any the result is empty.
    """
    total = math.fsum(weight for node, weight in seeds.items() if node in network and weight > 0)
    residue = {node: weight / total for node, weight in seeds.items() if node in network and weight > 0}
    scores: dict[str, float] = {}
    adjacency: dict[str, dict[str, float]] = {}
    level = 0
    while residue:
        passed: dict[str, float] = {}
        for node, mass in residue.items():
            scores[node] = scores.get(node, 0.0) + restart * mass
            if level == hops:
                continue
            if mass <= tolerance * (len(network._succ[node]) + len(network._pred[node])):
                continue
            if node not in adjacency:
                adjacency[node] = _adjacent(network, node, at)
            around = adjacency[node]
            share = (1 - restart) * mass / (math.fsum(around.values()) or 1.0)
            for other, weight in around.items():
                passed[other] = passed.get(other, 0.0) + share * weight
        residue = passed
        level += 1
    reached = math.fsum(scores.values())
    return {node: score / reached for node, score in scores.items()}


def _adjacent(network: nx.MultiDiGraph, node: str, at: datetime | None) -> dict[str, float]:
    """Weights of the neighbours of a node in either direction."""
    around: dict[str, float] = {}
    for neighbourhood in (
        network._succ[node],
        network._pred[node],
    ):  # the plain dicts: views cost half the walk
        for other, parallel in neighbourhood.items():
            for data in parallel.values():
                if holds(data["valid_from"], data["valid_to"], at):
                    around[other] = around.get(other, 0.0) + math.log2(1 + data["weight"])
    return around
