"""A document that was removed or has expired is nowhere, from the moment that the call returns."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FixedClock
from tests.kb_service.conftest import LATE, Api, running
from tests.reliability.harness import rounds, word

ASKED = f"{LATE} {word(1)}"


@pytest.fixture
def api(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    with running(tmp_path / "data", clock) as started:
        yield started


def put(api: Api, external_id: str, **attributes: Any) -> None:
    text = f"{LATE}? A parcel that has not moved for three days is searched for. {word(1)} {external_id}"
    body = {"kind": "faq", "title": f"About {external_id}", "text": text, "language": "en", **attributes}
    assert api.put(f"/v1/documents/{external_id}", body).status_code in (200, 201)


def views(api: Api, problem_id: str) -> dict[str, str]:
    """Everything that may speak of a document, as text."""
    question = {"query": ASKED, "limit": 10, "context": {}}
    views = {
        "answers": api.post("/v1/answers", question),
        "suggestions": api.post("/v1/suggestions", question),
        "search": api.post("/v1/search", {"query": ASKED, "limit": 50}),
        "search by id": api.post("/v1/search", {"query": ASKED, "filters": {"document_id": ["leaving"]}}),
        "route": api.post("/v1/route", question),
        "graph": api.get("/v1/graph"),
        "problem's graph": api.get(f"/v1/problems/{problem_id}/graph"),
        "problem": api.get(f"/v1/problems/{problem_id}"),
    }
    assert all(response.status_code == 200 for response in views.values())
    return {name: json.dumps(response.json(), ensure_ascii=False) for name, response in views.items()}


def mentioned(api: Api, problem_id: str, external_id: str) -> set[str]:
    return {name for name, text in views(api, problem_id).items() if external_id in text}


def taught(api: Api) -> str:
    """A problem to which the document is linked, by its content and by an accepted answer."""
    problem_id = str(api.recurring(text=ASKED)["problem"]["id"])
    shown = api.post(
        "/v1/answers", {"query": ASKED, "conversation_id": "c-m0", "customer": {"id": "u-m0"}}
    ).json()
    for answer in shown["answers"]:
        told = {"exposure_id": answer["exposure_id"], "answer_id": answer["id"], "outcome": "accepted"}
        assert api.post("/v1/feedback", told).is_success
    return problem_id


SEEN = {"answers", "suggestions", "search", "search by id", "graph", "problem's graph", "problem"}


def test_a_removed_document_is_nowhere(api: Api) -> None:
    put(api, "staying")
    put(api, "leaving")
    problem_id = taught(api)
    assert mentioned(api, problem_id, "leaving") >= SEEN
    assert api.delete("/v1/documents/leaving").status_code == 204
    assert mentioned(api, problem_id, "leaving") == set()
    assert mentioned(api, problem_id, "staying") >= SEEN - {"search by id"}
    assert api.get("/v1/documents/leaving").status_code == 404
    assert "leaving" not in api.get("/v1/documents").text
    # Put again, it is itself again: what was learnt of the one before comes back with it, nothing else does.
    put(api, "leaving")
    assert mentioned(api, problem_id, "leaving") >= {"answers", "search", "graph"}


def test_an_expired_document_is_nowhere(api: Api) -> None:
    ends = api.clock.now + timedelta(hours=5)
    put(api, "staying")
    put(api, "leaving", valid_from="2026-01-01T00:00:00Z", valid_to=ends.isoformat())
    problem_id = taught(api)
    assert mentioned(api, problem_id, "leaving") >= SEEN
    api.clock.now = ends
    assert mentioned(api, problem_id, "leaving") == set()
    assert mentioned(api, problem_id, "staying") >= SEEN - {"search by id"}
    assert api.get("/v1/documents/leaving").status_code == 200, "people who look after it still see it"


def test_readers_beside_a_removal_never_see_it_afterwards(api: Api) -> None:
    """Whoever asks after the call has returned, while many others ask, does not find it."""
    stopping = threading.Event()
    gone: set[str] = set()
    wrong: list[str] = []
    asked = 0

    def read() -> None:
        nonlocal asked
        while not stopping.is_set():
            before = set(gone)
            hits = api.post("/v1/search", {"query": ASKED, "limit": 50}).json()["hits"]
            wrong.extend(before & {hit["external_id"] for hit in hits})
            asked += 1

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for number in range(rounds(15, 300)):
            put(api, f"passing-{number}")
            assert api.delete(f"/v1/documents/passing-{number}").status_code == 204
            gone.add(f"passing-{number}")
    finally:
        stopping.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert asked > 10
