"""Counts by hour, the same from both databases; and surges as they were stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kb_service.store import Dimension, Store, Unit
from tests.contracts.store_samples import AT, a_case, a_match, a_surge, an_event

HOUR = AT.replace(minute=0)
LATER = HOUR + timedelta(hours=5)
FIELDS = {"p1": "logistics", "p2": "logistics", "p3": "returns"}


def said(unit: Unit, id: str, problem_id: str | None = None, **fields: Any) -> None:
    values: dict[str, Any] = {"conversation_id": f"c-{id}", "customer_id": f"u-{id}", "products": ()}
    case_id = fields.pop("case_id", None)
    unit.events.add(an_event(id, **(values | fields)), case_id)
    if problem_id is not None:
        unit.assignments.put(id, problem_id, a_match(problem_id))


def counts(unit: Unit, by: Dimension | None) -> dict[tuple[int, str | None], tuple[int, int, int]]:
    found = unit.traffic.by_hour(HOUR, LATER, by, FIELDS)
    return {
        (round((item.hour - HOUR) / timedelta(hours=1)), item.key): (
            item.messages,
            item.cases,
            item.customers,
        )
        for item in found
    }


@pytest.fixture
def busy(store: Store) -> Store:
    """Two cases in one hour, one of them with three messages, and two messages later."""
    late = AT + timedelta(hours=2)
    with store.writing("shop") as unit:
        unit.cases.put(a_case("case-1", problem_id="p3", channels=("wechat",), conversation_ids=("c1",)))
        mine = {"customer_id": "u1", "case_id": "case-1", "products": ("K1", "K2"), "channel": "app"}
        said(unit, "m1", "p1", **mine)
        said(unit, "m2", "p2", **mine)
        said(unit, "m3", None, **(mine | {"products": (), "channel": None}))
        said(unit, "m4", "p3", channel="phone")
        said(unit, "m5", "p9", at=late, channel=None, customer_id=None)
        said(unit, "m6", None, at=late, channel="phone", customer_id=None, conversation_id="c-m5")
        said(unit, "by-agent", None, role="agent")
        said(unit, "too-late", "p1", at=LATER)
        said(unit, "too-early", "p1", at=HOUR - timedelta(seconds=1))
        done = {"type": "resolution", "role": "agent", "text": None, "case_id": "case-1", "channel": None}
        said(unit, "r1", None, handling_seconds=100.0, **done)
        said(unit, "r2", "p1", handling_seconds=50.0, **done)
        said(unit, "r3", "p1", handling_seconds=None, **done)
    return store


def test_hours_are_counted_once_each(busy: Store) -> None:
    with busy.reading("shop") as unit:
        assert counts(unit, None) == {(0, None): (4, 2, 2), (2, None): (2, 2, 1)}


def test_cases_and_customers_of_a_span_are_told_apart_over_all_its_hours(busy: Store) -> None:
    def spans(unit: Unit, by: Dimension | None) -> dict[str | None, tuple[int, int]]:
        found = unit.traffic.in_span(HOUR, LATER, by, FIELDS)
        return {item.key: (item.cases, item.customers) for item in found}

    with busy.writing("shop") as unit:
        said(unit, "m7", "p3", at=AT + timedelta(hours=3), customer_id="u1", case_id="case-1", channel="app")
    with busy.reading("shop") as unit:
        assert spans(unit, None) == {None: (4, 3)}
        assert spans(unit, "expertise") == {"logistics": (1, 1), "returns": (2, 2), None: (2, 1)}
        assert unit.traffic.first_at() == HOUR - timedelta(seconds=1)
    with busy.reading("other") as unit:
        assert (unit.traffic.first_at(), unit.traffic.in_span(HOUR, LATER, None)) == (None, ())


def test_a_message_counts_for_the_expertise_of_its_problem_else_of_its_case(busy: Store) -> None:
    with busy.reading("shop") as unit:
        assert counts(unit, "expertise") == {
            (0, "logistics"): (2, 1, 1),
            (0, "returns"): (2, 2, 2),
            (2, None): (2, 2, 1),
        }
        handled = unit.traffic.handling(HOUR, LATER, "expertise", FIELDS)
        took = {item.key: (item.seconds, item.cases) for item in handled}
        assert took == {"logistics": (50.0, 1), "returns": (100.0, 1)}


def test_a_message_counts_for_each_product_that_it_names(busy: Store) -> None:
    with busy.reading("shop") as unit:
        assert counts(unit, "product") == {
            (0, "K1"): (2, 1, 1),
            (0, "K2"): (2, 1, 1),
            (0, None): (2, 2, 2),
            (2, None): (2, 2, 1),
        }


def test_a_message_without_a_channel_came_by_that_of_its_case(busy: Store) -> None:
    with busy.reading("shop") as unit:
        assert counts(unit, "channel") == {
            (0, "app"): (2, 1, 1),
            (0, "wechat"): (1, 1, 1),
            (0, "phone"): (1, 1, 1),
            (2, "phone"): (1, 1, 1),
            (2, None): (1, 1, 1),
        }
        (whole,) = unit.traffic.handling(HOUR, LATER, None)
        assert (whole.key, whole.seconds, whole.cases) == (None, 150.0, 2)


def test_a_shop_without_events_has_no_traffic(store: Store) -> None:
    with store.reading("shop") as unit:
        for by in (None, "expertise", "product", "channel"):
            assert list(unit.traffic.by_hour(HOUR, LATER, by, {})) == []
            assert unit.traffic.handling(HOUR, LATER, by, {}) == ()


def test_surges_come_back_as_they_were_stored_the_latest_first(store: Store) -> None:
    ended = a_surge("srg_0", False, opened_at=AT - timedelta(days=1), closed_at=AT, expertise_id=None)
    with store.writing("shop") as unit:
        unit.surges.put(a_surge())
        unit.surges.put(ended)
    with store.reading("shop") as unit:
        assert unit.surges.open() == (a_surge(),)
        assert unit.surges.page().items == (a_surge(), ended)
        assert unit.surges.page(since=AT).items == (a_surge(),)
        assert unit.surges.page(expertise_id="logistics").items == (a_surge(),)
        assert unit.surges.page(open=True).items == (a_surge(),)
        assert unit.surges.page(open=False).items == (ended,)
        first = unit.surges.page(limit=1)
        assert unit.surges.page(first.next_cursor, 1).items == (ended,)
    with store.writing("shop") as unit:
        unit.surges.put(a_surge(closed_at=AT + timedelta(hours=2)))
    with store.reading("shop") as unit:
        assert unit.surges.open() == ()
