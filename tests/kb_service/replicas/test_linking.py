"""What happened to answers and cases becomes evidence in the problem graph."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kb_service.conftest import LATE, Api

ANSWER = {
    "kind": "faq",
    "title": "Parcel does not move",
    "language": "en",
    "fields": {
        "question": "My parcel has not moved for three days",
        "reply": "We ask the carrier and write to you within a day.",
    },
}


def shown(api: Api) -> dict[str, Any]:
    """A shop with a problem and an answer for it; the answer as an agent was shown it."""
    assert api.put("/v1/documents/faq-late", ANSWER).status_code == 201
    api.recurring()
    reply = api.post("/v1/suggestions", {"query": LATE}).json()
    assert reply["problem"] is not None
    return {"problem": reply["problem"]["id"], **reply["answers"][0]}


def weights(api: Api, problem_id: str) -> dict[str, float]:
    detail = api.get(f"/v1/problems/{problem_id}").json()
    linked = [*detail["answers"], *detail["policies"], *detail["resolutions"]]
    return {item["external_id"]: item["weight"] for item in linked}


def feedback(api: Api, answer: dict[str, Any], outcome: str) -> None:
    body = {"exposure_id": answer["exposure_id"], "answer_id": answer["id"], "outcome": outcome}
    assert api.post("/v1/feedback", body).json()["status"] == "recorded"


def test_what_answers_a_problem_by_its_content_is_linked(api: Api) -> None:
    answer = shown(api)
    assert weights(api, answer["problem"])["faq-late"] > 0
    hits = api.post("/v1/suggestions", {"query": LATE}).json()["answers"]
    assert "problem_answer" in {reason["code"] for reason in hits[0]["why"]}


@pytest.mark.parametrize("outcome", ["accepted", "resolved", "rejected", "reopened"])
def test_a_word_of_feedback_changes_no_link(api: Api, outcome: str) -> None:
    answer = shown(api)
    before = weights(api, answer["problem"])
    feedback(api, answer, outcome)
    assert weights(api, answer["problem"]) == before


def test_a_removed_document_is_no_answer_of_any_problem(api: Api) -> None:
    answer = shown(api)
    feedback(api, answer, "accepted")
    assert api.delete("/v1/documents/faq-late").status_code == 204
    assert "faq-late" not in weights(api, answer["problem"])


def test_a_draft_is_not_in_the_graph(api: Api) -> None:
    assert api.put("/v1/documents/faq-late", {**ANSWER, "status": "draft"}).status_code == 201
    nodes = {node["id"] for node in api.get("/v1/graph").json()["nodes"]}
    assert "document:faq-late" not in nodes


def test_who_resolved_it_is_linked_to_the_problem(api: Api) -> None:
    agent = {"name": "agent-01", "languages": ["en"], "skills": ["logistics"]}
    assert api.put("/v1/agents/agent-01", agent).status_code == 201
    api.recurring()
    case_id = api.case_id("m0")
    assert api.post(f"/v1/cases/{case_id}/resolve", {"agent_id": "agent-01"}).status_code == 200
    replica = api.services.replicas.settled("shop")
    replica.reset()
    edges = replica.graph.node_link(at=None)["edges"]
    assert any(edge["source"] == "agent:agent-01" and edge["key"] == "resolves" for edge in edges)
