"""What holds for every source: sound blocks, and damage that ends in an Extract or a clear error."""

from __future__ import annotations

import io
from contextlib import suppress

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import EmptySource, IngestError
from ingest.models import Extract
from ingest.readers import ReadResult, html, markdown, read, tables, text
from ingest.readers.builder import ExtractBuilder
from ingest.readers.layout import Heading, Page, Prose, Table, arrange
from ingest.readers.results import from_json, to_json
from ingest.readers.ruled import Line, Rule
from tests.ingest.source_files import Drawn, Shown, paragraphs, pdf, xlsx

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
CHARACTERS = st.characters(codec="utf-8", exclude_categories=("Cs",)) | st.sampled_from(
    "\n#|-*<>&：；。退货 \t\u00a0\u200b"
)
TEXTS = st.text(CHARACTERS, max_size=60)
PIECES = st.sampled_from(
    ["# A\n\n", "## 二\n\n", "text\n", "| a | b |\n|---|---|\n| 1 | 2 |\n", "- x\n", "1. y\n", "\n\n", "<p>",
     "</p>", "<table>", "<tr><td>c", "<ul><li>", "<h2>h", "</h2>", "<br>", "<script>", "退货。", "```\n",
     "> ", "---\n", "&amp;", "<dl><dt>t<dd>d"]
)  # fmt: skip
SOURCES = st.lists(PIECES | TEXTS, max_size=25).map("".join)


def assert_sound(extract: Extract) -> None:
    """Blocks lie in order inside the text, hold something, and leave nothing but blanks outside."""
    end = 0
    for block in extract.blocks:
        assert end <= block.start < block.end <= len(extract.text)
        assert not extract.text[end : block.start].strip()
        piece = extract.text[block.start : block.end]
        assert piece == piece.strip() and piece
        assert all(name.strip() for name in block.section)
        if block.role in ("heading", "row", "field"):
            assert "\n" not in piece
        end = block.end
    assert end == len(extract.text) > 0
    assert not set(extract.text) & set("\x00\r\ufeff\u200b")


def assert_sound_result(result: ReadResult) -> None:
    for extract in result.extracts:
        assert_sound(extract)
    assert from_json(to_json(result)).extracts == result.extracts


@QUICK
@given(SOURCES)
def test_blocks_of_markup(source: str) -> None:
    for extract in (markdown.extract, html.extract, text.extract):
        try:
            assert_sound(extract(source))
        except IngestError:
            continue


@QUICK
@given(SOURCES)
def test_blocks_of_pages(source: str) -> None:
    with suppress(EmptySource):
        assert_sound(html.extract(f"<html lang=zh><head><title>t</title></head><body>{source}</body></html>"))


@QUICK
@given(
    st.lists(st.lists(TEXTS, min_size=1, max_size=4), min_size=1, max_size=6),
    st.sampled_from(",;\t"),
    st.booleans(),
)
def test_blocks_of_tables(rows: list[list[str]], delimiter: str, records: bool) -> None:
    source = "\n".join(delimiter.join(row) for row in rows)
    options = {"records": True, "id_template": "{a}"} if records else {}
    with suppress(IngestError):
        assert_sound_result(tables.read_csv(source, options))


@QUICK
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["heading", "prose", "row", "field", "question", "reply"]),
            TEXTS,
            st.integers(0, 4),
        ),
        max_size=12,
    )
)
def test_blocks_of_the_builder(items: list[tuple[str, str, int]]) -> None:
    builder = ExtractBuilder()
    for role, content, level in items:
        if role == "heading":
            builder.heading(level, content)
        else:
            getattr(builder, role)(content)
    with suppress(EmptySource):
        assert_sound(builder.build())


COORDINATES = st.integers(0, 80).map(lambda n: n * 10.0)
LINES = st.builds(
    lambda content, left, width, y, size, bold: Line(content, left, left + width, y, size, bold),
    st.text("ab 退货。-•1.\u00ad", min_size=1, max_size=12).filter(lambda s: s.strip()),
    COORDINATES, st.integers(5, 400).map(float), COORDINATES,
    st.sampled_from([8.0, 10.0, 16.0]), st.booleans(),
)  # fmt: skip
RULES = st.builds(
    lambda h, at, start, width: Rule(h, at, start, start + width),
    st.booleans(),
    COORDINATES,
    COORDINATES,
    COORDINATES,
)


@QUICK
@given(st.lists(st.tuples(st.lists(LINES, max_size=14), st.lists(RULES, max_size=8)), max_size=3))
def test_layout_loses_no_line_of_the_middle(pages: list[tuple[list[Line], list[Rule]]]) -> None:
    built = [Page(600, 800, tuple(lines), tuple(rules)) for lines, rules in pages]
    shown = ""
    for block in arrange(built):
        match block:
            case Heading(level, content):
                assert level >= 1
                shown += content
            case Prose(content):
                shown += content
            case Table(rows):
                assert len({len(row) for row in rows}) == 1
                shown += "".join(cell for row in rows for cell in row)
    middle = "".join(line.text for page in built for line in page.lines if 100 < line.y < 700)
    assert shown.count("退") >= middle.count("退")


def word() -> bytes:
    document = docx.Document()
    document.add_heading("退货政策", 1)
    document.add_paragraph("十五天内可以退货。")
    table = document.add_table(2, 2)
    for cell, content in zip((c for row in table.rows for c in row.cells), ("a", "b", "1", "2"), strict=True):
        cell.text = content
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


WHOLE = {
    "a.docx": word(),
    "a.xlsx": xlsx({"商品": [["SKU", "名称"], ["A", "灯"], ["B", 2.5]]}, merged={"商品": ["A2:A3"]}),
    "a.pdf": pdf(
        [[Shown("Returns", 60, 700, 20), *paragraphs(["Some text.", "More."]), Drawn(0, 0, 9, 9)], []]
    ),
    "a.html": "<html><title>退货</title><body><h1>退货</h1><table><tr><td>a<td>b</table>".encode(),
    "a.csv": '编号,问题,答案\n1,怎么退,"十五天,\n内"\n2,b,c\n'.encode(),
    "a.md": "---\ntitle: 退货\n---\n# 退货\n\n| a | b |\n|---|---|\n| 1 | 2 |\n".encode(),
    "a.jsonl": '{"external_id": "a", "text": "退货"}\n{"external_id": "b", "html": "<p>x"}\n'.encode(),
    "a.txt": "退货政策\n\n十五天。".encode("gb18030"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_undamaged_files_are_read(name: str) -> None:
    result = read(name, WHOLE[name])
    assert result.extracts and not result.problems
    assert_sound_result(result)


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_files_end_in_extracts_or_a_clear_error(name: str, data: st.DataObject) -> None:
    whole = WHOLE[name]
    content = bytearray(whole[: data.draw(st.integers(0, len(whole)), label="cut at")])
    for position, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(whole)), st.integers(0, 255)), max_size=6), label="flips"
    ):
        if position < len(content):
            content[position] = byte
    try:
        assert_sound_result(read(name, bytes(content), options={"records": data.draw(st.booleans())}))
    except IngestError as error:
        assert len(str(error)) > 10
