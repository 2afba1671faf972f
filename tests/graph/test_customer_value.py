from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.customer_value import PSEUDO_CUSTOMERS, ValueScales, named_in, tier_words
from graph.models import Customer
from graph.rules import Rules

TIERS = Rules().tier_values


def customers(count: int, *, spend: float, orders: int = 4, days: float = 30.0) -> list[Customer]:
    """Customers between nothing and twice the figures, evenly."""
    steps = [2 * number / (count - 1) for number in range(count)]
    return [
        Customer(f"u{number}", orders=round(orders * step), spend=spend * step, recency_days=days * step)
        for number, step in enumerate(steps)
    ]


def test_who_outdoes_three_in_four_customers_has_three_quarters() -> None:
    scales = ValueScales.of(customers(4001, spend=200.0, orders=1000, days=60.0))
    assert 1 - math.exp(-300 / scales.spend) == pytest.approx(0.75, abs=0.01)
    assert 1 - math.exp(-1500 / scales.orders) == pytest.approx(0.75, abs=0.01)
    assert math.exp(-30 / scales.recency_days) == pytest.approx(0.75, abs=0.01)


def test_a_currency_changes_nothing_once_enough_customers_are_known() -> None:
    yuan, yen = customers(4001, spend=3000.0), customers(4001, spend=60_000.0)
    here, there = ValueScales.of(yuan), ValueScales.of(yen)
    assert [here.share(one) for one in yuan[::50]] == pytest.approx(
        [there.share(one) for one in yen[::50]], abs=0.01
    )


def test_few_customers_hardly_move_the_scales() -> None:
    default = ValueScales()
    assert ValueScales.of([]) == default
    one = ValueScales.of([Customer("u", orders=1, spend=50_000.0, recency_days=1)])
    assert default.spend < one.spend < 1.3 * default.spend
    many = ValueScales.of(customers(int(PSEUDO_CUSTOMERS), spend=30.0))
    assert many.spend == pytest.approx(math.sqrt(default.spend * 45 / math.log(4)), rel=0.05)


def test_what_no_customer_tells_keeps_its_scale() -> None:
    scales = ValueScales.of([Customer(f"u{number}", orders=2) for number in range(500)])
    assert scales.spend == ValueScales().spend
    assert scales.recency_days == ValueScales().recency_days
    assert scales.orders < ValueScales().orders
    assert ValueScales.of([Customer("u", orders=0, spend=0.0, recency_days=0.0)]) == ValueScales()


FIGURES = st.tuples(st.integers(0, 10**6), st.floats(0, 1e9), st.floats(0, 10**5))


@given(FIGURES, FIGURES)
def test_more_orders_more_money_and_a_later_order_never_count_less(
    one: tuple[int, float, float], other: tuple[int, float, float]
) -> None:
    scales = ValueScales()
    orders, spend, days = (sorted(pair) for pair in zip(one, other, strict=True))
    low = scales.share(Customer("u", orders=orders[0], spend=spend[0], recency_days=days[1]))
    high = scales.share(Customer("u", orders=orders[1], spend=spend[1], recency_days=days[0]))
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize(
    ("tier", "worth"),
    [
        ("platinum", 1.0),
        ("Platin-Kunde", 1.0),
        ("SVIP", 1.0),
        ("VIP3", 1.0),
        ("钻石会员", 1.0),
        ("铂金卡", 1.0),
        ("白金會員", 1.0),
        ("プラチナ", 1.0),
        ("Gold", 0.8),
        ("GOLD_MEMBER", 0.8),
        ("金卡", 0.8),
        ("黃金會員", 0.8),
        ("ゴールド", 0.8),
        ("Oro", 0.8),
        ("or", 0.8),
        ("silver", 0.55),
        ("银卡会员", 0.55),
        ("Silber", 0.55),
        ("실버", 0.55),
        ("青铜", 0.2),
        ("regular", 0.0),
        ("普通会员", 0.0),
        ("Marigold", 0.0),
        ("blacklisted", 0.0),
        ("normal or better", 0.0),
        ("", 0.0),
        (None, 0.0),
    ],
)
def test_tiers_by_their_usual_names(tier: str | None, worth: float) -> None:
    assert named_in(tier, TIERS) == worth


def test_a_shops_own_names_come_first() -> None:
    declared = {"Ruby": 0.9, "gold": 0.5, "VIP": 0.1}
    assert named_in("ruby", declared) == 0.9
    assert named_in("金卡", declared) == 0.5
    assert named_in("vip", declared) == 0.1
    assert named_in("VIP3", declared) == 0.0, "counts as platinum, which this shop did not declare"
    assert named_in("silver", declared) == 0.0


@pytest.mark.parametrize(
    ("tier", "english", "chinese"),
    [
        ("silver", "silver tier", "银卡会员"),
        ("Gold", "gold tier", "金卡会员"),
        ("铂金会员", "platinum tier", "铂金会员"),
        ("diamond", "diamond tier", "钻石会员"),
        ("VIP", "VIP tier", "VIP 会员"),
        ("Ruby member", "Ruby tier", "Ruby 会员"),
        ("红宝石", "红宝石 tier", "红宝石会员"),
        ("会员", "会员 tier", "会员"),
    ],
)
def test_tiers_in_words(tier: str, english: str, chinese: str) -> None:
    assert tier_words(tier, "en") == english
    assert tier_words(tier, "zh") == chinese
