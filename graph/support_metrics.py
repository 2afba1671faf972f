"""How well support serves: figures over the cases of a span, each with its interval and its change. Pure.

A case belongs to the span in which it opened. The span before is read as it stood at the same distance of time, so
that a figure does not change merely because more has become known of older cases.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

from graph.case_history import CaseHistory, CaseReading, Contacts, Step, read
from graph.intervals import Change, Figure, change, mean, quantile, share, share_of
from graph.waits import Move, answer_by, waits_since

LIKED = 4.0
"""A rating from which a customer was satisfied."""
GROUPS = 50
"""Groups of one dimension that are told: those of most cases."""

Dimension: TypeAlias = Literal["channel", "language", "expertise", "tier", "handler"]
SuggestionUse: TypeAlias = Literal["unchanged", "edited", "unused"]

Metric: TypeAlias = Literal[
    "first_response.median",
    "first_response.p90",
    "first_response.within_level",
    "first_response.unanswered",
    "human_response.median",
    "human_response.p90",
    "first_contact_resolution",
    "resolved",
    "resolved_within_level",
    "reopened",
    "deflection",
    "containment",
    "satisfaction.mean",
    "satisfaction.satisfied",
    "satisfaction.response_rate",
    "acceptance.rate",
    "acceptance.unchanged",
    "acceptance.told",
    "transfers",
    "handling_seconds.median",
    "handling_seconds.p90",
    "handling_seconds.mean",
    "actions.answer",
    "actions.suggest",
    "actions.clarify",
    "actions.handoff",
    "handovers",
]
METRICS: tuple[Metric, ...] = get_args(Metric)


@dataclass(frozen=True, slots=True)
class Span:
    """From `begin` up to, without, `end`."""

    begin: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.begin

    @property
    def before(self) -> Span:
        """The span of equal length that ends where this one begins."""
        return Span(self.begin - self.length, self.begin)

    def holds(self, moment: datetime) -> bool:
        return self.begin <= moment < self.end


@dataclass(frozen=True, slots=True)
class Shown:
    """What was made of one question: by a bot's (`answers`) or for a person (`suggestions`).

    `standing` is what an agent made of a suggestion, None while nobody said. The case is that of the conversation.
    """

    at: datetime
    route: str
    action: str
    offered: bool
    case_id: str | None = None
    problem_id: str | None = None
    channel: str | None = None
    language: str | None = None
    standing: SuggestionUse | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """A question or case that was handed to people, once per case (or conversation) of a span."""

    key: str
    at: datetime
    trigger: str
    case_id: str | None = None
    problem_id: str | None = None
    channel: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """All that figures are made of: of the span and of the one before, up to the moment that they are read at."""

    cases: Sequence[CaseHistory]
    contacts: Contacts
    shown: Sequence[Shown] = ()
    handovers: Sequence[HandOver] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure now and before. `before` and `change` are None where nothing can be compared."""

    now: Figure
    before: Figure
    change: Change | None


@dataclass(frozen=True, slots=True)
class SupportMetrics:
    """The figures of one group of cases; `triggers` counts hand-overs by trigger, now and before."""

    cases: int
    cases_before: int
    measures: Mapping[Metric, Measure]
    triggers: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of the cases with one value of a dimension; `key` is None where it is not known."""

    key: str | None
    metrics: SupportMetrics


@dataclass(frozen=True, slots=True)
class _Part:
    """What one set of figures is made of."""

    cases: list[CaseReading]
    shown: list[Shown]
    handovers: list[HandOver]


def measure(
    material: Material,
    span: Span,
    *,
    as_of: datetime,
    by: Iterable[Dimension] = (),
    expertise_of: Mapping[str, str] | None = None,
) -> tuple[SupportMetrics, dict[Dimension, tuple[Group, ...]]]:
    """The figures of a span as known at `as_of`, compared with the span before; and those of each group.

    `expertise_of` maps a problem to its cluster. Groups come by their number of cases, at most GROUPS a dimension.
    """
    now = _part(material, span, as_of)
    before = _part(material, span.before, as_of - span.length)
    overall = _compared(now, before)
    groups: dict[Dimension, tuple[Group, ...]] = {}
    for dimension in dict.fromkeys(by):
        key = _Key(dimension, expertise_of or {}, (now, before))
        ours, theirs = key.split(now), key.split(before)
        found = [Group(name, _compared(part, theirs.get(name, _EMPTY))) for name, part in ours.items()]
        found.sort(key=lambda group: (-group.metrics.cases, group.key is None, group.key or ""))
        groups[dimension] = tuple(found[:GROUPS])
    return overall, groups


_EMPTY = _Part([], [], [])


def _part(material: Material, span: Span, as_of: datetime) -> _Part:
    told = [item for item in material.handovers if span.holds(item.at)]
    first = {item.key: item for item in sorted(told, key=lambda item: item.at, reverse=True)}
    return _Part(
        [
            read(case, material.contacts, as_of)
            for case in material.cases
            if span.holds(case.opened_at) and case.opened_at <= as_of
        ],
        [item for item in material.shown if span.holds(item.at)],
        list(first.values()),
    )


def _compared(now: _Part, before: _Part) -> SupportMetrics:
    ours, theirs = _figures(now), _figures(before)
    triggers = Counter(item.trigger for item in now.handovers)
    earlier = Counter(item.trigger for item in before.handovers)
    names = sorted({*triggers, *earlier}, key=lambda name: (-triggers[name], name))
    return SupportMetrics(
        cases=len(now.cases),
        cases_before=len(before.cases),
        measures={
            name: Measure(ours[name], theirs[name], change(ours[name], theirs[name])) for name in METRICS
        },
        triggers={name: (triggers[name], earlier[name]) for name in names},
    )


def _figures(part: _Part) -> dict[Metric, Figure]:
    return {**_of_answers(part), **_of_outcomes(part), **_of_people(part), **_of_shown(part)}


def _of_answers(part: _Part) -> dict[Metric, Figure]:
    asked = [case for case in part.cases if case.asked]
    waits = [case.waited for case in asked if case.waited is not None]
    people = [case.waited_for_person for case in part.cases if case.waited_for_person is not None]
    waiting = sum(case.handed_over and case.waited_for_person is None for case in part.cases)
    within = share_of(case.in_time for case in asked if case.history.first_due is not None)
    assumed = sum(case.in_time is not None and not case.history.promised for case in asked)
    return {
        "first_response.median": _less(quantile(waits, 0.5), len(asked) - len(waits)),
        "first_response.p90": _less(quantile(waits, 0.9), len(asked) - len(waits)),
        "first_response.within_level": _less(within, within.left_out, assumed),
        "first_response.unanswered": share(len(asked) - len(waits), len(asked)),
        "human_response.median": _less(quantile(people, 0.5), waiting),
        "human_response.p90": _less(quantile(people, 0.9), waiting),
        "handovers": share(sum(case.handed_over for case in part.cases), len(part.cases)),
    }


def _of_outcomes(part: _Part) -> dict[Metric, Figure]:
    settled = share_of(case.settled_at_once for case in part.cases if case.ended)
    turning = sum(bool(case.settled_at_once) and case.may_turn for case in part.cases)
    asked = [case for case in part.cases if case.asked and case.history.resolve_due is not None]
    solved = share_of(case.solved_in_time for case in asked)
    assumed = sum(case.solved_in_time is not None and not case.history.promised for case in asked)
    rated = [case.rating for case in part.cases if case.rating is not None]
    served = sum(case.handler != "none" or case.rating is not None for case in part.cases)
    return {
        "first_contact_resolution": _less(settled, settled.left_out, turning),
        "resolved": share_of(case.resolved for case in part.cases),
        "resolved_within_level": _less(solved, solved.left_out, assumed),
        "reopened": share_of(
            None if case.stayed_resolved is None else not case.stayed_resolved
            for case in part.cases
            if case.resolutions
        ),
        "deflection": share_of(case.contained for case in part.cases),
        "containment": share_of(case.contained for case in part.cases if case.bot_spoke),
        "satisfaction.mean": mean(rated, least=1.0, most=5.0),
        "satisfaction.satisfied": share(sum(stars >= LIKED for stars in rated), len(rated)),
        "satisfaction.response_rate": share(len(rated), served),
    }


def _of_people(part: _Part) -> dict[Metric, Figure]:
    seconds = [case.seconds for case in part.cases if case.seconds is not None]
    return {
        "transfers": mean([case.transfers for case in part.cases if case.transfers is not None], least=0.0),
        "handling_seconds.median": quantile(seconds, 0.5),
        "handling_seconds.p90": quantile(seconds, 0.9),
        "handling_seconds.mean": mean(seconds, least=0.0),
    }


def _of_shown(part: _Part) -> dict[Metric, Figure]:
    offered = [item for item in part.shown if item.route == "suggestions" and item.offered]
    used = [item for item in offered if item.standing in ("unchanged", "edited")]
    told = sum(item.standing is not None for item in offered)
    decided = Counter(item.action for item in part.shown if item.route == "answers")
    number = decided.total()
    return {
        "acceptance.rate": share(len(used), len(offered)),
        "acceptance.unchanged": share(sum(item.standing == "unchanged" for item in used), len(used)),
        "acceptance.told": share(told, len(offered)),
        "actions.answer": share(decided["answer"], number),
        "actions.suggest": share(decided["suggest"], number),
        "actions.clarify": share(decided["clarify"], number),
        "actions.handoff": share(decided["handoff"], number),
    }


def _less(figure: Figure, left_out: int, provisional: int = 0) -> Figure:
    return Figure(figure.value, figure.low, figure.high, figure.n, left_out, provisional)


class _Key:
    """Which group of a dimension a case, an exposure or a hand-over belongs to."""

    def __init__(self, dimension: Dimension, expertise_of: Mapping[str, str], parts: Iterable[_Part]) -> None:
        self._dimension = dimension
        self._expertise_of = expertise_of
        self._readings = {case.history.id: case for part in parts for case in part.cases}

    def split(self, part: _Part) -> dict[str | None, _Part]:
        found: defaultdict[str | None, _Part] = defaultdict(lambda: _Part([], [], []))
        for case in part.cases:
            found[self._of_case(case)].cases.append(case)
        for item in part.shown:
            found[self._of_other(item)].shown.append(item)
        for handover in part.handovers:
            found[self._of_other(handover)].handovers.append(handover)
        return dict(found)

    def _of_case(self, case: CaseReading) -> str | None:
        history = case.history
        named: Mapping[Dimension, Callable[[], str | None]] = {
            "channel": lambda: history.channel,
            "language": lambda: history.language,
            "tier": lambda: history.tier,
            "expertise": lambda: self._expertise_of.get(history.problem_id or ""),
            "handler": lambda: case.handler,
        }
        return named[self._dimension]()

    def _of_other(self, item: Shown | HandOver) -> str | None:
        """As its case where that is of the spans, else as far as it tells itself."""
        case = self._readings.get(item.case_id or "")
        if case is not None:
            return self._of_case(case)
        if self._dimension == "channel":
            return item.channel
        if self._dimension == "language":
            return item.language
        if self._dimension == "expertise":
            return self._expertise_of.get(item.problem_id or "")
        return None


@dataclass(frozen=True, slots=True)
class Backlog:
    """The cases that wait for somebody at a moment: how many, and for how many seconds."""

    waiting: int
    median: float | None
    oldest: float | None
    groups: Mapping[str | None, int]


def backlog(cases: Iterable[CaseHistory], now: datetime, key: Callable[[CaseHistory], str | None]) -> Backlog:
    """The waiting cases by the time since their customer was left without an answer, and their number by `key`."""
    known = list(cases)
    waits = [max(0.0, (now - _since(case)).total_seconds()) for case in known]
    return Backlog(
        waiting=len(known),
        median=quantile(waits, 0.5).value,
        oldest=max(waits, default=None),
        groups=dict(Counter(key(case) for case in known).most_common(GROUPS)),
    )


def _since(case: CaseHistory) -> datetime:
    """When the customer asked or was handed over first after the last answer."""
    moves = [(step.at, move) for step in case.steps if (move := _move_of(step)) is not None]
    return waits_since(moves) or case.opened_at


def _move_of(step: Step) -> Move | None:
    """What a step means to who waits."""
    if step.kind == "message":
        if step.by != "customer":
            return answer_by(step.by)
        return None if step.courtesy else "asks"
    if step.kind in ("handover", "transfer"):
        return "calls"
    if step.kind == "unresolved" and step.by == "customer":
        return "asks"
    return "ends" if step.kind in ("resolved", "unresolved") else None
