"""What a case knows that a reply may say."""

from __future__ import annotations

from graph.models import Customer, Entity
from kb_service.people.known_facts import known_facts
from kb_service.replying.placeholders import blanks, fill


def named(kind: str, value: str) -> Entity:
    return Entity(kind, value, 0, len(value))


def test_what_the_customer_named_fills_the_placeholders_of_its_kind() -> None:
    facts = known_facts(
        [named("order", "SO1"), named("parcel", "SF1"), named("sku", "EB50"), named("carrier", "YTO")],
        Customer("u-1", tier="gold"),
        products={"EB50": "耳机 EB50"},
        agent="Mei",
    )
    text = (
        "{order.number} {订单号} {parcel.number} {product.name} {parcel.carrier} {customer.tier} {agent.name}"
    )
    assert fill(text, facts) == ("SO1 SO1 SF1 耳机 EB50 YTO gold Mei", ())


def test_of_two_orders_none_is_meant_for_sure() -> None:
    facts = known_facts([named("order", "SO1"), named("order", "SO2")], None, products={})
    assert facts == {}


def test_the_same_order_named_twice_is_one() -> None:
    facts = known_facts([named("order", "SO1"), named("order", "SO1")], None, products={})
    assert facts["order.number"] == "SO1"


def test_a_sum_that_the_customer_named_is_not_the_refund() -> None:
    facts = known_facts([named("amount", "¥80")], Customer("u-1"), products={})
    assert fill("{refund.amount}", facts)[1] == ("refund.amount",)


def test_blanks_are_told_as_they_are_written() -> None:
    text = "{a.b} and ${a.b}, {{ c }}, [[d]], 单号【订单号】.\n【说明】 heading"
    assert blanks(text) == {
        "a.b": ("{a.b}", "${a.b}"),
        "c": ("{{ c }}",),
        "d": ("[[d]]",),
        "订单号": ("【订单号】",),
    }
    assert tuple(blanks(text)) == fill(text, {})[1]
