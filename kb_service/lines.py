"""Lines of newline-delimited JSON: each its object, or what is wrong with it and where."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kb_service.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its parsed object, or the error that reading it gave. Lines count from 1."""

    number: int
    value: dict[str, Any] | None
    error: InvalidRequest | None


def parsed(number: int, raw: bytes) -> Line:
    """The object that a line holds."""
    try:
        # Some editors begin a file with a byte order mark.
        value = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        return Line(
            number, None, InvalidRequest.of(f"line {number}", "is not valid UTF-8; encode it as UTF-8")
        )
    except (ValueError, RecursionError):
        return Line(
            number, None, InvalidRequest.of(f"line {number}", "is not valid JSON; send one object per line")
        )
    if not isinstance(value, dict):
        return Line(number, None, InvalidRequest.of(f"line {number}", "must be a JSON object"))
    return Line(number, value, None)


def too_long(number: int, longest: int) -> Line:
    """A line beyond `longest` bytes."""
    error = InvalidRequest.of(
        f"line {number}", "is longer than {limit} bytes; split or shorten it", limit=longest
    )
    return Line(number, None, error)
