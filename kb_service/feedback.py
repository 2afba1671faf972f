"""Feedback to record: what became of an answer that was shown."""

from __future__ import annotations

from typing import Any, Literal

from kb_service.errors import NotFound
from kb_service.exposures import ExposureLog
from kb_service.store import Feedback, Store, new_id
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

        It moves nothing by itself: each night `Learning` looks at what many said. Raises NotFound for an exposure or
        answer that was never shown.
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
            final = details.pop("final_text", None)
            unit.feedback.add(
                Feedback(
                    id=new_id("fb_", unit.now),
                    exposure_id=exposure_id,
                    answer_id=answer_id,
                    outcome=outcome,
                    at=unit.now,
                    final_text=masked_text(final) if final else None,
                    **details,
                )
            )
        return True
