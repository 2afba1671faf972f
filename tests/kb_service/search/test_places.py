"""The places that a text names."""

from __future__ import annotations

import pytest

from kb_service.search.places import (
    places_in,
    speaks_of_abroad,
    speaks_of_elsewhere,
    wholes_of,
    with_countries,
    with_unions,
)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("新疆、西藏能发吗，运费多少？", {"CN-XJ", "CN-XZ"}),
        ("乌鲁木齐能发吗", {"CN-XJ"}),
        ("寄到臺灣", {"TW"}),
        ("港澳运费", {"HK", "MO"}),
        ("shipping to hong kong or the US", {"HK", "US"}),
        ("a parcel to Guinea-Bissau", {"GW"}),
        ("MUNICH", {"DE"}),
        ("from Xi'an to the EU", {"CN-SN", "EU"}),
        ("西藏自治区 北京市", {"CN-XZ", "CN-BJ"}),
        ("寄到US运费多少", {"US"}),
        ("ship to Turkey or South Africa", {"TR", "ZA"}),
        ("tell us how", set()),
        ("TELL US HOW", set()),
        ("北京时间几点开始", set()),
        ("哈密瓜和汉堡包", set()),
        ("a jersey that states its size", set()),
        ("Parisian chic, hamburgers", set()),
        ("包头拖鞋 每天水洗 更加蓬松 添加纳米 节假日本店 固定西装 大理石 京东", set()),
        ("a EU plug, US size 8, HK$200", set()),
        ("", set()),
    ],
)
def test_a_text_names_countries_their_parts_and_cities(text: str, places: set[str]) -> None:
    assert places_in(text) == places


def test_a_part_belongs_to_its_country_and_a_country_to_its_union() -> None:
    assert with_countries(["cn-xz", "DE"]) == {"CN-XZ", "CN", "DE"}
    assert with_unions({"DE"}) == {"DE", "EU"}
    assert with_unions({"CN"}) == {"CN"}


@pytest.mark.parametrize(
    ("text", "abroad", "elsewhere"),
    [
        ("Do you ship ABROAD?", True, True),
        ("哪些国家可以寄", False, True),
        ("偏远地区", False, True),
        ("which countries", False, True),
        ("我们地区怎么退货", False, False),
        ("国家三包怎么退货", False, False),
        ("the remote control is broken", False, False),
    ],
)
def test_other_places_may_be_meant_without_their_names(text: str, abroad: bool, elsewhere: bool) -> None:
    assert (speaks_of_abroad(text), speaks_of_elsewhere(text)) == (abroad, elsewhere)


@pytest.mark.parametrize(
    ("region", "wholes"),
    [
        ("DE", {"DE", "EU"}),
        (" de", {" de", "EU"}),
        ("CN-XZ", {"CN-XZ", "CN"}),
        ("EU", {"EU"}),
        ("eu-west", {"eu-west"}),
        ("华东", {"华东"}),
    ],
)
def test_what_holds_in_a_union_or_a_country_holds_in_its_parts(region: str, wholes: set[str]) -> None:
    assert set(wholes_of(region)) == wholes
