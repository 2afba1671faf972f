from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import InvalidValue, NotAllowed
from graph.lifecycle import (
    Action,
    alert_state,
    awakened,
    confirmed,
    customers_in_a_day,
    effective_state,
    episode_begin,
    escalated,
    may_raise,
    transition,
)
from graph.models import AlertState, Problem, ProblemState
from graph.recurrence import Observation

T = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
STATES: tuple[ProblemState, ...] = get_args(ProblemState)
ACTIONS: tuple[Action, ...] = get_args(Action)


def problem(state: ProblemState = "open", **changes: Any) -> Problem:
    plain = Problem("p1", {"en": "Broken"}, state, T, T, T, customers=4)
    return replace(plain, **({"resolved_at": T} if state == "resolved" else {}), **changes)


ARGUMENTS: dict[Action, dict[str, Any]] = {"rename": {"names": {"zh": "坏了"}}, "silence": {"count": 2}}

ALLOWED: dict[Action, dict[ProblemState, ProblemState]] = {
    "promote": {"candidate": "open"},
    "acknowledge": dict.fromkeys(
        ["candidate", "open", "regressed", "silenced", "acknowledged"], "acknowledged"
    ),
    "resolve": dict.fromkeys(STATES, "resolved"),
    "reopen": {"resolved": "open", "silenced": "open"},
    "regress": {"resolved": "regressed"},
    "silence": dict.fromkeys(["candidate", "open", "acknowledged", "regressed", "silenced"], "silenced"),
    "assign": {state: state for state in STATES},
    "rename": {state: state for state in STATES},
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", STATES)
def test_every_state_and_action(state: ProblemState, action: Action) -> None:
    target = ALLOWED[action].get(state)
    if target is not None:
        assert transition(problem(state), action, T + DAY, **ARGUMENTS.get(action, {})).state == target
        return
    with pytest.raises(NotAllowed) as refusal:
        transition(problem(state), action, T + DAY)
    assert f"cannot {action} problem p1: it is {state}; " in str(refusal.value)
    assert str(refusal.value).split("; ", 1)[1], "the remedy"


def test_resolving_is_dated_once() -> None:
    resolved = transition(problem(), "resolve", T + DAY)
    assert resolved.resolved_at == T + DAY
    assert transition(resolved, "resolve", T + 2 * DAY) == resolved


@pytest.mark.parametrize(("action", "state"), [("reopen", "open"), ("regress", "regressed")])
def test_coming_back_begins_a_new_episode(action: Action, state: ProblemState) -> None:
    back = transition(problem("resolved"), action, T + DAY)
    assert (back.state, back.episode_at, back.customers, back.resolved_at) == (state, T + DAY, 0, None)
    assert episode_begin(back) == T + DAY


def test_the_first_episode_has_no_begin_that_bounds_it() -> None:
    assert episode_begin(problem()) is None


def test_ending_a_silence_by_hand_stays_in_the_episode() -> None:
    silenced = transition(problem(), "silence", T + DAY, until=T + 2 * DAY)
    back = transition(silenced, "reopen", T + DAY)
    assert back == problem()


@pytest.mark.parametrize(
    ("until", "count", "days", "customers", "state"),
    [
        (None, None, 400, 400, "silenced"),
        (2, None, 1.9, 400, "silenced"),
        (2, None, 2, 4, "open"),
        (None, 3, 400, 6, "silenced"),
        (None, 3, 1, 7, "open"),
        (2, 3, 1, 7, "open"),
        (2, 3, 3, 4, "open"),
    ],
)
def test_a_silence_ends_by_time_or_by_further_customers(
    until: float | None, count: int | None, days: float, customers: int, state: ProblemState
) -> None:
    at = None if until is None else T + until * DAY
    silenced = transition(problem("acknowledged"), "silence", T, until=at, count=count)
    assert silenced.state == "silenced"
    later = replace(silenced, customers=customers)
    now = T + days * DAY
    assert effective_state(later, now) == state
    assert awakened(later, now).state == state
    if state == "open":
        assert awakened(later, now).silenced_until is None
        assert awakened(later, now).silenced_count is None
        with pytest.raises(NotAllowed, match="it is open; it is open already"):
            transition(later, "reopen", now)


@pytest.mark.parametrize(
    ("action", "arguments", "message"),
    [
        ("silence", {"until": T}, "until: must be later than now"),
        ("silence", {"count": 0}, "count: must be at least 1"),
        ("rename", {}, "names: must map languages to names"),
        ("rename", {"names": {"en": "  "}}, "names: must map languages to names"),
    ],
)
def test_wrong_arguments_name_their_field(action: Action, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        transition(problem(), action, T + DAY, **arguments)


def test_renaming_adds_and_marks_the_name_as_a_persons() -> None:
    renamed = transition(problem(), "rename", T, names={"zh": " 坏了 "})
    assert renamed.names == {"en": "Broken", "zh": "坏了"}
    assert renamed.named_by_person


def test_assigning_and_taking_away() -> None:
    owned = transition(problem(), "assign", T, agent_id="agent-01")
    assert owned.owner_id == "agent-01"
    assert transition(owned, "assign", T).owner_id is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("candidate", "open"),
        ("open", "open"),
        ("acknowledged", "acknowledged"),
        ("resolved", "resolved"),
        ("regressed", "open"),
        ("silenced", "silenced"),
    ],
)
def test_an_alert_follows_its_problem(state: ProblemState, expected: AlertState) -> None:
    assert alert_state(state) == expected


@given(
    st.sampled_from(STATES),
    st.lists(
        st.tuples(
            st.sampled_from(ACTIONS),
            st.integers(0, 5),
            st.none() | st.integers(1, 9),
            st.none() | st.integers(1, 3),
        ),
        max_size=20,
    ),
)
@settings(derandomize=True, deadline=None)
def test_no_path_leaves_a_problem_half_changed(
    state: ProblemState, steps: list[tuple[Action, int, int | None, int | None]]
) -> None:
    current, now = problem(state), T
    for action, hours, until, count in steps:
        now += timedelta(hours=hours)
        end = None if until is None else now + timedelta(hours=until)
        try:
            current = transition(current, action, now, until=end, count=count, names={"en": "x"})
        except NotAllowed:
            continue
        assert current.state in STATES
        assert (current.resolved_at is not None) == (current.state == "resolved")
        if current.state != "silenced":
            assert current.silenced_until is None
            assert current.silenced_count is None
        assert current.episode_at <= now


def silenced_until_worse(rate: float, **changes: Any) -> Problem:
    return transition(problem(**changes), "silence", T + DAY, customers_a_day=rate)


@pytest.mark.parametrize(
    ("rate", "now", "ends"), [(4, 7, False), (4, 8, True), (0, 2, False), (0, 3, True), (1, 3, True)]
)
def test_a_silence_until_an_escalation_ends_with_twice_the_customers_a_day(
    rate: float, now: float, ends: bool
) -> None:
    silenced = silenced_until_worse(rate)
    assert escalated(silenced, now) == ends
    assert awakened(silenced, T + DAY, customers_a_day=now).state == ("open" if ends else "silenced")
    assert may_raise(silenced, "recurrence", T + DAY, customers_a_day=now).raises == ends


def test_a_burst_ends_a_silence_until_an_escalation_and_no_other() -> None:
    worse = silenced_until_worse(100)
    assert may_raise(worse, "burst", T + DAY) == (may_raise(worse, "burst", T + 2 * DAY))
    assert may_raise(worse, "burst", T + DAY).reason == "escalated"
    assert may_raise(worse, "growth", T + DAY).reason == "silenced"
    plain = transition(problem(), "silence", T + DAY, count=50)
    assert may_raise(plain, "burst", T + DAY, customers_a_day=99).reason == "silenced"
    assert may_raise(replace(plain, customers=54), "burst", T + DAY).reason == "silence_over"


def test_whichever_end_of_a_silence_comes_first() -> None:
    both = transition(problem(), "silence", T, until=T + DAY, customers_a_day=4)
    assert awakened(both, T, customers_a_day=8).state == "open"
    assert awakened(both, T + DAY).state == "open"
    assert awakened(both, T).silenced_rate == 4
    assert awakened(both, T + DAY).silenced_rate is None


@pytest.mark.parametrize(
    ("state", "kind", "raises"),
    [
        ("candidate", "burst", False),
        ("open", "burst", True),
        ("acknowledged", "growth", True),
        ("regressed", "burst", True),
        ("resolved", "regression", True),
        ("resolved", "recurrence", False),
    ],
)
def test_which_states_raise_what(state: ProblemState, kind: Any, raises: bool) -> None:
    assert may_raise(problem(state), kind, T + DAY).raises == raises


def test_customers_of_a_day_count_once() -> None:
    seen = [Observation(T + hours * DAY / 24, f"u{hours % 3}", f"e{hours}") for hours in range(30)]
    assert customers_in_a_day(seen, T + 29 * DAY / 24) == 3
    assert customers_in_a_day(seen[:1], T + DAY) == 0
    assert customers_in_a_day([], T) == 0


def test_only_what_is_resolved_is_confirmed_and_a_new_episode_forgets_it() -> None:
    held = confirmed(problem("resolved"), T + DAY)
    assert held.confirmed_at == T + DAY
    assert confirmed(held, T + 2 * DAY) == held
    assert confirmed(problem(), T + DAY).confirmed_at is None
    assert transition(held, "regress", T + 2 * DAY).confirmed_at is None
