"""Endpoints on loopback, and how messages get to them."""

from __future__ import annotations

import asyncio
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from kb_service.delivery.addresses import parse_networks
from kb_service.delivery.courier import Courier
from kb_service.delivery.endpoints import Endpoints
from kb_service.models import Principal
from kb_service.observability import Metrics
from kb_service.store import Store
from tests.conftest import FixedClock

LOOPBACK = parse_networks("127.0.0.0/8")
CALLER = Principal("shop", "key_test", frozenset({"product"}))
DEAD = "http://127.0.0.1:9/hook"
"""Nothing listens there."""


class Receiver:
    """Answers each POST with the next of `statuses` (the last one for ever) and keeps what came.

    With `hold` it answers nothing until `release` is set.
    """

    def __init__(
        self, statuses: list[int], location: str | None = None, body: bytes = b"", hold: bool = False
    ) -> None:
        self.statuses = statuses
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []
        self.connections = 0
        self.release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                content = self.rfile.read(length)
                outer.paths.append(self.path)
                outer.received.append((dict(self.headers.items()), content))
                if hold:
                    outer.release.wait(60)
                status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    self.close_connection = True  # the sender had read enough

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The ids of the messages that came, in their order."""
        return [headers["webhook-id"] for headers, _ in self.received]

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def hook(
    store: Store,
    webhook_id: str,
    url: str,
    *,
    types: tuple[str, ...] = ("alert.opened",),
    format: str = "standard",
    products: tuple[str, ...] = (),
) -> str:
    """Creates a webhook, or changes it; its secret when it is new."""
    filter = {"product": products} if products else {}
    endpoint = Endpoints(store, LOOPBACK).put(
        CALLER, webhook_id, url=url, types=types, filter=filter, format=format
    )
    return endpoint.secret or ""


def send(store: Store, *webhook_ids: str) -> str:
    with store.writing("shop") as unit:
        return unit.outbox.add("alert.opened", {"id": "alt_1"}, unit.now, list(webhook_ids))


def courier(store: Store, at: FixedClock, allow: str = "127.0.0.0/8") -> Courier:
    return Courier(store, Metrics(), allow=parse_networks(allow), clock=at, chance=random.Random(7))


def carry_all(carrier: Courier) -> int:
    """Attempts until nothing is due any more; how many attempts were made."""

    async def all_due() -> int:
        made = 0
        while carried := await carrier.deliver_due():
            made += carried
        return made

    return asyncio.run(all_due())


def deliveries(store: Store, webhook_id: str) -> list[tuple[str, int]]:
    page = Endpoints(store, LOOPBACK).deliveries("shop", webhook_id, None, 200)
    return [(item.state, item.attempts) for item in page.items]
