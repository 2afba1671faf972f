"""Pages of lists that are computed rather than read from a table."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from kb_service.errors import InvalidRequest
from kb_service.store import Page

T = TypeVar("T")
Key: TypeAlias = tuple[float, str]
"""Where an item stands in its list: a number, then a unique text; both ascending."""


def page_by(items: Sequence[T], key: Callable[[T], Key], cursor: str | None, limit: int) -> Page[T]:
    """One page of `items` in the order of `key`; an item that goes meanwhile moves no other across a page's border.

    Raises InvalidRequest for a cursor of another list.
    """
    ordered = sorted(items, key=key)
    if cursor is not None:
        after = _decoded(cursor)
        ordered = [item for item in ordered if key(item) > after]
    shown = tuple(ordered[:limit])
    return Page(shown, _encoded(key(shown[-1])) if len(ordered) > limit else None)


def _encoded(key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> Key:
    try:
        number, text = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(number, bool) or not isinstance(number, int | float) or not isinstance(text, str):
            raise TypeError("other types")
        return number, text
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise InvalidRequest.of(
            "cursor", "is not a cursor of this list; take next_cursor of the page before, or leave it out"
        ) from error
