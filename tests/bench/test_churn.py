from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bench.churn import Stand, bcubed, by_week, churned
from graph.models import Event

AT = datetime(2026, 11, 1, tzinfo=UTC)


def stand(of: dict[str, str], aliases: dict[str, str] | None = None) -> Stand:
    return Stand(of, {id: id for id in of.values()} | (aliases or {}))


def test_an_id_churns_when_most_of_its_messages_answer_under_another() -> None:
    before = stand({"e1": "a", "e2": "a", "e3": "a", "e4": "b"})
    assert churned(before, before) == (2, 0)
    merged = stand({"e1": "b", "e2": "b", "e3": "b", "e4": "b"}, {"a": "b"})
    assert churned(before, merged) == (2, 0), "an alias still answers"
    moved = stand({"e1": "a", "e2": "c", "e3": "c", "e4": "b"})
    assert churned(before, moved) == (2, 1)
    part = stand({"e1": "a", "e2": "a", "e3": "c", "e4": "b"})
    assert churned(before, part) == (2, 0), "the larger part kept it"
    gone = stand({"e4": "b"})
    assert churned(before, gone) == (2, 1)


def test_bcubed_of_known_groups() -> None:
    labels = {"e1": "x", "e2": "x", "e3": "y", "e4": "y"}
    assert bcubed({"e1": "a", "e2": "a", "e3": "b", "e4": "b"}, labels) == (1.0, 1.0, 1.0)
    assert bcubed(dict.fromkeys(labels, "a"), labels)[:2] == (0.5, 1.0)
    alone = bcubed({}, labels)
    assert alone[:2] == (1.0, 0.5)
    assert alone[2] == pytest.approx(2 / 3)


def test_weeks_are_cut_where_event_time_reaches_another() -> None:
    days = [0, 3, 8, 6, 15]
    events = [Event(f"e{day}", "message", AT + timedelta(days=day)) for day in days]
    assert [[event.id for event in week] for week in by_week(events)] == [["e0", "e3"], ["e8", "e6"], ["e15"]]
