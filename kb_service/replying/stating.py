"""Fields and rows of tables as sentences: what stands in cells is no reply to a person. Pure.

Values are quoted letter by letter; only what joins them is the service's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_HAN = re.compile(r"[\u3400-\u9fff]")
_CELLS = re.compile(r"[；;]\s?")
_CELL = re.compile(r"([^：:；;]{1,40})[：:]\s?(.+)", re.DOTALL)
_ENDS = re.compile(r"[。！？.!?…]$")
_NOTE = re.compile(r"(?:说明|备注|注意?|注释|notes?|remarks?|comments?)", re.IGNORECASE)
_LEADS_ON = re.compile(r"\b(?:for|from|of|in|with|by|at|to|on|as|within|until)$", re.IGNORECASE)
"""An English label that already says what its value is to it: "Ships from", "Kept for"."""


def field_sentence(subject: str, stated: Sequence[tuple[str, str]], language: str) -> str:
    """What is stated of a subject, by label and value, for a reader of a language."""
    if language != "zh":
        return _ended(f"{subject}: {', '.join(_clause(label, value) for label, value in stated)}", ".")
    if len(stated) == 1:
        ((label, value),) = stated
        return _ended(_close(subject, "的", label, "是", value), "。")
    return _ended(f"{subject}：{'；'.join(_close(label, '是', value) for label, value in stated)}", "。")


def row_sentence(row: str) -> str:
    """A row of a table, "Header: value; Header: value", as a sentence about what its first cell names; a row of another
    form as it stands."""
    cells = _cells_of(row)
    if len(cells) < 2:
        return row
    (head, subject), *rest = cells
    notes = [value for label, value in rest if _NOTE.fullmatch(label.strip())]
    told = [cell for cell in rest if not _NOTE.fullmatch(cell[0].strip())]
    if not told:
        told, notes = rest, []
    if _HAN.search(head):
        said = "，".join(_close(label, "是", value) for label, value in told)
        noted = f"（{'；'.join(notes)}）" if notes else ""
        return _ended(_close(f"{head}“{subject}”的", said) + noted, "。")
    said = ", ".join(_clause(label, value) for label, value in told)
    noted = f" ({'; '.join(notes)})" if notes else ""
    return _ended(f"{head} “{subject}”: {said}{noted}", ".")


def _cells_of(row: str) -> list[tuple[str, str]]:
    """The cells of a row; what has no header of its own goes on with the value before it."""
    found: list[tuple[str, str]] = []
    place = 0
    for part in _CELLS.split(row):
        between = row[place : row.index(part, place)] if found else ""
        place = row.index(part, place) + len(part)
        match = _CELL.fullmatch(part)
        if match is not None:
            found.append((match.group(1).strip(), match.group(2).strip()))
        elif found:
            label, value = found[-1]
            found[-1] = (label, f"{value}{between}{part}")
        else:
            return []
    return found


def _clause(label: str, value: str) -> str:
    """In English: "the weight is 41 g", "ships from Hangzhou", "in the box: robot"."""
    known = label if label[1:2].isupper() or not label.isascii() else label[:1].lower() + label[1:]
    if label.lower().startswith("in "):
        return f"{known}: {value}"
    if _LEADS_ON.search(label):
        return f"{known} {value}"
    several = label.isascii() and label.lower().endswith("s") and not label.lower().endswith("ss")
    return f"the {known} {'are' if several else 'is'} {value}"


def _close(*parts: str) -> str:
    """Parts of a Chinese sentence, with a blank between Chinese and Latin letters or digits."""
    said = ""
    for part in filter(None, parts):
        apart = said and _HAN.match(said[-1]) is not None and re.match(r"[0-9A-Za-z¥$]", part)
        apart = apart or (said and re.match(r"[0-9A-Za-z%]", said[-1]) and _HAN.match(part[0]))
        said += f" {part}" if apart else part
    return said


def _ended(said: str, stop: str) -> str:
    return said if _ENDS.search(said) else said + stop
