"""Units of work: what commits, what rolls back, who waits for whom, and what a reader sees."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest

from kb_service.errors import InvalidRequest, NotFound, Overloaded
from kb_service.store import Change, ReadOnlyUnit, Store
from tests.contracts.store_samples import AT, a_problem, an_event, an_intent, fill, rows


def test_a_unit_commits_at_its_end(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.intents.put(an_intent())
        with store.reading("shop") as outside:
            assert outside.intents.all() == ()
    with store.reading("shop") as unit:
        assert unit.intents.all() == (an_intent(),)


def test_an_exception_leaves_nothing(store: Store, store_url: str) -> None:
    before = rows(store_url)
    with pytest.raises(RuntimeError, match="changed my mind"), store.writing("shop") as unit:
        fill(unit)
        assert unit.changes.position() > 0
        raise RuntimeError("changed my mind")
    assert rows(store_url) == before
    with store.writing("shop") as unit:
        fill(unit)
        assert unit.changes.since(0, limit=1)[0].position == 1


def test_an_unknown_workspace_is_not_found(store: Store) -> None:
    for block in (store.reading("nobody"), store.writing("nobody")):
        with pytest.raises(NotFound, match="'nobody'"), block:
            pass
    with pytest.raises(NotFound):
        store.position("nobody")


def test_a_reading_unit_writes_nothing(store: Store) -> None:
    with store.reading("shop") as unit:
        for write in (
            lambda: unit.intents.put(an_intent()),
            lambda: unit.events.add(an_event()),
            lambda: unit.documents.remove("policy-returns") or unit.changes.record("rules", "shop"),
            lambda: unit.erase_customer("u1"),
        ):
            with pytest.raises(ReadOnlyUnit):
                write()


def test_a_reader_sees_the_snapshot_of_its_begin(store: Store) -> None:
    with store.reading("shop") as unit:
        with store.writing("shop") as writer:
            writer.intents.put(an_intent())
        assert unit.intents.all() == ()
        assert unit.changes.position() == 0
    assert store.position("shop") == 1


def test_readers_do_not_wait_for_the_writer(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.intents.put(an_intent())
        begin = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda _: store.position("shop"), range(8))) == [0] * 8
        assert time.monotonic() - begin < 5


def test_a_unit_inside_another_is_refused_at_once(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.intents.put(an_intent())
        with pytest.raises(RuntimeError, match="open in this thread"), store.writing("other"):
            pass
        with pytest.raises(RuntimeError, match="open in this thread"), store.administration():
            pass
    with store.writing("shop") as unit:
        assert unit.intents.get("damaged") == an_intent()


def test_the_lock_is_not_waited_for_without_end(store_url: str, store: Store) -> None:
    impatient = Store(store_url, lock_seconds=0.2)
    other = Store(store_url, lock_seconds=0.2)
    try:
        with impatient.writing("shop"), ThreadPoolExecutor(1) as pool:
            for contender in (impatient, other):
                refused = pool.submit(_try_to_write, contender)
                assert isinstance(refused.result(timeout=20), Overloaded)
        assert _try_to_write(other) is None
    finally:
        impatient.close()
        other.close()


def _try_to_write(store: Store) -> Exception | None:
    try:
        with store.writing("shop"):
            return None
    except Overloaded as error:
        assert error.retry_after >= 1
        return error


def test_writers_of_one_workspace_take_turns(open_store: Callable[[], Store], store: Store) -> None:
    """Read, wait, write: no update is lost, from two stores as from two processes."""
    stores = [store, open_store()]
    with store.writing("shop") as unit:
        unit.problems.put(a_problem(events=0))

    def count(turn: int) -> None:
        with stores[turn % 2].writing("shop") as unit:
            problem = unit.problems.get("p1")
            assert problem is not None
            time.sleep(0.002)
            unit.problems.put(a_problem(events=problem.events + 1))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(count, range(40)))
    with store.reading("shop") as unit:
        problem = unit.problems.get("p1")
    assert problem is not None
    assert problem.events == 40


def test_positions_are_gapless_and_a_follower_never_skips(
    open_store: Callable[[], Store], store: Store
) -> None:
    """Writers commit, or change their mind, after random delays; a follower polls all the while."""
    stores = [store, open_store()]
    delays = random.Random(3)
    plans = [
        (writer, turn, delays.uniform(0, 0.01), delays.randrange(1, 4), delays.random() < 0.25)
        for writer in range(6)
        for turn in range(12)
    ]
    committed: list[str] = []
    done = threading.Event()
    followed: list[Change] = []

    def write(plan: tuple[int, int, float, int, bool]) -> None:
        writer, turn, delay, number, regrets = plan
        try:
            with stores[writer % 2].writing("shop") as unit:
                ids = [f"{writer}-{turn}-{place}" for place in range(number)]
                for id in ids:
                    unit.intents.put(an_intent(id))
                    time.sleep(delay)
                if regrets:
                    raise KeyError(turn)
                # Still under the lock, so this order is the order of commits.
                committed.extend(ids)
        except KeyError:
            pass

    def follow() -> None:
        position = 0
        while True:
            last = done.is_set()
            with store.reading("shop") as unit:
                found = unit.changes.since(position, limit=5)
                assert unit.changes.position() >= position + len(found)
                for change in found:
                    assert unit.intents.get(change.id) is not None
            followed.extend(found)
            position = followed[-1].position if followed else 0
            if last and not found:
                return

    with ThreadPoolExecutor(8) as pool:
        follower = pool.submit(follow)
        list(pool.map(write, plans))
        done.set()
        follower.result(timeout=60)
    assert [change.position for change in followed] == list(range(1, len(committed) + 1))
    assert [change.id for change in followed] == committed


def test_several_changes_of_one_thing_are_one_entry(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.intents.put(an_intent("a"))
        unit.intents.put(an_intent("b"))
        unit.intents.put(an_intent("a"))
    with store.writing("shop") as unit:
        unit.intents.remove("a")
        unit.intents.put(an_intent("a"))
        unit.changes.record("workspace", "shop", 3)
        assert unit.changes.since(2) == [
            Change(3, "intent_removed", "a", 0),
            Change(4, "intent", "a", 0),
            Change(5, "workspace", "shop", 3),
        ]
        assert unit.changes.position() == 5
    with store.reading("shop") as unit:
        assert unit.changes.since(0, limit=2) == [Change(1, "intent", "b", 0), Change(2, "intent", "a", 0)]
        assert unit.changes.since(5) == []


def test_a_unit_knows_the_time_of_its_begin(store: Store, clock: Callable[[], datetime]) -> None:
    with store.writing("shop") as unit:
        assert unit.now == clock()
        assert unit.workspace == "shop"


def test_times_come_back_as_utc_and_naive_ones_are_refused(store: Store) -> None:
    shanghai = datetime(2026, 6, 18, 11, 30, 15, 123456, tzinfo=timezone(timedelta(hours=8)))
    with store.writing("shop") as unit:
        unit.events.add(an_event(at=shanghai))
        stored = unit.events.get("e1")
        assert stored is not None
        assert stored.event.at == shanghai
        assert stored.event.at.tzinfo is UTC
        assert unit.events.latest_at() == shanghai
    naive = AT.replace(tzinfo=None)
    with pytest.raises(ValueError, match="no timezone"), store.writing("shop") as unit:
        unit.events.add(an_event("e2", at=naive))
    with pytest.raises(ValueError, match="no timezone"), store.writing("shop") as unit:
        unit.problems.put(a_problem(opened_at=naive))


def test_a_cursor_of_elsewhere_is_refused(store: Store) -> None:
    with store.reading("shop") as unit:
        for cursor in ("nonsense", "W10", "WzFd", "é"):
            with pytest.raises(InvalidRequest) as caught:
                unit.intents.page(cursor)
            assert caught.value.fields[0].field == "cursor"
            with pytest.raises(InvalidRequest):
                unit.cases.page(cursor)


def test_the_store_answers(store: Store) -> None:
    store.ping()
    assert store.dialect in ("sqlite", "postgresql")


def cursor_of(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def test_a_cursor_that_no_column_could_hold_is_refused(store: Store) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 40_000).decode()
    early = cursor_of("0001-01-01T00:00:00+14:00", "case-1")
    with store.reading("shop") as unit:
        with pytest.raises(InvalidRequest):
            unit.audit.page(cursor_of(10**40))
        for cursor in (nested, early):
            with pytest.raises(InvalidRequest):
                unit.cases.page(cursor)
