"""A part of a backtest that is looked at, and the ways to other parts."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from kb_service.console.backtest_closeup import PAGE, Closeup, Which, alerts_in, problems_in
from kb_service.recurring.backtesting import Backtest
from tests.kb_service.console.backtests import BEGIN, alert, backtest

DAY = timedelta(days=1)
END = BEGIN + 30 * DAY


def closeup(
    found: Backtest,
    begin: datetime | None = None,
    end: datetime | None = None,
    *,
    problem: str = "",
    show: Which = "all",
) -> Closeup:
    return Closeup.at("/backtest", "run_1", found, problem=problem, begin=begin, end=end, show=show)


def asked(link: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def test_a_part_that_there_is_not_is_the_whole_span() -> None:
    found = backtest([], [])
    for begin, end in ((END, BEGIN), (END + DAY, None), (None, BEGIN - DAY), (datetime(2026, 6, 2), None)):
        seen = closeup(found, begin, end)
        assert (seen.begin, seen.end, seen.zoomed) == (BEGIN, END, False)
        assert (seen.before, seen.after) == (None, None)


def test_the_parts_before_and_after_are_as_long_and_end_with_the_span() -> None:
    seen = closeup(backtest([], []), BEGIN + 5 * DAY, BEGIN + 12 * DAY)
    assert seen.before == (BEGIN, BEGIN + 5 * DAY)
    assert seen.after == (BEGIN + 12 * DAY, BEGIN + 19 * DAY)


def test_a_link_keeps_what_is_looked_at_but_for_what_it_names() -> None:
    seen = closeup(backtest([alert(1)], []), BEGIN, BEGIN + DAY, problem="p1", show="changed")
    assert asked(seen.link(number=2)) == {
        "run": "run_1",
        "problem": "p1",
        "begin": BEGIN.isoformat(),
        "end": (BEGIN + DAY).isoformat(),
        "show": "changed",
        "number": "2",
    }
    assert asked(seen.link(begin="", end="")) == {"run": "run_1", "problem": "p1", "show": "changed"}
    assert seen.link(anchor="alerts").endswith("#alerts")


def test_alerts_are_those_of_the_part_and_the_problem() -> None:
    found = backtest([], [alert(1), alert(2, "p2"), alert(30, "p2")], [alert(1), alert(30, "p2")])
    seen = alerts_in(closeup(found, BEGIN, BEGIN + DAY), 1)
    assert [(row.problem_id, row.outcome) for row in seen.rows] == [("p1", "same"), ("p2", "vanishes")]
    (row,) = alerts_in(closeup(found, BEGIN, BEGIN + DAY, problem="p2"), 1).rows
    assert row.outcome == "vanishes"


def test_of_those_that_differ_alone_all_outcomes_are_told_still() -> None:
    found = backtest([], [alert(1), alert(2, "p2")], [alert(1)])
    seen = alerts_in(closeup(found, show="changed"), 1)
    assert (seen.many, [row.problem_id for row in seen.rows]) == (1, ["p2"])
    assert seen.outcomes == {"same": 1, "vanishes": 1}


def test_a_page_beyond_the_last_is_the_last() -> None:
    raised = [alert(hours, f"p{hours}") for hours in range(PAGE + 3)]
    seen = alerts_in(closeup(backtest([], raised, [])), 9)
    assert (seen.number, seen.pages, seen.many, len(seen.rows)) == (2, 2, PAGE + 3, 3)


def test_problems_with_alerts_stand_by_their_name() -> None:
    found = backtest([alert(1, "b")], [alert(2, "a")], [alert(3, "C")])
    assert [problem.id for problem in problems_in(found, "en")] == ["a", "b", "C"]
