"""Events from a file: one JSON object a line, as `POST /v1/events:batch` takes them; gzip or plain."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from graph.models import Event
from kb_service.errors import InvalidRequest
from kb_service.lines import Line, parsed, too_long
from kb_service.problem_details import invalid
from kb_service.wire.events import EventIn

GZIP = b"\x1f\x8b"
_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no event, and what is wrong with it."""

    number: int
    message: str


def line_count(path: Path) -> int:
    """How many lines a file has, blank ones included."""
    count, last = 0, b"\n"
    with _opened(path) as file:
        while chunk := file.read(_AT_ONCE):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")


def events_of(path: Path, *, longest: int) -> Iterator[tuple[int, Event | BadLine | None]]:
    """Each line's number with its event, or what is wrong with it; None where it is blank. A line may have up to
    `longest` bytes. Raises InvalidRequest for a compressed file that is damaged."""
    with _opened(path) as file:
        number = 0
        while raw := file.readline(longest + 2):
            number += 1
            if len(raw.rstrip(b"\r\n")) > longest:
                while raw and not raw.endswith(b"\n"):
                    raw = file.readline(longest)
                yield number, _event(too_long(number, longest))
            else:
                yield number, _event(parsed(number, raw)) if raw.strip() else None


def _event(line: Line) -> Event | BadLine:
    error = line.error
    if error is None:
        try:
            return EventIn.model_validate(line.value).value()
        except ValidationError as found:
            told = invalid(found.errors()).fields
            return BadLine(line.number, "; ".join(f"{item.field}: {item.message('en')}" for item in told))
    return BadLine(line.number, "; ".join(item.message("en") for item in error.fields))


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as plain:
        compressed = plain.read(2) == GZIP
        plain.seek(0)
        if not compressed:
            yield plain
            return
        try:
            with gzip.GzipFile(fileobj=plain) as file:
                yield file  # type: ignore[misc]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InvalidRequest.of(path.name, "cannot be read: {reason}", reason=str(error)) from None
