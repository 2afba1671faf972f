"""From lines on pages to paragraphs, headings and tables: what a PDF shows but does not say. Pure geometry.

Coordinates are PDF points with the origin at the bottom left; lines come in the page's own order.
"""

from __future__ import annotations

import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from ingest.readers.builder import CJK
from ingest.readers.ruled import Line, Rule, join, ruled_tables, spaced_tables
from ingest.readers.text import heading_levels

MARGIN = 0.12
_LARGER = 1.12
_LOOSER = 1.15
_APART = 1.9
_LONGEST_HEADING = 100
_MOST_LEVELS = 4

_COMPATIBILITY = re.compile("[\u2e80-\u2fdf\ufb00-\ufb06\uf900-\ufaff]")
_CJK_GAP = re.compile(f"(?<=[{CJK}]) +(?=[{CJK}])")
_PAGE_NUMBER = re.compile(
    r"[-–—\s]*(?:page|p\.|第)?\s*\d{1,4}\s*(?:页|頁)?\s*(?:(?:/|of|共|,|，)\s*(?:共\s*)?\d{1,4}\s*(?:页|頁)?)?[-–—\s]*$",
    re.IGNORECASE,
)
_PRINTED = re.compile(r"(?:https?|file)://\S+|\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4},? \d{1,2}:\d{2}(?: [AP]M)?")
_BULLET = re.compile(r"[•●▪■◦○‣⁃∙·◆►✓✔➢\uf0b7\uf06c\uf0a7]\s*|[-–—*]\s+")
_ITEM = re.compile(r"(?:\d{1,2}[.、)）]|[((]\d{1,2}[))]|[①-⑳]|[a-z][.)]\s)\s*\S")
_TERMINAL = re.compile(r"[。！？!?.;；:：…”」』]$")
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_SPACED_LATIN = re.compile(f"[{_HAN}] [A-Za-z0-9¥$€£]|[A-Za-z0-9%] [{_HAN}]")
_UNSPACED_LATIN = re.compile(f"[{_HAN}][A-Za-z0-9¥$€£]|[A-Za-z0-9%][{_HAN}]")
_WORD = re.compile(r"\S+")
_HYPHENATED_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_HYPHENATED = re.compile(r"[^\W\d_](?:-|\u00ad)$")


@dataclass(frozen=True, slots=True)
class Page:
    width: float
    height: float
    lines: tuple[Line, ...]
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    rows: tuple[tuple[str, ...], ...]


Block: TypeAlias = Heading | Prose | Table


@dataclass(frozen=True, slots=True)
class _Paragraph:
    lines: tuple[Line, ...]
    text: str

    @property
    def size(self) -> float:
        return self.lines[0].size

    @property
    def is_item(self) -> bool:
        return _begins_item(self.lines[0].text)


def tidy(text: str) -> str:
    """A line's text: radicals and ligatures as the characters they stand for, no blanks inside Chinese."""
    text = _COMPATIBILITY.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return _CJK_GAP.sub("", " ".join(text.split(" ")).strip())


def arrange(pages: Sequence[Page]) -> list[Block]:
    """Blocks in reading order: running headers and footers gone, lines rejoined, headings told by their size.

    Where no heading stands out by size or weight, numbered lines that stand alone are headings.
    """
    flow: list[Line | Table] = []
    turns: set[int] = set()
    running = _RunningLines(pages)
    for page in pages:
        turns.add(len(flow))
        flow += _with_tables(running.without(page))
    if not flow:
        return []
    return list(_listed(_Headings(_paragraphs(flow, turns)).blocks()))


def _paragraphs(flow: Sequence[Line | Table], turns: Container[int]) -> list[_Paragraph | Table]:
    """Lines rejoined, and tables that go on over a page; `turns` are the places where pages begin."""
    lines = [item for item in flow if isinstance(item, Line)]
    margins = _Margins(lines)
    spaced = _puts_spaces_around_latin(lines)
    words = frozenset(word for line in lines for word in _HYPHENATED_WORD.findall(line.text))
    found: list[_Paragraph | Table] = []
    for index, item in enumerate(flow):
        last = found[-1] if found else None
        if isinstance(item, Table):
            if isinstance(last, Table) and index in turns and len(last.rows[0]) == len(item.rows[0]):
                found[-1] = Table(last.rows + item.rows[item.rows[0] == last.rows[0] :])
            else:
                found.append(item)
        elif isinstance(last, _Paragraph) and margins.continues(last.lines, item, turned=index in turns):
            found[-1] = _Paragraph((*last.lines, item), _rejoined(last.text, item.text, words, spaced=spaced))
        else:
            found.append(_Paragraph((item,), item.text))
    return [p if isinstance(p, Table) else replace(p, text=p.text.replace("\u00ad", "-")) for p in found]


class _RunningLines:
    """What repeats near the edges of the pages, page numbers, and the title in small print there."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._body = _body_size(line for page in pages for line in page.lines)
        self._title = max(
            (line for page in pages[:1] for line in page.lines), key=lambda it: it.size, default=None
        )
        self._counts: Counter[tuple[str, int]] = Counter()
        for page in pages:
            self._counts.update({self._key(line) for line in page.lines if _in_margin(line, page)})
        self._needed = max(2, (len(pages) + 1) // 2) if len(pages) < 6 else 3

    def without(self, page: Page) -> Page:
        tables = ruled_tables(page.lines, page.rules)
        kept = {page.lines[i] for table in tables for i in table.members}
        edge = [line for line in page.lines if _in_margin(line, page) and line not in kept]
        repeated = {line for line in edge if self._counts[self._key(line)] >= self._needed}
        dropped = {line for line in edge if self._is_print(line)}
        dropped |= {line for line in repeated if self._stands_apart(line, page, repeated)}
        return replace(page, lines=tuple(line for line in page.lines if line not in dropped))

    def _key(self, line: Line) -> tuple[str, int]:
        """A running line's text, without numbers unless it is large, and its height."""
        is_large = line.size > 1.05 * self._body
        return line.text if is_large else re.sub(r"\d+", "#", line.text), round(line.y)

    def _is_print(self, line: Line) -> bool:
        """Page numbers, what browsers print on the edges, and the title in small print."""
        if _PAGE_NUMBER.match(line.text) or _PRINTED.fullmatch(line.text):
            return True
        title = self._title
        return title is not None and line.size < 0.8 * title.size and title.text in line.text

    def _stands_apart(self, line: Line, page: Page, repeated: Container[Line]) -> bool:
        """Whether it is small, or one of two lines at most that more than a pitch divides from the text.

        Pages of text may begin or end alike; losing their lines would be worse than keeping a running one.
        """
        near = [other for other in page.lines if 0.4 * line.size < abs(other.y - line.y) < _APART * line.size]
        return line.size < 0.95 * self._body or (len(near) < 2 and all(other in repeated for other in near))


def _in_margin(line: Line, page: Page) -> bool:
    return line.y < MARGIN * page.height or line.y > (1 - MARGIN) * page.height


def _body_size(lines: Iterable[Line]) -> float:
    """The size that most characters have; 1 without any."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 1.0


def _with_tables(page: Page) -> list[Line | Table]:
    """The page's lines, each table in the place of its first line, neighbours on one baseline as one line."""
    ruled = ruled_tables(page.lines, page.rules)
    taken = frozenset(index for table in ruled for index in table.members)
    tables = [*ruled, *spaced_tables(page.lines, taken)]
    owner = {index: number for number, table in enumerate(tables) for index in table.members}
    shown: set[int] = set()
    flow: list[Line | Table] = []
    for index, line in enumerate(page.lines):
        number = owner.get(index)
        last = flow[-1] if flow else None
        if number is not None:
            if number not in shown:
                flow.append(Table(tables[number].rows))
                shown.add(number)
        elif isinstance(last, Line) and abs(last.y - line.y) < 0.4 * line.size and line.left > last.right:
            flow[-1] = replace(last, text=f"{last.text} {line.text}", right=line.right)
        else:
            flow.append(line)
    return flow


class _Margins:
    """Where lines end and how far apart they stand, to tell a broken line from a finished one."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.body = _body_size(lines)
        self._lines = [line for line in lines if abs(line.size - self.body) < 0.5]
        gaps = [above.y - below.y for above, below in pairwise(lines) if _same_size(above, below)]
        near = [gap for gap in gaps if 0 < gap < 3 * self.body]
        self._pitch = statistics.multimode(round(gap, 1) for gap in near)[0] if near else 1.5 * self.body
        self._edges: dict[int, float] = {}

    def continues(self, above: Sequence[Line], line: Line, *, turned: bool) -> bool:
        """Whether `line` goes on the paragraph; `turned` says that a page begins with it."""
        last = above[-1]
        if not _same_size(last, line) or _begins_item(line.text):
            return False
        large = line.size > _LARGER * self.body
        if turned or last.y <= line.y:
            return (
                not large
                and last.bold == line.bold
                and self._is_full(last, line)
                and not _TERMINAL.search(last.text)
            )
        pitch = 1.6 * line.size if large else max(self._pitch, line.size)
        item = _begins_item(above[0].text)
        if last.y - line.y > _LOOSER * pitch or (item and line.left < above[0].left - line.size / 2):
            return False
        if _HYPHENATED.search(last.text) and line.text[:1].islower():
            return True
        indented = line.left > last.left + 0.8 * line.size and not (len(above) == 1 and item)
        return not indented and (not large or last.bold == line.bold) and self._is_full(last, line)

    def _is_full(self, last: Line, following: Line) -> bool:
        """Whether the next line's first word would not have fitted behind the last."""
        found = _WORD.match(following.text)
        word = found[0] if found else ""
        wide = re.match(f"[{CJK}]", word) is not None
        per_character = (following.right - following.left) / max(len(following.text), 1)
        need = 2.2 * following.size if wide else (len(word) + 1) * per_character + 0.5 * following.size
        return last.right + need > self._edge(last)

    def _edge(self, line: Line) -> float:
        """The right margin of the column that the line stands in."""
        key = round(line.left / line.size)
        if key not in self._edges:
            near = (other.right for other in self._lines if abs(other.left - line.left) < 6 * line.size)
            self._edges[key] = max(near, default=line.right)
        return self._edges[key]


def _same_size(one: Line, other: Line) -> bool:
    return max(one.size, other.size) <= 1.08 * min(one.size, other.size)


def _begins_item(text: str) -> bool:
    return _BULLET.match(text) is not None or _ITEM.match(text) is not None


def _puts_spaces_around_latin(lines: Sequence[Line]) -> bool:
    """Whether the text sets Latin words and numbers off from Chinese, `满 99 元` rather than `满99元`."""
    text = "\n".join(line.text for line in lines)
    return len(_SPACED_LATIN.findall(text)) > len(_UNSPACED_LATIN.findall(text))


def _rejoined(first: str, second: str, words: frozenset[str], *, spaced: bool) -> str:
    """Join a paragraph and its next line; a word's hyphen goes, unless the text spells it so elsewhere."""
    if _HYPHENATED.search(first) and second[:1].islower():
        head, tail = re.findall(r"[^\W\d_]+", first)[-1], re.match(r"[^\W\d_]+", second)
        spelled = f"{head}-{tail[0] if tail else ''}"
        if spelled in words and spelled.replace("-", "") not in words:
            return f"{first[:-1]}-{second}"
        return first[:-1] + second
    if spaced and _UNSPACED_LATIN.fullmatch(first[-1:] + second[:1]):
        return f"{first} {second}"
    return join(first, second)


class _Headings:
    """Which paragraphs are headings, and of which level."""

    def __init__(self, paragraphs: Sequence[_Paragraph | Table]) -> None:
        self._paragraphs = paragraphs
        prose = [item for item in paragraphs if isinstance(item, _Paragraph)]
        self._body = _body_size(line for item in prose for line in item.lines)
        larger = sorted({round(i.size) for i in prose if self._stands_out(i)}, reverse=True)
        self._levels = {size: min(level, _MOST_LEVELS) for level, size in enumerate(larger, start=1)}
        bold = sum(len(item.text) for item in prose if self._is_bold(item))
        self._bold = bold < 0.3 * sum(len(item.text) for item in prose)

    def blocks(self) -> Iterator[Block | _Paragraph]:
        levels = [self._level(item) for item in self._paragraphs]
        if not any(levels):
            texts = [item.text if isinstance(item, _Paragraph) else "\n" for item in self._paragraphs]
            levels = heading_levels(texts)
        for item, level in zip(self._paragraphs, levels, strict=True):
            if isinstance(item, _Paragraph) and level is not None:
                yield Heading(level, item.text)
            else:
                yield item

    def _level(self, item: _Paragraph | Table) -> int | None:
        if isinstance(item, Table):
            return None
        if self._stands_out(item):
            return self._levels[round(item.size)]
        if self._bold and self._is_bold(item):
            return max(self._levels.values(), default=0) + 1
        return None

    def _stands_out(self, item: _Paragraph) -> bool:
        return item.size >= _LARGER * self._body and len(item.text) <= _LONGEST_HEADING

    def _is_bold(self, item: _Paragraph) -> bool:
        short = len(item.text) <= _LONGEST_HEADING * 0.6
        return item.lines[0].bold and short and not re.search(r"[。.;；,，:：]$", item.text)


def _listed(blocks: Iterator[Block | _Paragraph]) -> Iterator[Block]:
    """Paragraphs as prose, items that follow each other as one list."""
    items: list[str] = []
    for block in blocks:
        if isinstance(block, _Paragraph) and block.is_item:
            items.append(_BULLET.sub("- ", block.text, count=1) if _BULLET.match(block.text) else block.text)
            continue
        if items:
            yield Prose("\n".join(items))
            items = []
        yield Prose(block.text) if isinstance(block, _Paragraph) else block
    if items:
        yield Prose("\n".join(items))
