"""Ids in texts, each in one spelling."""

from __future__ import annotations

import pytest

from ingest.identifiers import one_spelling, only_an_id, written_ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("订单SO20261119-0042还没到", ("so202611190042", "so20261119")),
        ("ＳＦ１２３４５６７８９０１２３ 到哪了", ("sf1234567890123",)),
        ("my SLA-EB20 broke", ("slaeb20", "eb20")),
        ("order 20261119004 please", ("20261119004",)),
        ("paid 299.00 on 2026-11-02 at 20:00 for 100ml, 48h", ()),
        ("[PHONE] or [ORDER]", ()),
        ("x1" * 30, ()),
    ],
)
def test_the_ids_that_a_text_names(text: str, ids: tuple[str, ...]) -> None:
    assert written_ids(text) == ids


def test_what_is_searched_for_is_no_part_of_it() -> None:
    assert written_ids("where is SO20261119-0042", whole=True) == ("so202611190042",)


def test_an_id_is_one_however_it_is_spelt() -> None:
    assert one_spelling(" SO2026-1119_0042 ") == one_spelling("so202611190042")


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("#SO20261119-0042 ", "so202611190042"),
        ("where is SO20261119-0042", None),
        ("clothing", None),
        ("30 days", None),
        ("", None),
    ],
)
def test_whether_a_text_is_an_id_and_nothing_else(text: str, id: str | None) -> None:
    assert only_an_id(text) == id
