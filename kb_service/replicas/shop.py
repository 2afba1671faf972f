"""What a shop declared and what was learned of it, as one consistent value that is replaced, never changed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from graph.customer_value import ValueScales
from graph.entities import DEFAULT_CARRIERS
from graph.field_evidence import FieldEvidence
from graph.matters import Matters
from graph.models import Agent, Expertise, Intent, Problem, Utterance
from graph.peers import Peers
from graph.product_kinds import product_kinds
from graph.profiles import Outcome, Profiles
from graph.rules import Rules
from graph.understanding import Gazetteer, IntentClassifier
from graph.words import is_han
from ingest import language
from ingest.embedding import BatchingEmbedder
from ingest.models import Document
from kb_service.people.clustering import Fields, plain, standing
from kb_service.people.recent_work import RecentWork, lately
from kb_service.replicas.vector_cache import VectorCache
from kb_service.store import Unit
from kb_service.understanding.reading import compared_words

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
    matters: Matters | None
    """What documents are about, among the intents; None where the encoder reads too few of their examples."""
    gazetteer: Gazetteer
    expertise: tuple[Expertise, ...]
    profiles: Profiles
    peers: Peers
    """How agents do against each other on the same problems."""
    recent: RecentWork
    value_scales: ValueScales = field(default_factory=ValueScales)
    """How many orders and how much money are a lot among this shop's customers."""
    evidence: FieldEvidence = field(default_factory=FieldEvidence)
    """Where cases belong whose intent the shop gives to no expertise."""
    fields: Fields = field(init=False, repr=False, compare=False)
    """Where problems belong among `expertise`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", Fields(self.expertise))

    def expertise_of(self, problem: Problem) -> str | None:
        """The cluster that a problem belongs to, by itself, else through its intent."""
        return self.fields.find(problem.id, problem.intent_id)


class ShopLoader:
    """Makes the Shop of one workspace from the store. Safe for several threads."""

    def __init__(self, embedder: BatchingEmbedder, file: Path | None) -> None:
        self._embedder = embedder
        self._vectors = VectorCache(embedder, file)
        self._lock = threading.Lock()
        self._fitted: tuple[tuple[Intent, ...], IntentClassifier, Matters | None] | None = None

    def load(self, unit: Unit, problems: Iterable[Problem], previous: Shop | None, *, learning: bool) -> Shop:
        """Everything declared and, with `learning`, how well who resolves what. Without it that stays as it was in
        `previous`, which takes no time."""
        rules = unit.rules.get()
        intents, agents = unit.intents.all(), unit.agents.all()
        classifier, matters = self._taught(intents)
        products = product_names(stored.document for stored in unit.documents.of_kind("product"))
        language.add_words([name for names in products.values() for name in names])
        clusters = standing(unit, problems)
        kept = previous if not learning else None
        told = list(outcomes(unit, clusters)) if kept is None else []
        pins = unit.expertise.pins()
        pinned = {intent_id for pin in pins for intent_id in pin.intent_ids}
        undeclared = {item.id for item in intents if not item.expertise and item.id not in pinned}
        by_hand = {problem_id for pin in pins for problem_id in pin.problem_ids}
        return Shop(
            rules=rules,
            intents={intent.id: intent for intent in intents},
            agents={agent.id: agent for agent in agents},
            products=products,
            classifier=classifier,
            matters=matters,
            gazetteer=Gazetteer(
                products,
                {**DEFAULT_CARRIERS, **rules.carriers},
                rules.campaigns,
                product_kinds(products, language.familiarity),
            ),
            expertise=clusters,
            recent=lately(unit, previous.recent if previous is not None else None),
            profiles=kept.profiles if kept is not None else Profiles(told, now=unit.now),
            peers=kept.peers if kept is not None else Peers(told, now=unit.now),
            evidence=(
                kept.evidence.among(undeclared, by_hand)
                if kept is not None
                else FieldEvidence.of(told, clusters, agents, undeclared, by_hand)
            ),
            value_scales=(
                kept.value_scales
                if kept is not None
                else ValueScales.of(unit.events.customers(MOST_CUSTOMERS))
            ),
        )

    def with_agents(self, unit: Unit, shop: Shop) -> Shop:
        """The same shop with who is online and how many cases each now has; this comes with every event."""
        agents = {agent.id: agent for agent in unit.agents.all()}
        return replace(shop, agents=agents, recent=lately(unit, shop.recent))

    def save(self) -> None:
        with self._lock:
            self._vectors.save()

    def with_intent(self, shop: Shop, draft: Intent) -> Shop:
        """The same shop as if one intent were as drafted; what is remembered of the others stays."""
        intents = {**shop.intents, draft.id: draft}
        ordered = tuple(intents[id] for id in sorted(intents))
        with self._lock:
            return replace(shop, intents=intents, classifier=self._fit(ordered)[0])

    def _taught(self, intents: tuple[Intent, ...]) -> tuple[IntentClassifier, Matters | None]:
        with self._lock:
            if self._fitted is None or self._fitted[0] != intents:
                self._fitted = (intents, *self._fit(intents))
            return self._fitted[1:]

    def _fit(self, intents: tuple[Intent, ...]) -> tuple[IntentClassifier, Matters | None]:
        examples = self._utterances({intent.id: intent.examples for intent in intents})
        names = self._utterances({intent.id: spoken_names(intent.label) for intent in intents})
        reads = self._embedder.reads
        classifier = IntentClassifier.fit(intents, examples, names=names, reads=reads)
        return classifier, Matters.fit(examples, reads=reads)

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


def spoken_names(label: str) -> tuple[str, ...]:
    """What an intent is called, in each language that its label gives: "查物流 / Where is my parcel" is two names,
    and an underscore is a space."""
    parts = re.split(r"\s+[/|]\s+", label.replace("_", " "))
    return tuple(part for part in (text.strip() for text in parts) if part)


def product_name(names: Sequence[str], language: str) -> str:
    """Of a product's names the first that readers of a language know, else the first; there is at least one. A name
    with a colon is a page's title."""
    plain = [name for name in names if ":" not in name and "：" not in name] or list(names)
    spoken = [name for name in plain if any(map(is_han, name)) == (language == "zh")]
    return (spoken or plain)[0]


def outcomes(unit: Unit, clusters: Sequence[Expertise]) -> Iterable[Outcome]:
    """The shop's outcomes as the graph room takes them, each with the cluster of its problem or intent."""
    fields = Fields(clusters)
    for item in unit.events.outcomes():
        yield plain(item, fields.find(item.problem_id, item.intent_id))


def product_names(documents: Iterable[Document]) -> dict[str, tuple[str, ...]]:
    """The names of each product by SKU, from documents about exactly one product: those that tell its attributes come
    first, since they are called as the product is; a page about it may be called "help"."""
    names: dict[str, dict[str, None]] = {}
    for document in sorted(documents, key=lambda item: not item.fields):
        if len(document.products) != 1:
            continue
        found = names.setdefault(document.products[0], {})
        found[document.title] = None
        for name in NAME_FIELDS:
            value = document.fields.get(name)
            if isinstance(value, str) and value.strip():
                found[value.strip()] = None
    return {sku: tuple(found) for sku, found in names.items()}
