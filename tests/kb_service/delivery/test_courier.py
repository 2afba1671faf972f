"""The courier against real receivers on loopback."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from kb_service.delivery.addresses import parse_networks
from kb_service.delivery.courier import JITTER, SCHEDULE, Courier
from kb_service.delivery.endpoints import Endpoints
from kb_service.models import Principal
from kb_service.observability import Metrics
from kb_service.store import Store
from tests.conftest import FixedClock

LOOPBACK = parse_networks("127.0.0.0/8")
CALLER = Principal("shop", "key_test", frozenset({"product"}))


class Receiver:
    """Answers each POST with the next of `statuses` (the last one for ever) and keeps what came."""

    def __init__(self, statuses: list[int], location: str | None = None) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                outer.received.append((dict(self.headers.items()), self.rfile.read(length)))
                status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def at(clock: FixedClock) -> FixedClock:
    """The present, because the reference verifier compares with the wall clock."""
    clock.now = datetime.now(UTC)
    return clock


@pytest.fixture
def store(tmp_path: Path, at: FixedClock) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'kb.sqlite3'}", clock=at)
    store.migrate()
    with store.administration() as unit:
        unit.workspaces.create("shop")
    yield store
    store.close()


def hook(store: Store, webhook_id: str, url: str) -> str:
    """Creates a webhook and returns its secret."""
    endpoint = Endpoints(store, LOOPBACK).put(
        CALLER, webhook_id, url=url, types=("alert.opened",), filter={}, format="standard"
    )
    assert endpoint.secret is not None
    return endpoint.secret


def send(store: Store, *webhook_ids: str) -> str:
    with store.writing("shop") as unit:
        return unit.outbox.add("alert.opened", {"id": "alt_1"}, unit.now, list(webhook_ids))


def courier(store: Store, at: FixedClock, allow: str = "127.0.0.0/8") -> Courier:
    return Courier(store, Metrics(), allow=parse_networks(allow), clock=at, chance=random.Random(7))


def deliveries(store: Store, webhook_id: str) -> list[tuple[str, int]]:
    page = Endpoints(store, LOOPBACK).deliveries("shop", webhook_id, None, 50)
    return [(item.state, item.attempts) for item in page.items]


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


def test_a_dead_endpoint_does_not_hold_up_the_others(store: Store, at: FixedClock) -> None:
    receiver = Receiver([200])
    try:
        hook(store, "dead", "http://127.0.0.1:9/hook")
        hook(store, "live", receiver.url)
        for _ in range(20):
            send(store, "dead", "live")
        carrier = courier(store, at)
        for _ in range(5):
            asyncio.run(carrier.deliver_due())
        assert len(receiver.received) == 20
    finally:
        receiver.close()


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
