"""The same key and body give the first response again, and one effect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from httpx2 import Response

from tests.kb_service.conftest import LATE, Api, faults, problem


def keyed(api: Api, path: str, body: object, key: str = "k-1", **request: object) -> Response:
    return api.post(path, body, headers={"Idempotency-Key": key}, **request)


def test_a_replay_is_the_first_response(api: Api) -> None:
    first = keyed(api, "/v1/events", api.event("m1"))
    again = keyed(api, "/v1/events", api.event("m1"))
    assert first.status_code == again.status_code == 200
    assert again.json() == first.json()
    assert again.json()["status"] == "accepted"
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert api.post("/v1/events", api.event("m1")).json()["status"] == "duplicate"


def test_another_body_is_refused(api: Api) -> None:
    keyed(api, "/v1/events", api.event("m1"))
    body = problem(keyed(api, "/v1/events", api.event("m2")), 409)
    assert body["type"].endswith(":idempotency_mismatch")
    assert api.get("/v1/events/m2").status_code == 404


def test_another_object_under_the_same_key_is_refused(api: Api) -> None:
    one = api.recurring("a")["problem"]["id"]
    two = api.recurring("b", text="the zipper of the jacket broke after one wash")["problem"]["id"]
    assert keyed(api, f"/v1/problems/{one}/resolve", None).status_code == 200
    problem(keyed(api, f"/v1/problems/{two}/resolve", None), 409)
    assert api.get(f"/v1/problems/{two}").json()["state"] == "open"


def test_keys_belong_to_a_shop_and_a_route(api: Api) -> None:
    keyed(api, "/v1/events", api.event("m1"))
    other = keyed(api, "/v1/events", api.event("m2"), workspace="other")
    assert other.json()["status"] == "accepted"
    assert (
        keyed(api, "/v1/feedback", {"exposure_id": "x", "answer_id": "a", "outcome": "accepted"}).status_code
        == 404
    )


def test_a_refusal_is_not_kept(api: Api) -> None:
    body = {"agent_id": "agent-1"}
    case_id = api.post("/v1/events", api.event("m1")).json()["case_id"]
    assert "agent_id" in faults(keyed(api, f"/v1/cases/{case_id}/assign", body))
    api.put("/v1/agents/agent-1", {"name": "agent-1"})
    assert keyed(api, f"/v1/cases/{case_id}/assign", body).json()["agent_id"] == "agent-1"


def test_a_hundred_at_once_are_one(api: Api) -> None:
    body = api.event("m1")
    with ThreadPoolExecutor(100) as pool:
        responses = list(pool.map(lambda _: keyed(api, "/v1/events", body), range(100)))
    assert {response.status_code for response in responses} == {200}
    assert len({response.text for response in responses}) == 1
    assert responses[0].json()["status"] == "accepted"
    assert sum("Idempotency-Replayed" not in response.headers for response in responses) == 1
    assert len(api.get("/v1/cases").json()["items"]) == 1
    assert not api.app.state.idempotency_locks


def test_a_hundred_events_at_once_without_a_key_are_one_too(api: Api) -> None:
    body = api.event("m1")
    with ThreadPoolExecutor(50) as pool:
        statuses = [
            item.json()["status"] for item in pool.map(lambda _: api.post("/v1/events", body), range(50))
        ]
    assert sorted(statuses) == ["accepted", *["duplicate"] * 49]
    assert api.get("/v1/problems").json()["items"][0]["events"] == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "\xe9"])
def test_keys_must_be_plain(shared_api: Api, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    assert list(faults(shared_api.post("/v1/events", shared_api.event("m"), headers=headers))) == [
        "Idempotency-Key"
    ]


def test_reading_and_asking_take_no_key(api: Api) -> None:
    for query in (LATE, "something else"):
        assert keyed(api, "/v1/answers", {"query": query}).status_code == 200
