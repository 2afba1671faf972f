"""What a chart of alerts holds: every message and every alert in its hour or day, marks that keep apart."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from itertools import pairwise

import pytest

from kb_service.console.charts.timelines import NARROWEST, timeline
from tests.kb_service.console.backtests import BEGIN, alert, backtest

CHINA = timezone(timedelta(hours=8))


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


def test_a_problem_is_drawn_alone() -> None:
    found = backtest([alert(1), alert(2, "p2")], [alert(1)])
    drawn = timeline(found, {}, found.begin, found.end, UTC, problem_id="p2")
    assert [(lane.name, lane.alerts) for lane in drawn.lanes] == [("raised", 1), ("present", 0)]
