"""A question as it is understood: what it says, what it asks for, and the problem that it belongs to."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from graph.models import Entity, Problem, Understanding, Utterance
from graph.person_requests import without_refusal
from graph.understanding import asks_for_person, read
from ingest.redaction import redact
from kb_service.messages import Language
from kb_service.models import Question, Turn
from kb_service.replicas.replica import Replica
from kb_service.understanding.reading import Reader
from kb_service.understanding.signs import check_intent, flow_of, mere_talk, with_chosen


@dataclass(frozen=True, slots=True)
class Reading:
    """A question as it was understood, whole and by clause.

    `searched` is what the search is asked, with terms that count differently in `weights`; `whole` and `clauses` are
    corrected and, of a turn that says too little by itself, stand with what it follows on. `milliseconds` is the
    encoder's time.
    """

    whole: Utterance
    searched: str
    understanding: Understanding
    candidates: tuple[str, ...]
    problem: Problem | None
    problem_score: float
    asks_for_person: bool
    sensitive_flow: str | None
    small_talk: bool
    milliseconds: float
    clauses: tuple[Utterance, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    apart: bool = False
    """Whether the candidates are several matters, each said in a clause of its own."""


def read_question(reader: Reader, replica: Replica, question: Question, now: datetime) -> Reading:
    """Understand a question: language, intents, entities, emotion, urgency, and the problem it belongs to."""
    check_intent(replica.shop, question)
    asked = replica.asked(*_without_refusal(question))
    started = time.perf_counter()
    whole, clauses, masked = reader.question(asked.meant, spoken=asked.language)
    milliseconds = round((time.perf_counter() - started) * 1000, 2)
    shop = replica.shop
    spoken = whole.language
    understood = read(
        question.text,
        language=spoken,
        clauses=clauses,
        whole=whole,
        classifier=shop.classifier,
        gazetteer=shop.gazetteer,
        at=now,
        moods=reader.moods(spoken),
    )
    understanding = replace(
        understood.understanding,
        corrected_query=asked.corrected,
        entities=_without_cards(question.text, understood.understanding.entities),
    )
    understanding = with_chosen(understanding, question, shop)
    candidates = (question.intent,) if question.intent is not None else understood.intents.candidates
    match = replica.match(masked, understanding.entities, now)
    return Reading(
        whole=whole,
        searched=asked.said,
        understanding=understanding,
        candidates=candidates,
        problem=replica.problem_of(match),
        problem_score=match.score,
        asks_for_person=asks_for_person(question.text, spoken),
        sensitive_flow=flow_of(shop, question, understanding),
        small_talk=mere_talk(shop, question, understanding),
        milliseconds=milliseconds,
        clauses=tuple(clauses),
        weights=asked.weights,
        apart=understood.intents.reason == "several_intents" and question.intent is None,
    )


def unspoken(reading: Reading, language: str | None) -> Reading:
    """A case whose customer wrote nothing, such as a call: nothing is out of scope, and its language may be known."""
    known = language or "und"
    return replace(
        reading,
        whole=replace(reading.whole, language=known),
        understanding=replace(reading.understanding, language=known, intents=(), out_of_scope=False),
    )


def told_in(question: Question, reading: Reading) -> Language:
    """The language of what is written for the reader: the request's own, else the customer's."""
    return question.reader or ("zh" if reading.whole.language == "zh" else "en")


def masked_text(text: str) -> str:
    """The text with personal data masked, as it is kept."""
    return redact(text).text


def _without_refusal(question: Question) -> tuple[str, tuple[Turn, ...]]:
    """The question as it is understood, with the turns before it: "I don't need a human" says nothing of the matter."""
    said = without_refusal(question.text)
    if not said or said == question.text:
        return question.text, question.turns
    written = question.text.strip()
    return said, tuple(turn for turn in question.turns if turn.text.strip() != written)


def _without_cards(text: str, entities: Sequence[Entity]) -> tuple[Entity, ...]:
    """What a message names, without the numbers of cards and documents of identity that look like an order's."""
    private = [found for found in redact(text).findings if found.type in ("card", "id")]
    return tuple(
        entity
        for entity in entities
        if entity.type not in ("order", "parcel")
        or not any(entity.start < found.end and found.start < entity.end for found in private)
    )
