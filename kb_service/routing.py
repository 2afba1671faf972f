"""Case to expertise and agent: read the message, score its priority, find who resolves such problems best."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from graph.assignment import Need, neighbouring, rank
from graph.expertise import expertise_for
from graph.models import Case, Event, Expertise, Priority, Problem, Understanding, Utterance
from graph.naming import name_problem
from graph.priority import prioritise
from graph.profiles import SkillEstimate, Topic
from graph.service_level import consumed, sla
from graph.understanding import (
    asks_for_person,
    read,
    sensitive_flow,
    small_talk,
)
from ingest.redaction import redact
from kb_service.models import (
    ExpertiseChoice,
    Question,
    Route,
    ServiceLevel,
)
from kb_service.reading import Reader, nameable
from kb_service.replica import Replica
from kb_service.replicas import Replicas
from kb_service.shop import Shop
from kb_service.store import Store

Value = TypeVar("Value")

SHOWN_AGENTS = 5
WAITS = frozenset({"bot", "waiting"})
"""States of a case in which its customer waits for somebody."""
ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """A question as it was understood, whole and by clause.

    `searched` is what the search is asked, with terms that count differently in `weights`; `whole` and `clauses` are
    corrected and, of a turn that says too little by itself, stand with what it follows on. `milliseconds` is the
    encoder's time.
    """

    whole: Utterance
    searched: str
    understanding: Understanding
    candidates: tuple[str, ...]
    problem: Problem | None
    problem_score: float
    asks_for_person: bool
    sensitive_flow: str | None
    small_talk: bool
    milliseconds: float
    clauses: tuple[Utterance, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """What is known of the customer: earlier contacts this week, who answered last, since when they wait."""

    repeat_contacts: int = 0
    previous_agent: str | None = None
    previous_at: datetime | None = None
    waiting_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A case with its route, what it asks of an agent, and how likely each agent resolves it."""

    route: Route
    need: Need
    estimates: dict[str, SkillEstimate]


class Routing:
    """Intents, agents, expertise, routes and assignments of every workspace."""

    def __init__(
        self, store: Store, replicas: Replicas, reader: Reader, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._reader = reader
        self._clock = clock

    # --- a question

    def route(self, workspace: str, question: Question) -> Route:
        """Where the case belongs and who should take it, with reasons."""
        replica = self._replicas.of(workspace)
        return self.decide(replica, question, self.read(replica, question))

    def read(self, replica: Replica, question: Question) -> Reading:
        """Understand a question: language, intents, entities, emotion, urgency, and the problem it belongs to."""
        asked = replica.asked(question.text, question.turns)
        started = time.perf_counter()
        whole, clauses, masked = self._reader.question(asked.meant, spoken=asked.language)
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        shop = replica.shop
        now = self._clock()
        spoken = whole.language
        understood = read(
            question.text,
            language=spoken,
            clauses=clauses,
            whole=whole,
            classifier=shop.classifier,
            gazetteer=shop.gazetteer,
            at=now,
        )
        understanding = replace(understood.understanding, corrected_query=asked.corrected)
        match = replica.match(masked, understanding.entities, now)
        return Reading(
            whole=whole,
            searched=question.text,
            understanding=understanding,
            candidates=understood.intents.candidates,
            problem=replica.problem_of(match),
            problem_score=match.score,
            asks_for_person=asks_for_person(question.text, spoken),
            sensitive_flow=sensitive_flow(question.text, shop.rules),
            small_talk=small_talk(question.text, spoken),
            milliseconds=milliseconds,
            clauses=tuple(clauses),
            weights=asked.weights,
        )

    def decide(self, replica: Replica, question: Question, reading: Reading) -> Route:
        """Priority, expertise, agents and due times for a question that was read."""
        return self._placed(replica, question, reading).route

    def place(self, replica: Replica, question: Question) -> Placed:
        """The route of a question with what its case asks of an agent: for many cases decided together."""
        return self._placed(replica, question, self.read(replica, question))

    def _placed(self, replica: Replica, question: Question, reading: Reading) -> Placed:
        shop = replica.shop
        now = self._clock()
        history = self._history(replica.workspace, question, now)
        priority = self._priority(shop, question, reading, history, now)
        found = expertise_for(
            shop.expertise,
            reading.understanding.intents,
            reading.problem,
            problem_score=reading.problem_score,
            out_of_scope=reading.understanding.out_of_scope,
        )
        choices = tuple(ExpertiseChoice(cluster, confidence) for cluster, confidence in found.ranked)
        first = choices[0] if choices and not found.triage else None
        tier = question.customer.tier if question.customer else None
        opened_at = history.waiting_since or now
        level = sla(priority.band, tier, opened_at)
        need = Need(
            case_id=question.conversation_id or "",
            language=reading.whole.language,
            expertise=first.expertise if first else None,
            neighbours=neighbouring(first.expertise, shop.expertise) if first else (),
            priority=priority.score,
            sla_consumed=consumed(level, opened_at, now),
            waiting_since=opened_at,
            sticky_agent_id=history.previous_agent,
            sticky_at=history.previous_at,
        )
        estimates = self._estimates(replica, first.expertise if first else None, reading.problem)
        agents = tuple(shop.agents.values())
        spoken = reading.whole.language
        route = Route(
            expertise=first,
            alternatives=choices[1 : 1 + ALTERNATIVES] if first else choices[:ALTERNATIVES],
            triage=found.triage,
            triage_reason=found.triage_reason,
            intents=reading.understanding.intents,
            priority=priority,
            agents=rank(agents, need, now=now, estimates=estimates, recent=shop.recent, language=spoken)[
                :SHOWN_AGENTS
            ],
            sla=ServiceLevel(level.tier, level.first_response_due, level.resolve_due),
        )
        return Placed(route, need, estimates)

    def _priority(
        self, shop: Shop, question: Question, reading: Reading, history: History, now: datetime
    ) -> Priority:
        """The priority; of a case that waits, with the share of its service level that is used up."""
        score = partial(
            prioritise,
            reading.understanding,
            question.customer,
            problem_state=reading.problem.state if reading.problem else None,
            repeat_contacts=history.repeat_contacts,
            sensitive_flow=reading.sensitive_flow,
            rules=shop.rules,
            language=reading.whole.language,
        )
        if history.waiting_since is None:
            return score()
        first = score(waited=now - history.waiting_since)
        tier = question.customer.tier if question.customer else None
        level = sla(first.band, tier, history.waiting_since)
        used = consumed(level, history.waiting_since, now)
        return score(waited=now - history.waiting_since, consumed=used)

    def _estimates(
        self, replica: Replica, expertise: Expertise | None, problem: Problem | None
    ) -> dict[str, SkillEstimate]:
        topic = Topic(
            problem_id=problem.id if problem else None,
            intent_id=problem.intent_id if problem else None,
            expertise_id=expertise.id if expertise else None,
        )
        return replica.shop.profiles.estimates(list(replica.shop.agents), topic)

    def _history(self, workspace: str, question: Question, now: datetime) -> History:
        customer_id = question.customer.id if question.customer else None
        if customer_id is None and question.conversation_id is None:
            return History()
        with self._store.reading(workspace) as unit:
            cases = unit.cases.of_customer(customer_id) if customer_id else ()
            current = unit.cases.open_for(question.conversation_id, customer_id, now)
            said = unit.events.of_case(current.id) if current is not None and current.state in WAITS else ()
        return history_of(cases, current, [stored.event for stored in said], now)

    def name(self, texts: Sequence[str]) -> dict[str, str]:
        """A problem's names, made of its messages."""
        return dict(name_problem(nameable(self._reader.read(texts))))


def history_of(cases: Sequence[Case], current: Case | None, said: Sequence[Event], now: datetime) -> History:
    """How often the customer came back within a week, who answered last, and since when the present case waits.

    `said` are the events of the present case when it waits, oldest first.
    """
    week = [case for case in cases if (now - case.active_at).total_seconds() <= 7 * 86_400]
    answered = [case for case in [*week, *([current] if current else [])] if case.agent_id is not None]
    latest = max(answered, key=lambda case: case.active_at, default=None)
    others = [case for case in week if current is None or case.id != current.id]
    return History(
        repeat_contacts=len(others),
        previous_agent=latest.agent_id if latest else None,
        previous_at=latest.active_at if latest else None,
        waiting_since=unanswered_since(said),
    )


def unanswered_since(said: Sequence[Event]) -> datetime | None:
    """When the customer wrote first after the last word of anybody else."""
    since: datetime | None = None
    for event in said:
        if event.type == "message" and event.role == "customer":
            since = since or event.at
        elif event.type in ("message", "resolution"):
            since = None
    return since


def masked_text(text: str) -> str:
    """The text with personal data masked, as it is kept."""
    return redact(text).text
