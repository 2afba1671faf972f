"""The sample shop made large: its documents, varied until there are as many passages as a benchmark wants."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ingest.collections import walk
from ingest.documents import compose
from ingest.embedding import Embedder
from ingest.models import Document, Vectors
from ingest.pipeline import embed, prepare
from ingest.sandbox import ParserPool
from kb_service.store import Store

SAMPLE = Path(__file__).parent.parent / "sample_kb"
FOLDERS = ("products", "policies", "faq", "resolutions")


def documents(folder: Path = SAMPLE) -> list[Document]:
    """Every document of a shop's folder, read as `kb ingest` reads it."""
    found: list[Document] = []
    with ParserPool(seconds=60, memory_mb=1024) as parsers:
        for file in walk([folder / name for name in FOLDERS]).files:
            read = parsers.read(file.name, file.path.read_bytes(), options=file.options)
            for extract in read.extracts:
                attributes = {**file.attributes, **extract.attributes}
                found.append(compose(extract, attributes, timezone=file.timezone))
    return found


def questions(count: int, *, seed: int = 0, folder: Path = SAMPLE) -> list[str]:
    """Distinct questions of the sample, half Chinese and half English as far as there are."""
    files = sorted(folder.glob("questions*.jsonl"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line]
    texts = [str(json.loads(line)["query"]) for line in lines]
    random.Random(seed).shuffle(texts)
    texts = list(dict.fromkeys(texts))
    chinese = [text for text in texts if re.search("[一-鿿]", text)]
    english = [text for text in texts if text not in set(chinese)]
    mixed = [text for pair in zip(chinese, english, strict=False) for text in pair]
    return mixed[:count]


def variations(sources: Sequence[Document], *, seed: int = 0) -> Iterator[Document]:
    """Endless documents that differ from the sources in words and numbers, never in length or layout."""
    chance = random.Random(seed)
    words: dict[int, list[str]] = {}
    for word in {word for source in sources for word in re.findall("[a-zA-Z]{3,}", source.text)}:
        words.setdefault(len(word), []).append(word)
    characters = sorted({sign for source in sources for sign in re.findall("[一-鿿]", source.text)})
    for options in words.values():
        options.sort()

    def other(found: re.Match[str]) -> str:
        text = found[0]
        if text.isdigit():
            return "".join(chance.choice("123456789") for _ in text)
        if text.isascii():
            return chance.choice(words[len(text)]) if chance.random() < 0.1 else text
        return chance.choice(characters) if chance.random() < 0.05 else text

    number = 0
    while True:
        number += 1
        for source in sources:
            varied = re.sub("[0-9]+|[a-zA-Z]{3,}|[一-鿿]", other, source.text)
            yield replace(
                source,
                external_id=f"{source.external_id}~{number}",
                text=varied,
                supersedes=(),
                valid_to=None,
            )


def enlarge(store: Store, workspace: str, embedder: Embedder, passages: int, *, seed: int = 0) -> int:
    """Adds variations to a workspace until it has so many passages; returns how many it has.

    The vectors are those of the sources with noise, since encoding thousands of texts would say nothing more
    about the time that a question takes.
    """
    sources = documents()
    known = {
        source.external_id: embed(prepare(source, workspace=workspace, version=1).passages, embedder)
        for source in sources
    }
    noise = np.random.default_rng(seed)
    fresh = variations(sources, seed=seed)
    with store.reading(workspace) as unit:
        count = unit.documents.passage_count()
    while count < passages:
        with store.writing(workspace) as unit:
            for _ in range(100):
                document = next(fresh)
                split = prepare(document, workspace=workspace, version=1)
                rows = known[document.external_id.rpartition("~")[0]]
                vectors = _near(rows[np.arange(len(split.passages)) % max(1, len(rows))], noise)
                unit.documents.put(split.document, split.passages, vectors, embedder.model_id)
                count += len(split.passages)
                if count >= passages:
                    break
    return count


def _near(vectors: Vectors, noise: np.random.Generator) -> Vectors:
    moved = vectors + noise.normal(0, 0.5 / np.sqrt(vectors.shape[1]), vectors.shape)
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), dtype=np.float32)
