from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ingest import embedding, encoder_files
from ingest.embedding import (
    BatchingEmbedder,
    Embedder,
    PackagedEmbedder,
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


class Recording:
    """An embedder that notes its runs, can be held inside one, and refuses texts that say so."""

    model_id, dimension, reads = "recording", 2, frozenset({"en"})

    def __init__(self) -> None:
        self.runs: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.inside = threading.Event()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self.runs.append(list(texts))
        self.inside.set()
        assert self.gate.wait(20)
        if any("refused" in text for text in texts):
            raise ValueError("a text was refused")
        return np.array([[float(text.partition(" ")[0]), 0.0] for text in texts], dtype=np.float32).reshape(
            -1, 2
        )

    embed_passages = embed_queries


class Callers:
    """Threads that each ask for one list of texts."""

    def __init__(self, embedder: BatchingEmbedder) -> None:
        self.embedder = embedder
        self.results: dict[str, Vectors | Exception] = {}
        self.threads: list[threading.Thread] = []

    def ask(self, *texts: str) -> None:
        def work() -> None:
            try:
                self.results[texts[0]] = self.embedder.embed_queries(texts)
            except Exception as error:
                self.results[texts[0]] = error

        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()

    def wait_until_queued(self, count: int) -> None:
        deadline = time.monotonic() + 20
        while len(self.embedder._waiting) < count:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def join(self) -> None:
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def held() -> tuple[Recording, Callers]:
    """A batching embedder whose first run stands still until the gate opens."""
    recording = Recording()
    callers = Callers(BatchingEmbedder(recording, limit=8))
    recording.gate.clear()
    callers.ask("0 first")
    assert recording.inside.wait(20)
    return recording, callers


class TestBatching:
    def test_callers_that_wait_are_encoded_in_one_run(self, held: tuple[Recording, Callers]) -> None:
        recording, callers = held
        for number in range(1, 6):
            callers.ask(f"{number} waits")
        callers.wait_until_queued(5)
        recording.gate.set()
        callers.join()
        assert [len(run) for run in recording.runs] == [1, 5]
        for text, vectors in callers.results.items():
            assert isinstance(vectors, np.ndarray)
            assert vectors[0, 0] == float(text.split()[0])

    def test_a_run_holds_no_more_than_the_limit(self, held: tuple[Recording, Callers]) -> None:
        recording, callers = held
        for number in range(1, 8):
            callers.ask(f"{number} a", f"{number} b", f"{number} c")
        callers.wait_until_queued(7)
        recording.gate.set()
        callers.join()
        assert [len(run) for run in recording.runs] == [1, 6, 6, 6, 3]

    def test_more_texts_than_the_limit_from_one_caller_pass(self) -> None:
        vectors = BatchingEmbedder(Recording(), limit=2).embed_queries(["1", "2", "3"])
        assert vectors[:, 0].tolist() == [1.0, 2.0, 3.0]

    def test_an_error_reaches_only_the_caller_that_caused_it(self, held: tuple[Recording, Callers]) -> None:
        recording, callers = held
        for text in ("1 good", "2 refused", "3 good"):
            callers.ask(text)
        callers.wait_until_queued(3)
        recording.gate.set()
        callers.join()
        assert isinstance(callers.results["2 refused"], ValueError)
        assert isinstance(callers.results["1 good"], np.ndarray)
        assert isinstance(callers.results["3 good"], np.ndarray)

    def test_it_goes_on_after_an_error(self) -> None:
        embedder = BatchingEmbedder(Recording())
        with pytest.raises(ValueError, match="refused"):
            embedder.embed_query("refused")
        assert embedder.embed_query("4 fine").tolist() == [4.0, 0.0]

    def test_closing_refuses_new_queries_and_answers_those_that_wait(
        self, held: tuple[Recording, Callers]
    ) -> None:
        recording, callers = held
        callers.ask("1 waits")
        callers.wait_until_queued(1)
        callers.embedder.close()
        with pytest.raises(EncoderUnavailable, match="stopping"):
            callers.embedder.embed_query("2 late")
        recording.gate.set()
        callers.join()
        assert isinstance(callers.results["1 waits"], np.ndarray)

    def test_an_interrupted_leader_does_not_leave_the_others_waiting(self) -> None:
        class Interrupted(Recording):
            def embed_queries(self, texts: Sequence[str]) -> Vectors:
                if "interrupt" in texts:
                    raise KeyboardInterrupt
                return super().embed_queries(texts)

        embedder = BatchingEmbedder(Interrupted())
        with pytest.raises(KeyboardInterrupt):
            embedder.embed_query("interrupt")
        assert embedder.embed_query("5 fine").tolist() == [5.0, 0.0]

    def test_many_threads_get_their_own_vectors(self, word_hash: Embedder) -> None:
        embedder = BatchingEmbedder(word_hash, limit=4)
        texts = [f"order {number} is late" for number in range(60)]
        expected = word_hash.embed_queries(texts)
        found: dict[int, Vectors] = {}

        def work(part: int) -> None:
            for number in range(part, 60, 6):
                found[number] = embedder.embed_query(texts[number])

        threads = [threading.Thread(target=work, args=(part,)) for part in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        np.testing.assert_allclose(np.stack([found[number] for number in range(60)]), expected, atol=1e-6)

    def test_limits_are_checked(self) -> None:
        with pytest.raises(ValueError, match="limit: at least 1"):
            BatchingEmbedder(Recording(), limit=0)


class TestCache:
    def test_a_recent_query_is_not_encoded_again(self) -> None:
        recording = Recording()
        embedder = BatchingEmbedder(recording, cache=2)
        embedder.embed_queries(["1", "2"])
        assert embedder.embed_queries(["2", "3", "3"])[:, 0].tolist() == [2.0, 3.0, 3.0]
        assert recording.runs == [["1", "2"], ["3"]]

    def test_the_least_recently_used_leaves_first(self) -> None:
        recording = Recording()
        embedder = BatchingEmbedder(recording, cache=2)
        for text in ("1", "2", "1", "3", "1", "2"):
            embedder.embed_query(text)
        assert recording.runs == [["1"], ["2"], ["3"], ["2"]]

    def test_forgetting_leaves_nothing(self) -> None:
        recording = Recording()
        embedder = BatchingEmbedder(recording, cache=2)
        embedder.embed_query("1")
        embedder.forget()
        embedder.embed_query("1")
        assert recording.runs == [["1"], ["1"]]

    def test_nothing_is_kept_unless_asked(self) -> None:
        recording = Recording()
        embedder = BatchingEmbedder(recording)
        embedder.embed_query("1")
        embedder.embed_query("1")
        assert len(recording.runs) == 2


class TestBatches:
    def test_every_row_once_within_the_budget(self) -> None:
        lengths = [3, 200, 5, 256, 4, 90, 300, 2]
        batches = list(embedding._batches(lengths, 256))
        assert sorted(row for batch in batches for row in batch) == list(range(8))
        for batch in batches:
            assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= 256


@pytest.mark.model
class TestPackaged:
    def test_its_id_names_model_runtime_and_weights(self, packaged_embedder: Embedder) -> None:
        name, _, digest = packaged_embedder.model_id.partition("@onnx-fp32:")
        assert name == "all-MiniLM-L6-v2"
        weights = encoder_files.packaged_model() / "model.safetensors"
        assert encoder_files.file_digest(weights).startswith(digest)
        assert len(digest) == 8
        assert packaged_embedder.reads == {"en"}

    def test_meaning_beats_words(self, packaged_embedder: Embedder) -> None:
        question, right, wrong = packaged_embedder.embed_passages(
            ["can I get my money back", "Refunds are paid within five days", "My back hurts from the chair"]
        )
        assert question @ right > question @ wrong

    def test_what_lies_beyond_its_length_changes_nothing(self, packaged_embedder: Embedder) -> None:
        head = "policy " * 300
        vectors = packaged_embedder.embed_passages([head + "apples", head + "phones"])
        np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)

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

    def test_an_empty_name_is_refused(self) -> None:
        with pytest.raises(EncoderUnavailable, match="embedding_model is empty; set it to `packaged`"):
            load_embedder(" ")
