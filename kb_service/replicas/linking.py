"""What hangs on what in the problem graph: documents, messages, and the evidence between problems and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from graph.exemplars import Instance
from graph.models import Problem, Utterance
from graph.nodes import DocumentNode, EntityNode, ExemplarNode, NodeKind, node_id
from graph.problem_graph import ProblemGraph
from ingest import language
from ingest.models import Document
from kb_service.replicas.shop import Shop
from kb_service.search.models import Filters, Hit, SearchQuery
from kb_service.store import Outcome

Find: TypeAlias = Callable[[SearchQuery], tuple[tuple[Hit, ...], float]]
"""A query to its hits and the probability that the first is right."""

EXEMPLARS: tuple[NodeKind, ...] = ("exemplar",)
LINKED = 3
"""Documents linked to a problem by content, beside those that evidence links."""
LINK_EXEMPLARS = 3
LINK_CONFIDENCE = 0.3
"""Confidence from which a document is linked to a problem by content."""
LINK_WEIGHT = 0.3
"""Weight of such a link at full confidence. Feedback weighs nothing here: what it moves is in `rank_moves`."""


def put_document(graph: ProblemGraph, document: Document) -> None:
    """An approved document in the graph; a draft is not."""
    if document.status != "approved":
        graph.remove_document(document.external_id)
        return
    graph.put_document(
        DocumentNode(
            external_id=document.external_id,
            kind=document.kind,
            title=document.title,
            language=document.language,
            audience=document.audience,
            products=document.products,
            valid_from=document.valid_from,
            valid_to=document.valid_to,
            supersedes=document.supersedes,
        )
    )


def put_shop(graph: ProblemGraph, shop: Shop, before: Shop | None) -> None:
    """Intents, agents, clusters and products; those of `before`, which stands in the graph, that are no more go."""
    if before is not None:
        for intent_id in before.intents.keys() - shop.intents.keys():
            graph.remove_intent(intent_id)
        for agent_id in before.agents.keys() - shop.agents.keys():
            graph.remove_agent(agent_id)
        for expertise_id in {item.id for item in before.expertise} - {item.id for item in shop.expertise}:
            graph.remove_expertise(expertise_id)
        for sku in before.products.keys() - shop.products.keys():
            graph.remove_entity("product", sku)
    for intent in shop.intents.values():
        graph.put_intent(intent)
    for agent in shop.agents.values():
        graph.put_agent(agent)
    for expertise in shop.expertise:
        graph.put_expertise(expertise)
    for sku, names in shop.products.items():
        graph.put_entity(EntityNode("product", sku, _by_language(names)))


def answering(problem: Problem, spoken: Utterance) -> SearchQuery:
    """What is searched to learn what answers a problem, for one of its messages."""
    return SearchQuery(
        text=spoken.text,
        language=spoken.language,
        vector=spoken.vector,
        limit=LINKED,
        filters=Filters(audiences=("public", "internal"), any_scope=True),
        at=problem.active_at,
        matters={problem.intent_id: 1.0} if problem.intent_id is not None else {},
    )


class Hung:
    """What hangs on the problems of a graph: their messages, and the documents whose content answers them.

    Most messages change neither, and a search for each would cost more than all the rest: what is the same as when it
    was put is left alone.
    """

    def __init__(self) -> None:
        self._messages: dict[str, tuple[str, ...]] = {}
        self._answered: dict[str, tuple[object, ...]] = {}

    def put(
        self, graph: ProblemGraph, problem: Problem, exemplars: Sequence[Instance], find: Find, documents: int
    ) -> None:
        """A problem as it is now. `documents` changes with every document; documents that come into force by time
        are found within a week of the problem's own time."""
        graph.put_problem(problem)
        ids = tuple(exemplar.event_id or "" for exemplar in exemplars)
        if self._messages.get(problem.id) != ids:
            self._messages[problem.id] = ids
            _put_exemplars(graph, problem.id, exemplars)
        if problem.state == "candidate":
            return
        asked = (documents, ids[:LINK_EXEMPLARS], problem.active_at.isocalendar()[:2])
        if self._answered.get(problem.id) != asked:
            self._answered[problem.id] = asked
            _link_by_content(graph, problem, exemplars, find)


def _put_exemplars(graph: ProblemGraph, problem_id: str, exemplars: Sequence[Instance]) -> None:
    kept = {node_id("exemplar", exemplar.event_id) for exemplar in exemplars if exemplar.event_id}
    for neighbour in graph.neighbours(node_id("problem", problem_id), EXEMPLARS):
        if neighbour.node not in kept:
            graph.remove_exemplar(neighbour.node.partition(":")[2])
    for exemplar in exemplars:
        if exemplar.event_id is not None and exemplar.at is not None:
            spoken = exemplar.utterance
            graph.put_exemplar(
                ExemplarNode(exemplar.event_id, problem_id, spoken.text, spoken.language, exemplar.at)
            )


def link_resolvers(graph: ProblemGraph, outcomes: Iterable[Outcome]) -> None:
    """Who resolved which problem."""
    for item in outcomes:
        if item.problem_id is not None and item.resolved is not False and not item.reopened:
            graph.link_resolver(item.problem_id, item.agent_id, 1.0, item.at, source=item.event_id)


def _link_by_content(
    graph: ProblemGraph, problem: Problem, exemplars: Sequence[Instance], find: Find
) -> None:
    """Link what the index finds for a problem's messages, weakly, until evidence says more."""
    best: tuple[float, tuple[Hit, ...]] = (LINK_CONFIDENCE, ())
    for exemplar in exemplars[:LINK_EXEMPLARS]:
        hits, confidence = find(answering(problem, exemplar.utterance))
        if confidence >= best[0]:
            best = (confidence, hits)
    confidence, hits = best
    for hit in hits:
        weight = confidence * LINK_WEIGHT * (hit.score / hits[0].score if hits[0].score > 0 else 0.0)
        source = f"content:{problem.id}:{hit.external_id}"
        graph.link_answer(problem.id, hit.external_id, weight, problem.active_at, source=source)


def _by_language(names: Iterable[str]) -> dict[str, str]:
    """Each name under its language; the first of a language wins."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(language.identify(name), name)
    return found
