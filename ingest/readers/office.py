"""Word documents in document order, and Excel workbooks as tables or as records."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ingest.errors import CorruptSource, EmptySource, IngestError, ProtectedSource, SourceTooLarge
from ingest.memory_limit import loading
from ingest.models import Extract
from ingest.readers import packages, tables
from ingest.readers.builder import ExtractBuilder
from ingest.readers.grid import add_table, cell_text
from ingest.readers.results import ReadResult, RowProblem
from ingest.readers.text import heading_levels

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

_MAX_CELLS = 2_000_000
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SKIPPED = frozenset(
    (f"{_W}del", f"{_W}moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback")
)
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-", f"{_W}p": " "}
_HEADING_STYLE = re.compile(r"(?:heading|标题|標題)\s*([1-9])$", re.IGNORECASE)
_TITLE_STYLE = re.compile(r"(?:title|标题|標題)$", re.IGNORECASE)
_CONTENTS_STYLE = re.compile(r"(?:toc|目录|目錄)(?:\s|heading|\d|$)", re.IGNORECASE)
_DEFAULT_SHEET = re.compile(r"(?:sheet|工作表)\s*\d*$", re.IGNORECASE)

Element = Any
"""An lxml element of the document; python-docx ships no types for its tree."""


def read_docx(data: bytes) -> Extract:
    """One Extract of a Word document: headings by style, lists, tables row by row, in document order.

    Raises what `packages.check` raises, EmptySource, and python-docx's own errors on a damaged part.
    """
    packages.check(data, "docx")
    with loading():
        import docx

    return _Word(docx.Document(io.BytesIO(data))).extract()


class _Word:
    """The walk over one document's body."""

    def __init__(self, document: WordDocument) -> None:
        self._document = document
        self._out = ExtractBuilder()
        self._styles = {style.style_id: style for style in document.styles}
        self._numbering = _Numbering(document)

    def extract(self) -> Extract:
        body = list(_content(self._document.element.body))
        has_styles = any(self._heading(item) is not None for item in body if item.tag == f"{_W}p")
        for is_paragraph, group in groupby(body, key=lambda item: item.tag == f"{_W}p"):
            if is_paragraph:
                self._paragraphs(list(group), by_number=not has_styles)
            else:
                for table in group:
                    add_table(
                        self._out, _table_rows(table), header_rows=1 if _has_header_row(table) else None
                    )
        title = (self._document.core_properties.title or "").strip()
        extract = self._out.build()
        if title and "title" not in extract.attributes:
            return Extract(extract.text, extract.blocks, {**extract.attributes, "title": title})
        return extract

    def _paragraphs(self, items: Sequence[Element], *, by_number: bool) -> None:
        texts = [_text(item).strip() for item in items]
        numbered = heading_levels(texts) if by_number else [None] * len(items)
        bullets: list[str] = []
        for item, text, number in zip(items, texts, numbered, strict=True):
            level = self._heading(item)
            bullet = (
                self._numbering.bullet(item, self._style_chain(item))
                if level is None and number is None
                else None
            )
            if bullets and (bullet is None or not text):
                self._out.prose("\n".join(bullets))
                bullets = []
            if not text or _CONTENTS_STYLE.match(self._style_name(item)):
                continue
            if level is not None or number is not None:
                self._out.heading(level if level is not None else number or 1, text)
            elif bullet is not None:
                bullets.append(f"{bullet} {' '.join(text.split())}")
            else:
                self._out.prose(text)
        if bullets:
            self._out.prose("\n".join(bullets))

    def _style_name(self, paragraph: Element) -> str:
        style = next(iter(self._style_chain(paragraph)), None)
        return str(style.name or "") if style is not None else ""

    def _style_chain(self, paragraph: Element) -> list[Any]:
        """The paragraph's style and those it is based on."""
        found = paragraph.find(f"{_W}pPr/{_W}pStyle")
        style = self._styles.get(found.get(f"{_W}val")) if found is not None else None
        chain: list[Any] = []
        while style is not None and len(chain) < 10:
            chain.append(style)
            style = getattr(style, "base_style", None)
        return chain

    def _heading(self, paragraph: Element) -> int | None:
        """0 for the document's title, 1 to 9 for headings, by style name or outline level."""
        chain = self._style_chain(paragraph)
        for style in chain:
            name = str(style.name or "")
            if found := _HEADING_STYLE.match(name):
                return int(found[1])
            if _TITLE_STYLE.match(name):
                return 0
        for element in (paragraph, *(style.element for style in chain)):
            outline = element.find(f"{_W}pPr/{_W}outlineLvl")
            if outline is not None:
                value = str(outline.get(f"{_W}val"))
                return int(value) + 1 if value.isdigit() and int(value) < 9 else None
        return None


class _Numbering:
    """What stands before a list paragraph: `-`, or its number among its list's."""

    def __init__(self, document: WordDocument) -> None:
        self._formats: dict[tuple[str, str], str] = {}
        self._counts: dict[str, list[int]] = {}
        try:
            root: Element = document.part.numbering_part.element
        except (KeyError, NotImplementedError):  # a document without lists may have no numbering part
            return
        abstract = {item.get(f"{_W}abstractNumId"): item for item in root.iter(f"{_W}abstractNum")}
        for number in root.iter(f"{_W}num"):
            reference = number.find(f"{_W}abstractNumId")
            definition = abstract.get(reference.get(f"{_W}val")) if reference is not None else None
            for level in definition.iter(f"{_W}lvl") if definition is not None else ():
                form = level.find(f"{_W}numFmt")
                key = (str(number.get(f"{_W}numId")), str(level.get(f"{_W}ilvl")))
                self._formats[key] = str(form.get(f"{_W}val")) if form is not None else "decimal"

    def bullet(self, paragraph: Element, styles: Sequence[Any]) -> str | None:
        for element in (paragraph, *(style.element for style in styles)):
            properties = element.find(f"{_W}pPr/{_W}numPr")
            if properties is None:
                continue
            number = properties.find(f"{_W}numId")
            level = properties.find(f"{_W}ilvl")
            identity = str(number.get(f"{_W}val")) if number is not None else "0"
            depth = str(level.get(f"{_W}val")) if level is not None else "0"
            if identity == "0":
                return None
            if self._formats.get((identity, depth), "bullet") in ("bullet", "none"):
                return "-"
            return f"{self._next(identity, int(depth) if depth.isdigit() else 0)}."
        return None

    def _next(self, identity: str, depth: int) -> int:
        counts = self._counts.setdefault(identity, [0] * 10)
        counts[min(depth, 9)] += 1
        counts[min(depth, 9) + 1 :] = [0] * (9 - min(depth, 9))
        return counts[min(depth, 9)]


def _content(parent: Element) -> Iterator[Element]:
    """Paragraphs and tables in order, inside content controls too, a generated table of contents apart."""
    for child in parent:
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag == f"{_W}sdt":
            gallery = child.find(f"{_W}sdtPr/{_W}docPartObj/{_W}docPartGallery")
            content = child.find(f"{_W}sdtContent")
            if content is not None and (gallery is None or gallery.get(f"{_W}val") != "Table of Contents"):
                yield from _content(content)
        elif child.tag in (f"{_W}ins", f"{_W}customXml", f"{_W}smartTag"):
            yield from _content(child)


def _text(element: Element) -> str:
    """All text of a paragraph or cell as it stands: insertions accepted, deletions gone."""
    if element.tag in _SKIPPED:
        return ""
    if element.tag == f"{_W}t":
        return element.text or ""
    inner = "".join(_text(child) for child in element)
    return inner + _BREAKS.get(element.tag, "") if isinstance(element.tag, str) else ""


def _table_rows(table: Element) -> list[list[str]]:
    """Cells on a grid: one over several columns stands in the first, one over several rows in each."""
    rows: list[list[str]] = []
    for row in table.iter(f"{_W}tr"):
        if next(row.iterancestors(f"{_W}tbl")) is not table:
            continue
        line: list[str] = []
        for cell in (cell for cell in row.iter(f"{_W}tc") if next(cell.iterancestors(f"{_W}tr")) is row):
            span = cell.find(f"{_W}tcPr/{_W}gridSpan")
            merge = cell.find(f"{_W}tcPr/{_W}vMerge")
            goes_on = merge is not None and merge.get(f"{_W}val", "continue") == "continue"
            above = rows[-1][len(line)] if goes_on and rows and len(line) < len(rows[-1]) else ""
            value = str(span.get(f"{_W}val")) if span is not None else "1"
            line += [
                above or _text(cell).strip(),
                *[""] * (min(int(value), 100) - 1 if value.isdigit() else 0),
            ]
        rows.append(line)
    return rows


def _has_header_row(table: Element) -> bool:
    return table.find(f"{_W}tr/{_W}trPr/{_W}tblHeader") is not None


def read_xlsx(data: bytes, options: Mapping[str, object]) -> ReadResult:
    """A workbook: its visible sheets as tables of one document, or with `records` one document per row.

    `sheets` in the options overrides them by sheet; `ignore = true` leaves a sheet out. Raises what
    `packages.check` raises, CorruptSource, EmptySource, SourceTooLarge.
    """
    packages.check(data, "xlsx")
    sheets = _sheets(data)
    overrides = options.get("sheets")
    by_sheet: Mapping[str, Mapping[str, object]] = overrides if isinstance(overrides, Mapping) else {}
    problems = [
        RowProblem.at(f"sheet {name}", f"is not in the workbook; its sheets are {', '.join(sheets)}")
        for name in by_sheet
        if name not in sheets
    ]
    extracts: list[Extract] = []
    builder = ExtractBuilder()
    for name, rows in sheets.items():
        own = {**options, **by_sheet.get(name, {})}
        if own.get("ignore") is True or not rows:
            continue
        if not own.get("records"):
            _add_sheet(builder, name, rows, alone=len(sheets) == 1)
            continue
        try:
            found = tables.as_records([(f"sheet {name}, row {number}", cells) for number, cells in rows], own)
        except IngestError as error:
            problems.append(RowProblem.at(f"sheet {name}", error))
            continue
        extracts += found.extracts
        problems += found.problems
    if builder:
        extracts.append(builder.build())
    if not extracts and not problems:
        raise EmptySource("holds no rows; put a header and rows in or leave the file out")
    return ReadResult(tuple(extracts), tuple(problems))


def _sheets(data: bytes) -> dict[str, list[tuple[int, list[object]]]]:
    """Rows by visible sheet, each with its number in the sheet."""
    with loading():
        import python_calamine

    found: dict[str, list[tuple[int, list[object]]]] = {}
    cells = 0
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(data))
        for meta in workbook.sheets_metadata:
            if (
                meta.visible != python_calamine.SheetVisibleEnum.Visible
                or meta.typ != python_calamine.SheetTypeEnum.WorkSheet
            ):
                continue
            sheet = workbook.get_sheet_by_name(meta.name)
            cells += (sheet.end[0] + 1) * (sheet.end[1] + 1) if sheet.end is not None else 0
            if cells > _MAX_CELLS:
                raise SourceTooLarge(
                    f"spans more than {_MAX_CELLS:,} cells; delete empty rows and columns or split it"
                )
            rows: list[list[object]] = [list(row) for row in sheet.to_python(skip_empty_area=False)]
            _fill_merged(rows, sheet.merged_cell_ranges or ())
            found[meta.name] = [(n, row) for n, row in enumerate(rows, start=1) if any(map(cell_text, row))]
    except python_calamine.PasswordError as error:
        raise ProtectedSource("is protected by a password; save a copy without one") from error
    except python_calamine.CalamineError as error:
        raise CorruptSource(f"is damaged ({str(error)[:120]}); open and save it again") from error
    return found


def _fill_merged(rows: list[list[object]], ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """A cell merged over several rows counts in each of them; over several columns it stands in the first."""
    for (top, left), (bottom, _) in ranges:
        if top < len(rows) and left < len(rows[top]):
            for row in rows[top + 1 : bottom + 1]:
                if left < len(row):
                    row[left] = rows[top][left]


def _add_sheet(
    builder: ExtractBuilder, name: str, rows: Sequence[tuple[int, Sequence[object]]], *, alone: bool
) -> None:
    """A sheet's tables under its name, unless that is Excel's own.

    After an empty row a new table begins when a caption or other columns say so; else the same one goes on,
    with its header.
    """
    if not (alone and _DEFAULT_SHEET.match(name)):
        builder.heading(1, name)
    table: list[list[str]] = []
    last = 0
    for number, values in rows:
        cells = [cell_text(value) for value in values]
        if table and number > last + 1 and _starts_anew(table, cells):
            add_table(builder, table)
            table = []
        table.append(cells)
        last = number
    add_table(builder, table)


def _starts_anew(table: Sequence[Sequence[str]], cells: Sequence[str]) -> bool:
    used = {index for row in table for index, cell in enumerate(row) if cell}
    own = {index for index, cell in enumerate(cells) if cell}
    return len(own) == 1 or not own <= used
