"""Suggested thresholds: what was of use stays, what was not becomes less, and few useful alerts suggest nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from graph.backtests import Arrival, Past
from graph.rules import Rules
from graph.thresholds import LEAST_USEFUL, Judged, suggested

MONDAY = datetime(2026, 6, 1, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
END = MONDAY + 60 * DAY


def a_past(large: int, small: int) -> tuple[Past, list[Judged]]:
    """Problems of six customers that were of use, and of three that nobody needed; each on a day of its own."""
    arrivals: list[Arrival] = []
    judged: list[Judged] = []
    for number in range(large + small):
        useful = number < large
        begin = MONDAY + number * DAY / 2
        for voter in range(6 if useful else 3):
            at = begin + voter * HOUR
            arrivals.append(Arrival(at, at, f"p{number}", voter))
        judged.append(Judged(f"p{number}", "recurrence", begin + 2 * HOUR, useful))
    return Past(sorted(arrivals, key=lambda item: item.at)), judged


def test_what_nobody_needed_becomes_less_and_what_was_of_use_stays() -> None:
    past, judged = a_past(large=12, small=30)
    found = suggested(past, Rules(), UTC, judged, begin=MONDAY - DAY, end=END)
    assert found.reason == "better"
    rules = dict(found.changes)
    assert 4 <= rules["recurrence_customers"] <= 6
    assert (found.useful, found.noise, found.kept, found.others, found.before) == (12, 30, 12, 0, 30)
    assert "12" in found.words["zh"]
    assert "12" in found.words["en"]
    tried = [trial for trial in found.trials if dict(trial.rules)["recurrence_customers"] == 10]
    assert not any(trial.keeps for trial in tried), "what loses useful alerts is in the table, not suggested"


def test_few_useful_alerts_suggest_nothing_and_say_so() -> None:
    past, judged = a_past(large=LEAST_USEFUL - 1, small=30)
    found = suggested(past, Rules(), UTC, judged, begin=MONDAY - DAY, end=END)
    assert (found.reason, found.changes, found.trials) == ("too_few", (), ())
    assert str(LEAST_USEFUL) in found.words["en"]


def test_where_the_present_rules_are_best_nothing_changes() -> None:
    past, judged = a_past(large=12, small=0)
    found = suggested(past, Rules(), UTC, judged, begin=MONDAY - DAY, end=END)
    assert (found.reason, found.changes, found.others) == ("best_already", (), 0)


def test_what_the_present_rules_do_not_raise_again_keeps_no_suggestion_away() -> None:
    """Nights merge problems: 22 of 24 useful alerts came again, and no threshold could keep 95% of 24."""
    past, judged = a_past(large=12, small=30)
    lost = [Judged(f"gone{number}", "recurrence", MONDAY, True) for number in range(3)]
    found = suggested(past, Rules(), UTC, [*judged, *lost], begin=MONDAY - DAY, end=END)
    assert (found.reason, found.useful, found.kept, found.others) == ("better", 15, 12, 0)
    assert {trial.useful for trial in found.trials} == {12}


def test_alerts_that_the_present_rules_do_not_raise_again_suggest_nothing() -> None:
    past, judged = a_past(large=12, small=3)
    found = suggested(past, Rules(recurrence_customers=30), UTC, judged, begin=MONDAY - DAY, end=END)
    assert (found.reason, found.changes) == ("none_keeps", ())
