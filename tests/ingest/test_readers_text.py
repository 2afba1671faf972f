"""Plain text, the encodings people still use, and the registry of readers."""

from __future__ import annotations

import os
from datetime import date, datetime

import pytest

from ingest.errors import CorruptSource, EmptySource, InvalidDocument, SourceTooLarge, UnsupportedFormat
from ingest.models import Block, Extract
from ingest.readers import SUPPORTED, ReadResult, RowProblem, builder, read, text
from ingest.readers.decoding import decode
from ingest.readers.results import from_json, plain, to_json

SIMPLIFIED = "退货政策：自签收次日起十五天内可以无理由退货，商品须保持完好，配件与赠品齐全。"
TRADITIONAL = "退貨政策：自簽收次日起十五天內可以無理由退貨，商品須保持完好，配件與贈品齊全。"


@pytest.mark.parametrize(
    ("original", "encoding"),
    [
        (SIMPLIFIED, "utf-8"),
        (SIMPLIFIED, "utf-8-sig"),
        (SIMPLIFIED, "gb18030"),
        (SIMPLIFIED, "gbk"),
        (SIMPLIFIED, "utf-16"),
        ("Fifteen days to return, 十五天", "utf-16-le"),
        (TRADITIONAL, "big5"),
        (TRADITIONAL, "gb18030"),
        ("SKU,名称\nA-1,耳机\n", "gbk"),
        ("退货", "gb18030"),
        ("Café à emporter, 12,50 €: déjà vu – naïve façade", "cp1252"),
        ("plain", "ascii"),
    ],
)
def test_encodings(original: str, encoding: str) -> None:
    assert decode(original.encode(encoding)).removeprefix("\ufeff") == original


def test_a_declared_charset_comes_first_and_a_wrong_one_does_no_harm() -> None:
    assert decode("退貨".encode("big5"), charset="big5") == "退貨"
    assert decode(SIMPLIFIED.encode("gb18030"), charset="gb18030") == SIMPLIFIED
    assert decode(SIMPLIFIED.encode(), charset="ascii") == SIMPLIFIED
    assert decode(SIMPLIFIED.encode(), charset="no-such-thing") == SIMPLIFIED


@pytest.mark.parametrize("data", [b"", b" \r\n\t", "\u3000\n".encode(), b"\0\0", b"\xef\xbb\xbf"])
def test_empty(data: bytes) -> None:
    with pytest.raises(EmptySource):
        decode(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + b"x" * 50,
        b"PK\x03\x04rest",
        bytes(range(256)) * 20,
        b"text\0with\0zeros" * 9,
        b"\x01\x02\x03\x04" * 30,
        SIMPLIFIED.encode()[:-1],
        SIMPLIFIED.encode().replace("签".encode(), b"\xff"),
        b"\xff\xfe\x00",
        b"\xff\xfe\x00\xd8x\x00",
    ],
)
def test_binary_and_damaged(data: bytes) -> None:
    with pytest.raises(CorruptSource):
        decode(data)


def test_a_cut_file_is_told_from_another_encoding() -> None:
    with pytest.raises(CorruptSource, match="cut off"):
        decode(SIMPLIFIED.encode()[:-1])


def test_random_bytes_are_refused_or_text() -> None:
    for length in (1, 2, 50, 4000):
        try:
            assert isinstance(decode(os.urandom(length)), str)
        except (CorruptSource, EmptySource):
            continue


def test_paragraphs_and_numbered_headings() -> None:
    extract = text.extract(
        "说明\n\n一、范围\n\n所有商品。\n第二行\n\n1. 甲\n\n2. 乙\n\n"
        "二、期限\n\n十五天。\n\n\n\n2.1 Refunds\n\nSoon."
    )
    assert [(b.role, extract.text[b.start : b.end]) for b in extract.blocks] == [
        ("prose", "说明"),
        ("heading", "一、范围"),
        ("prose", "所有商品。\n第二行"),
        ("prose", "1. 甲"),
        ("prose", "2. 乙"),
        ("heading", "二、期限"),
        ("prose", "十五天。"),
        ("heading", "2.1 Refunds"),
        ("prose", "Soon."),
    ]
    assert extract.blocks[-1].section == ("二、期限", "2.1 Refunds")


@pytest.mark.parametrize(
    ("line", "level"),
    [("第三章 退货", 1), ("Chapter 2: Refunds", 1), ("第五条 例外", 2), ("一、运费", 3), ("(二)流程", 4),
     ("3. Postage", 5), ("2.1 Refunds", 6), ("2.1.3 退款", 7), ("1. 打开 App。", None), ("3 days", None),
     ("1.5%", None), ("一" * 70, None)],
)  # fmt: skip
def test_numbered_levels(line: str, level: int | None) -> None:
    assert text.numbered_level(line) == level


def test_cleaning() -> None:
    assert builder.clean("\ufeffa\u200bb\x00 \t c\r\n\r\n\r\n\r\nd\u2028e\ud800") == "ab c\n\nd\ne"
    assert builder.flow("退货\n  政策 and\nmore") == "退货政策 and more"


def test_too_much_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "MAX_CHARACTERS", 10)
    with pytest.raises(SourceTooLarge, match="split"):
        text.extract("more than ten characters")


# --- the registry ---------------------------------------------------------------------------------


def test_formats_by_extension_and_by_media_type() -> None:
    assert {".md", ".html", ".pdf", ".docx", ".xlsx", ".csv", ".jsonl", ".txt"} <= SUPPORTED
    assert read("A.MD", b"# x\n\ny").extracts[0].text == "x\n\ny"
    assert read("upload", b"<p>x</p>", media_type="text/html; charset=utf-8").extracts[0].text == "x"
    assert read(
        "upload.bin", SIMPLIFIED.encode("big5", "ignore"), media_type='text/plain; charset="big5"'
    ).extracts
    assert read("a.csv", b"a,b\n1,2", media_type="application/vnd.ms-excel").extracts[0].text == "a: 1; b: 2"


@pytest.mark.parametrize(("name", "media_type"), [("a.exe", None), ("a", None), ("a", "image/png")])
def test_unknown_formats(name: str, media_type: str | None) -> None:
    with pytest.raises(UnsupportedFormat, match=r"use one of .*\.docx"):
        read(name, b"x", media_type=media_type)


def test_errors_have_a_subject() -> None:
    with pytest.raises(EmptySource, match=r"^the file is empty"):
        read("a.txt", b"")


def test_a_parsers_own_failure_is_a_corrupt_source(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    def fail(error: BaseException) -> None:
        def raising(_: str) -> Extract:
            raise error

        monkeypatch.setattr(text, "extract", raising)

    for error in (KeyError("x"), RecursionError(), PanicException("y")):
        fail(error)
        with pytest.raises(CorruptSource, match="damaged"):
            read("a.txt", b"x")
    fail(ValueError("Memory allocation failed"))
    with pytest.raises(MemoryError):
        read("a.txt", b"x")
    fail(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        read("a.txt", b"x")


# --- the way out of the parser process ------------------------------------------------------------


def test_results_survive_json() -> None:
    result = ReadResult(
        (
            Extract(
                "a b",
                (Block("heading", 0, 1, ("x",)), Block("prose", 2, 3)),
                {"title": "t", "products": ["p"]},
            ),
        ),
        (RowProblem.at("line 1", "is bad"), RowProblem.at("line 2", InvalidDocument("title", "is empty"))),
    )
    back = from_json(to_json(result))
    assert back.extracts == result.extracts
    assert [(p.where, type(p.error), str(p.error)) for p in back.problems] == [
        ("line 1", CorruptSource, "line 1 is bad"),
        ("line 2", InvalidDocument, "title: is empty (line 2)"),
    ]


def extract_json(**changes: object) -> dict[str, object]:
    item = {"text": "abc", "blocks": [["prose", 0, 3, []]], "attributes": {}}
    return {"extracts": [{**item, **changes}], "problems": []}


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"extracts": {}, "problems": []},
        {"extracts": [], "problems": [{"where": 1, "error": {}}]},
        extract_json(text=1),
        extract_json(blocks=[["prose", 0, 4, []]]),
        extract_json(blocks=[["prose", 0, 0, []]]),
        extract_json(blocks=[["prose", 0, 2, []], ["prose", 1, 3, []]]),
        extract_json(blocks=[["prose", True, 3, []]]),
        extract_json(blocks=[["code", 0, 3, []]]),
        extract_json(blocks=[["prose", 0, 3, [1]]]),
        extract_json(blocks=[["prose", 0]]),
        extract_json(attributes=[]),
    ],
)
def test_answers_that_make_no_sense_are_refused(value: object) -> None:
    with pytest.raises(CorruptSource, match="makes no sense"):
        from_json(value)


def test_plain_values() -> None:
    assert plain({"a": (1, date(2026, 3, 1)), 2: datetime(2026, 3, 1, 9)}) == {
        "a": [1, "2026-03-01"],
        "2": "2026-03-01T09:00:00",
    }
    for value in (float("inf"), b"x", object()):
        with pytest.raises(ValueError, match=r"."):
            plain(value)
