"""What is run in a process of its own, to be killed. Each works on a data folder and tells what it has done.

A server of forks has these modules loaded, so that a process begins within milliseconds: many can be killed.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvicorn

from ingest import language
from ingest.embedding import BatchingEmbedder, WordHashEmbedder
from ingest.readers import read
from ingest.readers.results import ReadResult
from ingest.redaction import redact
from kb_service import file_ingest
from kb_service.app import create_app, utc_now
from kb_service.delivery.addresses import parse_networks
from kb_service.delivery.courier import Courier
from kb_service.knowledge import Knowledge
from kb_service.observability import Metrics, configure_logging
from kb_service.replicas import published_index, replicas
from kb_service.replicas.replica import Replica
from kb_service.search import snapshots
from kb_service.settings import Settings
from kb_service.store import Store

SHOP = "shop"


def warm() -> None:
    """Load what is loaded at the first use, once for all that are forked from here."""
    for text in ("where is my parcel", "退货要几天"):
        language.identify(text)
        language.tokens(text)
        redact(text)
    WordHashEmbedder().embed_queries(["warm"])


warm()


class DirectReader:
    """Reads files in this very process: what is killed here is the one who writes, not the parser."""

    def read(self, name: str, data: bytes, **options: Any) -> ReadResult:
        return read(name, data, **options)

    def close(self) -> None:
        """Nothing to end."""


def encoder() -> BatchingEmbedder:
    return BatchingEmbedder(WordHashEmbedder())


def opened(data: Path) -> Store:
    return Store(Settings(data=data).store_url)


def quiet(settings: Settings) -> None:
    configure_logging(settings.model_copy(update={"log_level": "error"}))


def knowledge_of(store: Store) -> Knowledge:
    return Knowledge(store, encoder(), DirectReader(), None)  # type: ignore[arg-type]


def replica_of(store: Store, data: Path, clock: Callable[[], datetime] = utc_now) -> Replica:
    """A replica with its generations in the data folder, as a serving process has it."""
    derived = data / "derived" / SHOP
    made = Replica(SHOP, store, encoder(), derived, publishes=True, clock=clock)
    made.settle()
    return made


def ingest(told: Connection, data: Path, folder: Path) -> None:
    """`kb ingest folder`, a few files at a time: tells each file that is done, and None at the end."""
    file_ingest.STRETCH = 200
    knowledge_of(opened(data)).ingest(SHOP, [folder], progress=lambda _, __, name: told.send(name))
    told.send(None)


def serve(told: Connection, data: Path, port: int, given: dict[str, Any], publish_seconds: float) -> None:
    """`kb serve`, publishing its indexes as often as asked instead of now and then."""
    replicas.PUBLISH_SECONDS = publish_seconds
    published_index.PUBLISH_SHARE = 1
    settings = Settings(data=data, **given)
    quiet(settings)
    app = create_app(settings, embedder=WordHashEmbedder(), chance=random.Random(1))
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False, backlog=2048)


def publish(told: Connection, data: Path, fatal: int) -> None:
    """Publishes what the store holds and dies at the step `fatal`; tells the number of steps if it lives."""
    published_index.PUBLISH_SHARE = 1
    made = replica_of(opened(data), data)
    steps = 0
    watching = True
    sync = os.fsync

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def seen(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and (event.startswith(("os.", "shutil.", "fcntl.")) or event == "open"):
            step()

    def synced(handle: int) -> None:
        step()
        sync(handle)

    snapshots.os.fsync = synced  # type: ignore[attr-defined]
    sys.addaudithook(seen)
    made.publish()
    watching = False
    told.send(steps)


def carry(told: Connection, data: Path, ahead: timedelta, seed: int) -> None:
    """The webhook sender alone, by a clock that is `ahead` of the wall."""
    quiet(Settings(data=data))
    courier = Courier(
        opened(data),
        Metrics(),
        allow=parse_networks("127.0.0.0/8"),
        clock=lambda: datetime.now(UTC) + ahead,
        chance=random.Random(seed),
    )
    asyncio.run(courier.run())
