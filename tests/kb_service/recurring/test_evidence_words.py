"""How surely a message was joined, in words: an estimate is never told as certain."""

from __future__ import annotations

from kb_service.recurring.raising import _joined


def test_a_probability_is_never_told_as_one() -> None:
    words = _joined(0.9999, 0.001)
    assert (
        words["en"]
        == "Joined: the same problem with a probability of over 99%, the next likely one under 1%."
    )
    assert words["zh"] == "归并依据：属于同一问题的可能性大于 99%，次选问题小于 1%。"
    assert "a probability of 97%, the next likely one 12%." in _joined(0.97, 0.12)["en"]
