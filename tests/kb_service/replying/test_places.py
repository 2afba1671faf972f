"""A document for several regions answers with what it says of the customer's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.models import Passage, Role
from kb_service.commands.workbench import Workbench
from kb_service.composing import Composed, Source, compose_reply
from kb_service.models import Question
from kb_service.replying.regional_rows import for_region
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


def reply(
    query: str, region: str | None, shown: Passage, language: str = "en", *, of: tuple[Passage, ...] = ABROAD
) -> Composed:
    return compose_reply(
        found(shown), query, {}, language, Source(of), place=(region, *names_of(region)) if region else ()
    )


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
        ("in Europe", "EU", True),
        ("I live in Germany", "EU", True),
        ("I live in Munich", "EU", True),
        ("I live in Munich", "de", True),
        ("I live in Munich", "US", False),
        ("pick it up in the Outlet", "outlet", True),
        ("how do I return it", "outlet", False),
        ("how do I return it", "US (48", False),
        ("to the US (48 states)", "US (48", True),
        ("我在法国", "EU", True),
        ("I live in Norway", "EU", False),
        ("ship to hk", "HK", True),
        ("from the USA", "US", True),
        ("TELL US HOW TO RETURN", "US", False),
        ("SG-100 speaker", "SG", False),
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
    placed = for_region(ABROAD, names_of("SG"), "may I keep the carton")
    assert placed.instead_of(ABROAD[0]) is ABROAD[1]
    assert placed.instead_of(ABROAD[-1]) is ABROAD[-1]
    composed = reply("may I keep the carton", "SG", ABROAD[0])
    assert "Hong Kong" not in composed.text


def test_what_is_true_everywhere_stands_beside_the_rows() -> None:
    assert reply("do you pay for weight above 3 kg", "SG", ABROAD[-1]).text == PROSE


TOLD = (
    ("row", "Destination: United Kingdom; Fee: ¥120"),
    ("row", "Destination: Germany, France; Fee: ¥128"),
    ("row", "Destination: Elsewhere; Fee: ¥200"),
)


@pytest.mark.parametrize("region", ["US", "AU", "CN", None])
def test_without_a_region_or_a_row_for_it_the_table_stays_whole(region: str | None) -> None:
    """A customer from the United States was told the price for the United Kingdom: both are united."""
    document = passages(*TOLD)
    kept = for_region(document, names_of(region), "what is the fee")
    assert (kept.passages, kept.rows) == (document, frozenset())


def test_a_row_for_several_regions_is_for_each_of_them() -> None:
    kept = for_region(passages(*TOLD), names_of("FR"), "what is the fee")
    assert [passage.id for passage in kept.passages] == ["p1"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("how much is shipping to Hong Kong", 0),
        ("a gift for my friend in Singapore, what is the shipping fee", 1),
    ],
)
def test_another_row_that_the_question_names_answers_it(query: str, shown: int) -> None:
    """From the EU, "how much is shipping to Hong Kong" got the price for the EU."""
    composed = reply(query, "EU", ABROAD[shown])
    assert ABROAD[shown].text.split("¥")[1][:2] in composed.text
    assert "European Union" not in composed.text


def test_rows_that_speak_of_a_region_by_the_way_are_no_rows_for_it() -> None:
    """A customer at home who asked for a debit card was told of cards that are issued in mainland China."""
    refunds = passages(
        ("row", "Card: Debit card; Time: 3–5 working days"),
        ("row", "Card: Credit card issued in mainland China; Time: 5–7 working days"),
        ("row", "Card: Credit card issued abroad; Time: 7–15 working days"),
    )
    composed = reply("when does a refund to my debit card arrive", "CN", refunds[0], of=refunds)
    assert "3–5" in composed.text


def test_the_fields_of_a_product_are_for_everybody() -> None:
    """ "How heavy is it" was answered with where it was made."""
    fields = passages(("row", "Weight: 1.2 kg"), ("row", "China: where it is made"), ("row", "Battery: 30 h"))
    shown = replace(found(fields[0]), kind="product")
    composed = compose_reply(
        shown, "how heavy is it", {}, "en", Source(fields), place=("CN", *names_of("CN"))
    )
    assert "1.2 kg" in composed.text
    assert composed.fits


@pytest.mark.parametrize(("region", "fee"), [("HK", "¥35"), ("SG", "¥58")])
@pytest.mark.parametrize("shown", ["lead", "row"])
def test_what_introduces_a_table_stays_with_the_customers_row(region: str, fee: str, shown: str) -> None:
    """Of "Shipping abroad costs as follows:" and a table the introduction alone was left for Singapore."""
    document = passages(
        ("prose", "Shipping abroad costs as follows:"),
        ("row", "Destination: Hong Kong; Fee: ¥35"),
        ("row", "Destination: Singapore; Fee: ¥58"),
    )
    own = next(passage for passage in document if fee in passage.text)
    composed = reply(
        "what does shipping abroad cost", region, document[0] if shown == "lead" else own, of=document
    )
    assert composed.text.startswith("Shipping abroad costs as follows:")
    assert [each in composed.text for each in ("¥35", "¥58")] == [fee == "¥35", fee == "¥58"]


def test_each_table_is_told_apart_by_itself() -> None:
    document = passages(
        ("row", "Zone: Singapore; Days: 4"),
        ("row", "Zone: Germany; Days: 9"),
        ("prose", "Between two tables."),
        ("row", "Plug: type G; Volts: 230"),
        ("row", "Plug: type F; Volts: 230"),
    )
    kept = for_region(document, names_of("SG"), "how many days")
    assert [passage.id for passage in kept.passages] == ["p0", "p2", "p3", "p4"]
    assert kept.rows == {"p0"}


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "region", "fare", "others"),
    [
        ("postage to Inner Mongolia", None, "¥15", "¥20"),
        ("shipping cost to Tibet", None, "¥20", "¥15"),
        ("postage to Inner Mongolia", "CN", "¥15", "¥20"),
        ("满多少包邮", "DE", "¥1,299", "¥699"),
        ("how much is shipping", "US-CA", "¥138", "¥35"),
    ],
)
def test_the_row_of_the_place_that_a_question_names_answers(
    sample_bench: Workbench, text: str, region: str | None, fare: str, others: str
) -> None:
    """Whoever asked of one province was told the fares to all; a customer from Germany those to Hong Kong too."""
    told = sample_bench.services.explaining.explain("shop", Question(text=text, region=region)).reply
    assert fare in told.answers[0].text
    assert others not in told.answers[0].text
