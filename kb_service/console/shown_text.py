"""What a page shows of a text that may be long: its beginning, or what stands around the passage that is cited."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 24_000
"""Characters of a text that are shown at first; a reader may ask for all of it."""


@dataclass(frozen=True, slots=True)
class ShownText:
    """A passage with what stands before and after it, and how many characters beyond these are left out."""

    before: str
    cited: str
    after: str
    left_out_before: int
    left_out_after: int


def shown_text(text: str, start: int, end: int, *, whole: bool) -> ShownText:
    """A text with what lies from `start` to `end` cited, nothing where these are no passage of it; all with `whole`."""
    length = len(text)
    begin, stop = min(start, length), min(max(end, start), length)
    first, last = (0, length) if whole else _window(length, begin, stop)
    return ShownText(text[first:begin], text[begin:stop], text[stop:last], first, length - last)


def _window(length: int, begin: int, stop: int) -> tuple[int, int]:
    if stop <= LONGEST:
        return 0, min(length, max(LONGEST, stop))
    first = max(0, begin - LONGEST // 2)
    return first, min(length, max(stop, first + LONGEST))
