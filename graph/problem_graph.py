"""The graph of one workspace: problems, what they are about, what answers them, who resolves them.

The graph is a function of the facts given to it: values that were put, evidence that was linked, merges.
An edge is visible exactly when both its ends are, so the order in which facts arrive never matters, and a
graph kept up to date in place equals one built from scratch.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import networkx as nx  # type: ignore[import-untyped]

from graph.export import around, node_link, snapshot
from graph.facts import EdgeRef, Facts
from graph.models import Agent, Alert, Expertise, Intent, Problem
from graph.nodes import (
    DocumentNode,
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
from graph.ties import NodeTies, ties_from


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
    """One `nx.MultiDiGraph`: problems, exemplars, intents, entities, documents, agents, expertise, alerts.

    Safe for one writer and many readers: each change and each read holds one re-entrant lock, so a reader
    sees whole changes only. Reads are short; long walks take `reading()` once.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._facts = Facts()
        self._graph = nx.MultiDiGraph()
        self._version = 0

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
        ref: EdgeRef = (node_id("problem", problem_id), node_id("document", external_id), "answered_by")
        self._link(ref, weight, at, source)

    def link_resolver(
        self, problem_id: str, agent_id: str, weight: float, at: datetime, *, source: str | None = None
    ) -> None:
        """Adds evidence that an agent resolves a problem; `source` as in `link_answer`."""
        ref: EdgeRef = (node_id("agent", agent_id), node_id("problem", problem_id), "resolves")
        self._link(ref, weight, at, source)

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
        """Adds evidence that a problem is about an entity; `source` as in `link_answer`."""
        self._link((node_id("problem", problem_id), node_id(type, entity_id), "about"), weight, at, source)

    def unlink(self, source: str) -> None:
        """Takes back all evidence of one source, for example an event that was erased."""
        with self._lock:
            self._version += 1
            self._settle(self._facts.unlink(source))

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

    @property
    def version(self) -> int:
        """Grows with every fact: what was derived from the graph at one version holds while it stands."""
        return self._version

    def survivor(self, problem_id: str) -> str:
        """The id of the problem that this id was merged into, or the id itself."""
        with self._lock:
            return self._facts.survivor(node_id("problem", problem_id)).partition(":")[2]

    def __contains__(self, node: str) -> bool:
        with self._lock:
            return node in self._graph

    def counts(self) -> Mapping[str, int]:
        """Number of nodes of each kind."""
        with self._lock:
            return dict(sorted(Counter(kind for _, kind in self._graph.nodes(data="kind")).items()))

    def edge_counts(self) -> Mapping[str, int]:
        """Number of edges of each kind."""
        with self._lock:
            return dict(sorted(Counter(kind for _, _, kind in self._graph.edges(keys=True)).items()))

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
            node = self._facts.survivor(node)
            found = [
                Neighbour(other, self._graph.nodes[other]["kind"], kind, outgoing, data["weight"])
                for other, kind, outgoing, data in self._incident(node)
                if holds(data["valid_from"], data["valid_to"], at)
            ]
        wanted = (n for n in found if (not kinds or n.kind in kinds) and (not edges or n.edge in edges))
        return tuple(sorted(wanted, key=lambda n: (-n.weight, n.node, n.edge, n.outgoing)))

    def answers_of(self, problem_id: str, at: datetime) -> tuple[Answer, ...]:
        """Documents that answered a problem and are valid and not superseded at `at`, heaviest first.

        Every audience is included; the caller knows who asks.
        """
        with self._lock:
            node = self._facts.survivor(node_id("problem", problem_id))
            found = [
                self._answer(document, data)
                for document, kind, outgoing, data in self._incident(node)
                if outgoing
                and kind == "answered_by"
                and holds(data["valid_from"], data["valid_to"], at)
                and not self.superseded(document, at)
            ]
        return tuple(sorted(found, key=lambda answer: (-answer.weight, answer.external_id)))

    def superseded(self, document: str, at: datetime) -> bool:
        """Whether a document, given as a node, is replaced by one that is valid at `at`."""
        with self._lock:
            return any(
                kind == "supersedes" and not outgoing and holds(data["valid_from"], data["valid_to"], at)
                for _, kind, outgoing, data in self._incident(document)
            )

    def ties(self, nodes: Iterable[str], kinds: Collection[EdgeKind], at: datetime) -> NodeTies:
        """What some nodes lead to by edges of some kinds, valid at `at`; unknown nodes lead nowhere."""
        with self._lock:
            return ties_from(self._graph, nodes, kinds, at)

    def subgraph(
        self, problem_id: str, hops: int = 2, limit: int = 200, *, at: datetime | None
    ) -> dict[str, Any]:
        """The neighbourhood of a problem as node-link JSON: up to `limit` nodes, nearest and heaviest first.

        Nodes and edges not valid at `at` are left out; None shows all. `graph.truncated` tells whether the
        limit cut something off. An unknown problem gives no nodes.
        """
        with self._lock:
            start = self._facts.survivor(node_id("problem", problem_id))
            kept, truncated = around(self._graph, start, hops, limit, at)
            copy = snapshot(self._graph, kept, at)
        return node_link(copy, {"problem": start.partition(":")[2], "truncated": truncated})

    def node_link(self, *, at: datetime | None) -> dict[str, Any]:
        """The whole graph as node-link JSON, in a fixed order; what is not valid at `at` is left out."""
        with self._lock:
            copy = snapshot(self._graph, self._graph, at)
        return node_link(copy, {})

    # -- inside: facts to graph ---------------------------------------------------------------------

    def _put(self, entry: Entry) -> None:
        with self._lock:
            self._version += 1
            affected = self._facts.put(entry)
            if self._facts.present(entry.node):
                self._graph.add_node(entry.node)
                attributes = self._graph.nodes[entry.node]
                attributes.clear()
                attributes.update(entry.attributes)
            self._settle(affected)

    def _remove(self, node: str) -> None:
        with self._lock:
            self._version += 1
            visible = self._facts.present(node)
            affected = self._facts.remove(node)
            if visible:
                self._vanish(node)
            self._settle(affected)  # an entity that is still referred to comes back without its names

    def _link(self, ref: EdgeRef, weight: float, at: datetime, source: str | None) -> None:
        with self._lock:
            self._version += 1
            self._facts.link(ref, weight, at, source)
            self._settle([ref])

    def _merge(self, old: str, into: str) -> None:
        old, into = self._facts.survivor(old), self._facts.survivor(into)
        if old == into:
            return
        self._version += 1
        self._vanish(old)
        self._facts.merge(old, into)
        self._settle(self._facts.about(into))

    def _settle(self, refs: Iterable[EdgeRef]) -> None:
        """Brings the visible edge behind each fact in line with all facts about it."""
        for ref in refs:
            source, target, kind = self._facts.survivor(ref[0]), self._facts.survivor(ref[1]), ref[2]
            attributes = self._facts.edge(source, target, kind)
            if attributes is not None:
                if target not in self._graph:
                    self._graph.add_node(target, **entity_attributes(target))
                self._graph.add_edge(source, target, key=kind, **attributes)
            elif self._graph.has_edge(source, target, key=kind):
                self._graph.remove_edge(source, target, key=kind)
                self._sweep(target)

    def _vanish(self, node: str) -> None:
        if node not in self._graph:
            return
        around = set(self._graph.successors(node)) | set(self._graph.predecessors(node))
        self._graph.remove_node(node)
        for other in around:
            self._sweep(other)

    def _sweep(self, node: str) -> None:
        """Drops an entity that nothing refers to and nobody declared."""
        if is_entity(node) and not self._facts.present(node) and not self._graph.degree(node):
            self._graph.remove_node(node)

    # -- inside: reading ----------------------------------------------------------------------------

    def _incident(self, node: str) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
        if node not in self._graph:
            return
        for _, other, kind, data in self._graph.out_edges(node, keys=True, data=True):
            yield other, kind, True, data
        for other, _, kind, data in self._graph.in_edges(node, keys=True, data=True):
            yield other, kind, False, data

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
