"""What is written for programs, as people read it."""

from __future__ import annotations

import re

import pytest

from ingest.redaction import MASKS
from kb_service.console.readable import (
    attribute_name,
    blank_name,
    chips,
    field_name,
    in_words,
    language_name,
    name_in,
    value_name,
)
from kb_service.console.words import EN, ZH
from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import signed_in

NAME = "数码售后 / Electronics after-sales"


def test_a_mask_and_a_placeholder_are_chips_in_the_readers_words_with_what_stands_there() -> None:
    text = "Dear {customer.name}, your order [ORDER] is here."
    assert chips(text, "en") == (
        'Dear <span class="chip" title="{customer.name}">customer&#39;s name</span>, '
        'your order <span class="chip" title="[ORDER]">order number</span> is here.'
    )
    assert "顾客姓名</span>" in chips(text, "zh")
    assert in_words("[PHONE] {parcel.eta}", "zh") == "[电话号码] [预计送达]"


def test_what_people_wrote_beside_a_chip_stays_escaped() -> None:
    assert chips("<b>[NAME]</b> & {{ x }}", "en").startswith("&lt;b&gt;<span")
    assert "<script>" not in chips("<script>[NAME]{a<b}", "en")


def test_brackets_that_mask_nothing_stay_as_they_are() -> None:
    for text in ("[SKU] in stock", "[order]", "{}", "{ not one }", "【公告】"):
        assert chips(text, "en") == text


@pytest.mark.parametrize("mask", [*MASKS.values(), "[DATE]", "[PRICE]", "[ORDER]", "[NUMBER]"])
def test_every_mask_has_words_in_both_languages(mask: str) -> None:
    assert f"mask {mask[1:-1]}" in ZH
    assert f"mask {mask[1:-1]}" in EN


def test_a_placeholder_without_words_is_told_readably() -> None:
    assert blank_name("parcel.locker_code", "zh") == "parcel locker code"
    assert blank_name("parcel.eta", "en") == "Expected delivery"


def test_a_name_of_the_other_language_is_marked_as_such() -> None:
    assert name_in({"zh": "屏幕碎了", "en": "屏幕碎了"}, "en") == '<span lang="zh">屏幕碎了</span>'
    assert (
        name_in({"zh": "screen broke", "en": "screen broke"}, "zh") == '<span lang="en">screen broke</span>'
    )
    assert name_in({"de": "Kaputt", "zh": "Kaputt", "en": "Kaputt"}, "en") == '<span lang="de">Kaputt</span>'
    assert name_in({"zh": "屏幕碎了", "en": "screen <b>"}, "en") == "screen &lt;b&gt;"
    assert name_in({}, "zh", "p_1") == '<span lang="en">p_1</span>'


def test_languages_skills_and_fields_go_by_their_names() -> None:
    assert (language_name("zh-CN", "en"), language_name("en", "zh"), language_name("sv", "zh")) == (
        "Chinese",
        "英文",
        "sv",
    )
    assert field_name("After-sales electronics", {"after-sales-electronics": NAME}, "zh") == "数码售后"
    assert field_name("vip-care", {}, "zh") == "vip care"
    assert attribute_name("handling_seconds", "en") == "Handling time in seconds"
    assert attribute_name("own_column", "zh") == "own column"
    assert (value_name("resolved", "zh"), value_name(5, "zh")) == ("已解决", 5)


@pytest.fixture
def named(api: Api) -> Api:
    skilled = {"name": "Mo", "online": True, "skills": ["after-sales-electronics"], "languages": ["zh", "en"]}
    api.put("/v1/agents/agent-1", skilled)
    intent = {
        "label": "无法开机 / Does not start",
        "examples": ["it is dead"],
        "expertise": "after-sales-electronics",
    }
    api.put("/v1/intents/dead", intent)
    api.put("/v1/expertise/after-sales-electronics", {"name": NAME})
    return api


@pytest.mark.parametrize(
    "address",
    [
        "/console/administration/agents",
        "/console/administration/intents",
        "/console/administration/expertise",
        "/console/administration/new/webhook",
        "/console/traffic",
        "/console/traffic/people/agent-1",
    ],
)
def test_expertise_stands_on_no_page_as_a_slug_or_in_two_languages(named: Api, address: str) -> None:
    for language, told, other in (
        ("zh", "数码售后", "Electronics"),
        ("en", "Electronics after-sales", "数码"),
    ):
        page = signed_in(named, "admin", "product", language=language).get(address).text
        seen = re.sub(
            r"<(script|style).*?</\1>|<input[^>]*>|value=\"[^\"]*\"|href=\"[^\"]*\"", "", page, flags=re.S
        )
        assert told in seen, language
        assert other not in seen, language
        assert "after-sales-electronics" not in seen, language
