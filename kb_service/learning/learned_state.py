"""What people's verdicts and feedback, and the shop's own words, say of one workspace's documents and questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from graph.learned_ranks import Subject
from graph.models import Problem
from kb_service.replicas.shop import Shop
from kb_service.search.parts import Snapshot
from kb_service.search.vocabulary import Vocabulary, learn
from kb_service.store import Unit

Boosts: TypeAlias = Mapping[Subject, Mapping[str, float]]
"""What feedback adds to the evidence of documents, in log-odds by external id, by what they are moved for."""


def boosts_in_force(unit: Unit) -> Boosts:
    """The boosts that feedback taught and nobody took back."""
    found: dict[Subject, dict[str, float]] = {}
    for (subject, external_id), boost in unit.rank_moves.boosts().items():
        if boost > 0:
            found.setdefault(subject, {})[external_id] = boost
    return found


def lifted(
    boosts: Boosts, withheld: frozenset[str], problem: Problem | None, intent: str | None
) -> dict[str, float]:
    """What feedback adds to the evidence of documents for a question of a problem, or else of a sure intent.

    In log-odds, by external id; nothing to what a reviewer keeps out of automatic answers.
    """
    subjects: list[Subject] = []
    if problem is not None:
        subjects = [("problem", id) for id in (*problem.aliases, problem.id)]
    elif intent is not None:
        subjects = [("intent", intent)]
    found: dict[str, float] = {}
    for subject in subjects:
        for external_id, boost in boosts.get(subject, {}).items():
            found[external_id] = max(boost, found.get(external_id, 0.0))
    return {external_id: found[external_id] for external_id in found.keys() - withheld}


def words_of(snapshot: Snapshot, shop: Shop, before: Vocabulary | None) -> Vocabulary:
    """The words by which questions are corrected: those of the documents, of the products' names and of the intents'
    examples. Quick where only some documents came and went since `before`."""
    return learn(
        snapshot,
        names=[name for names in shop.products.values() for name in names],
        examples=[text for intent in shop.intents.values() for text in intent.examples],
        before=before,
    )
