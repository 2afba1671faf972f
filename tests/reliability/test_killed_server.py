"""A serving process killed at random points under writes: what it acknowledged is there, and counted once."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.reliability.harness import (
    Served,
    holding,
    ndjson,
    new_shop,
    pause,
    restarted,
    rounds,
    search,
    word,
)
from tests.reliability.victims import SHOP

KILLS = rounds(6, 200)
TALK = (
    "my parcel has not moved for three days",
    "the zipper broke after one wash",
    "the invoice shows a wrong name",
)


class Ledger:
    """What was sent and what was acknowledged, kept outside of the process that is killed."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.sent: dict[str, dict[str, Any]] = {}
        self.documents: dict[str, str] = {}
        self.removed: set[str] = set()
        self.uncertain: set[str] = set()
        self.faults: list[str] = []


class Writers:
    """Threads that write until the server dies; each takes turns between single writes and batches."""

    def __init__(self, served: Served, ledger: Ledger, round: int) -> None:
        self._served, self._ledger, self._round = served, ledger, round
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(way,)) for way in (self._report, self._put)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_for_answers(self, seconds: float = 30.0) -> None:
        """Until each way of writing was answered in this round, however slow the machine is."""
        documents, events = len(self._ledger.uncertain) + 2, len(self._ledger.events) + 1
        ends = time.monotonic() + seconds
        while len(self._ledger.uncertain) < documents or len(self._ledger.events) < events:
            assert time.monotonic() < ends, "nothing was acknowledged"
            time.sleep(0.01)

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self, way: Any) -> None:
        with self._served.client() as client:
            for number in itertools.count():
                if self._stopping.is_set():
                    return
                try:
                    way(client, number)
                except httpx.TransportError:
                    return  # it was killed
                except ValueError:
                    return  # in the middle of a line

    def _acknowledged(self, response: httpx.Response) -> bool:
        if response.status_code >= 400:
            self._ledger.faults.append(
                f"{response.request.url}: {response.status_code} {response.text[:200]}"
            )
        return response.is_success

    def _report(self, client: httpx.Client, number: int) -> None:
        ledger = self._ledger
        made = [self._event(f"{self._round}-{number}-{place}") for place in range(1 if number % 3 else 20)]
        ledger.sent |= {event["id"]: event for event in made}
        if len(made) == 1:
            response = client.post("/v1/events", json=made[0])
            if self._acknowledged(response):
                ledger.events[made[0]["id"]] = response.json()
            return
        with client.stream("POST", "/v1/events:batch", content=ndjson(made)) as response:
            for line in response.iter_lines():
                result = json.loads(line)
                ledger.events[result["id"]] = result

    def _event(self, id: str) -> dict[str, Any]:
        chance = random.Random(id)
        return {
            "id": id,
            "type": "message",
            "at": datetime.now(UTC).isoformat(),
            "conversation_id": f"c-{id}",
            "customer_id": f"u-{chance.randrange(40)}",
            "text": f"{chance.choice(TALK)} please help",
        }

    def _put(self, client: httpx.Client, number: int) -> None:
        ledger = self._ledger
        external_id = f"note-{self._round}-{number}"
        only = word(self._round * 100 + number % 100, number // 100)
        ledger.uncertain.add(external_id)
        body = {
            "kind": "faq",
            "title": external_id,
            "language": "en",
            "text": f"The locker {only} opens at nine.",
        }
        if self._acknowledged(client.put(f"/v1/documents/{external_id}", json=body)):
            ledger.documents[external_id] = only
        if number % 4 == 3:
            gone = f"note-{self._round}-{number - 2}"
            only = ledger.documents.pop(gone)
            if self._acknowledged(client.delete(f"/v1/documents/{gone}")):
                ledger.removed.add(gone)


def test_what_a_server_acknowledged_survives_its_death(tmp_path: Path) -> None:
    chance = random.Random(41)
    data = tmp_path / "data"
    served = Served(data, new_shop(data), publish_seconds=0.1)
    ledger = Ledger()
    try:
        for kill in range(KILLS):
            served.start()
            with served.client() as client:
                judge(client, ledger, chance)
            writers = Writers(served, ledger, kill)
            writers.start()
            writers.wait_for_answers()
            pause(chance, 0.3, 0.9)
            served.kill()
            writers.stop()
        served.start()
        with served.client() as client:
            judge(client, ledger, chance)
            # The client does not know what became of the rest, so it sends everything again.
            again = ndjson(ledger.sent.values())
            lines = client.post("/v1/events:batch", content=again, timeout=60).text.splitlines()
            states = {result["id"]: result["status"] for result in map(json.loads, lines)}
    finally:
        served.kill()
    assert ledger.faults == []
    assert {states[name] for name in ledger.events} == {"duplicate"}
    assert states.keys() == ledger.sent.keys()
    assert len(ledger.events) > 20, "too little was acknowledged to tell"
    assert len(ledger.documents) > 4
    with restarted(data) as (store, replica):
        with store.reading(SHOP) as unit:
            assert unit.events.count() == len(ledger.sent), "each once, whatever became of its first try"
            heads = set(unit.documents.heads())
            problems = unit.problems.all()
        assert ledger.documents.keys() <= heads <= ledger.uncertain - ledger.removed
        for external_id, only in ledger.documents.items():
            assert holding(search(replica, only), only) == [external_id]
        assert sum(item.events for item in problems) == len(ledger.sent)


def judge(client: httpx.Client, ledger: Ledger, chance: random.Random) -> None:
    """A sample of what was acknowledged before the server died is found in the one that follows."""
    for external_id, only in chance.sample(sorted(ledger.documents.items()), min(20, len(ledger.documents))):
        hits = client.post("/v1/search", json={"query": only}).json()["hits"]
        assert hits, f"{external_id} is not found"
        assert hits[0]["external_id"] == external_id
    if ledger.removed:
        hits = client.post("/v1/search", json={"query": "The locker opens at nine", "limit": 100}).json()[
            "hits"
        ]
        assert not ledger.removed & {hit["external_id"] for hit in hits}
    for name, result in chance.sample(sorted(ledger.events.items()), min(20, len(ledger.events))):
        known = client.get(f"/v1/events/{name}")
        assert known.status_code == 200, f"{name} is lost"
        assert known.json()["case_id"]
        assert known.json()["problem"]["id"] == result["problem"]["id"]
    nodes = client.get("/v1/graph").json()["nodes"]
    assert not {str(node["id"]).removeprefix("document:") for node in nodes} & ledger.removed
