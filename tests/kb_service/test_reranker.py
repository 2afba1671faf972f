"""The reranker as a stage of the service: off by default, on by a setting, and never in the way of other requests."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.errors import EncoderUnavailable
from ingest.reranking import Logits, WordOverlapReranker
from kb_service.app import wire
from kb_service.settings import Settings
from tests.conftest import FixedClock
from tests.kb_service.conftest import NOW, RETURNS, Api, running

QUESTION = "how long do I have to return unworn clothing"
SHIPPING = {
    "kind": "policy",
    "title": "Shipping",
    "markdown": "# Shipping\n\nClothing reaches you within three days.",
    "language": "en",
}


class Waiting:
    """A reranker that waits until it is let go."""

    model_id = "waiting"

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def score(self, query: str, passages: Sequence[str]) -> Logits:
        self.entered.set()
        assert self.released.wait(30)
        return WordOverlapReranker().score(query, passages)


@pytest.fixture
def reranking(tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path / "data", FixedClock(NOW), reranker="word-overlap", reranker_documents=7) as api:
        for name, body in (("returns", RETURNS), ("shipping", SHIPPING)):
            assert api.put(f"/v1/documents/{name}", body).status_code == 201
        yield api


def metric(api: Api) -> str:
    lines = api.client.get("/metrics", headers={"Authorization": f"Bearer {api.keys['shop', 'admin']}"}).text
    return "\n".join(line for line in lines.splitlines() if line.startswith("kb_rerankings_total"))


def test_it_is_off_unless_it_is_named(api: Api) -> None:
    assert api.services.replicas.settled("shop").index.reranking is None
    assert Settings().reranker == ""


def test_answers_suggestions_and_search_are_reranked_and_what_works_beside_them_is_not(
    reranking: Api,
) -> None:
    stage = reranking.services.replicas.settled("shop").index.reranking
    assert stage is not None
    assert (stage.documents, stage.weight) == (7, 1.0)
    before = metric(reranking)
    for path in ("/v1/answers", "/v1/suggestions", "/v1/search"):
        assert reranking.post(path, {"query": QUESTION}).status_code == 200
    assert (before, metric(reranking)) == ("", 'kb_rerankings_total{outcome="reranked"} 3.0')
    reranking.recurring()  # a new problem is linked to documents by their content
    assert metric(reranking) == 'kb_rerankings_total{outcome="reranked"} 3.0'


def test_others_are_answered_while_it_thinks(reranking: Api) -> None:
    index = reranking.services.replicas.settled("shop").index
    assert index.reranking is not None
    waiting = Waiting()
    index.reranking = replace(index.reranking, reranker=waiting)
    replies: list[int] = []
    asking = threading.Thread(
        target=lambda: replies.append(reranking.post("/v1/search", {"query": QUESTION}).status_code)
    )
    asking.start()
    try:
        assert waiting.entered.wait(30)
        assert reranking.client.get("/health/live").status_code == 200
        assert reranking.get("/v1/documents/returns").status_code == 200
        assert replies == []
    finally:
        waiting.released.set()
        asking.join(30)
    assert replies == [200]


def test_a_reranker_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match="reranker: there is no folder"):
        wire(Settings(data=tmp_path, embedding_model="word-hash", reranker="/no/such/folder"))


def test_torch_is_not_imported_while_it_is_off(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom kb_service.app import wire\n"
        "from kb_service.settings import Settings\n"
        f"services = wire(Settings(data=Path({str(tmp_path)!r}), embedding_model='word-hash'))\n"
        "services.stop()\nsys.exit('torch' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
