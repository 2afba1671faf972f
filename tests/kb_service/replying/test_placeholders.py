"""Placeholders: every spelling that shops use, filled once, or named as missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kb_service.replying.placeholders import fill

SAMPLE = Path(__file__).parents[3] / "sample_kb" / "resolutions"


def test_placeholders_are_filled_from_the_context_and_the_rest_is_listed_once() -> None:
    text, missing = fill(
        "Order {order.id} is {order.status}; {order.id} arrives {parcel.eta}.", {"order.status": "sent"}
    )
    assert text == "Order {order.id} is sent; {order.id} arrives {parcel.eta}."
    assert missing == ("order.id", "parcel.eta")


@pytest.mark.parametrize(
    "written",
    [
        "{order.id}",
        "{{order.id}}",
        "{{ order.id }}",
        "${order.id}",
        "%{order.id}",
        "[[order.id]]",
        "订单【order.id】",
    ],
)
def test_every_spelling_is_filled_whole(written: str) -> None:
    assert fill(written, {"order.id": "A1"}) == (re.sub(r"[$%\[{【].*", "A1", written), ())
    assert fill(written, {}) == (written, ("order.id",))


def test_a_filter_of_a_template_is_not_part_of_the_name() -> None:
    assert fill('Dear {{ customer.name | default: "guest" }}', {"customer.name": "Ann"})[0] == "Dear Ann"


def test_chinese_names_are_filled_and_named() -> None:
    assert fill("您的订单{订单号}和快递【快递单号】", {"订单号": "A1"}) == (
        "您的订单A1和快递【快递单号】",
        ("快递单号",),
    )


def test_brackets_that_set_off_words_are_no_placeholders() -> None:
    plain = "【发货时间】16:00 前付款当天发出\n请点【申请售后】，【重要】"
    assert fill(plain, {}) == (plain, ())


def test_braces_that_are_no_placeholder_stay() -> None:
    assert fill('{} { x } {1a} {a b} {"a": 1}', {}) == ('{} { x } {1a} {a b} {"a": 1}', ())


def test_a_value_is_plain_text_whatever_it_holds() -> None:
    context = {"a": "{b} \\1 {{c}} <b>", "b": "never"}
    assert fill("{a}", context) == ("{b} \\1 {{c}} <b>", ())


def test_case_does_not_tell_names_apart_but_the_very_spelling_wins() -> None:
    assert fill("{Order.ID}", {"order.id": "A1"})[0] == "A1"
    assert fill("{Order.ID}", {"order.id": "A1", "Order.ID": "B2"})[0] == "B2"


def test_every_placeholder_of_the_sample_is_found() -> None:
    for path in sorted(SAMPLE.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            reply = json.loads(line)["reply"]
            named = dict.fromkeys(re.findall(r"\{([a-z_.]+)\}", reply))
            assert fill(reply, {})[1] == tuple(named)
            filled, missing = fill(reply, dict.fromkeys(named, "X"))
            assert not missing
            assert "{" not in filled
