"""How much could be sent unseen, and how much of it would be wrong."""

from __future__ import annotations

import pytest

from kb_service.judging.coverage import Sent, coverage
from kb_service.judging.evaluation import Judged, JudgedQuestion
from kb_service.search.evidence import upper_limit


def judged(confidence: float, right: bool, ranking: tuple[str, ...] | None = None) -> Judged:
    question = JudgedQuestion("q", "q", "en", frozenset({"a"}), "", None, False)
    return Judged(question, ranking if ranking is not None else ("a",) if right else ("b",), confidence)


def test_each_row_counts_what_is_at_least_as_sure() -> None:
    rows = coverage([judged(0.95, True), judged(0.9, False), judged(0.4, True)], (0.5, 0.95, 0.99))
    assert rows[0] == Sent(0.5, 2, pytest.approx(2 / 3), 1, 0.5, upper_limit(1, 2))
    assert rows[1] == Sent(0.95, 1, pytest.approx(1 / 3), 0, 0.0, upper_limit(0, 1))
    assert rows[2] == Sent(0.99, 0, 0.0, 0, None, None)


def test_a_question_without_hits_is_never_sent() -> None:
    (row,) = coverage([judged(1.0, False, ())], (0.0,))
    assert row.answers == 0


def test_without_questions_there_is_nothing_to_tell() -> None:
    assert coverage([]) == ()
