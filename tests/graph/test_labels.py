"""Labels of two languages, told in one."""

from __future__ import annotations

import pytest

from graph.labels import label_in


@pytest.mark.parametrize(
    ("label", "zh", "en"),
    [
        ("申请退货 / Return an item", "申请退货", "Return an item"),
        ("Return an item / 申请退货", "申请退货", "Return an item"),
        ("退货", "退货", "退货"),
        ("Return", "Return", "Return"),
        ("退货/换货", "退货/换货", "退货/换货"),
        ("Returns / Refunds", "Returns / Refunds", "Returns / Refunds"),
        ("退货 / 退款", "退货 / 退款", "退货 / 退款"),
        ("退货 / Returns · 运费 / Postage", "退货 · 运费", "Returns · Postage"),
        ("退货 · 运费 / Returns · Postage", "退货 · 运费", "Returns · Postage"),
        ("after-sales-clothing", "after sales clothing", "after sales clothing"),
        ("return_postage", "return postage", "return postage"),
        ("agent-07", "agent-07", "agent-07"),
        ("SKU-WH50", "SKU-WH50", "SKU-WH50"),
    ],
)
def test_a_label_is_shown_in_the_readers_language(label: str, zh: str, en: str) -> None:
    assert (label_in(label, "zh"), label_in(label, "en")) == (zh, en)
