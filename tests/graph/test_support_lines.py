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
    PassedOn,
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
) -> Asked:
    return line_asked(events, passed, team, T + after, sensitive=sensitive)


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


def test_what_another_system_tells_of_counts_alike() -> None:
    assert asked(happened("transfer", from_agent="ex", reason="needs a look")) == Asked(
        PRODUCT_TEAM, "passed_on"
    )
    assert asked(happened("transfer", from_agent="ex", reason="released:inactive")) == Asked(), (
        "they did not answer"
    )
    assert asked(happened("transfer", from_agent="ex", to_agent="fi")) == Asked(), "somebody has it"


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


def test_what_happened_a_week_ago_asks_for_nothing() -> None:
    events = (
        asks(0),
        resolved(1, "fi"),
        asks(2),
        resolved(3, "fi"),
        asks(4),
        happened("transfer", 5, from_agent="ex"),
    )
    passed = (PassedOn(T, "handed_over", "ex"), PassedOn(T, "complexity"))
    assert asked(*events, passed=passed) != Asked()
    assert asked(*events, passed=passed, after=timedelta(days=8)) == Asked()


def test_a_line_that_nobody_stands_in_is_asked_of_nobody() -> None:
    by_expert = (PassedOn(T, "handed_over", "ex"),)
    two = {id: TEAM[id] for id in ("fi", "ex")}
    assert asked(passed=by_expert, team=two) == Asked(EXPERTS, "passed_on")
    assert asked(passed=by_expert, team={"fi": TEAM["fi"], "lead": agent("lead", "team-lead")}) == Asked()
    assert asked(sensitive=True, team={}) == Asked()
