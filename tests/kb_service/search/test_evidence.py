"""From which confidence answers are sent: only what judged answers prove."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_service.search.evidence import NEVER, Evidence, Reviewed, Step


def evidence(answers: int, wrong: int, confidence: float = 0.9) -> Evidence:
    right = np.array([place >= wrong for place in range(answers)], dtype=bool)
    return Evidence.of(np.full(answers, confidence), right)


def test_without_judged_answers_nothing_is_sent() -> None:
    assert Evidence().threshold(0.5) == NEVER
    assert evidence(0, 0).threshold(0.5) == NEVER


@pytest.mark.parametrize(
    ("answers", "wrong", "bound", "sent"),
    [
        (298, 0, 0.01, False),
        (299, 0, 0.01, True),
        (472, 1, 0.01, False),
        (473, 1, 0.01, True),
        (59, 0, 0.05, True),
    ],
)
def test_the_bound_is_clopper_and_pearsons(answers: int, wrong: int, bound: float, sent: bool) -> None:
    assert (evidence(answers, wrong).threshold(bound) <= 0.9) is sent


def test_the_lowest_confidence_that_holds_is_taken() -> None:
    confidence = np.concatenate([np.full(400, 0.95), np.full(100, 0.6)])
    right = np.concatenate([np.ones(400, bool), np.zeros(100, bool)])
    assert Evidence.of(confidence, right).threshold(0.01) == 0.61


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=200), st.floats(0.01, 0.5))
def test_a_stricter_bound_never_sends_more(judged: list[tuple[float, bool]], bound: float) -> None:
    found = Evidence.of(np.array([c for c, _ in judged]), np.array([r for _, r in judged], dtype=bool))
    assert found.threshold(bound / 2) >= found.threshold(bound)


def test_steps_count_what_is_at_least_as_sure() -> None:
    found = Evidence.of(np.array([0.5, 0.75, 0.99]), np.array([False, True, True]))
    assert found.steps[0] == Step(0.5, 3, 1)
    assert next(step for step in found.steps if step.confidence == 0.75) == Step(0.75, 2, 0)


def test_reviews_of_what_was_sent_speak_for_that_threshold_and_above() -> None:
    judged = evidence(100, 5, confidence=0.6)
    told = judged.with_reviews([Reviewed(0.95, True, sent_from=0.9)] * 400)
    assert told.threshold(0.01) == 0.9, "nobody has seen what would be sent below"
    assert next(step for step in told.steps if step.confidence == 0.6) == Step(0.6, 100, 5)
    assert next(step for step in told.steps if step.confidence == 0.95) == Step(0.95, 400, 0)


def test_a_wrong_answer_counts_wherever_it_would_be_sent() -> None:
    told = evidence(400, 0).with_reviews([Reviewed(0.85, False)] * 5)
    assert told.threshold(0.01) == 0.86
    assert told.steps[0] == Step(0.5, 405, 5)


def test_reviews_alone_are_evidence_too() -> None:
    told = Evidence().with_reviews([Reviewed(0.9, True, sent_from=0.8)] * 299)
    assert told.threshold(0.01) == 0.8
    assert Evidence().with_reviews([Reviewed(0.9, True)] * 299).threshold(0.01) == NEVER


@pytest.mark.parametrize(
    ("answers", "wrong", "bound", "lacking"),
    [(299, 0, 0.01, 0), (298, 0, 0.01, 1), (0, 0, 0.01, 299), (472, 1, 0.01, 1), (10, 3, 0.7, 0)],
)
def test_how_many_right_answers_are_lacking(answers: int, wrong: int, bound: float, lacking: int) -> None:
    assert evidence(answers, wrong).lacking(bound) == lacking


def test_an_answer_fewer_than_are_lacking_is_not_enough() -> None:
    held = evidence(40, 2)
    more = held.lacking(0.02)
    reviewed = [Reviewed(0.99, True, 0.5)]
    assert held.with_reviews(reviewed * more).threshold(0.02) < NEVER
    assert held.with_reviews(reviewed * (more - 1)).threshold(0.02) == NEVER
