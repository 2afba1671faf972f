"""Webhooks and the outbox: what is due, who may carry it, and what becomes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from kb_service.store import Claim, Store, Webhook, WebhookSecret
from tests.conftest import FixedClock
from tests.contracts.store_samples import AT, a_webhook, rows

SECOND = timedelta(seconds=1)


def send(store: Store, *webhook_ids: str, number: int = 1, workspace: str = "shop") -> list[str]:
    with store.writing(workspace) as unit:
        return [
            unit.outbox.add("alert.opened", {"place": place, "文": "字"}, AT, webhook_ids)
            for place in range(number)
        ]


def add_webhooks(store: Store, *ids: str, workspace: str = "shop") -> None:
    with store.writing(workspace) as unit:
        for id in ids:
            unit.webhooks.put(a_webhook(id))


def test_webhooks_come_back_as_they_went(store: Store) -> None:
    bare = Webhook("bare", "https://example.com", (), (), AT)
    with store.writing("shop") as unit:
        assert unit.webhooks.put(a_webhook()) is True
        assert unit.webhooks.put(bare) is True
        assert unit.webhooks.put(a_webhook(url="https://example.com/2")) is False
        assert unit.webhooks.get("hook-1") == a_webhook(url="https://example.com/2")
        assert unit.webhooks.all() == (bare, a_webhook(url="https://example.com/2"))
        assert unit.webhooks.get("nothing") is None
        page = unit.webhooks.page(limit=1)
        assert page.items == (bare,)
        assert [one.id for one in unit.webhooks.page(page.next_cursor).items] == ["hook-1"]
        rotated = a_webhook(secrets=(WebhookSecret("whsec_a", AT), WebhookSecret("whsec_b")))
        unit.webhooks.put(rotated)
        assert unit.webhooks.get("hook-1") == rotated
        assert unit.webhooks.remove("bare") is True
        assert unit.webhooks.remove("bare") is False


def test_a_message_commits_with_its_unit_or_not_at_all(store: Store, clock: FixedClock) -> None:
    add_webhooks(store, "hook-1")
    with pytest.raises(RuntimeError), store.writing("shop") as unit:
        unit.outbox.add("alert.opened", {}, AT, ["hook-1"])
        raise RuntimeError
    worker = store.outbox_worker()
    assert worker.due(clock.now) == []
    [id] = send(store, "hook-1", "hook-1")
    [claim] = worker.due(clock.now)
    assert (claim.workspace, claim.message_id, claim.type, claim.at) == ("shop", id, "alert.opened", AT)
    assert claim.data == {"place": 0, "文": "字"}
    assert (claim.webhook, claim.attempt) == (a_webhook(), 1)
    assert id.startswith("msg_")
    with store.reading("shop") as unit:
        message = unit.outbox.message(id)
        assert message is not None
        assert (message.type, message.at, message.data) == (claim.type, claim.at, claim.data)
        assert unit.outbox.message("nothing") is None


def test_a_message_may_go_nowhere(store: Store, clock: FixedClock) -> None:
    [id] = send(store)
    with store.reading("shop") as unit:
        assert unit.outbox.message(id) is not None
        assert unit.outbox.counts() == {}
    assert store.outbox_worker().next_due(clock.now) is None


def test_the_way_of_a_delivery(store: Store, clock: FixedClock) -> None:
    add_webhooks(store, "hook-1")
    [id] = send(store, "hook-1")
    worker = store.outbox_worker()
    [claim] = worker.due(clock.now, lease_seconds=30)
    assert worker.due(clock.now) == [], "under way"
    assert worker.next_due(clock.now) == clock.now + 30 * SECOND
    assert worker.failed(claim, clock.now, clock.now + 5 * SECOND, status=500, error="oops") is True
    assert worker.due(clock.now) == [], "not yet"
    assert worker.next_due(clock.now) == clock.now + 5 * SECOND
    clock.advance(seconds=5)
    assert worker.next_due(clock.now + SECOND) == clock.now + SECOND
    [claim] = worker.due(clock.now)
    assert claim.attempt == 2
    with store.reading("shop") as unit:
        [delivery] = unit.webhooks.deliveries("hook-1").items
        assert (delivery.state, delivery.attempt, delivery.last_status) == ("pending", 1, 500)
        assert (delivery.last_error, delivery.message_id, delivery.type) == ("oops", id, "alert.opened")
        assert unit.outbox.counts() == {"pending": 1}
    assert worker.succeeded(claim, clock.now, 204) is True
    with store.reading("shop") as unit:
        delivered = unit.webhooks.delivery("hook-1", delivery.id)
        assert delivered is not None
        assert (delivered.state, delivered.attempt, delivered.last_status) == ("delivered", 2, 204)
        assert (delivered.last_error, delivered.next_at, delivered.finished_at) == (None, None, clock.now)
        assert delivered.data == {"place": 0, "文": "字"}
    assert worker.due(clock.now + timedelta(days=9)) == []
    assert worker.counts() == {"delivered": 1}


def test_an_exhausted_delivery_can_be_sent_again(store: Store, clock: FixedClock) -> None:
    add_webhooks(store, "hook-1", "hook-2")
    [id] = send(store, "hook-1")
    worker = store.outbox_worker()
    [claim] = worker.due(clock.now)
    assert worker.exhausted(claim, clock.now, error="connection refused") is True
    assert worker.due(clock.now) == []
    clock.advance(days=1)
    with store.writing("shop") as unit:
        [old] = unit.webhooks.deliveries("hook-1").items
        assert (old.state, old.last_error) == ("exhausted", "connection refused")
        again = unit.webhooks.replay("hook-1", old.id)
        assert again is not None
        assert (again.state, again.attempt, again.message_id) == ("pending", 0, id)
        assert unit.webhooks.replay("hook-2", old.id) is None
        assert unit.webhooks.delivery("hook-2", old.id) is None
        assert [one.id for one in unit.webhooks.deliveries("hook-1").items] == [again.id, old.id]
        first = unit.webhooks.deliveries("hook-1", limit=1)
        assert [one.id for one in unit.webhooks.deliveries("hook-1", first.next_cursor).items] == [old.id]
    [claim] = worker.due(clock.now)
    assert (claim.delivery_id, claim.message_id) == (again.id, id)


def test_a_lost_lease_is_not_finished(store: Store, clock: FixedClock) -> None:
    add_webhooks(store, "hook-1")
    send(store, "hook-1")
    worker = store.outbox_worker()
    [stale] = worker.due(clock.now, lease_seconds=30)
    clock.advance(seconds=30)
    [claim] = worker.due(clock.now)
    assert claim.delivery_id == stale.delivery_id
    assert claim.lease != stale.lease
    assert worker.succeeded(stale, clock.now, 200) is False
    assert worker.failed(stale, clock.now, clock.now) is False
    assert worker.exhausted(stale, clock.now) is False
    with store.writing("shop") as unit:
        assert unit.outbox.give_up(stale) is False
    assert worker.succeeded(claim, clock.now, 200) is True
    assert worker.succeeded(claim, clock.now, 200) is False


def test_a_gone_endpoint_is_disabled(store: Store, clock: FixedClock) -> None:
    add_webhooks(store, "hook-1", "hook-2")
    send(store, "hook-1", "hook-2", number=3)
    worker = store.outbox_worker()
    gone = next(claim for claim in worker.due(clock.now) if claim.webhook.id == "hook-1")
    with store.writing("shop") as unit:
        assert unit.outbox.give_up(gone, 410, "answered 410", "no more") is True
        assert unit.webhooks.disable("hook-1", "410 Gone") is True
    with store.writing("shop") as unit:
        webhook = unit.webhooks.get("hook-1")
        assert webhook is not None
        assert (webhook.state, webhook.disabled_reason) == ("disabled", "410 Gone")
        assert unit.outbox.counts() == {"pending": 3, "exhausted": 1, "cancelled": 2}
        unit.outbox.add("alert.opened", {}, AT, ["hook-1"])
    clock.advance(minutes=2)
    assert {claim.webhook.id for claim in worker.due(clock.now)} == {"hook-2"}
    with store.writing("shop") as unit:
        assert unit.webhooks.disable("hook-2", "by hand") is True
        assert unit.webhooks.disable("nothing", "by hand") is False
        unit.webhooks.put(a_webhook("hook-1", state="disabled"))
        assert unit.outbox.counts() == {"exhausted": 1, "cancelled": 6}
    assert worker.next_due(clock.now) is None


def test_a_removed_webhook_takes_its_deliveries_along(store: Store, clock: FixedClock) -> None:
    add_webhooks(store, "hook-1", "hook-2")
    send(store, "hook-1", "hook-2")
    with store.writing("shop") as unit:
        unit.webhooks.remove("hook-1")
        assert unit.webhooks.deliveries("hook-1").items == ()
    assert [claim.webhook.id for claim in store.outbox_worker().due(clock.now)] == ["hook-2"]


def test_a_backlog_leaves_room_for_the_others(store: Store, clock: FixedClock) -> None:
    add_webhooks(store, "dead", "lively")
    add_webhooks(store, "dead", workspace="other")
    send(store, "dead", number=50)
    clock.advance(seconds=1)
    send(store, "lively", number=3)
    send(store, "dead", number=3, workspace="other")
    worker = store.outbox_worker()

    def shares(claims: list[Claim]) -> Counter[tuple[str, str]]:
        return Counter((claim.workspace, claim.webhook.id) for claim in claims)

    assert shares(worker.due(clock.now, limit=3, per_webhook=4)) == {
        ("shop", "dead"): 1,
        ("shop", "lively"): 1,
        ("other", "dead"): 1,
    }
    assert shares(worker.due(clock.now, limit=50, per_webhook=4)) == {
        ("shop", "dead"): 3,
        ("shop", "lively"): 2,
        ("other", "dead"): 2,
    }
    assert worker.due(clock.now, per_webhook=4) == [], "four under way are enough"


def test_two_workers_never_carry_the_same(
    open_store: Callable[[], Store], store: Store, clock: FixedClock, store_url: str
) -> None:
    hooks = [f"hook-{number}" for number in range(10)]
    add_webhooks(store, *hooks)
    send(store, *hooks, number=20)
    stores = [store, open_store()]
    carried: list[str] = []

    def carry(turn: int) -> None:
        worker = stores[turn % 2].outbox_worker()
        while claims := worker.due(clock.now, limit=7):
            for claim in claims:
                carried.append(claim.delivery_id)
                assert worker.succeeded(claim, clock.now, 200) is True

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(carry, range(4)))
    # A worker stops as soon as the others hold all that is left; none of it is lost.
    carry(0)
    assert len(carried) == 200
    assert len(set(carried)) == 200
    assert {row["state"] for row in rows(store_url)["deliveries"]} == {"delivered"}


def test_five_failing_days_are_counted_from_the_first_failure_since_something_arrived(
    store: Store, clock: FixedClock
) -> None:
    add_webhooks(store, "hook-1")
    send(store, "hook-1", number=3)
    worker = store.outbox_worker()
    began = clock.now

    def spell() -> tuple[object, object]:
        with store.reading("shop") as unit:
            webhook = unit.webhooks.get("hook-1")
            assert webhook is not None
            return webhook.failing_since, webhook.failed_at

    assert spell() == (None, None)
    for hours in (1, 30, 40):
        first, *others = worker.due(clock.now, per_webhook=4)
        assert (len(others) == 2) is (hours == 1), "one at a time while it fails"
        worker.failed(first, clock.now, clock.now, 500, "answered 500", "no")
        for other in others:
            worker.failed(other, clock.now, clock.now, 500)
        assert spell() == (began, clock.now)
        clock.advance(hours=hours)
    [claim] = worker.due(clock.now, per_webhook=4)
    worker.failed(claim, clock.now, clock.now, 500)
    assert spell() == (clock.now, clock.now), "nothing was tried for 40 hours: it begins anew"
    clock.advance(minutes=2)
    [claim] = worker.due(clock.now, per_webhook=4)
    worker.succeeded(claim, clock.now, 200, "fine")
    assert spell() == (None, None)
    with store.writing("shop") as unit:
        delivered = unit.webhooks.delivery("hook-1", claim.delivery_id)
        assert delivered is not None
        assert delivered.response == "fine"
        unit.webhooks.put(a_webhook("hook-1"))
        assert unit.webhooks.waiting("hook-1") == 2
        states = unit.webhooks.states_of("hook-1", [claim.message_id, "msg_unknown"])
        assert states == {claim.message_id: {"delivered"}}


def test_what_an_endpoint_answered_goes_with_an_erasure(store: Store, clock: FixedClock) -> None:
    """It may have answered with what it was sent."""
    add_webhooks(store, "hook-1")
    send(store, "hook-1")
    worker = store.outbox_worker()
    [claim] = worker.due(clock.now)
    worker.failed(claim, clock.now, clock.now, 500, "answered 500", "you wrote: my parcel is late")
    with store.writing("shop") as unit:
        unit.erase_customer("u1")
        kept = unit.webhooks.delivery("hook-1", claim.delivery_id)
    assert kept is not None
    assert (kept.response, kept.last_error) == (None, "answered 500")
