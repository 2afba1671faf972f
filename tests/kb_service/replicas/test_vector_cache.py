"""Vectors kept between starts: right or not at all."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from ingest.embedding import BatchingEmbedder, WordHashEmbedder
from ingest.models import Vectors
from kb_service.replicas.vector_cache import DIGEST_BYTES, VectorCache

TEXTS = ["我要退货", "where is my parcel", ""]


class CountingEmbedder(WordHashEmbedder):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return super().embed_passages(texts)


@pytest.fixture
def counting() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def embedder(counting: CountingEmbedder) -> Iterator[BatchingEmbedder]:
    batching = BatchingEmbedder(counting)
    yield batching
    batching.close()


def saved(embedder: BatchingEmbedder, file: Path) -> Vectors:
    cache = VectorCache(embedder, file)
    vectors = cache.vectors(TEXTS)
    cache.save()
    return vectors


def test_each_text_is_encoded_once(
    embedder: BatchingEmbedder, counting: CountingEmbedder, tmp_path: Path
) -> None:
    cache = VectorCache(embedder, tmp_path / "texts.npz")
    vectors = cache.vectors([*TEXTS, TEXTS[0]])
    assert np.array_equal(vectors[0], vectors[3])
    assert np.array_equal(vectors[:3], WordHashEmbedder().embed_passages(TEXTS))
    cache.vectors(TEXTS)
    assert sorted(counting.texts) == sorted(TEXTS)
    assert cache.vectors([]).shape == (0, embedder.dimension)


def test_another_start_finds_them(
    embedder: BatchingEmbedder, counting: CountingEmbedder, tmp_path: Path
) -> None:
    vectors = saved(embedder, tmp_path / "deep" / "texts.npz")
    counting.texts.clear()
    again = VectorCache(embedder, tmp_path / "deep" / "texts.npz")
    assert np.array_equal(again.vectors(TEXTS), vectors)
    assert counting.texts == []


def test_saving_leaves_one_file_and_writes_only_what_is_new(
    embedder: BatchingEmbedder, tmp_path: Path
) -> None:
    file = tmp_path / "texts.npz"
    cache = VectorCache(embedder, file)
    cache.save()
    assert not file.exists()
    cache.vectors(TEXTS)
    cache.save()
    written = file.stat().st_mtime_ns
    cache.save()
    assert file.stat().st_mtime_ns == written
    assert [path.name for path in tmp_path.iterdir()] == ["texts.npz"]


def test_without_a_file_nothing_is_kept(embedder: BatchingEmbedder) -> None:
    cache = VectorCache(embedder, None)
    assert cache.vectors(TEXTS).shape == (3, embedder.dimension)
    cache.save()


def test_one_byte_changed_anywhere_is_refused(
    embedder: BatchingEmbedder, counting: CountingEmbedder, tmp_path: Path
) -> None:
    file = tmp_path / "texts.npz"
    vectors = saved(embedder, file)
    good = file.read_bytes()
    for place in range(0, len(good), max(1, len(good) // 40)):
        file.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        counting.texts.clear()
        assert np.array_equal(VectorCache(embedder, file).vectors(TEXTS), vectors)
        assert len(counting.texts) == len(TEXTS), f"byte {place}"


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 100])
def test_what_is_no_cache_is_ignored(embedder: BatchingEmbedder, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "texts.npz"
    file.write_bytes(content)
    assert VectorCache(embedder, file).vectors(TEXTS).shape == (3, embedder.dimension)


@pytest.mark.parametrize("damage", ["no zip", "no model", "other dimension", "rows missing"])
def test_a_whole_file_of_another_shape_is_ignored(
    embedder: BatchingEmbedder, tmp_path: Path, damage: str
) -> None:
    buffer = io.BytesIO()
    model = np.array(embedder.model_id)
    digests, vectors = np.array(["a", "b"]), np.zeros((2, embedder.dimension), np.float32)
    if damage == "no zip":
        buffer.write(b"not a zip at all")
    elif damage == "no model":
        np.savez(buffer, digests=digests, vectors=vectors)
    elif damage == "other dimension":
        np.savez(buffer, model=model, digests=digests, vectors=vectors[:, :7])
    else:
        np.savez(buffer, model=model, digests=digests, vectors=vectors[:1])
    content = buffer.getvalue()
    file = tmp_path / "texts.npz"
    file.write_bytes(hashlib.sha256(content).digest() + content)
    assert len(file.read_bytes()) > DIGEST_BYTES
    assert VectorCache(embedder, file).vectors(TEXTS).shape == (3, embedder.dimension)


def test_another_models_vectors_are_never_used(embedder: BatchingEmbedder, tmp_path: Path) -> None:
    saved(embedder, tmp_path / "texts.npz")

    class Other(CountingEmbedder):
        model_id = "another"

    inner = Other()
    other = BatchingEmbedder(inner)
    try:
        VectorCache(other, tmp_path / "texts.npz").vectors(TEXTS)
    finally:
        other.close()
    assert len(inner.texts) == len(TEXTS)
