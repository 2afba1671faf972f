"""Asking customers, some days after a problem was resolved, whether it is; and what their answers come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from structlog.stdlib import get_logger

from graph import lifecycle
from graph.confirmation import (
    NAMED_QUESTION,
    PATIENCE,
    QUESTION,
    Answer,
    Confirmation,
    evidence,
    judge,
)
from graph.confirmation import FollowUpState as State
from graph.models import Agent, Alert, Case, Event, Problem, Verdict
from graph.owners import owner_of_channel
from graph.rules import Rules
from kb_service.delivery.announcing import announce
from kb_service.delivery.messages import follow_up_data
from kb_service.ids import digest_id
from kb_service.models import ProblemFollowUp
from kb_service.recurring.raising import Raising
from kb_service.recurring.steps import ACTOR
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.rounds import WorkspaceRounds
from kb_service.store import AskedCase, FollowUp, Page, Store, Unit

log = get_logger(__name__)

ROUND_SECONDS = 60.0
MOST_ASKED = 20
"""Customers who are asked on one channel."""
MOST_CASES = 2000
"""The latest cases of a problem among which these are found."""
TOGETHER = 20
"""Problems looked at in one round of a workspace, each in a transaction of its own."""
FAILED = timedelta(hours=1)
"""What could not be asked or settled is tried again after this time, and lets others have their turn before it."""
OVERDUE = timedelta(days=7)
"""What should have been asked longer ago is not asked any more."""


@dataclass(frozen=True, slots=True)
class FollowUpView:
    """A follow-up with its problem, who owns its channel, and the question by language."""

    follow_up: FollowUp
    problem: Problem
    owner: Agent | None
    question: dict[str, str]


class Answers:
    """One transaction's look at what customers answered. The caller holds the workspace's lock and the replica's."""

    def __init__(self, unit: Unit, replica: Replica, now: datetime) -> None:
        self._unit = unit
        self._replica = replica
        self._now = now

    def heard(self, event: Event, case: Case | None) -> Alert | None:
        """Note a recorded follow-up; the alert where it shows that the problem is back.

        It answers the open question that its conversation, else its customer, was asked; where there is none, the one
        about the problem of its case. Of several answers of a customer the latest in event time counts.
        """
        follow_up = self._asked(event, case)
        if follow_up is None:
            return None
        case_id = case.id if case is not None else None
        self._unit.follow_ups.put(replace(follow_up, cases=_answered(follow_up.cases, event, case_id)))
        detail = {"problem": follow_up.problem_id, "solved": event.resolved}
        self._unit.audit.append(ACTOR, "followup.answered", follow_up.id, detail)
        return self.settle(follow_up.problem_id, follow_up.resolved_at)

    def _asked(self, event: Event, case: Case | None) -> FollowUp | None:
        of_case = case.problem_id if case is not None else None
        problem_id = self._unit.problems.resolve_id(of_case) if of_case is not None else None
        found = _asked_of(self._unit, self._replica, event, self._now, problem_id)
        if found is not None or case is None or problem_id is None:
            return found
        waiting = self._unit.follow_ups.open(problem_id=problem_id)
        same = [item for item in waiting if item.channel == event.channel]
        return next(iter([*same, *waiting]), None)

    def settle(self, problem_id: str, resolved_at: datetime) -> Alert | None:
        """Confirm a resolution or take it back, where its follow-ups say so; the alert of one taken back."""
        problem = self._unit.problems.get(problem_id)
        follow_ups = self._unit.follow_ups.of_problem(problem_id, resolved_at)
        if not any(item.state == "open" for item in follow_ups):
            return None
        if problem is None or problem.state != "resolved" or problem.resolved_at != resolved_at:
            self._close(follow_ups, "reopened")
            return None
        found = self._judged(problem, follow_ups)
        if found.state == "open":
            return None
        self._close(follow_ups, found.state)
        detail = {"reason": found.reason, "yes": found.yes, "no": found.no}
        self._unit.audit.append(ACTOR, f"followup.{found.state}", problem.id, detail)
        if found.state == "confirmed":
            self._unit.problems.put(lifecycle.confirmed(problem, self._now))
        if found.state != "reopened":
            return None
        sent_at = min(item.sent_at for item in follow_ups)
        claim = evidence(found, resolved_at, sent_at)
        verdict = Verdict("regression", found.reason, claim, found.at)
        return Raising(self._unit, self._replica, self._now).regress(problem, verdict)

    def _judged(self, problem: Problem, follow_ups: Sequence[FollowUp]) -> Confirmation:
        asked = [case for item in follow_ups for case in item.cases]
        latest: dict[tuple[str, str | None], Answer] = {}
        for case in sorted(asked, key=lambda case: case.answered_at or self._now):
            if case.answered_at is not None:
                latest[_voter(case)] = Answer(case.solved, case.answered_at)
        sent_at = min(item.sent_at for item in follow_ups)
        wrote = {seen.voter for seen in self._unit.problems.observations(problem.id, sent_at)}
        return judge(
            len({_voter(case) for case in asked if case.asked}),
            latest.values(),
            self._unit.rules.get(),
            sent_at=sent_at,
            now=self._now,
            complaints=len(wrote),
        )

    def _close(self, follow_ups: Sequence[FollowUp], state: State) -> None:
        for item in follow_ups:
            if item.state == "open":
                self._unit.follow_ups.put(replace(item, state=state, closed_at=self._now))


def asked_case(unit: Unit, replica: Replica, event: Event, now: datetime) -> str | None:
    """The case of a customer who was asked, for an answer that belongs to no other case."""
    follow_up = _asked_of(unit, replica, event, now)
    cases = follow_up.cases if follow_up is not None else ()
    return next((case.case_id for case in cases if case.customer_id == event.customer_id), None)


def _asked_of(
    unit: Unit, replica: Replica, event: Event, now: datetime, problem_id: str | None = None
) -> FollowUp | None:
    """The open question that whom an event is from was asked. What is due and was not asked yet, since a round comes
    once a minute, is asked now where it is theirs to answer, or about the problem of their case."""
    found = unit.follow_ups.asked_of(event.conversation_id, event.customer_id)
    if found is not None:
        return found
    rules = unit.rules.get()
    for due in _due(unit, rules, now):
        problem = unit.problems.get(due)
        if problem is not None and (due == problem_id or _is_theirs(unit, problem, event)):
            _ask(unit, problem, rules, replica.expertise_of(problem), now)
    return unit.follow_ups.asked_of(event.conversation_id, event.customer_id)


def _is_theirs(unit: Unit, problem: Problem, event: Event) -> bool:
    """Whether whom an event is from is among those to be asked of a problem."""
    return any(
        (event.conversation_id is not None and case.conversation_id == event.conversation_id)
        or (event.customer_id is not None and case.customer_id == event.customer_id)
        for cases in _to_ask(unit, problem).values()
        for case in cases
    )


class FollowingUp(WorkspaceRounds):
    """Asks after what was resolved some days ago, and ends the wait for answers."""

    def __init__(self, store: Store, replicas: Replicas, *, clock: Callable[[], datetime]) -> None:
        super().__init__("follow_ups", store, seconds=ROUND_SECONDS)
        self._replicas = replicas
        self._clock = clock
        self._failed: dict[tuple[str, str], datetime] = {}
        """When what failed is tried again, by workspace and problem."""

    def look(self, workspace: str) -> int:
        """Ask what is due and settle what nobody answers any more; how many problems. Two queries while there are
        none."""
        now = self._clock()
        self._failed = {key: until for key, until in self._failed.items() if until > now}
        with self._store.reading(workspace) as unit:
            asking: list[tuple[str, datetime | None]] = [
                (problem_id, None) for problem_id in _due(unit, unit.rules.get(), now)
            ]
            over = dict.fromkeys((item.problem_id, item.resolved_at) for item in _over(unit, now))
        found = [task for task in [*over, *asking] if (workspace, task[0]) not in self._failed][:TOGETHER]
        if not found:
            return 0
        replica = self._replicas.settled(workspace)
        return sum(self._took(replica, problem_id, resolved_at, now) for problem_id, resolved_at in found)

    def _took(self, replica: Replica, problem_id: str, resolved_at: datetime | None, now: datetime) -> bool:
        """Settle one resolution, or ask about the present one where none is named; False where that failed."""
        with replica.lock:
            try:
                with self._store.writing(replica.workspace) as unit:
                    replica.catch_up(unit)
                    if resolved_at is not None:
                        Answers(unit, replica, now).settle(problem_id, resolved_at)
                    elif (problem := _unasked(unit, problem_id)) is not None:
                        _ask(unit, problem, unit.rules.get(), replica.expertise_of(problem), now)
                replica.follow()
            except Exception as error:
                replica.reset()
                self._failed[replica.workspace, problem_id] = now + FAILED
                log.error("follow_up_failed", workspace=replica.workspace, problem=problem_id, exc_info=error)
                return False
        return True

    def page(
        self, workspace: str, cursor: str | None, limit: int, *, state: State | None = None
    ) -> Page[FollowUpView]:
        """Follow-ups, the latest sent first."""
        with self._store.reading(workspace) as unit:
            page = unit.follow_ups.page(cursor, limit, state=state)
            rules = unit.rules.get()
            views = [
                FollowUpView(item, problem, _owner(unit, item.channel, rules), question(problem))
                for item in page.items
                if (problem := unit.problems.get(item.problem_id)) is not None
            ]
        return Page(tuple(views), page.next_cursor)


def standing(unit: Unit, problem: Problem) -> ProblemFollowUp | None:
    """What customers say of the latest resolution; None for what was never resolved and asked about."""
    found = unit.follow_ups.latest_of(problem.id)
    resolved_at = problem.resolved_at
    if resolved_at is not None and (not found or found[0].resolved_at != resolved_at):
        due_at = resolved_at + timedelta(hours=unit.rules.get().followup_hours)
        return ProblemFollowUp("waiting", resolved_at, due_at)
    if not found:
        return None
    cases = [case for item in found for case in item.cases]
    return ProblemFollowUp(
        state=found[0].state,
        resolved_at=found[0].resolved_at,
        due_at=None,
        ids=tuple(item.id for item in found),
        asked=sum(1 for case in cases if case.asked),
        yes=sum(1 for case in cases if case.solved is True),
        no=sum(1 for case in cases if case.solved is False),
    )


def question(problem: Problem) -> dict[str, str]:
    """What customers may be asked, by language. Only a name that a person gave goes to customers: others quote them."""
    name = problem.names if problem.named_by_person else {}
    return {
        language: NAMED_QUESTION[language].format(name=name[language]) if language in name else plain
        for language, plain in QUESTION.items()
    }


def _due(unit: Unit, rules: Rules, now: datetime) -> tuple[str, ...]:
    until = now - timedelta(hours=rules.followup_hours)
    return unit.follow_ups.unasked(until - OVERDUE, until)


def _unasked(unit: Unit, problem_id: str) -> Problem | None:
    """A problem whose customers are still to be asked."""
    problem = unit.problems.get(problem_id)
    if problem is None or problem.state != "resolved" or problem.resolved_at is None:
        return None
    return None if unit.follow_ups.of_problem(problem.id, problem.resolved_at) else problem


def _over(unit: Unit, now: datetime) -> tuple[FollowUp, ...]:
    return unit.follow_ups.open(sent_by=now - PATIENCE)


def _owner(unit: Unit, channel: str | None, rules: Rules) -> Agent | None:
    owner_id = owner_of_channel(channel, rules)
    return unit.agents.get(owner_id) if owner_id is not None else None


def _ask(unit: Unit, problem: Problem, rules: Rules, expertise_id: str | None, now: datetime) -> None:
    """Ask the customers of a resolved problem, channel by channel. Where there are none, note that nobody can be
    asked."""
    assert problem.resolved_at is not None
    asked = _to_ask(unit, problem)
    for channel, cases in asked.items():
        follow_up = _follow_up(unit, problem, channel, now, cases)
        if _asked_before(unit, follow_up):
            continue
        unit.follow_ups.put(follow_up)
        owner = _owner(unit, channel, rules)
        data = follow_up_data(follow_up, problem, owner, question(problem), expertise_id)
        announce(unit, "followup.due", data, now, products=problem.products, expertise=expertise_id)
        detail = {"problem": problem.id, "channel": channel, "customers": len(cases)}
        unit.audit.append(ACTOR, "followup.sent", follow_up.id, detail)
    if not asked:
        nobody = _follow_up(unit, problem, None, now, ())
        if _asked_before(unit, nobody):
            return
        unit.follow_ups.put(replace(nobody, state="unconfirmed", closed_at=now))
        unit.audit.append(ACTOR, "followup.unconfirmed", problem.id, {"reason": "nobody_to_ask"})
    log.info("followed_up", workspace=unit.workspace, problem=problem.id, channels=len(asked))


def _asked_before(unit: Unit, follow_up: FollowUp) -> bool:
    """Whether customers were asked the same before; where that went to another problem with a merge that was taken
    back since, it comes back."""
    known = unit.follow_ups.get(follow_up.id)
    if known is not None and known.problem_id != follow_up.problem_id:
        unit.follow_ups.put(replace(known, problem_id=follow_up.problem_id))
    return known is not None


def _follow_up(
    unit: Unit, problem: Problem, channel: str | None, now: datetime, cases: Sequence[AskedCase]
) -> FollowUp:
    assert problem.resolved_at is not None
    id = digest_id("flw", unit.workspace, problem.id, problem.resolved_at.isoformat(), channel or "")
    return FollowUp(id, problem.id, channel, problem.resolved_at, now, "open", cases=tuple(cases))


def _to_ask(unit: Unit, problem: Problem) -> dict[str | None, list[AskedCase]]:
    """Whom to ask, by channel: those of the episode, else those before it, as where somebody took a resolution back for
    a while. Not those who were asked of a problem that was merged into it, and wrote nothing since."""
    begin, told = lifecycle.episode_begin(problem), _told(unit, problem)
    return _customers(unit, problem, begin, told) or _customers(unit, problem, None, told)


def _told(unit: Unit, problem: Problem) -> dict[tuple[str, str | None], datetime]:
    """When whoever was asked of a problem before it was merged into this one was asked, or answered."""
    ids = [
        id for entry in unit.regroupings.merged(problem.aliases) for id in entry.kept.get("follow_ups", ())
    ]
    found = sorted(
        (item for id in ids if (item := unit.follow_ups.get(id)) is not None), key=lambda item: item.sent_at
    )
    return {
        _voter(case): max(item.sent_at, case.answered_at or item.sent_at)
        for item in found
        for case in item.cases
        if case.asked
    }


def _customers(
    unit: Unit,
    problem: Problem,
    begin: datetime | None,
    told_at: Mapping[tuple[str, str | None], datetime],
) -> dict[str | None, list[AskedCase]]:
    """Who wrote of a problem since `begin`, and since they were asked where `told_at` says when, by the channel of
    their latest case: at most MOST_ASKED on each, the latest first."""
    found: dict[str | None, list[AskedCase]] = defaultdict(list)
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(MOST_CASES // 200):
        page = unit.cases.of_problem(problem.id, cursor, 200)
        for case in page.items:
            customer = case.customer_id or case.id
            told = problem.resolved_at is None or case.opened_at <= problem.resolved_at
            if customer in seen or not told or (begin is not None and case.active_at < begin):
                continue
            seen.add(customer)
            channel = case.channels[-1] if case.channels else None
            conversation = case.conversation_ids[-1] if case.conversation_ids else None
            asked = AskedCase(case.id, conversation, case.customer_id)
            before = told_at.get(_voter(asked))
            if len(found[channel]) < MOST_ASKED and (before is None or case.active_at > before):
                found[channel].append(asked)
        if (cursor := page.next_cursor) is None:
            break
    return {channel: cases for channel, cases in found.items() if cases}


def _answered(cases: Sequence[AskedCase], event: Event, case_id: str | None) -> tuple[AskedCase, ...]:
    """The cases of a follow-up after an answer; who was not on the list is added to it."""
    places = [
        place
        for place, case in enumerate(cases)
        if event.conversation_id is not None and case.conversation_id == event.conversation_id
    ] or [
        place
        for place, case in enumerate(cases)
        if event.customer_id is not None and case.customer_id == event.customer_id
    ]
    if not places:
        conversation, customer = event.conversation_id, event.customer_id
        return (*cases, AskedCase(case_id, conversation, customer, False, event.at, event.resolved))
    place = places[0]
    before = cases[place].answered_at
    if before is not None and event.at < before:
        return tuple(cases)
    answered = replace(cases[place], answered_at=event.at, solved=event.resolved)
    return (*cases[:place], answered, *cases[place + 1 :])


def _voter(case: AskedCase) -> tuple[str, str | None]:
    if case.customer_id is not None:
        return "customer", case.customer_id
    return ("conversation", case.conversation_id) if case.conversation_id else ("case", case.case_id)
