"""What a shop declared and what was learned of it, as one consistent value that is replaced, never changed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from graph.customer_value import ValueScales
from graph.entities import DEFAULT_CARRIERS
from graph.models import Agent, Expertise, Intent, Problem, Rules, Utterance
from graph.peers import Peers
from graph.profiles import Outcome, Profiles
from graph.understanding import Gazetteer, IntentClassifier
from ingest import language
from ingest.embedding import BatchingEmbedder
from ingest.models import Document
from kb_service.clustering import plain, standing
from kb_service.reading import compared_words
from kb_service.recent_work import RecentWork, recent_work
from kb_service.store import Unit
from kb_service.vector_cache import VectorCache

NAME_FIELDS = ("商品名称", "名称", "型号", "Product", "Name", "Model", "name", "model")
"""A product's attributes that hold names of it, beside its title."""
MOST_CUSTOMERS = 5_000
"""Events, the latest, that tell what customers of the shop are like."""


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
    peers: Peers
    """How agents do against each other on the same problems."""
    recent: RecentWork
    value_scales: ValueScales = field(default_factory=ValueScales)
    """How many orders and how much money are a lot among this shop's customers."""

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
        """Everything declared and, with `learning`, how well who resolves what. Without it that stays as it was in
        `previous`, which takes no time."""
        rules = unit.rules.get()
        intents, agents = unit.intents.all(), unit.agents.all()
        products = product_names(stored.document for stored in unit.documents.of_kind("product"))
        language.add_words([name for names in products.values() for name in names])
        clusters = standing(unit, problems)
        kept = (previous.profiles, previous.peers) if previous is not None and not learning else None
        profiles, peers = kept or _learned(outcomes(unit, clusters), unit.now)
        return Shop(
            rules=rules,
            intents={intent.id: intent for intent in intents},
            agents={agent.id: agent for agent in agents},
            products=products,
            classifier=self._classifier(intents),
            gazetteer=Gazetteer(products, {**DEFAULT_CARRIERS, **rules.carriers}, rules.campaigns),
            expertise=clusters,
            recent=recent_work(unit),
            profiles=profiles,
            peers=peers,
            value_scales=(
                previous.value_scales
                if previous is not None and not learning
                else ValueScales.of(unit.events.customers(MOST_CUSTOMERS))
            ),
        )

    def with_agents(self, unit: Unit, shop: Shop) -> Shop:
        """The same shop with who is online and how many cases each now has."""
        agents = {agent.id: agent for agent in unit.agents.all()}
        return replace(shop, agents=agents, recent=recent_work(unit))

    def save(self) -> None:
        with self._lock:
            self._vectors.save()

    def _classifier(self, intents: tuple[Intent, ...]) -> IntentClassifier:
        with self._lock:
            if self._fitted is None or self._fitted[0] != intents:
                examples = self._utterances({intent.id: intent.examples for intent in intents})
                names = self._utterances({intent.id: spoken_names(intent.label) for intent in intents})
                fitted = IntentClassifier.fit(intents, examples, names=names, reads=self._embedder.reads)
                self._fitted = (intents, fitted)
            return self._fitted[1]

    def _utterances(self, texts: Mapping[str, Sequence[str]]) -> dict[str, list[Utterance]]:
        vectors = iter(self._vectors.vectors([text for own in texts.values() for text in own]))
        return {key: [self._utterance(text, next(vectors)) for text in own] for key, own in texts.items()}

    def _utterance(self, text: str, vector: object) -> Utterance:
        return Utterance(
            text=text,
            language=language.identify(text),
            tokens=compared_words(text),
            vector=vector,  # type: ignore[arg-type]
            model_id=self._embedder.model_id,
        )


def _learned(found: Iterable[Outcome], now: datetime) -> tuple[Profiles, Peers]:
    told = list(found)
    return Profiles(told, now=now), Peers(told, now=now)


def spoken_names(label: str) -> tuple[str, ...]:
    """What an intent is called, in each language that its label gives: "查物流 / Where is my parcel" is two names,
    and an underscore is a space."""
    parts = re.split(r"\s+[/|]\s+", label.replace("_", " "))
    return tuple(part for part in (text.strip() for text in parts) if part)


def outcomes(unit: Unit, clusters: Sequence[Expertise]) -> Iterable[Outcome]:
    """The shop's outcomes as the graph room takes them, each with the cluster of its problem or intent."""
    of_problem = {problem: found.id for found in clusters for problem in found.problem_ids}
    of_intent = {intent: found.id for found in clusters for intent in found.intent_ids}
    for item in unit.events.outcomes():
        yield plain(item, of_problem.get(item.problem_id or "") or of_intent.get(item.intent_id or ""))


def product_names(documents: Iterable[Document]) -> dict[str, tuple[str, ...]]:
    """The names of each product by SKU, from documents about exactly one product."""
    names: dict[str, dict[str, None]] = {}
    for document in documents:
        if len(document.products) != 1:
            continue
        found = names.setdefault(document.products[0], {})
        found[document.title] = None
        for name in NAME_FIELDS:
            value = document.fields.get(name)
            if isinstance(value, str) and value.strip():
                found[value.strip()] = None
    return {sku: tuple(found) for sku, found in names.items()}
