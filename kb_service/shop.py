"""What a shop declared and what was learned of it, as one consistent value that is replaced, never changed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graph.expertise import cluster
from graph.models import Agent, Expertise, Intent, Problem, Rules, Utterance
from graph.profiles import Outcome, Profiles
from graph.understanding import Gazetteer, IntentClassifier
from ingest import language
from ingest.embedding import BatchingEmbedder
from ingest.models import Document
from kb_service.reading import compared_words
from kb_service.store import Unit
from kb_service.vector_cache import VectorCache

NAME_FIELDS = ("商品名称", "名称", "型号", "Product", "Name", "Model", "name", "model")
"""A product's attributes that hold names of it, beside its title."""


@dataclass(frozen=True, slots=True)
class Shop:
    """Readers hold one Shop for a whole request, so that its parts always belong together."""

    rules: Rules
    intents: Mapping[str, Intent]
    agents: Mapping[str, Agent]
    products: Mapping[str, tuple[str, ...]]
    classifier: IntentClassifier
    gazetteer: Gazetteer
    expertise: tuple[Expertise, ...]
    profiles: Profiles
    recent: Mapping[str, int]
    """Cases that each agent was given within a day of event time: what fairness looks at."""

    def expertise_of(self, problem: Problem) -> str | None:
        """The cluster that a problem belongs to, by itself or through its intent."""
        for found in self.expertise:
            if problem.id in found.problem_ids or problem.intent_id in found.intent_ids:
                return found.id
        return None


class ShopLoader:
    """Makes the Shop of one workspace from the store. Safe for several threads."""

    def __init__(self, embedder: BatchingEmbedder, file: Path | None) -> None:
        self._embedder = embedder
        self._vectors = VectorCache(embedder, file)
        self._lock = threading.Lock()
        self._fitted: tuple[tuple[Intent, ...], IntentClassifier] | None = None

    def load(self, unit: Unit, problems: Iterable[Problem], previous: Shop | None, *, learning: bool) -> Shop:
        """Everything declared and, with `learning`, what outcomes teach: who resolves what how well, and which
        problems go together. Without it both stay as they were in `previous`, which takes no time."""
        intents, agents = unit.intents.all(), unit.agents.all()
        products = product_names(stored.document for stored in unit.documents.of_kind("product"))
        language.add_words([name for names in products.values() for name in names])
        known = [problem for problem in problems if problem.state != "candidate"]
        raw = list(outcomes(unit, ())) if learning else []
        clusters = cluster(
            intents, agents, known, raw, now=unit.now, previous=previous.expertise if previous else ()
        )
        kept = previous.profiles if previous is not None and not learning else None
        return Shop(
            rules=unit.rules.get(),
            intents={intent.id: intent for intent in intents},
            agents={agent.id: agent for agent in agents},
            products=products,
            classifier=self._classifier(intents),
            gazetteer=Gazetteer(products),
            expertise=clusters,
            recent=unit.agents.recent(),
            profiles=kept or Profiles(outcomes(unit, clusters), now=unit.now),
        )

    def with_agents(self, unit: Unit, shop: Shop) -> Shop:
        """The same shop with who is online and how many cases each now has."""
        agents = {agent.id: agent for agent in unit.agents.all()}
        return replace(shop, agents=agents, recent=unit.agents.recent())

    def save(self) -> None:
        with self._lock:
            self._vectors.save()

    def _classifier(self, intents: tuple[Intent, ...]) -> IntentClassifier:
        with self._lock:
            if self._fitted is None or self._fitted[0] != intents:
                texts = [text for intent in intents for text in intent.examples]
                vectors = iter(self._vectors.vectors(texts))
                examples = {
                    intent.id: [self._utterance(text, next(vectors)) for text in intent.examples]
                    for intent in intents
                }
                self._fitted = (intents, IntentClassifier.fit(intents, examples, reads=self._embedder.reads))
            return self._fitted[1]

    def _utterance(self, text: str, vector: object) -> Utterance:
        return Utterance(
            text=text,
            language=language.identify(text),
            tokens=compared_words(text),
            vector=vector,  # type: ignore[arg-type]
            model_id=self._embedder.model_id,
        )


def outcomes(unit: Unit, clusters: Sequence[Expertise]) -> Iterable[Outcome]:
    """The shop's outcomes as the graph room takes them, each with the cluster of its problem or intent."""
    of_problem = {problem: found.id for found in clusters for problem in found.problem_ids}
    of_intent = {intent: found.id for found in clusters for intent in found.intent_ids}
    for item in unit.events.outcomes():
        yield Outcome(
            agent_id=item.agent_id,
            problem_id=item.problem_id,
            intent_id=item.intent_id,
            expertise_id=of_problem.get(item.problem_id or "") or of_intent.get(item.intent_id or ""),
            customer_id=None,
            resolved=item.resolved is not False,
            reopened=item.reopened,
            handling_seconds=item.seconds,
            rating=item.rating,
            at=item.at,
        )


def product_names(documents: Iterable[Document]) -> dict[str, tuple[str, ...]]:
    """The names of each product by SKU, from documents about exactly one product."""
    names: dict[str, dict[str, None]] = {}
    for document in documents:
        if len(document.products) != 1:
            continue
        found = names.setdefault(document.products[0], {})
        found[document.title] = None
        for field in NAME_FIELDS:
            value = document.fields.get(field)
            if isinstance(value, str) and value.strip():
                found[value.strip()] = None
    return {sku: tuple(found) for sku, found in names.items()}
