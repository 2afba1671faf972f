"""Question to answer or hand-over: understand, search, weigh, decide, remember what was shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from graph.models import Event
from ingest.models import Audience
from kb_service.care.conflict_reply import both_sides
from kb_service.care.conflict_watch import Conflict
from kb_service.care.conflicts import Conflicts
from kb_service.casework import Casework
from kb_service.composing import summarise
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
from kb_service.replying.composer import Composer, Offered
from kb_service.replying.rephrasing import Rewording
from kb_service.routing import Reading, Routing, masked_text
from kb_service.sampling import drawn
from kb_service.search.models import Filters, Hit, SearchQuery
from kb_service.search.weighing import Weighed
from kb_service.store import Exposure, Feedback, Review, ShownAnswer, Store, new_id
from kb_service.swapping import Order, as_ranked, swapped

CLARIFY = {
    "zh": "请问您要咨询的是下面哪一种情况？",
    "en": "Which of these do you mean?",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave: hits, the probability that the first is right, and how long it took (ms)."""

    query: SearchQuery
    weighed: Weighed
    milliseconds: float

    @property
    def hits(self) -> tuple[Hit, ...]:
        return self.weighed.hits

    @property
    def confidence(self) -> float:
        return self.weighed.confidence


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
        composer: Composer,
        conflicts: Conflicts,
        *,
        clock: Callable[[], datetime],
        metrics: Metrics,
        rewording: Rewording | None = None,
    ) -> None:
        self._rewording = rewording
        self._store = store
        self._replicas = replicas
        self._reader = reader
        self._routing = routing
        self._casework = casework
        self._exposures = exposures
        self._composer = composer
        self._conflicts = conflicts
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
        exposure_id = new_id("exp_", self._clock())
        offered = self._composer.offer(
            replica, question, reading, found.query, found.hits, found.confidence, exposure_id
        )
        conflict = self._conflicts.among(replica, found.hits, reading.whole.text, found.query.at)
        route = self._routing.decide(replica, question, reading)
        decision = self._decide(replica, question, reading, found, offered, conflict, route_name)
        answers = self._sent(question, offered, decision, route_name)
        shown = self._shown(replica, found, answers, decision, exposure_id)
        answers = shown.answers
        if decision.trigger == "conflict" and conflict is not None:
            answers = both_sides(
                answers, conflict, exposure_id=exposure_id, language=_spoken(reading), limit=question.limit
            )
        reply = Reply(
            action=decision.action,
            reason=decision.reason,
            confidence=offered.confidence,
            answers=answers,
            clarify=self._clarification(replica, reading, decision),
            handoff=self._handoff(question, reading, decision, route, conflict),
            understanding=reading.understanding,
            priority=route.priority,
            problem=reading.problem,
            timing_ms=Timing(
                total=_milliseconds(started), embed=reading.milliseconds, search=found.milliseconds
            ),
        )
        review = drawn(reply, offered.template, replica.shop.rules.review_share, self._clock())
        self._remember(replica, question, found, reply, shown, route_name, case_id, review)
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
            prior=replica.prior(
                reading.problem,
                at,
                entities=reading.understanding.entities,
                intents=reading.candidates,
            ),
            learned=replica.learned(reading.problem, question.intent or _sure(reading.candidates)),
            weights=reading.weights,
        )
        return Found(query, replica.weigh(query), _milliseconds(started))

    def _decide(
        self,
        replica: Replica,
        question: Question,
        reading: Reading,
        found: Found,
        offered: Offered,
        conflict: Conflict | None,
        route_name: Literal["answers", "suggestions"],
    ) -> Decision:
        shop = replica.shop
        chosen = shop.intents.get(question.intent) if question.intent else None
        likely = [shop.intents[intent] for intent in reading.candidates[:1] if intent in shop.intents]
        situation = Situation(
            understanding=reading.understanding,
            confidence=offered.confidence,
            threshold=found.weighed.calibration.threshold(
                shop.rules.wrong_answer_bound, reading.whole.language
            ),
            candidates=len(offered.answers),
            complete=bool(offered.answers) and not offered.answers[0].missing,
            withheld=_cites(offered.answers[:1], replica.withheld),
            asks_for_person=reading.asks_for_person,
            sensitive_flow=reading.sensitive_flow,
            small_talk=reading.small_talk,
            close_intents=reading.candidates if len(reading.candidates) > 1 else (),
            intent_chosen=chosen is not None,
            turns=question.turns,
            sensitive_intent=any(intent.sensitive for intent in ([chosen] if chosen else likely)),
            conflict=conflict.id if conflict is not None else None,
        )
        if route_name == "suggestions":
            return hand_over_rule(situation) or Decision("suggest", "for_an_agent")
        return decide(situation)

    def _sent(
        self, question: Question, offered: Offered, decision: Decision, route_name: str
    ) -> tuple[CandidateAnswer, ...]:
        """The answers as they leave: the first reworded where that is configured and it is what will be sent."""
        if decision.reason == "small_talk" or not offered.answers:
            return ()
        rewording = self._rewording
        if rewording is None or decision.action not in ("answer", "suggest"):
            return offered.answers
        if not (rewording.suggestions if route_name == "suggestions" else decision.action == "answer"):
            return offered.answers
        first, *others = offered.answers
        asked = masked_text(question.text)
        return (rewording.reworded(first, offered.template, asked, question.context), *others)

    def _shown(
        self,
        replica: Replica,
        found: Found,
        answers: Sequence[CandidateAnswer],
        decision: Decision,
        exposure_id: str,
    ) -> Order:
        """The order in which the answers are shown: now and then two neighbours are exchanged, never in what a bot
        sends unseen."""
        if decision.action != "suggest":
            return as_ranked(answers)
        return swapped(
            answers,
            exposure_id,
            replica.shop.rules.swap_share,
            hits={hit.external_id: hit for hit in found.hits},
            withheld=replica.withheld,
        )

    def _clarification(self, replica: Replica, reading: Reading, decision: Decision) -> Clarification | None:
        if decision.action != "clarify":
            return None
        options = tuple(
            Option(replica.shop.intents[intent].label, intent)
            for intent in reading.candidates[:3]
            if intent in replica.shop.intents
        )
        return Clarification(CLARIFY[_spoken(reading)], options)

    def _handoff(
        self,
        question: Question,
        reading: Reading,
        decision: Decision,
        route: Route,
        conflict: Conflict | None,
    ) -> Handoff | None:
        if decision.action != "handoff" or decision.trigger is None:
            return None
        said = [turn.text for turn in question.turns if turn.role == "customer"][-3:]
        if not said or said[-1] != question.text:
            said.append(question.text)
        if decision.trigger == "conflict" and conflict is not None:
            said.insert(0, conflict.difference[_spoken(reading)])
        return Handoff(decision.trigger, summarise(said), route)

    def _remember(
        self,
        replica: Replica,
        question: Question,
        found: Found,
        reply: Reply,
        shown: Order,
        route_name: str,
        case_id: str | None,
        review: Review | None,
    ) -> None:
        """Log the exposure, in a group within a second; a hand-over of a recorded case is committed now.

        With it goes the review that it was drawn for.
        """
        self._metrics.actions.labels(reply.action, reply.reason.partition(":")[0]).inc()
        if case_id is not None and reply.action == "handoff":
            self._casework.wait(replica.workspace, case_id)
        if reply.reason == "small_talk":
            return
        now = self._clock()
        calibration = found.weighed.calibration
        top = reply.understanding.intents[0].id if reply.understanding.intents else None
        self._exposures.add(
            replica.workspace,
            Exposure(
                id=reply.answers[0].exposure_id if reply.answers else new_id("exp_", now),
                at=now,
                route=route_name,
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
                features=(found.weighed.features or None) if reply.confidence == found.confidence else None,
                threshold=calibration.evidence.threshold(replica.shop.rules.wrong_answer_bound),
            ),
            review=review,
        )

    # --- plain search, feedback

    def search(self, workspace: str, text: str, scope: Scope, limit: int) -> tuple[Hit, ...]:
        """Passages that match, within the caller's scope; nothing is decided and nothing logged."""
        replica = self._replicas.of(workspace)
        asked = replica.asked(text)
        (spoken,) = self._reader.read([asked.meant])
        return replica.index.search(
            SearchQuery(
                text=text,
                weights=asked.weights,
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
            ),
            reranks=True,
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


def _sure(intents: Sequence[str]) -> str | None:
    """The one intent that a question plainly has."""
    return intents[0] if len(intents) == 1 else None


def _cites(answers: Sequence[CandidateAnswer], documents: frozenset[str]) -> bool:
    return any(citation.document_id in documents for answer in answers for citation in answer.citations)


def _spoken(reading: Reading) -> str:
    """The language of what is written for the reader: zh or en."""
    return "zh" if reading.whole.language == "zh" else "en"


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
