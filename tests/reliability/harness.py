"""What these tests share: processes to kill, and judges of what a store and its derived parts hold.

The every-run form is short; `KB_SOAK=1` switches to the numbers of the long one.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import socket
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx

from ingest.embedding import WordHashEmbedder
from kb_service.app import utc_now
from kb_service.models import KEY_ROLES, Principal
from kb_service.replicas.replica import Replica
from kb_service.search.models import Filters, Hit, SearchQuery
from kb_service.store import Store
from tests.reliability import victims
from tests.reliability.victims import SHOP, opened, replica_of

SOAK = os.environ.get("KB_SOAK") == "1"
CALLER = Principal(SHOP, "key", frozenset(KEY_ROLES))
EMBEDDER = WordHashEmbedder()
LETTERS = "bcdfghjklmnpqrtvwxz"

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([victims.__name__])


def rounds(short: int, soak: int) -> int:
    """How often to do it: in every run, and with KB_SOAK=1."""
    return soak if SOAK else short


def word(number: int, revision: int = 0) -> str:
    """A word that only one version of one document holds, and that no rule of language takes apart."""
    place = number * 1000 + revision
    return "zq" + "".join(LETTERS[place // len(LETTERS) ** power % len(LETTERS)] for power in range(6)) + "q"


# --- processes


class Victim:
    """One process that runs a function of `victims`, and what it told until it ended or was killed."""

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        self._ours, theirs = _context.Pipe(duplex=False)
        self._process: BaseProcess = _context.Process(target=target, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def told(self, seconds: float = 30.0) -> list[Any]:
        """Waits for the next word, and gives everything that was said since; empty when it ended silently."""
        return _drained(self._ours, seconds)

    def kill(self) -> list[Any]:
        """Ends it as a power cut would; what it had said and nobody had heard yet."""
        self._process.kill()
        return self.end()

    def end(self) -> list[Any]:
        self._process.join(60)
        rest = _drained(self._ours, 0)
        self._ours.close()
        return rest

    def __enter__(self) -> Victim:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._ours.closed:
            self.kill()


def _drained(pipe: Connection, seconds: float) -> list[Any]:
    heard: list[Any] = []
    try:
        while pipe.poll(0 if heard else seconds):
            heard.append(pipe.recv())
    except (EOFError, OSError):
        pass  # it ended, perhaps in the middle of a word
    return heard


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Served:
    """`kb serve` in a process that may be killed and started again, and a client with every role."""

    data: Path
    key: str
    settings: dict[str, Any] = field(default_factory=dict)
    publish_seconds: float = 30.0
    port: int = field(default_factory=free_port)
    victim: Victim | None = None

    def start(self) -> None:
        self.victim = Victim(victims.serve, self.data, self.port, self.settings, self.publish_seconds)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.victim.alive, "the server ended by itself"
            try:
                ready = httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=5)
                if ready.status_code == 200 and ready.json()["workspaces"]["settling"] == 0:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise AssertionError("the server was not ready within 60 s")

    def kill(self) -> None:
        if self.victim is not None:
            self.victim.kill()
            self.victim = None

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(**self._reached(), **options)

    def async_client(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(**self._reached(), **options)

    def _reached(self) -> dict[str, Any]:
        return {
            "base_url": f"http://127.0.0.1:{self.port}",
            "headers": {"Authorization": f"Bearer {self.key}"},
            "timeout": 30,
            "trust_env": False,
        }

    def memory_mb(self) -> float:
        assert self.victim is not None
        lines = Path(f"/proc/{self.victim.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


# --- judging


def new_shop(data: Path) -> str:
    """A store with one empty shop; a key with every role."""
    data.mkdir(parents=True, exist_ok=True)
    with closing(opened(data)) as store:
        store.migrate()
        with store.administration() as unit:
            unit.workspaces.create(SHOP)
            return unit.keys.create(SHOP, KEY_ROLES)[0]


ORPHANS = {
    "passages of no document or of another version": """
        SELECT count(*) FROM passages p LEFT JOIN documents d USING (workspace, external_id)
        WHERE d.external_id IS NULL OR d.version <> p.version""",
    "documents without passages": """
        SELECT count(*) FROM documents d LEFT JOIN passages p USING (workspace, external_id)
        WHERE p.id IS NULL""",
    "vectors of no passage": """
        SELECT count(*) FROM passage_vectors v
        LEFT JOIN passages p ON p.workspace = v.workspace AND p.id = v.passage_id WHERE p.id IS NULL""",
    "passages without a vector": """
        SELECT count(*) FROM passages p
        LEFT JOIN passage_vectors v ON v.workspace = p.workspace AND v.passage_id = p.id
        WHERE v.passage_id IS NULL""",
    "customers' messages without an assignment": """
        SELECT count(*) FROM events e
        LEFT JOIN assignments a ON a.workspace = e.workspace AND a.event_id = e.id
        WHERE e.type = 'message' AND e.role = 'customer' AND a.event_id IS NULL""",
    "messages of no case": """
        SELECT count(*) FROM events e LEFT JOIN cases c ON c.workspace = e.workspace AND c.id = e.case_id
        WHERE e.type = 'message' AND c.id IS NULL""",
    "assignments to no problem": """
        SELECT count(*) FROM assignments a
        LEFT JOIN problems p ON p.workspace = a.workspace AND p.id = a.problem_id
        WHERE a.problem_id IS NOT NULL AND p.id IS NULL""",
    "problems that count otherwise than their events": """
        SELECT count(*) FROM problems p WHERE p.events <> (
            SELECT count(*) FROM assignments a
            WHERE a.workspace = p.workspace AND a.problem_id = p.id AND NOT a.pending)""",
    "alerts of no problem": """
        SELECT count(*) FROM alerts a
        LEFT JOIN problems p ON p.workspace = a.workspace AND p.id = a.problem_id WHERE p.id IS NULL""",
    "gaps in the change log": "SELECT max(position) - count(*) FROM changes",
}


def judge_store(data: Path) -> None:
    """The file is sound, and nothing in it hangs in the air."""
    with closing(sqlite3.connect(data / "kb.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        found = {name: connection.execute(query).fetchone()[0] for name, query in ORPHANS.items()}
    assert {name: count for name, count in found.items() if count} == {}


def derived(replica: Replica) -> dict[str, Any]:
    """What the derived parts of one process say, to be compared with the same derived anew."""
    graph = replica.graph.node_link(at=None)
    return {
        "passages": replica.passages,
        "problems": {
            name: (item.state, item.events, item.customers) for name, item in replica.problems.items()
        },
        "nodes": sorted(str(node["id"]) for node in graph["nodes"]),
        "edges": sorted((str(e["source"]), str(e["target"]), str(e["key"])) for e in graph["edges"]),
        "intents": sorted(replica.shop.intents),
        "agents": sorted(replica.shop.agents),
    }


@contextmanager
def restarted(data: Path) -> Iterator[tuple[Store, Replica]]:
    """The store and a replica as the next process has them, both checked against each other."""
    judge_store(data)
    with closing(opened(data)) as store:
        replica = replica_of(store, data)
        try:
            with store.reading(SHOP) as unit:
                assert replica.passages == unit.documents.passage_count()
                documents = set(unit.documents.heads())
            nodes = replica.graph.node_link(at=None)["nodes"]
            assert {str(node["id"]) for node in nodes if node["kind"] == "document"} == {
                f"document:{external_id}" for external_id in documents
            }
            yield store, replica
        finally:
            replica.index.close()


def search(replica: Replica, text: str, limit: int = 5) -> tuple[Hit, ...]:
    query = SearchQuery(
        text=text,
        language="en",
        vector=EMBEDDER.embed_queries([text])[0],
        at=utc_now(),
        limit=limit,
        filters=Filters(audiences=("public", "internal")),
    )
    return replica.index.search(query)


def holding(hits: Iterable[Hit], text: str) -> list[str]:
    """The documents among hits whose passage holds the very word."""
    return [hit.external_id for hit in hits if text in hit.text]


def pause(chance: random.Random, least: float, most: float) -> None:
    time.sleep(chance.uniform(least, most))


def ndjson(lines: Iterable[Any]) -> bytes:
    return b"\n".join(json.dumps(line).encode() for line in lines)
