"""Where a matter belongs that the shop gives to no expertise: told by who resolves it, and by the product.

A shop splits returns by what is returned: "I want to return this" belongs to electronics or to clothing. For such an
intent outcomes tell how its cases are spread over the clusters, and each product which clusters its cases come to:

    P(cluster | intent, products, words)  ∝  P(cluster | intent) · (words + .02) · Π P(cluster | product) / P(cluster)

P(cluster | intent) comes from the agents who resolved such cases: each of them has several skills, and which of them
the cases took is found by expectation-maximisation (Dempster, Laird and Rubin 1977), so that the skill that most of
them share explains most. A product of few cases is told by its family, the SKUs of the same beginning.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graph.models import Agent, Expertise
from graph.profiles import Outcome

_PRIOR = 5.0
"""Cases for which what is expected of a product, or of an intent, counts."""
_WORDS = 0.02
"""What counts for a cluster of which the words of the message say nothing."""
_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class FieldEvidence:
    """Shares by cluster. `intents` holds those without a cluster of their own: empty where none was resolved yet.
    `lifts` tells by product, and by family, how many times more of its cases come to a cluster than of all cases do;
    `pinned` are problems that a person gave to a cluster.
    """

    clusters: tuple[str, ...] = ()
    intents: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    lifts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    pinned: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        outcomes: Iterable[Outcome],
        clusters: Sequence[Expertise],
        agents: Iterable[Agent],
        undeclared: Collection[str],
        pinned: Collection[str] = (),
    ) -> FieldEvidence:
        """From all outcomes; `undeclared` are the intents that neither the shop nor a person gave to a cluster."""
        ids = tuple(cluster.id for cluster in clusters)
        fields = {
            agent.id: tuple(cluster.id for cluster in clusters if agent.id in cluster.agent_ids)
            for agent in agents
        }
        taken: dict[str, Counter[str]] = {intent_id: Counter() for intent_id in undeclared}
        sold: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for outcome in outcomes:
            loose = outcome.intent_id in taken and outcome.problem_id not in pinned
            if loose and outcome.success and fields.get(outcome.agent_id):
                taken[outcome.intent_id or ""][outcome.agent_id] += 1
            elif not loose and outcome.expertise_id is not None:
                for product in outcome.products:
                    sold[product][outcome.expertise_id] += 1
        return cls(
            ids,
            {intent_id: _spread(cases, fields) for intent_id, cases in taken.items()},
            _lifts(sold, ids),
            frozenset(pinned),
        )

    def among(self, undeclared: Collection[str], pinned: Collection[str]) -> FieldEvidence:
        """The same after the shop declared or people pinned something else."""
        known = {intent_id: self.intents.get(intent_id, {}) for intent_id in undeclared}
        return replace(self, intents=known, pinned=frozenset(pinned))

    def open(self, intent_id: str | None) -> bool:
        """Whether an intent has no cluster of its own."""
        return intent_id in self.intents

    def tells(self, intent_id: str | None, products: Sequence[str]) -> bool:
        """Whether anything is known that says where such a case belongs."""
        spread = self.intents.get(intent_id or "")
        return bool(spread) or any(self._lift(product) for product in products)

    def shares(
        self, intent_id: str | None, products: Sequence[str], words: Mapping[str, float]
    ) -> dict[str, float]:
        """How likely a case of an open intent belongs to each cluster; `words` is what the message's other intents
        give the clusters. They sum to 1; empty when there is no cluster."""
        spread = self.intents.get(intent_id or "", {})
        weights = {}
        for id_ in self.clusters:
            weight = spread.get(id_, 0.0) if spread else 1.0
            weight *= _WORDS + words.get(id_, 0.0)
            weights[id_] = weight * math.prod(self._lift(product).get(id_, 1.0) for product in products)
        total = sum(weights.values())
        return {id_: weight / total for id_, weight in weights.items() if weight > 0} if total > 0 else {}

    def _lift(self, product: str) -> Mapping[str, float]:
        return self.lifts.get(product) or self.lifts.get(family(product), {})


def family(product: str) -> str:
    """The beginning that SKUs of one kind share: "SLA-SP30" is of "SLA-"."""
    head, hyphen, _ = product.partition("-")
    return head + hyphen


def _spread(cases: Mapping[str, int], fields: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """How cases spread over clusters, from how many each agent resolved and what each is for; sums to 1.

    Less of it the fewer cases there are: then it is drawn to an even spread. Empty without cases.
    """
    total = sum(cases.values())
    if not total:
        return {}
    ids = sorted({id_ for own in fields.values() for id_ in own})
    shares = dict.fromkeys(ids, 1 / len(ids))
    for _ in range(_ROUNDS):
        found = dict.fromkeys(ids, 0.0)
        for agent_id, count in cases.items():
            known = sum(shares[id_] for id_ in fields[agent_id])
            for id_ in fields[agent_id]:
                found[id_] += count * shares[id_] / known if known > 0 else 0.0
        shares = {id_: count / total for id_, count in found.items()}
    even = _PRIOR / len(ids)
    return {id_: (total * share + even) / (total + _PRIOR) for id_, share in shares.items()}


def _lifts(sold: Mapping[str, Mapping[str, int]], ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """P(cluster | product) / P(cluster), the product drawn to its family and the family to the shop."""
    shop, families = Counter[str](), defaultdict[str, Counter[str]](Counter)
    for product, cases in sold.items():
        shop.update(cases)
        families[family(product)].update(cases)
    usual = {id_: (shop[id_] + 1) / (shop.total() + len(ids)) for id_ in ids}
    of_family = {name: _drawn(cases, usual) for name, cases in families.items()}
    shares = of_family | {
        product: _drawn(cases, of_family[family(product)]) for product, cases in sold.items()
    }
    return {name: {id_: own[id_] / usual[id_] for id_ in ids} for name, own in shares.items()}


def _drawn(cases: Mapping[str, int], expected: Mapping[str, float]) -> dict[str, float]:
    total = sum(cases.values())
    return {id_: (cases.get(id_, 0) + _PRIOR * share) / (total + _PRIOR) for id_, share in expected.items()}
