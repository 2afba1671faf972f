"""What a value of this room looks like in the graph: its node, its attributes, the edges it declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import singledispatch
from typing import Literal, TypeAlias

from graph.models import Agent, Alert, Expertise, Intent, Problem

NodeKind: TypeAlias = Literal[
    "problem", "exemplar", "intent", "entity", "document", "agent", "expertise", "alert"
]
EntityType: TypeAlias = Literal["product", "carrier", "campaign"]
EdgeKind: TypeAlias = Literal[
    "instance_of",  # exemplar -> problem
    "belongs_to",  # problem -> intent
    "about",  # problem, document -> entity
    "answered_by",  # problem -> document, from accepted answers and resolutions
    "resolves",  # agent -> problem, from resolutions
    "assigned_to",  # problem -> agent
    "member_of",  # problem, intent -> expertise
    "skilled_in",  # agent -> expertise
    "supersedes",  # document -> document
    "raised",  # problem -> alert
]

ENTITY_TYPES: tuple[EntityType, ...] = ("product", "carrier", "campaign")


@dataclass(frozen=True, slots=True)
class DocumentNode:
    """What the graph keeps of an approved document. `valid_from <= at < valid_to`; None is open."""

    external_id: str
    kind: str
    title: str
    language: str
    audience: str = "public"
    products: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    supersedes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExemplarNode:
    """A message that stands for its problem; `id` is the event's, `text` is already masked."""

    id: str
    problem_id: str
    text: str
    language: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EntityNode:
    """A product, carrier or campaign that problems and documents are about; `names` maps language to name."""

    type: EntityType
    id: str
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edge:
    """A declared edge between two node ids; the interval is half open."""

    source: str
    target: str
    kind: EdgeKind
    weight: float = 1.0
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One node with everything that its value declares. `aliases` are node ids merged into it."""

    node: str
    attributes: Mapping[str, object]
    edges: tuple[Edge, ...] = ()
    aliases: tuple[str, ...] = ()


Node: TypeAlias = Problem | ExemplarNode | Intent | EntityNode | DocumentNode | Agent | Expertise | Alert


def node_id(kind: NodeKind | EntityType, id: str) -> str:
    """The node of an object: its kind (an entity's type) and its own id: `problem:p1`, `product:SKU-1`."""
    return f"{kind}:{id}"


def is_entity(node: str) -> bool:
    """Whether a node id names an entity; entities need not be declared to be referred to."""
    return node.partition(":")[0] in ENTITY_TYPES


def entity_attributes(node: str) -> dict[str, object]:
    """The attributes of an entity that is referred to but not declared."""
    type_, _, id_ = node.partition(":")
    return {"kind": "entity", "label": id_, "type": type_, "names": {}}


def holds(valid_from: datetime | None, valid_to: datetime | None, at: datetime | None) -> bool:
    """Whether a half-open interval covers `at`; without `at` every interval does."""
    if at is None:
        return True
    return (valid_from is None or valid_from <= at) and (valid_to is None or at < valid_to)


@singledispatch
def describe(value: Node) -> Entry:
    """The node, attributes and declared edges of one value."""
    raise TypeError(f"a graph holds no {type(value).__name__}")


@describe.register
def _(problem: Problem) -> Entry:
    node = node_id("problem", problem.id)
    edges = [Edge(node, node_id("product", sku), "about") for sku in problem.products]
    if problem.intent_id is not None:
        edges.append(Edge(node, node_id("intent", problem.intent_id), "belongs_to"))
    if problem.expertise_id is not None:
        edges.append(Edge(node, node_id("expertise", problem.expertise_id), "member_of"))
    if problem.owner_id is not None:
        edges.append(Edge(node, node_id("agent", problem.owner_id), "assigned_to"))
    attributes = {
        "kind": "problem",
        "label": _label(problem.names, problem.id),
        "names": dict(sorted(problem.names.items())),
        "state": problem.state,
        "opened_at": problem.opened_at,
        "active_at": problem.active_at,
        "events": problem.events,
        "customers": problem.customers_ever,
        "aliases": sorted(problem.aliases),
    }
    return Entry(
        node, attributes, tuple(edges), tuple(node_id("problem", alias) for alias in problem.aliases)
    )


@describe.register
def _(exemplar: ExemplarNode) -> Entry:
    node = node_id("exemplar", exemplar.id)
    attributes = {
        "kind": "exemplar",
        "label": exemplar.text,
        "language": exemplar.language,
        "at": exemplar.at,
    }
    return Entry(node, attributes, (Edge(node, node_id("problem", exemplar.problem_id), "instance_of"),))


@describe.register
def _(intent: Intent) -> Entry:
    attributes = {
        "kind": "intent",
        "label": intent.label,
        "description": intent.description,
        "sensitive": intent.sensitive,
        "examples": len(intent.examples),
    }
    return Entry(node_id("intent", intent.id), attributes)


@describe.register
def _(entity: EntityNode) -> Entry:
    attributes = {
        "kind": "entity",
        "label": _label(entity.names, entity.id),
        "type": entity.type,
        "names": dict(sorted(entity.names.items())),
    }
    return Entry(node_id(entity.type, entity.id), attributes)


@describe.register
def _(document: DocumentNode) -> Entry:
    node = node_id("document", document.external_id)
    span = (document.valid_from, document.valid_to)
    about = tuple(Edge(node, node_id("product", sku), "about", 1.0, *span) for sku in document.products)
    older = tuple(
        Edge(node, node_id("document", external_id), "supersedes", 1.0, *span)
        for external_id in document.supersedes
        if external_id != document.external_id
    )
    attributes = {
        "kind": "document",
        "label": document.title,
        "document_kind": document.kind,
        "language": document.language,
        "audience": document.audience,
        "valid_from": document.valid_from,
        "valid_to": document.valid_to,
    }
    return Entry(node, attributes, about + older)


@describe.register
def _(agent: Agent) -> Entry:
    attributes = {
        "kind": "agent",
        "label": agent.name,
        "languages": list(agent.languages),
        "skills": list(agent.skills),
        "pool": agent.pool,
        "online": agent.online,
        "capacity": agent.capacity,
        "load": agent.load,
    }
    return Entry(node_id("agent", agent.id), attributes)


@describe.register
def _(expertise: Expertise) -> Entry:
    node = node_id("expertise", expertise.id)
    edges = [Edge(node_id("intent", id_), node, "member_of") for id_ in expertise.intent_ids]
    edges += [Edge(node_id("problem", id_), node, "member_of") for id_ in expertise.problem_ids]
    edges += [Edge(node_id("agent", id_), node, "skilled_in") for id_ in expertise.agent_ids]
    return Entry(node, {"kind": "expertise", "label": expertise.name}, tuple(edges))


@describe.register
def _(alert: Alert) -> Entry:
    node = node_id("alert", alert.id)
    attributes = {
        "kind": "alert",
        "label": _label(alert.evidence.words, alert.id),
        "alert_kind": alert.kind,
        "state": alert.state,
        "opened_at": alert.opened_at,
        "observed": alert.evidence.observed,
        "expected": alert.evidence.expected,
        "customers": alert.evidence.customers,
    }
    return Entry(node, attributes, (Edge(node_id("problem", alert.problem_id), node, "raised"),))


def _label(names: Mapping[str, str], otherwise: str) -> str:
    for language in ("en", "zh", *sorted(names)):
        if names.get(language):
            return names[language]
    return otherwise
