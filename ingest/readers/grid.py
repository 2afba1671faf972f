"""Tables: which row is the header, and each row as one line that can be read without it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from ingest.readers.builder import ExtractBuilder, flow, has_han

_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+%?$")
_UNIT = re.compile(r"(.*\S)\s*[((\[]\s*([^()()\[\]\d]{1,12}?)\s*[))\]]$")
_LONG = 25


def cell_text(value: object) -> str:
    """A cell as people see it: whole floats without a point, midnight as a date, an empty cell as ''."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
    if isinstance(value, datetime):
        return (
            value.date().isoformat()
            if value.time() == time()
            else value.isoformat(sep=" ", timespec="minutes")
        )
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date | timedelta):
        return str(value)
    return flow(str(value))


def is_number(text: str) -> bool:
    return _NUMBER.match(text) is not None


def labelled(label: str, value: str, colon: str = ": ") -> str:
    """`价格: 299`; a unit in the label's brackets goes behind a number: `价格(元)`, `299`: `价格: 299 元`."""
    if not label:
        return value
    unit = _UNIT.match(label) if is_number(value) else None
    return f"{unit[1]}{colon}{value} {unit[2]}" if unit else f"{label}{colon}{value}"


def row_text(header: Sequence[str], cells: Sequence[str]) -> str:
    """One row with its headers: `Size: M; Height: 165–170 cm`; Chinese punctuation under a Chinese header."""
    colon, stop = ("：", "；") if any(has_han(name) for name in header) else (": ", "; ")
    names = [*header, *([""] * (len(cells) - len(header)))]
    return stop.join(labelled(name, cell, colon) for name, cell in zip(names, cells, strict=False) if cell)


def add_table(
    builder: ExtractBuilder,
    rows: Sequence[Sequence[str]],
    *,
    header_rows: int | None = None,
    labels: bool = False,
) -> None:
    """Append a table, row by row with its headers.

    `header_rows` says how many rows at the top are headers (0: none); None looks at the cells. `labels` says
    that the first column names what the second holds, as a data sheet does. Lines above the header that fill
    one cell only are captions; a table of one column is prose.
    """
    table = _trim(rows)
    if not table:
        return
    if len(table[0]) == 1:
        builder.prose("\n".join(row[0] for row in table))
        return
    while header_rows is None and len(table) > 1 and sum(map(bool, table[0])) == 1:
        builder.prose("".join(table.pop(0)))
    if labels or (header_rows is None and _is_data_sheet(table)):
        for row in table:
            builder.row(
                row_text([row[0]], [" ".join(filter(None, row[1:]))]) if row[0] else row_text([], row)
            )
        return
    count = (1 if _looks_like_header(table) else 0) if header_rows is None else min(header_rows, len(table))
    header = _joined(table[:count])
    if count == len(table):
        builder.row(row_text([], header))
    for row in table[count:]:
        builder.row(row_text(header, row))


def _trim(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Rows of equal width without empty rows and columns."""
    width = max((len(row) for row in rows), default=0)
    full = [[flow(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    kept = [index for index in range(width) if any(row[index] for row in full)]
    return [[row[index] for index in kept] for row in full if any(row)]


def _looks_like_header(table: Sequence[Sequence[str]]) -> bool:
    first = [cell for cell in table[0] if cell]
    return len(table) > 1 and not any(is_number(cell) for cell in first)


def _is_data_sheet(table: Sequence[Sequence[str]]) -> bool:
    """Two columns, names on the left, values on the right, and no header above them."""
    if len(table[0]) != 2 or not all(
        row[0] and len(row[0]) <= _LONG and not is_number(row[0]) for row in table
    ):
        return False
    value = table[0][1]
    return any(map(str.isdigit, value)) or len(value) > _LONG


def _joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """Header rows as one: `Delivery` over `Time` becomes `Delivery Time`."""
    return [" ".join(dict.fromkeys(filter(None, column))) for column in zip(*rows, strict=True)]
