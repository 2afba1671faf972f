"""PDF: lines to paragraphs, running lines, headings and tables, and files that cannot be read."""

from __future__ import annotations

import pytest

from ingest.errors import CorruptSource, EmptySource, ProtectedSource
from ingest.models import Extract
from ingest.readers import layout, read
from ingest.readers import pdf as reader
from ingest.readers.layout import Heading, Page, Prose, Table
from ingest.readers.ruled import Line, Rule
from tests.ingest.source_files import Drawn, Shown, paragraphs, pdf


def shown(extract: Extract) -> list[tuple[str, tuple[str, ...], str]]:
    return [(b.role, b.section, extract.text[b.start : b.end]) for b in extract.blocks]


ENGLISH = [
    "You may return any item within fifteen days of the day after deliv-",
    "ery. The parcel must hold all accessories and gifts, and the noise-",
    "cancelling headphones their case. We pay the postage of faulty items.",
]
CHINESE = [
    "自签收次日起十五天内，商品完好的可以申请无理由退货。以物流签收时间为准，最",
    "迟不超过入柜后第三天。",
]


def test_paragraphs_are_rejoined() -> None:
    page = [
        Shown("Returns", 60, 760, 20),
        *paragraphs(ENGLISH),
        *paragraphs(["A paragraph of its own about noise-cancelling things."], y=620),
    ]
    assert shown(reader.extract(pdf([page]))) == [
        ("heading", (), "Returns"),
        (
            "prose",
            (),
            "You may return any item within fifteen days of the day after delivery. The parcel must hold all "
            "accessories and gifts, and the noise-cancelling headphones their case. "
            "We pay the postage of faulty items.",
        ),
        ("prose", (), "A paragraph of its own about noise-cancelling things."),
    ]


def test_a_hyphen_inside_a_model_number_stays() -> None:
    lines = ["We cannot send abroad by air the two power banks that we have, VTN-", "PB10 and VTN-PB20."]
    assert "VTN-PB10 and" in reader.extract(pdf([paragraphs(lines)])).text


def test_chinese_lines_join_without_a_space() -> None:
    extract = reader.extract(pdf([[Shown("退货政策", 60, 760, 20, "han"), *paragraphs(CHINESE, font="han")]]))
    assert extract.text == "退货政策\n\n" + "".join(CHINESE)
    assert extract.attributes == {"title": "退货政策"}


def test_running_lines_and_page_numbers_go() -> None:
    pages = [
        [
            Shown("Shilan help centre", 60, 810, 8),
            *paragraphs([f"Text of page {name}."]),
            Shown(f"Page {n} of 3", 280, 30, 8),
        ]
        for n, name in enumerate(("one", "two", "three"), start=1)
    ]
    assert reader.extract(pdf(pages)).text == "Text of page one.\n\nText of page two.\n\nText of page three."


def test_pages_that_begin_alike_lose_nothing() -> None:
    lines = [
        "The same words at the top of each page, over more",
        "than two lines, so that they are no running line,",
        "but text.",
    ]
    pages = [paragraphs([*lines, f"And page {n}."], y=790) for n in range(1, 5)]
    assert reader.extract(pdf(pages)).text.count("than two lines") == 4


def test_a_paragraph_goes_on_over_the_page() -> None:
    full = "These words fill the whole line from the left margin to the right one"
    extract = reader.extract(pdf([paragraphs([full, full]), paragraphs(["and go on over the page."])]))
    assert extract.text == f"{full} {full} and go on over the page."


def test_heading_levels_by_size_and_weight() -> None:
    body = paragraphs(["The body of the text stands in one size, and there is enough of it to tell."], y=640)
    page = [
        Shown("Title", 60, 760, 24),
        Shown("Section", 60, 700, 16),
        Shown("Bold heading", 60, 670, 11, "bold"),
        *body,
    ]
    assert shown(reader.extract(pdf([page])))[:4] == [
        ("heading", (), "Title"),
        ("heading", (), "Section"),
        ("heading", ("Section",), "Bold heading"),
        ("prose", ("Section", "Bold heading"), body[0].text),
    ]


def test_numbers_tell_headings_where_sizes_do_not() -> None:
    texts = ["一、适用范围", "本政策适用于大陆订单。", "二、运费", "运费由顾客承担。"]
    page = [Shown(text, 60, 700 - 40 * n, 11, "han") for n, text in enumerate(texts)]
    assert [role for role, _, _ in shown(reader.extract(pdf([page])))] == [
        "heading",
        "prose",
        "heading",
        "prose",
    ]


def test_lists_stay_lists() -> None:
    page = [
        Shown("Rules", 60, 760, 20),
        *paragraphs(
            [
                "1. Open the app",
                "2. Choose the item",
                "- Keep the box",
                "Then wait until the courier comes to you.",
            ]
        ),
    ]
    assert shown(reader.extract(pdf([page])))[1:] == [
        ("prose", (), "1. Open the app\n2. Choose the item\n- Keep the box"),
        ("prose", (), "Then wait until the courier comes to you."),
    ]


def test_a_ruled_table() -> None:
    rules = [Drawn(60, y, 400, y) for y in (720, 700, 660, 640)] + [
        Drawn(x, 640, x, 720) for x in (60, 160, 400)
    ]
    cells = [
        Shown("Reason", 65, 706),
        Shown("Who pays", 165, 706),
        Shown("Faulty or", 65, 684),
        Shown("wrong", 65, 668),
        Shown("We do, and we send the", 165, 684),
        Shown("courier", 165, 668),
        Shown("Other", 65, 646),
        Shown("You", 165, 646),
    ]
    extract = reader.extract(
        pdf([[*rules, Shown("Postage", 60, 760, 20), *cells, *paragraphs(["After it."], y=600)]])
    )
    assert shown(extract) == [
        ("heading", (), "Postage"),
        ("row", (), "Reason: Faulty or wrong; Who pays: We do, and we send the courier"),
        ("row", (), "Reason: Other; Who pays: You"),
        ("prose", (), "After it."),
    ]


def test_a_table_without_rules() -> None:
    rows = [
        ("Size", "Height", "Weight"),
        ("S", "160-165", "50-57"),
        ("M", "165-170", "57-64"),
        ("L", "170-176", "64-73"),
    ]
    cells = [
        Shown(text, 60 + 100 * c, 700 - 20 * r) for r, row in enumerate(rows) for c, text in enumerate(row)
    ]
    assert shown(reader.extract(pdf([cells]))) == [
        ("row", (), "Size: S; Height: 160-165; Weight: 50-57"),
        ("row", (), "Size: M; Height: 165-170; Weight: 57-64"),
        ("row", (), "Size: L; Height: 170-176; Weight: 64-73"),
    ]


def test_the_title_of_the_file_where_no_heading_gives_one() -> None:
    assert reader.extract(pdf([paragraphs(["Just text."])], title="退货政策")).attributes == {
        "title": "退货政策"
    }


@pytest.mark.parametrize("data", [b"", b" \n\0", pdf([[]]), pdf([[Drawn(0, 0, 9, 9)]])])
def test_no_text(data: bytes) -> None:
    with pytest.raises(EmptySource):
        reader.extract(data)


def test_damage_and_passwords() -> None:
    with pytest.raises(CorruptSource, match="not a PDF"):
        read("a.pdf", b"hello")
    with pytest.raises(CorruptSource):
        read("a.pdf", b"%PDF-1.7\n" + b"\0" * 400)
    locked = pdf(
        [paragraphs(["Secret."])],
        trailer="/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<"
        + "41" * 32
        + ">/U<"
        + "42" * 32
        + ">>>",
    )
    with pytest.raises(ProtectedSource, match="password"):
        read("a.pdf", locked)


# --- geometry -------------------------------------------------------------------------------------


def line(text: str, left: float, y: float, size: float = 10) -> Line:
    return Line(text, left, left + 5 * len(text), y, size)


def page(*lines: Line, rules: tuple[Rule, ...] = ()) -> Page:
    return Page(600, 800, lines, rules)


def test_radicals_and_ligatures_become_the_characters_they_show() -> None:
    assert layout.tidy("使⽤ 说明 oﬃce") == "使用说明 office"


def test_a_footer_with_the_title_in_small_print_goes_from_one_page_too() -> None:
    found = layout.arrange(
        [
            page(
                line("Shop · Returns", 400, 780, 8),
                line("Returns", 60, 750, 18),
                line("Some text here.", 60, 700),
            )
        ]
    )
    assert found == [Heading(1, "Returns"), Prose("Some text here.")]


def test_what_browsers_print_on_the_edges_goes() -> None:
    found = layout.arrange(
        [
            page(
                line("11/22/26, 2:29 AM", 20, 790, 8),
                line("Text.", 60, 500),
                line("https://x.example/a", 20, 10, 8),
            )
        ]
    )
    assert found == [Prose("Text.")]


def test_only_the_header_ruled_off() -> None:
    rules = tuple(Rule(True, y, 50, 300) for y in (720.0, 700.0, 640.0))
    cells = [
        line(text, x, y)
        for y, row in ((706, "AB"), (684, "CD"), (664, "EF"))
        for x, text in zip((60, 200), row, strict=True)
    ]
    assert layout.arrange([page(*cells, rules=rules)]) == [Table((("A", "B"), ("C", "D"), ("E", "F")))]


def test_boxes_around_prose_are_no_table() -> None:
    rules = tuple(Rule(True, y, 50, 500) for y in (720.0, 690.0, 660.0))
    found = layout.arrange([page(line("A note.", 60, 700), line("Another note.", 60, 670), rules=rules)])
    assert found == [Prose("A note."), Prose("Another note.")]


def test_a_table_over_two_pages_is_one() -> None:
    rules = tuple(Rule(True, y, 50, 300) for y in (720.0, 700.0, 680.0))
    first = [
        line(text, x, y)
        for y, row in ((706, "AB"), (686, "CD"))
        for x, text in zip((60, 200), row, strict=True)
    ]
    second = [
        line(text, x, y)
        for y, row in ((706, "AB"), (686, "EF"))
        for x, text in zip((60, 200), row, strict=True)
    ]
    found = layout.arrange([page(*first, rules=rules), page(*second, rules=rules)])
    assert found == [Table((("A", "B"), ("C", "D"), ("E", "F")))]


def test_wrapped_cells_of_a_table_without_rules() -> None:
    rows = [("Name", "Meaning"), ("one", "first"), ("two", "second")]
    cells = [
        line(text, x, 700 - 30 * r)
        for r, row in enumerate(rows)
        for x, text in zip((60, 200), row, strict=True)
    ]
    cells.insert(4, line("of all", 200, 658))
    assert layout.arrange([page(*cells)]) == [
        Table((("Name", "Meaning"), ("one", "first of all"), ("two", "second")))
    ]


def test_two_columns_of_prose_are_no_table() -> None:
    left = [line("words that fill a line of the left", 50, 700 - 12 * n) for n in range(6)]
    right = [line("words that fill a line of the right", 320, 700 - 12 * n) for n in range(6)]
    found = layout.arrange([page(*left, *right)])
    assert found == [Prose(" ".join(each.text for each in [*left, *right]))]


def test_spaces_around_latin_follow_the_text() -> None:
    spaced = [line("满 99 元包邮，订单超过", 60, 700), line("30 天的按旧版处理", 60, 686)]
    tight = [line("满99元包邮，订单超过", 60, 700), line("30天的按旧版处理", 60, 686)]
    assert layout.arrange([page(*spaced)]) == [Prose("满 99 元包邮，订单超过 30 天的按旧版处理")]
    assert layout.arrange([page(*tight)]) == [Prose("满99元包邮，订单超过30天的按旧版处理")]
