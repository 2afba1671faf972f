"""More at once than there is room for: right ids, and an answer or a reasoned refusal for everybody."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx

from ingest.embedding import WordHashEmbedder
from kb_service import middleware
from kb_service.app import wire
from kb_service.models import NewDocument, Question, Scope
from kb_service.serving import SWITCH_SECONDS
from kb_service.settings import Settings
from tests.reliability.harness import (
    CALLER,
    SOAK,
    Served,
    derived,
    judge_store,
    ndjson,
    new_shop,
    rounds,
    word,
)
from tests.reliability.victims import SHOP

READERS, WRITERS = 32, 4
SECONDS = 60.0 if SOAK else 3.0
TURNS = 3
PATIENCE_SECONDS = 60.0
NOTES = 60


def note(number: int, revision: int) -> NewDocument:
    text = f"The locker of note{number} opens with {word(number, revision)} at nine."
    return NewDocument(
        f"note-{number}", {"kind": "faq", "title": f"Note note{number}", "text": text, "language": "en"}
    )


class Places:
    """A bounded number of places, given in the order of asking, as the service gives its worker threads."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


def test_readers_writers_and_a_deleter_at_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    new_shop(data)
    services = wire(Settings(data=data), embedder=WordHashEmbedder())
    services.start()
    services.knowledge.put_many(CALLER, [note(number, 0) for number in range(NOTES)])
    stopping = threading.Event()
    # Requests of so many clients take turns on the worker threads, as here.
    places = Places(services.settings.worker_threads)
    faults: list[str] = []
    counts: Counter[str] = Counter()
    gone: dict[int, float] = {}
    kept = range(NOTES // 2)

    def read(seed: int) -> None:
        chance = random.Random(seed)
        while not stopping.is_set():
            number = chance.randrange(NOTES)
            begun = time.perf_counter()
            with places:
                hits = services.answering.search(SHOP, f"locker of note{number}", Scope(), 5)
            for hit in hits:
                mine = hit.external_id.removeprefix("note-")
                if f"note{mine} " not in hit.text or hit.title != f"Note note{mine}":
                    faults.append(f"{hit.external_id} came with {hit.title}: {hit.text}")
            if number in kept and f"note-{number}" not in {hit.external_id for hit in hits}:
                faults.append(f"note-{number} was not found, though it was always there")
            for hit in hits:
                left = gone.get(int(hit.external_id.removeprefix("note-")))
                if left is not None and left < begun:
                    faults.append(f"{hit.external_id} was removed and is found")
            if seed % 8 == 0:
                with places:
                    services.answering.answer(SHOP, Question(text=f"when does the locker {number} open"))
            counts["read"] += 1

    def write(seed: int) -> None:
        chance = random.Random(1000 + seed)
        revision = 0
        while not stopping.is_set():
            revision += 1
            number = chance.choice([item for item in kept if item % WRITERS == seed])
            with places:
                services.knowledge.put_many(CALLER, [note(number, revision)])
            counts["written"] += 1

    def delete() -> None:
        for number in range(NOTES // 2, NOTES):
            if stopping.wait(SECONDS / NOTES):
                return
            with places:
                services.knowledge.remove(CALLER, f"note-{number}")
            gone[number] = time.perf_counter()
            counts["deleted"] += 1

    def guarded(work: Callable[..., None], *arguments: int) -> Callable[[], None]:
        def run() -> None:
            try:
                work(*arguments)
            except Exception as error:
                faults.append(f"{work.__name__}: {error!r}")

        return run

    ways = [guarded(read, seed) for seed in range(READERS)]
    ways += [guarded(write, seed) for seed in range(WRITERS)] + [guarded(delete)]
    threads = [threading.Thread(target=way) for way in ways]
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        for thread in threads:
            thread.start()
        begun = time.monotonic()
        # As long as it takes for everyone to have had several turns, however busy the machine is.
        while time.monotonic() - begun < SECONDS or (
            min(counts["read"], counts["written"], counts["deleted"]) < TURNS
            and any(thread.is_alive() for thread in threads)
            and time.monotonic() - begun < PATIENCE_SECONDS
        ):
            time.sleep(0.05)
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(usual)
    try:
        assert faults[:5] == []
        assert min(counts["read"], counts["written"], counts["deleted"]) >= TURNS, counts
        services.replicas.follow(SHOP)
        live = services.replicas.settled(SHOP)
        before = derived(live)
        live.reset()
        assert derived(live) == before, "followed is the same as derived anew"
    finally:
        services.stop()
    judge_store(data)


def test_five_times_the_load_is_answered_or_refused_with_a_reason(
    tmp_path: Path,
) -> None:
    """Everything received is answered or refused with 503 and Retry-After; the process keeps its size."""
    allowed = 4
    data = tmp_path / "data"
    served = Served(data, new_shop(data), settings={"max_concurrency": allowed, "worker_threads": 2})
    try:
        served.start()
        with served.client() as client:
            lines = [
                {"external_id": f"n{n}", "title": "Locker", "text": f"Locker {word(n)}.", "kind": "faq"}
                for n in range(300)
            ]
            client.post("/v1/documents:batch", content=ndjson(lines)).raise_for_status()
        steady = asyncio.run(_load(served, allowed, 0.5))
        assert set(steady) == {200}
        before = served.memory_mb()
        statuses = asyncio.run(_load(served, 5 * allowed, rounds(2, 60)))
        grown = served.memory_mb() - before
        slow = asyncio.run(_slow_batches(served, 5 * allowed))
        with served.client() as client:
            metrics = client.get("/metrics").text
            assert client.get("/health/live").status_code == 200
    finally:
        served.kill()
    assert set(statuses) <= {200, 503}
    assert statuses[200] > 50
    assert set(slow) <= {200, 503}
    assert slow[503] > 0, "those that could not get a place were told so"
    refused = sum(
        float(line.rpartition(" ")[2])
        for line in metrics.splitlines()
        if line.startswith("kb_requests_refused_total{")
    )
    assert refused == statuses[503] + slow[503], "received = answered + refused, each counted"
    assert grown < 100, f"the process grew by {grown:.0f} MB"


def _checked(response: httpx.Response) -> int:
    if response.status_code == 503:
        assert int(response.headers["Retry-After"]) >= 1
        assert response.headers["content-type"] == "application/problem+json"
    return response.status_code


async def _load(served: Served, clients: int, seconds: float) -> Counter[int]:
    """So many clients, each asking again at once; the statuses that they were given."""
    statuses: Counter[int] = Counter()
    end = time.monotonic() + seconds

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        chance = random.Random(number)
        while time.monotonic() < end:
            path = chance.choice(("/v1/search", "/v1/answers"))
            response = await client.post(path, json={"query": f"locker {word(chance.randrange(300))}"})
            statuses[_checked(response)] += 1

    async with served.async_client(limits=httpx.Limits(max_connections=None)) as client:
        await asyncio.gather(*(ask(client, number) for number in range(clients)))
    return statuses


async def _slow_batches(served: Served, clients: int) -> Counter[int]:
    """Clients that hold their places for longer than others wait for one."""
    statuses: Counter[int] = Counter()

    async def body() -> AsyncIterator[bytes]:
        yield b""
        await asyncio.sleep(middleware.WAIT_SECONDS + 1)
        yield b""

    async def send(client: httpx.AsyncClient) -> None:
        response = await client.post("/v1/events:batch", content=body())
        statuses[_checked(response)] += 1

    async with served.async_client(limits=httpx.Limits(max_connections=None)) as client:
        await asyncio.gather(*(send(client) for _ in range(clients)))
    return statuses
