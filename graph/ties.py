"""What some nodes of the graph are tied to at a moment, and until when that holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import networkx as nx  # type: ignore[import-untyped]

from graph.nodes import EdgeKind, holds


@dataclass(frozen=True, slots=True)
class NodeTies:
    """`weights` of edges by their ends, those of several kinds summed; what is known of the `others`, by node; and
    the first moment, after that which was asked for, at which validity changes any of this, None where none does."""

    weights: Mapping[tuple[str, str], float]
    others: Mapping[str, Mapping[str, object]]
    until: datetime | None


def ties_from(
    graph: nx.MultiDiGraph, nodes: Iterable[str], kinds: Collection[EdgeKind], at: datetime
) -> NodeTies:
    """The edges of some kinds that lead out of nodes and hold at `at`, to nodes that hold then."""
    weights: dict[tuple[str, str], float] = {}
    others: dict[str, dict[str, object]] = {}
    changes: set[datetime] = set()
    for node in nodes:
        for other, parallel in graph._succ.get(node, {}).items():
            known = graph._node[other]
            for kind, data in parallel.items():
                if kind not in kinds:
                    continue
                spans = (
                    (data["valid_from"], data["valid_to"]),
                    (known.get("valid_from"), known.get("valid_to")),
                )
                changes.update(
                    moment for span in spans for moment in span if moment is not None and moment > at
                )
                if all(holds(*span, at) for span in spans):
                    weights[node, other] = weights.get((node, other), 0.0) + data["weight"]
                    others[other] = dict(known)
    return NodeTies(weights, others, min(changes, default=None))
