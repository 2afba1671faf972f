"""The way of a question to its reply of which nothing is kept: for who wants to see what a bot would be answered."""

from __future__ import annotations

import time
from dataclasses import replace

from kb_service.models import Question, Reply
from kb_service.replicas.replica import Replica
from kb_service.replying.considering import Considered, Considering
from kb_service.replying.responding import Responding
from kb_service.replying.trace import Trace
from kb_service.understanding.signs import check_intent


class Rehearsing:
    """Nothing is recorded, logged, counted or learned from, and no trial takes part: the shop answers as it stands."""

    def __init__(self, considering: Considering, responding: Responding) -> None:
        self._considering = considering
        self._responding = responding

    def answer(
        self, replica: Replica, question: Question, trace: Trace | None = None
    ) -> tuple[Considered, Reply]:
        """What a bot would be answered, with all that was known when it was decided."""
        started = time.perf_counter()
        check_intent(replica.shop, question)
        considered = self._considering.consider(replica, replace(question, event_id=None), "answers", trace)
        reply, _ = self._responding.respond(considered, started, trace)
        return considered, reply
