"""The states of a problem, and the steps between them that are allowed.

    candidate ──promote──► open ──acknowledge──► acknowledged ──resolve──► resolved
                            ▲                                               │  │
                            ├────────────────────reopen─────────────────────┘  │ regress
                         silenced ◄──silence── open, acknowledged, regressed ◄─┘

A candidate may also be acknowledged, resolved or silenced by a person. Renaming and assigning are possible in
every state. A silence ends by itself, by time, by further customers or by an escalation; what follows is `open`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

from graph.errors import InvalidValue, NotAllowed
from graph.models import AlertKind, AlertState, Problem, ProblemState
from graph.recurrence import Observation

EMERGING_FOR = timedelta(days=7)
EVERGREEN_FOR = timedelta(days=14)
EVERGREEN_CUSTOMERS = 10
ESCALATED_TIMES = 2.0
"""A silenced problem escalates when so many times as many customers a day write of it as when it was silenced."""
ESCALATED_CUSTOMERS = 3
"""Fewer customers a day than this are no escalation, however few there were before."""

Action: TypeAlias = Literal[
    "promote", "acknowledge", "resolve", "reopen", "regress", "silence", "assign", "rename"
]

_FROM: Mapping[Action, frozenset[ProblemState]] = {
    "promote": frozenset({"candidate"}),
    "acknowledge": frozenset({"candidate", "open", "regressed", "silenced", "acknowledged"}),
    "resolve": frozenset({"candidate", "open", "acknowledged", "regressed", "silenced", "resolved"}),
    "reopen": frozenset({"resolved", "silenced"}),
    "regress": frozenset({"resolved"}),
    "silence": frozenset({"candidate", "open", "acknowledged", "regressed", "silenced"}),
    "assign": frozenset(get_args(ProblemState)),
    "rename": frozenset(get_args(ProblemState)),
}
_REMEDY: Mapping[tuple[Action, ProblemState], str] = {
    ("acknowledge", "resolved"): "reopen it first",
    ("silence", "resolved"): "a resolved problem raises no alerts; reopen it first",
    ("reopen", "candidate"): "acknowledge it to open it by hand",
    ("reopen", "open"): "it is open already",
    ("reopen", "acknowledged"): "it is open already, and seen; resolve it when it is solved",
    ("reopen", "regressed"): "it is open again already; acknowledge or resolve it",
}
_PROMOTE_ONLY = "only a candidate can be promoted"
_REGRESS_ONLY = "only a resolved problem can come back"

_ALERT: Mapping[ProblemState, AlertState] = {
    "candidate": "open",
    "open": "open",
    "acknowledged": "acknowledged",
    "resolved": "resolved",
    "regressed": "open",
    "silenced": "silenced",
}


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a problem may raise an alert now, and why."""

    raises: bool
    reason: Literal["active", "candidate", "resolved", "silenced", "silence_over", "escalated"]


def emerging(problem: Problem, at: datetime) -> bool:
    """Whether a problem is new at a moment of event time."""
    return problem.opened_at > at - EMERGING_FOR


def evergreen(problem: Problem) -> bool:
    """Whether a problem has been asked for so long by so many that it is a matter of documentation, no incident."""
    span = problem.active_at - problem.opened_at
    return span >= EVERGREEN_FOR and problem.customers_ever >= EVERGREEN_CUSTOMERS


def transition(
    problem: Problem,
    action: Action,
    now: datetime,
    *,
    until: datetime | None = None,
    count: int | None = None,
    customers_a_day: float | None = None,
    agent_id: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Problem:
    """The problem after an action at `now` (wall clock for people's actions, event time for the rules').

    `until`, `count` and `customers_a_day` belong to `silence`: it ends at that time, after that many further
    customers, or when the problem escalates beyond that many customers a day (see `escalated`), whichever comes
    first; with none of them it lasts until someone acts. `agent_id` belongs to `assign`; None takes the owner away.
    `names` belongs to `rename`: language to name, added to the names there are.

    Acknowledging what is acknowledged and resolving what is resolved change nothing. Reopening a resolved
    problem and regressing begin a new episode: `episode_at` is `now` and customers count from zero. Where messages made
    it regress, `graph.alarms` lets the episode begin with the first of them.
    Raises NotAllowed when the state does not permit the action, InvalidValue when an argument is wrong.
    """
    state = effective_state(problem, now)
    if state not in _FROM[action]:
        remedy = {"promote": _PROMOTE_ONLY, "regress": _REGRESS_ONLY}.get(action) or _REMEDY[action, state]
        raise NotAllowed(f"cannot {action} problem {problem.id}: it is {state}; {remedy}")
    problem = awakened(problem, now)
    match action:
        case "promote":
            return replace(problem, state="open")
        case "acknowledge":
            return _to(problem, "acknowledged")
        case "resolve":
            return problem if state == "resolved" else replace(_to(problem, "resolved"), resolved_at=now)
        case "reopen":
            return _to(problem, "open") if state == "silenced" else _new_episode(problem, "open", now)
        case "regress":
            return _new_episode(problem, "regressed", now)
        case "silence":
            return replace(_silenced(problem, now, until, count), silenced_rate=customers_a_day)
        case "assign":
            return replace(problem, owner_id=agent_id)
        case "rename":
            return _renamed(problem, names)


def effective_state(problem: Problem, now: datetime) -> ProblemState:
    """The state as it counts at `now`: a silence that has ended by time or by customers is open again.

    `silenced_count` is the number of the episode's customers at which the silence ends.
    """
    if problem.state != "silenced":
        return problem.state
    by_time = problem.silenced_until is not None and now >= problem.silenced_until
    by_count = problem.silenced_count is not None and problem.customers >= problem.silenced_count
    return "open" if by_time or by_count else "silenced"


def escalated(problem: Problem, customers_a_day: float, *, burst: bool = False) -> bool:
    """Whether a problem that was silenced until an escalation has escalated.

    It has when it bursts, or when the distinct customers who wrote of it in the last 24 hours (see
    `customers_in_a_day`) are at least ESCALATED_TIMES as many as in the 24 hours before it was silenced, and at
    least ESCALATED_CUSTOMERS. False for problems that are not silenced, or not until an escalation.
    """
    if problem.state != "silenced" or problem.silenced_rate is None:
        return False
    enough = max(ESCALATED_CUSTOMERS, ESCALATED_TIMES * problem.silenced_rate)
    return burst or customers_a_day >= enough


def customers_in_a_day(observations: Iterable[Observation], at: datetime) -> int:
    """How many distinct customers wrote in the 24 hours up to `at`."""
    return len({seen.voter for seen in observations if at - timedelta(days=1) < seen.at <= at})


def awakened(
    problem: Problem, now: datetime, *, customers_a_day: float = 0.0, burst: bool = False
) -> Problem:
    """The problem with a silence that has ended, by itself or by an escalation, taken off; unchanged otherwise."""
    over = effective_state(problem, now) != problem.state
    return _to(problem, "open") if over or escalated(problem, customers_a_day, burst=burst) else problem


def may_raise(
    problem: Problem, kind: AlertKind, now: datetime, *, customers_a_day: float = 0.0
) -> Permission:
    """Whether an alert of this kind may open for the problem as it is stored.

    A candidate raises none, a resolved one only a regression, a silenced one none until its silence is over: by
    `now`, by its customers, or since it escalates with `customers_a_day` or with this very burst.
    """
    if problem.state == "candidate":
        return Permission(False, "candidate")
    if problem.state == "resolved":
        return Permission(kind == "regression", "resolved")
    if problem.state != "silenced":
        return Permission(True, "active")
    if effective_state(problem, now) != "silenced":
        return Permission(True, "silence_over")
    if escalated(problem, customers_a_day, burst=kind == "burst"):
        return Permission(True, "escalated")
    return Permission(False, "silenced")


def confirmed(problem: Problem, now: datetime) -> Problem:
    """A resolved problem that customers say is resolved; others, and what was confirmed before, unchanged."""
    if problem.state != "resolved" or problem.confirmed_at is not None:
        return problem
    return replace(problem, confirmed_at=now)


def counted(problem: Problem, observations: Iterable[Observation], *, events: int) -> Problem:
    """The problem with its counts and its span as its observations say; customers count within the episode."""
    seen = list(observations)
    begin = episode_begin(problem)
    opened_at = min([problem.opened_at, *(o.at for o in seen)])
    return replace(
        problem,
        opened_at=opened_at,
        episode_at=opened_at if begin is None else problem.episode_at,
        active_at=max([problem.active_at, *(o.at for o in seen)]),
        customers=len({o.voter for o in seen if begin is None or o.at >= begin}),
        events=events,
    )


def episode_begin(problem: Problem) -> datetime | None:
    """Where the current episode begins, when an earlier one was resolved; None in the first episode.

    In the first episode nothing bounds what counts, so that a late event earlier than `opened_at` does too.
    """
    return problem.episode_at if problem.episode_at > problem.opened_at else None


def alert_state(problem_state: ProblemState) -> AlertState:
    """The state of a problem's alerts, which follows the problem's own."""
    return _ALERT[problem_state]


def _to(problem: Problem, state: ProblemState) -> Problem:
    return replace(problem, state=state, silenced_until=None, silenced_count=None, silenced_rate=None)


def _new_episode(problem: Problem, state: ProblemState, now: datetime) -> Problem:
    return replace(_to(problem, state), episode_at=now, customers=0, resolved_at=None, confirmed_at=None)


def _silenced(problem: Problem, now: datetime, until: datetime | None, count: int | None) -> Problem:
    if until is not None and until <= now:
        raise InvalidValue("until", f"must be later than now ({now.isoformat()}), not {until.isoformat()}")
    if count is not None and count < 1:
        raise InvalidValue("count", f"must be at least 1 further customer, not {count}")
    end = None if count is None else problem.customers + count
    return replace(problem, state="silenced", silenced_until=until, silenced_count=end)


def _renamed(problem: Problem, names: Mapping[str, str] | None) -> Problem:
    given = {language: name.strip() for language, name in (names or {}).items()}
    if not given or not all(given.values()):
        raise InvalidValue("names", 'must map languages to names that are not empty, such as {"en": "…"}')
    return replace(problem, names={**problem.names, **given}, named_by_person=True)
