"""What a chart of alerts holds: every message and every alert in its hour or day, marks that keep apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from graph.backtests import Raised, changes, summarised
from graph.models import AlertKind, Evidence, Problem, Rules
from kb_service.console.effects import effect_of
from kb_service.console.timelines import NARROWEST, parts_of, rows_of, timeline
from kb_service.recurring.backtesting import Alerts, Backtest

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
CHINA = timezone(timedelta(hours=8))
SAID = Evidence(3, None, 3, 60, None, {})


def alert(hours: float, problem: str = "p1", kind: AlertKind = "recurrence", **more: object) -> Raised:
    at = BEGIN + timedelta(hours=hours)
    return replace(Raised(problem, kind, at, SAID, timedelta(0)), **more)  # type: ignore[arg-type]


def backtest(
    was: Sequence[Raised], present: Sequence[Raised], tried: Sequence[Raised] | None = None, days: int = 30
) -> Backtest:
    end = BEGIN + timedelta(days=days)

    def told(found: Sequence[Raised]) -> Alerts:
        return Alerts(tuple(found), summarised(found, BEGIN, end))

    ids = {item.problem_id for item in (*was, *present, *(tried or ()))}
    proposed = list(present if tried is None else tried)
    return Backtest(
        begin=BEGIN,
        end=end,
        events=0,
        as_it_was=told(was),
        present=told(present),
        proposed=told(proposed),
        changes=tuple(changes(list(present), proposed)),
        problems={id: Problem(id, {}, "open", BEGIN, BEGIN, BEGIN) for id in ids},
        suggestion=None,
        messages={BEGIN + timedelta(hours=5): 4, BEGIN + timedelta(hours=20): 2},
        rules=Rules(),
        tried=Rules() if tried is None else Rules(recurrence_customers=5),
    )


def test_messages_and_alerts_fall_into_days_of_the_shop() -> None:
    found = backtest([alert(5)], [alert(20)])
    drawn = timeline(found, found.messages, found.begin, found.end, CHINA)
    assert not drawn.hourly
    # 20:00 in UTC is the next day in Shanghai.
    assert [bar.count for bar in drawn.bars[:2]] == [4, 2]
    assert [bar.alerts for bar in drawn.bars[:2]] == [(1, 0), (0, 1)]
    assert drawn.most == 4
    assert [(mark.lane, len(mark.alerts)) for mark in drawn.marks] == [("raised", 1), ("present", 1)]
    assert sum(bar.count for bar in drawn.bars) == 6


def test_a_few_days_are_drawn_by_hours() -> None:
    found = backtest([alert(5.5)], [])
    drawn = timeline(found, found.messages, BEGIN, BEGIN + timedelta(days=2), UTC)
    assert drawn.hourly
    assert len(drawn.bars) == 48
    assert drawn.bars[5].count == 4
    assert drawn.marks[0].begin == BEGIN + timedelta(hours=5)


@pytest.mark.parametrize("days", [1, 4, 7, 30, 60, 90])
def test_marks_keep_apart_and_within_the_chart_and_none_is_lost(days: int) -> None:
    alerts = [alert(hours, f"p{hours}") for hours in range(0, days * 24, 5)]
    found = backtest(alerts, alerts, days=days)
    drawn = timeline(found, {}, found.begin, found.end, UTC)
    places = sorted(mark.x for mark in drawn.marks if mark.lane == "raised")
    assert all(other - one >= NARROWEST - 0.2 for one, other in pairwise(places))
    assert all(0 <= place <= 960 for place in places)
    assert sum(len(mark.alerts) for mark in drawn.marks) == 2 * len(alerts)
    assert len(drawn.marks) <= 2 * 96


def test_a_clock_that_is_set_back_loses_no_message() -> None:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Europe/Berlin")
    begin = datetime(2026, 10, 20, tzinfo=zone)
    end = datetime(2026, 10, 31, tzinfo=zone)
    hours = {
        begin.astimezone(UTC) + timedelta(hours=number): 1
        for number in range(int((end - begin).days * 24) + 1)
    }
    drawn = timeline(backtest([], []), hours, begin, end, zone)
    assert [bar.count for bar in drawn.bars] == [24] * 5 + [25] + [24] * 5


def test_a_problem_is_drawn_alone() -> None:
    found = backtest([alert(1), alert(2, "p2")], [alert(1)])
    drawn = timeline(found, {}, found.begin, found.end, UTC, problem_id="p2")
    assert [(lane, count) for lane, _, count in drawn.lanes] == [("raised", 1), ("present", 0)]


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


def test_a_longer_span_leads_to_weeks_and_a_week_to_days() -> None:
    month = parts_of(BEGIN, BEGIN + timedelta(days=30), UTC)
    assert len(month) == 5
    assert month[0] == (BEGIN, BEGIN + timedelta(days=7))
    assert month[-1][1] == BEGIN + timedelta(days=30)
    assert len(parts_of(*month[0], UTC)) == 7
    assert parts_of(BEGIN, BEGIN + timedelta(days=1), UTC) == []


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
