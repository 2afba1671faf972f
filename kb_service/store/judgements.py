"""What people said of the answers that were shown, put together by exposure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import not_, select

from kb_service.store import tables
from kb_service.store.exposures import exposure_of
from kb_service.store.feedback import feedback_of
from kb_service.store.repository import Repository, chunks
from kb_service.store.reviews import OF_EDIT, review_of
from kb_service.store.values import Exposure, Feedback, Judgement, Review

_exposures = tables.exposures
_feedback = tables.feedback
_reviews = tables.reviews


class Judgements(Repository):
    """Reads only: exposures, feedback and reviews are written where they arise."""

    table = _exposures

    def latest(self, model_id: str, limit: int) -> tuple[Judgement, ...]:
        """The exposures of a model that were judged and carry features, oldest first.

        The latest `limit` that were reviewed, and the latest `limit` that feedback was given on: no amount of
        feedback takes the place of a review.
        """
        told = select(_feedback.c.exposure_id).where(self._mine(_feedback))
        done = select(_reviews.c.exposure_id).where(
            self._mine(_reviews), _reviews.c.state == "done", not_(OF_EDIT)
        )
        found: dict[str, Exposure] = {}
        for judged in (done, told):
            statement = (
                select(_exposures)
                .where(
                    self._mine(),
                    _exposures.c.model_id == model_id,
                    _exposures.c.features.is_not(None),
                    _exposures.c.id.in_(judged),
                )
                .order_by(_exposures.c.at.desc(), _exposures.c.id.desc())
                .limit(limit)
            )
            found |= {row.id: exposure_of(row) for row in self._read(statement)}
        return self._with_words(found.values())

    def told(self, since: datetime, limit: int) -> tuple[Judgement, ...]:
        """The exposures since a moment that feedback was given on, oldest first: the latest `limit`.

        Without those of customers who were erased.
        """
        heard = select(_feedback.c.exposure_id).where(self._mine(_feedback))
        statement = (
            select(_exposures)
            .where(
                self._mine(),
                _exposures.c.at >= since,
                _exposures.c.query.is_not(None),
                _exposures.c.id.in_(heard),
            )
            .order_by(_exposures.c.at.desc(), _exposures.c.id.desc())
            .limit(limit)
        )
        return self._with_words(map(exposure_of, self._read(statement)))

    def _with_words(self, found: Iterable[Exposure]) -> tuple[Judgement, ...]:
        """What people said of some exposures, oldest first."""
        exposures = sorted(found, key=lambda exposure: (exposure.at, exposure.id))
        ids = [exposure.id for exposure in exposures]
        feedback, reviews = self._feedback(ids), self._reviews(ids)
        return tuple(
            Judgement(
                exposure,
                tuple(feedback[exposure.id]),
                next((review for review in reviews[exposure.id] if review.kind == "answer"), None),
                {
                    review.feedback_id: review.verdict
                    for review in reviews[exposure.id]
                    if review.feedback_id is not None and review.verdict is not None
                },
            )
            for exposure in exposures
        )

    def _feedback(self, ids: list[str]) -> dict[str, list[Feedback]]:
        found: dict[str, list[Feedback]] = defaultdict(list)
        for some in chunks(ids):
            statement = select(_feedback).where(self._mine(_feedback), _feedback.c.exposure_id.in_(some))
            for row in self._read(statement.order_by(_feedback.c.at, _feedback.c.id)):
                found[row.exposure_id].append(feedback_of(row))
        return found

    def _reviews(self, ids: list[str]) -> dict[str, list[Review]]:
        found: dict[str, list[Review]] = defaultdict(list)
        for some in chunks(ids):
            theirs = select(_reviews).where(self._mine(_reviews), _reviews.c.exposure_id.in_(some))
            for row in self._read(theirs.where(_reviews.c.state == "done")):
                found[row.exposure_id].append(review_of(row))
        return found
