"""What is shown of a text that may be too long for a page."""

from __future__ import annotations

import pytest

from kb_service.console.shown_text import LONGEST, ShownText, shown_text


def put_together(shown: ShownText, text: str) -> str:
    """The whole text again, of what is shown and what is left out."""
    end = len(text) - shown.left_out_after
    return text[: shown.left_out_before] + shown.before + shown.cited + shown.after + text[end:]


def test_a_short_text_is_shown_whole() -> None:
    assert shown_text("Ships in two days.", 9, 17, whole=False) == ShownText(
        "Ships in ", "two days", ".", 0, 0
    )


def test_without_a_passage_the_beginning_is_shown() -> None:
    shown = shown_text("a" * (LONGEST + 5), 0, 0, whole=False)
    assert (len(shown.after), shown.cited) == (LONGEST, "")
    assert (shown.left_out_before, shown.left_out_after) == (0, 5)


def test_a_passage_far_down_is_shown_with_what_stands_around_it() -> None:
    text = "a" * (3 * LONGEST) + "cited" + "b" * LONGEST
    shown = shown_text(text, 3 * LONGEST, 3 * LONGEST + 5, whole=False)
    assert shown.cited == "cited"
    assert shown.before
    assert shown.after
    assert len(shown.before + shown.cited + shown.after) == LONGEST
    assert put_together(shown, text) == text


@pytest.mark.parametrize(("start", "end"), [(99_000, 99_999), (7, 3), (0, 0)])
def test_what_is_no_passage_cites_nothing_and_loses_nothing(start: int, end: int) -> None:
    text = "Ships in two days."
    shown = shown_text(text, start, end, whole=False)
    assert shown.cited == ""
    assert put_together(shown, text) == text


def test_all_of_a_long_text_is_shown_when_it_is_asked_for() -> None:
    text = "a" * (3 * LONGEST)
    shown = shown_text(text, 10, 20, whole=True)
    assert shown.before + shown.cited + shown.after == text
    assert (shown.left_out_before, shown.left_out_after) == (0, 0)
