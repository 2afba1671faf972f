"""A span cut into hours and days of a shop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from kb_service.console.charts.bins import Bins, parts_of

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)


def test_a_longer_span_leads_to_weeks_and_a_week_to_days() -> None:
    month = parts_of(BEGIN, BEGIN + timedelta(days=30), UTC)
    assert len(month) == 5
    assert month[0] == (BEGIN, BEGIN + timedelta(days=7))
    assert month[-1][1] == BEGIN + timedelta(days=30)
    assert len(parts_of(*month[0], UTC)) == 7
    assert parts_of(BEGIN, BEGIN + timedelta(days=1), UTC) == []


def test_what_lies_outside_of_a_span_is_in_none_of_its_days() -> None:
    bins = Bins.of(BEGIN, BEGIN + timedelta(days=10), UTC)
    assert len(bins) == 10
    assert bins.place(BEGIN - timedelta(seconds=1)) is None
    assert bins.place(BEGIN) == 0
    assert bins.place(BEGIN + timedelta(days=10, seconds=-1)) == 9
    assert bins.place(BEGIN + timedelta(days=10)) is None


def test_a_part_of_an_hour_is_cut_as_that_hour() -> None:
    bins = Bins.of(BEGIN + timedelta(minutes=20), BEGIN + timedelta(minutes=40), UTC)
    assert bins.hourly
    assert bins.edges == (BEGIN, BEGIN + timedelta(hours=1))


def test_a_day_on_which_clocks_are_set_back_holds_its_25_hours() -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin, end = datetime(2026, 10, 20, tzinfo=zone), datetime(2026, 10, 31, tzinfo=zone)
    bins = Bins.of(begin, end, zone)
    hour, counts = begin.astimezone(UTC), {}
    while hour < end:
        counts[hour] = 1
        hour += timedelta(hours=1)
    assert bins.summed(counts) == [24] * 5 + [25] + [24] * 5
