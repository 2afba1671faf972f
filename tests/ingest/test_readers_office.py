"""Word and Excel: document order, styles, tables; and packages that must not be opened."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from ingest.errors import (
    CorruptSource,
    EmptySource,
    ProtectedSource,
    SourceTooLarge,
    UnreadableSource,
    UnsupportedFormat,
)
from ingest.models import Extract
from ingest.readers import office, packages, read
from tests.ingest.source_files import unzipped, xlsx, zipped

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def word(write: Callable[[Any], None]) -> bytes:
    document = docx.Document()
    write(document)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def shown(extract: Extract) -> list[tuple[str, tuple[str, ...], str]]:
    return [(b.role, b.section, extract.text[b.start : b.end]) for b in extract.blocks]


def table(document: Any, rows: list[list[str]]) -> Any:
    made = document.add_table(len(rows), len(rows[0]))
    for row, texts in zip(made.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    return made


def test_word_in_document_order() -> None:
    def write(document: Any) -> None:
        document.add_heading("国内配送说明", 0)
        document.add_paragraph("适用于大陆订单。")
        document.add_heading("承运商", 1)
        table(document, [["承运商", "时效(天)"], ["疾羽速运", "3"], ["南渡快递", "5"]])
        document.add_heading("步骤", 2)
        for text in ("打开 App", "选择商品"):
            document.add_paragraph(text, style="List Number")
        document.add_paragraph("保留包装", style="List Bullet")
        document.add_paragraph("完。")

    assert shown(office.read_docx(word(write))) == [
        ("heading", (), "国内配送说明"),
        ("prose", (), "适用于大陆订单。"),
        ("heading", (), "承运商"),
        ("row", ("承运商",), "承运商：疾羽速运；时效：3 天"),
        ("row", ("承运商",), "承运商：南渡快递；时效：5 天"),
        ("heading", ("承运商",), "步骤"),
        ("prose", ("承运商", "步骤"), "1. 打开 App\n2. 选择商品\n- 保留包装"),
        ("prose", ("承运商", "步骤"), "完。"),
    ]


def test_word_title_from_the_file_where_no_heading_gives_one() -> None:
    def write(document: Any) -> None:
        document.core_properties.title = "Returns"
        document.add_paragraph("Fifteen days.")

    assert office.read_docx(word(write)).attributes == {"title": "Returns"}


def test_word_without_styles_has_numbered_headings() -> None:
    def write(document: Any) -> None:
        for text in ("一、范围", "所有商品。", "二、期限", "十五天。"):
            document.add_paragraph(text)

    assert [b.role for b in office.read_docx(word(write)).blocks] == ["heading", "prose", "heading", "prose"]


def test_word_outline_level_makes_a_heading() -> None:
    def write(document: Any) -> None:
        paragraph = document.add_paragraph("Part")
        level = OxmlElement("w:outlineLvl")
        level.set(qn("w:val"), "1")
        paragraph._p.get_or_add_pPr().append(level)
        document.add_paragraph("Text.")

    assert office.read_docx(word(write)).blocks[0].role == "heading"


def test_word_shows_insertions_and_hides_deletions() -> None:
    def write(document: Any) -> None:
        paragraph = document.add_paragraph("Return within ")
        for tag, kind, text in (("w:del", "w:delText", "seven"), ("w:ins", "w:t", "fifteen")):
            change, run, content = OxmlElement(tag), OxmlElement("w:r"), OxmlElement(kind)
            content.text = text
            run.append(content)
            change.append(run)
            paragraph._p.append(change)
        paragraph.add_run(" days.").add_break()
        paragraph.add_run("Next\tline")

    assert office.read_docx(word(write)).text == "Return within fifteen days.\nNext line"


def test_word_content_controls_are_read_and_tables_of_contents_not() -> None:
    def write(document: Any) -> None:
        for gallery, text in ((None, "Inside a control."), ("Table of Contents", "Chapter 1 ..... 3")):
            control, content = OxmlElement("w:sdt"), OxmlElement("w:sdtContent")
            if gallery:
                properties, part, name = (
                    OxmlElement(t) for t in ("w:sdtPr", "w:docPartObj", "w:docPartGallery")
                )
                name.set(qn("w:val"), gallery)
                part.append(name)
                properties.append(part)
                control.append(properties)
            content.append(document.add_paragraph(text)._p)
            control.append(content)
            document.element.body.insert(0, control)

    assert office.read_docx(word(write)).text == "Inside a control."


def test_word_merged_cells() -> None:
    def write(document: Any) -> None:
        made = table(document, [["Zone", "Air", "Sea"], ["EU", "8", "40"], ["", "9", "45"], ["all", "", ""]])
        made.cell(1, 0).merge(made.cell(2, 0))
        made.cell(3, 0).merge(made.cell(3, 2))

    rows = [text for role, _, text in shown(office.read_docx(word(write))) if role == "row"]
    assert rows == ["Zone: EU; Air: 8; Sea: 40", "Zone: EU; Air: 9; Sea: 45", "Zone: all"]


def test_word_data_sheet() -> None:
    extract = office.read_docx(word(lambda d: table(d, [["电池续航", "7 小时"], ["防水", "IPX5"]])))
    assert extract.text == "电池续航：7 小时\n防水：IPX5"


# --- workbooks ------------------------------------------------------------------------------------

SIZES: list[list[object]] = [
    ["Tops", None, None],
    [None, None, None],
    ["Size", "Height (cm)", "Note"],
    ["S", 160, None],
    ["M", 165.5, "narrow"],
    [None, None, None],
    ["L", 170, None],
    [None, None, None],
    ["Take the larger between two.", None, None],
]


def test_a_workbook_of_tables() -> None:
    result = office.read_xlsx(
        xlsx({"Tops": SIZES, "Shoes": [["EU", "cm"], [36, 23]], "Old": [["a"], ["b"]]}, hidden=["Old"]), {}
    )
    assert shown(result.extracts[0]) == [
        ("heading", (), "Tops"),
        ("prose", ("Tops",), "Tops"),
        ("row", ("Tops",), "Size: S; Height: 160 cm"),
        ("row", ("Tops",), "Size: M; Height: 165.5 cm; Note: narrow"),
        ("row", ("Tops",), "Size: L; Height: 170 cm"),
        ("prose", ("Tops",), "Take the larger between two."),
        ("heading", (), "Shoes"),
        ("row", ("Shoes",), "EU: 36; cm: 23"),
    ]


def test_a_single_sheet_with_excels_own_name_has_no_heading() -> None:
    assert office.read_xlsx(xlsx({"Sheet1": [["a", "b"], ["x", "y"]]}), {}).extracts[0].text == "a: x; b: y"


def test_merged_cells_count_in_each_row() -> None:
    data = xlsx({"S": [["Zone", "Days"], ["EU", 8], [None, 9]]}, merged={"S": ["A2:A3"]})
    assert office.read_xlsx(data, {}).extracts[0].text.endswith("Zone: EU; Days: 8\nZone: EU; Days: 9")


CATALOGUE: list[list[object]] = [
    ["SKU", "商品名称", "价格", "防水", "库存", "说明"],
    ["SLA-EB20", "声澜 EB20", "¥399", True, 12, "长" * 201],
    ["SLA-EB50", None, 799.5, False, "007", None],
    [None, "无编号", 1, None, None, None],
    ["SLA-EB20", "重复", 1, None, None, None],
]
PRODUCTS = {"id_template": "product-{SKU}-zh", "title": "{商品名称}", "products": "{SKU}", "language": "zh"}


def test_records_of_a_sheet() -> None:
    data = xlsx({"商品": CATALOGUE, "说明": [["只是说明"]], "Notes": [["x", "y"], ["1", "2"]]})
    options = {"records": True, "sheets": {"商品": PRODUCTS, "说明": {"ignore": True}, "Gone": {}}}
    result = office.read_xlsx(data, options)
    first, second = result.extracts
    assert first.attributes == {
        "language": "zh",
        "external_id": "product-SLA-EB20-zh",
        "title": "声澜 EB20",
        "products": ["SLA-EB20"],
        "fields": {"价格": "¥399", "防水": True, "库存": 12, "说明": "长" * 201},
    }
    assert shown(first) == [
        ("heading", (), "声澜 EB20"),
        ("field", (), "SKU: SLA-EB20"),
        ("field", (), "价格: ¥399"),
        ("field", (), "防水: 是"),
        ("field", (), "库存: 12"),
        ("prose", (), "说明: " + "长" * 201),
    ]
    assert second.attributes["fields"] == {"价格": 799.5, "防水": False, "库存": "007"}
    assert "title" not in second.attributes
    assert [(problem.where, problem.error.code) for problem in result.problems] == [
        ("sheet Gone", "corrupt_source"),
        ("sheet 商品, row 4", "invalid_document"),
        ("sheet 商品, row 5", "invalid_document"),
        ("sheet Notes", "invalid_document"),
    ]
    assert "row 2" in str(result.problems[2].error)


def test_one_sheet_of_records_beside_tables() -> None:
    data = xlsx({"FAQ": [["id", "q", "a"], [1, "How?", "So."]], "Sizes": [["a", "b"], ["x", "y"]]})
    options = {
        "sheets": {"FAQ": {"records": True, "id_template": "faq-{id}", "question": "{q}", "reply": "{a}"}}
    }
    record, tables = office.read_xlsx(data, options).extracts
    assert record.attributes["external_id"] == "faq-1"
    assert tables.text == "Sizes\n\na: x; b: y"


def test_an_empty_workbook() -> None:
    with pytest.raises(EmptySource):
        read("a.xlsx", xlsx({"Sheet1": []}))


# --- the guard ------------------------------------------------------------------------------------

DOCX = word(lambda document: document.add_paragraph("Fine."))


def changed(**parts: bytes | str) -> bytes:
    return zipped({**unzipped(DOCX), **{name.replace("__", "/"): content for name, content in parts.items()}})


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        (b"", EmptySource, "empty"),
        (OLE, UnsupportedFormat, r"old binary.*\.docx"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), ProtectedSource, "password"),
        (b"plain text", CorruptSource, "not a Word document"),
        (DOCX[: len(DOCX) // 2], CorruptSource, "cut off or damaged"),
        (zipped({"a.txt": "x"}), CorruptSource, "archive but not"),
        (xlsx({"S": [["a"]]}), CorruptSource, r"Excel workbook.*name it \.xlsx"),
        (changed(**{"../evil.xml": "x"}), CorruptSource, "unsafe name"),
        (changed(**{"/etc/passwd": "x"}), CorruptSource, "unsafe name"),
        (changed(**{"word__inner.zip": "x"}), CorruptSource, "another archive"),
        (changed(word__media__bomb="0" * 40_000_000), SourceTooLarge, "200-fold"),
        (
            changed(word__extra="<!DOCTYPE x>", **{"word/x.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'}),
            CorruptSource,
            "entities",
        ),
        (
            changed(**{"word/x.xml": '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'.encode("utf-16")}),
            CorruptSource,
            "entities",
        ),
        (changed(**{"word/document.xml": "<w:document"}), CorruptSource, "damaged"),
    ],
)
def test_bad_packages(data: bytes, error: type[UnreadableSource], says: str) -> None:
    with pytest.raises(error, match=says):
        read("a.docx", data)


def test_embedded_workbooks_are_no_danger() -> None:
    assert (
        read("a.docx", changed(word__embeddings__chart="x", **{"word/embeddings/a.xlsx": "x"}))
        .extracts[0]
        .text
        == "Fine."
    )


def test_too_many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MAX_ENTRIES", 3)
    with pytest.raises(SourceTooLarge, match="parts"):
        packages.check(DOCX, "docx")


def test_too_much_xml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MAX_XML_BYTES", 1000)
    with pytest.raises(SourceTooLarge, match="MiB"):
        packages.check(DOCX, "docx")


def test_parts_of_one_name() -> None:
    buffer = io.BytesIO(DOCX)
    with zipfile.ZipFile(buffer, "a") as package, pytest.warns(UserWarning, match="Duplicate"):
        package.writestr("word/document.xml", "<x/>")
    with pytest.raises(CorruptSource, match="one name"):
        packages.check(buffer.getvalue(), "docx")


def test_an_encrypted_part() -> None:
    data = bytearray(DOCX)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    with pytest.raises(ProtectedSource):
        packages.check(bytes(data), "docx")


def test_a_sheet_of_a_million_rows_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "_MAX_CELLS", 3)
    with pytest.raises(SourceTooLarge, match="cells"):
        read("a.xlsx", xlsx({"S": [["a", "b"], ["c", "d"]]}))
