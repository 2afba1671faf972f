"""Intents, agents, expertise and assignment over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kb_service.conftest import Api, faults, is_subset, problem

RETURN = {"label": "退货", "examples": ["我要退货", "how do I send this back"], "expertise": "after-sales"}
LATE = {
    "label": "Late parcel",
    "examples": ["where is my parcel", "my parcel is late"],
    "expertise": "logistics",
}


def test_intents_come_and_go(api: Api) -> None:
    created = api.put("/v1/intents/return", RETURN)
    assert created.status_code == 201
    assert is_subset(RETURN, created.json())
    assert api.put("/v1/intents/return", RETURN).status_code == 200
    both = {"intents": [{"id": "return", **RETURN}, {"id": "late", **LATE}]}
    assert [item["status"] for item in api.post("/v1/intents:batch", both).json()["items"]] == [
        "unchanged",
        "created",
    ]
    assert [item["id"] for item in api.get("/v1/intents", role="bot").json()["items"]] == ["late", "return"]
    assert api.get("/v1/intents/late").json()["label"] == "Late parcel"
    assert api.delete("/v1/intents/late").status_code == 204
    problem(api.get("/v1/intents/late"), 404)
    problem(api.delete("/v1/intents/late"), 404)


def test_examples_count_when_the_call_returns(api: Api) -> None:
    api.post("/v1/intents:batch", {"intents": [{"id": "return", **RETURN}, {"id": "late", **LATE}]})
    for agent, skill in (("agent-1", "logistics"), ("agent-2", "after-sales")):
        api.put(
            f"/v1/agents/{agent}", {"name": agent, "online": True, "languages": ["en"], "skills": [skill]}
        )
    route = api.post("/v1/route", {"query": "my parcel is late"}).json()
    assert route["intents"][0]["id"] == "late"
    assert route["expertise"]["id"] == "logistics"
    assert route["agents"][0]["id"] == "agent-1"
    assert {reason["code"] for reason in route["agents"][0]["reasons"]} >= {"skill"}
    assert {item["id"] for item in api.get("/v1/expertise").json()["items"]} == {"logistics", "after-sales"}
    assert api.get("/v1/expertise/logistics").json()["agent_ids"] == ["agent-1"]
    problem(api.get("/v1/expertise/nothing"), 404)
    api.delete("/v1/intents/late")
    assert "late" not in {
        item["id"] for item in api.post("/v1/route", {"query": "my parcel is late"}).json()["intents"]
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**RETURN, "label": ""}, "label"),
        ({**RETURN, "examples": []}, "examples"),
        ({**RETURN, "examples": [""]}, "examples.0"),
        ({**RETURN, "examples": ["x" * 1001]}, "examples.0"),
        ({**RETURN, "sensitive": "perhaps"}, "sensitive"),
        ({"label": "x"}, "examples"),
    ],
)
def test_intents_that_cannot_be(shared_api: Api, body: dict[str, Any], field: str) -> None:
    assert list(faults(shared_api.put("/v1/intents/return", body))) == [field]
    batch = {"intents": [{"id": "return", **body}]}
    assert list(faults(shared_api.post("/v1/intents:batch", batch))) == [f"intents.0.{field}"]


def test_an_id_stands_once_in_a_batch(shared_api: Api) -> None:
    twice = {"intents": [{"id": "return", **RETURN}, {"id": "late", **LATE}, {"id": "return", **LATE}]}
    assert list(faults(shared_api.post("/v1/intents:batch", twice))) == ["intents.2.id"]
    assert shared_api.get("/v1/intents").json()["items"] == []
    assert list(faults(shared_api.post("/v1/intents:batch", {"intents": []}))) == ["intents"]


def test_what_is_removed_leaves_the_graph_and_the_gazetteer(api: Api) -> None:
    api.put("/v1/intents/late", LATE)
    api.put("/v1/agents/agent-1", {"name": "agent-1", "skills": ["logistics"]})
    lamp = {
        "kind": "product",
        "title": "Glow lamp",
        "text": "A lamp.",
        "language": "en",
        "products": ["LAMP-1"],
    }
    api.put("/v1/documents/lamp", lamp)

    def nodes() -> set[str]:
        return {node["id"] for node in api.get("/v1/graph").json()["nodes"]}

    def skus() -> list[str]:
        entities = api.post("/v1/answers", {"query": "the Glow lamp flickers"}).json()["understanding"][
            "entities"
        ]
        return [entity["value"] for entity in entities if entity["type"] in ("product", "sku")]

    assert nodes() == {
        "intent:late",
        "agent:agent-1",
        "expertise:logistics",
        "document:lamp",
        "product:LAMP-1",
    }
    assert skus()
    for path in ("intents/late", "agents/agent-1", "documents/lamp"):
        assert api.delete(f"/v1/{path}").status_code == 204
    assert nodes() == set()
    assert skus() == []


def test_agents_come_and_go(api: Api) -> None:
    body = {"name": "Lin", "languages": ["zh", "en"], "skills": ["logistics"], "capacity": 3, "pool": "flex"}
    created = api.put("/v1/agents/agent-1", body)
    assert created.status_code == 201
    assert is_subset({**body, "online": False, "load": 0}, created.json())
    assert api.put("/v1/agents/agent-1", {**body, "capacity": 4}).status_code == 200
    online = {
        "id": "s1",
        "type": "agent_state",
        "agent_id": "agent-1",
        "state": "online",
        "at": api.clock.now.isoformat(),
    }
    assert api.post("/v1/events", online).json()["status"] == "accepted"
    assert api.get("/v1/agents/agent-1").json()["online"]
    profile = api.get("/v1/agents/agent-1/profile").json()
    assert (profile["agent"]["id"], profile["overall"]["cases"], profile["overall"]["rate"]) == (
        "agent-1",
        0,
        None,
    )
    assert api.delete("/v1/agents/agent-1").status_code == 204
    for path in ("/v1/agents/agent-1", "/v1/agents/agent-1/profile"):
        problem(api.get(path), 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "A", "capacity": -1}, "capacity"),
        ({"name": "A", "capacity": 2.5}, "capacity"),
        ({"name": "A", "pool": "reserve"}, "pool"),
        ({"name": "A", "languages": "en"}, "languages"),
        ({"name": "A", "languages": ["zh", "中文"]}, "languages.1"),
        ({"name": "A", "permissions": ["approve", "refund:abc"]}, "permissions.1"),
        ({"name": "A", "skills": [""]}, "skills.0"),
        ({"name": "A\x00"}, "name"),
    ],
)
def test_agents_that_cannot_be(shared_api: Api, body: dict[str, Any], field: str) -> None:
    assert list(faults(shared_api.put("/v1/agents/agent-1", body))) == [field]


def test_a_case_that_nobody_can_take_says_why(api: Api) -> None:
    case_id = api.post("/v1/events", api.event("m1")).json()["case_id"]
    api.post(f"/v1/cases/{case_id}/handover")
    (made,) = api.post("/v1/assignments").json()["items"]
    assert made["case_id"] == case_id
    assert made["agent"] is None
    assert made["reason"]
    assert made["priority"]["band"] in ("low", "normal", "high", "urgent")
    assert list(faults(api.post("/v1/assignments", {"at": "now"}))) == ["at"]
