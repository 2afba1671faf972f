"""Whose words are quoted: the latest, of each language that customers write in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kb_service.recurring.quoting import for_reader, quoted
from tests.contracts.store_samples import an_event

ENGLISH = an_event("en", text="where is my parcel", language=None)
CHINESE = an_event("zh", text="我的快递到哪里了", language=None)
UNKNOWN = an_event("und", text="12345 !!", language=None)
SILENT = an_event("silent", text=None, language=None)


@pytest.mark.parametrize(
    ("latest", "chosen"),
    [
        ("eeec", "eec"),
        ("ceee", "cee"),
        ("eeee", "eee"),
        ("e-eec", "eec"),
        ("ec", "ec"),
        ("cccce", "cce"),
        ("--", ""),
        ("eeeu", "eee"),
    ],
)
def test_the_latest_are_quoted_and_one_of_the_other_language(latest: str, chosen: str) -> None:
    events = {"e": ENGLISH, "c": CHINESE, "-": SILENT, "u": UNKNOWN}
    found = quoted([events[kind] for kind in latest], 3)
    assert "".join({"en": "e", "zh": "c"}[event.id] for event in found) == chosen


def test_the_language_that_a_shop_told_counts() -> None:
    told = replace(ENGLISH, language="fr")
    assert quoted([ENGLISH, ENGLISH, told], 2) == [ENGLISH, told]


def test_one_quote_is_the_latest() -> None:
    assert quoted([ENGLISH, CHINESE], 1) == [ENGLISH]


def test_a_reader_sees_their_language_first_and_the_order_else() -> None:
    texts = ["where is my parcel", "我的快递到哪里了", "has my parcel been lost", "快递丢了吗"]
    assert for_reader(texts, "zh") == [texts[1], texts[3], texts[0], texts[2]]
    assert for_reader(texts, "en") == [texts[0], texts[2], texts[1], texts[3]]
