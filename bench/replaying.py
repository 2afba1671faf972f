"""A month of events replayed: how long it takes, and whether it gives what a live run gave.

    make bench-recurrence

The live run goes over HTTP to a serving process, in pieces, with a restart between them; its problems and alerts are
then compared with those of a replay of the same file, event by event.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.server import Server, checked, kb, new_key
from bench.simulated_history import Size, history, written
from ingest.embedding import Embedder, load_embedder
from ingest.models import Vectors
from kb_service.observability import configure_logging
from kb_service.recurring.event_files import events_of, line_count
from kb_service.recurring.replaying import Replayed, replay
from kb_service.recurring.scratch import scratch
from kb_service.settings import Settings
from kb_service.store import Store, Unit

SEED = 11
"""The history of the figures; nothing was chosen on it."""
LIVE_SEED = 12
WORKSPACE = "bench"
LONGEST_LINE = 1 << 20
SENT = 2_000
"""Lines of one request."""


class TimedEmbedder:
    """Counts what an embedder is asked, and how long that takes."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.model_id = embedder.model_id
        self.dimension = embedder.dimension
        self.reads = embedder.reads
        self.texts = 0
        self.seconds = 0.0

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        begun = time.perf_counter()
        try:
            return self._embedder.embed_queries(texts)
        finally:
            self.texts += len(texts)
            self.seconds += time.perf_counter() - begun

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.embed_passages(texts)


@dataclass(frozen=True, slots=True)
class Found:
    """Problem of each message, and what was told: what two runs are compared by."""

    problem_of: dict[str, str | None]
    alerts: list[tuple[Any, ...]]

    @classmethod
    def of(cls, unit: Unit) -> Found:
        messages = unit.events.messages()
        return cls(
            problem_of={
                item.event.id: item.assignment.problem_id if item.assignment is not None else None
                for item in messages
            },
            alerts=sorted(
                (
                    alert.opened_at.isoformat(),
                    alert.problem_id,
                    alert.kind,
                    alert.evidence.observed,
                    alert.evidence.customers,
                )
                for alert in unit.alerts.all()
            ),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=250_000)
    parser.add_argument(
        "--live", type=int, default=10_000, help="Events that are sent live as well; 0 for none."
    )
    parser.add_argument("--nights", action="store_true", help="Merge and split problems each night, too.")
    given = parser.parse_args(arguments)
    configure_logging(Settings().model_copy(update={"log_level": "error"}))
    embedder = load_embedder("packaged")
    with tempfile.TemporaryDirectory(prefix="kb-bench-") as folder:
        for line in replayed_table(Path(folder), embedder, given.events, nights=given.nights):
            print(line, flush=True)
        if given.live:
            same = compared(Path(folder), embedder, given.live)
            print(f"\n{same}")
    return 0


def replayed_table(folder: Path, embedder: Embedder, events: int, *, nights: bool) -> Iterable[str]:
    """What a replay of so many events takes, and what it finds. Encoding goes on beside the rest; minutes of the
    processor are those of all cores."""
    path = folder / "month.jsonl"
    written(path, SEED, Size(events=events))
    timed = TimedEmbedder(embedder)
    used = time.process_time()
    found, _ = _replayed(path, timed, nights=nights)
    used = time.process_time() - used
    names = (
        "distinct texts",
        "minutes",
        "encoding",
        "processor",
        "events/s",
        "problems",
        "candidates",
        "alerts",
    )
    yield "| ".join(["| events ", *(f"{name} " for name in names), ""]).rstrip()
    yield "| ---: " * (len(names) + 1) + "|"
    yield (
        f"| {found.events:,} | {timed.texts:,} | {found.seconds / 60:.1f} | {timed.seconds / 60:.1f} | "
        f"{used / 60:.1f} | "
        f"{found.events / found.seconds:.0f} | {len(found.problems) - found.candidates:,} | {found.candidates:,} | "
        f"{len(found.alerts):,} |"
    )


def compared(folder: Path, embedder: Embedder, events: int) -> str:
    """How a live run in pieces, with a restart between them, and a replay of the same events differ."""
    lines = list(history(LIVE_SEED, Size(events=events)))
    path = folder / "live.jsonl"
    written(path, LIVE_SEED, Size(events=events))
    live = _live(folder / "live", lines)
    _, again = _replayed(path, embedder, nights=False)
    moved = sum(again.problem_of[id] != problem_id for id, problem_id in live.problem_of.items())
    differing = len(set(live.alerts) ^ set(again.alerts))
    return (
        f"{events:,} events live over HTTP in {-(-events // SENT)} requests with a restart in the middle, and "
        f"replayed: {moved} of {len(live.problem_of):,} messages in another problem, {differing} of "
        f"{len(live.alerts)} alerts differ."
    )


def _replayed(path: Path, embedder: Embedder, *, nights: bool) -> tuple[Replayed, Found]:
    with (
        tempfile.TemporaryDirectory(prefix="kb-bench-") as data,
        scratch(Settings(data=Path(data)), WORKSPACE, embedder=embedder) as into,
    ):
        found = replay(into, events_of(path, longest=LONGEST_LINE), nights=nights, lines=line_count(path))
        with into.store.reading(WORKSPACE) as unit:
            return found, Found.of(unit)


def _live(data: Path, lines: Sequence[dict[str, Any]]) -> Found:
    kb(data, "workspaces", "create", WORKSPACE)
    key = new_key(data, WORKSPACE, "bot")
    half = len(lines) // 2
    for part in (lines[:half], lines[half:]):
        with Server(data) as server, server.client(key) as client:
            for start in range(0, len(part), SENT):
                body = "\n".join(map(json.dumps, part[start : start + SENT])).encode()
                answer = client.post("/v1/events:batch", content=body, timeout=600)
                if answer.is_error:
                    checked(answer)
                results = [json.loads(line) for line in answer.text.splitlines()]
                if refused := [result for result in results if result["status"] != "accepted"]:
                    raise RuntimeError(f"{len(refused)} events were not accepted, the first: {refused[0]}")
    store = Store(Settings(data=data).store_url)
    try:
        with store.reading(WORKSPACE) as unit:
            return Found.of(unit)
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(main())
