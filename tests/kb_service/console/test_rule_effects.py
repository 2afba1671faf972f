"""What other rules would have changed of a month's alerts."""

from __future__ import annotations

from kb_service.console.rule_effects import effect_of
from tests.kb_service.console.backtests import alert, backtest


def test_the_effect_counts_by_kind_and_by_problem() -> None:
    present = [alert(1), alert(2, "p2"), alert(3, "p3", "burst")]
    effect = effect_of(backtest([], present, [alert(9), alert(3, "p3", "burst")]))
    assert (effect.in_all.before, effect.in_all.after) == (3, 2)
    assert [(kind, counts.before, counts.after) for kind, counts in effect.by_kind] == [
        ("recurrence", 2, 1),
        ("burst", 1, 1),
    ]
    assert {problem.id: counts.outcomes["vanishes"] for problem, counts in effect.problems} == {
        "p1": 0,
        "p2": 1,
    }
    assert effect.more == 0
