"""From extracts and request bodies to validated documents."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.documents import compose, from_text
from ingest.errors import CorruptSource, EmptySource, InvalidDocument, SourceTooLarge
from ingest.models import Block, Document, Extract
from ingest.readers.results import ReadResult, RowProblem


def parts(document: Document) -> list[tuple[str, str]]:
    return [(block.role, document.text[block.start : block.end]) for block in document.blocks]


def policy(**given: Any) -> Document:
    return from_text({"external_id": "p-1", "kind": "policy", "text": "七天内可以退货。", **given})


def test_a_plain_policy() -> None:
    document = policy(
        title="退货政策", regions="CN,HK", products=["SKU-1"], audience="Internal", supersedes="p-0"
    )
    assert document.title == "退货政策"
    assert document.language == "zh"
    assert document.audience == "internal"
    assert document.status == "approved"
    assert document.regions == ("CN", "HK")
    assert document.supersedes == ("p-0",)
    assert parts(document) == [("prose", "七天内可以退货。")]


def test_attributes_override_those_of_the_extract_and_fields_are_joined() -> None:
    extract = Extract(
        "Text.",
        (Block("prose", 0, 5),),
        {"title": "old", "valid_from": "2026-01-01", "fields": {"a": 1, "b": 1}, "url": "https://a.example/"},
    )
    document = compose(
        extract,
        {
            "external_id": "x",
            "kind": "faq",
            "title": "new",
            "url": None,
            "fields": {"b": 2},
            "language": "en-GB",
        },
    )
    assert document.title == "new"
    assert document.url == "https://a.example/"
    assert document.fields == {"a": 1, "b": 2}
    assert document.language == "en"


def test_dates_without_offset_are_the_collections() -> None:
    document = from_text(
        {
            "external_id": "x",
            "kind": "policy",
            "text": "a",
            "valid_from": "2026-03-01",
            "valid_to": "2026-06-01",
        },
        timezone=ZoneInfo("Asia/Shanghai"),
    )
    assert document.valid_from == datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=8)))
    assert document.valid_to is not None
    assert document.valid_to.isoformat() == "2026-06-02T00:00:00+08:00"


@pytest.mark.parametrize(
    ("given", "field", "remedy"),
    [
        ({"external_id": None}, "external_id", "required"),
        ({"external_id": " "}, "external_id", "empty"),
        ({"external_id": "a\nb"}, "external_id", "control"),
        ({"external_id": "a\u2028b"}, "external_id", "control"),
        ({"external_id": "x" * 201}, "external_id", "200"),
        ({"external_id": ["a"]}, "external_id", "text"),
        ({"external_id": "\ud800"}, "external_id", "control"),
        ({"kind": None}, "kind", "product, policy, resolution, faq"),
        ({"kind": "polcy"}, "kind", "policy"),
        ({"kind": 3}, "kind", "policy"),
        ({"audience": "all"}, "audience", "public or internal"),
        ({"status": "done"}, "status", "draft or approved"),
        ({"valid_form": "2026-01-01"}, "valid_form", "valid_from"),
        ({"blocks": []}, "blocks", "unknown"),
        ({"valid_from": "soon"}, "valid_from", "ISO"),
        ({"valid_from": "2026-03-02", "valid_to": "2026-03-01"}, "valid_to", "not after"),
        ({"valid_from": "2026-03-01", "valid_to": "2025-03-01"}, "valid_to", "swap"),
        ({"supersedes": ["a", "p-1"]}, "supersedes", "itself"),
        ({"text": ""}, "text", "no text"),
        ({"text": " \n\x00 "}, "text", "no text"),
        ({"text": 7}, "text", "must be text"),
        ({"text": None}, "text", "no text"),
        ({"html": "<p>a</p>"}, "html", "only one"),
        ({"title": "x" * 501}, "title", "500"),
        ({"title": {"en": "x"}}, "title", "text"),
        ({"fields": {"a": {}}}, "fields.a", "object"),
        ({"metadata": {"a": []}}, "metadata.a", "list"),
        ({"fields": "a"}, "fields", "mapping"),
        ({"url": "javascript:alert(1)"}, "url", "http"),
        ({"kind": "resolution"}, "fields.question", "required"),
        ({"kind": "resolution", "fields": {"question": "Why?"}}, "fields.reply", "required"),
        ({"kind": "resolution", "fields": {"question": "Why?", "reply": " "}}, "fields.reply", "required"),
        ({"kind": "faq", "fields": {"reply": "So."}}, "fields.question", "required"),
    ],
)
def test_refusals_name_field_and_remedy(given: dict[str, object], field: str, remedy: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        policy(**given)
    assert caught.value.field == field
    assert remedy in caught.value.message


def test_a_resolution_from_its_fields() -> None:
    given = {
        "external_id": "r-1",
        "kind": "resolution",
        "fields": {"question": "屏幕碎了？", "reply": "可以换。", "agent": "A12"},
    }
    document = from_text(given)
    assert document.text == "屏幕碎了？\n\n可以换。"
    assert parts(document) == [("question", "屏幕碎了？"), ("reply", "可以换。")]
    assert document.title == "屏幕碎了？"
    assert document.fields["agent"] == "A12"
    again = from_text(
        {**given, "text": document.text, "title": document.title, "language": document.language}
    )
    assert again == document
    assert again.content_hash == document.content_hash


def test_question_and_reply_may_stand_beside_the_fields() -> None:
    document = from_text(
        {"external_id": "f", "kind": "faq", "question": "How?", "reply": "So.", "text": "More.\n\nAnd more."}
    )
    assert parts(document) == [
        ("question", "How?"),
        ("reply", "So."),
        ("prose", "More."),
        ("prose", "And more."),
    ]
    assert document.fields == {"question": "How?", "reply": "So."}


def test_blocks_of_a_dialogue_give_the_fields() -> None:
    extract = Extract("Q?\n\nA.", (Block("question", 0, 2), Block("reply", 4, 6)))
    document = compose(extract, {"external_id": "r", "kind": "resolution"})
    assert document.fields == {"question": "Q?", "reply": "A."}
    assert document.text == "Q?\n\nA."


def test_a_row_of_a_table_becomes_the_dialogue_that_its_columns_hold() -> None:
    extract = Extract(
        "id: 7; q: Q?; a: A.", (Block("row", 0, 19),), {"fields": {"question": "Q?", "reply": "A.", "id": 7}}
    )
    document = compose(extract, {"external_id": "r", "kind": "faq"})
    assert document.text == "Q?\n\nA."


def test_an_faq_page_without_halves_is_an_article() -> None:
    assert parts(policy(kind="faq")) == [("prose", "七天内可以退货。")]


def test_a_products_fields_become_lines_once() -> None:
    given: dict[str, object] = {
        "external_id": "p",
        "kind": "product",
        "title": "声澜耳机",
        "text": "很好的耳机。\n\n防水 ： IPX4\n价格: 299",
        "fields": {"价格": 299.0, "防水": "IPX4", "降噪": True, "wireless": False, "颜色": None, "备注": " "},
    }
    document = from_text(given)
    assert parts(document) == [
        ("prose", "很好的耳机。"),
        ("prose", "防水 ： IPX4"),
        ("field", "价格: 299"),
        ("field", "降噪: 是"),
        ("field", "wireless: no"),
    ]
    again = from_text({**given, "text": document.text})
    assert again.text == document.text
    assert from_text({**given, "text": again.text}) == again


def test_a_field_is_said_only_by_its_whole_value() -> None:
    given = {
        "external_id": "p",
        "kind": "product",
        "title": "t",
        "text": "价格: 2999\nvolume:1.7 l\nweight: 2 kg",
    }
    document = from_text({**given, "fields": {"价格": 299, "Volume": "1.7 L", "weight": "2 kg"}})
    assert parts(document)[-1] == ("field", "价格: 299")
    assert document.text.count("olume") == 1


def test_a_product_of_fields_alone() -> None:
    document = from_text(
        {"external_id": "p", "kind": "product", "title": "Kettle", "fields": {"volume": "1.7 l"}}
    )
    assert parts(document) == [("field", "volume: 1.7 l")]
    with pytest.raises(InvalidDocument, match="no text"):
        from_text({"external_id": "p", "kind": "product", "title": "Kettle"})


def test_titles_come_from_heading_question_or_first_line() -> None:
    heading = Extract(
        "Intro\n\nReturns\n\nText", (Block("prose", 0, 5), Block("heading", 7, 14), Block("prose", 16, 20))
    )
    assert compose(heading, {"external_id": "x", "kind": "policy"}).title == "Returns"
    assert policy(text="\n  first   line \nsecond").title == "first line"
    long = policy(text="很" * 300).title
    assert len(long) == 80
    assert long.endswith("…")


def test_an_extract_without_text_is_an_empty_source() -> None:
    with pytest.raises(EmptySource):
        compose(Extract(" \x00\n", ()), {"external_id": "x", "kind": "policy"})


def test_limits() -> None:
    attributes = {"external_id": "x", "kind": "policy", "text": "abcd" * 10}
    with pytest.raises(SourceTooLarge, match="at most 39"):
        from_text(attributes, longest=39)
    assert from_text(attributes, longest=40)


def test_a_readers_wrong_blocks_are_not_taken() -> None:
    for blocks in [
        (Block("prose", 2, 9),),
        (Block("prose", 2, 4), Block("prose", 0, 1)),
        (Block("prose", 3, 2),),
    ]:
        with pytest.raises(ValueError, match="blocks"):
            compose(Extract("abcdef", blocks), {"external_id": "x", "kind": "policy"})


def test_control_characters_of_an_extract_are_blanked_in_place() -> None:
    document = compose(
        Extract("a\x00b\ud800c", (Block("prose", 0, 5),)), {"external_id": "x", "kind": "policy"}
    )
    assert document.text == "a b c"


def test_html_and_markdown_go_through_the_given_reader() -> None:
    seen: list[tuple[str, bytes]] = []

    def read(name: str, data: bytes) -> ReadResult:
        seen.append((name, data))
        return ReadResult((Extract("Hi", (Block("prose", 0, 2),), {"title": "Carried"}),))

    document = from_text({"external_id": "x", "kind": "policy", "html": "<p>Hi\x00</p>"}, read=read)
    assert document.title == "Carried"
    from_text({"external_id": "x", "kind": "policy", "markdown": "Hi"}, read=read)
    assert seen == [("body.html", b"<p>Hi</p>"), ("body.md", b"Hi")]


def test_what_the_reader_refuses_is_refused() -> None:
    broken = ReadResult((), (RowProblem.at("line 3", CorruptSource("is broken")),))
    with pytest.raises(CorruptSource, match="line 3"):
        from_text({"external_id": "x", "kind": "policy", "html": "<p>"}, read=lambda name, data: broken)

    def empty(name: str, data: bytes) -> ReadResult:
        raise EmptySource("holds no text")

    with pytest.raises(InvalidDocument) as caught:
        from_text({"external_id": "x", "kind": "policy", "html": "<p>"}, read=empty)
    assert caught.value.field == "html"


def test_markdown_keeps_its_headings() -> None:
    body = "# Returns\n\nIn short.\n\n## How\n\nSend it back within 7 days."
    document = from_text({"external_id": "x", "kind": "policy", "markdown": body})
    assert document.title == "Returns"
    assert document.language == "en"
    assert [block.section[-1:] for block in document.blocks if block.role == "prose"][-1] == ("How",)


TEXTS = st.text(st.sampled_from("退货 ab:：\n\t\x00。.é"), max_size=40)
FIELDS = st.dictionaries(
    st.sampled_from(["价格", "size", "on"]), st.none() | st.booleans() | st.integers() | TEXTS, max_size=3
)


@settings(deadline=None)
@given(TEXTS, FIELDS, st.sampled_from(["product", "policy", "faq", "resolution"]), TEXTS, TEXTS)
def test_whatever_is_accepted_is_sound(
    text: str, fields: dict[str, object], kind: str, question: str, reply: str
) -> None:
    body = {"external_id": "x", "kind": kind, "title": "t", "text": text, "fields": fields}
    if kind in ("faq", "resolution"):
        body |= {"question": question, "reply": reply}
    try:
        document = from_text(body)
    except InvalidDocument as error:
        assert error.field in ("text", "fields.question", "fields.reply")
        return
    end = 0
    for block in document.blocks:
        assert end <= block.start < block.end <= len(document.text)
        assert not document.text[end : block.start].strip()
        end = block.end
    assert not document.text[end:].strip()
    assert "\x00" not in document.text
    again = from_text({**body, "text": document.text})
    assert again.text == document.text


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("2026-11-30", "2026-12-01T00:00:00+00:00"),
        ("2026-11-30T12:00:00Z", "2026-11-30T12:00:00+00:00"),
        ("9999-12-31", None),
    ],
)
def test_the_last_day_of_validity_counts(end: str, expected: str | None) -> None:
    document = compose(Extract("Text.", ()), {"external_id": "d", "kind": "policy", "valid_to": end})
    assert (document.valid_to.isoformat() if document.valid_to else None) == expected
