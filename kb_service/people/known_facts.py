"""What a case knows that a reply may say: the order, the parcel, the product that its customer named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graph.models import Customer, Entity

NAMES: Mapping[str, tuple[str, ...]] = {
    "order": ("order.number", "order.id", "order", "订单号", "订单编号"),
    "parcel": ("parcel.number", "parcel.id", "tracking.number", "运单号", "快递单号", "物流单号"),
    "carrier": ("parcel.carrier", "carrier", "快递公司", "物流公司"),
    "product": ("product.name", "product", "商品名称"),
}
"""The placeholders that a thing of one kind fills."""
AGENT = ("agent.name", "客服姓名")
KINDS = {"sku": "product"}


def known_facts(
    entities: Iterable[Entity],
    customer: Customer | None,
    *,
    products: Mapping[str, str],
    agent: str | None = None,
) -> dict[str, str]:
    """Values for placeholders, by their names.

    Of a kind that the customer named two things of, nothing is known: a person says which is meant. `products` are
    the names of products by sku, in the reader's language.
    """
    named: dict[str, dict[str, None]] = {}
    for entity in entities:
        kind = KINDS.get(entity.type, entity.type)
        value = products.get(entity.value, entity.value) if kind == "product" else entity.value
        named.setdefault(kind, {})[value] = None
    found = {
        name: next(iter(named[kind]))
        for kind, names in NAMES.items()
        if len(named.get(kind, ())) == 1
        for name in names
    }
    if customer is not None:
        told = {"customer.id": customer.id, "customer.tier": customer.tier}
        found |= {name: value for name, value in told.items() if value is not None}
    return found | (dict.fromkeys(AGENT, agent) if agent else {})
