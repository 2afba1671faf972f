"""The graph for readers outside: a neighbourhood, and node-link JSON in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import networkx as nx  # type: ignore[import-untyped]

from graph.nodes import holds

Snapshot: TypeAlias = tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, str, str, dict[str, Any]]]]
"""Nodes with attributes, and edges as (source, target, key, attributes)."""


def around(
    graph: nx.MultiDiGraph, start: str, hops: int, limit: int, at: datetime | None
) -> tuple[list[str], bool]:
    """At most `limit` nodes within `hops` of `start`, and whether there were more.

    Nearer nodes come first, then those on heavier edges. Edges are followed both ways; nodes and edges not
    valid at `at` are skipped.
    """
    if start not in graph or limit < 1:
        return [], start in graph
    kept = [start]
    seen = {start}
    frontier = [start]
    for _ in range(hops):
        reach: dict[str, float] = {}
        for node in frontier:
            for other, weight in _adjacent(graph, node, at):
                if other not in seen:
                    reach[other] = max(weight, reach.get(other, 0.0))
        frontier = sorted(reach, key=lambda other: (-reach[other], other))
        room = limit - len(kept)
        if len(frontier) > room:
            return kept + frontier[:room], True
        kept += frontier
        seen.update(frontier)
    return kept, False


def snapshot(graph: nx.MultiDiGraph, nodes: Iterable[str], at: datetime | None) -> Snapshot:
    """Copies of the nodes that are valid at `at`, and of the valid edges between them."""
    alive = {node for node in nodes if _alive(graph, node, at)}
    # The plain dicts of networkx, not its views: the graph's lock is held meanwhile.
    edges = [
        (source, target, key, dict(data))
        for source in alive
        for target, parallel in graph._succ[source].items()
        if target in alive
        for key, data in parallel.items()
        if holds(data["valid_from"], data["valid_to"], at)
    ]
    return [(node, dict(graph._node[node])) for node in alive], edges


def node_link(snapshot: Snapshot, about: Mapping[str, object]) -> dict[str, Any]:
    """JSON-able node-link data as `nx.node_link_graph` reads it; equal graphs give equal data.

    Nodes are sorted by id, edges by source, target and key (the kind of the edge); times become ISO 8601.
    """
    nodes, edges = snapshot
    return {
        "directed": True,
        "multigraph": True,
        "graph": dict(about),
        "nodes": [{"id": node, **_plain(data)} for node, data in sorted(nodes, key=lambda item: item[0])],
        "edges": [
            {"source": source, "target": target, "key": key, **_plain(data)}
            for source, target, key, data in sorted(edges, key=lambda item: item[:3])
        ],
    }


def _adjacent(graph: nx.MultiDiGraph, node: str, at: datetime | None) -> Iterable[tuple[str, float]]:
    for neighbourhood in (graph._succ[node], graph._pred[node]):
        for other, parallel in neighbourhood.items():
            weights = [
                data["weight"]
                for data in parallel.values()
                if holds(data["valid_from"], data["valid_to"], at)
            ]
            if weights and _alive(graph, other, at):
                yield other, max(weights)


def _alive(graph: nx.MultiDiGraph, node: str, at: datetime | None) -> bool:
    data = graph._node[node]
    return holds(data.get("valid_from"), data.get("valid_to"), at)


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in data.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return list(value)  # a copy: what a reader does to its answer must not reach the graph
    return dict(value) if isinstance(value, dict) else value
