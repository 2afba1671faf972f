"""A message understood: intents, entities, mood, urgency, and whether it must go to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from graph.emotion import emotion, urgency
from graph.entities import Gazetteer
from graph.intents import IntentClassifier, IntentReading
from graph.models import Understanding, Utterance
from graph.mood_head import MoodHead
from graph.person_requests import asks_for_person
from graph.sensitive_flows import sensitive_flow
from graph.small_talk import small_talk

__all__ = [
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
    moods: MoodHead | None = None,
) -> Reading:
    """Understand one message as written at the aware moment `at`.

    `clauses` are the message's clauses, prepared by the caller; `whole` is the entire message, which says
    more (see `IntentClassifier.predict`). Without a classifier every message is out of scope. `moods` is fitted on
    vectors of the same encoder; without it words alone tell the mood.
    """
    if classifier is None:
        intents = IntentReading((), True, "no_examples", ())
    else:
        intents = classifier.predict(clauses, whole=whole)
    heard = moods.log_probabilities(whole.vector) if moods is not None and whole is not None else None
    felt = emotion(text, language, heard)
    understanding = Understanding(
        language=language,
        intents=intents.scores,
        out_of_scope=intents.out_of_scope,
        entities=gazetteer.entities(text, at),
        emotion=felt,
        urgency=urgency(text, language, felt),
    )
    return Reading(understanding, intents)
