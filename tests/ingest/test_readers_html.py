"""HTML: pages and fragments; what is matter, what is frame, what is never shown."""

from __future__ import annotations

import pytest

from ingest.errors import EmptySource
from ingest.models import Extract
from ingest.readers import html, read

PAGE = """<!DOCTYPE html><html lang="zh-CN"><head><title>发票开具 - 拾岚商城</title>
<link rel="canonical" href="https://help.example/zh/invoices"><style>p { color: red }</style>
<script>var secret = 1</script></head><body>
<header><nav><a href="/">首页</a> <a href="/help">帮助中心</a></nav></header>
<main><h1>发票开具</h1><p>签收之后
180 天内。</p>
<h2>发票类型</h2><ul><li>电子发票</li><li>专用发票<ol><li>税号</li><li>开户行</li></ol></li></ul>
<h2>时限</h2><table><caption>各类发票</caption><thead><tr><th>类型</th><th>时限(天)</th></tr></thead>
<tbody><tr><td rowspan="2">专票</td><td>5</td></tr><tr><td>7</td></tr></tbody></table>
<h3>说明</h3><dl><dt>数电发票</dt><dd>默认</dd></dl>
<p style="display:none">看不见</p><button>提交</button></main>
<footer>版权所有</footer></body></html>"""


def shown(extract: Extract) -> list[tuple[str, tuple[str, ...], str]]:
    return [(b.role, b.section, extract.text[b.start : b.end]) for b in extract.blocks]


def test_a_page_keeps_its_structure_and_loses_its_frame() -> None:
    assert shown(html.extract(PAGE)) == [
        ("heading", (), "发票开具"),
        ("prose", (), "签收之后 180 天内。"),
        ("heading", (), "发票类型"),
        ("prose", ("发票类型",), "- 电子发票\n- 专用发票\n1. 税号\n2. 开户行"),
        ("heading", (), "时限"),
        ("prose", ("时限",), "各类发票"),
        ("row", ("时限",), "类型：专票；时限：5 天"),
        ("row", ("时限",), "类型：专票；时限：7 天"),
        ("heading", ("时限",), "说明"),
        ("prose", ("时限", "说明"), "数电发票：默认"),
    ]


def test_title_language_and_address() -> None:
    assert html.extract(PAGE).attributes == {
        "title": "发票开具",
        "language": "zh",
        "url": "https://help.example/zh/invoices",
    }


def test_a_title_that_says_more_than_the_heading_stays() -> None:
    head = "<html><head><title>Invoices (fapiao)</title></head>"
    page = f"{head}<body><main><h1>Help</h1><p>Text.</p></main></body></html>"
    assert html.extract(page).attributes["title"] == "Invoices (fapiao)"


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "退货政策自签收次日起十五天", None),
        ("zh", "Fifteen days for returns", None),
        ("en-GB", "Fifteen days", "en"),
        ("??", "Days", None),
    ],
)
def test_a_language_that_the_script_contradicts_is_left_out(
    lang: str, text: str, expected: str | None
) -> None:
    extract = html.extract(f'<html lang="{lang}"><body><main><p>{text}</p></main></body></html>')
    assert extract.attributes.get("language") == expected


def test_without_landmarks_the_frame_is_cut_and_the_middle_kept() -> None:
    sentence = (
        "Every order in mainland China is sent within one day when it is paid before four in the afternoon. "
    )
    page = f"""<html><head><title>Delivery</title></head><body>
    <div class="nav"><a href="/a">Home</a><a href="/b">Products</a></div>
    <div id="content"><h1>Delivery</h1><p>{sentence * 3}</p><h2>Fees</h2>
    <table><tr><th>Region</th><th>Fee</th></tr><tr><td>Mainland</td><td>8 yuan</td></tr></table>
    <p>{sentence * 2}</p></div>
    <div class="footer"><a href="/c">Imprint</a> All rights reserved</div></body></html>"""
    extract = html.extract(page)
    assert extract.text.startswith("Delivery\n\nEvery order")
    assert ("row", ("Fees",), "Region: Mainland; Fee: 8 yuan") in shown(extract)
    assert "Imprint" not in extract.text
    assert "Products" not in extract.text


def test_a_short_page_without_landmarks_is_kept_whole() -> None:
    extract = html.extract("<html><body><h2>营业时间</h2><p>九点到十点</p></body></html>")
    assert extract.text == "营业时间\n\n九点到十点"


def test_scripts_and_styles_never_come_through() -> None:
    hidden = "<script>b</script><style>c</style><template>d</template><noscript>f</noscript>"
    for fragment in (f"<div>a{hidden}g</div>", f"<pre>a{hidden}g</pre>", "<b>" * 400 + f"a{hidden}g"):
        assert html.extract(fragment).text == "ag"


def test_controls_and_drawings_are_no_text() -> None:
    assert html.extract("<p>a<svg><text>e</text></svg><button>f</button><iframe>h</iframe>g</p>").text == "ag"


def test_fragments_are_taken_whole() -> None:
    extract = html.extract(
        "Loose text<p>One<br>two</p><div>three <b>four</b><p>five</p>six</div><pre>x\n y</pre>"
    )
    assert extract.text == "Loose text\n\nOne\ntwo\n\nthree four\n\nfive\n\nsix\n\nx\ny"
    assert extract.attributes == {}


def test_a_form_around_the_page_is_no_reason_to_lose_it() -> None:
    assert (
        html.extract("<form><p>All of it</p><input value='x'><select><option>y</option></select></form>").text
        == "All of it"
    )


def test_accordions_and_definitions() -> None:
    extract = html.extract(
        "<h2>FAQ</h2><details><summary>How long?</summary><p>15 days</p></details>"
        "<dl><dt>Term</dt><dt>Name:</dt><dd>Meaning</dd><dd>More</dd><dt>Last</dt></dl>"
    )
    assert shown(extract)[1:3] == [("heading", (), "How long?"), ("prose", ("How long?",), "15 days")]
    assert extract.text.endswith("Term\n\nName: Meaning\n\nMore\n\nLast")


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        (
            "<tr><th>Weight</th><td>41 g</td></tr><tr><th>Water</th><td>IPX5</td></tr>",
            ["Weight: 41 g", "Water: IPX5"],
        ),
        ("<tr><td>A</td><td>B</td></tr><tr><td>1</td><td>2</td></tr>", ["A: 1; B: 2"]),
        ("<tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr>", ["1; 2", "3; 4"]),
        (
            "<thead><tr><th rowspan=2>Zone</th><th colspan=2>Time</th></tr>"
            "<tr><th>Air</th><th>Sea</th></tr></thead>"
            "<tr><td>EU</td><td>8</td><td>40</td></tr>",
            ["Zone: EU; Time Air: 8; Time Sea: 40"],
        ),
        (
            "<tr><th>A</th><th>B</th></tr><tr><td colspan=2>both</td></tr><tr><td></td><td>x</td></tr>",
            ["A: both", "B: x"],
        ),
    ],
)
def test_tables_row_by_row(table: str, rows: list[str]) -> None:
    extract = html.extract(f"<table>{table}</table>")
    assert [text for role, _, text in shown(extract) if role == "row"] == rows


def test_a_layout_table_is_no_table() -> None:
    extract = html.extract(
        "<table><tr><td><h2>A</h2><p>b</p><table><tr><th>x</th><th>y</th></tr><tr><td>1</td><td>2</td></tr></table></td></tr></table>"
    )
    assert shown(extract) == [("heading", (), "A"), ("prose", (), "b"), ("row", (), "x: 1; y: 2")]


def test_depth_is_no_danger() -> None:
    assert html.extract("<div>" * 5000 + "deep" + "</div>" * 5000).text == "deep"
    assert html.extract("<ul><li>" * 2000 + "deep").text.endswith("deep")
    assert html.extract("<b>" * 5000 + "deep").text == "deep"


def test_declared_chinese_encodings() -> None:
    page = '<html><head><meta charset="gb2312"></head><body><p>退货镕政策</p></body></html>'.encode("gb18030")
    assert read("a.html", page).extracts[0].text == "退货镕政策"


@pytest.mark.parametrize(
    "source", ["", "<html><body></body></html>", "<script>1</script>", "<nav>Home</nav>"]
)
def test_nothing_to_read(source: str) -> None:
    with pytest.raises(EmptySource):
        html.extract(source)
