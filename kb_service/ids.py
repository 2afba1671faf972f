"""Ids that follow from content."""

from __future__ import annotations

import hashlib


def digest_id(prefix: str, *parts: str) -> str:
    """A stable id from content, so that a replay of a history gives the same ids."""
    return f"{prefix}_{hashlib.blake2b(chr(31).join(parts).encode(), digest_size=10).hexdigest()}"
