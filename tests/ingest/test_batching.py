from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest

from ingest.batching import BatchingEmbedder
from ingest.embedding import Embedder
from ingest.errors import EncoderUnavailable
from ingest.models import Vectors


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
            embedder.embed_queries(("refused",))[0]
        assert embedder.embed_queries(("4 fine",))[0].tolist() == [4.0, 0.0]

    def test_closing_refuses_new_queries_and_answers_those_that_wait(
        self, held: tuple[Recording, Callers]
    ) -> None:
        recording, callers = held
        callers.ask("1 waits")
        callers.wait_until_queued(1)
        callers.embedder.close()
        with pytest.raises(EncoderUnavailable, match="stopping"):
            callers.embedder.embed_queries(("2 late",))[0]
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
            embedder.embed_queries(("interrupt",))[0]
        assert embedder.embed_queries(("5 fine",))[0].tolist() == [5.0, 0.0]

    def test_many_threads_get_their_own_vectors(self, word_hash: Embedder) -> None:
        embedder = BatchingEmbedder(word_hash, limit=4)
        texts = [f"order {number} is late" for number in range(60)]
        expected = word_hash.embed_queries(texts)
        found: dict[int, Vectors] = {}

        def work(part: int) -> None:
            for number in range(part, 60, 6):
                found[number] = embedder.embed_queries((texts[number],))[0]

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
            embedder.embed_queries((text,))[0]
        assert recording.runs == [["1"], ["2"], ["3"], ["2"]]

    def test_forgetting_leaves_nothing(self) -> None:
        recording = Recording()
        embedder = BatchingEmbedder(recording, cache=2)
        embedder.embed_queries(("1",))[0]
        embedder.forget()
        embedder.embed_queries(("1",))[0]
        assert recording.runs == [["1"], ["1"]]

    def test_nothing_is_kept_unless_asked(self) -> None:
        recording = Recording()
        embedder = BatchingEmbedder(recording)
        embedder.embed_queries(("1",))[0]
        embedder.embed_queries(("1",))[0]
        assert len(recording.runs) == 2
