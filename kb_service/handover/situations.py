"""What the decision about a question looks at, of all that is known of it."""

from __future__ import annotations

from collections.abc import Sequence

from kb_service.handover.deciding import LIKELY, Situation
from kb_service.handover.handing_over import HandingOver
from kb_service.models import CandidateAnswer
from kb_service.replying.clarifying import offered_intents
from kb_service.replying.considering import Considered
from kb_service.understanding.signs import likely_intents


def situation_of(considered: Considered, looked: HandingOver) -> Situation:
    """The situation of a question; `looked` tells whether its conversation has become too much for a bot."""
    replica, question, reading = considered.replica, considered.question, considered.reading
    offered = considered.offered
    threshold = considered.found.weighed.calibration.threshold(
        replica.shop.rules.wrong_answer_bound, reading.whole.language
    )
    close = offered_intents(reading) if replica.way.clarifies and not reading.apart else ()
    proven = offered.confidence >= min(threshold, LIKELY)
    return Situation(
        understanding=reading.understanding,
        confidence=offered.confidence,
        threshold=threshold,
        candidates=len(offered.answers),
        complete=bool(offered.answers) and not offered.answers[0].missing,
        withheld=_cites(offered.answers[:1], replica.withheld),
        asks_for_person=reading.asks_for_person,
        sensitive_flow=reading.sensitive_flow,
        small_talk=reading.small_talk,
        close_intents=close if len(close) > 1 else (),
        intent_chosen=question.intent is not None,
        failed_turns=looked.failed(replica, question),
        sensitive_intent=_sensitive(considered),
        conflict=considered.conflict.id if considered.conflict is not None else None,
        complex=looked.complexity(replica, question, reading, considered.file, proven=proven),
        with_a_person=considered.file.with_a_person,
    )


def _cites(answers: Sequence[CandidateAnswer], documents: frozenset[str]) -> bool:
    return any(citation.document_id in documents for answer in answers for citation in answer.citations)


def _sensitive(considered: Considered) -> bool:
    """Whether the intent that the customer chose, or one that is likely enough, is marked as sensitive."""
    intents, chosen = considered.replica.shop.intents, considered.question.intent
    meant = (chosen,) if chosen is not None else likely_intents(considered.reading.understanding)
    return any(intents[intent].sensitive for intent in meant if intent in intents)
