"""Kinds come from the shop's own names of products; a head that says too little stands only with its modifier."""

from __future__ import annotations

import pytest

from graph.product_kinds import only_says_for_what, product_kinds, written

USUAL = {"音箱", "水壶", "热水壶", "电热水壶", "羽绒服", "毛巾", "套装", "内衣"}


def kinds(*names: str, sku: str = "ABC-X10") -> set[str]:
    return set(product_kinds({sku: names}, lambda word: int(word in USUAL)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("声澜 X10 智能音箱", {"智能音箱", "音箱"}),
        ("声澜 X10 智能音箱 使用说明", {"智能音箱", "音箱"}),
        ("暖屿 X10 恒温电热水壶 1.7L", {"恒温电热水壶", "电热水壶", "热水壶", "水壶"}),
        ("野渡 X10 保暖内衣套装", {"保暖内衣套装"}),
        ("野渡轻薄羽绒服", {"羽绒服"}),
        ("Hearthnova X10 Electric Kettle 1.7 L", {"electric kettle", "kettle"}),
        ("Voltane X10 Power Bank 10,000 mAh", {"power bank"}),
        ("Sonlan X10 Soundbar with Subwoofer", {"soundbar"}),
        ("Sonlan X10 headphones: user page", {"headphones"}),
        ("Wildferry X10 3-in-1 Shell Jacket", {"shell jacket", "jacket"}),
        ("Wildferry cotton tee shirt", {"tee shirt", "shirt"}),
        ("X10", set()),
        ("", set()),
    ],
)
def test_kinds_of_a_name(name: str, expected: set[str]) -> None:
    assert kinds(name) == expected


def test_a_kind_is_found_as_one_and_as_several() -> None:
    assert [written(kind) for kind in ("earbuds", "kettle", "耳机")] == [
        ("earbuds", "earbud"),
        ("kettle", "kettles"),
        ("耳机",),
    ]


def test_a_kind_has_the_products_of_all_names_that_end_with_it() -> None:
    names = {"A-X1": ["Sonlan X1 Earbuds"], "A-X2": ["Sonlan X2 Sport Earbuds"], "A-K2": ["Hearth K2 Kettle"]}
    assert product_kinds(names, lambda word: 0) == {
        "earbuds": {"A-X1", "A-X2"},
        "sport earbuds": {"A-X2"},
        "kettle": {"A-K2"},
    }


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("does the desk lamp flicker", "desk", True),
        ("desk lamps", "desk", True),
        ("watch-straps", "watch", True),
        ("the desk wobbles", "desk", False),
        ("desk lampooned", "desk", False),
        ("desk", "desk", False),
        ("沙发套能拆吗", "沙发", True),
        ("怎么换绑手机号", "手机", True),
        ("my phone number changed", "phone", True),
        ("沙发能拆吗", "沙发", False),
    ],
)
def test_a_kind_may_only_say_what_another_thing_is_for(text: str, kind: str, told: bool) -> None:
    assert only_says_for_what(text, text.index(kind) + len(kind)) is told
