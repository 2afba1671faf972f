"""CSV and JSON lines: delimiters, records, and bad rows that lose nothing of the others."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta

import pytest

from ingest.errors import CorruptSource, EmptySource, InvalidDocument
from ingest.models import Extract
from ingest.readers import read, tables
from ingest.readers.grid import cell_text, labelled, row_text

FAQ = {
    "records": True,
    "id_template": "faq-{id}",
    "question": "{question}",
    "reply": "{answer}",
    "products": "{product}",
}


def shown(extract: Extract) -> list[tuple[str, tuple[str, ...], str]]:
    return [(b.role, b.section, extract.text[b.start : b.end]) for b in extract.blocks]


def csv(text: str, **options: object) -> tables.ReadResult:
    return tables.read_csv(text, options)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    lines = [["尺码", "身高", "说明"], ["S", "160", "a b"], ["M", "165", "c"]]
    text = "\n".join(delimiter.join(line) for line in lines)
    assert csv(text).extracts[0].text == "尺码：S；身高：160；说明：a b\n尺码：M；身高：165；说明：c"


def test_commas_inside_values_do_not_mislead() -> None:
    text = "name;note\na;one, two, three\nb;four, five\nc;six"
    assert csv(text).extracts[0].text.split("\n")[0] == "name: a; note: one, two, three"


def test_a_table_of_one_column_is_prose() -> None:
    assert shown(csv("Note\nfirst\nsecond").extracts[0]) == [("prose", (), "Note\nfirst\nsecond")]


def test_question_and_reply_stay_apart() -> None:
    text = 'id,question,answer,category,product\n1,How long?,"15 days.\n\nReally.",Returns,"SLA-1, SLA-2"\n'
    (extract,) = csv(text, **FAQ).extracts
    assert shown(extract) == [("question", (), "How long?"), ("reply", (), "15 days.\n\nReally.")]
    assert extract.attributes == {
        "external_id": "faq-1",
        "title": "How long?",
        "products": ["SLA-1", "SLA-2"],
        "fields": {"question": "How long?", "reply": "15 days.\n\nReally.", "category": "Returns"},
    }


def test_columns_named_like_attributes_need_no_template() -> None:
    text = "external_id,title,text,valid_from,Weight\nx-1,Cup,A cup for tea.,2026-03-01,200 g\n"
    (extract,) = csv(text, records=True).extracts
    assert extract.attributes == {
        "external_id": "x-1",
        "title": "Cup",
        "valid_from": "2026-03-01",
        "fields": {"Weight": "200 g"},
    }
    assert shown(extract) == [
        ("heading", (), "Cup"),
        ("field", (), "Weight: 200 g"),
        ("prose", (), "A cup for tea."),
    ]


def test_a_row_with_a_stray_quote_is_reported_and_the_others_read() -> None:
    text = 'id,question,answer\n1,"a,b\n2,c,d\n3,"e"f,g\n4,h,i\n5,j,"k\n'
    result = csv(text, **{**FAQ, "products": ()})
    assert [extract.attributes["external_id"] for extract in result.extracts] == ["faq-2", "faq-4"]
    assert [problem.where for problem in result.problems] == ["line 2", "line 4", "line 6"]
    assert "write a quote inside a value twice" in str(result.problems[0].error)


def test_reading_stops_at_very_many_stray_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_QUOTE_PROBLEMS", 2)
    result = csv("a,b\nx,y\n" + '"z\n' * 9)
    assert [str(p.error)[:16] for p in result.problems] == [
        "line 3 has a str",
        "line 4 has a str",
        "line 5 and all b",
    ]


def test_bad_rows_of_records() -> None:
    text = "id,question,answer\n1,q,a,more\n,q,a\n2,q,a\n2,q,a\n3,,\n\n4,q,a\n"
    result = csv(text, **{**FAQ, "products": ()})
    assert [extract.attributes["external_id"] for extract in result.extracts] == ["faq-2", "faq-4"]
    assert [problem.where for problem in result.problems] == ["line 2", "line 3", "line 5", "line 6"]
    messages = [str(problem.error) for problem in result.problems]
    assert "more cells than the header's 3" in messages[0]
    assert messages[1] == "external_id: column 'id' is empty; fill it, it identifies the row (line 3)"
    assert "already in line 4" in messages[2]


@pytest.mark.parametrize(
    ("header", "options", "field"),
    [
        ("id,question", {"records": True}, "id_template"),
        ("id,question", {"records": True, "id_template": "{SKU}"}, "id_template"),
        ("id,question", {"records": True, "id_template": "{id}", "title": "{Name}"}, "title"),
        ("id,id", {"records": True, "id_template": "{id}"}, "header"),
    ],
)
def test_options_that_cannot_be_right(header: str, options: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        csv(f"{header}\n1,2\n", **options)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("text", "records"), [("", False), ("\n\n,\n", False), ("a,b\n", True), ("a\nb\n", True)]
)
def test_no_rows(text: str, records: bool) -> None:
    with pytest.raises(EmptySource):
        tables.read_csv(text, {"records": records})


def test_json_lines() -> None:
    lines = [
        {
            "external_id": "r-1",
            "kind": "resolution",
            "question": "坏了",
            "reply": "换新。",
            "agent": "agent-01",
            "rating": 5,
        },
        {
            "external_id": "p-1",
            "title": "Cup",
            "products": ["A", "B"],
            "fields": {"Weight": 200, "Dishwasher": True},
            "tags": ["x", "y"],
        },
        {"external_id": "m-1", "markdown": "# Head\n\n- one", "metadata": {"source": "wiki"}},
        {"external_id": "h-1", "html": "<p>Hi</p>", "title": "Hello"},
    ]
    result = read("a.jsonl", "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode())
    assert not result.problems
    resolution, product, page, fragment = result.extracts
    assert shown(resolution) == [("question", (), "坏了"), ("reply", (), "换新。")]
    assert resolution.attributes["fields"] == {
        "question": "坏了",
        "reply": "换新。",
        "agent": "agent-01",
        "rating": 5,
    }
    assert shown(product) == [
        ("heading", (), "Cup"),
        ("field", (), "Weight: 200"),
        ("field", (), "Dishwasher: yes"),
        ("field", (), "tags: x, y"),
    ]
    assert product.attributes["fields"] == {"Weight": 200, "Dishwasher": True, "tags": "x, y"}
    assert page.attributes == {"external_id": "m-1", "metadata": {"source": "wiki"}}
    assert fragment.text == "Hello\n\nHi"


def test_bad_lines_of_json() -> None:
    lines = [
        '{"external_id": "a", "text": "x"}',
        "{",
        "[1]",
        '{"text": "y"}',
        '{"external_id": "b", "text": NaN}',
        "",
        '{"external_id": "c", "text": "x", "specs": {"a": {"b": 1}}}',
        "[" * 100_000,
        '{"external_id": "d"}',
    ]
    result = tables.read_jsonl("\n".join(lines), {})
    assert [extract.attributes["external_id"] for extract in result.extracts] == ["a"]
    assert sorted(problem.where for problem in result.problems) == [
        f"line {n}" for n in (2, 3, 4, 5, 7, 8, 9)
    ]


def test_json_lines_that_are_none() -> None:
    with pytest.raises(CorruptSource, match="no line of JSON"):
        tables.read_jsonl("hello\nworld", {})
    with pytest.raises(InvalidDocument, match="in every row") as caught:
        tables.read_jsonl('{"a": 1}\n{"b": 2}', {})
    assert caught.value.field == "external_id"


def test_templates_over_json_lines() -> None:
    line = json.dumps({"id": 7, "q": "How?", "a": "So.", "lists": ["x", "y"], "gone": None})
    options = {
        "id_template": "t-{id}",
        "question": "{q} ({id})",
        "reply": "{a}",
        "regions": ["{lists}", "HK"],
        "url": "{gone}",
    }
    (extract,) = tables.read_jsonl(line, options).extracts
    assert extract.attributes["external_id"] == "t-7"
    assert extract.attributes["title"] == "How? (7)"
    assert "HK" in str(extract.attributes["regions"])
    assert extract.attributes["fields"] == {"question": "How? (7)", "reply": "So."}
    assert "url" not in extract.attributes


def test_cells_as_people_see_them() -> None:
    assert [cell_text(value) for value in (None, 3.0, 2.50, True, False, " a\n b ", 1e20)] == [
        "", "3", "2.5", "true", "false", "a b", "1e+20"]  # fmt: skip


def test_dates_and_times_as_people_see_them() -> None:
    noon = datetime(2026, 3, 1, 12)
    moments = [datetime(2026, 3, 1), noon, date(2026, 3, 1), time(9, 30), timedelta(hours=2)]
    assert [cell_text(value) for value in moments] == [
        "2026-03-01", "2026-03-01 12:00", "2026-03-01", "09:30", "2:00:00"]  # fmt: skip


def test_units_go_behind_numbers_only() -> None:
    assert labelled("价格(元)", "299") == "价格: 299 元"
    assert labelled("Price (CNY)", "1,299") == "Price: 1,299 CNY"
    assert labelled("尺寸(展开)", "大") == "尺寸(展开): 大"
    assert labelled("胸围 (JK01)", "108") == "胸围 (JK01): 108"
    assert row_text(["", "b"], ["1", "2", "3"]) == "1; b: 2; 3"
