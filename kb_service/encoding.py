"""Frozen values as JSON, for the command line."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter


def to_json(value: Any) -> str:
    """Readable JSON of dataclasses, sequences and mappings; times as ISO 8601."""
    plain = TypeAdapter(Any).dump_json(value, indent=2)
    return plain.decode()
