"""The rate of ingest beside the encoder's own, on the sample shop.

    make bench-ingest

Three ways over the same passages, alternating: the encoder alone on the texts in one call; `pipeline.embed`;
and all that `kb ingest` does: walk, read in the parser's process, redact, split, embed, commit to SQLite.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bench import shop
from ingest.embedding import Embedder, load_embedder
from ingest.pipeline import embed, embedded_text, prepare
from kb_service.commands.workbench import open_workbench
from kb_service.settings import Settings

ENCODER, PIPELINE, WHOLE = "encoder alone", "pipeline.embed", "kb ingest, whole"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--check", action="store_true", help="fail unless the slowest way reaches .9 of the encoder"
    )
    given = parser.parse_args()
    embedder = load_embedder("packaged")
    documents = shop.documents()
    passages = [
        passage for item in documents for passage in prepare(item, workspace="bench", version=1).passages
    ]
    # As the pipeline does, so that the rates are of the same work.
    texts = list(dict.fromkeys(embedded_text(passage) for passage in passages))
    ways: dict[str, Callable[[], object]] = {
        ENCODER: lambda: embedder.embed_passages(texts),
        PIPELINE: lambda: embed(passages, embedder),
        WHOLE: lambda: _ingest([shop.SAMPLE / name for name in shop.FOLDERS], embedder),
    }
    wall: dict[str, list[float]] = {name: [] for name in ways}
    work: dict[str, list[float]] = {name: [] for name in ways}
    embedder.embed_passages(texts[:100])
    for round_number in range(given.rounds):
        names = list(ways)[round_number % 3 :] + list(ways)[: round_number % 3]
        for name in names:
            begun, used = time.perf_counter(), time.process_time()
            ways[name]()
            wall[name].append(time.perf_counter() - begun)
            work[name].append(time.process_time() - used)
    print(f"{len(documents)} documents, {len(passages)} passages, {len(texts)} distinct texts")
    ratios = {name: _ratio(wall, name) for name in ways}
    for name, ratio in ratios.items():
        rate = len(texts) / float(np.median(wall[name]))
        print(
            f"{name:20}{rate:>8.1f} texts/s{ratio:>8.2f} of the encoder's rate by the clock"
            f"{_ratio(work, name):>8.2f} by processor time"
        )
    return 1 if given.check and min(ratios.values()) < 0.9 else 0


def _ratio(seconds: dict[str, list[float]], name: str) -> float:
    """Paired by round, since a busy machine slows a round as a whole."""
    return float(np.median(np.array(seconds[ENCODER]) / np.array(seconds[name])))


def _ingest(paths: Sequence[Path], embedder: Embedder) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="kb-bench-") as folder,
        open_workbench(Settings(data=Path(folder)), embedder=embedder, parsing=True) as bench,
    ):
        bench.create_workspace("bench")
        report = bench.services.knowledge.ingest("bench", paths)
        if report.problems:
            raise RuntimeError(f"{len(report.problems)} files failed, the first: {report.problems[0]}")


if __name__ == "__main__":
    sys.exit(main())
