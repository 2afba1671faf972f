"""Tables with a row for each measure, such as sizes by height: the row that holds what the question measures. Pure.

"Feet 25.8 cm" is answered by the row "26.0": of a table of sizes whoever stands between two rows is told the larger.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.language import fold
from ingest.models import Passage
from ingest.quantities import quantities
from kb_service.replying.asking import meant
from kb_service.replying.cells import table_of
from kb_service.search.codes import codes

_CELLS = re.compile(r"[；;]\s?")
_CELL = re.compile(r"([^：:]{1,60})[：:]\s?(.*)", re.DOTALL)
_UNITS: Mapping[str, tuple[str, float]] = {
    "mm": ("length", 1), "毫米": ("length", 1), "cm": ("length", 10), "厘米": ("length", 10),
    "in": ("length", 25.4), "inch": ("length", 25.4), "inches": ("length", 25.4), "英寸": ("length", 25.4),
    "m": ("length", 1000), "米": ("length", 1000),
    "kg": ("weight", 1000), "公斤": ("weight", 1000), "千克": ("weight", 1000), "斤": ("weight", 500),
    "g": ("weight", 1),
}  # fmt: skip
_UNIT = re.compile(rf"(?<![a-z])({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![a-z])")
_VALUE = re.compile(r"(\d+(?:\.\d+)?)(?:\s?[-–—~～至]\s?(\d+(?:\.\d+)?))?")
_SIZES = re.compile(
    r"尺码|鞋码|码数|身高|腰围|胸围|臀围|领围|脚长|\bsizes?\b|\bheight\b|\bwaist\b|\bchest\b|\bhips?\b|\bcollar\b|\bfoot\b"
)
"""What the headers of a table of sizes speak of: who stands between two rows is told the larger."""
_BARE = re.compile(r"(?<![A-Za-z0-9_.-])(\d{2,3}(?:\.\d)?)(?![\d.%]|[a-z])", re.IGNORECASE)
"""A number without a unit: "脚长25.8"."""
_HEIGHTS = (1400.0, 2090.0)
"""Numbers that are taken for a height in millimetres where they stand beside a weight: "175 70公斤"."""
_LEAST_ROWS = 3


@dataclass(frozen=True, slots=True)
class _Column:
    """The ranges of one column in millimetres or grams, ascending, one a row; `factor` is their unit's,
    `words` are those of its header."""

    dimension: str
    factor: float
    ranges: tuple[tuple[float, float], ...]
    words: frozenset[str]

    def row_of(self, value: float, *, upward: bool) -> int | None:
        """The first row whose range holds a value; between two rows the next where `upward`. None beyond the ends."""
        if not self.ranges[0][0] <= value <= self.ranges[-1][1]:
            return None
        place = next(place for place, (_, high) in enumerate(self.ranges) if value <= high)
        return place if upward or self.ranges[place][0] <= value else None


def measured_row(question: str, shown: Passage, document: Sequence[Passage]) -> Passage | None:
    """The row of a document that holds the lengths and weights which a question tells; of several the last, as sizes
    are chosen. None where it tells none or no table has them.

    The table of the passage that was found comes first, then those of its section and those whose headers name a code
    that the question names; another one counts only where it is the only one that measures.
    """
    told = _told(question)
    if not told and not _BARE.search(question):
        return None
    asked = codes([question])
    tables = [list(run) for key, run in itertools.groupby(document, key=table_of) if key is not None]
    measuring = [rows for rows in tables if _columns(rows)]
    near = [rows for rows in measuring if shown in rows]
    near += [
        rows for rows in measuring if rows[0].section == shown.section or asked & codes([_headers(rows[0])])
    ]
    for rows in near or (measuring if len(measuring) == 1 else ()):
        if (place := _place(rows, told, question)) is not None:
            return rows[place]
    return None


def _told(question: str) -> list[tuple[str, float]]:
    """What a question measures: a dimension and a value each."""
    told = [(item.dimension, item.low) for item in quantities(question) if item.low == item.high]
    told = [each for each in told if each[0] in ("length", "weight")]
    if [dimension for dimension, _ in told] == ["weight"]:
        heights = [float(number) * 10 for number in _BARE.findall(question)]
        told += [("length", value) for value in heights if _HEIGHTS[0] <= value <= _HEIGHTS[1]][:1]
    return told


def _place(rows: Sequence[Passage], told: Sequence[tuple[str, float]], question: str) -> int | None:
    columns, asked = _columns(rows), meant(question)
    if not told:
        named = [column for column in columns if column.words & asked]
        told = [
            (column.dimension, float(number) * column.factor)
            for column in named[:1]
            for number in _BARE.findall(question)[:1]
        ]
    upward = _SIZES.search(fold(_headers(rows[0]))) is not None
    places = []
    for dimension, value in told:
        fitting = [
            (column, place)
            for column in columns
            if column.dimension == dimension and (place := column.row_of(value, upward=upward)) is not None
        ]
        if not fitting:
            return None
        places.append(max(fitting, key=lambda each: len(each[0].words & asked))[1])
    return max(places, default=None)


def _columns(rows: Sequence[Passage]) -> list[_Column]:
    """The columns that measure something in a unit of their header, with a value in every row and in order."""
    if len(rows) < _LEAST_ROWS:
        return []
    table = [_cells(row) for row in rows]
    found = []
    for header in table[0]:
        unit = _UNIT.findall(fold(header))
        values = [_VALUE.fullmatch(cells.get(header, "").strip()) for cells in table]
        if not unit or not all(values):
            continue
        dimension, factor = _UNITS[unit[-1]]
        ranges = [
            (float(low) * factor, float(high or low) * factor)
            for match in values
            if match is not None
            for low, high in [match.groups()]
        ]
        if ranges == sorted(ranges):
            found.append(_Column(dimension, factor, tuple(ranges), meant(header)))
    return found


def _cells(row: Passage) -> dict[str, str]:
    matches = (_CELL.fullmatch(part.strip()) for part in _CELLS.split(row.text))
    return {match.group(1).strip(): match.group(2) for match in matches if match is not None}


def _headers(row: Passage) -> str:
    return " ".join((*row.section, *_cells(row)))
