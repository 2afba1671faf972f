"""Question to answer or hand-over: understand, search, weigh, decide, brief, remember what was shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from graph.labels import label_in
from graph.models import Event
from ingest.models import Audience
from kb_service.care.conflict_reply import both_sides, touched
from kb_service.care.conflict_watch import Conflict
from kb_service.care.conflicts import Conflicts
from kb_service.casework import Casework
from kb_service.errors import ServiceError
from kb_service.explanation import Explanation, Trace, explain_confidence, explain_search, unreached
from kb_service.exposures import ExposureLog
from kb_service.handover.casefile import CaseFile
from kb_service.handover.deciding import LIKELY, Decision, Situation, decide, hand_over_rule
from kb_service.handover.handing_over import HandingOver
from kb_service.learning.sampling import drawn
from kb_service.learning.swapping import Order, as_ranked, swapped
from kb_service.messages import Language
from kb_service.models import (
    CandidateAnswer,
    Clarification,
    Option,
    Question,
    Reply,
    Scope,
    Timing,
)
from kb_service.observability import Metrics
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.replying.composer import Composer, Offered
from kb_service.replying.rephrasing import Rewording
from kb_service.routing import Routing
from kb_service.search.models import Filters, Hit, SearchQuery
from kb_service.search.retrieval import TRIED
from kb_service.search.source import SourceDocument
from kb_service.search.weighing import Weighed
from kb_service.store import Exposure, ShownAnswer, new_id
from kb_service.trials.treatment import treated
from kb_service.understanding.question_reading import Reading, masked_text, read_question, told_in
from kb_service.understanding.reading import Reader
from kb_service.understanding.signs import check_intent, likely_intents, worth_asking

CLARIFY = {
    "zh": "请问您要咨询的是下面哪一种情况？",
    "en": "Which of these do you mean?",
}

RouteName: TypeAlias = Literal["answers", "suggestions"]


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


@dataclass(frozen=True, slots=True)
class Considered:
    """One question with all that is known when it is decided."""

    replica: Replica
    question: Question
    route_name: RouteName
    reading: Reading
    file: CaseFile
    found: Found
    offered: Offered
    conflict: Conflict | None
    exposure_id: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A question with what a bot answers it now, and what it would with a draft; None where none is tried."""

    question: Question
    now: Reply
    then: Reply | None


class Answering:
    """Answers, suggestions and search of every workspace."""

    def __init__(
        self,
        replicas: Replicas,
        reader: Reader,
        routing: Routing,
        casework: Casework,
        exposures: ExposureLog,
        composer: Composer,
        conflicts: Conflicts,
        handing_over: HandingOver,
        *,
        clock: Callable[[], datetime],
        metrics: Metrics,
        rewording: Rewording | None = None,
    ) -> None:
        self._rewording = rewording
        self._replicas = replicas
        self._reader = reader
        self._routing = routing
        self._casework = casework
        self._exposures = exposures
        self._composer = composer
        self._conflicts = conflicts
        self._handing_over = handing_over
        self._clock = clock
        self._metrics = metrics

    def answer(self, workspace: str, question: Question) -> Reply:
        """What a bot may send: public knowledge only, and only what is proven is marked `answer`."""
        return self._reply(workspace, question, "answers", ("public",))

    def suggest(self, workspace: str, question: Question) -> Reply:
        """What an agent may send: internal knowledge too; a person decides."""
        return self._reply(workspace, question, "suggestions", ("public", "internal"))

    def explain(self, workspace: str, question: Question) -> Explanation:
        """What a bot would be answered, with what every stage noted on the way.

        Nothing is recorded, logged, counted or learned from, and no trial takes part: the shop answers as it stands.
        """
        replica = self._replicas.of(workspace)
        trace = Trace()  # the time of a workspace that had to be loaded first is nobody's stage
        considered, reply = self._unremembered(replica, question, trace)
        found, language = considered.found, considered.reading.whole.language
        bound = replica.shop.rules.wrong_answer_bound
        search = explain_search(replica.index, found.query, trace.searched[0])
        return Explanation(
            reply=reply,
            reading=considered.reading,
            query=found.query,
            search=search,
            confidence=explain_confidence(found.weighed, language, reply.confidence, bound),
            situation=trace.situation,
            rules=tuple(trace.rules),
            unreached=unreached(trace.rules),
            stages=tuple(trace.stages),
        )

    def try_out(
        self, workspace: str, questions: Sequence[Question], draft: SourceDocument | None
    ) -> tuple[Tried, ...]:
        """What a bot would be answered now, and if a draft were published; without a draft only the first.

        Nothing is stored or logged, as with `explain`.
        """
        replica = self._replicas.of(workspace)
        trace = Trace()
        now = [self._unremembered(replica, question, trace)[1] for question in questions]
        if draft is None:
            return tuple(Tried(question, reply, None) for question, reply in zip(questions, now, strict=True))
        near = {external_id for searched in trace.searched for external_id in searched.external_ids}
        beside = replica.beside(near, draft)
        return tuple(
            Tried(question, reply, self._unremembered(beside, question)[1])
            for question, reply in zip(questions, now, strict=True)
        )

    def tried_beside(self, workspace: str) -> tuple[int, int]:
        """How many documents are searched, and beside how many of them `try_out` tries a draft."""
        documents = self._replicas.of(workspace).index.documents
        return documents, min(documents, TRIED)

    def _reply(
        self, workspace: str, question: Question, route_name: RouteName, audiences: tuple[Audience, ...]
    ) -> Reply:
        started = time.perf_counter()
        replica = treated(self._replicas.of(workspace), question, self._clock())
        check_intent(replica.shop, question)
        case_id = self._record_question(workspace, question)
        considered = self._consider(replica, question, route_name, audiences)
        reply, shown = self._decided(considered, started)
        self._remember(considered, reply, shown, case_id)
        return reply

    def _unremembered(
        self, replica: Replica, question: Question, trace: Trace | None = None
    ) -> tuple[Considered, Reply]:
        """What a bot would be answered, of which nothing is kept."""
        started = time.perf_counter()
        check_intent(replica.shop, question)
        considered = self._consider(replica, replace(question, event_id=None), "answers", ("public",), trace)
        return considered, self._decided(considered, started, trace)[0]

    def _decided(
        self, considered: Considered, started: float, trace: Trace | None = None
    ) -> tuple[Reply, Order]:
        """The reply to a question that was considered, and the order its answers are shown in."""
        replica, question = considered.replica, considered.question
        route = self._routing.decide(replica, question, considered.reading, considered.file)
        _note(trace, "routing")
        decision = self._decide(considered, trace)
        _note(trace, "deciding")
        shown = self._shown(considered, self._sent(considered, decision), decision, considered.exposure_id)
        reply = Reply(
            action=decision.action,
            reason=decision.reason,
            confidence=considered.offered.confidence,
            answers=self._with_both_sides(considered, shown.answers, decision, considered.exposure_id),
            clarify=self._clarification(considered, decision),
            handoff=self._handing_over.handoff(
                replica, question, considered.reading, considered.file, decision, route, considered.conflict
            ),
            understanding=considered.reading.understanding,
            priority=route.priority,
            problem=considered.reading.problem,
            timing_ms=Timing(
                total=_milliseconds(started),
                embed=considered.reading.milliseconds,
                search=considered.found.milliseconds,
            ),
        )
        _note(trace, "briefing")
        return reply, shown

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
            order_value=question.order_value,
        )
        (result,) = self._casework.record(workspace, [event])
        if isinstance(result, ServiceError):
            raise result
        return result.case_id

    def _consider(
        self,
        replica: Replica,
        question: Question,
        route_name: RouteName,
        audiences: tuple[Audience, ...],
        trace: Trace | None = None,
    ) -> Considered:
        """Understand the question, look its case up, search, and word what was found."""
        exposure_id = new_id("exp_", self._clock())
        reading = read_question(self._reader, replica, question, self._clock())
        _note(trace, "reading")
        file = self._handing_over.file(replica.workspace, question, reading)
        _note(trace, "case")
        found = self._find(replica, question, reading, audiences, trace)
        _note(trace, "search")
        offered = self._composer.offer(replica, question, reading, found.query, found.weighed, exposure_id)
        conflict = self._conflicts.among(replica, found.hits, reading.whole.text, found.query.at)
        if conflict is not None and not touched(offered.answers, conflict):
            conflict = None
        _note(trace, "wording")
        return Considered(replica, question, route_name, reading, file, found, offered, conflict, exposure_id)

    def _find(
        self,
        replica: Replica,
        question: Question,
        reading: Reading,
        audiences: tuple[Audience, ...],
        trace: Trace | None,
    ) -> Found:
        started = time.perf_counter()
        at = question.as_of or self._clock()
        problem = reading.problem
        if (
            question.intent is not None
            and problem is not None
            and problem.intent_id not in (None, question.intent)
        ):
            problem = None  # the customer chose another matter than such messages usually are
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
                problem,
                at,
                entities=reading.understanding.entities,
                intents=reading.candidates,
            ),
            learned=replica.learned(problem, question.intent or _sure(reading.candidates)),
            weights=reading.weights,
        )
        weighed = replica.weigh(query, trace.searched if trace is not None else None)
        return Found(query, weighed, _milliseconds(started))

    def _decide(self, considered: Considered, trace: Trace | None) -> Decision:
        situation = self._situation(considered)
        if trace is not None:
            trace.situation = situation
        told = trace.rules if trace is not None else None
        if considered.route_name == "suggestions":
            return hand_over_rule(situation, told) or Decision("suggest", "for_an_agent")
        return decide(situation, told)

    def _situation(self, considered: Considered) -> Situation:
        """What the decision looks at."""
        replica, question, reading = considered.replica, considered.question, considered.reading
        offered = considered.offered
        threshold = considered.found.weighed.calibration.threshold(
            replica.shop.rules.wrong_answer_bound, reading.whole.language
        )
        looked = self._handing_over
        close = offered_intents(reading) if replica.way.clarifies and not reading.apart else ()
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
            complex=looked.complexity(
                replica,
                question,
                reading,
                considered.file,
                proven=offered.confidence >= min(threshold, LIKELY),
            ),
            with_a_person=considered.file.with_a_person,
        )

    def _sent(self, considered: Considered, decision: Decision) -> tuple[CandidateAnswer, ...]:
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

    def _shown(
        self,
        considered: Considered,
        answers: Sequence[CandidateAnswer],
        decision: Decision,
        exposure_id: str,
    ) -> Order:
        """The order in which the answers are shown: now and then two neighbours are exchanged, never in what a bot
        sends unseen."""
        replica = considered.replica
        if decision.action != "suggest":
            return as_ranked(answers)
        return swapped(
            answers,
            exposure_id,
            replica.shop.rules.swap_share,
            hits={hit.external_id: hit for hit in considered.found.hits},
            withheld=replica.withheld,
        )

    def _with_both_sides(
        self,
        considered: Considered,
        answers: tuple[CandidateAnswer, ...],
        decision: Decision,
        exposure_id: str,
    ) -> tuple[CandidateAnswer, ...]:
        """The answers; of a question that two documents answer differently, both of them first."""
        if decision.trigger != "conflict" or considered.conflict is None:
            return answers
        question = considered.question
        language = told_in(question, considered.reading)
        return both_sides(
            answers, considered.conflict, exposure_id=exposure_id, language=language, limit=question.limit
        )

    def _clarification(self, considered: Considered, decision: Decision) -> Clarification | None:
        """The question back, which the customer reads: in the customer's language."""
        if decision.action != "clarify":
            return None
        intents, spoken = considered.replica.shop.intents, considered.reading.whole.language
        language: Language = "zh" if spoken == "zh" else "en"
        options = tuple(
            Option(label_in(intents[intent].label, language), intent)
            for intent in offered_intents(considered.reading)[:3]
            if intent in intents
        )
        return Clarification(CLARIFY[language], options)

    def _remember(self, considered: Considered, reply: Reply, shown: Order, case_id: str | None) -> None:
        """Log the exposure, in a group within a second; a hand-over of a recorded case is committed now.

        With it goes the review that it was drawn for.
        """
        replica, question, found = considered.replica, considered.question, considered.found
        review = drawn(reply, considered.offered.template, replica.shop.rules.review_share, self._clock())
        self._metrics.actions.labels(reply.action, reply.reason.partition(":")[0]).inc()
        if case_id is not None and reply.action == "handoff":
            self._casework.wait(replica.workspace, case_id, reply.handoff)
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
                features=(found.weighed.features or None) if reply.confidence == found.confidence else None,
                threshold=calibration.evidence.threshold(replica.shop.rules.wrong_answer_bound),
                arms=replica.way.arms or None,
            ),
            review=review,
        )

    # --- plain search

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


def _note(trace: Trace | None, stage: str) -> None:
    if trace is not None:
        trace.stage(stage)


def offered_intents(reading: Reading) -> tuple[str, ...]:
    """The intents that a question back may offer."""
    return worth_asking(reading.understanding, reading.candidates)


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


def _sensitive(considered: Considered) -> bool:
    """Whether the intent that the customer chose, or one that is likely enough, is marked as sensitive."""
    intents, chosen = considered.replica.shop.intents, considered.question.intent
    meant = (chosen,) if chosen is not None else likely_intents(considered.reading.understanding)
    return any(intents[intent].sensitive for intent in meant if intent in intents)


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
