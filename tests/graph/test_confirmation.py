"""Whether a resolution holds, from what customers answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from graph.confirmation import PATIENCE, QUESTION, Answer, Confirmation, evidence, judge
from graph.rules import Rules

SENT = datetime(2026, 11, 15, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def judged(asked: int, yes: int = 0, no: int = 0, *, complaints: int = 0, late: bool = False) -> Confirmation:
    said = [True] * yes + [False] * no
    answers = [Answer(solved, SENT + place * HOUR) for place, solved in enumerate(said)]
    now = SENT + PATIENCE if late else SENT + 48 * HOUR
    return judge(asked, answers, Rules(), sent_at=SENT, now=now, complaints=complaints)


@pytest.mark.parametrize(
    ("asked", "yes", "no", "state", "reason"),
    [
        (20, 0, 3, "reopened", "enough_say_no"),
        (20, 15, 3, "reopened", "enough_say_no"),
        (20, 0, 2, "open", "waiting"),
        (2, 0, 2, "reopened", "most_say_no"),
        (2, 1, 1, "open", "waiting"),
        (2, 0, 1, "open", "waiting"),
        (1, 0, 1, "reopened", "most_say_no"),
        (3, 2, 0, "confirmed", "enough_say_yes"),
        (3, 1, 0, "open", "waiting"),
        (4, 3, 1, "open", "waiting"),
        (20, 10, 0, "confirmed", "enough_say_yes"),
        (20, 9, 0, "open", "waiting"),
    ],
)
def test_answers_that_decide_at_once(asked: int, yes: int, no: int, state: str, reason: str) -> None:
    found = judged(asked, yes, no)
    assert (found.state, found.reason, found.yes, found.no) == (state, reason, yes, no)


@pytest.mark.parametrize(
    ("asked", "yes", "no", "complaints", "state"),
    [
        (5, 0, 0, 0, "confirmed"),
        (5, 0, 0, 1, "unconfirmed"),
        (5, 1, 1, 0, "confirmed"),
        (5, 1, 2, 0, "unconfirmed"),
        (5, 0, 1, 0, "unconfirmed"),
        (2, 0, 1, 0, "reopened"),
        (2, 1, 1, 3, "confirmed"),
    ],
)
def test_what_a_week_without_a_decision_comes_to(
    asked: int, yes: int, no: int, complaints: int, state: str
) -> None:
    found = judged(asked, yes, no, complaints=complaints, late=True)
    assert (found.state, found.at) == (state, SENT + PATIENCE)


def test_an_answer_that_says_neither_counts_for_nothing() -> None:
    neither = [Answer(None, SENT + HOUR)] * 9
    found = judge(5, neither, Rules(), sent_at=SENT, now=SENT + HOUR, complaints=0)
    assert (found.state, found.yes, found.no) == ("open", 0, 0)


def test_a_problem_is_back_since_the_answer_that_decided() -> None:
    found = judged(20, 1, 3)
    assert found.at == SENT + 3 * HOUR
    shown = evidence(found, SENT - 72 * HOUR, SENT)
    assert (shown.observed, shown.customers, shown.window_minutes) == (3, 3, 180)
    assert "3 of 4" in shown.words["en"]
    assert "3 位" in shown.words["zh"]


def test_the_question_is_asked_in_both_languages() -> None:
    assert set(QUESTION) == {"zh", "en"}
