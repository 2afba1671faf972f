"""What in a question bears on who answers it: a sensitive flow, mere talk, the intent that the customer chose."""

from __future__ import annotations

from dataclasses import replace

from graph.folding import fold
from graph.models import IntentScore, Understanding
from graph.sensitive_flows import refund_words, worth
from graph.understanding import sensitive_flow, small_talk
from kb_service.errors import InvalidRequest
from kb_service.models import Question
from kb_service.replicas.shop import Shop

LIKELY_INTENT = 0.6
"""Probability from which an intent decides anything by itself: that it is sensitive, or about a refund."""
CHOSEN = 0.95
"""Probability of the intent that the customer chose when asked."""
OFFERED, OFFERED_SHARE = 0.15, 1 / 3
"""Probability from which an intent is offered when asking back, and the share of the likeliest one's that it needs."""
_LOOKED_AT = 3
"""Intents whose examples are looked at for the very message: its own stands among the best."""


def check_intent(shop: Shop, question: Question) -> None:
    """Raises InvalidRequest for a chosen intent that the shop does not have."""
    if question.intent is not None and question.intent not in shop.intents:
        raise InvalidRequest.of(
            "intent",
            "there is no intent {id}; send one that clarify offered, or leave it out",
            id=question.intent,
        )


def with_chosen(understanding: Understanding, question: Question, shop: Shop) -> Understanding:
    """The understanding after the customer chose an intent: it stands first and is as good as certain."""
    chosen = shop.intents.get(question.intent) if question.intent else None
    if chosen is None:
        return understanding
    others = [score for score in understanding.intents if score.id != chosen.id]
    known = next((score.probability for score in understanding.intents if score.id == chosen.id), 0.0)
    probability = max(known, CHOSEN)
    rest = sum(score.probability for score in others)
    share = min(1.0, (1 - probability) / rest) if rest else 0.0
    lowered = (replace(score, probability=score.probability * share) for score in others)
    first = IntentScore(chosen.id, chosen.label, probability)
    return replace(understanding, intents=(first, *lowered), out_of_scope=False)


def likely_intents(understanding: Understanding) -> tuple[str, ...]:
    """The intents that a message has likely enough to act on, best first."""
    if understanding.out_of_scope:
        return ()
    return tuple(score.id for score in understanding.intents if score.probability >= LIKELY_INTENT)


def worth_asking(understanding: Understanding, candidates: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some competing intents that are likely enough to be offered when asking back."""
    known = {score.id: score.probability for score in understanding.intents}
    best = max((known.get(intent, 0.0) for intent in candidates), default=0.0)
    least = max(OFFERED, best * OFFERED_SHARE)
    return tuple(intent for intent in candidates if known.get(intent, 0.0) >= least)


def flow_of(shop: Shop, question: Question, understanding: Understanding) -> str | None:
    """The sensitive flow that a question falls into, refunds above the shop's limit among them."""
    intents = (shop.intents[intent] for intent in likely_intents(understanding) if intent in shop.intents)
    worths = [value for value in (question.order_value, worth(question.context)) if value is not None]
    return sensitive_flow(
        question.text,
        shop.rules,
        entities=understanding.entities,
        at_stake=max(worths, default=None),
        refunding=any(refund_words(intent.label, shop.rules) for intent in intents),
    )


def sensitive_intent(shop: Shop, understanding: Understanding) -> str | None:
    """The name of the likeliest intent that the shop marked as sensitive, of those likely enough to act on."""
    marked = (
        intent.label
        for id in likely_intents(understanding)
        if (intent := shop.intents.get(id)) is not None and intent.sensitive
    )
    return next(marked, None)


def mere_talk(shop: Shop, question: Question, understanding: Understanding) -> bool:
    """Whether a question is small talk, and no intent of the shop has the very message as an example."""
    if not small_talk(question.text, understanding.language):
        return False
    said = fold(question.text).strip()
    return not any(
        said == fold(example).strip()
        for score in understanding.intents[:_LOOKED_AT]
        if score.id in shop.intents
        for example in shop.intents[score.id].examples
    )
