"""What the steps of one case say of how its customer was served."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from graph.case_history import CaseHistory, CaseReading, Contacts, Step, StepKind, read
from graph.models import Speaker

OPENED = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
LATER = OPENED + timedelta(days=30)
NOBODY = Contacts([])


def at(hours: float) -> datetime:
    return OPENED + timedelta(hours=hours)


def asked(hours: float = 0, problem: str | None = "p1") -> Step:
    return Step("message", at(hours), "customer", problem)


def said(hours: float, by: Speaker = "agent") -> Step:
    return Step("message", at(hours), by)


def told(kind: StepKind, hours: float, by: Speaker = "agent", seconds: float | None = None) -> Step:
    return Step(kind, at(hours), by, seconds=seconds)


def reading(
    *steps: Step, as_of: datetime = LATER, contacts: Contacts = NOBODY, due_hours: float = 1.0
) -> CaseReading:
    told_in_order = tuple(sorted(steps, key=lambda s: s.at))
    history = CaseHistory(
        "c1", OPENED, "u1", "p1", told_in_order, first_due=at(due_hours), resolve_due=at(8 * due_hours)
    )
    return read(history, contacts, as_of)


def test_the_first_answer_counts_whoever_gives_it() -> None:
    assert reading(asked(), said(0.25, "bot"), said(2)).waited == 900
    assert reading(asked(), asked(0.1), said(0.5)).waited == 1800
    assert reading(asked(), told("resolved", 0.1)).waited == 360


def test_what_was_said_before_the_question_answers_nothing() -> None:
    found = reading(said(0, "bot"), asked(1), said(3))
    assert found.waited == 7200


def test_an_unanswered_case_has_no_waiting_time_and_misses_its_level_once_it_is_due() -> None:
    assert reading(asked()).waited is None
    assert reading(asked()).in_time is False
    assert reading(asked(), as_of=at(0.9)).in_time is None
    assert reading(asked()).handler == "none"
    assert reading(asked(), said(1)).in_time is True
    assert reading(asked(), said(1.01)).in_time is False


def test_a_case_that_is_not_resolved_misses_its_level_once_that_is_due() -> None:
    assert reading(asked(), said(1)).solved_in_time is False
    assert reading(asked(), said(1), as_of=at(7.9)).solved_in_time is None
    assert reading(asked(), told("resolved", 8)).solved_in_time is True
    assert reading(asked(), told("resolved", 8.01)).solved_in_time is False
    assert reading(asked(), told("unresolved", 2), told("resolved", 7)).solved_in_time is True
    assert reading(said(1)).solved_in_time is None, "nobody asked for anything"


def test_a_customer_who_resolves_it_alone_was_answered_by_nobody() -> None:
    found = reading(asked(), told("resolved", 1, "customer"))
    assert (found.waited, found.handler, found.ended) == (None, "none", False)


def test_the_wait_for_a_person_begins_with_the_hand_over() -> None:
    found = reading(asked(), said(0.1, "bot"), told("handover", 1, "bot"), said(1.5))
    assert (found.handed_over, found.waited_for_person, found.handler) == (True, 1800, "agent")
    waiting = reading(asked(), said(0.1, "bot"), told("handover", 1, "bot"))
    assert (waiting.handed_over, waiting.waited_for_person, waiting.handler) == (True, None, "none")


@pytest.mark.parametrize(("hours", "stays"), [(71, False), (72, False), (73, True)])
def test_a_case_that_comes_back_within_72_hours_is_reopened(hours: float, stays: bool) -> None:
    """The 73rd hour does not reopen it, yet the same problem within a week was not settled at the first contact."""
    found = reading(asked(), told("resolved", 1), asked(1 + hours))
    assert found.stayed_resolved is stays
    assert found.settled_at_once is False


def test_a_case_is_told_72_hours_after_its_resolution_and_may_turn_for_a_week() -> None:
    young = reading(asked(), told("resolved", 1), as_of=at(72.5))
    assert (young.settled_at_once, young.stayed_resolved, young.may_turn) == (None, None, False)
    ripe = reading(asked(), told("resolved", 1), as_of=at(73))
    assert (ripe.settled_at_once, ripe.stayed_resolved, ripe.may_turn) == (True, True, True)
    old = reading(asked(), told("resolved", 1), as_of=at(1 + 168))
    assert (old.settled_at_once, old.may_turn) == (True, False)


def test_thanks_and_other_matters_bring_no_case_back() -> None:
    assert reading(asked(), told("resolved", 1), asked(2, None)).settled_at_once is True
    assert reading(asked(), told("resolved", 1), asked(2, "p2")).stayed_resolved is True


def test_a_first_outcome_that_is_none_settles_nothing() -> None:
    found = reading(asked(), told("unresolved", 1), told("resolved", 20))
    assert (found.settled_at_once, found.stayed_resolved, found.resolved) == (False, True, True)
    assert reading(asked(), told("unresolved", 0.5, "customer"), told("resolved", 1)).settled_at_once is False


@pytest.mark.parametrize(("days", "settled"), [(1, False), (6.9, False), (7.1, True), (-1, True)])
def test_another_case_of_the_same_problem_within_a_week_means_that_it_was_not_settled(
    days: float, settled: bool
) -> None:
    again = Contacts(
        [
            ("c1", "u1", "p1", OPENED),
            ("c2", "u1", "p1", at(1) + timedelta(days=days)),
            ("c3", "u1", None, at(2)),
        ]
    )
    assert reading(asked(), told("resolved", 1), contacts=again).settled_at_once is settled
    other = Contacts([("c2", "u2", "p1", at(5)), ("c3", "u1", "p2", at(5))])
    assert reading(asked(), told("resolved", 1), contacts=other).settled_at_once is True


def test_what_a_bot_ends_alone_is_contained() -> None:
    assert reading(asked(), said(0.1, "bot"), asked(0.2), said(0.3, "bot")).contained is True
    assert reading(asked(), said(0.1, "bot"), asked(0.2, None)).contained is True
    assert reading(asked(), said(0.1, "bot"), as_of=at(72)).contained is None


@pytest.mark.parametrize(
    "steps",
    [
        [asked(), said(0.1, "bot"), said(5)],
        [asked(), said(0.1, "bot"), told("handover", 1, "bot")],
        [asked(), said(0.1, "bot"), asked(1)],
        [asked(), said(0.1, "bot"), asked(4.2), said(4.3, "bot")],
        [asked(), said(0.1, "bot"), told("unresolved", 30, "customer")],
        [asked()],
    ],
    ids=["a person came in", "handed over", "left without an answer", "came back", "said no", "nobody"],
)
def test_what_a_bot_did_not_end_alone_is_not_contained(steps: list[Step]) -> None:
    assert reading(*steps).contained is False


def test_a_customer_who_opens_a_new_case_within_72_hours_was_not_helped_by_the_bot() -> None:
    again = Contacts([("c2", "u1", "p1", at(50))])
    assert reading(asked(), said(0.1, "bot"), contacts=again).contained is False


def test_transfers_go_from_person_to_person() -> None:
    first = Step("transfer", at(1), "agent", from_agent=None)
    second = Step("transfer", at(2), "agent", from_agent="a1")
    assert reading(asked(), said(0.5, "bot"), first, second, said(3)).transfers == 1
    assert reading(asked(), said(0.5), second).transfers == 1
    assert reading(asked(), said(0.5, "bot")).transfers is None


def test_ratings_and_handling_seconds_are_the_last_and_the_sum() -> None:
    stars = [Step("rating", at(hours), rating=value) for hours, value in ((3, 2.0), (5, 4.0))]
    found = reading(asked(), told("unresolved", 1, seconds=60), told("resolved", 2, seconds=40), *stars)
    assert (found.rating, found.seconds) == (4.0, 100)
    assert reading(asked(), stars[0]).rating == 2.0


def test_a_case_can_be_read_as_it_stood_earlier() -> None:
    steps = [asked(), told("resolved", 1), asked(60), told("resolved", 61)]
    assert reading(*steps).stayed_resolved is False
    assert reading(*steps, as_of=at(50)).stayed_resolved is None
