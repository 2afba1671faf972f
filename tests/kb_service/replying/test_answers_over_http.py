"""Products, several of them, and several questions at once, as a bot asks and is answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import FixedClock
from tests.kb_service.conftest import NOW, Api, running

PRODUCTS = {
    "kettle-zh": ("zh", "云雀 K100 水壶", "K100", {"保修期": "24 个月", "容量": "1.7 升", "颜色": "白 / 黑"}),
    "toaster-zh": ("zh", "云雀 T200 吐司机", "T200", {"保修期": "12 个月", "颜色": "红"}),
    "kettle-en": ("en", "Lark K100 kettle", "K100", {"Warranty": "24 months", "Colours": "White / Black"}),
    "lamp-en": ("en", "Lark L300 lamp", "L300", {"Warranty": "36 months", "Power": "9 W"}),
}
POLICIES = {
    "delivery": ("配送说明", "# 配送说明\n\n## 时效\n\n普通包裹 3 天内送到，偏远地区 7 天内送到。"),
    "invoice": ("发票说明", "# 发票说明\n\n## 开具\n\n签收后 180 天内都能开发票，24 小时内发到邮箱。"),
    "returns": (
        "退货说明",
        "# 退货说明\n\n## 期限\n\n签收 15 天内可以退货。但已激活的礼品卡除外。每位顾客每年可以免费取件 6 次，取件时间在订单页里自己选择。"
        "退回的商品由仓库在 2 个工作日内检查，检查通过之后开始退款，没有通过的会原样寄回给顾客。",
    ),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("answers") / "data", FixedClock(NOW)) as api:
        for name, (spoken, title, sku, fields) in PRODUCTS.items():
            body = {
                "kind": "product",
                "title": title,
                "language": spoken,
                "products": [sku],
                "fields": fields,
            }
            assert api.put(f"/v1/documents/{name}", body).status_code == 201
        for name, (title, markdown) in POLICIES.items():
            body = {"kind": "policy", "title": title, "language": "zh", "markdown": markdown}
            assert api.put(f"/v1/documents/{name}", body).status_code == 201
        yield api


def ask(api: Api, query: str, **given: Any) -> dict[str, Any]:
    response = api.post("/v1/answers", {"query": query, **given}, role="bot")
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    for answer in body["answers"]:
        for citation in answer["citations"]:
            text = api.get(f"/v1/documents/{citation['document_id']}").json()["text"]
            assert text[citation["start"] : citation["end"]] == citation["quote"]
    return body


def first(api: Api, query: str) -> str:
    return str(ask(api, query)["answers"][0]["text"])


def test_a_product_gives_the_field_that_is_asked_for(shop: Api) -> None:
    assert first(shop, "K100 保修期多久") == "云雀 K100 水壶的保修期是 24 个月。"
    assert first(shop, "how long is the warranty of the L300") == "Lark L300 lamp: the warranty is 36 months."
    assert first(shop, "K100 有哪些颜色，容量多少") == "云雀 K100 水壶：颜色是白 / 黑；容量是 1.7 升。"


def test_a_label_is_in_the_language_of_the_question(shop: Api) -> None:
    assert first(shop, "how long is the warranty of the T200") == "云雀 T200 吐司机: the warranty is 12 个月."


def test_several_products_are_answered_beside_each_other(shop: Api) -> None:
    body = ask(shop, "K100 和 T200 保修多久")
    assert (
        body["answers"][0]["text"]
        == "云雀 K100 水壶的保修期是 24 个月。\n云雀 T200 吐司机的保修期是 12 个月。"
    )
    assert [citation["document_id"] for citation in body["answers"][0]["citations"]] == [
        "kettle-zh",
        "toaster-zh",
    ]
    shown = [citation["document_id"] for answer in body["answers"] for citation in answer["citations"]]
    assert len(shown) == len(set(shown))


def test_a_comparison_lists_both(shop: Api) -> None:
    said = first(shop, "compare the warranty of the K100 and the L300")
    assert "the warranty is 24 months" in said and "the warranty is 36 months" in said


@pytest.mark.parametrize("query", ["T200 容量多大", "T200 续航多久", "what is the battery life of the L300"])
def test_a_field_that_a_product_does_not_have_is_not_answered_with_confidence(shop: Api, query: str) -> None:
    body = ask(shop, query)
    assert body["confidence"] <= 0.2
    assert body["action"] == "handoff"


def test_a_policy_gives_the_sentence_with_its_exception_and_its_section(shop: Api) -> None:
    answer = ask(shop, "签收后几天内可以退货")["answers"][0]
    assert answer["text"] == "签收 15 天内可以退货。但已激活的礼品卡除外。"
    assert answer["citations"][0]["section"] == ["期限"]


def test_two_questions_at_once_each_have_their_document(shop: Api) -> None:
    body = ask(shop, "包裹几天能送到，签收后能开发票吗")
    shown = [answer["citations"][0]["document_id"] for answer in body["answers"]]
    assert {"delivery", "invoice"} <= set(shown)
    assert ask(shop, "包裹几天能送到，签收后能开发票吗", limit=1)["answers"][0]["text"]
