"""A document for several regions answers with what it says of the customer's."""

from __future__ import annotations

import pytest

from ingest.models import Passage, Role
from kb_service.composing import Composed, Source, compose_reply
from kb_service.replying.asking import meant
from kb_service.replying.cells import for_place
from kb_service.search.models import Hit
from kb_service.search.places import named_in, names_of
from tests.kb_service.test_composing import hit

TABLE = (
    "Destination: Hong Kong; First 0.5 kg: ¥35; Free from: ¥699",
    "Destination: Singapore; First 0.5 kg: ¥58; Free from: ¥699",
    "Destination: European Union; First 0.5 kg: ¥128; Free from: ¥1,299",
)
PROSE = "Free delivery covers parcels up to 3 kg; above that you pay for the extra weight only."


def passages(*texts: tuple[Role, str]) -> tuple[Passage, ...]:
    made, start = [], 0
    for ordinal, (role, text) in enumerate(texts):
        end = start + len(text)
        made.append(
            Passage(f"p{ordinal}", "shipping", 1, ordinal, role, text, start, end, ("Zones",), "Abroad")
        )
        start = end + 1
    return tuple(made)


ABROAD = passages(*(("row", text) for text in TABLE), ("prose", PROSE))


def found(passage: Passage) -> Hit:
    return hit(
        passage.text, passage_id=passage.id, role=passage.role, section=passage.section, title="Abroad",
        start=passage.start,
    )  # fmt: skip


def reply(query: str, region: str | None, shown: Passage, language: str = "en") -> Composed:
    return compose_reply(found(shown), query, {}, language, Source(ABROAD), place=names_of(region))


@pytest.mark.parametrize(
    ("region", "name"),
    [
        ("EU", "European Union"),
        ("eu", "European Union"),
        ("HK", "Hong Kong"),
        ("SG", "新加坡"),
        ("US", "美国"),
    ],
)
def test_a_code_has_its_names_in_both_languages(region: str, name: str) -> None:
    assert name in names_of(region)


@pytest.mark.parametrize(
    ("text", "region", "named"),
    [
        ("我在香港怎么退", "HK", True),
        ("shipping to Hong Kong", "hk", True),
        ("shipping to the US?", "US", True),
        ("can you send us one", "US", False),
        ("MUSEUM tickets", "US", False),
        ("发到华东的", "华东", True),
        ("European unions", "EU", False),
        ("", "EU", False),
    ],
)
def test_a_question_names_a_region_in_words_or_by_its_code_in_capitals(
    text: str, region: str, named: bool
) -> None:
    assert named_in(text, region) is named


def test_a_region_that_no_list_has_is_called_what_the_shop_calls_it() -> None:
    assert names_of("华东") == ("华东",)
    assert names_of(None) == ()


@pytest.mark.parametrize(
    ("query", "language"), [("how much is shipping", "en"), ("运费多少", "zh"), ("免运费要满多少", "zh")]
)
@pytest.mark.parametrize(("region", "price"), [("HK", "¥35"), ("SG", "¥58"), ("EU", "¥128")])
def test_the_row_of_the_customers_region_answers(query: str, language: str, region: str, price: str) -> None:
    """A customer from Singapore who asked what shipping costs was told what is true of every destination."""
    composed = reply(query, region, ABROAD[-1], language)
    assert price in composed.text
    assert [citation.quote for citation in composed.citations] == [
        text for text in TABLE if f"{price};" in text
    ]


def test_a_row_for_others_gives_way_to_the_customers_own() -> None:
    composed = reply("may I keep the carton", "SG", ABROAD[0])
    assert "Singapore" in composed.text
    assert "Hong Kong" not in composed.text


def test_what_is_true_everywhere_stands_beside_the_rows() -> None:
    assert reply("do you pay for weight above 3 kg", "SG", ABROAD[-1]).text == PROSE


def test_without_a_region_or_a_row_for_it_the_table_stays_whole() -> None:
    for place in (frozenset[str](), meant("Australia"), meant("Destination")):
        kept = for_place(ABROAD, place)
        assert (kept.passages, kept.rows) == (ABROAD, frozenset())


def test_each_table_is_told_apart_by_itself() -> None:
    document = passages(
        ("row", "Zone: Singapore; Days: 4"),
        ("row", "Zone: Germany; Days: 9"),
        ("prose", "Between two tables."),
        ("row", "Plug: type G; Volts: 230"),
        ("row", "Plug: type F; Volts: 230"),
    )
    kept = for_place(document, meant("Singapore"))
    assert [passage.id for passage in kept.passages] == ["p0", "p2", "p3", "p4"]
    assert kept.rows == {"p0"}
