"""What a webhook should have heard, put in line again from the log."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from kb_service.delivery import resending
from kb_service.delivery.announcing import announce
from kb_service.delivery.endpoints import Endpoints
from kb_service.delivery.resending import Resent
from kb_service.errors import InvalidRequest, NotFound
from kb_service.store import Store
from tests.conftest import FixedClock
from tests.kb_service.delivery.receivers import (
    CALLER,
    DEAD,
    LOOPBACK,
    Receiver,
    carry_all,
    courier,
    deliveries,
    hook,
    send,
)


@pytest.fixture
def began(at: FixedClock) -> datetime:
    return at.now


def resend(store: Store, since: datetime, webhook_id: str = "hook", **given: Any) -> Resent:
    values: dict[str, Any] = {"until": None, "types": (), "undelivered": False, **given}
    return Endpoints(store, LOOPBACK).resend(CALLER, webhook_id, since=since, **values)


def tell(store: Store, type: str = "alert.opened", **about: Any) -> str:
    with store.writing("shop") as unit:
        data = {"products": list(about.get("products", ())), "expertise": about.get("expertise")}
        return announce(unit, type, data, unit.now, **about)


def test_what_was_told_before_a_webhook_was_made_can_be_had(
    store: Store, at: FixedClock, began: datetime
) -> None:
    told = []
    for _ in range(5):
        told.append(tell(store))
        at.advance(minutes=1)
    with Receiver([200]) as receiver:
        hook(store, "hook", receiver.url)
        assert carry_all(courier(store, at)) == 0
        assert resend(store, began) == Resent(queued=5, pending=0, delivered=0)
        carry_all(courier(store, at))
        assert sorted(receiver.ids) == sorted(told)
        assert receiver.ids[4] == told[4], "the earliest first, as many at once as a webhook is given"


def test_the_same_call_again_puts_nothing_in_line_twice(
    store: Store, at: FixedClock, began: datetime
) -> None:
    hook(store, "hook", DEAD)
    tell(store)
    assert resend(store, began) == Resent(0, 1, 0), "it waits already"
    with store.writing("shop") as unit:
        unit.webhooks.disable("hook", "by hand")
    hook(store, "hook", DEAD)
    assert resend(store, began) == Resent(1, 0, 0)
    assert resend(store, began) == Resent(0, 1, 0)
    assert sorted(state for state, _ in deliveries(store, "hook")) == ["cancelled", "pending"]


def test_what_arrived_is_sent_again_under_its_id_unless_told_otherwise(
    store: Store, at: FixedClock, began: datetime
) -> None:
    with Receiver([200]) as receiver:
        hook(store, "hook", receiver.url)
        told = tell(store)
        carry_all(courier(store, at))
        assert resend(store, began, undelivered=True) == Resent(0, 0, 1)
        assert resend(store, began) == Resent(1, 0, 0)
        carry_all(courier(store, at))
        assert receiver.ids == [told, told]


def test_only_what_its_types_and_its_filter_let_through(
    store: Store, at: FixedClock, began: datetime
) -> None:
    tell(store, products=["SKU-1"])
    tell(store, products=["SKU-2"])
    tell(store, "gap.found", products=["SKU-1"])
    tell(store, "traffic.surge", expertise="parcels")
    hook(store, "hook", DEAD, products=("SKU-1",))
    hook(store, "other", DEAD, types=("gap.found", "traffic.surge"))
    assert resend(store, began).queued == 1
    assert resend(store, began, "other", types=("gap.found",)).queued == 1
    assert resend(store, began, "other") == Resent(1, 1, 0)


def test_an_alert_told_beside_another_counts_by_its_own_products(
    store: Store, at: FixedClock, began: datetime
) -> None:
    with store.writing("shop") as unit:
        also = [{"products": ["SKU-2"], "expertise": "parcels"}]
        unit.outbox.add("alert.opened", {"products": ["SKU-1"], "also": also}, unit.now, [])
    hook(store, "hook", DEAD, products=("SKU-2",))
    hook(store, "other", DEAD, products=("SKU-3",))
    assert (resend(store, began).queued, resend(store, began, "other").queued) == (1, 0)


def test_what_got_lost_on_its_way_counts_whatever_the_webhook_listens_to_now(
    store: Store, at: FixedClock, began: datetime
) -> None:
    hook(store, "hook", DEAD)
    send(store, "hook")
    with store.writing("shop") as unit:
        unit.webhooks.disable("hook", "by hand")
    hook(store, "hook", DEAD, types=("gap.found",))
    assert resend(store, began) == Resent(1, 0, 0)


def test_the_span_ends_before_until(store: Store, at: FixedClock, began: datetime) -> None:
    for _ in range(4):
        tell(store)
        at.advance(hours=1)
    hook(store, "hook", DEAD)
    hour = timedelta(hours=1)
    assert resend(store, began + hour, until=began + 3 * hour).queued == 2
    with pytest.raises(InvalidRequest, match="since"):
        resend(store, began, until=began)


def test_a_span_with_too_much_is_refused_whole(
    store: Store, at: FixedClock, began: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resending, "MOST_AT_ONCE", 3)
    for _ in range(4):
        tell(store)
    hook(store, "hook", DEAD)
    with pytest.raises(InvalidRequest, match="more than 3"):
        resend(store, began)
    assert deliveries(store, "hook") == []


def test_a_stranger_replays_nothing(store: Store, at: FixedClock, began: datetime) -> None:
    with store.administration() as unit:
        unit.workspaces.create("other")
    tell(store)
    hook(store, "hook", DEAD)
    stranger = CALLER.__class__("other", "key_other", CALLER.roles)
    with pytest.raises(NotFound):
        Endpoints(store, LOOPBACK).resend(
            stranger, "hook", since=began, until=None, types=(), undelivered=False
        )
    with store.reading("shop") as unit:
        assert unit.webhooks.deliveries("hook").items == ()
