"""What a question costs: encoded by sentence-transformers, by our encoder, and answered whole over HTTP.

    make bench-latency

The three are measured in one run, in blocks that alternate, on the same questions of the sample shop, each
asked once. The service has the sample shop, with its intents, cases and problems, and variations of its
documents up to 20,000 passages; it runs in a process of its own with its defaults. After a start contradictions, gaps
and what is due from nights are looked for beside requests; `--rest 0` asks meanwhile.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import numpy as np

from bench import shop
from bench.server import Server, checked, kb, new_key
from ingest import encoder_files
from ingest.embedding import Embedder, load_embedder
from kb_service.settings import Settings
from kb_service.store import Store

BLOCK = 20
PAUSE = 0.3
"""Seconds between blocks: the threads of torch spin for a while after their work."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument(
        "--rest", type=float, default=90, help="seconds between the start and the first question"
    )
    parser.add_argument("--data", type=Path, help="a data folder to fill, or to use again when it is filled")
    parser.add_argument(
        "--check", action="store_true", help="fail unless an answer takes at most half of the first"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kb-bench-") as temporary:
        data = given.data or Path(temporary)
        embedder = load_embedder("packaged")
        key, passages = _fill(data, embedder, given.passages)
        with Server(data) as first:
            print(f"{passages:,} passages; ready {first.seconds_to_ready:.1f} s after the first start")
        with Server(data) as server, server.client(key) as client:
            print(f"ready {server.seconds_to_ready:.1f} s after the next, over the indexes of the first")
            time.sleep(given.rest)
            ratio = _measure(embedder, client, shop.questions(given.questions))
            print(f"the serving process holds {server.memory_mb():.0f} MB")
    return 1 if given.check and ratio > 0.5 else 0


def _fill(data: Path, embedder: Embedder, passages: int) -> tuple[str, int]:
    begun = time.perf_counter()
    if not (data / "kb.sqlite3").exists():
        kb(data, "demo", "--fill-only")
    store = Store(Settings(data=data).store_url)
    try:
        count = shop.enlarge(store, "demo", embedder, passages)
    finally:
        store.close()
    print(f"filled in {time.perf_counter() - begun:.0f} s")
    return new_key(data, "demo", "bot"), count


def _measure(embedder: Embedder, client: httpx.Client, questions: Sequence[str]) -> float:
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(encoder_files.packaged_model()), device="cpu")
    inside: dict[str, list[float]] = {}

    def answer(text: str) -> None:
        reply = checked(client.post("/v1/answers", json={"query": text}))
        for part, milliseconds in reply["timing_ms"].items():
            inside.setdefault(part, []).append(milliseconds)

    ways: dict[str, Callable[[str], object]] = {
        "sentence-transformers, encode": plain.encode,
        "packaged encoder, encode": lambda text: embedder.embed_queries([text]),
        "POST /v1/answers, whole": answer,
    }
    warm, asked = list(questions[:BLOCK]), list(questions[BLOCK:])
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        for text in warm:
            way(text)
    for start in range(0, len(asked), BLOCK):
        names = list(ways)
        shift = start // BLOCK % len(names)
        for name in names[shift:] + names[:shift]:
            time.sleep(PAUSE)
            for text in asked[start : start + BLOCK]:
                begun = time.perf_counter()
                ways[name](text)
                seconds[name].append(time.perf_counter() - begun)
    ratio = _print(seconds)
    parts = (f"{part} {np.median(taken):.1f} ms" for part, taken in inside.items())
    print(f"the service's own clock: {', '.join(parts)}")
    return ratio


def _print(seconds: dict[str, list[float]]) -> float:
    base = float(np.median(next(iter(seconds.values()))))
    ratio = 0.0
    print(f"{len(next(iter(seconds.values())))} questions{'median':>30}{'p95':>10}{'of the first':>14}")
    for name, taken in seconds.items():
        median, high = float(np.median(taken)), float(np.percentile(taken, 95))
        ratio = median / base
        print(f"{name:32}{median * 1e3:>7.1f} ms{high * 1e3:>7.1f} ms{ratio:>14.2f}")
    return ratio


if __name__ == "__main__":
    sys.exit(main())
