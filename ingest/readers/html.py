"""HTML: the page's own structure decides sections, lists and tables; trafilatura tells matter from frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.memory_limit import loading
from ingest.models import Extract
from ingest.readers.builder import ExtractBuilder, flow, has_han
from ingest.readers.grid import add_table

# fmt: off
_DROPPED = frozenset(
    (
        "script", "style", "noscript", "template", "svg", "math", "iframe", "object",
        "embed", "canvas", "video", "audio", "button", "input", "select", "textarea",
        "nav", "footer", "dialog", "menu", "head", "link", "meta", "base",
        "map",
    )
)
# fmt: on
_DROPPED_ROLES = frozenset(("navigation", "banner", "contentinfo", "search", "dialog", "alertdialog", "menu"))
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
# fmt: off
_BLOCKS = frozenset(
    (
        "html", "body", "main", "article", "section", "div", "header", "aside",
        "address", "blockquote", "figure", "figcaption", "fieldset", "form", "details", "p",
        "pre", "center", "hgroup", "dl", "dt", "dd", "ul", "ol",
        "li", "table", "caption", "hr",
    )
)
# fmt: on
_BLOCK_SELECTOR = ", ".join(sorted({*_BLOCKS, *_HEADINGS}))
_SEPARATE = _BLOCKS | _HEADINGS.keys() | {"td", "th"}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_PIECES = re.compile(r"[\n:：;；]")
_TELLING = 8
_DEEPEST = 150
_WIDEST = 100
_HAN = re.compile("[\u4e00-\u9fff]")


def extract(html: str) -> Extract:
    """One Extract of a page or a fragment, with the page's title, language and address as attributes.

    A fragment is taken whole. Of a page, `<main>` or the only `<article>` is taken; without either, what lies
    between the first and the last passage that trafilatura keeps: losing a policy's table would be worse than
    keeping a share button. Raises EmptySource.
    """
    builder = ExtractBuilder()
    if not is_page(html):
        write(builder, html)
        return builder.build()
    tree = _parsed(html)
    root = _landmark(tree)
    if root is not None:
        _Walker(builder).walk(root)
    if not builder and tree.body is not None:
        _Walker(builder, framed=True).walk(tree.body)
        builder.crop(_Matter(html))
    return builder.build(_attributes(tree, builder))


def write(builder: ExtractBuilder, fragment: str) -> None:
    """Append a piece of HTML to an Extract under construction."""
    body = _parsed(f"<body>{fragment}</body>").body
    if body is not None:
        _Walker(builder).walk(body)


def _parsed(html: str) -> LexborHTMLParser:
    tree = LexborHTMLParser(html)
    tree.strip_tags(["script", "style", "template", "noscript"], recursive=True)
    return tree


def is_page(html: str) -> bool:
    return (
        re.search(r"<!doctype html|<html[\s>]|<body[\s>]|<head[\s>]", html[:4096], re.IGNORECASE) is not None
    )


def _landmark(tree: LexborHTMLParser) -> LexborNode | None:
    for selector in ("main, [role=main]", "article"):
        found = tree.css(selector)
        if len(found) == 1:
            return found[0]
    return None


def _attributes(tree: LexborHTMLParser, builder: ExtractBuilder) -> dict[str, object]:
    attributes: dict[str, object] = {}
    text = builder.build()
    title = _first_text(tree, "title")
    heading = text.attributes.get("title") or _first_text(tree, "h1")
    if isinstance(heading, str) and heading and (not title or heading in title):
        title = heading  # a page's <title> often carries the site's name behind
    if title:
        attributes["title"] = title
    if language := _language(tree, text.text):
        attributes["language"] = language
    link = tree.css_first("link[rel=canonical]")
    url = (link.attributes.get("href") or "") if link is not None else ""
    if urlsplit(url).scheme in ("http", "https"):
        attributes["url"] = url
    return attributes


def _first_text(tree: LexborHTMLParser, selector: str) -> str:
    node = tree.css_first(selector)
    return flow(node.text()) if node is not None else ""


def _language(tree: LexborHTMLParser, text: str) -> str | None:
    """The page's declared language, unless its script contradicts it, as templates left in English do."""
    root = tree.css_first("html")
    declared = (root.attributes.get("lang") or "") if root is not None else ""
    language = declared.replace("_", "-").split("-")[0].strip().lower()
    if not re.fullmatch("[a-z]{2,3}", language):
        return None
    share = len(_HAN.findall(text)) / max(len(text), 1)
    if (language == "zh" and share < 0.02) or (language not in ("zh", "ja", "ko", "yue") and share > 0.2):
        return None
    return language


@cache
def _trafilatura() -> Callable[..., str | None]:
    with loading():
        import trafilatura

        # Its first use reads the stop words of a hundred languages.
        trafilatura.extract("<html><body><p>warm</p></body></html>")
    return trafilatura.extract


class _Matter:
    """Tells which texts trafilatura takes for the page's own matter; all of them when it finds none."""

    def __init__(self, html: str) -> None:
        extract = _trafilatura()
        found = extract(html, include_comments=False, include_tables=True, favor_recall=True) or ""
        self._lines = frozenset(_squeezed(line) for line in found.splitlines())
        self._text = _squeezed(found)

    def __call__(self, text: str) -> bool:
        pieces = [_squeezed(piece) for piece in _PIECES.split(text)]
        return not self._text or any(
            piece in self._lines or (len(piece) >= _TELLING and piece in self._text)
            for piece in pieces
            if piece
        )


def _squeezed(text: str) -> str:
    return re.sub(r"\W", "", text)


class _Walker:
    """Writes a DOM subtree into a builder; `framed` says that it may hold what surrounds the matter."""

    def __init__(self, builder: ExtractBuilder, *, framed: bool = False) -> None:
        self._out = builder
        self._framed = framed
        self._level = 0

    def walk(self, root: LexborNode) -> None:
        self._block(root, 0)

    def _skips(self, node: LexborNode) -> bool:
        attributes = node.attributes
        if node.tag in _DROPPED or (self._framed and node.tag == "aside"):
            return True
        return (
            (attributes.get("role") or "") in _DROPPED_ROLES
            or "hidden" in attributes
            or attributes.get("aria-hidden") == "true"
            or _HIDDEN.search(attributes.get("style") or "") is not None
        )

    def _block(self, node: LexborNode, depth: int) -> None:
        tag = node.tag or ""
        if tag in _HEADINGS:
            self._heading(_HEADINGS[tag], node)
        elif tag == "table":
            self._table(node, depth)
        elif tag in ("ul", "ol"):
            self._out.prose("\n".join(self._items(node, depth)))
        elif tag == "dl":
            self._definitions(node)
        elif tag == "pre":
            self._out.prose(node.text())
        elif tag == "summary":
            self._heading(min(self._level + 1, 6), node, passing=True)
        elif depth > _DEEPEST:
            self._out.prose(self._inline(node))
        else:
            self._children(node, depth)

    def _children(self, node: LexborNode, depth: int) -> None:
        run: list[str] = []
        for child in node.iter(include_text=True):
            if child.is_element_node and self._skips(child):
                continue
            if child.is_element_node and _has_blocks(child):
                self._flush(run)
                self._block(child, depth + 1)
            else:
                run.append(self._inline(child))
        self._flush(run)

    def _flush(self, run: list[str]) -> None:
        self._out.prose("\n".join(flow(line) for line in "".join(run).split("\v")))
        run.clear()

    def _heading(self, level: int, node: LexborNode, *, passing: bool = False) -> None:
        if not passing:
            self._level = level
        self._out.heading(level, self._inline(node).replace("\v", " "))

    def _inline(self, node: LexborNode, depth: int = 0) -> str:
        """The text of a run; `<br>` becomes a vertical tab, for the caller to turn into a line or a space."""
        if node.is_text_node:
            return (node.text() or "").replace("\v", " ")
        if node.is_element_node and node.tag == "br":
            return "\v"
        if not node.is_element_node or (depth and self._skips(node)):
            return ""
        if depth > _DEEPEST:
            return node.text() or ""
        text = "".join(self._inline(child, depth + 1) for child in node.iter(include_text=True))
        return f" {text} " if depth and node.tag in _SEPARATE else text

    def _items(self, node: LexborNode, depth: int) -> Iterator[str]:
        number = int(start) if (start := node.attributes.get("start") or "1").isdigit() else 1
        for item in node.iter():
            if self._skips(item):
                continue
            if item.tag in ("ul", "ol") and depth < _DEEPEST:
                yield from self._items(item, depth + 1)
                continue
            nested = [child for child in item.iter() if child.tag in ("ul", "ol")] if depth < _DEEPEST else []
            own = [
                child for child in item.iter(include_text=True) if child.tag not in ("ul", "ol") or not nested
            ]
            shown = (self._inline(child, 1).replace("\v", " ") for child in own if not self._dropped(child))
            if text := flow("".join(shown)):
                yield f"{number}. {text}" if node.tag == "ol" else f"- {text}"
                number += 1
            for child in nested:
                yield from self._items(child, depth + 1)

    def _dropped(self, node: LexborNode) -> bool:
        return node.is_element_node and self._skips(node)

    def _definitions(self, node: LexborNode) -> None:
        term = ""
        for child in node.css("dt, dd"):
            text = flow(self._inline(child).replace("\v", " "))
            if child.tag == "dt":
                if term:
                    self._out.prose(term)
                term = text
            else:
                colon = "：" if has_han(term) else ": "
                self._out.prose(f"{term.rstrip(':：')}{colon}{text}" if term else text)
                term = ""
        if term:
            self._out.prose(term)

    def _table(self, node: LexborNode, depth: int) -> None:
        rows = [row for row in node.css("tr") if _owner(row) == node.mem_id and not self._skips(row)]
        cells = [[cell for cell in row.iter() if cell.tag in ("td", "th")] for row in rows]
        if (
            any(cell.css_first("table") is not None for row in cells for cell in row)
            or max(map(len, cells), default=0) < 2
        ):
            for cell in (cell for row in cells for cell in row):
                self._children(cell, depth + 1)  # a table that only lays out other content
            return
        for caption in node.css("caption"):
            self._out.prose(flow(self._inline(caption)))
        header = 0
        while header < len(rows) and (
            _in_head(rows[header]) or all(cell.tag == "th" for cell in cells[header])
        ):
            header += 1
        labels = not header and all(row and row[0].tag == "th" for row in cells)
        add_table(self._out, self._spread(cells), header_rows=header or None, labels=labels)

    def _spread(self, rows: Sequence[Sequence[LexborNode]]) -> list[list[str]]:
        """Cells on a grid: one over several rows stands in each, one over several columns in the first.

        Header cells are repeated over their columns too, so that each column keeps its full name.
        """
        grid: list[list[str]] = []
        pending: dict[int, tuple[int, str]] = {}
        for row in rows:
            line: list[str] = []
            queue = list(row)
            while queue or len(line) in pending:
                column = len(line)
                if column in pending:
                    left, text = pending.pop(column)
                    line.append(text)
                    if left > 1:
                        pending[column] = (left - 1, text)
                    continue
                cell = queue.pop(0)
                text = flow(self._inline(cell).replace("\v", " "))
                tall, wide = _span(cell, "rowspan"), _span(cell, "colspan")
                for offset in range(wide):
                    value = text if offset == 0 or (cell.tag == "th" and not grid) else ""
                    line.append(value)
                    if tall > 1:
                        pending[column + offset] = (tall - 1, value)
            grid.append(line)
        return grid


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or ""
    return max(1, min(int(value), _WIDEST)) if value.isascii() and value.isdigit() else 1


def _owner(row: LexborNode) -> int | None:
    """The id of the table that a row belongs to."""
    node = row.parent
    while node is not None and node.tag != "table":
        node = node.parent
    return node.mem_id if node is not None else None


def _in_head(row: LexborNode) -> bool:
    return row.parent is not None and row.parent.tag == "thead"


def _has_blocks(node: LexborNode) -> bool:
    """Whether an element is a block, or an inline element wrapped around blocks."""
    if node.tag in _BLOCKS or node.tag in _HEADINGS or node.tag == "summary":
        return True
    return node.css_first(_BLOCK_SELECTOR) is not None
