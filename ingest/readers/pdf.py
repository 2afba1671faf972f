"""PDF: pypdfium2 gives characters and drawn lines, `layout` makes paragraphs, headings and tables of them."""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.errors import CorruptSource, EmptySource, ProtectedSource, SourceTooLarge
from ingest.models import Extract
from ingest.readers import layout
from ingest.readers.builder import MAX_CHARACTERS, ExtractBuilder
from ingest.readers.grid import add_table
from ingest.readers.layout import Heading, Page, Prose, Table
from ingest.readers.ruled import Line, Rule

MAX_PAGES = 3_000
_MAX_SHAPES = 4_000
_CELL_GAP = 0.75
_WALL_GAP = 0.2
_SAME_BASELINE = 0.5
_HYPHENS = ("\x02", "\u00ad", "\ufffe")
_BOLD_WEIGHT = 600
_THIN = 3.0


def extract(data: bytes) -> Extract:
    """One Extract of a PDF with a text layer.

    Raises EmptySource (blank, or pictures only), ProtectedSource, CorruptSource and SourceTooLarge.
    """
    if not data.strip(b"\0 \t\r\n"):
        raise EmptySource("is empty; export it again")
    if b"%PDF-" not in data[:1024]:
        raise CorruptSource("is not a PDF; give it the extension of what it holds or export it again")
    document = _opened(data)
    try:
        pages = _pages(document)
        title = str(document.get_metadata_dict().get("Title") or "").strip()
    except pypdfium2.PdfiumError as error:
        raise CorruptSource(f"is damaged ({error}); export it again") from error
    finally:
        document.close()
    _check_legible(pages)
    builder = ExtractBuilder()
    for block in layout.arrange(pages):
        match block:
            case Heading(level, text):
                builder.heading(level, text)
            case Table(rows):
                add_table(builder, rows)
            case Prose(text):
                builder.prose(text)
    found = builder.build()
    if title and "title" not in found.attributes:
        return replace(found, attributes={"title": title})
    return found


def _opened(data: bytes) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        code = getattr(error, "err_code", None)
        if code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise ProtectedSource("is protected by a password; save a copy without one") from error
        raise CorruptSource("is cut off or damaged; export it again") from error
    if len(document) > MAX_PAGES:
        count = len(document)
        document.close()
        raise SourceTooLarge(f"has {count:,} pages, more than {MAX_PAGES:,}; split it into several files")
    return document


def _pages(document: pypdfium2.PdfDocument) -> list[Page]:
    pages: list[Page] = []
    characters = 0
    for number in range(len(document)):
        page = document[number]
        text = page.get_textpage()
        try:
            width, height = page.get_size()
            rules = tuple(_rules(page))
            lines = tuple(_lines(text, [rule for rule in rules if not rule.horizontal]))
            pages.append(Page(width, height, lines, rules))
        finally:
            text.close()
            page.close()
        characters += sum(len(line.text) for line in lines)
        if characters > MAX_CHARACTERS:
            raise SourceTooLarge(
                f"holds more than {MAX_CHARACTERS:,} characters; split it into several files"
            )
    return pages


def _check_legible(pages: list[Page]) -> None:
    text = "".join(line.text for page in pages for line in page.lines)
    if not text.strip():
        raise EmptySource(
            "holds no text, only pictures or nothing; run text recognition (OCR) on it and save it again"
        )
    unreadable = sum(unicodedata.category(char) in ("Co", "Cn", "Cc") or char == "\ufffd" for char in text)
    if unreadable > 0.3 * len(text):
        raise CorruptSource(
            "has fonts that do not say which characters they show; export it again with embedded fonts"
        )


def _lines(text: pypdfium2.PdfTextPage, walls: Sequence[Rule]) -> Iterator[Line]:
    """Runs of characters on one baseline, in the page's own order.

    A run ends at a gap as wide as between table cells, and at a vertical rule.
    """
    raw = text.raw
    x, y = ctypes.c_double(), ctypes.c_double()
    box = pdfium.FS_RECTF()
    run: _Run | None = None
    for index in range(text.count_chars()):
        char = chr(pdfium.FPDFText_GetUnicode(raw, index))
        if char in "\r\n":
            if run is not None:
                yield from run.line()
            run = None
            continue
        if char == " " or char in _HYPHENS:
            if run is not None:
                run.text.append("\u00ad" if char in _HYPHENS else " ")
            continue
        pdfium.FPDFText_GetCharOrigin(raw, index, x, y)
        pdfium.FPDFText_GetLooseCharBox(raw, index, box)
        if run is None or not run.takes(x.value, y.value, walls):
            if run is not None:
                yield from run.line()
            run = _Run(raw, index, x.value, y.value)
        run.text.append(char)
        run.right = max(run.right, box.right)
    if run is not None:
        yield from run.line()


class _Run:
    """A line in the making; size and weight are those of its first character."""

    def __init__(self, raw: Any, index: int, x: float, y: float) -> None:
        matrix = pdfium.FS_MATRIX()
        scale = math.hypot(matrix.c, matrix.d) if pdfium.FPDFText_GetMatrix(raw, index, matrix) else 1.0
        self.size = (pdfium.FPDFText_GetFontSize(raw, index) * scale) or 1.0
        self.bold = _is_bold(raw, index)
        self.slanted = abs(math.sin(2 * pdfium.FPDFText_GetCharAngle(raw, index))) > 0.2
        self.left, self.y, self.right = x, y, x
        self.text: list[str] = []

    def takes(self, x: float, y: float, walls: Sequence[Rule]) -> bool:
        near = abs(y - self.y) < _SAME_BASELINE * self.size
        gap = x - self.right
        if not near or not -self.size < gap < _CELL_GAP * self.size:
            return False
        return gap < _WALL_GAP * self.size or not any(
            self.right - 1 < wall.at < x + 1 and wall.start < y + self.size / 3 < wall.end for wall in walls
        )

    def line(self) -> Iterator[Line]:
        """The finished line; nothing for blanks and for slanted text, which is a watermark."""
        text = layout.tidy("".join(self.text))
        if text and not self.slanted:
            yield Line(text, self.left, self.right, self.y, self.size, self.bold)


def _is_bold(raw: Any, index: int) -> bool:
    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(raw, index, name, 128, flags)
    heavy = any(word in name.value.lower() for word in (b"bold", b"heavy", b"black", b"demi"))
    return heavy or pdfium.FPDFText_GetFontWeight(raw, index) >= _BOLD_WEIGHT


def _rules(page: pypdfium2.PdfPage) -> Iterator[Rule]:
    """Horizontal and vertical edges of the page's drawn lines and boxes."""
    shapes = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=3)
    for _, shape in zip(range(_MAX_SHAPES), shapes, strict=False):
        left, bottom, right, top = shape.get_bounds()
        wide, tall = right - left, top - bottom
        if tall <= _THIN < wide:
            yield Rule(True, (bottom + top) / 2, left, right)
        elif wide <= _THIN < tall:
            yield Rule(False, (left + right) / 2, bottom, top)
        elif wide > _THIN and tall > _THIN:
            yield Rule(True, top, left, right)
            yield Rule(True, bottom, left, right)
            yield Rule(False, left, bottom, top)
            yield Rule(False, right, bottom, top)
