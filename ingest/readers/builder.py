"""Putting an Extract together: clean text, blocks with offsets, and section paths from the headings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ingest.errors import EmptySource, SourceTooLarge
from ingest.models import Block, Extract, Role

MAX_CHARACTERS = 20_000_000

CJK = "\u2e80-\u2fdf\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
"""Han, kana and full-width punctuation: scripts that put no space between words."""

_JUNK = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_BREAKS = re.compile("\r\n|[\r\x0c\x85\u2028\u2029]")
_SPACES = re.compile("[^\\S\n]+")
_BLANK_LINES = re.compile("\n{3,}")
_CJK_WRAP = re.compile(f"(?<=[{CJK}])[^\\S\n]*\n\\s*(?=[{CJK}])")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


def clean(text: str) -> str:
    """Text without control and invisible characters, spaces collapsed, lines trimmed, single blank lines."""
    text = _JUNK.sub("", _BREAKS.sub("\n", text))
    text = "\n".join(_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", text).strip("\n")


def flow(text: str) -> str:
    """Text on one line, as a browser flows it; a line break between Chinese characters leaves no space."""
    return _SPACES.sub(" ", clean(_CJK_WRAP.sub("", text)).replace("\n", " ")).strip()


def has_han(text: str) -> bool:
    return _HAN.search(text) is not None


@dataclass(frozen=True, slots=True)
class _Item:
    role: Role
    text: str
    level: int = 0


class ExtractBuilder:
    """Collects a source's parts in reading order; `build` lays them out as one text.

    Paragraphs are separated by an empty line, rows of one table and fields of one product by a line break.
    The first heading names the document when it stands before all else and no other heading is on its
    level: it then becomes the `title` attribute and leads no section path.
    """

    def __init__(self) -> None:
        self._items: list[_Item] = []

    def __bool__(self) -> bool:
        return bool(self._items)

    def heading(self, level: int, text: str) -> None:
        if line := flow(text):
            self._items.append(_Item("heading", line, level))

    def prose(self, text: str) -> None:
        """One or more paragraphs; single line breaks inside them stay."""
        for paragraph in clean(text).split("\n\n"):
            if paragraph.strip():
                self._items.append(_Item("prose", paragraph.strip()))

    def row(self, text: str) -> None:
        self._line("row", text)

    def field(self, text: str) -> None:
        self._line("field", text)

    def question(self, text: str) -> None:
        self._whole("question", text)

    def reply(self, text: str) -> None:
        self._whole("reply", text)

    def crop(self, known: Callable[[str], bool]) -> None:
        """Keep what lies between the first and the last known text, with the headings right before it."""
        hits = [index for index, item in enumerate(self._items) if known(item.text)]
        if not hits:
            return
        first = hits[0]
        while first and self._items[first - 1].role == "heading":
            first -= 1
        self._items = self._items[first : hits[-1] + 1]

    def _line(self, role: Role, text: str) -> None:
        if line := flow(text):
            self._items.append(_Item(role, line))

    def _whole(self, role: Role, text: str) -> None:
        if whole := clean(text):
            self._items.append(_Item(role, whole))

    def build(self, attributes: Mapping[str, object] | None = None) -> Extract:
        """The Extract; `attributes` win over the headings' title. Raises EmptySource, SourceTooLarge."""
        if not any(item.role != "heading" for item in self._items) and len(self._items) < 2:
            raise EmptySource("holds no text to search; add the text or leave the file out")
        title = self._title()
        parts: list[str] = []
        blocks: list[Block] = []
        path: list[tuple[int, str]] = []
        end = 0
        for index, item in enumerate(self._items):
            if item.role == "heading":
                path = [entry for entry in path if entry[0] < item.level]
            glue = "" if index == 0 else "\n" if self._tight(index) else "\n\n"
            start = end + len(glue)
            end = start + len(item.text)
            if end > MAX_CHARACTERS:
                raise SourceTooLarge(
                    f"holds more than {MAX_CHARACTERS:,} characters of text; split it into several files"
                )
            parts += (glue, item.text)
            blocks.append(Block(item.role, start, end, tuple(name for _, name in path)))
            if item.role == "heading" and not (index == 0 and title):
                path.append((item.level, item.text))
        found = {"title": title} if title else {}
        return Extract("".join(parts), tuple(blocks), {**found, **(attributes or {})})

    def _tight(self, index: int) -> bool:
        role = self._items[index].role
        return role in ("row", "field") and self._items[index - 1].role == role

    def _title(self) -> str | None:
        headings = [item for item in self._items if item.role == "heading"]
        if not headings or self._items[0] is not headings[0]:
            return None
        first = headings[0]
        if any(other.level <= first.level for other in headings[1:]):
            return None
        return first.text
