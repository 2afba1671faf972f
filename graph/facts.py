"""What the graph has been told: values, evidence and merges, and the edges that follow from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from graph.nodes import Edge, EdgeKind, Entry, is_entity
from graph.tally import Tally

EdgeRef: TypeAlias = tuple[str, str, EdgeKind]
"""Source node, target node, kind: at most one edge of a kind between two nodes in one direction."""


class Facts:
    """The memory behind a graph. Facts may name nodes that are not known yet; they wait for them.

    Changes answer with the facts whose edges may look different now. References are kept as they were told;
    merges are applied when an edge is asked for, so they may arrive before or after what they concern.
    """

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._claims: dict[EdgeRef, dict[str, Edge]] = {}
        self._tallies: dict[EdgeRef, Tally] = {}
        self._touching: defaultdict[str, set[EdgeRef]] = defaultdict(set)
        self._sources: defaultdict[str, set[EdgeRef]] = defaultdict(set)
        self._merged: dict[str, str] = {}
        self._absorbed: defaultdict[str, list[str]] = defaultdict(list)

    def put(self, entry: Entry) -> set[EdgeRef]:
        """Replaces what a node's value says; nothing is affected when it says the same."""
        before = self._entries.get(entry.node)
        if before == entry:
            return set()
        affected = {_ref(edge) for edge in entry.edges}
        if before is not None:
            affected |= {self._unclaim(edge, entry.node) for edge in before.edges}
        for edge in entry.edges:
            self._claims.setdefault(_ref(edge), {})[entry.node] = edge
            self._remember(_ref(edge))
        self._entries[entry.node] = entry
        if before is None or entry.attributes["kind"] == "document":
            affected |= self.about(entry.node)  # they waited for the node, or share its validity
        return affected

    def remove(self, node: str) -> set[EdgeRef]:
        """Forgets a node's value with the edges that it declared."""
        entry = self._entries.pop(node, None)
        if entry is None:
            return set()
        return {self._unclaim(edge, node) for edge in entry.edges} | self.about(node)

    def link(self, ref: EdgeRef, weight: float, at: datetime, source: str | None) -> None:
        """Adds evidence for an edge."""
        tally = self._tallies.get(ref, Tally())
        tally.add(weight, at, source)
        self._tallies[ref] = tally
        if source is not None:
            self._sources[source].add(ref)
        self._remember(ref)

    def unlink(self, source: str) -> set[EdgeRef]:
        """Takes back all evidence of one source."""
        affected = self._sources.pop(source, set())
        for ref in affected:
            self._tallies[ref].drop(source)
            if not self._tallies[ref]:
                del self._tallies[ref]
                self._forget(ref)
        return affected

    def merge(self, old: str, into: str) -> None:
        """Lets one node stand for another; both must be survivors."""
        self._merged[old] = into
        self._absorbed[into].append(old)

    def present(self, node: str) -> bool:
        """Whether a node is to be seen: it has a value and was not merged into another."""
        return node in self._entries and node not in self._merged

    def survivor(self, node: str) -> str:
        """The node that stands for this one after all merges."""
        while node in self._merged:
            node = self._merged[node]
        return node

    def about(self, node: str) -> set[EdgeRef]:
        """Every fact that names a node, or one that was merged into it."""
        return set().union(*(self._touching.get(member, ()) for member in self._group(node)))

    def edge(self, source: str, target: str, kind: EdgeKind) -> dict[str, object] | None:
        """The attributes of an edge between two survivors, or None while it must not be seen.

        The weight is the larger of the evidence's sum and the declared one. An answer holds while its
        document does; other edges as long as any of their declarations.
        """
        if not self.present(source) or not (self.present(target) or is_entity(target)):
            return None
        refs: list[EdgeRef] = [(a, b, kind) for a in self._group(source) for b in self._group(target)]
        claims = [
            edge
            for ref in refs
            for owner, edge in self._claims.get(ref, {}).items()
            if owner not in self._merged
        ]
        tallies = [self._tallies[ref] for ref in refs if ref in self._tallies]
        weight = Tally.total(tallies)
        if not claims and weight <= 0:
            return None
        valid_from, valid_to = _widest(claims)
        if kind == "answered_by":
            document = self._entries[target].attributes
            valid_from, valid_to = document["valid_from"], document["valid_to"]
        return {
            "weight": max([weight, *(edge.weight for edge in claims)]),
            "valid_from": valid_from,
            "valid_to": valid_to,
            "first_at": min((t.first_at for t in tallies if t.first_at is not None), default=None),
            "last_at": max((t.last_at for t in tallies if t.last_at is not None), default=None),
        }

    def _group(self, node: str) -> list[str]:
        """A node with all that was merged into it, itself first."""
        group = [node]
        for member in group:
            group.extend(self._absorbed.get(member, ()))
        return group

    def _unclaim(self, edge: Edge, owner: str) -> EdgeRef:
        ref = _ref(edge)
        owners = self._claims.get(ref, {})
        owners.pop(owner, None)
        if not owners:
            self._claims.pop(ref, None)
            self._forget(ref)
        return ref

    def _remember(self, ref: EdgeRef) -> None:
        for node in ref[:2]:
            self._touching[node].add(ref)

    def _forget(self, ref: EdgeRef) -> None:
        if ref in self._claims or ref in self._tallies:
            return
        for node in ref[:2]:
            self._touching[node].discard(ref)
            if not self._touching[node]:
                del self._touching[node]


def _ref(edge: Edge) -> EdgeRef:
    return edge.source, edge.target, edge.kind


def _widest(edges: Iterable[Edge]) -> tuple[object, object]:
    """The interval that covers those of all edges; without edges it is open."""
    starts = [edge.valid_from for edge in edges]
    ends = [edge.valid_to for edge in edges]
    return (
        None if None in starts else min((start for start in starts if start), default=None),
        None if None in ends else max((end for end in ends if end), default=None),
    )
