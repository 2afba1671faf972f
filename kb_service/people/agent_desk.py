"""What an agent has before them: the lists of cases, one case with all that helps to answer it, and the next one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from graph.models import Case, Event, Priority, Problem, Understanding
from graph.support_lines import Asked
from ingest.identifiers import one_spelling, written_ids
from kb_service.casework import case_detail
from kb_service.lookups import found_case
from kb_service.messages import Language
from kb_service.models import CaseDetail, ExpertiseChoice, Question, ServiceLevel
from kb_service.people.known_facts import known_facts
from kb_service.people.past_cases import PastCase, past_cases
from kb_service.people.takers import Taker, takers
from kb_service.people.waiting import WaitingCase, telling, waiting_case
from kb_service.people.waiting_queue import WaitingQueue
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.replicas.shop import product_name
from kb_service.routing import Placed, Routing, Unplaced
from kb_service.store import Page, Store, Unit
from kb_service.trials.treatment import treated
from kb_service.understanding.question_reading import read_question, unspoken
from kb_service.understanding.reading import Reader

View: TypeAlias = Literal["waiting", "mine", "asked", "assigned", "pending", "bot", "resolved"]
STATES: Mapping[View, tuple[str, ...]] = {
    "waiting": ("waiting",),
    "mine": ("assigned", "pending"),
    "asked": ("waiting", "assigned", "pending"),
    "assigned": ("assigned",),
    "pending": ("pending",),
    "bot": ("bot",),
    "resolved": ("resolved", "closed"),
}
"""The states of the cases of each list; `mine` are an agent's own, `asked` those that they were consulted about."""
LOOKED_AT = 40
"""The latest cases of a problem that examples are taken from."""
EXAMPLES = 4
EARLIER = 5
FOUND = 20
"""Cases that a search shows."""
IN_LINE = 200
"""Cases that the next one is looked for among."""


@dataclass(frozen=True, slots=True)
class ListedCase:
    """A case of a list with the last words of it and who said them; `asked` is what its customer said last that tells
    something."""

    case: Case
    problem: Problem | None
    said: str = ""
    by: str | None = None
    asked: str = ""


@dataclass(frozen=True, slots=True)
class CaseOnDesk:
    """A case with what helps to answer it.

    `question` is what it comes to, None where its customer wrote nothing; `answered` whether a person had the last
    word; `line` the line of support that it asks for; `names` are those of agents and `products` those of products, by
    id; `facts` what placeholders are filled with; `takers` are those whom it can be handed to; `past` how cases of the
    same problem ended; `earlier` the customer's other cases.
    """

    detail: CaseDetail
    question: Question | None
    answered: bool
    understanding: Understanding
    priority: Priority
    sla: ServiceLevel
    expertise: ExpertiseChoice | None
    line: Asked
    names: Mapping[str, str]
    products: Mapping[str, str]
    facts: Mapping[str, str]
    takers: tuple[Taker, ...]
    past: tuple[PastCase, ...]
    earlier: tuple[ListedCase, ...]


class AgentDesk:
    """The desks of every workspace's agents. It changes nothing."""

    def __init__(
        self,
        store: Store,
        replicas: Replicas,
        reader: Reader,
        routing: Routing,
        waiting_queue: WaitingQueue,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._reader = reader
        self._routing = routing
        self._waiting_queue = waiting_queue
        self._clock = clock

    def names(self, workspace: str) -> Mapping[str, str]:
        """The names of all agents, by id."""
        agents = self._replicas.of(workspace).shop.agents
        return {agent.id: agent.name for agent in agents.values()}

    # --- lists

    def counts(self, workspace: str, agent_id: str | None) -> dict[View, int]:
        """How many cases each list holds; without an agent those that are nobody's own."""
        with self._store.reading(workspace) as unit:
            by_state = unit.cases.counts()
            mine, _ = unit.cases.count_of_agent(agent_id, STATES["mine"]) if agent_id else (0, 0)
            _, asked = unit.cases.count_of_agent(agent_id, STATES["asked"]) if agent_id else (0, 0)
        found: dict[View, int] = {
            view: sum(by_state.get(state, 0) for state in states) for view, states in STATES.items()
        }
        if agent_id is None:
            return {view: count for view, count in found.items() if view not in ("mine", "asked")}
        return found | {"mine": mine, "asked": asked}

    def listed(
        self, workspace: str, view: View, agent_id: str | None, cursor: str | None, limit: int
    ) -> Page[ListedCase]:
        """The cases of a list, the latest active first; nothing of an agent's own where nobody is named."""
        own = {"mine": "agent_id", "asked": "consulted_by"}.get(view)
        if own is not None and agent_id is None:
            return Page((), None)
        filters = {own: agent_id} if own is not None else {}
        with self._store.reading(workspace) as unit:
            page = unit.cases.page(cursor, limit, states=STATES[view], **filters)
            return Page(_listed(unit, page.items), page.next_cursor)

    def found(self, workspace: str, text: str) -> tuple[ListedCase, ...]:
        """The cases that a text names by an id: first of exactly this id, a case's, a conversation's or a customer's,
        then those in which an order, a parcel or a product of the text is named; each the latest first."""
        wanted = text.strip()
        if not wanted:
            return ()
        with self._store.reading(workspace) as unit:
            cases = {case.id: case for case in unit.cases.of_customer(wanted, limit=FOUND)}
            cases |= {case.id: case for case in unit.cases.cases_of_conversations([wanted]).values()}
            if (one := unit.cases.get(wanted)) is not None:
                cases[one.id] = one
            ordered = sorted(cases.values(), key=lambda case: case.active_at, reverse=True)
            named = unit.cases.naming([*written_ids(wanted, whole=True), one_spelling(wanted)], FOUND)
            ordered += [case for case in named if case.id not in cases]
            return _listed(unit, ordered[:FOUND])

    def next_case(
        self, workspace: str, agent_id: str | None, after: str | None, *, language: Language = "en"
    ) -> str | None:
        """The case to go on with: of the agent's own whose customer waits, then of the queue, the one after `after`,
        round again from the first; None where no other waits."""
        queue = self._waiting_queue.page(workspace, None, IN_LINE, language=language)
        line = [*self._waiting_for(workspace, agent_id), *(item.case.id for item in queue.items)]
        line = list(dict.fromkeys(line))
        begin = line.index(after) + 1 if after in line else 0
        return next((case_id for case_id in (*line[begin:], *line[:begin]) if case_id != after), None)

    def _waiting_for(self, workspace: str, agent_id: str | None) -> list[str]:
        """The agent's own cases whose customer had the last word, the longest waiting first."""
        if agent_id is None:
            return []
        with self._store.reading(workspace) as unit:
            page = unit.cases.page(None, IN_LINE, states=("assigned",), agent_id=agent_id)
            listed = _listed(unit, page.items)
        theirs = [item.case for item in listed if item.by == "customer"]
        return [case.id for case in sorted(theirs, key=lambda case: (case.active_at, case.id))]

    # --- one case

    def case(
        self, workspace: str, case_id: str, *, language: Language, agent_name: str | None = None
    ) -> CaseOnDesk:
        """A case with what helps to answer it. Raises NotFound. Nothing is logged: nothing was suggested yet."""
        replica = self._replicas.at_hand(workspace)
        with self._store.reading(workspace) as unit:
            detail = case_detail(unit, found_case(unit, case_id))
            case = detail.case
            latest = unit.decisions.latest([case_id]).get(case_id)
            asks = waiting_case(case, detail.events, detail.problem, latest)
            past = _past(unit, detail, asks.question.text)
            earlier = _earlier(unit, case)
        question = replace(asks.question, reader=language, channel=_channel(detail.events))
        understanding, placed = self._understood(replica, replace(asks, question=question))
        products = {
            sku: product_name(names, language) for sku, names in replica.shop.products.items() if names
        }
        return CaseOnDesk(
            detail=detail,
            question=question if question.text else None,
            answered=_answered(detail.events),
            understanding=understanding,
            priority=placed.route.priority,
            sla=placed.route.sla,
            expertise=placed.route.expertise,
            line=placed.line,
            names=self.names(workspace),
            products=products,
            facts=self._facts(replica, detail, question, products, agent_name),
            takers=takers(replica.shop, placed, self._clock(), without=case.agent_id),
            past=past,
            earlier=earlier,
        )

    def _understood(self, replica: Replica, asks: WaitingCase) -> tuple[Understanding, Placed]:
        """What a case says, and where it belongs with which priority: as the queue has it."""
        case, now = asks.case, self._clock()
        reading = read_question(self._reader, replica, asks.question, now)
        if not asks.question.text:
            reading = unspoken(reading, case.language)
        way = treated(replica, asks.question, now, customer_id=case.customer_id)
        return reading.understanding, self._routing.place(Unplaced(way, asks.question, asks.known), at=now)

    def _facts(
        self,
        replica: Replica,
        detail: CaseDetail,
        question: Question,
        products: Mapping[str, str],
        agent_name: str | None,
    ) -> Mapping[str, str]:
        said = [event for event in detail.events if event.role == "customer" and event.text]
        gazetteer = replica.shop.gazetteer
        named = [entity for event in said for entity in gazetteer.entities(event.text or "", event.at)]
        return known_facts(named, question.customer, products=products, agent=agent_name)


def _listed(unit: Unit, cases: Sequence[Case]) -> tuple[ListedCase, ...]:
    problems = {problem.id: problem for problem in unit.problems.some(_problem_ids(cases))}
    by_alias = {alias: problem for problem in problems.values() for alias in problem.aliases}
    last = unit.events.last_words([case.id for case in cases])
    found = []
    for case in cases:
        problem = problems.get(case.problem_id or "") or by_alias.get(case.problem_id or "")
        words = last.get(case.id)
        if words is None:
            found.append(ListedCase(case, problem))
        else:
            found.append(ListedCase(case, problem, words.said, words.by, telling(words.theirs)))
    return tuple(found)


def _problem_ids(cases: Sequence[Case]) -> list[str]:
    return [case.problem_id for case in cases if case.problem_id is not None]


def _past(unit: Unit, detail: CaseDetail, asked: str) -> tuple[PastCase, ...]:
    if detail.problem is None:
        return ()
    cases = [
        case
        for case in unit.cases.of_problem(detail.problem.id, None, LOOKED_AT).items
        if case.id != detail.case.id and case.state in STATES["resolved"]
    ]
    ids = [case.id for case in cases]
    held = {given.case_id for given in unit.events.accepted_replies(ids)}
    events = {
        case_id: [item.event for item in stored] for case_id, stored in unit.events.of_each_case(ids).items()
    }
    return past_cases(cases, events, held, asked, EXAMPLES)


def _earlier(unit: Unit, case: Case) -> tuple[ListedCase, ...]:
    if case.customer_id is None:
        return ()
    others = [
        item for item in unit.cases.of_customer(case.customer_id, limit=EARLIER + 1) if item.id != case.id
    ]
    return _listed(unit, others[:EARLIER])


def _channel(events: Sequence[Event]) -> str | None:
    """Where the customer wrote last."""
    return next(
        (event.channel for event in reversed(events) if event.role == "customer" and event.channel), None
    )


def _answered(events: Sequence[Event]) -> bool:
    """Whether a person had the last word; a resolution is one."""
    said = [
        event for event in events if event.type == "resolution" or (event.type == "message" and event.text)
    ]
    return bool(said) and (said[-1].role == "agent" or said[-1].type == "resolution")
