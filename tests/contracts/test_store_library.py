"""Documents as lists show them, what waits beside them, and how often they were shown."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import delete

from kb_service.store import Order, ShelfFilter, ShownAnswer, Store, tables
from kb_service.store.held import MOST_HELD
from tests.contracts.store_samples import (
    AT,
    a_document,
    a_held,
    a_look,
    an_exposure,
    put_document,
    some_feedback,
)


def titles(
    store: Store, wanted: ShelfFilter, *, superseded: Collection[str] = (), order: Order = "title"
) -> list[str]:
    with store.reading("shop") as unit:
        found = unit.shelf.page(wanted, at=AT, superseded=superseded, order=order)
        assert unit.shelf.count(wanted, at=AT, superseded=superseded) >= len(found.items)
    return [item.external_id for item in found.items]


def test_a_shelf_is_searched_narrowed_and_ordered(store: Store) -> None:
    day = timedelta(days=1)
    with store.writing("shop") as unit:
        put_document(unit, a_document("a-1", title="50% off", valid_from=None, valid_to=AT - day))
        put_document(unit, a_document("b-2", title="Returns", valid_from=AT + day, valid_to=None, kind="faq"))
        put_document(unit, a_document("c-3", title="退货政策", valid_from=None, valid_to=AT + day))
    everything = ShelfFilter()
    assert titles(store, everything, order="title") == ["a-1", "b-2", "c-3"]
    assert titles(store, everything, order="ends") == ["a-1", "c-3"]
    assert titles(store, ShelfFilter(words="%")) == ["a-1"]
    assert titles(store, ShelfFilter(words="RETURNS b-")) == ["b-2"]
    assert titles(store, ShelfFilter(words="退货")) == ["c-3"]
    assert titles(store, ShelfFilter(kind="faq")) == ["b-2"]
    assert titles(store, ShelfFilter(validity="expired")) == ["a-1"]
    assert titles(store, ShelfFilter(validity="upcoming")) == ["b-2"]
    assert titles(store, ShelfFilter(validity="valid")) == ["c-3"]
    assert titles(store, ShelfFilter(validity="valid"), superseded={"c-3"}) == []
    assert titles(store, ShelfFilter(validity="superseded"), superseded={"c-3"}) == ["c-3"]


def test_a_shelf_goes_on_where_its_page_ended(store: Store) -> None:
    with store.writing("shop") as unit:
        for number in range(5):
            put_document(unit, a_document(f"d-{number}", title=f"Title {number}"))
    with store.reading("shop") as unit:
        first = unit.shelf.page(ShelfFilter(), at=AT, superseded=(), order="title", limit=3)
        rest = unit.shelf.page(
            ShelfFilter(), at=AT, superseded=(), order="title", limit=3, cursor=first.next_cursor
        )
    assert [item.external_id for item in (*first.items, *rest.items)] == [f"d-{n}" for n in range(5)]
    assert rest.next_cursor is None


def test_uses_are_counted_once_by_hour_with_what_became_of_them(store: Store) -> None:
    two = (ShownAnswer("a1", "returns", 1, 0.9), ShownAnswer("a2", "fees", 2, 0.4))
    first = an_exposure("x1", answers=two, at=AT)
    later = an_exposure("x2", answers=two, at=AT + timedelta(hours=2))
    with store.writing("shop") as unit:
        unit.exposures.add_many([first])
        unit.exposures.add_many([first, later, later])
        unit.feedback.add(some_feedback("f1", exposure_id="x1", answer_id="a1", outcome="accepted", at=AT))
        unit.feedback.add(some_feedback("f2", exposure_id="x2", answer_id="a1", outcome="edited", at=AT))
    with store.reading("shop") as unit:
        found = unit.uses.of(["returns", "fees", "other"], AT)
        hours = unit.uses.by_hour("returns", AT)
        assert unit.uses.all(AT) == found
        assert unit.uses.of(["returns"], AT + timedelta(hours=1))["returns"].shown == 1
    assert found["returns"].shown == 2
    assert found["returns"].outcomes == {"accepted": 1, "edited": 1}
    assert found["fees"].shown == 2
    assert found["fees"].outcomes == {}
    assert [item.use.shown for item in hours] == [1, 1]


def test_what_was_shown_before_uses_were_counted_is_counted_by_the_migration(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.exposures.add_many([an_exposure("x1"), an_exposure("x2", at=AT + timedelta(hours=3))])
        unit.feedback.add(some_feedback("f1", exposure_id="x1", outcome="rejected"))
    with store.reading("shop") as unit:
        before = unit.uses.by_hour("policy-returns", AT - timedelta(days=1))
    revision = importlib.import_module("kb_service.store.migrations.versions.r0017_held_and_uses")
    with store.writing("shop") as unit:
        connection = unit.uses._scope.connection
        connection.execute(delete(tables.document_uses))
        with Operations.context(MigrationContext.configure(connection)):
            revision._count_the_past()
    with store.reading("shop") as unit:
        assert unit.uses.by_hour("policy-returns", AT - timedelta(days=1)) == before
    assert len(before) == 2


def test_the_latest_look_at_a_document_holds_until_its_day(store: Store) -> None:
    later = a_look("look-2", at=AT + timedelta(days=1), version=3)
    with store.writing("shop") as unit:
        unit.looks.add(later)
        unit.looks.add(a_look())
        unit.looks.add(a_look("look-3", until=AT))
    with store.reading("shop") as unit:
        assert unit.looks.in_force(AT) == {"policy-returns": later}
        assert unit.looks.get("look-1") == a_look()
        assert unit.looks.in_force(later.until) == {}
    with store.writing("shop") as unit:
        assert unit.looks.remove("look-2")
        assert not unit.looks.remove("look-2")
        assert unit.looks.sweep() == 1
    with store.reading("shop") as unit:
        assert unit.looks.in_force(AT) == {"policy-returns": a_look()}


def test_what_waits_is_its_owners_alone_and_only_until_it_ends(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.held.put(a_held())
        unit.held.put(replace(a_held("held-2"), ends_at=unit.now))
    with store.reading("shop") as unit:
        assert unit.held.get("held-1", "mem_1") == a_held()
        assert unit.held.get("held-1", "mem_2") is None
        assert unit.held.get("held-2", "mem_1") is None
    with store.writing("shop") as unit:
        assert not unit.held.remove("held-1", "mem_2")
        assert unit.held.remove("held-1", "mem_1")
        assert unit.held.get("held-1", "mem_1") is None


def test_nobody_keeps_more_waiting_than_is_bounded(store: Store) -> None:
    with store.writing("shop") as unit:
        for number in range(MOST_HELD + 3):
            unit.held.put(a_held(f"held-{number:03}", made_at=AT + timedelta(minutes=number)))
        unit.held.put(a_held("another", owner="mem_2"))
        unit.held.put(a_held("removed", purpose="removed"))
    with store.reading("shop") as unit:
        kept = [n for n in range(MOST_HELD + 3) if unit.held.get(f"held-{n:03}", "mem_1") is not None]
        assert kept == list(range(3, MOST_HELD + 3))
        assert unit.held.get("another", "mem_2") is not None
        assert unit.held.get("removed", "mem_1") is not None


def test_what_has_ended_goes_though_nothing_comes_after_it(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.held.put(a_held("held-1"))
        unit.held.put(replace(a_held("held-2", owner="mem_2"), ends_at=unit.now))
    with store.writing("shop") as unit:
        assert unit.held.sweep() == 1
        assert unit.held.sweep() == 0
    with store.reading("shop") as unit:
        assert unit.held.get("held-1", "mem_1") == a_held("held-1")


def test_use_of_long_ago_goes_and_no_other(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.exposures.add_many([an_exposure("x1"), an_exposure("x2", at=AT + timedelta(hours=2))])
    with store.writing("shop") as unit:
        assert unit.uses.purge(AT + timedelta(hours=1)) == 1
    with store.reading("shop") as unit:
        (left,) = unit.uses.by_hour("policy-returns", AT - timedelta(days=1))
    assert left.hour >= AT + timedelta(hours=1)


def test_the_migration_counts_no_use_of_longer_ago_than_is_read(store: Store) -> None:
    revision = importlib.import_module("kb_service.store.migrations.versions.r0017_held_and_uses")
    old = AT - revision.COUNTED - timedelta(hours=2)
    with store.writing("shop") as unit:
        unit.exposures.add_many([an_exposure("x1"), an_exposure("x2", at=old)])
        unit.feedback.add(some_feedback("f1", exposure_id="x2", outcome="rejected", at=old))
        connection = unit.uses._scope.connection
        connection.execute(delete(tables.document_uses))
        with Operations.context(MigrationContext.configure(connection)):
            revision._count_the_past()
    with store.reading("shop") as unit:
        found = unit.uses.all(old - timedelta(days=1))
    assert found["policy-returns"].shown == 1
    assert not found["policy-returns"].outcomes


def test_a_shelf_is_narrowed_by_more_superseded_documents_than_a_statement_takes_values(store: Store) -> None:
    with store.writing("shop") as unit:
        for name in ("a-1", "b-2"):
            put_document(unit, a_document(name, valid_from=None, valid_to=None))
    many = {"a-1", *(f"gone-{number}" for number in range(70_000))}
    assert titles(store, ShelfFilter(validity="valid"), superseded=many) == ["b-2"]
    assert titles(store, ShelfFilter(validity="superseded"), superseded=many) == ["a-1"]
