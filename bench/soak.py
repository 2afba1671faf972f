"""The service under mixed load for some minutes, killed now and then, judged by a ledger kept outside it.

    make soak SOAK_MINUTES=10

Readers ask and search, writers put documents and take some back, a reporter sends events. Each writer notes
what was acknowledged. Every two minutes the process is killed as by a power cut and started again; then a
sample of the acknowledged documents must be found, and none that was removed. At the end: no response other
than those allowed, no lost document, and memory that has not grown by half since the load was first steady.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np

from bench import shop
from bench.server import Server, kb, new_key

WORKSPACE = "demo"
KILL_EVERY = 120.0
READERS, WRITERS = 6, 2
KEPT = 200
"""Documents that a writer keeps; beyond these each new one takes the place of the oldest."""


class Load:
    """Threads that use the service until told to stop, and what they saw."""

    def __init__(self, server: Server, key: str, questions: list[str]) -> None:
        self.server = server
        self.key = key
        self.questions = questions
        self.seconds: dict[str, list[float]] = {}
        self.statuses: Counter[str] = Counter()
        self.faults: list[str] = []
        self.held: dict[str, str] = {}
        self.removed: set[str] = set()
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.serving = threading.Event()
        self.serving.set()
        self.idle = threading.Semaphore(0)

    def reads(self, number: int) -> Callable[[httpx.Client], None]:
        chance = random.Random(number)

        def one(client: httpx.Client) -> None:
            text = chance.choice(self.questions)
            if chance.random() < 0.5:
                self.call(client, "answers", "POST", "/v1/answers", {"query": text})
            else:
                self.call(client, "search", "POST", "/v1/search", {"query": text, "limit": 5})

        return one

    def writes(self, number: int) -> Callable[[httpx.Client], None]:
        counter = itertools.count()
        mine: list[str] = []

        def one(client: httpx.Client) -> None:
            external_id = f"soak-{number}-{next(counter)}"
            word = f"zq{number}x{len(mine)}y{next(counter)}"
            body = {
                "kind": "faq",
                "title": f"About {word}",
                "text": f"The code {word} opens the parcel locker.",
            }
            if self.call(client, "put", "PUT", f"/v1/documents/{external_id}", body):
                with self.lock:
                    self.held[external_id] = word
                mine.append(external_id)
            if len(mine) > KEPT:
                oldest = mine.pop(0)
                with self.lock:
                    self.held.pop(oldest)
                if self.call(client, "delete", "DELETE", f"/v1/documents/{oldest}", None):
                    with self.lock:
                        self.removed.add(oldest)

        return one

    def reports(self) -> Callable[[httpx.Client], None]:
        chance = random.Random(1)
        counter = itertools.count()

        def one(client: httpx.Client) -> None:
            number = next(counter)
            event = {
                "id": f"soak-{number}",
                "type": "message",
                "at": datetime.now(UTC).isoformat(),
                "conversation_id": f"soak-{number}",
                "customer_id": f"soak-{number % 50}",
                "channel": "web",
                "text": chance.choice(self.questions),
            }
            self.call(client, "event", "POST", "/v1/events", event)

        return one

    def call(self, client: httpx.Client, name: str, method: str, path: str, body: object) -> bool:
        """One request; True when it was acknowledged. What may not happen is noted as a fault."""
        begun = time.perf_counter()
        try:
            response = client.request(method, path, json=body)
        except httpx.TransportError as error:
            if self.serving.is_set() and not self.stopping.is_set():
                self.fault(f"{name}: {type(error).__name__} while the service was up")
            return False
        with self.lock:
            self.seconds.setdefault(name, []).append(time.perf_counter() - begun)
            self.statuses[f"{name} {response.status_code}"] += 1
        if response.status_code in (429, 503):
            if "Retry-After" not in response.headers:
                self.fault(f"{name}: {response.status_code} without Retry-After")
            return False
        if response.is_error:
            self.fault(f"{name}: {response.status_code} {response.text[:200]}")
        return response.is_success

    def fault(self, text: str) -> None:
        with self.lock:
            self.faults.append(text)

    def run(self, one: Callable[[httpx.Client], None]) -> None:
        """A thread's life: one request after another, standing still while the process is replaced."""
        with self.server.client(self.key) as client:
            while not self.stopping.is_set():
                if self.serving.is_set():
                    one(client)
                else:
                    self.idle.release()
                    self.serving.wait()

    def judge(self) -> None:
        """Every acknowledged document is found, none that was removed."""
        with self.lock:
            held, removed = dict(self.held), set(self.removed)
        with self.server.client(self.key) as client:
            for external_id, word in random.Random(0).sample(sorted(held.items()), min(300, len(held))):
                hits = client.post("/v1/search", json={"query": word, "limit": 10}).json()["hits"]
                found = {hit["external_id"] for hit in hits}
                if external_id not in found:
                    self.fault(f"{external_id} was acknowledged and is not found")
                if found & removed:
                    self.fault(f"{sorted(found & removed)[0]} was removed and is found")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb-soak-") as folder:
        data = Path(folder)
        kb(data, "demo", "--fill-only")
        key = new_key(data, WORKSPACE, "bot,agent,product,editor,admin")
        server = Server(data)
        server.start()
        load = Load(server, key, shop.questions(400))
        try:
            memory = _soak(load, given.minutes * 60)
        finally:
            server.stop()
    return _report(load, memory)


def _soak(load: Load, seconds: float) -> list[float]:
    """Runs the load for so long, with a kill every now and then; memory in MB, each steady half minute."""
    ways = [load.reads(number) for number in range(READERS)]
    ways += [load.writes(number) for number in range(WRITERS)]
    ways.append(load.reports())
    threads = [threading.Thread(target=load.run, args=(way,)) for way in ways]
    memory: list[float] = []
    with ExitStack() as ending:
        for thread in threads:
            ending.callback(thread.join, 60)
        ending.callback(load.serving.set)
        ending.callback(load.stopping.set)
        for thread in threads:
            thread.start()
        end = time.monotonic() + seconds
        next_kill = time.monotonic() + KILL_EVERY
        while time.monotonic() < end:
            time.sleep(min(30.0, max(0.0, end - time.monotonic())))
            memory.append(load.server.memory_mb())
            print(f"{memory[-1]:.0f} MB, {sum(load.statuses.values()):,} requests, {len(load.faults)} faults")
            if time.monotonic() > next_kill:
                _kill(load, len(threads))
                next_kill = time.monotonic() + KILL_EVERY
    load.judge()
    return memory


def _kill(load: Load, threads: int) -> None:
    load.serving.clear()
    load.server.kill()
    for _ in range(threads):
        load.idle.acquire(timeout=60)
    load.server.start()
    print(f"killed; ready again after {load.server.seconds_to_ready:.1f} s")
    load.judge()
    load.serving.set()


def _report(load: Load, memory: list[float]) -> int:
    for name, taken in sorted(load.seconds.items()):
        p50, p99 = np.percentile(taken, [50, 99]) * 1e3
        print(f"{name:10}{len(taken):>8,} requests{p50:>9.1f} ms median{p99:>9.1f} ms p99")
    print(", ".join(f"{name} x {count:,}" for name, count in sorted(load.statuses.items())))
    steady = memory[1:] or memory
    if max(steady) > 1.5 * steady[0]:
        load.faults.append(f"memory grew from {steady[0]:.0f} to {max(steady):.0f} MB")
    for text, count in Counter(load.faults).most_common(20):
        print(f"FAULT x {count}: {text}")
    print("no faults" if not load.faults else f"{len(load.faults)} faults")
    return 1 if load.faults else 0


if __name__ == "__main__":
    sys.exit(main())
