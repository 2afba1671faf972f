"""The problem graph of one workspace with what was put into it: documents, the Shop, problems and what answers them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from graph.exemplars import Instance
from graph.models import Alert, Problem
from graph.problem_graph import ProblemGraph
from ingest.models import Document
from kb_service.replicas.linking import Find, Hung, link_resolvers, put_document, put_shop
from kb_service.replicas.replied import Replied, Said, Search
from kb_service.replicas.shop import Shop
from kb_service.store import Outcome


class LinkedGraph:
    """Derived from the store and thrown away with the rest of a Replica; whoever holds that one's lock changes it."""

    def __init__(self) -> None:
        self.graph = ProblemGraph()
        self._hung = Hung()
        self._replied = Replied()
        self._placed: Shop | None = None
        """The shop as it stands in the graph."""
        self._product_ids: set[str] = set()
        """Documents about products: when one goes, what is known of products changes."""
        self._documents = 0
        """Grows with every change of what documents may answer."""

    def put_documents(self, touched: Collection[str], documents: Iterable[Document]) -> bool:
        """Of the `touched` documents those that are still there, as they are now; whether one of them is, or was,
        about a product."""
        about_products = bool(self._product_ids & set(touched))
        self._product_ids -= set(touched)
        for document in documents:
            put_document(self.graph, document)
            if document.kind == "product":
                self._product_ids.add(document.external_id)
                about_products = True
        if touched:
            self.search_again()
        return about_products

    def search_again(self) -> None:
        """Documents, or what is held of them, have changed: what answers a problem is found anew when it is put."""
        self._documents += 1

    def place(self, shop: Shop) -> None:
        """Intents, agents, clusters and products as they are now."""
        put_shop(self.graph, shop, self._placed)
        self._placed = shop

    def put_problem(self, problem: Problem, exemplars: Sequence[Instance], find: Find) -> None:
        """A problem as it is now, with its messages and what the index finds to answer them."""
        self._hung.put(self.graph, problem, exemplars, find, self._documents)

    def put_alerts(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            self.graph.put_alert(alert)

    def read(self, outcomes: Iterable[Outcome], search: Search) -> tuple[Said, ...]:
        """What agents' replies say; changes no graph and needs no lock."""
        return self._replied.read(outcomes, search)

    def link_outcomes(self, outcomes: Iterable[Outcome], said: Sequence[Said]) -> None:
        """Who resolved which problem, and what replies made an answer of it."""
        link_resolvers(self.graph, outcomes)
        self._replied.link(self.graph, said)
