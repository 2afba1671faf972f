"""The column types that make SQLite and PostgreSQL hold the same values."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Integer, LargeBinary, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

REPLACEMENT = "\ufffd"


def storable(text: str) -> str:
    """`text` with NUL and lone surrogates, which PostgreSQL or UTF-8 cannot hold, replaced by U+FFFD.

    One character for one, so that offsets into the text stay right.
    """
    if text.isascii():
        return text.replace("\x00", REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = "".join(REPLACEMENT if "\ud800" <= character <= "\udfff" else character for character in text)
    return text.replace("\x00", REPLACEMENT)


def _storable_tree(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no such number
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_storable_tree(key): _storable_tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable_tree(item) for item in value]
    return value


def dump_json(value: object) -> str:
    """JSON as it lies in the store: not escaped, so that Chinese stays readable and searchable."""
    try:
        text = _dumped(value)
    except ValueError:
        return _dumped(_storable_tree(value))
    return text if "\\u0000" not in text and _encodable(text) else _dumped(_storable_tree(value))


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Words(TypeDecorator[str]):
    """Text compared and sorted by code point on both databases, without characters that one refuses."""

    impl = Text
    cache_ok = True

    @property
    def python_type(self) -> type[Any]:
        return str

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Text(collation="C"))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Moment(TypeDecorator[datetime]):
    """A point in time: any timezone in, UTC at rest and out. A naive time is a ValueError."""

    impl = DateTime
    cache_ok = True

    @property
    def python_type(self) -> type[Any]:
        return datetime

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no timezone: give an aware datetime")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Not JSONB: it would sort the keys of an object, and the order of a product's attributes is the shop's.
Json = JSON(none_as_null=True)
Counter = BigInteger().with_variant(Integer, "sqlite")
Blob = LargeBinary
