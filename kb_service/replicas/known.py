"""What a request may ask of a workspace as this process knows it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Self

from graph.experiments import Experiment
from graph.matching import ProblemMatcher
from graph.matters import likely
from graph.models import Entity, Intent, Match, Problem, Utterance
from graph.paths import Linked, prior
from graph.problem_graph import ProblemGraph
from graph.trial_ways import Way
from ingest.embedding import BatchingEmbedder
from kb_service.learning.learned_state import Boosts, lifted
from kb_service.models import LinkedDocument, Turn
from kb_service.replicas.linked_graph import LinkedGraph
from kb_service.replicas.problem_memory import ProblemMemory
from kb_service.replicas.shop import Shop, ShopLoader
from kb_service.search.apart import matter_is_known, told_apart, without_names
from kb_service.search.models import Hit, SearchQuery
from kb_service.search.retrieval import SearchIndex
from kb_service.search.searching import Searched
from kb_service.search.source import SourceDocument
from kb_service.search.vocabulary import Vocabulary
from kb_service.search.weighing import Weighed, weigh
from kb_service.store import Store
from kb_service.understanding.conversation import Asked, asked

NAMED = frozenset({"sku", "product", "order", "parcel"})
"""Entities that stay the subject of a conversation until another takes their place."""

PRODUCTS = frozenset({"sku", "product"})


class Known:
    """The reading side of a Replica, which fills it. Readers take references to immutable values; nothing here changes
    any."""

    workspace: str
    index: SearchIndex
    shop: Shop
    vocabulary: Vocabulary | None
    """The words by which questions are corrected; None until the replica is settled."""
    withheld: frozenset[str]
    """Documents that a reviewer keeps out of automatic answers."""
    boosts: Boosts
    experiments: tuple[Experiment, ...]
    """The trials that are started and not over."""
    way: Way
    """How whoever this is a view for is served, see `under`."""
    _memory: ProblemMemory
    _linked: LinkedGraph
    _store: Store
    _embedder: BatchingEmbedder
    _loader: ShopLoader
    _clock: Callable[[], datetime]
    _walks: bool

    # --- its parts

    @property
    def passages(self) -> int:
        return self.index.passages

    @property
    def reads(self) -> frozenset[str]:
        """The languages that the encoder reads."""
        return self._embedder.reads

    @property
    def model_id(self) -> str:
        return self._embedder.model_id

    @property
    def problems(self) -> dict[str, Problem]:
        return self._memory.problems

    @property
    def matcher(self) -> ProblemMatcher:
        """For whoever holds the replica's lock; others ask `match`."""
        return self._memory.matcher

    @property
    def graph(self) -> ProblemGraph:
        return self._linked.graph

    # --- a question

    def asked(self, text: str, turns: Sequence[Turn] = ()) -> Asked:
        """A message as it is searched: corrected by the words of this workspace, and after the turns before it."""
        return asked(text, turns, vocabulary=self.vocabulary, named=self._named)

    def named(self, text: str) -> tuple[Entity, ...]:
        """The products, orders and parcels that a text names."""
        found = self.shop.gazetteer.entities(text, self._clock()) if text else ()
        return tuple(entity for entity in found if entity.type in NAMED)

    def _named(self, text: str) -> list[tuple[int, int]]:
        return [(entity.start, entity.end) for entity in self.named(text)]

    def intent_of(self, utterance: Utterance) -> str | None:
        """The one intent that a message plainly has."""
        reading = self.shop.classifier.predict([utterance], whole=utterance)
        return reading.candidates[0] if len(reading.candidates) == 1 else None

    def matters(self, utterance: Utterance) -> dict[str, float]:
        """How likely a message has each of the shop's intents, by id."""
        return likely(self.shop.classifier.predict([utterance], whole=utterance).scores)

    def match(self, utterance: Utterance, entities: Sequence[Entity], at: datetime) -> Match:
        """Which known problem a message would belong to; changes nothing."""
        return self._memory.match(utterance, entities, at)

    def problem_of(self, match: Match) -> Problem | None:
        """The problem that a match joined; a provisional one is nobody's answer yet."""
        if match.reason != "joined" or match.problem_id is None:
            return None
        return self.problems.get(self.graph.survivor(match.problem_id))

    def customer_of(self, conversation_id: str) -> str | None:
        """The customer whose case a conversation belongs to, as the store has it."""
        with self._store.reading(self.workspace) as unit:
            case_id = unit.cases.of_conversations([conversation_id]).get(conversation_id)
            case = unit.cases.get(case_id) if case_id is not None else None
        return case.customer_id if case is not None else None

    # --- what answers it

    def prior(
        self,
        problem: Problem | None,
        at: datetime,
        *,
        entities: Sequence[Entity] = (),
        intents: Sequence[str] = (),
    ) -> dict[str, float]:
        """How strongly the graph ties documents to a question of a problem that names entities and may have intents."""
        products = [sku for entity in entities for sku in self.shop.gazetteer.skus(entity)]
        linked = Linked(problem.id if problem else None, tuple(dict.fromkeys(products)), tuple(intents))
        walks = self._walks if self.way.walks is None else self.way.walks
        return prior(self.graph, linked, at, walks=walks)

    def learned(self, problem: Problem | None, intent: str | None) -> dict[str, float]:
        """What feedback adds to the evidence of documents for a question; see `kb_service.learning.learned_state`."""
        return lifted(self.boosts, self.withheld, problem, intent)

    def weigh(self, query: SearchQuery, told: list[Searched] | None = None) -> Weighed:
        """The hits that a customer or an agent is answered with, and what their probability was taken from. What was
        looked at on the way goes to `told`."""
        return weigh(self.index, query, meant=self.shop.gazetteer.meant, apart=self._apart, told=told)

    def by_matter(self, query: SearchQuery) -> SearchQuery:
        """What is searched in the end: without the names of products, where the matter is told of apart from them."""
        told: list[Searched] = []
        self.index.search(query, told=told)
        return self._apart(told[0]) or query

    def _apart(self, searched: Searched) -> SearchQuery | None:
        query = searched.query
        if not matter_is_known(query) or not told_apart(searched):
            return None
        left = without_names(query, [entity for entity in self.named(query.text) if entity.type in PRODUCTS])
        if left is None:
            return None
        return replace(left, vector=self._embedder.embed_queries([left.text])[0])

    def find(self, query: SearchQuery) -> tuple[tuple[Hit, ...], float]:
        """The hits of a query and the probability that the first is right, for work in the background: without the
        reranker, which may take long."""
        found = weigh(self.index, query, reranks=False, meant=self.shop.gazetteer.meant, apart=self._apart)
        return found.hits, found.confidence

    def title_of(self, external_id: str) -> str | None:
        """What a living document is called."""
        catalogue = self.index.snapshot.catalogue
        return next((catalogue.records[int(slot)].title for slot in catalogue.slots_of([external_id])), None)

    # --- a problem

    def answers_of(self, problem: Problem) -> tuple[LinkedDocument, ...]:
        """What answers a problem now, heaviest first: what the graph ties to it, and what feedback lifts for it."""
        now = self._clock()
        boosts = self.learned(problem, None)
        linked = [
            LinkedDocument(
                answer.external_id,
                answer.kind,
                answer.title,
                round(answer.weight + boosts.pop(answer.external_id, 0.0), 4),
                answer.language,
            )
            for answer in self.graph.answers_of(problem.id, now)
        ]
        catalogue = self.index.snapshot.catalogue
        linked += [
            LinkedDocument(
                record.external_id,
                record.kind,
                record.title,
                round(boosts[record.external_id], 4),
                record.language,
            )
            for record in (catalogue.records[int(slot)] for slot in catalogue.slots_of(sorted(boosts)))
            if record.status == "approved"
            and (record.valid_from is None or record.valid_from <= now)
            and (record.valid_to is None or now < record.valid_to)
        ]
        return tuple(sorted(linked, key=lambda item: (-item.weight, item.external_id)))

    def products_of(self, problem: Problem) -> tuple[str, ...]:
        """The products that a problem's messages name, the most frequent first."""
        seen = self._memory.entities(problem.id)
        named = {name: count for name, count in seen.get("product", {}).items() if name in self.shop.products}
        return tuple(sorted(named, key=lambda sku: (-named[sku], sku))) or problem.products

    def said_of(self, problem: Problem) -> str | None:
        """What a customer said of a problem: the first of the messages that are kept of its largest part."""
        kept = self._memory.exemplars(problem.id)
        return kept[0].utterance.text if kept else None

    def said_by_language(self, problem: Problem) -> dict[str, str]:
        """The same in each language that one of these messages is in, what was kept first coming first."""
        found: dict[str, str] = {}
        for kept in self._memory.exemplars(problem.id):
            found.setdefault(kept.utterance.language, kept.utterance.text)
        return found

    def expertise_of(self, problem: Problem) -> str | None:
        return self.shop.expertise_of(problem)

    def expertise_of_problem(self, problem_id: str | None) -> str | None:
        """The expertise of a problem by its id, also of one that was merged; None where there is none."""
        problem = self.problems.get(self.graph.survivor(problem_id)) if problem_id is not None else None
        return self.shop.expertise_of(problem) if problem is not None else None

    def fields_by_problem(self) -> dict[str, str]:
        """The expertise of every problem that has one, also under ids that were merged."""
        return self.shop.fields.by_problem(list(self.problems.values()))

    # --- views: for reading only, they do not follow the log

    def under(self, way: Way) -> Self:
        """A view for one request of a unit that trials serve so."""
        view = copy.copy(self)
        view.way = way
        view.shop = replace(self.shop, rules=way.changed(self.shop.rules))
        if way.homes:
            view.shop = replace(
                view.shop,
                expertise=way.placed(self.shop.expertise, list(self.problems.values())),
                evidence=way.told(self.shop.evidence),
            )
        return view

    def with_intent(self, draft: Intent) -> Self:
        """A view in which one intent is as drafted, to try it."""
        view = copy.copy(self)
        view.shop = self._loader.with_intent(self.shop, draft)
        return view

    def beside(self, near: Collection[str], document: SourceDocument) -> Self:
        """A view with one document more, to try it before it is stored. See `SearchIndex.beside`."""
        view = copy.copy(self)
        view.index = self.index.beside(near, document)
        return view
