"""CSV and JSON lines, and what they share with workbooks: rows as records or as plain tables."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ingest.errors import CorruptSource, EmptySource, InvalidDocument
from ingest.models import Extract
from ingest.readers import records
from ingest.readers.builder import ExtractBuilder, clean
from ingest.readers.grid import add_table, cell_text
from ingest.readers.results import ReadResult, RowProblem

DELIMITERS = ",;\t|"
MAX_QUOTE_PROBLEMS = 200
_SNIFFED_LINES = 50


def read_csv(text: str, options: Mapping[str, object]) -> ReadResult:
    """A CSV file: one table, or with `records` one document per row. The delimiter is found from the rows.

    Raises EmptySource, CorruptSource, InvalidDocument.
    """
    lines = list(io.StringIO(text, newline=""))
    rows, problems = _rows(lines, sniff(lines))
    if not any(any(cells) for _, cells in rows):
        raise EmptySource("holds no rows; put a header and rows in or leave the file out")
    if options.get("records"):
        found = as_records([(f"line {number}", cells) for number, cells in rows], options)
        return replace(found, problems=(*problems, *found.problems))
    builder = ExtractBuilder()
    add_table(builder, [[cell_text(cell) for cell in cells] for _, cells in rows])
    return ReadResult((builder.build(),), problems)


def read_jsonl(text: str, options: Mapping[str, object]) -> ReadResult:
    """JSON lines: each line an object with a document's attributes. Raises EmptySource, CorruptSource."""
    rows: list[records.Row] = []
    problems: list[RowProblem] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            value = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            problems.append(
                RowProblem.at(
                    where, f'is not JSON ({error}); write one object a line, as in {{"external_id": …}}'
                )
            )
            continue
        if isinstance(value, dict):
            rows.append(records.Row(where, value))
        else:
            problems.append(
                RowProblem.at(
                    where, f'is a {type(value).__name__}, not an object; write {{"external_id": …}}'
                )
            )
    if not rows and problems:
        raise CorruptSource(f"holds no line of JSON ({problems[0].error})")
    found = records.read(rows, None, options)
    return replace(found, problems=(*problems, *found.problems))


def as_records(rows: Sequence[tuple[str, Sequence[object]]], options: Mapping[str, object]) -> ReadResult:
    """Rows with their places as records; the first row that fills two cells is the header.

    With `rows` in the options no record is made: each row comes as it stands, its cells by column.

    Raises EmptySource, InvalidDocument (a column named twice, a template without its column).
    """
    start = next((i for i, (_, cells) in enumerate(rows) if sum(map(bool, map(cell_text, cells))) > 1), None)
    if start is None or start + 1 == len(rows):
        raise EmptySource("holds no rows below a header; put rows in or leave it out")
    header = [cell_text(cell) for cell in rows[start][1]]
    columns = [name for name in header if name]
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise InvalidDocument("header", f"the column {twice[0]!r} is named twice; give each its own name")
    problems: list[RowProblem] = []
    keyed = _keyed(rows[start + 1 :], header, problems)
    if options.get("rows"):
        return ReadResult(tuple(_as_it_stands(row) for row in keyed), tuple(problems))
    found = records.read(keyed, columns, options)
    return replace(found, problems=(*problems, *found.problems))


def _as_it_stands(row: records.Row) -> Extract:
    texts = {
        name: clean(cell) if isinstance(cell, str) else cell_text(cell) for name, cell in row.values.items()
    }
    return Extract("", (), {"cells": texts})


def _keyed(
    rows: Sequence[tuple[str, Sequence[object]]], header: Sequence[str], problems: list[RowProblem]
) -> Iterator[records.Row]:
    for where, cells in rows:
        if not any(map(cell_text, cells)):
            continue
        if any(cell_text(cell) for cell in cells[len(header) :]) or any(
            cell_text(cell) for name, cell in zip(header, cells, strict=False) if not name
        ):
            problems.append(
                RowProblem.at(
                    where,
                    f"has more cells than the header's {len(header)}; quote values that hold the delimiter, "
                    "and name every column",
                )
            )
            continue
        yield records.Row(where, {name: cell for name, cell in zip(header, cells, strict=False) if name})


def sniff(lines: Sequence[str]) -> str:
    """The delimiter under which most of the first lines fall into the same number (above one) of cells."""
    sample = [line for line in lines[:_SNIFFED_LINES] if line.strip()]
    scores: list[tuple[int, int, str]] = []
    for delimiter in DELIMITERS:
        try:
            widths = Counter(len(row) for row in csv.reader(sample, delimiter=delimiter) if len(row) > 1)
        except csv.Error:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        scores.append((count, width, delimiter))
    best = max(scores, key=lambda score: score[:2], default=(0, 0, ","))
    return best[2] if best[0] else ","


def _rows(lines: Sequence[str], delimiter: str) -> tuple[list[tuple[int, list[str]]], tuple[RowProblem, ...]]:
    """Rows with the lines they start on. After a row with a stray quote, reading goes on at the next line."""
    rows: list[tuple[int, list[str]]] = []
    problems: list[RowProblem] = []
    at = 0
    while at < len(lines):
        if len(problems) == MAX_QUOTE_PROBLEMS:
            problems.append(
                RowProblem.at(
                    f"line {at + 1}",
                    "and all below were not read: too many stray quotes; save the table as CSV again",
                )
            )
            break
        reader = csv.reader(lines[at:], delimiter=delimiter, strict=True)
        used = 0
        try:
            for cells in reader:
                if any(cells):
                    rows.append((at + used + 1, cells))
                used = reader.line_num
            break
        except csv.Error as error:
            at += used
            problems.append(
                RowProblem.at(
                    f"line {at + 1}",
                    f"has a stray or unclosed quote ({error}); write a quote inside a value twice",
                )
            )
            at += 1
    return rows, tuple(problems)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
