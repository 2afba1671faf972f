"""A message understood: intents, entities, mood, urgency, and whether it must go to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from graph.emotion import emotion, urgency
from graph.entities import Gazetteer
from graph.handover import DEFAULT_SENSITIVE_FLOWS, asks_for_person, sensitive_flow, small_talk
from graph.intents import IntentClassifier, IntentReading
from graph.models import Understanding, Utterance

__all__ = [
    "DEFAULT_SENSITIVE_FLOWS",
    "Gazetteer",
    "IntentClassifier",
    "IntentReading",
    "Reading",
    "asks_for_person",
    "emotion",
    "read",
    "sensitive_flow",
    "small_talk",
    "urgency",
]


@dataclass(frozen=True, slots=True)
class Reading:
    """An understanding together with the classifier's reason and the intents to act on."""

    understanding: Understanding
    intents: IntentReading


def read(
    text: str,
    *,
    language: str,
    clauses: Sequence[Utterance],
    classifier: IntentClassifier | None,
    gazetteer: Gazetteer,
    at: datetime,
    whole: Utterance | None = None,
) -> Reading:
    """Understand one message as written at the aware moment `at`.

    `clauses` are the message's clauses, prepared by the caller; `whole` is the entire message, which says
    more (see `IntentClassifier.predict`). Without a classifier every message is out of scope.
    """
    if classifier is None:
        intents = IntentReading((), True, "no_examples", ())
    else:
        intents = classifier.predict(clauses, whole=whole)
    felt = emotion(text, language)
    understanding = Understanding(
        language=language,
        intents=intents.scores,
        out_of_scope=intents.out_of_scope,
        entities=gazetteer.entities(text, at),
        emotion=felt,
        urgency=urgency(text, language, felt),
    )
    return Reading(understanding, intents)
