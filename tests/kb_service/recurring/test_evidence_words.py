"""How surely a message was joined, in words: an estimate is never told as certain."""

from __future__ import annotations

from kb_service.recurring.raising import _joined


def test_a_probability_is_never_told_as_one() -> None:
    words = _joined(0.9999, 0.001)
    assert words["en"] == "Joined: the same problem with probability over .99, the runner-up under .01."
    assert words["zh"] == "归并依据：属于同一问题的概率大于 .99，次选问题小于 .01。"
    assert "probability .97, the runner-up .12." in _joined(0.97, 0.12)["en"]
