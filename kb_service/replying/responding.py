"""A question that was considered, to the reply: routed, decided, put in order, briefed."""

from __future__ import annotations

from kb_service.care.conflict_reply import both_sides
from kb_service.handover.deciding import Decision, decide, hand_over_rule
from kb_service.handover.handing_over import HandingOver
from kb_service.handover.situations import situation_of
from kb_service.learning.swapping import Order, as_ranked, swapped
from kb_service.models import CandidateAnswer, Reply, Timing
from kb_service.replying.clarifying import clarification
from kb_service.replying.considering import Considered
from kb_service.replying.rephrasing import Rewording
from kb_service.replying.sureness import in_reading_order
from kb_service.replying.trace import Trace, milliseconds_since, note
from kb_service.routing import Routing
from kb_service.understanding.question_reading import masked_text, told_in


class Responding:
    """Decides on questions to any workspace; keeps nothing. `rewording` is None where no model rewords answers."""

    def __init__(self, routing: Routing, handing_over: HandingOver, rewording: Rewording | None) -> None:
        self._routing = routing
        self._handing_over = handing_over
        self._rewording = rewording

    def respond(
        self, considered: Considered, started: float, trace: Trace | None = None
    ) -> tuple[Reply, Order]:
        """The reply, and the order that its answers are shown in. `started` is when the question came."""
        replica, question, reading = considered.replica, considered.question, considered.reading
        route = self._routing.decide(replica, question, reading, considered.file)
        note(trace, "routing")
        decision = self._decide(considered, trace)
        note(trace, "deciding")
        shown = _ordered(considered, decision, _to_be_read(considered, self._worded(considered, decision)))
        handoff = self._handing_over.handoff(
            replica, question, reading, considered.file, decision, route, considered.conflict
        )
        reply = Reply(
            action=decision.action,
            reason=decision.reason,
            confidence=considered.offered.confidence,
            answers=_with_both_sides(considered, decision, shown.answers),
            clarify=clarification(considered) if decision.action == "clarify" else None,
            handoff=handoff,
            understanding=reading.understanding,
            priority=route.priority,
            problem=reading.problem,
            timing_ms=Timing(
                total=milliseconds_since(started),
                embed=reading.milliseconds,
                search=considered.found.milliseconds,
            ),
        )
        note(trace, "briefing")
        return reply, shown

    def _decide(self, considered: Considered, trace: Trace | None) -> Decision:
        situation = situation_of(considered, self._handing_over)
        if trace is not None:
            trace.situation = situation
        told = trace.rules if trace is not None else None
        if considered.route_name == "suggestions":
            return hand_over_rule(situation, told) or Decision("suggest", "for_an_agent")
        return decide(situation, told)

    def _worded(self, considered: Considered, decision: Decision) -> tuple[CandidateAnswer, ...]:
        """The answers as they leave: the first reworded where that is configured and it is what will be sent."""
        offered, question = considered.offered, considered.question
        if decision.reason == "small_talk" or not offered.answers:
            return ()
        rewording = self._rewording
        if rewording is None or decision.action not in ("answer", "suggest"):
            return offered.answers
        sent = decision.action == "answer"
        if not (rewording.suggestions if considered.route_name == "suggestions" else sent):
            return offered.answers
        first, *others = offered.answers
        asked = masked_text(question.text)
        return (rewording.reworded(first, offered.template, asked, question.context), *others)


def _to_be_read(considered: Considered, answers: tuple[CandidateAnswer, ...]) -> tuple[CandidateAnswer, ...]:
    """Suggestions in the order in which a person reads them; what a bot answers stays as it is ranked."""
    if considered.route_name != "suggestions":
        return answers
    return in_reading_order(answers, considered.reading.whole.language)


def _ordered(considered: Considered, decision: Decision, answers: tuple[CandidateAnswer, ...]) -> Order:
    """The order in which the answers are shown: now and then two neighbours are exchanged, never in what a bot sends
    unseen."""
    replica = considered.replica
    if decision.action != "suggest":
        return as_ranked(answers)
    return swapped(
        answers,
        considered.exposure_id,
        replica.shop.rules.swap_share,
        hits={hit.external_id: hit for hit in considered.found.hits},
        withheld=replica.withheld,
    )


def _with_both_sides(
    considered: Considered, decision: Decision, answers: tuple[CandidateAnswer, ...]
) -> tuple[CandidateAnswer, ...]:
    """The answers; of a question that two documents answer differently, both of them first."""
    if decision.trigger != "conflict" or considered.conflict is None:
        return answers
    question = considered.question
    return both_sides(
        answers,
        considered.conflict,
        exposure_id=considered.exposure_id,
        language=told_in(question, considered.reading),
        limit=question.limit,
    )
