"""What a reader returns, and its plain JSON form for the way out of the parser process."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import cast, get_args

from ingest.errors import (
    CorruptSource,
    EmptySource,
    IngestError,
    InvalidDocument,
    ProtectedSource,
    SourceTooLarge,
    UnreadableSource,
    UnsupportedFormat,
)
from ingest.models import Block, Extract, Role

_ERRORS: Mapping[str, type[UnreadableSource]] = {
    kind.code: kind
    for kind in (UnsupportedFormat, CorruptSource, ProtectedSource, EmptySource, SourceTooLarge)
}
_ROLES = frozenset(get_args(Role))


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One row, line or sheet that could not be read; the others were.

    `where` names it as people find it (`line 7`, `sheet 商品, row 12`); `error` says what was wrong and what
    would be right, the place included.
    """

    where: str
    error: IngestError

    @classmethod
    def at(cls, where: str, error: IngestError | str) -> RowProblem:
        """The problem with its place written into the message; a plain text becomes a CorruptSource."""
        if isinstance(error, InvalidDocument):
            return cls(where, InvalidDocument(error.field, f"{error.message} ({where})"))
        kind = CorruptSource if isinstance(error, str) else type(error)
        return cls(where, kind(f"{where} {error}"))


@dataclass(frozen=True, slots=True)
class ReadResult:
    """All that one source gave: an Extract per document, and what could not be read beside them."""

    extracts: tuple[Extract, ...]
    problems: tuple[RowProblem, ...] = ()


def plain(value: object) -> object:
    """A value of YAML, TOML, a spreadsheet or JSON as JSON knows it: dates become ISO text, tuples lists.

    Raises ValueError for what has no such form (bytes, NaN, nested keys that are not text).
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number must be finite")
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(item) for item in value]
    raise ValueError(f"a {type(value).__name__} has no place here")


def to_json(result: ReadResult) -> dict[str, object]:
    return {
        "extracts": [
            {
                "text": extract.text,
                "blocks": [[b.role, b.start, b.end, list(b.section)] for b in extract.blocks],
                "attributes": plain(extract.attributes),
            }
            for extract in result.extracts
        ],
        "problems": [{"where": p.where, "error": error_to_json(p.error)} for p in result.problems],
    }


def error_to_json(error: IngestError) -> dict[str, object]:
    if isinstance(error, InvalidDocument):
        return {"code": error.code, "field": error.field, "message": error.message}
    return {"code": error.code, "message": str(error)}


def error_from_json(value: object) -> IngestError:
    """The inverse of `error_to_json`; raises KeyError or TypeError when the value has another form."""
    item = cast(Mapping[str, object], value)
    message = _text(item["message"])
    if item["code"] == InvalidDocument.code:
        return InvalidDocument(_text(item["field"]), message)
    return _ERRORS.get(_text(item["code"]), CorruptSource)(message)


def from_json(value: object) -> ReadResult:
    """The inverse of `to_json`, trusting nothing: a parser that was subverted can only return text.

    Raises CorruptSource when the value does not have the expected form.
    """
    try:
        body = cast(Mapping[str, object], value)
        extracts = tuple(_extract(item) for item in _items(body["extracts"]))
        problems = tuple(
            RowProblem(_text(item["where"]), error_from_json(item["error"]))
            for item in cast(Sequence[Mapping[str, object]], _items(body["problems"]))
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptSource(
            f"the parser gave an answer that makes no sense ({error}); save the file again"
        ) from error
    return ReadResult(extracts, problems)


def _extract(value: object) -> Extract:
    item = cast(Mapping[str, object], value)
    text = _text(item["text"])
    blocks: list[Block] = []
    floor = 0
    for entry in _items(item["blocks"]):
        role, start, end, section = _items(entry)
        if role not in _ROLES or type(start) is not int or type(end) is not int:
            raise ValueError("a block has an unknown role or offset")
        if not floor <= start < end <= len(text):
            raise ValueError("blocks overlap or leave the text")
        floor = end
        blocks.append(Block(cast(Role, role), start, end, tuple(_text(name) for name in _items(section))))
    attributes = item["attributes"]
    if not isinstance(attributes, Mapping):
        raise TypeError("attributes are not an object")
    return Extract(text, tuple(blocks), dict(attributes))


def _items(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise TypeError("a list is missing")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is missing")
    return value
