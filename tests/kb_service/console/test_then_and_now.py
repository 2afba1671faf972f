"""Alerts of a backtest, each beside what it would have been."""

from __future__ import annotations

from kb_service.console.then_and_now import rows_of
from tests.kb_service.console.backtests import BEGIN, alert, backtest


def test_rows_pair_the_rules_in_force_with_those_tried() -> None:
    found = backtest(
        [], [alert(1), alert(2, "p2"), alert(9, "p4")], [alert(30), alert(3, "p3"), alert(9, "p4")]
    )
    rows = {row.problem_id: (row.outcome, row.minutes) for row in rows_of(found)}
    assert rows == {
        "p1": ("later", 29 * 60),
        "p2": ("vanishes", None),
        "p3": ("appears", None),
        "p4": ("same", 0),
    }


def test_rows_pair_what_was_with_the_rules_in_force_where_no_others_are_tried() -> None:
    """What was told at the time knows no episode, what is told anew does."""
    found = backtest([alert(5)], [alert(3, episode=BEGIN), alert(7, "p2")])
    assert [(row.problem_id, row.outcome) for row in rows_of(found)] == [("p1", "earlier"), ("p2", "appears")]
