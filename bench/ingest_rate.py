"""The rate of ingest beside the encoder's own, on the sample shop.

    make bench-ingest

Three ways over the same passages, alternating: the encoder alone on the texts in one call; `pipeline.embed`;
and the whole way of a document (redact, split, embed, commit to SQLite) as `kb ingest` goes it after reading.
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
from ingest.models import Document
from ingest.pipeline import embed, embedded_text, prepare
from kb_service.knowledge import NewDocument, Refused
from kb_service.models import Principal
from kb_service.settings import Settings
from kb_service.workbench import open_workbench

ENCODER, PIPELINE, WHOLE = "encoder alone", "pipeline.embed", "documents, whole"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--passages", type=int, default=600, help="about so many a round")
    parser.add_argument(
        "--check", action="store_true", help="fail unless the slowest way reaches .9 of the encoder"
    )
    given = parser.parse_args()
    embedder = load_embedder("packaged")
    documents = _enough(shop.documents(), given.passages)
    passages = [
        passage for item in documents for passage in prepare(item, workspace="bench", version=1).passages
    ]
    # As the pipeline does, so that the rates are of the same work.
    texts = list(dict.fromkeys(embedded_text(passage) for passage in passages))
    ways: dict[str, Callable[[], object]] = {
        ENCODER: lambda: embedder.embed_passages(texts),
        PIPELINE: lambda: embed(passages, embedder),
        WHOLE: lambda: _put(documents, embedder),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    embedder.embed_passages(texts[:64])
    for round_number in range(given.rounds):
        names = list(ways)[round_number % 3 :] + list(ways)[: round_number % 3]
        for name in names:
            begun = time.perf_counter()
            ways[name]()
            seconds[name].append(time.perf_counter() - begun)
    print(f"{len(documents)} documents, {len(passages)} passages, {len(texts)} distinct texts")
    ratios = []
    for name, taken in seconds.items():
        # Paired by round, since a busy machine slows a round as a whole.
        ratio = float(np.median(np.array(seconds[ENCODER]) / np.array(taken)))
        ratios.append(ratio)
        rate = len(texts) / float(np.median(taken))
        print(f"{name:20}{rate:>8.1f} texts/s{ratio:>8.2f} of the encoder's rate")
    return 1 if given.check and min(ratios) < 0.9 else 0


def _enough(documents: Sequence[Document], passages: int) -> list[Document]:
    count, chosen = 0, []
    for document in documents:
        chosen.append(document)
        count += len(prepare(document, workspace="bench", version=1).passages)
        if count >= passages:
            break
    return chosen


def _put(documents: Sequence[Document], embedder: Embedder) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="kb-bench-") as folder,
        open_workbench(Settings(data=Path(folder)), embedder=embedder) as bench,
    ):
        bench.create_workspace("bench")
        caller = Principal(workspace="bench", key_id="bench", roles=frozenset({"editor"}))
        new = [NewDocument(item.external_id, _body(item)) for item in documents]
        outcomes = bench.services.knowledge.put_many(caller, new)
        refused = [item for item in outcomes if isinstance(item, Refused)]
        if refused:
            raise RuntimeError(f"{len(refused)} documents were refused, the first: {refused[0]}")


def _body(document: Document) -> dict[str, object]:
    return {
        "kind": document.kind,
        "title": document.title,
        "text": document.text,
        "language": document.language,
    }


if __name__ == "__main__":
    sys.exit(main())
