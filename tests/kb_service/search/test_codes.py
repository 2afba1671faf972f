from __future__ import annotations

import pytest

from kb_service.search.codes import codes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("is the EB20 waterproof", {"eb20"}),
        ("VTN-PB20能托运吗", {"pb20", "vtn-pb20"}),
        ("SL-90 and sl90", {"sl90", "sl-90"}),
        ("SHUANG12怎么用", {"shuang12"}),
        ("AUR-S2-BLK", {"aur-s2-blk"}),
        ("100W, 24h, 1.7L, 2026-11-11, E08", set()),
        ("order SL20261111004821", set()),
        ("the well-known two-year plan", set()),
        ("in 30 days", set()),
        ("IPX5 or wifi6?", {"ipx5", "wifi6"}),
    ],
)
def test_codes(text: str, expected: set[str]) -> None:
    assert codes([text]) == expected


def test_codes_of_several_texts_are_one_set() -> None:
    assert codes(["EB20", "eb50 EB20"]) == {"eb20", "eb50"}
    assert codes([]) == frozenset()
