"""The graph of one workspace: problems, what they are about, what answers them, who resolves them.

The graph is a function of the facts given to it: values that were put, evidence that was linked, merges.
An edge is visible exactly when both its ends are, so the order in which facts arrive never matters, and a
graph kept up to date in place equals one built from scratch.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import networkx as nx  # type: ignore[import-untyped]

from graph.evidence import Tally
from graph.export import node_link
from graph.models import Agent, Alert, Expertise, Intent, Problem
from graph.nodes import (
    DocumentNode,
    Edge,
    EdgeKind,
    EntityNode,
    EntityType,
    Entry,
    ExemplarNode,
    NodeKind,
    describe,
    entity_attributes,
    holds,
    is_entity,
    node_id,
)

EdgeRef: TypeAlias = tuple[str, str, EdgeKind]
"""Source node, target node, kind: at most one edge of a kind between two nodes in one direction."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A node one edge away. `outgoing` tells whether the edge leads to it; `weight` is the edge's."""

    node: str
    kind: str
    edge: str
    outgoing: bool
    weight: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A document that answered a problem before, with the summed weight of that evidence."""

    external_id: str
    title: str
    kind: str
    language: str
    audience: str
    weight: float
    first_at: datetime
    last_at: datetime


class ProblemGraph:
    """One `nx.MultiDiGraph` over problems, exemplars, intents, entities, documents, agents, expertise, alerts.

    Safe for one writer and many readers: each change and each read holds one re-entrant lock, so a reader
    sees whole changes only. Reads are short; long walks take `reading()` once.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._graph = nx.MultiDiGraph()
        self._entries: dict[str, Entry] = {}
        self._claims: dict[EdgeRef, dict[str, Edge]] = {}
        self._tallies: dict[EdgeRef, Tally] = {}
        self._touching: defaultdict[str, set[EdgeRef]] = defaultdict(set)
        self._sources: defaultdict[str, set[EdgeRef]] = defaultdict(set)
        self._merged: dict[str, str] = {}
        self._absorbed: defaultdict[str, set[str]] = defaultdict(set)

    # -- facts: values ------------------------------------------------------------------------------

    def put_problem(self, problem: Problem) -> None:
        """Adds or updates a problem; its `aliases` are merged into it."""
        with self._lock:
            entry = describe(problem)
            self._put(entry)
            for alias in entry.aliases:
                self._merge(alias, entry.node)

    def put_exemplar(self, exemplar: ExemplarNode) -> None:
        self._put(describe(exemplar))

    def put_intent(self, intent: Intent) -> None:
        self._put(describe(intent))

    def put_entity(self, entity: EntityNode) -> None:
        """Names a product, carrier or campaign; one that is only referred to exists without this."""
        self._put(describe(entity))

    def put_document(self, document: DocumentNode) -> None:
        """Adds or updates an approved document. Drafts do not belong in the graph."""
        self._put(describe(document))

    def put_agent(self, agent: Agent) -> None:
        self._put(describe(agent))

    def put_expertise(self, expertise: Expertise) -> None:
        self._put(describe(expertise))

    def put_alert(self, alert: Alert) -> None:
        self._put(describe(alert))

    def remove_problem(self, problem_id: str) -> None:
        """Removes a problem. An id that was merged only loses its hidden value; the survivor stays whole."""
        self._remove(node_id("problem", problem_id))

    def remove_exemplar(self, exemplar_id: str) -> None:
        self._remove(node_id("exemplar", exemplar_id))

    def remove_intent(self, intent_id: str) -> None:
        self._remove(node_id("intent", intent_id))

    def remove_entity(self, type: EntityType, entity_id: str) -> None:
        """Forgets an entity's names; it stays while something refers to it."""
        self._remove(node_id(type, entity_id))

    def remove_document(self, external_id: str) -> None:
        """Removes a document with all its edges. Evidence about it waits, should the document return."""
        self._remove(node_id("document", external_id))

    def remove_agent(self, agent_id: str) -> None:
        self._remove(node_id("agent", agent_id))

    def remove_expertise(self, expertise_id: str) -> None:
        self._remove(node_id("expertise", expertise_id))

    def remove_alert(self, alert_id: str) -> None:
        self._remove(node_id("alert", alert_id))

    # -- facts: evidence and merges -----------------------------------------------------------------

    def link_answer(
        self, problem_id: str, external_id: str, weight: float, at: datetime, *, source: str | None = None
    ) -> None:
        """Adds evidence that a document answers a problem; a negative weight takes some away.

        `source` names the outcome that tells so: the same source replaces its earlier word, and
        `unlink(source)` takes it back. Without one the weight simply adds up. The edge shows while the sum
        is positive, and holds while the document is valid.
        """
        self._link((node_id("problem", problem_id), node_id("document", external_id), "answered_by"),
                   weight, at, source)  # fmt: skip

    def link_resolver(
        self, problem_id: str, agent_id: str, weight: float, at: datetime, *, source: str | None = None
    ) -> None:
        """Adds evidence that an agent resolves a problem; `source` as in `link_answer`."""
        self._link((node_id("agent", agent_id), node_id("problem", problem_id), "resolves"),
                   weight, at, source)  # fmt: skip

    def link_entity(
        self,
        problem_id: str,
        type: EntityType,
        entity_id: str,
        weight: float,
        at: datetime,
        *,
        source: str | None = None,
    ) -> None:
        """Adds evidence that a problem is about a product, carrier or campaign; `source` as in `link_answer`."""
        self._link((node_id("problem", problem_id), node_id(type, entity_id), "about"), weight, at, source)

    def unlink(self, source: str) -> None:
        """Takes back all evidence of one source, for example an event that was erased."""
        with self._lock:
            for ref in self._sources.pop(source, ()):
                tally = self._tallies[ref]
                tally.drop(source)
                if not tally:
                    del self._tallies[ref]
                    self._forget(ref)
                self._settle(ref)

    def merge_problems(self, old: str, into: str) -> None:
        """Hides `old` behind `into`: evidence, exemplars, alerts and members of `old` count for `into`.

        What the value of `old` itself declared (its intent, products, owner) does not move. Merging what is
        already merged changes nothing.
        """
        with self._lock:
            self._merge(node_id("problem", old), node_id("problem", into))

    # -- reads --------------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[nx.MultiDiGraph]:
        """The graph itself, held still while the block runs; for walks, never for changes."""
        with self._lock:
            yield self._graph

    def survivor(self, problem_id: str) -> str:
        """The id of the problem that this id was merged into, or the id itself."""
        with self._lock:
            return self._canonical(node_id("problem", problem_id)).partition(":")[2]

    def __contains__(self, node: str) -> bool:
        with self._lock:
            return node in self._graph

    def counts(self) -> Mapping[str, int]:
        """Number of nodes of each kind."""
        with self._lock:
            return dict(sorted(Counter(kind for _, kind in self._graph.nodes(data="kind")).items()))

    def neighbours(
        self,
        node: str,
        kinds: Collection[NodeKind] = (),
        at: datetime | None = None,
        *,
        edges: Collection[EdgeKind] = (),
    ) -> tuple[Neighbour, ...]:
        """Nodes one edge away in either direction, heaviest first; empty for an unknown node.

        `kinds` limits to kinds of nodes and `edges` to kinds of edges (empty: all); only edges valid at
        `at` count, or all without it.
        """
        with self._lock:
            node = self._canonical(node)
            found = [
                Neighbour(other, self._graph.nodes[other]["kind"], kind, outgoing, data["weight"])
                for other, kind, outgoing, data in self._incident(node)
                if holds(data["valid_from"], data["valid_to"], at)
            ]
        wanted = (n for n in found if (not kinds or n.kind in kinds) and (not edges or n.edge in edges))
        return tuple(sorted(wanted, key=lambda n: (-n.weight, n.node, n.edge, n.outgoing)))

    def superseded(self, external_id: str, at: datetime) -> bool:
        """Whether a document valid at `at` supersedes this one."""
        with self._lock:
            return self._is_superseded(node_id("document", external_id), at)

    def answers_of(self, problem_id: str, at: datetime) -> tuple[Answer, ...]:
        """Documents that answered a problem and are valid and not superseded at `at`, heaviest first.

        Every audience is included; the caller knows who asks.
        """
        with self._lock:
            node = self._canonical(node_id("problem", problem_id))
            found = [
                self._answer(document, data)
                for document, kind, outgoing, data in self._incident(node)
                if outgoing
                and kind == "answered_by"
                and holds(data["valid_from"], data["valid_to"], at)
                and not self._is_superseded(document, at)
            ]
        return tuple(sorted(found, key=lambda answer: (-answer.weight, answer.external_id)))

    def subgraph(
        self, problem_id: str, hops: int = 2, limit: int = 200, *, at: datetime | None
    ) -> dict[str, Any]:
        """The neighbourhood of a problem as node-link JSON: at most `limit` nodes, nearest and heaviest first.

        Nodes and edges not valid at `at` are left out; None shows all. `graph.truncated` tells whether the
        limit cut something off. An unknown problem gives no nodes.
        """
        with self._lock:
            start = self._canonical(node_id("problem", problem_id))
            kept, truncated = self._around(start, hops, limit, at)
            nodes, edges = self._snapshot(kept, at)
        return node_link(nodes, edges, {"problem": start.partition(":")[2], "truncated": truncated})

    def node_link(self, *, at: datetime | None) -> dict[str, Any]:
        """The whole graph as node-link JSON, in a fixed order; what is not valid at `at` is left out."""
        with self._lock:
            nodes, edges = self._snapshot(self._graph, at)
        return node_link(nodes, edges, {})

    # -- inside: facts to graph ---------------------------------------------------------------------

    def _put(self, entry: Entry) -> None:
        with self._lock:
            before = self._entries.get(entry.node)
            if before == entry:
                return
            affected = {(e.source, e.target, e.kind) for e in entry.edges}
            if before is not None:
                for edge in before.edges:
                    affected.add(self._unclaim(edge, entry.node))
            if before is None or entry.attributes["kind"] == "document":
                affected |= self._touching[entry.node]  # edges that waited for it, or share its validity
            for edge in entry.edges:
                self._claim(edge, entry.node)
            self._entries[entry.node] = entry
            if self._present(entry.node):
                self._graph.add_node(entry.node)
                attributes = self._graph.nodes[entry.node]
                attributes.clear()
                attributes.update(entry.attributes)
            self._settle_all(affected)

    def _remove(self, node: str) -> None:
        with self._lock:
            entry = self._entries.pop(node, None)
            if entry is None:
                return
            affected = {self._unclaim(edge, node) for edge in entry.edges}
            if node not in self._merged:
                self._vanish(node)
            self._settle_all(affected | self._touching.get(node, set()))

    def _link(self, ref: EdgeRef, weight: float, at: datetime, source: str | None) -> None:
        with self._lock:
            self._tallies.setdefault(ref, Tally()).add(weight, at, source)
            if source is not None:
                self._sources[source].add(ref)
            self._remember(ref)
            self._settle(ref)

    def _merge(self, old: str, into: str) -> None:
        into = self._canonical(into)
        if self._canonical(old) == into:
            return
        if old in self._merged:
            self._absorbed[self._merged[old]].discard(old)
            self._settle_all(set().union(*(self._touching[node] for node in self._group(old))))
        self._vanish(old)
        self._merged[old] = into
        self._absorbed[into].add(old)
        self._settle_all(set().union(*(self._touching[node] for node in self._group(into))))

    def _claim(self, edge: Edge, owner: str) -> None:
        ref = (edge.source, edge.target, edge.kind)
        self._claims.setdefault(ref, {})[owner] = edge
        self._remember(ref)

    def _unclaim(self, edge: Edge, owner: str) -> EdgeRef:
        ref = (edge.source, edge.target, edge.kind)
        owners = self._claims.get(ref, {})
        owners.pop(owner, None)
        if not owners:
            self._claims.pop(ref, None)
            self._forget(ref)
        return ref

    def _remember(self, ref: EdgeRef) -> None:
        self._touching[ref[0]].add(ref)
        self._touching[ref[1]].add(ref)

    def _forget(self, ref: EdgeRef) -> None:
        if ref not in self._claims and ref not in self._tallies:
            self._touching[ref[0]].discard(ref)
            self._touching[ref[1]].discard(ref)

    def _settle_all(self, refs: Iterable[EdgeRef]) -> None:
        for ref in list(refs):
            self._settle(ref)

    def _settle(self, ref: EdgeRef) -> None:
        """Brings the one visible edge behind a fact in line with all facts about it."""
        source, target, kind = self._canonical(ref[0]), self._canonical(ref[1]), ref[2]
        attributes = self._attributes(source, target, kind)
        if attributes is not None and is_entity(target) and target not in self._graph:
            entry = self._entries.get(target)
            self._graph.add_node(target, **(entry.attributes if entry else entity_attributes(target)))
        if attributes is not None:
            self._graph.add_edge(source, target, key=kind, **attributes)
        elif self._graph.has_edge(source, target, key=kind):
            self._graph.remove_edge(source, target, key=kind)
            self._sweep(target)

    def _attributes(self, source: str, target: str, kind: EdgeKind) -> dict[str, object] | None:
        """The attributes of a visible edge, or None while it must not be seen."""
        if not self._present(source) or not (self._present(target) or is_entity(target)):
            return None
        refs = [(a, b, kind) for a in self._group(source) for b in self._group(target)]
        claims = [
            edge
            for ref in refs
            for owner, edge in self._claims.get(ref, {}).items()
            if self._present(owner)
        ]
        tallies = [self._tallies[ref] for ref in refs if ref in self._tallies]
        weight = Tally.total(tallies)
        if not claims and weight <= 0:
            return None
        if kind == "answered_by":
            document = self._entries[target].attributes
            span = (document["valid_from"], document["valid_to"])
        else:
            span = _widest(claims)
        attributes: dict[str, object] = {
            "weight": max([weight, *(edge.weight for edge in claims)]),
            "valid_from": span[0],
            "valid_to": span[1],
            "first_at": min((tally.first_at for tally in tallies), default=None),
            "last_at": max((tally.last_at for tally in tallies), default=None),
        }
        return attributes

    def _present(self, node: str) -> bool:
        return node in self._entries and node not in self._merged

    def _canonical(self, node: str) -> str:
        while node in self._merged:
            node = self._merged[node]
        return node

    def _group(self, node: str) -> list[str]:
        """A node with all that was merged into it, itself first."""
        group = [node]
        for member in group:
            group.extend(self._absorbed.get(member, ()))
        return group

    def _vanish(self, node: str) -> None:
        if node not in self._graph:
            return
        around = set(self._graph.successors(node)) | set(self._graph.predecessors(node))
        self._graph.remove_node(node)
        for other in around:
            self._sweep(other)

    def _sweep(self, node: str) -> None:
        """Drops an entity that nothing refers to and nobody declared."""
        if is_entity(node) and node not in self._entries and not self._graph.degree(node):
            self._graph.remove_node(node)

    # -- inside: reading ----------------------------------------------------------------------------

    def _incident(self, node: str) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
        if node not in self._graph:
            return
        for _, other, kind, data in self._graph.out_edges(node, keys=True, data=True):
            yield other, kind, True, data
        for other, _, kind, data in self._graph.in_edges(node, keys=True, data=True):
            yield other, kind, False, data

    def _is_superseded(self, document: str, at: datetime) -> bool:
        return any(
            kind == "supersedes" and not outgoing and holds(data["valid_from"], data["valid_to"], at)
            for _, kind, outgoing, data in self._incident(document)
        )

    def _answer(self, node: str, edge: Mapping[str, Any]) -> Answer:
        document = self._graph.nodes[node]
        return Answer(
            node.partition(":")[2],
            document["label"],
            document["document_kind"],
            document["language"],
            document["audience"],
            edge["weight"],
            edge["first_at"],
            edge["last_at"],
        )
