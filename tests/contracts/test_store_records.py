"""Exposures, feedback, idempotency replays and the audit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from kb_service.store import AuditEntry, Exposure, Feedback, Replay, Store
from tests.conftest import FixedClock
from tests.contracts.store_samples import AT, a_replay, an_exposure, some_feedback

HOUR = timedelta(hours=1)


def test_exposures(store: Store) -> None:
    bare = Exposure("bare", AT + HOUR, "search", None, None, "handoff", "no_answer", 0.0)
    with store.writing("shop") as unit:
        unit.exposures.add_many([an_exposure(), bare])
        unit.exposures.add_many([])
        unit.exposures.add_many([an_exposure(query="told again"), an_exposure("x2", at=AT + 2 * HOUR)])
        assert unit.exposures.get("x1") == an_exposure()
        assert unit.exposures.get("bare") == bare
        assert unit.exposures.get("nothing") is None
        assert [one.id for one in unit.exposures.page().items] == ["x2", "bare", "x1"]
        assert [one.id for one in unit.exposures.page(action="handoff").items] == ["bare"]
        assert [one.id for one in unit.exposures.page(since=AT + HOUR).items] == ["x2", "bare"]
        first = unit.exposures.page(limit=2)
        assert [one.id for one in unit.exposures.page(first.next_cursor).items] == ["x1"]


def test_feedback(store: Store) -> None:
    bare = Feedback("f0", "x1", "a2", "accepted", AT - HOUR)
    with store.writing("shop") as unit:
        unit.feedback.add(some_feedback())
        unit.feedback.add(bare)
        unit.feedback.add(some_feedback("f2", exposure_id="x2"))
        assert unit.feedback.of_exposure("x1") == (bare, some_feedback())
        assert unit.feedback.of_exposure("nothing") == ()


def test_idempotency(store: Store, clock: FixedClock) -> None:
    with store.writing("shop") as unit:
        assert unit.idempotency.get("key", "/v1/events") is None
        assert unit.idempotency.put("key", "/v1/events", a_replay()) is True
        assert unit.idempotency.put("key", "/v1/events", a_replay(b"other")) is False
        assert unit.idempotency.put("key", "/v1/feedback", a_replay(b"\xff\x00")) is True
        assert unit.idempotency.get("key", "/v1/events") == a_replay()
        assert unit.idempotency.get("key", "/v1/feedback") == a_replay(b"\xff\x00")
    clock.advance(days=2)
    with store.writing("shop") as unit:
        unit.idempotency.put("new", "/v1/events", a_replay())
        assert unit.idempotency.purge(clock.now - timedelta(days=1)) == 2
        assert unit.idempotency.get("key", "/v1/events") is None
        assert unit.idempotency.get("new", "/v1/events") == a_replay()


def test_equal_requests_at_once_act_once(store: Store) -> None:
    acted: list[int] = []

    def request(number: int) -> bytes:
        with store.writing("shop") as unit:
            replay = unit.idempotency.get("key", "/v1/events")
            if replay is None:
                acted.append(number)
                replay = Replay("hash", 200, b"%d" % number)
                unit.idempotency.put("key", "/v1/events", replay)
            return replay.body

    with ThreadPoolExecutor(6) as pool:
        bodies = set(pool.map(request, range(12)))
    assert bodies == {b"%d" % number for number in acted}
    assert len(acted) == 1


def test_the_audit_grows_only_and_lists_the_newest_first(store: Store, clock: FixedClock) -> None:
    with store.writing("shop") as unit:
        for number in range(3):
            unit.audit.append("key_1", "documents.put", f"doc-{number}", {"version": number})
        unit.audit.append("kb", "rules.put", "shop", {}, AT)
        page = unit.audit.page(limit=3)
        assert [entry.object for entry in page.items] == ["shop", "doc-2", "doc-1"]
        [last] = unit.audit.page(page.next_cursor).items
        assert last == AuditEntry(last.id, clock.now, "key_1", "documents.put", "doc-0", {"version": 0})
        assert page.items[0].at == AT
