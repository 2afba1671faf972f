"""When something is told of a problem: recurrence, regression, burst and growth, stepped through one event at a time.

One machine for the live run, the replay of a history and the trial of other rules: it hears sightings in order of
arrival, keeps each problem's counts and state, and says what is to be told. The same sightings in the same order give
the same verdicts, however they come in batches and wherever a process starts anew: what was told and what people did
are given to it (`put`, `tell`), the rest follows from what it heard (`recall`).

Recurrence and regression are judged with the message that completes them. Bursts and growth are judged at every whole
five minutes of event time, once the watermark has passed them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from graph import lifecycle
from graph.burst_rules import burst_rules
from graph.bursts import BurstWatch, Finding, words
from graph.models import AlertKind, Evidence, Problem, Verdict
from graph.recurrence import recurrence, regression
from graph.rules import Rules
from graph.sightings import Line, Question, Sightings, moment, ticks

STEP = timedelta(minutes=5)
"""Bursts and growth are judged at whole multiples of this, in event time."""
REACH = timedelta(hours=6)
"""The longest window that bursts are judged in: after so long without a message nothing begins."""
HISTORY = timedelta(days=56)
"""How far back what is usual is taken from."""
_STEP, _REACH = STEP // timedelta(microseconds=1), REACH // timedelta(microseconds=1)
_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """A problem after a message, or after time has passed: what is to be told of it, and each change of its state as
    (before, after)."""

    problem: Problem
    verdict: Verdict | None = None
    turns: tuple[tuple[Problem, Problem], ...] = ()


class Alarms:
    """The problems of one workspace as they are told. One thread at a time.

    `rules` and `zone` are the shop's; `govern` changes them. `since` is where a watermark stands already: what lies
    further back than HISTORY before it is counted and not judged again.
    """

    def __init__(self, rules: Rules, zone: tzinfo, since: datetime | None = None) -> None:
        self.sightings = Sightings()
        self._rules = rules
        self._zone = zone
        self._watch = BurstWatch(zone, _promotions(rules))
        self._problems: dict[str, Problem] = {}
        self._told: dict[str, dict[AlertKind, datetime]] = {}
        """The latest of each kind."""
        self._elsewhere: dict[int, set[str]] = {}
        """Bursts that were told before or by another process, by their boundary, while that is to come here."""
        self._asked: dict[str, Question] = {}
        """What was last asked of each problem's windows, and answered with no."""
        self._judged: int | None = None if since is None else _boundary(ticks(since - HISTORY))
        self._passed_over: int | None = None
        """The last boundary that was recalled without a look at it."""
        self._day: date | None = None
        self._newest: int | None = None

    # --- what is known

    def govern(self, rules: Rules, zone: tzinfo) -> None:
        """Go by these rules from now on."""
        known = (self._zone, _promotions(self._rules))
        self._rules, self._zone = rules, zone
        if known != (zone, _promotions(rules)):
            before = self._watch
            self._watch = BurstWatch(zone, _promotions(rules))
            for at, problem_id, voter in self.sightings.in_order():
                self._watch.hear(problem_id, moment(at), voter)
            self._watch.take_over(before)

    def put(self, problem: Problem) -> None:
        """A problem as it is now, new or changed by people."""
        self._problems[problem.id] = problem

    def tell(self, problem_id: str, kind: AlertKind, at: datetime) -> None:
        """An alert stands that was raised at this event time, before or by another process."""
        self._note(problem_id, kind, at)
        if kind == "burst" and (self._judged is None or self._judged < ticks(at)):
            self._elsewhere.setdefault(ticks(at), set()).add(problem_id)

    def recall(self, problem_id: str, at: datetime, voter: int) -> None:
        """Count a message that was recorded and judged before, or by another process; in order of arrival, once all
        alerts that were raised up to it are told."""
        self.passed(at)
        self._count(problem_id, at, voter)

    def passed(self, at: datetime) -> None:
        """Event time has gone on to `at` before, or in another process: nothing is told again."""
        for boundary in self._boundaries(at):
            self._judge_again(boundary)

    def problem(self, problem_id: str) -> Problem | None:
        """A problem with its counts as they are now."""
        return self._problems.get(problem_id)

    @property
    def latest(self) -> datetime | None:
        """The latest event time of a message of any problem."""
        return None if self._newest is None else moment(self._newest)

    # --- stepping

    def hear(self, problem_id: str, at: datetime, voter: int, now: datetime) -> Step:
        """Count a message of a problem that was put before, and judge what it completes.

        `at` is event time, late or not; `voter` as `graph.sightings.voter_code` makes it; `now` is the wall clock by
        which silences end. Raises KeyError for a problem that is not known.
        """
        before = self._problems[problem_id]
        line, place = self._count(problem_id, at, voter)
        return self._look_at(counted(before, line), line, place, now)

    def look(self, problem_id: str, now: datetime) -> Step | None:
        """Judge all windows of a problem, after messages were moved to it; None where it has none."""
        line = self.sightings.of(problem_id)
        if not line:
            return None
        self._asked.pop(problem_id, None)
        return self._look_at(counted(self._problems[problem_id], line), line, len(line) - 1, now)

    def advance(self, at: datetime, now: datetime) -> list[Step]:
        """Judge the boundaries before `at` that are not judged yet, the earliest first.

        Call it with the time of each event before the event is heard; a late one judges nothing again. Boundaries
        without any message within `REACH` before them are passed over.
        """
        boundaries = self._boundaries(at)
        if boundaries:
            self._catch_up()
        return [step for boundary in boundaries for step in self._judge(boundary, now)]

    def waits(self, now: datetime) -> bool:
        """Whether a boundary before `now` is not judged yet although there were messages since the one before it."""
        if self._judged is None or self._newest is None:
            return False
        return self._judged < min(_boundary(ticks(now)), _boundary(self._newest) + _STEP)

    # --- what moves

    def merge(self, old: str, into: str) -> None:
        """Let one problem take up the messages of another, and what was told of it."""
        self.sightings.merge(old, into)
        self._watch.merge(old, into)
        for kind, at in self._told.pop(old, {}).items():
            self._note(into, kind, at)
        for told in self._elsewhere.values():
            if old in told:
                told.remove(old)
                told.add(into)
        self._problems.pop(old, None)
        self._unasked(old, into)

    def recount(self, problem_id: str, sightings: Iterable[tuple[datetime, int]]) -> None:
        """These are a problem's messages, each by its time and voter, after some were moved."""
        told = list(sightings)
        self.sightings.put(problem_id, ((ticks(at), voter) for at, voter in told))
        since = moment(self._newest or 0) - HISTORY
        self._watch.hear_again(problem_id, (item for item in told if item[0] > since))
        self._unasked(problem_id)

    def forget(self, problem_id: str) -> None:
        """Forget a problem with all that was heard of it."""
        self.sightings.forget(problem_id)
        self._watch.forget(problem_id)
        self._problems.pop(problem_id, None)
        self._told.pop(problem_id, None)
        self._unasked(problem_id)

    # --- counting

    def _count(self, problem_id: str, at: datetime, voter: int) -> tuple[Line, int]:
        heard = ticks(at)
        self._newest = heard if self._newest is None else max(self._newest, heard)
        self._watch.hear(problem_id, at, voter)
        return self.sightings.hear(problem_id, heard, voter)

    def _awakened(self, problem: Problem, line: Line, now: datetime, *, burst: bool = False) -> Problem:
        if problem.state != "silenced":
            return problem
        return lifecycle.awakened(problem, now, customers_a_day=_customers_a_day(problem, line), burst=burst)

    def _note(self, problem_id: str, kind: AlertKind, at: datetime) -> None:
        told = self._told.setdefault(problem_id, {})
        if kind not in told or told[kind] < at:
            told[kind] = at

    def _unasked(self, *problem_ids: str) -> None:
        for problem_id in problem_ids:
            self._asked.pop(problem_id, None)

    # --- recurrence and regression

    def _look_at(self, problem: Problem, line: Line, place: int, now: datetime) -> Step:
        """What the message at `place` of a problem's line makes of the problem."""
        turns = []
        awake = self._awakened(problem, line, now)
        if awake.state != problem.state:
            turns.append((problem, awake))
        if awake.state == "candidate" and self._promotes(awake, line, place):
            candidate, awake = awake, lifecycle.transition(awake, "promote", awake.active_at)
            turns.append((candidate, awake))
        verdict = self._judge_line(awake, line, place, now)
        if verdict is not None and verdict.kind == "regression":
            resolved, awake = awake, lifecycle.transition(awake, "regress", verdict.at or line.last)
            awake = replace(awake, episode_at=verdict.begin or awake.episode_at)
            awake = replace(awake, customers=line.customers(lifecycle.episode_begin(awake)))
            turns.append((resolved, awake))
        self._problems[awake.id] = awake
        if verdict is not None and verdict.kind is not None:
            self._note(awake.id, verdict.kind, verdict.at or line.last)
            return Step(awake, verdict, tuple(turns))
        return Step(awake, None, tuple(turns))

    def _promotes(self, problem: Problem, line: Line, place: int) -> bool:
        rules = self._rules
        length = round(rules.promote_window_hours * _HOUR)
        return self._fills(problem.id, line, place, Question(rules.promote_customers, length, None))

    def _judge_line(self, problem: Problem, line: Line, place: int, now: datetime) -> Verdict | None:
        """What the windows that hold a new message say of recurrence or regression; mostly nothing."""
        question = self._question(problem, now)
        if question is None:
            if problem.state != "candidate":
                self._asked.pop(problem.id, None)
            return None
        if not self._fills(problem.id, line, place, question):
            return None
        if problem.state == "resolved" and problem.resolved_at is not None:
            return regression(line, self._rules, resolved_at=problem.resolved_at, now=line.last)
        begin = lifecycle.episode_begin(problem)
        return recurrence(line, self._rules, now=line.last, already_alerted=False, after=begin)

    def _question(self, problem: Problem, now: datetime) -> Question | None:
        """What a problem's windows are asked in its present state; None while nothing of the kind is to be told."""
        rules = self._rules
        length = round(rules.recurrence_window_hours * _HOUR)
        if problem.state == "resolved":
            if problem.resolved_at is None:
                return None
            grace = timedelta(hours=rules.regression_grace_hours)
            return Question(rules.regression_customers, length, ticks(problem.resolved_at + grace))
        allowed = lifecycle.may_raise(problem, "recurrence", now).raises
        if not allowed or self._told_since(problem, "recurrence", "regression"):
            return None
        begin = lifecycle.episode_begin(problem)
        return Question(rules.recurrence_customers, length, None if begin is None else ticks(begin) - 1)

    def _fills(self, problem_id: str, line: Line, place: int, question: Question) -> bool:
        """Whether a window answers with yes: those of the new message, or all where this was not asked before."""
        known = self._asked.get(problem_id) == question
        self._asked[problem_id] = question
        return line.fills(place, question) if known else line.full(question)

    def _told_since(self, problem: Problem, *kinds: AlertKind) -> bool:
        """Whether one of these was told in the present episode."""
        told = self._told.get(problem.id)
        if not told:
            return False
        begin = lifecycle.episode_begin(problem)
        return any(kind in told and (begin is None or told[kind] >= begin) for kind in kinds)

    # --- bursts and growth

    def _boundaries(self, at: datetime) -> range:
        """The boundaries before `at` that are to be judged now; from then on they count as judged."""
        last = _boundary(ticks(at))
        if self._judged is None or self._newest is None:
            self._judged = last if self._judged is None else max(last, self._judged)
            return range(0)
        if last <= self._judged:
            return range(0)
        first, self._judged = self._judged + _STEP, last
        return range(first, min(last, self._newest + _REACH) + 1, _STEP)

    def _judge(self, boundary: int, now: datetime) -> Iterator[Step]:
        for finding in self._judged_at(boundary):
            step = self._found(finding, now)
            if step is not None:
                yield step
            elif not self._is_told(finding):
                self._watch.untell(finding.problem_id, finding.kind)
        self._stand(boundary)

    def _judge_again(self, boundary: int) -> None:
        """Follow what was judged before: which bursts began comes from what was told, when they end from the counts.
        Boundaries at which nothing can begin or end are passed over."""
        told = any(told <= boundary for told in self._elsewhere)
        if told or self._watch.lasting or self._is_new_day(boundary):
            self._look(boundary)
        else:
            self._passed_over = boundary

    def _catch_up(self) -> None:
        """Look at the last boundary that was passed over, so that the next one speaks only of what came since."""
        if self._passed_over is not None:
            self._look(self._passed_over)

    def _look(self, boundary: int) -> None:
        for finding in self._judged_at(boundary):
            # A burst that was told stands from `tell` on; growth, from where it is found.
            if finding.kind == "burst" or not self._is_told(finding):
                self._watch.untell(finding.problem_id, finding.kind)
        self._stand(boundary)

    def _judged_at(self, boundary: int) -> list[Finding]:
        self._passed_over = None
        self._is_new_day(boundary)
        self._stand(boundary - 1)
        return self._watch.judge(moment(boundary), burst_rules(self._rules))

    def _stand(self, until: int) -> None:
        """Let bursts that were told elsewhere last from their boundary on."""
        for told in sorted(told for told in self._elsewhere if told <= until):
            for problem_id in self._elsewhere.pop(told):
                self._watch.tell(problem_id, moment(told))

    def _is_new_day(self, boundary: int) -> bool:
        day = moment(boundary).astimezone(self._zone).date()
        before, self._day = self._day, day
        return before != day

    def _is_told(self, finding: Finding) -> bool:
        """Whether an alert stands of this very finding."""
        return self._told.get(finding.problem_id, {}).get(finding.kind) == finding.at

    def _found(self, finding: Finding, now: datetime) -> Step | None:
        """The step that a finding makes; None where the problem's state or what was told before forbids it."""
        known = self._problems.get(finding.problem_id)
        if known is None or (finding.kind == "growth" and not self._rules.growth_alerts):
            return None
        turns = []
        line = self.sightings.of(known.id)
        problem = self._awakened(known, line, now, burst=finding.kind == "burst")
        if problem.state != known.state:
            turns.append((known, problem))
        if problem.state == "candidate":
            candidate, problem = problem, lifecycle.transition(problem, "promote", finding.at)
            turns.append((candidate, problem))
        if self._is_told(finding) or not lifecycle.may_raise(problem, finding.kind, now).raises:
            return None
        evidence = Evidence(
            observed=finding.observed,
            expected=finding.expected,
            customers=finding.customers,
            window_minutes=finding.window_minutes,
            p_value=finding.p_value,
            words=words(finding),
        )
        self._problems[problem.id] = problem
        self._note(problem.id, finding.kind, finding.at)
        verdict = Verdict(finding.kind, finding.kind, evidence, finding.at)
        return Step(problem, verdict, tuple(turns))


def counted(problem: Problem, line: Line) -> Problem:
    """The problem with its counts and its span as its messages say, of which there is one at least."""
    begin = lifecycle.episode_begin(problem)
    opened_at = min(problem.opened_at, line.first)
    return replace(
        problem,
        opened_at=opened_at,
        episode_at=opened_at if begin is None else problem.episode_at,
        active_at=max(problem.active_at, line.last),
        customers=line.customers(begin),
        events=len(line),
    )


def _customers_a_day(problem: Problem, line: Line) -> float:
    """How many customers wrote in the last day of a problem's own time, where its silence asks for that."""
    if problem.silenced_rate is None or not line:
        return 0.0
    return line.distinct(ticks(line.last - timedelta(days=1)))


def _boundary(at: int) -> int:
    """The last boundary before a time: a message at a boundary has not passed it."""
    return (at - 1) // _STEP * _STEP


def _promotions(rules: Rules) -> tuple[date, ...]:
    return tuple(date.fromisoformat(day) for day in rules.promotion_days)
