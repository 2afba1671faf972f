"""Which questions got no good answer: by what was shown, and by what people made of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.gaps import GapReason, Unanswered, asks_something, rewritten
from graph.models import Utterance
from ingest import language
from ingest.redaction import mask_numbers
from kb_service.handover.deciding import LOW
from kb_service.replicas.replica import Replica
from kb_service.store import Exposure, Feedback, Unit
from kb_service.understanding.reading import Reader, compared_words

SPAN = timedelta(days=90)
"""How far back questions are looked at."""
MOST_QUESTIONS = 2_000
"""The newest of them, where there are more."""
UNSURE = 0.5
"""Confidence below which an answer is more likely wrong than right."""
BY_KNOWLEDGE = ("no_answer", "out_of_scope", "unproven", "for_an_agent", "placeholders_missing")
"""Reasons of decisions that went by what was found; the others say nothing about what the shop knows."""
ASKED_AGAIN = "second_turn_failed"
"""The customer refused the answers by asking again and again."""
POOR = ("rejected", "edited", "reopened")
"""What people say of an answer that may have been no good."""
ENCODED_AT_ONCE = 8
"""Questions in one call of the encoder, so that those that wait for an answer get their turn."""

Reception: TypeAlias = Literal["good", "reopened", "rejected", "rewritten"]


class UnansweredQuestions:
    """Reads the unanswered questions of a workspace; keeps their vectors, for as long as the questions stand."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._vectors: dict[str, dict[str, NDArray[np.float16]]] = {}
        self._lock = threading.Lock()

    def read(self, unit: Unit, replica: Replica, now: datetime) -> dict[str, tuple[Unanswered, Exposure]]:
        """The questions of the last 90 days that got no good answer, by the id of their exposure, oldest first.

        Small talk and abuse are none. At most the newest 2,000 candidates are looked at.
        """
        candidates = unit.exposures.unanswered(
            now - SPAN,
            below=UNSURE,
            reasons=BY_KNOWLEDGE,
            always=(ASKED_AGAIN,),
            outcomes=POOR,
            limit=MOST_QUESTIONS,
        )
        feedback = unit.feedback.of_exposures([exposure.id for exposure in candidates])
        offered = offered_texts(unit, feedback)
        judged = []
        for exposure in reversed(candidates):
            receptions = received(feedback.get(exposure.id, ()), offered)
            reason = why(exposure, receptions)
            if reason is not None:
                judged.append((exposure, reason, _refused(exposure, receptions)))
        vectors = self._encoded(replica.workspace, [exposure for exposure, _, _ in judged])
        found: dict[str, tuple[Unanswered, Exposure]] = {}
        for exposure, reason, refused in judged:
            question = _question(
                exposure, reason, refused, vectors[exposure.id], replica, self._reader.model_id
            )
            if asks_something(question.utterance):
                found[exposure.id] = question, exposure
        return found

    def vector(self, workspace: str, exposure_id: str) -> NDArray[np.float32] | None:
        """The unit-length vector of a question that was read, as a search takes it."""
        kept = self._vectors.get(workspace, {}).get(exposure_id)
        return None if kept is None else kept.astype(np.float32)

    def forget(self, workspace: str) -> None:
        """Drop the vectors of a workspace's questions, as an erasure asks."""
        with self._lock:
            self._vectors.pop(workspace, None)

    def _encoded(self, workspace: str, exposures: Sequence[Exposure]) -> Mapping[str, NDArray[np.float16]]:
        """Vectors by exposure. Those of questions that are no longer asked for, the erased among them, are dropped."""
        with self._lock:
            known = self._vectors.get(workspace, {})
            kept = {exposure.id: known[exposure.id] for exposure in exposures if exposure.id in known}
            missing = [exposure for exposure in exposures if exposure.id not in kept]
            for start in range(0, len(missing), ENCODED_AT_ONCE):
                some = missing[start : start + ENCODED_AT_ONCE]
                read = self._reader.read([exposure.query or "" for exposure in some])
                kept.update(
                    (exposure.id, utterance.vector.astype(np.float16))
                    for exposure, utterance in zip(some, read, strict=True)
                )
            self._vectors[workspace] = kept
            return kept


def why(exposure: Exposure, receptions: Mapping[str, Reception]) -> GapReason | None:
    """Why a question has no good answer, or None when it has one or nothing speaks against it."""
    found = set(receptions.values())
    if "good" in found:
        return None
    if "reopened" in found:
        return "reopened"
    if "rejected" in found or exposure.reason == ASKED_AGAIN:
        return "rejected"
    if "rewritten" in found:
        return "rewritten"
    if exposure.reason not in BY_KNOWLEDGE or exposure.confidence >= UNSURE:
        return None
    return "unsure" if exposure.answers and exposure.confidence >= LOW else "nothing_found"


def received(given: Sequence[Feedback], offered: Mapping[str, str]) -> dict[str, Reception]:
    """What people made of each answer in the end, by its id. `given` is oldest first, `offered` holds texts by answer.

    An answer that was replaced by another text stays replaced, even where that text resolved the case.
    """
    found: dict[str, Reception] = {}
    for item in given:
        before = found.get(item.answer_id)
        if item.outcome == "reopened":
            found[item.answer_id] = "reopened"
        elif item.outcome == "rejected":
            found[item.answer_id] = "rejected"
        elif item.outcome == "edited" and _says_else(item, offered):
            found[item.answer_id] = "rewritten"
        elif before != "rewritten":
            found[item.answer_id] = "good"
    return found


def worded(text: str) -> Utterance:
    """A text as it is compared by words alone: its vector is empty."""
    spoken = language.identify(text)
    return Utterance(text, spoken, compared_words(text), np.zeros(0, np.float32), "")


def offered_texts(unit: Unit, feedback: Mapping[str, Sequence[Feedback]]) -> dict[str, str]:
    """The texts of the answers that were edited, as far as they still stand."""
    edited = {item.answer_id for given in feedback.values() for item in given if item.outcome == "edited"}
    return {id: stored.passage.text for id, stored in unit.documents.passages_by_id(edited).items()}


def _says_else(item: Feedback, offered: Mapping[str, str]) -> bool:
    """Whether an edited reply is another one; not where the passage is gone, since the document changed then."""
    if not item.final_text or item.answer_id not in offered:
        return False
    return rewritten(compared_words(item.final_text), compared_words(offered[item.answer_id]))


def _refused(exposure: Exposure, receptions: Mapping[str, Reception]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            answer.external_id
            for answer in exposure.answers
            if receptions.get(answer.answer_id, "good") != "good" or exposure.reason == ASKED_AGAIN
        )
    )


def _question(
    exposure: Exposure,
    reason: GapReason,
    refused: tuple[str, ...],
    vector: NDArray[np.float16],
    replica: Replica,
    model_id: str,
) -> Unanswered:
    text = exposure.query or ""
    masked = mask_numbers(text)
    spoken = exposure.language or language.identify(text)
    entities = tuple(replica.shop.gazetteer.entities(text, exposure.at))
    return Unanswered(
        id=exposure.id,
        at=exposure.at,
        text=text,
        utterance=Utterance(masked, spoken, compared_words(masked), vector.astype(np.float32), model_id),
        reason=reason,
        customer_id=exposure.customer_id,
        conversation_id=exposure.conversation_id,
        problem_id=_problem_id(exposure, replica),
        entities=entities,
        products=tuple(dict.fromkeys(entity.value for entity in entities if entity.type == "sku")),
        refused=refused,
    )


def _problem_id(exposure: Exposure, replica: Replica) -> str | None:
    """The problem that the question joined, as it stands after merges; None when it is gone."""
    if exposure.problem_id is None:
        return None
    found = replica.graph.survivor(exposure.problem_id)
    return found if found in replica.problems else None
