"""The problem graph as a picture: which nodes are drawn, where they stand, and what hangs on what.

Drawn are problems, those of most customers first, and what they are tied to: products, policies, other documents that
answer them, and the expertise that they belong to. A picture is kept while the graph stands as it does.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from graph import lifecycle
from graph.models import Expertise, Problem, ProblemState
from graph.nodes import node_id
from graph.picture import LARGEST, STEPS, FieldCircle, Figure, Picture, bound, draw, radius_of
from graph.problem_graph import ProblemGraph
from kb_service.metrics.lately import Lately
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas

DrawnKind = Literal["problem", "product", "policy", "answer", "expertise"]
KINDS: tuple[DrawnKind, ...] = get_args(DrawnKind)
MOST_PROBLEMS = 3_000
MOST_DRAWN = 4_000
"""Nodes of one picture, of all kinds: what a browser draws at once and a person still tells apart."""
SATELLITE = STEPS[3]
"""The largest radius of what is no problem: the picture is about problems."""
HEAD = STEPS[5]
"""The largest radius of an expertise."""


@dataclass(frozen=True, slots=True)
class DrawnNode:
    """`id` is the graph's, `own_id` that of the object itself. `customers` of what is no problem are those of the
    problems that it is tied to, summed. `active_at` is when customers last spoke of it."""

    id: str
    own_id: str
    kind: DrawnKind
    names: Mapping[str, str]
    customers: int
    x: float
    y: float
    radius: float
    state: ProblemState | None = None
    events: int = 0
    active_at: datetime | None = None
    audience: str | None = None

    def name(self, language: str) -> str:
        return self.names.get(language) or next(iter(self.names.values()), "") or self.own_id


@dataclass(frozen=True)
class Drawing:
    """Nodes by customers, the most first, those without a tie among them; `ties` are pairs of positions in `nodes`.

    `problems` counts all that there are, drawn or not.
    """

    nodes: tuple[DrawnNode, ...]
    ties: tuple[tuple[int, int], ...]
    fields: tuple[FieldCircle, ...]
    problems: int

    @cached_property
    def at(self) -> Mapping[str, int]:
        """Where each node stands in `nodes`, by its id."""
        return {node.id: place for place, node in enumerate(self.nodes)}

    @cached_property
    def _beside(self) -> Sequence[Sequence[int]]:
        beside: list[list[int]] = [[] for _ in self.nodes]
        for one, other in self.ties:
            beside[one].append(other)
            beside[other].append(one)
        return [sorted(found) for found in beside]

    @property
    def problems_drawn(self) -> int:
        return sum(node.kind == "problem" for node in self.nodes)

    @cached_property
    def latest(self) -> datetime | None:
        """When customers last spoke of any problem that is drawn: a history that was loaded ends there."""
        return max((node.active_at for node in self.nodes if node.active_at is not None), default=None)

    def neighbours(self, node: DrawnNode) -> tuple[DrawnNode, ...]:
        """What a node is tied to, that of most customers first."""
        return tuple(self.nodes[place] for place in self._beside[self.at[node.id]])

    def counts(self) -> Mapping[str, int]:
        return Counter(node.kind for node in self.nodes)

    def chosen(
        self,
        *,
        kinds: Collection[str] = KINDS,
        state: str = "",
        text: str = "",
        since: datetime | None = None,
    ) -> tuple[DrawnNode, ...]:
        """Nodes that a reader asked for: `state` and `since` choose problems, and with them what is tied to these;
        `text` chooses what is called so, and what is tied to that."""
        problems = {place for place, node in enumerate(self.nodes) if _wanted(node, state, since)}
        narrowed = bool(state) or since is not None
        kept = problems | {
            place
            for place, node in enumerate(self.nodes)
            if node.kind != "problem" and (not narrowed or not problems.isdisjoint(self._beside[place]))
        }
        if text:
            wanted = text.casefold()
            called = {
                place
                for place in kept
                if any(wanted in name.casefold() for name in (*self.nodes[place].names.values(),))
            }
            kept &= called | {other for place in called for other in self._beside[place]}
        return tuple(self.nodes[place] for place in sorted(kept) if self.nodes[place].kind in kinds)


def _wanted(node: DrawnNode, state: str, since: datetime | None) -> bool:
    return (
        node.kind == "problem"
        and state in ("", node.state)
        and (since is None or (node.active_at is not None and node.active_at >= since))
    )


class _Layout(NamedTuple):
    """A picture with what it was drawn from, by id: where only counts and states change, nobody moves."""

    figures: tuple[Figure, ...]
    ties: tuple[tuple[int, int], ...]
    picture: Picture


class _Kept(NamedTuple):
    graph: ProblemGraph
    version: int
    expertise: tuple[Expertise, ...]
    until: datetime | None
    drawing: Drawing
    layout: _Layout


class Pictures:
    """The picture of every workspace; each is made when it is asked for and what it shows has changed.

    Where that takes long the last one is shown meanwhile: in a shop where somebody always writes, each look would wait
    for a picture that hardly differs.
    """

    def __init__(self, replicas: Replicas, *, clock: Callable[[], datetime]) -> None:
        self._replicas = replicas
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._lately: Lately[_Kept] = Lately(clock)
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def drawing(self, workspace: str) -> Drawing:
        """The picture of the graph as it is, or as it was when somebody looked last."""
        replica = self._replicas.settled(workspace)
        graph = replica.graph
        found = self._lately.of(
            workspace,
            lambda: self._made(replica),
            (graph.version, replica.shop.expertise),
            usable=lambda kept: kept.graph is graph,
        )
        return found.drawing

    def _made(self, replica: Replica) -> _Kept:
        """Two of a workspace who ask at once do not both pay: the second waits for what the first makes."""
        now = self._clock()
        with self._locks[replica.workspace]:
            kept = self._kept.get(replica.workspace)
            if kept is None or not _holds(kept, replica, now):
                kept = _drawn(replica, now, kept.layout if kept else None)
                self._kept[replica.workspace] = kept
            return kept

    def standing_for(self, workspace: str, node: str) -> str:
        """The id of the node that somebody means: a node's own, or that of a problem, also of one that was merged."""
        if ":" in node and not node.startswith("problem:"):
            return node
        return node_id(
            "problem", self._replicas.settled(workspace).graph.survivor(node.removeprefix("problem:"))
        )


def _holds(kept: _Kept, replica: Replica, now: datetime) -> bool:
    return (
        kept.graph is replica.graph
        and kept.version == replica.graph.version
        and kept.expertise == replica.shop.expertise
        and (kept.until is None or now < kept.until)
    )


# --- what is drawn -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Draft:
    """What is to be drawn, by node id: problems, the expertise of each by its own id, what else, and what is tied."""

    problems: Mapping[str, Problem]
    homes: Mapping[str, str]
    others: Mapping[str, Mapping[str, Any]]
    ties: Mapping[tuple[str, str], float]


def _drawn(replica: Replica, now: datetime, before: _Layout | None) -> _Kept:
    graph, shop = replica.graph, replica.shop
    version = graph.version
    known = list(replica.problems.values())
    largest = sorted(known, key=lambda item: (-item.customers_ever, item.opened_at, item.id))[:MOST_PROBLEMS]
    problems = {node_id("problem", item.id): item for item in largest}
    tied = graph.ties(problems, ("about", "answered_by"), now)
    others = {
        id: data
        for id, data in tied.others.items()
        if data["kind"] == "document" or data["type"] == "product"
    }
    ties = {ends: weight for ends, weight in tied.weights.items() if ends[1] in others}
    heads = {
        node_id("expertise", item.id): {"kind": "expertise", "label": item.name} for item in shop.expertise
    }
    homes = shop.fields.by_problem(largest)
    for problem, item in problems.items():
        head = node_id("expertise", homes.get(item.id, ""))
        if head in heads:
            ties[problem, head] = 1.0
    silences = [item.silenced_until for item in largest if item.silenced_until and item.silenced_until > now]
    ends = [moment for moment in (tied.until, *silences) if moment is not None]
    draft = _Draft(problems, homes, {**others, **heads}, ties)
    drawing, layout = _composed(draft, len(known), now, before)
    return _Kept(graph, version, shop.expertise, min(ends, default=None), drawing, layout)


def _composed(draft: _Draft, problems: int, now: datetime, before: _Layout | None) -> tuple[Drawing, _Layout]:
    customers: Counter[str] = Counter()
    for problem, other in draft.ties:
        customers[other] += draft.problems[problem].customers_ever
    heads = [other for other in draft.others if draft.others[other]["kind"] == "expertise"]
    rest = sorted(draft.others.keys() - set(heads), key=lambda other: (-customers[other], other))
    shown = [*draft.problems, *heads, *rest][:MOST_DRAWN]
    order = sorted(
        shown,
        key=lambda id: (-(draft.problems[id].customers_ever if id in draft.problems else customers[id]), id),
    )
    place = {id: at for at, id in enumerate(order)}
    ties = sorted(
        (place[problem], place[other]) for problem, other in draft.ties if problem in place and other in place
    )
    figures = _figures(draft, order, customers)
    layout, places = _laid_out(figures, ties, before)
    nodes = [
        _node(draft, figure, float(x), float(y), customers, now)
        for figure, (x, y) in zip(figures, places, strict=True)
    ]
    return Drawing(tuple(nodes), tuple(ties), layout.picture.fields, problems), layout


def _laid_out(
    figures: Sequence[Figure], ties: Sequence[tuple[int, int]], before: _Layout | None
) -> tuple[_Layout, NDArray[np.float64]]:
    """Where the figures stand, as before where nothing changed that moves them; a row (x, y) for each."""
    by_id = sorted(range(len(figures)), key=lambda at: figures[at].id)
    row = {at: number for number, at in enumerate(by_id)}
    plain = tuple(replace(figures[at], radius=bound(figures[at].radius)) for at in by_id)
    tied = tuple(sorted((row[one], row[other]) for one, other in ties))
    if before is None or (before.figures, before.ties) != (plain, tied):
        before = _Layout(plain, tied, draw(plain, tied))
    return before, before.picture.places[[row[at] for at in range(len(figures))]]


def _figures(draft: _Draft, order: Sequence[str], customers: Mapping[str, int]) -> list[Figure]:
    heaviest: dict[str, tuple[float, str]] = {}
    fields: dict[str, Counter[str]] = {}
    for (problem, other), weight in draft.ties.items():
        home = draft.homes.get(draft.problems[problem].id, "")
        fields.setdefault(other, Counter())[home] += 1
        if draft.others[other]["kind"] != "expertise":
            heaviest[problem] = max(heaviest.get(problem, (0.0, "")), (weight, other))
    return [_figure(draft, id, customers, fields, heaviest) for id in order]


def _figure(
    draft: _Draft,
    id: str,
    customers: Mapping[str, int],
    fields: Mapping[str, Counter[str]],
    heaviest: Mapping[str, tuple[float, str]],
) -> Figure:
    if (problem := draft.problems.get(id)) is not None:
        anchor = heaviest.get(id, (0.0, ""))[1]
        return Figure(
            id,
            radius_of(problem.customers_ever, largest=LARGEST),
            draft.homes.get(problem.id, ""),
            anchor=anchor,
        )
    if draft.others[id]["kind"] == "expertise":
        radius = radius_of(customers[id], largest=HEAD)
        return Figure(id, max(STEPS[2], radius), id.partition(":")[2], head=True)
    among = fields.get(id, Counter({"": 1}))
    field_id = min(among, key=lambda home: (-among[home], home))
    return Figure(id, radius_of(customers[id], largest=SATELLITE), field_id, satellite=True)


def _node(
    draft: _Draft, figure: Figure, x: float, y: float, customers: Mapping[str, int], now: datetime
) -> DrawnNode:
    id, own_id = figure.id, figure.id.partition(":")[2]
    if (problem := draft.problems.get(id)) is not None:
        return DrawnNode(
            id, own_id, "problem", problem.names, problem.customers_ever, x, y, figure.radius,
            state=lifecycle.effective_state(problem, now), events=problem.events, active_at=problem.active_at,
        )  # fmt: skip
    held = draft.others[id]
    names = held.get("names") or {"": str(held["label"])}
    kind = _kind(held)
    return DrawnNode(
        id, own_id, kind, names, customers[id], x, y, figure.radius,
        audience=held.get("audience"),
    )  # fmt: skip


def _kind(held: Mapping[str, Any]) -> DrawnKind:
    match held["kind"]:
        case "expertise":
            return "expertise"
        case "entity":
            return "product"
    return "policy" if held.get("document_kind") == "policy" else "answer"
