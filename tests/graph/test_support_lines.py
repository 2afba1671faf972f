"""Which line of support a case asks for, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from graph.models import Agent, Event
from graph.support_lines import (
    EXPERTS,
    FIRST_ANSWERS,
    PRODUCT_TEAM,
    Asked,
    Happened,
    PassedOn,
    left_by,
    line_asked,
    line_of,
)

T = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def agent(id: str, *permissions: str) -> Agent:
    return Agent(id, id, permissions=permissions)


TEAM = {a.id: a for a in (agent("fi", "level-1"), agent("ex", "level-2"), agent("pro", "level-3"))}


def happened(type: str, hours: float = 0.0, **fields: object) -> Event:
    return replace(Event("e", type, T + hours * HOUR), **fields)  # type: ignore[arg-type]


def asks(hours: float, text: str = "it is still broken") -> Event:
    return happened("message", hours, text=text)


def resolved(hours: float, by: str | None, **fields: object) -> Event:
    return happened("resolution", hours, agent_id=by, **fields)


def asked(
    *events: Event,
    passed: tuple[PassedOn, ...] = (),
    team: dict[str, Agent] = TEAM,
    sensitive: bool = False,
    after: timedelta = timedelta(days=1),
    problems: tuple[str | None, ...] = (),
) -> Asked:
    """Messages are of problem p unless `problems` says of each event of which."""
    known = problems or ("p",) * len(events)
    happened = [Happened(event, problem) for event, problem in zip(events, known, strict=True)]
    return line_asked(happened, passed, team, T + after, sensitive=sensitive)


@pytest.mark.parametrize(
    ("permissions", "line"),
    [
        ((), FIRST_ANSWERS),
        (("refund:300",), FIRST_ANSWERS),
        (("level-1",), FIRST_ANSWERS),
        (("level-2", "refund:300"), EXPERTS),
        (("level-1", "Level-3"), PRODUCT_TEAM),
        (("level-7",), PRODUCT_TEAM),
        (("team-lead",), PRODUCT_TEAM),
    ],
)
def test_the_line_of_somebody_is_that_of_their_level(permissions: tuple[str, ...], line: int) -> None:
    assert line_of(agent("a", *permissions)) == line


def test_a_case_begins_with_first_answers() -> None:
    assert asked(asks(0)) == Asked(FIRST_ANSWERS, "first")


@pytest.mark.parametrize("cause", ["complexity", "conflict", "sensitive"])
def test_what_was_too_much_for_a_bot_asks_for_experts(cause: str) -> None:
    assert asked(passed=(PassedOn(T, cause),)) == Asked(EXPERTS, cause)  # type: ignore[arg-type]
    assert asked(passed=(PassedOn(T, "explicit"),)) == Asked()
    assert asked(sensitive=True) == Asked(EXPERTS, "sensitive")


def test_who_passes_a_case_on_is_followed_by_the_next_line() -> None:
    assert asked(passed=(PassedOn(T, "handed_over", "fi"),)) == Asked(EXPERTS, "passed_on")
    assert asked(passed=(PassedOn(T, "handed_over", "ex"),)) == Asked(PRODUCT_TEAM, "passed_on")
    assert asked(passed=(PassedOn(T, "handed_over", "pro"),)) == Asked(PRODUCT_TEAM, "passed_on")
    assert asked(passed=(PassedOn(T, "handed_over", "gone"),)) == Asked(EXPERTS, "passed_on")


def test_a_case_that_is_given_to_a_further_line_asks_for_that() -> None:
    by_hand = (PassedOn(T, "by_hand", "fi", "ex"),)
    assert asked(passed=by_hand) == Asked(EXPERTS, "passed_on")
    assert asked(passed=(PassedOn(T, "by_hand", "ex", "fi"),)) == Asked(), "back is no step on"
    assert asked(happened("transfer", from_agent="ex", to_agent="pro")) == Asked(PRODUCT_TEAM, "passed_on")
    assert asked(happened("transfer", from_agent="ex", reason="released:inactive")) == Asked(), (
        "did not answer"
    )


def test_a_supervisor_who_puts_a_case_back_deals_it_out() -> None:
    team = TEAM | {"lead": agent("lead", "team-lead")}
    assert asked(passed=(PassedOn(T, "handed_over", "lead"),), team=team) == Asked()


def test_those_who_left_a_case_are_known_until_they_answer() -> None:
    passed = (PassedOn(T, "handed_over", "fi"), PassedOn(T, "by_hand", "ex", "pro"), PassedOn(T, "explicit"))
    released = happened("transfer", from_agent="ex", reason="released:offline")
    assert left_by([released], passed) == {"fi", "ex"}
    back = happened("message", 1, role="agent", agent_id="ex", text="here I am")
    assert left_by([released, back], passed) == {"fi"}


def test_who_comes_back_about_something_else_was_answered() -> None:
    events = (asks(0), resolved(1, "fi"), asks(2), resolved(3, "fi"), asks(4))
    assert asked(*events) == Asked(EXPERTS, "not_held")
    assert asked(*events, problems=("p", None, "q", None, "r")) == Asked()
    assert asked(*events, problems=("p", None, None, None, "p")) == Asked(), (
        "what is not known counts for nothing"
    )
    denied = happened("followup", 4, resolved=False)
    assert asked(*events[:4], denied, problems=("p", None, "p", None, None)) == Asked(EXPERTS, "not_held")


def test_two_answers_that_did_not_last_ask_for_the_next_line() -> None:
    once = (asks(0), resolved(1, "fi"), asks(2))
    assert asked(*once) == Asked()
    assert asked(*once, resolved(3, "fi"), asks(4)) == Asked(EXPERTS, "not_held")
    assert asked(*once, resolved(3, "ex"), asks(4)) == Asked(), "one each"
    by_experts = (resolved(3, "ex"), asks(4), resolved(5, "ex"), asks(6))
    assert asked(*once, *by_experts) == Asked(PRODUCT_TEAM, "not_held")


@pytest.mark.parametrize(
    "second",
    [
        pytest.param((resolved(3, "fi"), asks(4, "thanks a lot")), id="thanks"),
        pytest.param((resolved(3, "fi", resolved=False), asks(4)), id="was not resolved"),
        pytest.param((resolved(3, None), asks(4)), id="by a bot"),
        pytest.param((resolved(3, "fi"), asks(3 + 73)), id="days later"),
        pytest.param((resolved(3, "fi"),), id="nobody came back"),
    ],
)
def test_what_is_no_return_counts_for_nothing(second: tuple[Event, ...]) -> None:
    assert asked(asks(0), resolved(1, "fi"), asks(2), *second, after=timedelta(days=4)) == Asked()


def test_a_case_that_is_not_settled_does_not_forget_and_a_new_matter_begins_anew() -> None:
    passed = (PassedOn(T + HOUR, "handed_over", "ex"), PassedOn(T, "complexity"))
    assert asked(asks(0), passed=passed, after=timedelta(days=9)) == Asked(PRODUCT_TEAM, "passed_on")
    assert asked(asks(0), passed=passed, after=timedelta(days=31)) == Asked()
    settled = (asks(0), resolved(5, "pro"), asks(5 + 80))
    assert asked(*settled, passed=passed, after=timedelta(days=5)) == Asked(), (
        "80 hours later it is another matter"
    )


def test_a_line_that_nobody_stands_in_is_asked_of_nobody() -> None:
    by_expert = (PassedOn(T, "handed_over", "ex"),)
    two = {id: TEAM[id] for id in ("fi", "ex")}
    assert asked(passed=by_expert, team=two) == Asked(EXPERTS, "passed_on")
    assert asked(passed=by_expert, team={"fi": TEAM["fi"], "lead": agent("lead", "team-lead")}) == Asked()
    assert asked(sensitive=True, team={}) == Asked()
