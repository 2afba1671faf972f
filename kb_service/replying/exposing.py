"""What is remembered of a reply: which answers were shown in which places, and what they were decided by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from kb_service.learning.swapping import Order
from kb_service.models import Reply
from kb_service.replying.considering import Considered
from kb_service.search.models import Hit
from kb_service.search.precedents import FEATURE as PRECEDENTS
from kb_service.search.weighing import Weighed
from kb_service.store import Exposure, ShownAnswer, new_id
from kb_service.understanding.question_reading import masked_text


def exposure_of(
    considered: Considered, reply: Reply, shown: Order, case_id: str | None, now: datetime
) -> Exposure:
    """One reply as feedback, reviews and the learning of ranks look back on it; its question is masked."""
    replica, question, found = considered.replica, considered.question, considered.found
    calibration = found.weighed.calibration
    top = reply.understanding.intents[0].id if reply.understanding.intents else None
    return Exposure(
        id=reply.answers[0].exposure_id if reply.answers else new_id("exp_", now),
        at=now,
        route=considered.route_name,
        query=masked_text(question.text),
        language=reply.understanding.language,
        action=reply.action,
        reason=reply.reason,
        confidence=reply.confidence,
        answers=_placed(reply, shown, found.hits),
        conversation_id=question.conversation_id,
        customer_id=question.customer.id if question.customer else None,
        case_id=case_id,
        event_id=question.event_id,
        problem_id=reply.problem.id if reply.problem else None,
        intent_id=top,
        model_id=calibration.model_id,
        calibration_id=calibration.id,
        # A confidence that was lowered after the search is not what the features speak of.
        features=_kept(found.weighed) if reply.confidence == found.confidence else None,
        threshold=calibration.evidence.threshold(replica.shop.rules.wrong_answer_bound),
        arms=replica.way.arms or None,
    )


def _kept(weighed: Weighed) -> Mapping[str, float] | None:
    return {**weighed.features, PRECEDENTS: weighed.precedents} if weighed.features else None


def _placed(reply: Reply, shown: Order, hits: Sequence[Hit]) -> tuple[ShownAnswer, ...]:
    """The answers by place; what was put among them after the order was made has its place for sure."""
    chances = {answer.id: chance for answer, chance in zip(shown.answers, shown.propensities, strict=True)}
    evidence = {hit.external_id: hit.evidence for hit in hits}
    documents = [answer.citations[0].document_id for answer in reply.answers]
    return tuple(
        ShownAnswer(
            answer.id, document, rank, answer.confidence, chances.get(answer.id, 1.0), evidence.get(document)
        )
        for rank, (answer, document) in enumerate(zip(reply.answers, documents, strict=True), 1)
    )
