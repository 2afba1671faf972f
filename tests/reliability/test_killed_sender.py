"""The webhook sender killed at random points: every message arrives, again only under the same id."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks.webhooks import Webhook as Verifier

from kb_service.delivery.addresses import parse_networks
from kb_service.delivery.endpoints import Endpoints
from kb_service.store import Store
from tests.reliability import victims
from tests.reliability.harness import CALLER, Victim, new_shop, pause, rounds
from tests.reliability.victims import SHOP, opened

KILLS = rounds(8, 200)
MESSAGES = 6
"""New ones before each kill."""


class FickleReceiver:
    """Takes some, refuses some, is slow with others; keeps what it has read, whatever it answered."""

    def __init__(self, chance: random.Random) -> None:
        self.bodies: dict[str, set[bytes]] = defaultdict(set)
        self.headers: list[dict[str, str]] = []
        self.came = threading.Event()
        self.well = False
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    self.close_connection = True  # the sender was killed between its head and its end
                    return
                with lock:
                    dice = 0.0 if outer.well else chance.random()
                    outer.bodies[self.headers["webhook-id"]].add(body)
                    outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                outer.came.set()
                if dice > 0.75:
                    time.sleep(0.1)
                self.send_response(500 if 0.5 < dice < 0.75 else 204)
                self.end_headers()

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    self.close_connection = True  # the sender was killed

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_no_message_is_lost_and_every_duplicate_keeps_its_id(tmp_path: Path) -> None:
    chance = random.Random(18)
    data = tmp_path / "data"
    new_shop(data)
    receiver = FickleReceiver(random.Random(7))
    sent: list[str] = []
    ahead = timedelta(0)
    try:
        with closing(opened(data)) as store:
            endpoints = Endpoints(store, parse_networks("127.0.0.0/8"))
            made = endpoints.put(
                CALLER, "team", url=receiver.url, types=("alert.opened",), filter={}, format="standard"
            )
            for kill in range(KILLS):
                with store.writing(SHOP) as unit:
                    added = [
                        unit.outbox.add("alert.opened", {"id": f"alt_{kill}_{number}"}, unit.now, ["team"])
                        for number in range(MESSAGES)
                    ]
                sent += added  # committed: from here on none may be lost
                receiver.came.clear()
                with Victim(victims.carry, data, ahead, kill) as victim:
                    receiver.came.wait(20)
                    pause(chance, 0.0, 0.15)
                    victim.kill()
                ahead += timedelta(hours=3)
            receiver.well = True
            for _ in range(12):
                with Victim(victims.carry, data, ahead, KILLS) as victim:
                    deadline = time.monotonic() + 3
                    while time.monotonic() < deadline and _pending(store):
                        time.sleep(0.05)
                if not _pending(store):
                    break
                ahead += timedelta(days=2)
            with store.reading(SHOP) as unit:
                counts = {state: count for state, count in unit.outbox.counts().items() if count}
    finally:
        receiver.close()
    assert counts == {"delivered": len(sent)}
    assert set(receiver.bodies) == set(sent), "all of them, and nothing else"
    assert {len(bodies) for bodies in receiver.bodies.values()} == {1}, "the same id is the same message"
    assert len(receiver.headers) > len(sent), "some came twice, or nothing was tried here"
    assert made.secret is not None
    for headers in receiver.headers:
        (body,) = receiver.bodies[headers["webhook-id"]]
        # Sent by a clock that is ahead; what is signed is checked here, not how old it is.
        signed = Verifier(made.secret).sign(
            headers["webhook-id"],
            datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC),
            body.decode(),
        )
        assert signed in headers["webhook-signature"].split()


def test_a_message_torn_off_by_a_kill_is_no_message() -> None:
    receiver = FickleReceiver(random.Random(7))
    receiver.well = True
    head = b"POST /hook HTTP/1.1\r\nhost: here\r\nwebhook-id: msg_1\r\ncontent-length: 10\r\n\r\n"
    try:
        for sent, told in ((b"", b""), (b"01234", b""), (b"0123456789", b"HTTP/1.0 204")):
            with socket.create_connection(("127.0.0.1", receiver.port), timeout=20) as line:
                line.sendall(head + sent)
                line.shutdown(socket.SHUT_WR)
                assert line.recv(12) == told
    finally:
        receiver.close()
    assert receiver.bodies == {"msg_1": {b"0123456789"}}


def _pending(store: Store) -> int:
    with store.reading(SHOP) as unit:
        return int(unit.outbox.counts().get("pending", 0))
