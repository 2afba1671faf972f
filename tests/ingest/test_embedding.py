from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest import embedding, encoder_files, lexicon
from ingest.embedding import (
    BatchingEmbedder,
    Embedder,
    PackagedEmbedder,
    Treatment,
    WordHashEmbedder,
    ensure_export,
    load_embedder,
)
from ingest.errors import EncoderUnavailable
from ingest.models import Vectors

AWKWARD = ["", " \n\t", "\ud800 lone surrogate", "\x00", "🙂" * 40, "退货" * 60_000, "x" * 1_000_000]


@pytest.fixture(params=["word_hash", pytest.param("packaged_embedder", marks=pytest.mark.model), "batching"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "batching":
        return BatchingEmbedder(WordHashEmbedder())
    made: Embedder = request.getfixturevalue(request.param)
    return made


class TestEveryEmbedder:
    """What every implementation of the protocol keeps."""

    def test_is_an_embedder(self, embedder: Embedder) -> None:
        assert isinstance(embedder, Embedder)
        assert embedder.model_id
        assert embedder.reads <= {"en", "zh"}

    def test_gives_unit_length_float32_rows(self, embedder: Embedder) -> None:
        for vectors in (
            embedder.embed_queries(["how do I return it", "怎么退货"]),
            embedder.embed_passages(["a"]),
        ):
            assert vectors.dtype == np.float32
            assert vectors.shape[1] == embedder.dimension
            np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)

    def test_nothing_gives_no_rows(self, embedder: Embedder) -> None:
        assert embedder.embed_queries([]).shape == (0, embedder.dimension)
        assert embedder.embed_passages([]).shape == (0, embedder.dimension)

    def test_awkward_texts_have_vectors_too(self, embedder: Embedder) -> None:
        vectors = embedder.embed_passages(AWKWARD)
        assert np.isfinite(vectors).all()
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)

    def test_rows_keep_the_order_of_the_texts(self, embedder: Embedder) -> None:
        texts = ["refund " * n + f"order {n}" for n in (9, 1, 30, 2, 60, 4)]
        together = embedder.embed_passages(texts)
        alone = np.concatenate([embedder.embed_passages([text]) for text in texts])
        np.testing.assert_allclose(together, alone, atol=1e-5)

    def test_a_text_has_one_vector(self, embedder: Embedder) -> None:
        np.testing.assert_array_equal(embedder.embed_queries(["same"]), embedder.embed_queries(["same"]))


class TestWordHash:
    def test_shared_words_make_texts_similar(self, word_hash: Embedder) -> None:
        vectors = word_hash.embed_passages(
            [
                "the screen of my phone is broken",
                "my phone screen broke: broken glass",
                "invoice for the blue sofa",
            ]
        )
        assert vectors[0] @ vectors[1] > 0.3 > vectors[0] @ vectors[2]

    def test_chinese_too(self, word_hash: Embedder) -> None:
        vectors = word_hash.embed_passages(
            ["手机屏幕碎了要退货", "屏幕碎了的手机能退货吗", "沙发的发票怎么开"]
        )
        assert vectors[0] @ vectors[1] > 0.3 > vectors[0] @ vectors[2]


class TestLayouts:
    def test_few_tokens_share_one_sequence(self) -> None:
        assert list(embedding._layouts([17, 5, 9])) == [[[0, 1, 2]]]

    def test_more_become_batches_of_like_lengths_within_the_budget(self) -> None:
        lengths = [3, 200, 5, 256, 4, 90, 512, 2]
        batches = [[row for (row,) in batch] for batch in embedding._layouts(lengths)]
        assert sorted(row for batch in batches for row in batch) == list(range(8))
        for batch in batches:
            assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= 512

    def test_nothing_needs_no_run(self) -> None:
        assert list(embedding._layouts([])) == []


@pytest.mark.model
class TestPackaged:
    def test_its_id_names_model_runtime_weights_and_lexicon(
        self, packaged_embedder: Embedder, english_embedder: Embedder
    ) -> None:
        name, _, digest = english_embedder.model_id.partition("@onnx-fp32:")
        assert name == "all-MiniLM-L6-v2"
        weights = encoder_files.packaged_model() / "model.safetensors"
        assert encoder_files.file_digest(weights).startswith(digest)
        assert len(digest) == 8
        assert english_embedder.reads == {"en"}
        assert packaged_embedder.model_id == f"{english_embedder.model_id}+zh:{lexicon.load().digest[:8]}"
        assert packaged_embedder.reads == {"en", "zh"}

    def test_meaning_beats_words(self, packaged_embedder: Embedder) -> None:
        question, right, wrong = packaged_embedder.embed_passages(
            ["can I get my money back", "Refunds are paid within five days", "My back hurts from the chair"]
        )
        assert question @ right > question @ wrong

    def test_what_lies_beyond_its_length_changes_nothing(self, packaged_embedder: Embedder) -> None:
        head = "policy " * 300
        vectors = packaged_embedder.embed_passages([head + "apples", head + "phones"])
        np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)

    def test_texts_that_share_a_sequence_do_not_see_each_other(self, packaged_embedder: Embedder) -> None:
        texts = ["my parcel is late", "I want my money back", "is the kettle safe", "退货", "the coat smells"]
        alone = np.concatenate([packaged_embedder.embed_queries([text]) for text in texts])
        np.testing.assert_allclose(packaged_embedder.embed_queries(texts), alone, atol=1e-5)

    @pytest.mark.parametrize("threads", [1, 2, 3])
    def test_many_texts_are_encoded_beside_each_other_and_as_if_alone(
        self, threads: int, english_embedder: Embedder
    ) -> None:
        texts = [
            f"order {number} " + "is late and I want my money back " * (number % 9) for number in range(90)
        ]
        together = PackagedEmbedder(threads=threads).embed_passages(texts)
        alone = np.concatenate([english_embedder.embed_passages([text]) for text in texts])
        np.testing.assert_allclose(together, alone, atol=1e-5)

    def test_those_who_encode_at_once_share_the_cores(self, monkeypatch: pytest.MonkeyPatch) -> None:
        embedder = PackagedEmbedder(threads=2)
        counting = threading.Lock()
        running, most = 0, 0
        run = embedding._run

        def counted(*given: Any) -> Vectors:
            nonlocal running, most
            with counting:
                running += 1
                most = max(most, running)
            try:
                return run(*given)
            finally:
                with counting:
                    running -= 1

        monkeypatch.setattr(embedding, "_run", counted)
        shares = [[f"{'word ' * 90}{share} {number}" for number in range(40)] for share in range(3)]
        with ThreadPoolExecutor(3) as threads:
            found = list(threads.map(embedder.embed_passages, shares))
        assert most == 2
        for share, vectors in zip(shares, found, strict=True):
            np.testing.assert_allclose(vectors, embedder.embed_passages(share), atol=1e-5)

    def test_a_fault_in_one_of_several_runs_is_not_swallowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        embedder = PackagedEmbedder(threads=2)
        broken = RuntimeError("the run failed")

        def fail(session: object, sequences: object) -> None:
            raise broken

        monkeypatch.setattr(embedding, "_run", fail)
        with pytest.raises(RuntimeError) as raised:
            embedder.embed_passages([f"{'word ' * 90}{number}" for number in range(60)])
        assert raised.value is broken

    def test_loading_leaves_torch_out_and_is_quick(self) -> None:
        script = (
            "import sys, json, time; begun = time.perf_counter(); from ingest.embedding import load_embedder;"
            "load_embedder('packaged').embed_queries(['hello']);"
            "print(json.dumps([time.perf_counter() - begun, sorted(sys.modules)]))"
        )
        seconds, modules = json.loads(subprocess.check_output([sys.executable, "-c", script]))
        assert not {"torch", "transformers", "sentence_transformers", "sklearn", "scipy"} & set(modules)
        assert seconds < 10

    def test_a_damaged_export_is_refused_with_the_remedy(self, tmp_path: Path) -> None:
        folder = _copy_of_export(tmp_path)
        with (folder / encoder_files.GRAPH).open("r+b") as graph:
            graph.seek(1000)
            graph.write(b"damage")
        with pytest.raises(EncoderUnavailable, match=r"checksum.*python -m ingest\.transformers export"):
            PackagedEmbedder(folder)

    def test_a_graph_that_cannot_be_loaded_names_the_remedy(self, tmp_path: Path) -> None:
        def write(staging: Path) -> None:
            (staging / encoder_files.GRAPH).write_bytes(b"no graph, with a checksum that is right")
            packaged = encoder_files.packaged_model() / encoder_files.TOKENIZER
            (staging / encoder_files.TOKENIZER).write_bytes(packaged.read_bytes())

        folder = tmp_path / "export"
        model_id = encoder_files.packaged_id()
        encoder_files.publish(folder, model_id=model_id, dimension=384, max_length=256, write=write)
        with pytest.raises(EncoderUnavailable, match=r"ONNX Runtime cannot load .* --force"):
            PackagedEmbedder(folder)

    def test_a_missing_export_is_refused_with_the_remedy(self, tmp_path: Path) -> None:
        with pytest.raises(EncoderUnavailable, match=r"no export of .*python -m ingest\.transformers export"):
            PackagedEmbedder(tmp_path / "none")


def _copy_of_export(tmp_path: Path) -> Path:
    source = ensure_export()
    folder = tmp_path / "export"
    folder.mkdir()
    for file in source.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


class TestEnsureExport:
    def test_a_whole_export_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(encoder_files, "inspect", lambda *_: encoder_files.Inspection("whole", ""))
        monkeypatch.setattr(subprocess, "run", lambda *_args, **_options: pytest.fail("exported again"))
        ensure_export()

    def test_one_that_fails_says_what_was_wrong_and_what_to_do(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        blocked = tmp_path / "file"
        blocked.write_text("in the way")
        with pytest.raises(EncoderUnavailable, match=r"cannot be written to .*export` to see why"):
            ensure_export(blocked / "encoder" / "model")
        assert "no export of" in caplog.text
        assert "takes some seconds" in caplog.text


class TestLoadEmbedder:
    def test_the_fake_by_name(self) -> None:
        assert load_embedder("word-hash").model_id == "word-hash-384"

    @pytest.mark.model
    def test_the_packaged_model_is_exported_when_it_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[bool] = []
        packaged = PackagedEmbedder

        def first_missing(*, threads: int) -> PackagedEmbedder:
            if not made:
                raise EncoderUnavailable("no export")
            return packaged(threads=threads)

        monkeypatch.setattr(embedding, "PackagedEmbedder", first_missing)
        monkeypatch.setattr(embedding, "ensure_export", lambda: made.append(True))
        assert load_embedder("packaged", threads=1).dimension == 384
        assert made == [True]

    def test_prefixes_are_for_models_that_do_not_come_with_the_service(self) -> None:
        with pytest.raises(EncoderUnavailable, match="word-hash takes no prefixes, pooling or languages"):
            load_embedder("word-hash", treatment=Treatment(query_prefix="query: "))

    def test_an_empty_name_is_refused(self) -> None:
        with pytest.raises(EncoderUnavailable, match="embedding_model is empty; set it to `packaged`"):
            load_embedder(" ")
