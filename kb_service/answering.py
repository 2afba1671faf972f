"""Question to answer or hand-over: understand, search, weigh, decide, remember what was shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from graph.models import Event
from ingest.models import Audience
from kb_service.casework import Casework
from kb_service.composing import Composed, compose_reply, summarise
from kb_service.deciding import Decision, Situation, decide, hand_over_rule
from kb_service.errors import NotFound, ServiceError
from kb_service.exposures import ExposureLog
from kb_service.models import (
    CandidateAnswer,
    Clarification,
    Handoff,
    Option,
    Question,
    Reply,
    Route,
    Scope,
    Timing,
)
from kb_service.observability import Metrics
from kb_service.reading import Reader
from kb_service.replica import Replica
from kb_service.replicas import Replicas
from kb_service.routing import Reading, Routing, masked_text
from kb_service.search.models import Filters, Hit, SearchQuery
from kb_service.store import Exposure, Feedback, ShownAnswer, Store, new_id

POSITIVE = {"accepted": 1.0, "resolved": 1.0, "edited": 0.5}
CLARIFY = {
    "zh": "请问您要咨询的是下面哪一种情况？",
    "en": "Which of these do you mean?",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave: hits, the probability that the first is right, and how long it took (ms)."""

    hits: tuple[Hit, ...]
    confidence: float
    milliseconds: float


class Answering:
    """Answers, suggestions, search and feedback of every workspace."""

    def __init__(
        self,
        store: Store,
        replicas: Replicas,
        reader: Reader,
        routing: Routing,
        casework: Casework,
        exposures: ExposureLog,
        *,
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._reader = reader
        self._routing = routing
        self._casework = casework
        self._exposures = exposures
        self._clock = clock
        self._metrics = metrics

    def answer(self, workspace: str, question: Question) -> Reply:
        """What a bot may send: public knowledge only, and only what is proven is marked `answer`."""
        return self._reply(workspace, question, "answers", ("public",))

    def suggest(self, workspace: str, question: Question) -> Reply:
        """What an agent may send: internal knowledge too; a person decides."""
        return self._reply(workspace, question, "suggestions", ("public", "internal"))

    def _reply(
        self,
        workspace: str,
        question: Question,
        route_name: Literal["answers", "suggestions"],
        audiences: tuple[Audience, ...],
    ) -> Reply:
        started = time.perf_counter()
        replica = self._replicas.of(workspace)
        case_id = self._record_question(workspace, question)
        reading = self._routing.read(replica, question)
        found = self._find(replica, question, reading, audiences)
        answers = self._compose(found, question, reading)
        route = self._routing.decide(replica, question, reading)
        decision = self._decide(replica, question, reading, found, answers, route_name)
        if decision.reason == "small_talk":
            answers = []
        reply = Reply(
            action=decision.action,
            reason=decision.reason,
            confidence=found.confidence,
            answers=tuple(answers),
            clarify=self._clarification(replica, reading, decision),
            handoff=self._handoff(question, decision, route),
            understanding=reading.understanding,
            priority=route.priority,
            problem=reading.problem,
            timing_ms=Timing(
                total=_milliseconds(started), embed=reading.milliseconds, search=found.milliseconds
            ),
        )
        self._remember(workspace, question, reply, route_name, case_id)
        return reply

    # --- the steps

    def _record_question(self, workspace: str, question: Question) -> str | None:
        """The question is a message event when the caller says so; then it joins a case and a problem."""
        if question.event_id is None:
            return None
        event = Event(
            id=question.event_id,
            type="message",
            at=self._clock(),
            conversation_id=question.conversation_id or question.event_id,
            customer_id=question.customer.id if question.customer else None,
            customer=question.customer,
            channel=question.channel,
            text=question.text,
            products=question.products,
        )
        (result,) = self._casework.record(workspace, [event])
        if isinstance(result, ServiceError):
            raise result
        return result.case_id

    def _find(
        self, replica: Replica, question: Question, reading: Reading, audiences: tuple[Audience, ...]
    ) -> Found:
        started = time.perf_counter()
        at = question.as_of or self._clock()
        query = SearchQuery(
            text=reading.searched,
            language=reading.whole.language,
            vector=reading.whole.vector,
            at=at,
            limit=max(question.limit, 5),
            filters=Filters(
                applies_to=question.products,
                audiences=audiences,
                region=question.region,
                tier=question.customer.tier if question.customer else None,
                channel=question.channel,
                any_scope="internal" in audiences,
            ),
            prior=replica.prior(reading.problem, at),
        )
        hits, confidence = replica.find(query)
        return Found(hits[: question.limit], confidence, _milliseconds(started))

    def _compose(self, found: Found, question: Question, reading: Reading) -> list[CandidateAnswer]:
        """A reply from each hit; alternatives are as likely as their score says, beside the first."""
        answers: list[CandidateAnswer] = []
        exposure_id = new_id("exp_", self._clock())
        for hit in found.hits:
            composed = compose_reply(hit, question.text, question.context, reading.whole.language)
            share = hit.score / found.hits[0].score if found.hits[0].score > 0 else 0.0
            confidence = (
                found.confidence if not answers else (1 - found.confidence) * share * found.confidence
            )
            answers.append(_candidate(hit, composed, exposure_id, confidence))
        return answers

    def _decide(
        self,
        replica: Replica,
        question: Question,
        reading: Reading,
        found: Found,
        answers: Sequence[CandidateAnswer],
        route_name: Literal["answers", "suggestions"],
    ) -> Decision:
        shop = replica.shop
        chosen = shop.intents.get(question.intent) if question.intent else None
        likely = [shop.intents[intent] for intent in reading.candidates[:1] if intent in shop.intents]
        situation = Situation(
            understanding=reading.understanding,
            confidence=found.confidence,
            threshold=replica.index.calibration.evidence.threshold(shop.rules.wrong_answer_bound),
            candidates=len(answers),
            complete=bool(answers) and not answers[0].missing,
            asks_for_person=reading.asks_for_person,
            sensitive_flow=reading.sensitive_flow,
            small_talk=reading.small_talk,
            close_intents=reading.candidates if len(reading.candidates) > 1 else (),
            intent_chosen=chosen is not None,
            turns=question.turns,
            sensitive_intent=any(intent.sensitive for intent in ([chosen] if chosen else likely)),
        )
        if route_name == "suggestions":
            return hand_over_rule(situation) or Decision("suggest", "for_an_agent")
        return decide(situation)

    def _clarification(self, replica: Replica, reading: Reading, decision: Decision) -> Clarification | None:
        if decision.action != "clarify":
            return None
        spoken = "zh" if reading.whole.language == "zh" else "en"
        options = tuple(
            Option(replica.shop.intents[intent].label, intent)
            for intent in reading.candidates[:3]
            if intent in replica.shop.intents
        )
        return Clarification(CLARIFY[spoken], options)

    def _handoff(self, question: Question, decision: Decision, route: Route) -> Handoff | None:
        if decision.action != "handoff" or decision.trigger is None:
            return None
        said = [turn.text for turn in question.turns if turn.role == "customer"][-3:]
        if not said or said[-1] != question.text:
            said.append(question.text)
        return Handoff(decision.trigger, summarise(said), route)

    def _remember(
        self, workspace: str, question: Question, reply: Reply, route_name: str, case_id: str | None
    ) -> None:
        """Log the exposure, in a group within a second; a hand-over of a recorded case is committed now."""
        self._metrics.actions.labels(reply.action, reply.reason.partition(":")[0]).inc()
        if case_id is not None and reply.action == "handoff":
            self._casework.wait(workspace, case_id)
        if not reply.answers:
            return
        first = reply.answers[0]
        top = reply.understanding.intents[0].id if reply.understanding.intents else None
        self._exposures.add(
            workspace,
            Exposure(
                id=first.exposure_id,
                at=self._clock(),
                route=route_name,
                query=masked_text(question.text),
                language=reply.understanding.language,
                action=reply.action,
                reason=reply.reason,
                confidence=reply.confidence,
                answers=tuple(
                    ShownAnswer(answer.id, answer.citations[0].document_id, rank, answer.confidence)
                    for rank, answer in enumerate(reply.answers, 1)
                ),
                conversation_id=question.conversation_id,
                customer_id=question.customer.id if question.customer else None,
                case_id=case_id,
                event_id=question.event_id,
                problem_id=reply.problem.id if reply.problem else None,
                intent_id=top,
            ),
        )

    # --- plain search, feedback

    def search(self, workspace: str, text: str, scope: Scope, limit: int) -> tuple[Hit, ...]:
        """Passages that match, within the caller's scope; nothing is decided and nothing logged."""
        replica = self._replicas.of(workspace)
        (spoken,) = self._reader.read([text])
        return replica.index.search(
            SearchQuery(
                text=text,
                language=spoken.language,
                vector=spoken.vector,
                at=scope.as_of or self._clock(),
                limit=limit,
                filters=Filters(
                    kinds=scope.kinds,
                    languages=scope.languages,
                    products=scope.products,
                    external_ids=scope.document_ids,
                    audiences=scope.audiences,
                    region=scope.region,
                    tier=scope.tier,
                    channel=scope.channel,
                    any_scope="internal" in scope.audiences,
                ),
            )
        )

    def feedback(
        self,
        workspace: str,
        *,
        exposure_id: str,
        answer_id: str,
        outcome: Literal["accepted", "edited", "rejected", "resolved", "reopened"],
        **details: Any,
    ) -> bool:
        """Record what became of an answer; False when the very same was recorded before.

        An answer that helped strengthens the way from its problem to its document; one that came back
        weakens it again. Raises NotFound for an exposure or answer that was never shown.
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
            if exposure.problem_id is not None:
                unit.changes.record("problem", exposure.problem_id)
        self._replicas.follow(workspace)
        return True


def _candidate(hit: Hit, composed: Composed, exposure_id: str, confidence: float) -> CandidateAnswer:
    return CandidateAnswer(
        id=hit.passage_id,
        exposure_id=exposure_id,
        text=composed.text,
        kind=hit.kind,
        language=hit.language,
        confidence=round(confidence, 4),
        missing=composed.missing,
        citations=(composed.citation,),
        why=composed.why,
    )


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
