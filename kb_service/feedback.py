"""Feedback to record: what became of an answer that was shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from ingest.models import Passage
from kb_service.errors import NotFound
from kb_service.exposures import ExposureLog
from kb_service.store import EDIT, Feedback, Review, Store, Unit, new_id
from kb_service.understanding.question_reading import masked_text


class Feedbacks:
    """What people and bots say of the answers of every workspace."""

    def __init__(self, store: Store, exposures: ExposureLog) -> None:
        self._store = store
        self._exposures = exposures

    def record(
        self,
        workspace: str,
        *,
        exposure_id: str,
        answer_id: str,
        outcome: Literal["accepted", "edited", "rejected", "resolved", "reopened"],
        **details: Any,
    ) -> bool:
        """Record what became of an answer; False when the very same was recorded before.

        An edited reply waits for somebody to look at it, beside what was suggested (`shown_text`, or else the passage
        that the suggestion was taken from). It moves nothing by itself: each night `Learning` looks at what many
        said. Raises NotFound for an exposure or answer that was never shown.
        """
        self._exposures.flush()
        with self._store.writing(workspace) as unit:
            exposure = unit.exposures.get(exposure_id)
            if exposure is None:
                raise NotFound("There is no exposure {id} in this workspace.", id=exposure_id)
            if answer_id not in {shown.answer_id for shown in exposure.answers}:
                raise NotFound(
                    "The exposure {id} showed no answer {answer}.", id=exposure_id, answer=answer_id
                )
            given = [item for item in unit.feedback.of_exposure(exposure_id) if item.answer_id == answer_id]
            if any(item.outcome == outcome and item.agent_id == details.get("agent_id") for item in given):
                return False
            final, shown = details.pop("final_text", None), details.pop("shown_text", None)
            feedback = Feedback(
                id=new_id("fb_", unit.now),
                exposure_id=exposure_id,
                answer_id=answer_id,
                outcome=outcome,
                at=unit.now,
                final_text=masked_text(final) if final else None,
                **details,
            )
            unit.feedback.add(feedback)
            if outcome == "edited" and feedback.final_text and exposure.query is not None:
                unit.reviews.add_many(_edit(unit, feedback, shown))
        return True

    def take_back(self, workspace: str, *, exposure_id: str, answer_id: str, agent_id: str) -> bool:
        """Take back that somebody rejected an answer, as if nothing had been said; False where they did not.

        What a night moved on that word meanwhile is withdrawn by its own log, and made again by the next one as far as
        what others said tells so. Only a rejection is taken back: a reply that was sent has left.
        """
        with self._store.writing(workspace) as unit:
            given = [
                item
                for item in unit.feedback.of_exposure(exposure_id)
                if (item.answer_id, item.agent_id, item.outcome) == (answer_id, agent_id, "rejected")
            ]
            for item in given:
                unit.feedback.remove(item)
            if given:
                unit.rank_moves.forget([exposure_id])
        return bool(given)


def _edit(unit: Unit, feedback: Feedback, shown: str | None) -> Iterator[Review]:
    """The edit for people to look at, with what was suggested and where that stands; none where its document changed
    since and nobody tells what was shown."""
    stored = unit.documents.passages_by_id([feedback.answer_id]).get(feedback.answer_id)
    passage = stored.passage if stored is not None else None
    text = masked_text(shown) if shown else passage.text if passage is not None else None
    if text is None:
        return
    yield Review(
        id=feedback.id.replace("fb_", EDIT, 1),
        exposure_id=feedback.exposure_id,
        at=feedback.at,
        text=text,
        citations=(_citation(unit, passage),) if passage is not None else (),
    )


def _citation(unit: Unit, passage: Passage) -> dict[str, Any]:
    """Where a suggestion stands, as JSON holds it."""
    stored = unit.documents.get(passage.external_id)
    document = stored.document if stored is not None else None
    begin = document.valid_from if document is not None else None
    end = document.valid_to if document is not None else None
    return {
        "document_id": passage.external_id,
        "title": document.title if document is not None else passage.external_id,
        "url": document.url if document is not None else None,
        "section": list(passage.section),
        "quote": passage.text,
        "start": passage.start,
        "end": passage.end,
        "valid_from": begin.isoformat() if begin is not None else None,
        "valid_to": end.isoformat() if end is not None else None,
    }
