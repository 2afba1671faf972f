"""Pages of computed lists: each item once, whatever comes and goes, and no foreign cursor."""

from __future__ import annotations

import base64
import json

import pytest

from kb_service.errors import InvalidRequest
from kb_service.paging import Key, page_by


def key(item: tuple[float, str]) -> Key:
    return item


def test_every_item_is_on_one_page_and_in_order() -> None:
    items = [(float(number % 3), f"n{number:02}") for number in range(10)]
    seen: list[tuple[float, str]] = []
    cursor = None
    while True:
        page = page_by(items, key, cursor, 4)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == sorted(items)


def test_what_goes_between_two_pages_moves_no_other() -> None:
    items = [(0.0, name) for name in "abcd"]
    first = page_by(items, key, None, 2)
    rest = page_by([item for item in items if item[1] not in "ab"], key, first.next_cursor, 2)
    assert [name for _, name in (*first.items, *rest.items)] == list("abcd")


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"[1]", b'["a", 1]', b'[true, "a"]', b"{", b"null", b'[1, "a", 2]']
)
def test_a_cursor_of_another_list_is_refused(content: bytes) -> None:
    cursor = base64.urlsafe_b64encode(content).decode().rstrip("=")
    with pytest.raises(InvalidRequest):
        page_by([(0.0, "a")], key, cursor, 2)
    with pytest.raises(InvalidRequest):
        page_by([(0.0, "a")], key, "\u00e9", 2)


def test_a_cursor_is_plain_json_of_the_last_place() -> None:
    page = page_by([(-0.5, "a"), (0.0, "b")], key, None, 1)
    assert page.next_cursor is not None
    assert json.loads(base64.urlsafe_b64decode(page.next_cursor + "==")) == [-0.5, "a"]
