"""The courier against real receivers on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from kb_service.delivery.courier import JITTER, SCHEDULE
from kb_service.delivery.endpoints import Endpoints
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


def test_a_message_arrives_signed_and_once(store: Store, at: FixedClock) -> None:
    receiver = Receiver([204])
    try:
        secret = hook(store, "hook", receiver.url)
        message_id = send(store, "hook")
        carrier = courier(store, at)
        assert asyncio.run(carrier.deliver_due()) == 1
        assert asyncio.run(carrier.deliver_due()) == 0
    finally:
        receiver.close()
    ((headers, body),) = receiver.received
    assert headers["webhook-id"] == message_id
    Verifier(secret).verify(body.decode(), headers)
    assert deliveries(store, "hook") == [("delivered", 1)]


def test_a_failing_endpoint_is_retried_on_the_schedule_under_the_same_id(
    store: Store, at: FixedClock
) -> None:
    receiver = Receiver([500, 503, 200])
    try:
        hook(store, "hook", receiver.url)
        send(store, "hook")
        carrier = courier(store, at)
        assert asyncio.run(carrier.deliver_due()) == 1
        assert asyncio.run(carrier.deliver_due()) == 0, "the retry waits"
        at.now += SCHEDULE[1] * (1 + JITTER)
        assert asyncio.run(carrier.deliver_due()) == 1
        at.now += SCHEDULE[2] * (1 + JITTER)
        assert asyncio.run(carrier.deliver_due()) == 1
    finally:
        receiver.close()
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    assert deliveries(store, "hook") == [("delivered", 3)]


def test_the_schedule_ends_and_the_delivery_is_visible_and_replayable(store: Store, at: FixedClock) -> None:
    receiver = Receiver([500] * len(SCHEDULE) + [200])
    try:
        hook(store, "hook", receiver.url)
        message_id = send(store, "hook")
        carrier = courier(store, at)
        for _ in SCHEDULE:
            assert asyncio.run(carrier.deliver_due()) == 1
            at.now += timedelta(days=2)
        assert asyncio.run(carrier.deliver_due()) == 0
        assert deliveries(store, "hook") == [("exhausted", len(SCHEDULE))]
        endpoints = Endpoints(store, LOOPBACK)
        exhausted = endpoints.deliveries("shop", "hook", None, 50).items[0]
        replayed = endpoints.replay(CALLER, "hook", exhausted.id)
        assert replayed.message_id == message_id
        assert asyncio.run(carrier.deliver_due()) == 1
    finally:
        receiver.close()
    assert {headers["webhook-id"] for headers, _ in receiver.received} == {message_id}


def test_gone_disables_the_endpoint_and_cancels_what_waits(store: Store, at: FixedClock) -> None:
    receiver = Receiver([410])
    try:
        hook(store, "hook", receiver.url)
        send(store, "hook")
        asyncio.run(courier(store, at).deliver_due())
    finally:
        receiver.close()
    endpoint = Endpoints(store, LOOPBACK).get("shop", "hook")
    assert endpoint.state == "disabled"
    assert "410" in (endpoint.disabled_reason or "")


def test_a_redirect_fails_and_is_not_followed(store: Store, at: FixedClock) -> None:
    target = Receiver([200])
    receiver = Receiver([302], location=target.url)
    try:
        hook(store, "hook", receiver.url)
        send(store, "hook")
        asyncio.run(courier(store, at).deliver_due())
    finally:
        receiver.close()
        target.close()
    assert len(receiver.received) == 1
    assert target.received == []
    assert deliveries(store, "hook") == [("pending", 1)]


def test_no_connection_is_opened_to_an_address_that_is_not_allowed(store: Store, at: FixedClock) -> None:
    receiver = Receiver([200])
    try:
        hook(store, "hook", receiver.url.replace("127.0.0.1", "localhost"))
        send(store, "hook")
        asyncio.run(courier(store, at, allow="").deliver_due())
    finally:
        receiver.close()
    assert receiver.received == []
    page = Endpoints(store, LOOPBACK).deliveries("shop", "hook", None, 50)
    assert "not public" in (page.items[0].error or "")


@pytest.mark.parametrize("backlog", [0, 200])
def test_a_dead_endpoint_with_a_backlog_leaves_the_others_their_pace(
    store: Store, at: FixedClock, backlog: int
) -> None:
    hook(store, "dead", DEAD)
    for _ in range(backlog):
        send(store, "dead")
    at.advance(seconds=1)
    with Receiver([200]) as receiver:
        hook(store, "live", receiver.url)
        sent = [send(store, "live") for _ in range(20)]
        carrier = courier(store, at)
        came = []
        for _ in range(5):
            asyncio.run(carrier.deliver_due())
            came.append(len(receiver.received))
        assert came == [4, 8, 12, 16, 20], "the same with and without the dead one"
        assert sorted(receiver.ids) == sorted(sent)


def test_an_endpoint_that_never_answers_holds_up_nobody(store: Store, at: FixedClock) -> None:
    with Receiver([200], hold=True) as silent, Receiver([200]) as live:
        hook(store, "silent", silent.url)
        hook(store, "live", live.url)
        for _ in range(20):
            send(store, "silent", "live")

        async def until_the_live_one_has_all() -> int:
            carrying = asyncio.create_task(courier(store, at).run())
            try:
                async with asyncio.timeout(10):  # shorter than an attempt at the silent one may take
                    while len(live.received) < 20:
                        await asyncio.sleep(0.01)
                return len(silent.received)
            finally:
                carrying.cancel()
                await asyncio.gather(carrying, return_exceptions=True)

        assert 0 < asyncio.run(until_the_live_one_has_all()) <= 4
    assert {state for state, _ in deliveries(store, "live")} <= {"delivered", "pending"}


def test_an_endpoint_that_fails_is_tried_with_one_at_a_time(store: Store, at: FixedClock) -> None:
    with Receiver([500]) as receiver:
        hook(store, "hook", receiver.url)
        for _ in range(10):
            send(store, "hook")
        carrier = courier(store, at)
        assert asyncio.run(carrier.deliver_due()) == 4
        assert asyncio.run(carrier.deliver_due()) == 1
        receiver.statuses[:] = [200]
        assert asyncio.run(carrier.deliver_due()) == 1
        assert asyncio.run(carrier.deliver_due()) == 4, "it is well again"


def test_a_receiver_that_is_down_for_a_day_gets_everything_afterwards(store: Store, at: FixedClock) -> None:
    with Receiver([503]) as receiver:
        hook(store, "hook", receiver.url)
        carrier = courier(store, at)
        sent = []
        for hour in range(24):
            sent.append(send(store, "hook"))
            for _ in range(2):
                carry_all(carrier)
                at.advance(minutes=30)
            assert {state for state, _ in deliveries(store, "hook")} == {"pending"}, hour
        failed = len(receiver.received)
        receiver.statuses[:] = [200]
        for _ in range(40):
            at.advance(hours=1)
            carry_all(carrier)
    assert {state for state, _ in deliveries(store, "hook")} == {"delivered"}
    assert sorted(receiver.ids[failed:]) == sorted(sent), "each once, after many failures"
    assert set(receiver.ids[:failed]) == set(sent), "under the id that it has kept"


class Interrupted(Exception):
    """Stands for the end of the process."""


class Failing:
    """An object whose methods fail at the n-th call from outside, before or after what they do."""

    def __init__(self, inner: Any, fails_at: Callable[[str], str | None]) -> None:
        self._inner = inner
        self._fails_at = fails_at

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def called(*arguments: Any, **named: Any) -> Any:
            moment = self._fails_at(name)
            if moment == "before":
                raise Interrupted
            result = method(*arguments, **named)
            if moment == "after":
                raise Interrupted
            return result

        return called


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", range(8))
def test_an_end_between_any_two_steps_loses_no_message(
    store: Store, at: FixedClock, step: int, moment: str
) -> None:
    calls: list[str] = []

    def fails_at(name: str) -> str | None:
        calls.append(name)
        return moment if len(calls) == step + 1 else None

    with Receiver([500, 200]) as receiver:
        hook(store, "hook", receiver.url)
        sent = [send(store, "hook") for _ in range(3)]
        carrier = courier(store, at)
        carrier._outbox = Failing(carrier._outbox, fails_at)  # type: ignore[assignment]
        for _ in range(12):
            with suppress(Interrupted):
                asyncio.run(carrier.deliver_due())
            at.advance(minutes=2)  # longer than a lease
    assert len(calls) > step, "the end came"
    assert {state for state, _ in deliveries(store, "hook")} == {"delivered"}
    assert set(receiver.ids) == set(sent)
    assert len({body for _, body in receiver.received}) <= len(sent), "a repeat says the same"
    assert len(receiver.received) <= len(sent) + 2, "one repeat for the failure, one for the end"


# --- what is connected to, and what is read


def test_no_proxy_is_used(store: Store, at: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver([200]) as receiver, Receiver([200]) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        hook(store, "hook", receiver.url)
        send(store, "hook")
        asyncio.run(courier(store, at).deliver_due())
        assert (len(receiver.received), len(proxy.received)) == (1, 0)


def test_a_connection_is_not_used_again(store: Store, at: FixedClock) -> None:
    """Under another name at the same address it would go by the certificate of the first."""
    with Receiver([200]) as receiver:
        hook(store, "hook", receiver.url)
        for _ in range(3):
            send(store, "hook")
        asyncio.run(courier(store, at).deliver_due())
        assert (len(receiver.received), receiver.connections) == (3, 3)


def test_of_a_long_answer_only_the_beginning_is_read_and_kept(store: Store, at: FixedClock) -> None:
    with Receiver([200], body=b"y" * 5_000_000) as receiver:
        hook(store, "hook", receiver.url)
        send(store, "hook")
        asyncio.run(courier(store, at).deliver_due())
    (item,) = Endpoints(store, LOOPBACK).deliveries("shop", "hook", None, 50).items
    assert (item.state, item.status) == ("delivered", 200)
    assert item.response is not None
    assert len(item.response) == 200


@pytest.mark.parametrize("format", ["feishu", "dingtalk", "wecom"])
def test_a_refusal_in_the_body_of_200_is_retried(store: Store, at: FixedClock, format: str) -> None:
    with Receiver([200], body=b'{"code": 9499, "errcode": 45009, "errmsg": "slow down"}') as receiver:
        hook(store, "hook", receiver.url, format=format)
        send(store, "hook")
        carrier = courier(store, at)
        asyncio.run(carrier.deliver_due())
        assert deliveries(store, "hook") == [("pending", 1)]
        at.advance(seconds=7)
        assert asyncio.run(carrier.deliver_due()) == 1
    assert len(set(receiver.ids)) == 1


def test_what_cannot_be_written_is_a_failure_and_no_end(
    store: Store, at: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("surprise")

    hook(store, "hook", DEAD)
    send(store, "hook")
    monkeypatch.setattr("kb_service.delivery.messages.body", broken)
    assert asyncio.run(courier(store, at).deliver_due()) == 1
    assert deliveries(store, "hook") == [("pending", 1)]


def test_after_a_rotation_both_secrets_verify(store: Store, at: FixedClock) -> None:
    receiver = Receiver([200])
    try:
        old = hook(store, "hook", receiver.url)
        new = Endpoints(store, LOOPBACK).rotate(CALLER, "hook").secret
        assert new is not None
        send(store, "hook")
        asyncio.run(courier(store, at).deliver_due())
    finally:
        receiver.close()
    ((headers, body),) = receiver.received
    Verifier(old).verify(body.decode(), headers)
    Verifier(new).verify(body.decode(), headers)
