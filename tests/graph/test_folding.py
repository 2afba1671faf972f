from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.folding import fold


@given(st.text())
def test_folding_keeps_every_offset(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ＳＬＡ－ＥＢ２０", "sla-eb20"),
        ("我要投訴，轉人工！", "我要投诉,转人工!"),
        ("螢幕壞了", "萤幕坏了"),
        ("Don’t", "don't"),
        ("￥299", "¥299"),
        ("ﬁne İ", "ﬁne i̇"[:4] + "İ"),
    ],
)
def test_one_spelling(text: str, folded: str) -> None:
    assert fold(text) == folded
