"""Markdown: front matter, structure, and what must not come through."""

from __future__ import annotations

import pytest

from ingest.errors import CorruptSource, EmptySource, InvalidDocument
from ingest.models import Extract
from ingest.readers import markdown, read

POLICY = """---
external_id: policy-returns-zh
title: "退货政策: 2026 版"
language: zh
valid_from: 2026-03-01
regions: [CN]
---

# 退货政策

适用于
所有商品，价格 <100 元的除外。

## 一、条件

1. 未使用
2. 包装完好
   - 配件齐全

## 二、期限

| 商品 | 期限(天) |
| --- | --- |
| 耳机 | 15 |
| 床垫 | 100 |

### 说明

<script>alert("x")</script>
<p hidden>看不见</p>

**以签收**次日为[起点](https://help.example)。
"""


def shown(extract: Extract) -> list[tuple[str, tuple[str, ...], str]]:
    return [(b.role, b.section, extract.text[b.start : b.end]) for b in extract.blocks]


def test_structure_survives_with_section_paths() -> None:
    assert shown(markdown.extract(POLICY)) == [
        ("heading", (), "退货政策"),
        ("prose", (), "适用于所有商品，价格 <100 元的除外。"),
        ("heading", (), "一、条件"),
        ("prose", ("一、条件",), "1. 未使用\n2. 包装完好\n- 配件齐全"),
        ("heading", (), "二、期限"),
        ("row", ("二、期限",), "商品：耳机；期限：15 天"),
        ("row", ("二、期限",), "商品：床垫；期限：100 天"),
        ("heading", ("二、期限",), "说明"),
        ("prose", ("二、期限", "说明"), "以签收次日为起点。"),
    ]


def test_front_matter_becomes_plain_attributes() -> None:
    assert markdown.extract(POLICY).attributes == {
        "external_id": "policy-returns-zh",
        "title": "退货政策: 2026 版",
        "language": "zh",
        "valid_from": "2026-03-01",
        "regions": ["CN"],
    }


def test_the_only_first_heading_is_the_title_and_leads_no_path() -> None:
    extract = markdown.extract("# Returns\n\nFifteen days.\n\n## Postage\n\nWe pay.")
    assert extract.attributes == {"title": "Returns"}
    assert [block.section for block in extract.blocks] == [(), (), (), ("Postage",)]


def test_equal_first_headings_are_sections() -> None:
    extract = markdown.extract("# Returns\n\nFifteen days.\n\n# Postage\n\nWe pay.")
    assert "title" not in extract.attributes
    assert [block.section for block in extract.blocks] == [(), ("Returns",), (), ("Postage",)]


def test_a_ruler_at_the_top_is_no_front_matter() -> None:
    extract = markdown.extract("---\n\nSome words here\n\n---\n\nMore words")
    assert extract.attributes == {}
    assert extract.text == "Some words here\n\nMore words"


@pytest.mark.parametrize("matter", ["title: a: b", "title: [1, 2", "a: &x [1]\nb: *x", "a: .nan"])
def test_malformed_front_matter_names_the_remedy(matter: str) -> None:
    with pytest.raises(InvalidDocument, match="front matter") as caught:
        markdown.extract(f"---\n{matter}\n---\nText")
    assert "quote" in caught.value.message


def test_a_yaml_bomb_does_not_unfold() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30)]
    with pytest.raises(InvalidDocument, match="alias"):
        markdown.extract("---\n" + "\n".join(lines) + "\n---\nText")


def test_empty_and_front_matter_only() -> None:
    with pytest.raises(EmptySource):
        markdown.extract("")
    with pytest.raises(EmptySource, match="below the second ---"):
        markdown.extract("---\ntitle: x\n---\n")
    with pytest.raises(EmptySource):
        markdown.extract("# Only a heading")


def test_line_breaks_and_inline_html() -> None:
    extract = markdown.extract("One line  \nand the next<br>and a third\n\n> quoted\n\n    code  here")
    assert extract.text == "One line\nand the next\nand a third\n\nquoted\n\ncode here"


def test_wrapped_lines_join_with_a_space_only_outside_chinese() -> None:
    assert (
        markdown.extract("下列商品\n不支持退货\nfor any\nreason").text == "下列商品不支持退货 for any reason"
    )


def test_read_refuses_binary_under_a_markdown_name() -> None:
    with pytest.raises(CorruptSource, match=r"PDF.*extension"):
        read("notes.md", b"%PDF-1.7 rest")
