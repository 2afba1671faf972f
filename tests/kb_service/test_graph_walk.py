"""A walk along the problem graph is off until the shop switches it on."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.models import Entity
from tests.conftest import FixedClock
from tests.kb_service.conftest import NOW, Api, running

PRODUCTS = {"LMP-1": "Aurora lamp", "KTL-2": "Nimbus kettle"}


def fill(api: Api) -> list[Entity]:
    for sku, title in PRODUCTS.items():
        body = {
            "kind": "product",
            "title": title,
            "language": "en",
            "products": [sku],
            "fields": {"SKU": sku},
        }
        assert api.put(f"/v1/documents/product-{sku}", body).status_code == 201
    return [Entity("sku", sku, 0, len(sku)) for sku in PRODUCTS]


@pytest.mark.parametrize("on", [False, True])
def test_it_reaches_what_a_question_names_only_where_it_is_on(tmp_path: Path, on: bool) -> None:
    with running(tmp_path / "data", FixedClock(NOW), graph_walk=on) as api:
        named = fill(api)
        replica = api.services.replicas.settled("shop")
        reached = {f"product-{sku}" for sku in PRODUCTS} if on else set()
        assert set(replica.prior(None, NOW, entities=named)) == reached
        assert replica.prior(None, NOW, entities=named[:1]) == {}  # one thing alone is no reason to walk
        reply = api.post("/v1/suggestions", {"query": "LMP-1 or KTL-2 ?"}).json()
        reasons = {reason["code"] for answer in reply["answers"] for reason in answer["why"]}
        assert ("problem_answer" in reasons) == on
