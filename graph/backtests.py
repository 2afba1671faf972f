"""Rules tried on the past: which alerts a history of messages would have raised under them, and what would differ.

The counting is that of the live run (`graph.alarms`); only where problems begin is made up: each as a candidate with
its first message, unless something was told of it before the history begins. What people did is done again at the
moment at which they did it, as far as the state then allows.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from statistics import median
from typing import Literal, NamedTuple, TypeAlias

from graph import lifecycle
from graph.alarms import HISTORY, Alarms, Step
from graph.errors import GraphError
from graph.lifecycle import Action
from graph.models import AlertKind, Evidence, Problem
from graph.rules import Rules

NEAR = timedelta(hours=24)
"""Bursts, or growth, of one problem that lie no further apart are the same, earlier or later."""
ONCE_AN_EPISODE: frozenset[AlertKind] = frozenset({"recurrence", "regression"})
"""Kinds of which an episode has one alert: two of one episode are the same, however far apart they lie."""
AT_ONCE = timedelta(seconds=1)
A_WORD_EVERY = 200
"""Arrivals after which a run tells how far it is."""
WARM_UP = HISTORY
"""How much of what came before a span is heard first, so that what is usual is known when it begins."""

Outcome: TypeAlias = Literal["appears", "vanishes", "earlier", "later"]


class Arrival(NamedTuple):
    """One event in order of arrival: when it arrived (wall clock, None where that was not kept), when it happened, and
    for a customer's message of a problem which one and who speaks (`graph.sightings.voter_code`). The others only move
    event time on."""

    arrived: datetime | None
    at: datetime
    problem_id: str | None = None
    voter: int = 0


class Act(NamedTuple):
    """What somebody did with a problem. A silence lasts `until` a time, until the episode has so many `customers`, or
    until an `escalation`."""

    at: datetime
    problem_id: str
    action: Action
    until: datetime | None = None
    customers: int | None = None
    escalation: bool = False


class Told(NamedTuple):
    """An alert that was raised: in the history, or before it."""

    problem_id: str
    kind: AlertKind
    at: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """What is replayed: arrivals in their order, acts in order of time, and what was told before the first arrival."""

    arrivals: Sequence[Arrival]
    acts: Sequence[Act] = ()
    told: Sequence[Told] = ()


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert that some rules raise. `waited` is how long before it the first customer of its window wrote.

    `episode` is when its episode began, None for the first of a problem; of a regression it is the resolution that did
    not hold, since when the new episode begins depends on the rules.
    """

    problem_id: str
    kind: AlertKind
    opened_at: datetime
    evidence: Evidence
    waited: timedelta
    episode: datetime | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """`median_minutes` lie between the first customer of a window and its alert; None without alerts."""

    alerts: int
    by_kind: Mapping[AlertKind, int]
    per_day: float
    problems: int
    median_minutes: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """How one alert differs: it appears or vanishes, or comes so many minutes earlier (below 0) or later."""

    outcome: Outcome
    before: Raised | None
    after: Raised | None

    @property
    def minutes(self) -> float | None:
        if self.before is None or self.after is None:
            return None
        return (self.after.opened_at - self.before.opened_at).total_seconds() / 60

    def since(self, begin: datetime) -> Change | None:
        """What is left of it from a moment on: an alert whose other half came earlier appears, or vanishes, there."""
        before = self.before if self.before is not None and self.before.opened_at >= begin else None
        after = self.after if self.after is not None and self.after.opened_at >= begin else None
        if before == self.before and after == self.after:
            return self
        if after is not None:
            return Change("appears", None, after)
        return Change("vanishes", before, None) if before is not None else None


def raised(
    past: Past,
    rules: Rules,
    zone: tzinfo,
    *,
    begin: datetime | None,
    end: datetime,
    kinds: Collection[AlertKind] = (),
    bursts: bool = True,
    heard: Callable[[float], None] | None = None,
) -> list[Raised]:
    """The alerts from `begin`, or the first arrival, to `end` (event times) under some rules, in order of time; of all
    kinds unless some are named. Without `bursts` neither bursts nor growth are judged, which is quick.

    Arrivals before `begin` are heard, and what they raise is told of nothing but later alerts. `heard` is called now
    and then with the share of the arrivals that were heard; what it raises ends the run.
    """
    run = _Run(past, rules, zone, heard)
    found = [
        item
        for item in run.through(bursts, end)
        if (begin is None or begin <= item.opened_at)
        and item.opened_at <= end
        and (not kinds or item.kind in kinds)
    ]
    return sorted(found, key=lambda item: (item.opened_at, item.problem_id, item.kind))


def summarised(alerts: Sequence[Raised], begin: datetime, end: datetime) -> Summary:
    """What some alerts come to in a span."""
    days = (end - begin) / timedelta(days=1)
    waits = [item.waited.total_seconds() / 60 for item in alerts]
    return Summary(
        alerts=len(alerts),
        by_kind=dict(Counter(item.kind for item in alerts)),
        per_day=len(alerts) / days if days > 0 else 0.0,
        problems=len({item.problem_id for item in alerts}),
        median_minutes=median(waits) if waits else None,
    )


def changes(before: Sequence[Raised], after: Sequence[Raised]) -> list[Change]:
    """What differs between two lists of alerts, in order of time; what is the same in both is left out."""
    pairs = paired(before, after)
    found = [
        Change(_moved(one, other), one, other)
        for one, other in pairs
        if abs(other.opened_at - one.opened_at) >= AT_ONCE
    ]
    taken = {id(item) for pair in pairs for item in pair}
    found += [Change("vanishes", item, None) for item in before if id(item) not in taken]
    found += [Change("appears", None, item) for item in after if id(item) not in taken]
    return sorted(found, key=_when)


def paired(
    before: Iterable[Raised], after: Iterable[Raised], near: timedelta = NEAR
) -> list[tuple[Raised, Raised]]:
    """Alerts of one kind about one problem that are the same in both, each in one pair at most, the nearest first:
    recurrences and regressions of one episode, bursts and growth that lie near each other."""
    by_subject: dict[tuple[object, ...], list[Raised]] = defaultdict(list)
    for item in after:
        by_subject[_subject(item)].append(item)
    close = [
        (abs(other.opened_at - item.opened_at), place, item, other)
        for place, item in enumerate(before)
        for other in by_subject.get(_subject(item), ())
        if item.kind in ONCE_AN_EPISODE or abs(other.opened_at - item.opened_at) <= near
    ]
    taken: set[int] = set()
    pairs = []
    for _, _, item, other in sorted(close, key=lambda pair: (pair[0], pair[1], pair[3].opened_at)):
        if id(item) not in taken and id(other) not in taken:
            taken |= {id(item), id(other)}
            pairs.append((item, other))
    return pairs


def _subject(item: Raised) -> tuple[object, ...]:
    """What two alerts have in common that may be the same."""
    return item.problem_id, item.kind, item.episode if item.kind in ONCE_AN_EPISODE else None


def _moved(before: Raised, after: Raised) -> Outcome:
    return "earlier" if after.opened_at < before.opened_at else "later"


def _when(change: Change) -> tuple[datetime, str, str]:
    item = change.after or change.before
    assert item is not None
    return item.opened_at, item.problem_id, item.kind


@dataclass
class _Run:
    """One way through a past."""

    past: Past
    rules: Rules
    zone: tzinfo
    heard: Callable[[float], None] | None = None
    _alarms: Alarms = field(init=False)
    _acts: deque[Act] = field(init=False)
    _waiting: dict[str, list[Told]] = field(init=False)

    def __post_init__(self) -> None:
        self._alarms = Alarms(self.rules, self.zone)
        self._acts = deque(self.past.acts)
        self._waiting = defaultdict(list)
        for told in self.past.told:
            self._waiting[told.problem_id].append(told)

    def through(self, bursts: bool, end: datetime) -> Iterator[Raised]:
        alarms = self._alarms
        now: datetime | None = None
        for place, item in enumerate((*self.past.arrivals, Arrival(None, end))):
            if self.heard is not None and place % A_WORD_EVERY == 0:
                self.heard(place / max(1, len(self.past.arrivals)))
            if item.arrived is not None:
                now = item.arrived
                self._act(now)
            if bursts:
                for step in alarms.advance(item.at, now or item.at):
                    yield from self._raised(step)
            if item.problem_id is None:
                continue
            if alarms.problem(item.problem_id) is None:
                self._begin(item.problem_id, item.at)
            yield from self._raised(alarms.hear(item.problem_id, item.at, item.voter, now or item.at))

    def _begin(self, problem_id: str, at: datetime) -> None:
        """A problem with its first message: a candidate, or open where something was told of it before."""
        told = self._waiting.pop(problem_id, [])
        first = min((item.at for item in told), default=at)
        self._alarms.put(Problem(problem_id, {}, "open" if told else "candidate", first, first, first))
        for item in told:
            self._alarms.tell(problem_id, item.kind, item.at)

    def _act(self, now: datetime) -> None:
        """Do what people did up to now. Before its first message a problem has no state to change."""
        while self._acts and self._acts[0].at <= now:
            act = self._acts.popleft()
            if act.problem_id in self._waiting:
                self._begin(act.problem_id, act.at)
            problem = self._alarms.problem(act.problem_id)
            if problem is None:
                continue
            try:
                self._alarms.put(self._done(problem, act))
            except GraphError:
                # Under these rules the problem was not in the state in which that could be done.
                continue

    def _done(self, problem: Problem, act: Act) -> Problem:
        if act.action != "silence":
            return lifecycle.transition(problem, act.action, act.at)
        count = max(1, act.customers - problem.customers) if act.customers is not None else None
        a_day = None
        if act.escalation:
            day = act.at - timedelta(days=1)
            line = self._alarms.sightings.of(problem.id)
            a_day = float(len({seen.voter for seen in line if day < seen.at <= act.at}))
        return lifecycle.transition(
            problem, "silence", act.at, until=act.until, count=count, customers_a_day=a_day
        )

    def _raised(self, step: Step) -> Iterator[Raised]:
        verdict = step.verdict
        if verdict is None or verdict.kind is None or verdict.evidence is None:
            return
        at = verdict.at or step.problem.active_at
        window = timedelta(minutes=verdict.evidence.window_minutes)
        line = self._alarms.sightings.of(step.problem.id)
        first = min((seen.at for seen in line if at - window < seen.at <= at), default=at)
        yield Raised(step.problem.id, verdict.kind, at, verdict.evidence, at - first, _episode(step))


def _episode(step: Step) -> datetime | None:
    """Which episode an alert belongs to; see `Raised`."""
    resolved = (before.resolved_at for before, _ in step.turns if before.state == "resolved")
    return next(resolved, lifecycle.episode_begin(step.problem))


def arrived_in_order(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Arrivals whose wall-clock times never go back: an assignment that was decided anew later carries a time that lies
    behind those of the arrivals after it, and arrived no later than they did."""
    latest: datetime | None = None
    mended = []
    for item in reversed(arrivals):
        if item.arrived is not None:
            latest = item.arrived if latest is None else min(latest, item.arrived)
            item = item._replace(arrived=latest)
        mended.append(item)
    return mended[::-1]
