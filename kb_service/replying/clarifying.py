"""The question back, where a message may mean several things."""

from __future__ import annotations

from graph.labels import label_in
from kb_service.messages import Language
from kb_service.models import Clarification, Option
from kb_service.replying.considering import Considered
from kb_service.understanding.question_reading import Reading
from kb_service.understanding.signs import worth_asking

MOST_OPTIONS = 3
CLARIFY = {
    "zh": "请问您要咨询的是下面哪一种情况？",
    "en": "Which of these do you mean?",
}


def offered_intents(reading: Reading) -> tuple[str, ...]:
    """The intents that a question back may offer."""
    return worth_asking(reading.understanding, reading.candidates)


def clarification(considered: Considered) -> Clarification:
    """The question back, which the customer reads: in the customer's language."""
    intents, spoken = considered.replica.shop.intents, considered.reading.whole.language
    language: Language = "zh" if spoken == "zh" else "en"
    options = tuple(
        Option(label_in(intents[intent].label, language), intent)
        for intent in offered_intents(considered.reading)[:MOST_OPTIONS]
        if intent in intents
    )
    return Clarification(CLARIFY[language], options)
