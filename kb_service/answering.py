"""Question to answer or hand-over: understand, search, weigh, decide, brief, remember what was shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from graph.models import Event
from kb_service.casework import Casework
from kb_service.errors import ServiceError
from kb_service.exposures import ExposureLog
from kb_service.learning.sampling import drawn
from kb_service.learning.swapping import Order
from kb_service.models import Question, Reply, Scope
from kb_service.observability import Metrics
from kb_service.replicas.replicas import Replicas
from kb_service.replying.considering import Considered, Considering, RouteName
from kb_service.replying.exposing import exposure_of
from kb_service.replying.responding import Responding
from kb_service.search.models import Filters, Hit, SearchQuery
from kb_service.trials.treatment import treated
from kb_service.understanding.reading import Reader
from kb_service.understanding.signs import check_intent


class Answering:
    """Answers, suggestions and search of every workspace."""

    def __init__(
        self,
        replicas: Replicas,
        reader: Reader,
        casework: Casework,
        considering: Considering,
        responding: Responding,
        exposures: ExposureLog,
        *,
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._replicas = replicas
        self._reader = reader
        self._casework = casework
        self._considering = considering
        self._responding = responding
        self._exposures = exposures
        self._clock = clock
        self._metrics = metrics

    def answer(self, workspace: str, question: Question) -> Reply:
        """What a bot may send: public knowledge only, and only what is proven is marked `answer`."""
        return self._reply(workspace, question, "answers")

    def suggest(self, workspace: str, question: Question) -> Reply:
        """What an agent may send: internal knowledge too; a person decides."""
        return self._reply(workspace, question, "suggestions")

    def _reply(self, workspace: str, question: Question, route_name: RouteName) -> Reply:
        """The way of a question; the same without its first and last step is `Rehearsing`."""
        started = time.perf_counter()
        replica = treated(self._replicas.of(workspace), question, self._clock())
        check_intent(replica.shop, question)
        case_id = self._record(workspace, question)
        considered = self._considering.consider(replica, question, route_name)
        reply, shown = self._responding.respond(considered, started)
        self._remember(considered, reply, shown, case_id)
        return reply

    def _record(self, workspace: str, question: Question) -> str | None:
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

    def _remember(self, considered: Considered, reply: Reply, shown: Order, case_id: str | None) -> None:
        """Log the exposure, in a group within a second; a hand-over of a recorded case is committed now.

        With it goes the review that it was drawn for.
        """
        replica = considered.replica
        review = drawn(reply, considered.offered.template, replica.shop.rules.review_share, self._clock())
        self._metrics.actions.labels(reply.action, reply.reason.partition(":")[0]).inc()
        if case_id is not None and reply.action == "handoff":
            self._casework.wait(replica.workspace, case_id, reply.handoff)
        if reply.reason == "small_talk":
            return
        exposure = exposure_of(considered, reply, shown, case_id, self._clock())
        self._exposures.add(replica.workspace, exposure, review=review)

    def search(self, workspace: str, text: str, scope: Scope, limit: int) -> tuple[Hit, ...]:
        """Passages that match, within the caller's scope; nothing is decided and nothing logged."""
        replica = self._replicas.of(workspace)
        asked = replica.asked(text)
        (spoken,) = self._reader.read([asked.meant])
        return replica.index.search(
            SearchQuery(
                text=text,
                weights=asked.weights,
                matters=replica.matters(spoken),
                at_home=True,
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
