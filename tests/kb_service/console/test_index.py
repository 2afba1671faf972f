"""The state of encoder and index: told by the services, in both languages, and an index made anew while it serves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.embedding import WordHashEmbedder
from kb_service.app import wire
from kb_service.console.words import EN
from kb_service.settings import Settings
from tests.conftest import FixedClock
from tests.kb_service.conftest import RETURNS, Api, running
from tests.kb_service.console.visitors import signed_in

HERE = "/console/administration/index"
REBUILD = f"{HERE}/rebuild"


def test_the_state_is_told_as_the_services_have_it(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    api.recurring()
    text = signed_in(api).text(HERE)
    replica = api.services.replicas.of("shop")
    assert replica.index.model_id in text
    assert f"at {replica.position} of {replica.position}" in text
    assert "up to date" in text
    assert "1, in 1 passage" in text
    assert "1 vectors, each compared exactly" in text
    assert "problems 1" in text
    assert "instance of" in text
    assert "the one that ships" in text
    assert "Chinese: not proven yet" in text
    assert "none published yet" in text
    assert "at most 1 % wrong are accepted" in text


def test_every_job_and_every_work_has_its_words(api: Api) -> None:
    for job in api.services.nightly.standing("shop"):
        assert f"job {job.name}" in EN
    for work in api.services.background:
        assert f"work {work.name}" in EN
    for kind in (*api.services.replicas.of("shop").graph.counts(),):
        assert f"node {kind}" in EN


def test_the_part_that_looks_again_is_the_same_in_chinese(api: Api) -> None:
    text = signed_in(api, language="zh").text(f"{HERE}/state")
    assert "搜索索引" in text
    assert "已同步" in text


def test_the_index_is_made_anew_published_and_audited(api: Api) -> None:
    for number in range(3):
        api.put(f"/v1/documents/d{number}", RETURNS | {"title": f"Returns {number}"})
    lin = signed_in(api)
    response = lin.post(REBUILD)
    assert response.status_code == 303
    run = api.services.upkeep.rebuilding("shop")
    assert run is not None
    assert run.wait(30)
    text = lin.text(HERE)
    assert "3 documents were read anew" in text
    assert "checksums right" in text
    assert "gen-" in text
    assert [hit["external_id"] for hit in api.post("/v1/search", {"query": "returned"}).json()["hits"]]
    assert "index.rebuilt" in [entry["action"] for entry in api.get("/v1/audit").json()["items"]]
    assert api.services.upkeep.rebuilding("other") is None


def test_a_published_index_that_was_damaged_says_so(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    lin = signed_in(api)
    lin.post(REBUILD)
    run = api.services.upkeep.rebuilding("shop")
    assert run is not None
    assert run.wait(30)
    folder = api.services.settings.data / "derived" / "shop" / "index"
    generation = json.loads((folder / "CURRENT").read_text())["generation"]
    (folder / generation / "vectors.npy").write_bytes(b"x")
    assert "damaged; the next start makes it anew" in lin.text(HERE)


class Other(WordHashEmbedder):
    """Another model of the same words."""

    model_id = "word-hash-other"


def test_a_change_of_the_model_shows_how_far_it_is_embedded(tmp_path: Path, clock: FixedClock) -> None:
    with running(tmp_path / "data", clock) as api:
        for number in range(5):
            api.put(f"/v1/documents/d{number}", RETURNS | {"title": f"Returns {number}"})
        api.recurring()
    other = wire(Settings(data=tmp_path / "data"), embedder=Other(), clock=clock)
    try:
        state = other.upkeep.condition("shop").embedding
        assert (state.going, state.passages, state.passages_waiting, state.share) == (True, 5, 5, 0.0)
        assert state.messages_waiting == 3
        assert state.per_minute is None
        replica = other.replicas.settled("shop")
        while not replica.embedded:
            replica.embed_missing()
            replica.follow()
        state = other.upkeep.condition("shop").embedding
        assert (state.going, state.passages_waiting, state.messages_waiting) == (False, 0, 0)
        assert state.share == 1.0
        assert replica.pace.texts == 5
        assert replica.pace.per_minute
    finally:
        other.stop()


@pytest.mark.parametrize("role", ["agent", "product", "editor"])
def test_only_administrators_are_admitted(api: Api, role: str) -> None:
    visitor = signed_in(api, role)
    assert visitor.get(HERE).status_code == 403
    assert visitor.get(f"{HERE}/state").status_code == 403
    assert visitor.post(REBUILD).status_code == 403
