"""Of a table of sizes the row that holds what the question measures, and between two rows the larger."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.models import Passage
from kb_service.commands.workbench import Workbench
from kb_service.models import Question
from kb_service.replying.measured_rows import measured_row


def passage(ordinal: int, role: Any, text: str, section: str) -> Passage:
    end = 1000 * ordinal + len(text)
    return Passage(f"p{ordinal}", "sizes", 1, ordinal, role, text, 1000 * ordinal, end, (section,), "")


def rows(start: int, section: str, *texts: str) -> list[Passage]:
    return [passage(start + place, "row", text, section) for place, text in enumerate(texts)]


TOPS = rows(
    0,
    "Tops",
    "尺码 Size：M；身高 Height cm：165–170；体重 Weight kg：57–64；胸围 Chest cm (DJ02)：108",
    "尺码 Size：L；身高 Height cm：170–176；体重 Weight kg：64–73；胸围 Chest cm (DJ02)：112",
    "尺码 Size：XL；身高 Height cm：176–182；体重 Weight kg：73–82；胸围 Chest cm (DJ02)：116",
)
SHOES = rows(
    10,
    "Shoes",
    *(
        f"SN11 脚长 Foot length cm：{length}；鞋码 Size：{size}"
        for length, size in (("25.0", 40), ("25.5", 41), ("26.0", 42))
    ),
)
TROUSERS = rows(
    20,
    "Trousers",
    *(f"JN06 腰围 Waist in：{inches}；腰围 Waist cm：{cm}" for inches, cm in ((31, 79), (32, 81), (33, 84))),
)
CHARTS = [*TOPS, *SHOES, *TROUSERS, passage(30, "prose", "介于两码之间选大一码。", "Shoes")]
SHELVES = rows(
    40, "Shelves", *(f"Model: K{n}; Depth cm: {depth}" for n, depth in ((1, 30), (2, 40), (3, 50)))
)


@pytest.mark.parametrize(
    ("question", "shown", "right"),
    [
        ("脚长25.8cm穿多大", SHOES[0], SHOES[2]),
        ("脚长25.8买SN11几码", SHOES[0], SHOES[2]),
        ("foot 25.5 cm, which size", SHOES[0], SHOES[1]),
        ("178cm 70kg which size", TOPS[0], TOPS[2]),
        ("172 80公斤DJ02选什么码", SHOES[0], TOPS[2]),
        ("一米六八 60公斤", TOPS[2], TOPS[0]),
        ("腰围二尺五的裤子JN06多大", SHOES[0], TROUSERS[2]),
        ("82厘米腰围JN06穿几码", TOPS[0], TROUSERS[2]),
        ("脚长25.3", CHARTS[-1], SHOES[1]),
    ],
)
def test_the_row_that_holds_what_is_measured(question: str, shown: Passage, right: Passage) -> None:
    assert measured_row(question, shown, CHARTS) is right


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("which size should I take", TOPS[0]),
        ("脚长29cm", SHOES[0]),  # beyond the table
        ("195cm 70kg", TOPS[0]),
        ("订单满99包邮吗", TOPS[0]),
        (
            "172 80公斤选什么码",
            SHOES[0],
        ),  # no such measures in the table that was found, and no model is named
    ],
)
def test_what_no_row_holds_is_left_to_the_words(question: str, shown: Passage) -> None:
    assert measured_row(question, shown, CHARTS) is None


def test_between_two_rows_of_what_is_no_size_neither_answers() -> None:
    assert measured_row("a shelf 45 cm deep", SHELVES[0], SHELVES) is None
    assert measured_row("a shelf 40 cm deep", SHELVES[0], SHELVES) is SHELVES[1]


def test_a_table_that_stands_alone_in_its_document_needs_no_name() -> None:
    page = [*TOPS, passage(5, "prose", "Warm down.", "About")]
    assert measured_row("178 70kg which size", page[-1], page) is TOPS[2]


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "right", "says"),
    [
        ("腰围二尺五的裤子JN06多大", "size-charts", "“33”"),
        ("儿子一米三五买KD12哪个号", "size-charts", "“140”"),
        ("foot 26.2 cm what size hiking boots", "size-charts", "“26.5”"),
        ("178cm 70kg DJ02 size?", "page-YDF-DJ02-zh", "“XL”"),
        ("172 80公斤DJ02选什么码", "page-YDF-DJ02-zh", "“XL”"),
    ],
)
def test_the_sample_shop_tells_sizes_by_measures(
    sample_bench: Workbench, text: str, right: str, says: str
) -> None:
    """What somebody else was told, or the range of all sizes, came before: "L" for 178 cm, "28–38"."""
    told = sample_bench.services.explaining.explain("shop", Question(text=text))
    answer = told.reply.answers[0]
    assert (answer.citations[0].document_id, says in answer.text) == (right, True)
