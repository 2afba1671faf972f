"""What a shop declared and what was learned of it, as one consistent value that is replaced, never changed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from graph.entities import Gazetteer
from graph.expertise import ExpertiseMap
from graph.intents import IntentClassifier
from graph.models import Agent, Intent, Rules, Utterance
from graph.profiles import Outcome, Profiles
from ingest import language
from ingest.embedding import BatchingEmbedder
from ingest.models import Document
from kb_service.store import Unit
from kb_service.vector_cache import VectorCache

NAME_FIELDS = ("商品名称", "名称", "Product", "Name", "name", "model", "型号", "Model")
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
    expertise: ExpertiseMap
    profiles: Profiles


class ShopLoader:
    """Makes the Shop of one workspace from the store; examples are embedded once per model."""

    def __init__(self, embedder: BatchingEmbedder, file: Path | None) -> None:
        self._embedder = embedder
        self._vectors = VectorCache(embedder, file)
        self._lock = threading.Lock()
        self._fitted: tuple[tuple[Intent, ...], IntentClassifier] | None = None

    def load(self, unit: Unit) -> Shop:
        with self._lock:
            intents = unit.intents.all()
            agents = unit.agents.all()
            products = product_names(stored.document for stored in unit.documents.all(kind="product"))
            language.add_words([name for names in products.values() for name in names])
            expertise = ExpertiseMap.declared(intents, agents)
            return Shop(
                rules=unit.rules.get(),
                intents={intent.id: intent for intent in intents},
                agents={agent.id: agent for agent in agents},
                products=products,
                classifier=self._classifier(intents),
                gazetteer=Gazetteer(products),
                expertise=expertise,
                profiles=Profiles(outcomes(unit, expertise), now=unit.now),
            )

    def save(self) -> None:
        with self._lock:
            self._vectors.save()
