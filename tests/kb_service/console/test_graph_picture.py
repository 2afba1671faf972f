"""The problem graph as a picture: what is drawn, how it is walked without a script, and what the script is told."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from graph.nodes import EntityNode
from kb_service.recurring import picturing
from kb_service.recurring.picturing import Drawing
from tests.kb_service.conftest import LATE, RETURNS, Api
from tests.kb_service.console.visitors import Browser, signed_in
from tests.kb_service.store_statements import store_statements

GRAPH = "/console/problems/graph"


@pytest.fixture
def shop(api: Api) -> str:
    """A problem of three customers about a product, which a policy answers; the problem's id."""
    kettle = {"kind": "product", "title": "Kettle SKU-1", "text": "A kettle.", "language": "en"}
    api.put("/v1/documents/kettle", {**kettle, "products": ["SKU-1"]})
    api.put("/v1/documents/returns", RETURNS)
    problem_id = str(api.recurring(products=["SKU-1"])["problem"]["id"])
    graph = api.services.replicas.settled("shop").graph
    graph.link_answer(problem_id, "returns", 1.0, api.clock())
    graph.link_entity(problem_id, "product", "SKU-1", 1.0, api.clock())
    return problem_id


@pytest.fixture
def visitor(api: Api, shop: str) -> Browser:
    return signed_in(api, "product")


def drawn(api: Api) -> Drawing:
    return api.services.pictures.drawing("shop")


def told(visitor: Browser) -> Any:
    response = visitor.get(f"{GRAPH}.json")
    assert response.status_code == 200
    return response.json()


def test_a_problem_is_drawn_with_what_it_is_about_and_what_answers_it(api: Api, shop: str) -> None:
    drawing = drawn(api)
    problem = drawing.nodes[drawing.at[f"problem:{shop}"]]
    assert (problem.kind, problem.customers, problem.state) == ("problem", 3, "open")
    around = {node.id: node.kind for node in drawing.neighbours(problem)}
    assert around.items() >= {"document:returns": "policy", "product:SKU-1": "product"}.items()


def test_a_picture_is_kept_until_what_it_shows_changes(api: Api, shop: str) -> None:
    first = drawn(api)
    assert drawn(api) is first
    api.recurring("n", conversation_id=None, text="the lid of my kettle does not close any more")
    second = drawn(api)
    assert second is not first
    api.post(f"/v1/problems/{shop}/acknowledge")
    third = drawn(api)
    assert third.nodes[third.at[f"problem:{shop}"]].state == "acknowledged"
    api.delete("/v1/documents/returns")
    assert "document:returns" not in drawn(api).at


def test_nobody_moves_while_only_counts_change(api: Api, shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream of messages changes the graph all the time; places are found anew only where something must move."""
    before = drawn(api)
    monkeypatch.setattr(picturing, "draw", lambda *_: pytest.fail("the picture was laid out anew"))
    api.post(f"/v1/problems/{shop}/acknowledge")
    after = drawn(api)
    assert after is not before
    assert {node.id: (node.x, node.y) for node in after.nodes} == {
        node.id: (node.x, node.y) for node in before.nodes
    }


def test_a_policy_that_has_ended_is_not_drawn_any_more(api: Api, shop: str) -> None:
    ends = api.clock() + timedelta(days=1)
    api.put("/v1/documents/returns", {**RETURNS, "valid_to": ends.isoformat()})
    assert "document:returns" in drawn(api).at
    api.clock.advance(days=2)
    assert "document:returns" not in drawn(api).at


def test_a_silence_that_ends_by_time_shows(api: Api, shop: str) -> None:
    until = api.clock() + timedelta(hours=1)
    api.post(f"/v1/problems/{shop}/silence", {"until": until.isoformat()})
    assert drawn(api).nodes[drawn(api).at[f"problem:{shop}"]].state == "silenced"
    api.clock.advance(hours=2)
    assert drawn(api).nodes[drawn(api).at[f"problem:{shop}"]].state == "open"


def test_only_so_many_are_drawn_and_the_page_says_so(
    api: Api, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.post("/v1/events", api.event("x", conversation_id="c-x", text="the lid of my kettle broke off"))
    assert drawn(api).problems == 2
    assert "are drawn, of" not in visitor.text(GRAPH)
    monkeypatch.setattr(picturing, "MOST_PROBLEMS", 1)
    api.services.replicas.settled("shop").graph.put_entity(EntityNode("product", "SKU-9", {}))
    drawing = drawn(api)
    assert (drawing.problems_drawn, drawing.problems) == (1, 2)
    assert drawing.nodes[0].customers == 3
    assert "The 1 problem of most customers are drawn, of 2." in visitor.text(GRAPH)


def test_the_page_walks_by_links_alone(visitor: Browser, shop: str) -> None:
    page = visitor.get(GRAPH).text
    assert f'href="{GRAPH}?at=problem%3A{shop}"' in page
    at_problem = visitor.get(f"{GRAPH}?at=problem:{shop}").text
    assert f'href="/console/problems/{shop}"' in at_problem
    assert f'href="{GRAPH}?at=document%3Areturns"' in at_problem
    at_policy = visitor.text(f"{GRAPH}?at=document:returns")
    assert "policy" in at_policy
    assert "1 problem, 3 customers" in at_policy
    assert "/console/documents/returns" in visitor.get(f"{GRAPH}?at=document:returns").text


def test_a_problem_is_found_by_its_own_id_too(visitor: Browser, shop: str) -> None:
    assert "3 customers, 3 messages" in visitor.text(f"{GRAPH}?at={shop}")
    assert f"{GRAPH}?at={shop}" in visitor.get(f"/console/problems/{shop}").text


def test_what_is_not_drawn_is_told(visitor: Browser) -> None:
    assert "This is not in the picture" in visitor.text(f"{GRAPH}?at=problem:none")


def test_filters_choose_what_is_listed(api: Api, visitor: Browser, shop: str) -> None:
    def listed(query: str) -> set[str]:
        return set(re.findall(r'data-node="([^"]+)"', visitor.get(f"{GRAPH}?{query}").text))

    everything = listed("")
    assert {f"problem:{shop}", "document:returns", "product:SKU-1"} <= everything
    assert listed("kind=policy") == {"document:returns"}
    assert listed("q=PARCEL") == {f"problem:{shop}", "document:returns", "product:SKU-1"} & everything
    assert f"problem:{shop}" in listed("q=returns"), "what is tied to what is called so"
    assert listed("state=resolved") == set()
    assert "Nothing fits." in visitor.text(f"{GRAPH}?state=resolved")
    assert listed("state=open") >= {f"problem:{shop}", "document:returns"}
    api.clock.advance(days=20)
    api.post("/v1/events", api.event("y", text="the lid of my kettle broke off"))
    visitor = signed_in(api, "product", name="Mo")
    assert f"problem:{shop}" not in listed("days=7")
    assert f"problem:{shop}" in listed("days=30")
    assert visitor.get(f"{GRAPH}?kind=rumour").status_code == 422


def test_the_script_is_told_rows_and_no_secret(visitor: Browser, shop: str) -> None:
    given = told(visitor)
    rows = {row[0]: row for row in given["nodes"]}
    kind, name, *_, radius, state, customers, age = rows[f"problem:{shop}"][1:]
    assert (given["kinds"][kind], given["states"][state], customers, age) == ("problem", "open", 3, 0)
    assert "parcel" in name
    assert radius > 0
    places = {row[0]: at for at, row in enumerate(given["nodes"])}
    assert sorted((places[f"problem:{shop}"], places["document:returns"])) in [
        sorted(tie) for tie in given["ties"]
    ]
    text = json.dumps(given)
    assert "csrf" not in text


def test_the_picture_of_a_shop_is_its_own(api: Api, shop: str) -> None:
    other = signed_in(api, "product", workspace="other")
    assert told(other)["nodes"] == []
    assert "There is nothing to draw yet" in other.text(GRAPH)
    assert LATE not in other.get(f"{GRAPH}?at=problem:{shop}").text


def test_names_come_in_the_language_of_the_reader(api: Api, shop: str) -> None:
    api.post(f"/v1/problems/{shop}/rename", {"name": {"en": "Parcel stuck", "zh": "包裹停滞"}})
    chinese = signed_in(api, "agent", language="zh", name="Mo")
    assert "包裹停滞" in {row[2] for row in told(chinese)["nodes"]}
    assert "包裹停滞" in chinese.text(f"{GRAPH}?at={shop}")


def test_a_picture_needs_few_questions_of_the_store(api: Api, visitor: Browser) -> None:
    """None for the graph itself: it is in memory. What is left is the session and the shop's clocks."""
    visitor.get(GRAPH)
    with store_statements() as asked:
        visitor.get(f"{GRAPH}.json")
        visitor.get(f"{GRAPH}?q=parcel")
    assert len([item for item in asked if item.lstrip().upper().startswith("SELECT")]) <= 8


def test_no_shop_waits_for_the_picture_of_another(
    api: Api, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, on = threading.Event(), threading.Event()
    drawn_as = picturing._drawn

    def slowly(replica: Any, *given: Any) -> Any:
        if replica.workspace == "shop":
            going.set()
            assert on.wait(30)
        return drawn_as(replica, *given)

    monkeypatch.setattr(picturing, "_drawn", slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(drawn, api)
        try:
            assert going.wait(30)
            pool.submit(api.services.pictures.drawing, "other").result(30)
            assert not first.done()
        finally:
            on.set()
        assert first.result(30).problems == 1
