"""Pages right after a start, while what is known of problems is still being derived from a month of messages."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.kb_service.conftest import NOW, Api
from tests.kb_service.console.visitors import Browser, signed_in

FROM_THE_STORE = (
    "/console/desk",
    "/console/problems",
    "/console/problems?view=all",
    "/console/alerts",
    "/console/proposals",
    "/console/traffic/service",
    "/console/traffic/people",
    "/console/knowledge",
    "/console/administration/expertise",
    "/console/administration/agents",
)
OF_THE_GRAPH = ("/console/problems/graph", "/console/traffic", "/console/knowledge/gaps")


@pytest.fixture
def problem(api: Api) -> str:
    return str(api.recurring()["problem"]["id"])


@pytest.fixture
def deriving(api: Api, problem: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody derives the matcher and the graph, and takes long."""
    monkeypatch.setattr("kb_service.replicas.replicas.HURRIED_SECONDS", 0.01)
    replica = api.services.replicas.settled("shop")
    begun, over = threading.Event(), threading.Event()

    def derive() -> None:
        with replica.lock:
            monkeypatch.setattr(replica, "_settled", False)
            begun.set()
            over.wait(60)
            replica.reset()

    thread = threading.Thread(target=derive)
    thread.start()
    assert begun.wait(60)
    try:
        yield
    finally:
        over.set()
        thread.join(60)


@pytest.fixture
def visitor(api: Api) -> Browser:
    return signed_in(api, "admin", "product", "agent", "editor")


@pytest.mark.parametrize("address", FROM_THE_STORE)
def test_a_page_that_the_store_tells_does_not_wait_for_the_graph(
    api: Api, visitor: Browser, problem: str, deriving: None, address: str
) -> None:
    assert visitor.get(address).status_code == 200


def test_one_problem_and_its_cases_do_not_wait_and_say_what_is_not_there_yet(
    api: Api, visitor: Browser, problem: str, deriving: None
) -> None:
    said = visitor.text(f"/console/problems/{problem}")
    assert "still being put together" in said
    assert "a document is missing" not in said
    assert visitor.get(f"/console/cases/{api.case_id('m0')}").status_code == 200


@pytest.mark.parametrize("address", OF_THE_GRAPH)
def test_a_page_that_needs_the_graph_says_so_at_once_and_opens_by_itself(
    visitor: Browser, deriving: None, address: str
) -> None:
    answer = visitor.get(address)
    if address == "/console/problems/graph" and answer.status_code == 200:
        answer = visitor.get("/console/problems/graph.json")
    assert answer.status_code == 503
    assert '<meta http-equiv="refresh"' in answer.text and "just being put together" in answer.text


def test_a_silence_that_ends_meanwhile_is_over_without_waiting(
    api: Api, visitor: Browser, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = NOW.replace(day=19).isoformat()
    assert api.post(f"/v1/problems/{problem}/silence", {"until": until}).status_code == 200
    api.clock.advance(days=2)
    monkeypatch.setattr("kb_service.replicas.replicas.HURRIED_SECONDS", 0.01)
    replica = api.services.replicas.settled("shop")
    with replica.lock:
        monkeypatch.setattr(replica, "_settled", False)
        assert "silent until" not in visitor.text(f"/console/problems/{problem}")
        replica.reset()


def test_the_api_waits_for_the_graph(api: Api, problem: str) -> None:
    replica = api.services.replicas.settled("shop")
    replica._settled = False
    assert api.get(f"/v1/problems/{problem}").status_code == 200
    assert replica.settled
