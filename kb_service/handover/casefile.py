"""What the store knows of the case that a question belongs to: who has it, what was said, how it came here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.contacts import REPEAT_WITHIN
from graph.models import Case, Event, Problem
from graph.support_lines import LOOKED_BACK as PASSED_ON_SINCE
from graph.support_lines import PassedOn
from kb_service.models import Question
from kb_service.store import Exposure, Store, StoredMessage, Unit
from kb_service.understanding.contact_history import BURST_LASTS, bursting, lately

HELD = frozenset({"assigned", "waiting"})
"""States in which a person has the case, or was called to it."""
WAITS = frozenset({"bot", "waiting"})
"""States in which its customer waits for somebody."""
LOOKED_BACK = timedelta(days=30)
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with its events, oldest first, and the customer's other cases of the last month, latest first; of a
    question that no case is known of, nothing.

    `told` is what happened in the last week in all of these cases, with problems and vectors, `sent_at` when the bot
    last answered in this one, `passed_on` who or what handed this one over lately, and `bursting` whether the problem
    that the question is about surges.
    """

    case: Case | None = None
    events: tuple[Event, ...] = ()
    earlier: tuple[Case, ...] = ()
    told: tuple[StoredMessage, ...] = ()
    sent_at: datetime | None = None
    passed_on: tuple[PassedOn, ...] = ()
    bursting: bool = False

    @property
    def waits(self) -> bool:
        """Whether the customer waits for somebody, bot or person, who does not have the case yet."""
        return self.case is not None and self.case.state in WAITS

    @property
    def with_a_person(self) -> bool:
        """Whether somebody has the case or was called to it; a pending one waits for the customer in their hands."""
        case = self.case
        return case is not None and (
            case.state in HELD or (case.state == "pending" and case.agent_id is not None)
        )

    @property
    def transfers(self) -> int:
        """How often the case went from one person to another."""
        return sum(event.passed_on and event.from_agent is not None for event in self.events)

    def contacts(self, now: datetime) -> int:
        """The customer's other cases within a week."""
        return sum(now - case.active_at <= WEEK for case in self.earlier)

    def unresolved_about(self, problem_id: str | None) -> int:
        """The customer's other cases about the same problem that nobody resolved."""
        if problem_id is None:
            return 0
        return sum(case.problem_id == problem_id and case.resolved_at is None for case in self.earlier)


class CaseFiles:
    """Reads case files of every workspace."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def of(
        self,
        workspace: str,
        question: Question,
        problem: Problem | None = None,
        *,
        at: datetime | None = None,
    ) -> CaseFile:
        """The case of the question's conversation, else the customer's open one, with what surrounds it at a moment,
        now by default: all that a request needs of it, read once. `problem` is what the question is about."""
        customer_id = question.customer.id if question.customer else None
        if customer_id is None and question.conversation_id is None and problem is None:
            return CaseFile()
        now = at or self._clock()
        with self._store.reading(workspace) as unit:
            case = unit.cases.open_for(question.conversation_id, customer_id, now)
            (file,) = _files(unit, [_Wanted(case, customer_id, problem)], now)
        return file

    def of_cases(
        self, workspace: str, asked: Sequence[tuple[Case, Question, Problem | None]], at: datetime
    ) -> list[CaseFile]:
        """The files of some cases at a moment, in order, each with the question that it comes to and what that is
        about. The store is asked as often for all as for one: a queue has hundreds."""
        wanted = [
            _Wanted(case, question.customer.id if question.customer else None, problem)
            for case, question, problem in asked
        ]
        with self._store.reading(workspace) as unit:
            return _files(unit, wanted, at)

    def shown(self, workspace: str, conversation_id: str | None) -> tuple[Exposure, ...]:
        """What was shown in a conversation so far, oldest first."""
        if conversation_id is None:
            return ()
        with self._store.reading(workspace) as unit:
            return unit.exposures.of_conversation(conversation_id)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Whose file is to be read: a case, or else a customer's; `problem` is what the question is about."""

    case: Case | None
    asking: str | None
    problem: Problem | None

    @property
    def customer_id(self) -> str | None:
        return (self.case.customer_id if self.case is not None else None) or self.asking


def _files(unit: Unit, wanted: Sequence[_Wanted], now: datetime) -> list[CaseFile]:
    cases = [item.case for item in wanted if item.case is not None]
    events = unit.events.of_each_case([case.id for case in cases])
    passed_on = unit.decisions.handed_over([case.id for case in cases], now - PASSED_ON_SINCE)
    customers = {item.customer_id for item in wanted if item.customer_id is not None}
    theirs = unit.cases.of_customers(customers, now - LOOKED_BACK)
    weeks = [lately(theirs.get(item.customer_id or "", ()), item.case, now) for item in wanted]
    told: defaultdict[str, list[StoredMessage]] = defaultdict(list)
    for message in unit.events.of_cases({id for week in weeks for id in week}, now - REPEAT_WITHIN):
        told[message.case_id or ""].append(message)
    sent = unit.exposures.sent_in({case.id: case.conversation_ids for case in cases if case.state in WAITS})
    problems = {item.problem.id for item in wanted if item.problem is not None}
    alerts = unit.alerts.of_problems(problems, now - BURST_LASTS)
    return [
        CaseFile(
            case=item.case,
            events=tuple(stored.event for stored in events.get(item.case.id, ())) if item.case else (),
            earlier=tuple(
                other
                for other in theirs.get(item.customer_id or "", ())
                if item.case is None or other.id != item.case.id
            ),
            told=_in_order(message for id in week for message in told.get(id, ())),
            sent_at=sent.get(item.case.id) if item.case else None,
            passed_on=passed_on.get(item.case.id, ()) if item.case else (),
            bursting=bursting(alerts.get(item.problem.id, ()) if item.problem else (), now),
        )
        for item, week in zip(wanted, weeks, strict=True)
    ]


def _in_order(messages: Iterable[StoredMessage]) -> tuple[StoredMessage, ...]:
    return tuple(sorted(messages, key=lambda item: (item.event.at, item.sequence)))
