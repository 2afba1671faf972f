"""A question with all that is known when it is decided: understood, its case looked up, searched, and worded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from graph.matters import likely
from graph.models import Problem
from ingest.models import Audience
from kb_service.care.conflict_reply import touched
from kb_service.care.conflict_watch import Conflict
from kb_service.care.conflicts import Conflicts
from kb_service.handover.casefile import CaseFile
from kb_service.handover.handing_over import HandingOver
from kb_service.models import Question
from kb_service.replicas.replica import Replica
from kb_service.replying.composer import Composer, Offered
from kb_service.replying.trace import Trace, milliseconds_since, note
from kb_service.search.models import Filters, Hit, SearchQuery
from kb_service.search.weighing import Weighed
from kb_service.store import new_id
from kb_service.understanding.question_reading import Reading, read_question
from kb_service.understanding.reading import Reader

RouteName: TypeAlias = Literal["answers", "suggestions"]
AUDIENCES: Mapping[RouteName, tuple[Audience, ...]] = {
    "answers": ("public",),
    "suggestions": ("public", "internal"),
}
"""Whose knowledge each route may use: what a bot sends is public."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave: hits, the probability that the first is right, and how long it took (ms)."""

    weighed: Weighed
    milliseconds: float

    @property
    def query(self) -> SearchQuery:
        return self.weighed.query

    @property
    def hits(self) -> tuple[Hit, ...]:
        return self.weighed.hits

    @property
    def confidence(self) -> float:
        return self.weighed.confidence


@dataclass(frozen=True, slots=True)
class Considered:
    """One question with all that is known when it is decided. `conflict` is one between its best documents, where an
    answer touches it."""

    replica: Replica
    question: Question
    route_name: RouteName
    reading: Reading
    file: CaseFile
    found: Found
    offered: Offered
    conflict: Conflict | None
    exposure_id: str


class Considering:
    """Looks at questions to any workspace; decides and keeps nothing."""

    def __init__(
        self,
        reader: Reader,
        composer: Composer,
        conflicts: Conflicts,
        handing_over: HandingOver,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._reader = reader
        self._composer = composer
        self._conflicts = conflicts
        self._handing_over = handing_over
        self._clock = clock

    def consider(
        self, replica: Replica, question: Question, route_name: RouteName, trace: Trace | None = None
    ) -> Considered:
        """Understand the question, look its case up, search, and word what was found."""
        exposure_id = new_id("exp_", self._clock())
        reading = read_question(self._reader, replica, question, self._clock())
        note(trace, "reading")
        file = self._handing_over.file(replica.workspace, question, reading)
        note(trace, "case")
        found = self._find(replica, question, reading, route_name, trace)
        note(trace, "search")
        offered = self._composer.offer(replica, question, reading, found.query, found.weighed, exposure_id)
        conflict = self._conflicts.among(replica, found.hits, reading.whole.text, found.query.at)
        if conflict is not None and not touched(offered.answers, conflict):
            conflict = None
        note(trace, "wording")
        return Considered(replica, question, route_name, reading, file, found, offered, conflict, exposure_id)

    def _find(
        self,
        replica: Replica,
        question: Question,
        reading: Reading,
        route_name: RouteName,
        trace: Trace | None,
    ) -> Found:
        started = time.perf_counter()
        query = searched(replica, question, reading, question.as_of or self._clock(), AUDIENCES[route_name])
        weighed = replica.weigh(query, trace.searched if trace is not None else None)
        return Found(weighed, milliseconds_since(started))


def searched(
    replica: Replica, question: Question, reading: Reading, at: datetime, audiences: tuple[Audience, ...]
) -> SearchQuery:
    """What is searched for a question that was read, at the governing date."""
    problem = _meant(question, reading.problem)
    return SearchQuery(
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
        prior=replica.prior(problem, at, entities=reading.understanding.entities, intents=reading.candidates),
        learned=replica.learned(problem, question.intent or _sure(reading.candidates)),
        weights=reading.weights,
        matters=likely(reading.understanding.intents),
        at_home=True,
    )


def _meant(question: Question, problem: Problem | None) -> Problem | None:
    """The problem, unless the customer chose another matter than such messages usually are."""
    if problem is None or question.intent is None or problem.intent_id in (None, question.intent):
        return problem
    return None


def _sure(intents: Sequence[str]) -> str | None:
    """The one intent that a question plainly has."""
    return intents[0] if len(intents) == 1 else None
