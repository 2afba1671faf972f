"""The sensitive flows, the refund limit and the default region as rules that a shop reads and edits."""

from __future__ import annotations

from typing import Any

import pytest

from graph.flow_words import FLOW_WORDS
from tests.kb_service.conftest import RETURNS, Api, faults

CAUGHT_FIRE = "the charger caught fire"
SUING = "I will sue you"


def reason(api: Api, query: str, **more: Any) -> str:
    return str(api.post("/v1/answers", {"query": query, **more}).json()["reason"])


def put(api: Api, flows: dict[str, Any], **rules: Any) -> dict[str, Any]:
    response = api.put("/v1/rules", {"sensitive_flows": flows, **rules})
    assert response.status_code == 200, response.text
    shown: dict[str, Any] = response.json()["sensitive_flows"]
    return shown


def test_the_words_in_force_are_shown_before_anybody_set_them(shared_api: Api) -> None:
    rules = shared_api.get("/v1/rules").json()
    assert rules["sensitive_flows"] == {name: list(words) for name, words in FLOW_WORDS.items()}
    assert set(rules["sensitive_flows"]) == {"safety", "legal", "regulator", "payment", "privacy", "refund"}
    assert rules["refund_limit"] == 500


def test_a_word_is_added_to_one_flow_and_the_others_keep_theirs(api: Api) -> None:
    assert reason(api, "我要找维权中心") != "sensitive:legal"
    shown = put(api, {"legal": {"add": ["维权中心"]}})
    assert shown["legal"] == [*FLOW_WORDS["legal"], "维权中心"]
    assert shown["safety"] == list(FLOW_WORDS["safety"])
    assert reason(api, "我要找维权中心") == "sensitive:legal"
    assert reason(api, SUING) == "sensitive:legal"
    assert reason(api, CAUGHT_FIRE) == "sensitive:safety"


def test_what_was_read_can_be_put_back_with_a_word_less(api: Api) -> None:
    rules = api.get("/v1/rules").json()
    rules["sensitive_flows"]["safety"].remove("caught fire")
    assert api.put("/v1/rules", rules).json() == rules
    assert reason(api, CAUGHT_FIRE) != "sensitive:safety"
    assert api.get("/v1/rules").json() == rules


def test_a_word_is_removed_and_a_look_alike_left_out(api: Api) -> None:
    put(api, {"safety": {"remove": ["melted"], "add": ["-caught fire sale"]}})
    assert reason(api, "my cable melted") != "sensitive:safety"
    assert reason(api, "is the caught fire sale on") != "sensitive:safety"
    assert reason(api, CAUGHT_FIRE) == "sensitive:safety"


def test_a_flow_is_turned_off_and_on_again(api: Api) -> None:
    assert put(api, {"safety": []})["safety"] == []
    assert reason(api, CAUGHT_FIRE) != "sensitive:safety"
    assert reason(api, SUING) == "sensitive:legal"
    put(api, {})
    assert reason(api, CAUGHT_FIRE) == "sensitive:safety"


def test_a_flow_of_the_shops_own_names_itself(api: Api) -> None:
    put(api, {"recall": ["召回", "recall*"]})
    assert reason(api, "was the heater recalled?") == "sensitive:recall"


def test_a_refund_above_the_limit_goes_to_a_person(api: Api) -> None:
    assert reason(api, "退我899块") == "sensitive:refund"
    assert reason(api, "退我99块") != "sensitive:refund"
    assert reason(api, "我要退款", context={"order.amount": "¥1,299.00"}) == "sensitive:refund"
    assert reason(api, "我要退款", order_value=1299) == "sensitive:refund"
    assert reason(api, "我要退款", order_value=99) != "sensitive:refund"
    put(api, {}, refund_limit=2000)
    assert reason(api, "我要退款", order_value=1299) != "sensitive:refund"
    put(api, {"refund": []})
    assert reason(api, "退我899块") != "sensitive:refund"


@pytest.mark.parametrize(
    ("flows", "field"),
    [
        ({"Legal!": ["ab"]}, "sensitive_flows.Legal!"),
        ({"legal": ["律"]}, "sensitive_flows.legal.0"),
        ({"legal": ["lawyer", "??"]}, "sensitive_flows.legal.1"),
        ({"legal": ["-lawyer costume"]}, "sensitive_flows.legal"),
        ({"nothing": []}, "sensitive_flows.nothing"),
        ({"legal": {"remove": ["of the moon"]}}, "sensitive_flows.legal.remove"),
        ({"legal": {"plus": ["ab"]}}, "sensitive_flows.legal"),
        ({"legal": "lawyer"}, "sensitive_flows.legal"),
        ({"legal": [3]}, "sensitive_flows.legal.0"),
    ],
)
def test_flows_that_cannot_be_name_the_field(shared_api: Api, flows: dict[str, Any], field: str) -> None:
    assert list(faults(shared_api.put("/v1/rules", {"sensitive_flows": flows}))) == [field]
    chinese = shared_api.put(
        "/v1/rules", {"sensitive_flows": flows}, headers={"Accept-Language": "zh"}
    ).json()
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese["errors"][0]["message"])


def test_the_default_region_stands_in_for_a_missing_one(api: Api) -> None:
    for region in ("CN", "US"):
        api.put(f"/v1/documents/{region}", {**RETURNS, "title": f"Returns {region}", "regions": [region]})

    def found(**more: Any) -> set[str]:
        reply = api.post("/v1/answers", {"query": "may unworn clothing be returned", **more}).json()
        return {citation["document_id"] for answer in reply["answers"] for citation in answer["citations"]}

    assert found() == {"CN", "US"}
    assert api.put("/v1/rules", {"default_region": "US"}).json()["default_region"] == "US"
    assert found() == {"US"}
    assert found(region="CN") == {"CN"}
    api.put("/v1/rules", {})
    assert found() == {"CN", "US"}
    assert list(faults(api.put("/v1/rules", {"default_region": ""}))) == ["default_region"]


@pytest.mark.parametrize("day", ["11.11", "2026-02-30", "2026-11-11T09:00:00Z", 20261111, None])
def test_a_promotion_day_that_is_no_date_says_how_to_write_one_in_both_languages(
    shared_api: Api, day: Any
) -> None:
    for language, words in (
        ("en", "must be a date with its year, such as 2026-11-11"),
        ("zh", "必须是带年份的日期，例如 2026-11-11"),
    ):
        said = shared_api.put("/v1/rules", {"promotion_days": [day]}, headers={"Accept-Language": language})
        assert faults(said) == {"promotion_days.0": words}


def test_choices_and_blank_texts_are_told_in_no_programming_language(shared_api: Api) -> None:
    chosen = shared_api.get("/v1/traffic/heatmap", params={"by": "agent"})
    assert faults(chosen) == {"by": "must be one of expertise, product, channel"}
    plan = {"name": "  ", "treatment": {"clarification": False}}
    blank = shared_api.put("/v1/experiments/blank", plan, headers={"Accept-Language": "zh"})
    assert faults(blank) == {"name": "不能为空白"}
