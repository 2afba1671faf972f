"""Tables on a PDF page, by their ruled lines or by their aligned columns. Pure geometry."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ingest.readers.builder import CJK

_TOUCHING = 2.0
_TALLEST_BAND = 250.0
_THIN_BAND = 8.0
_TALLEST_SINGLE = 3.0
_ALIGNED = 0.8
_LEAST_SPACED_ROWS = 3
_NO_SPACE = re.compile(f"[{CJK}]")


@dataclass(frozen=True, slots=True)
class Line:
    """A run of text on one baseline, from `left` to `right` at height `y`; all in points, the size too."""

    text: str
    left: float
    right: float
    y: float
    size: float
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A drawn edge: a horizontal one at height `at` from `start` to `end`, or a vertical one at x = `at`."""

    horizontal: bool
    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table and the lines it is made of, as indexes into the page's lines."""

    members: frozenset[int]
    rows: tuple[tuple[str, ...], ...]


def join(first: str, second: str) -> str:
    """Two pieces of a broken text: no space where Chinese meets anything, a hyphen at the end undone.

    The hyphen (U+00AD) stays between what is no one word, as in `VTN-PB10`.
    """
    if not first or not second:
        return first or second
    if first.endswith("\u00ad"):
        return first[:-1] + ("" if second[0].islower() else "-") + second
    glue = "" if _NO_SPACE.match(first[-1]) or _NO_SPACE.match(second[0]) else " "
    return f"{first}{glue}{second}"


def ruled_tables(lines: Sequence[Line], rules: Sequence[Rule]) -> list[FoundTable]:
    """Tables whose rows are separated by ruled lines, in page order."""
    tables: list[FoundTable] = []
    for edges in _regions(rules):
        walls = [rule for rule in rules if not rule.horizontal and _spans(rule, edges)]
        bands = [_band(lines, high, low, walls) for high, low in pairwise(edges)]
        heights = [high.at - low.at for high, low in pairwise(edges)]
        for run in _filled_runs(bands, heights):
            table = _ruled(lines, run, walls)
            if table is not None:
                tables.append(table)
    return tables


def _band(lines: Sequence[Line], high: Rule, low: Rule, walls: Sequence[Rule]) -> list[int]:
    """The lines between two edges; none when that is the prose between two tables."""
    middle = (high.at + low.at) / 2
    if walls and not any(wall.start <= middle <= wall.end for wall in walls):
        return []
    found = [i for i, line in enumerate(lines) if _between(line, high, low)]
    tall = found and high.at - low.at > _TALLEST_SINGLE * lines[found[0]].size
    if tall and not walls and all(lines[a].y - lines[b].y > lines[a].size / 2 for a, b in pairwise(found)):
        return []
    return found


def _regions(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Horizontal edges, merged where they touch, from top to bottom; a region's edges lie over each other."""
    edges: list[Rule] = []
    for rule in sorted((r for r in rules if r.horizontal), key=lambda r: (-r.at, r.start)):
        last = edges[-1] if edges else None
        if (
            last
            and last.at - rule.at < _TOUCHING
            and rule.start <= last.end + 3
            and rule.end >= last.start - 3
        ):
            edges[-1] = replace(last, start=min(last.start, rule.start), end=max(last.end, rule.end))
        else:
            edges.append(rule)
    regions: list[list[Rule]] = []
    for edge in edges:
        for region in regions:
            above = region[-1]
            overlap = min(edge.end, above.end) - max(edge.start, above.start)
            if above.at - edge.at < _TALLEST_BAND and overlap > 0.5 * max(
                edge.end - edge.start, above.end - above.start
            ):
                region.append(edge)
                break
        else:
            regions.append([edge])
    return [region for region in regions if len(region) >= 3]


def _between(line: Line, high: Rule, low: Rule) -> bool:
    middle = (line.left + line.right) / 2
    return low.at < line.y + 0.3 * line.size < high.at and high.start - 3 <= middle <= high.end + 3


def _spans(rule: Rule, edges: Sequence[Rule]) -> bool:
    top, bottom = edges[0], edges[-1]
    return rule.start < top.at and rule.end > bottom.at and top.start - 2 <= rule.at <= top.end + 2


def _filled_runs(bands: Sequence[list[int]], heights: Sequence[float]) -> list[list[list[int]]]:
    """Bands with text that follow each other; a thin empty one is the space between two cells' borders."""
    runs: list[list[list[int]]] = [[]]
    for band, height in zip(bands, heights, strict=True):
        if band:
            runs[-1].append(band)
        elif runs[-1] and height > _THIN_BAND:
            runs.append([])
    return [run for run in runs if len(run) >= 2]


def _ruled(lines: Sequence[Line], bands: Sequence[list[int]], verticals: Sequence[Rule]) -> FoundTable | None:
    members = [index for band in bands for index in band]
    heights = [lines[i].y for i in members]
    near = [wall for wall in verticals if wall.start < max(heights) and wall.end > min(heights)]
    column = _columns([lines[i] for i in members], near)
    rows = [_cells([lines[i] for i in band], column) for band in bands]
    if len(bands) == 2 and not verticals:
        # Only the header is ruled off: the rows below it are its lines.
        body = [lines[i] for i in bands[1]]
        heights = sorted({round(line.y) for line in body}, reverse=True)
        split = [_cells([line for line in body if abs(line.y - y) <= 1], column) for y in heights]
        if len(split) > 1 and all(row.get(0) and len(row) > 1 for row in split):
            rows = [rows[0], *split]
    if sum(len(row) > 1 for row in rows) * 2 < len(rows):
        return None
    return FoundTable(frozenset(members), _rectangular(rows))


def _columns(lines: Sequence[Line], verticals: Sequence[Rule]) -> Callable[[Line], int]:
    """The column of a line: by the vertical rules when some are inside, else by the gaps between texts."""
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    walls = sorted({round(rule.at) for rule in verticals if left < rule.at < right})
    if not walls:
        reach = float("-inf")
        for line in sorted(lines, key=lambda line: line.left):
            if reach > float("-inf") and line.left > reach + 1:
                walls.append(round((line.left + reach) / 2))
            reach = max(reach, line.right)
    return lambda line: sum(wall <= line.left + 1 for wall in walls)


def _cells(lines: Sequence[Line], column: Callable[[Line], int]) -> dict[int, str]:
    cells: dict[int, str] = {}
    for line in sorted(lines, key=lambda line: (-round(line.y), line.left)):
        index = column(line)
        cells[index] = join(cells.get(index, ""), line.text)
    return cells


def _rectangular(rows: Sequence[dict[int, str]]) -> tuple[tuple[str, ...], ...]:
    width = max(max(row, default=0) for row in rows) + 1
    return tuple(tuple(row.get(index, "") for index in range(width)) for row in rows)


def spaced_tables(lines: Sequence[Line], taken: frozenset[int]) -> list[FoundTable]:
    """Tables without rules: three or more rows whose cells begin or end at the same places.

    A line of one cell between them goes on a cell of the row above, unless it begins under the first.
    """
    tables: list[FoundTable] = []
    rows: list[list[list[int]]] = []
    for row in [*_visual_rows(lines, taken), []]:
        if row and len(row) > 1 and (not rows or _aligned(lines, [cell[0] for cell in rows[0]], row)):
            rows.append([[index] for index in row])
            continue
        if len(row) == 1 and rows and _continues(lines, rows[-1], row[0]):
            continue
        if len(rows) >= _LEAST_SPACED_ROWS:
            tables.append(_spaced(lines, rows))
        rows = [[[index] for index in row]] if len(row) > 1 else []
    return tables


def _visual_rows(lines: Sequence[Line], taken: frozenset[int]) -> list[list[int]]:
    rows: list[list[int]] = []
    for index, line in enumerate(lines):
        if index in taken:
            rows.append([])
            continue
        last = lines[rows[-1][-1]] if rows and rows[-1] else None
        if last and abs(last.y - line.y) < 0.4 * line.size and line.left > last.right:
            rows[-1].append(index)
        else:
            rows.append([index])
    return rows


def _aligned(lines: Sequence[Line], header: Sequence[int], row: Sequence[int]) -> bool:
    """Whether every cell stands under one of the header's, by its left or right edge or by its middle."""
    return len(row) <= len(header) and all(
        _column_of(lines, header, lines[index]) is not None for index in row
    )


def _column_of(lines: Sequence[Line], header: Sequence[int], line: Line) -> int | None:
    for column, index in enumerate(header):
        top = lines[index]
        offsets = (
            top.left - line.left,
            top.right - line.right,
            (top.left + top.right - line.left - line.right) / 2,
        )
        if min(map(abs, offsets)) < _ALIGNED * line.size:
            return column
    return None


def _continues(lines: Sequence[Line], row: list[list[int]], index: int) -> bool:
    line = lines[index]
    for cell in row[1:]:
        above = lines[cell[-1]]
        if abs(above.left - line.left) < _ALIGNED * line.size and 0 < above.y - line.y < 2 * line.size:
            cell.append(index)
            return True
    return False


def _spaced(lines: Sequence[Line], rows: Sequence[Sequence[Sequence[int]]]) -> FoundTable:
    header = [cell[0] for cell in rows[0]]
    found: list[dict[int, str]] = []
    for row in rows:
        cells: dict[int, str] = {}
        for cell in row:
            column = _column_of(lines, header, lines[cell[0]]) or 0
            for index in cell:
                cells[column] = join(cells.get(column, ""), lines[index].text)
        found.append(cells)
    return FoundTable(frozenset(i for row in rows for cell in row for i in cell), _rectangular(found))
