"""Which words of a passage are those of a search. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.language import content_words, tokens

LATIN = re.compile(r"[A-Za-z\u00c0-\u024f0-9]+(?:['’-][A-Za-z\u00c0-\u024f0-9]+)*")
HAN = re.compile(r"[\u3400-\u9fff]+")
LONGEST = 600
"""Characters of a passage that are shown."""


def highlighted(text: str, query: str) -> list[tuple[str, bool]]:
    """The text in runs, each with whether it is of the search's words; a long one begins shortly before the first."""
    begin, end = _window(text, spans := list(_spans(text, query)))
    runs: list[tuple[str, bool]] = [("…", False)] if begin else []
    place = begin
    for start, stop in spans:
        if start < place or stop > end:
            continue
        runs += [(text[place:start], False), (text[start:stop], True)]
        place = stop
    runs += [(text[place:end], False), ("…" if end < len(text) else "", False)]
    return [(run, marked) for run, marked in runs if run]


def _window(text: str, spans: list[tuple[int, int]]) -> tuple[int, int]:
    if len(text) <= LONGEST:
        return 0, len(text)
    first = spans[0][0] if spans else 0
    begin = max(0, min(first - LONGEST // 4, len(text) - LONGEST))
    return begin, begin + LONGEST


def _spans(text: str, query: str) -> Iterator[tuple[int, int]]:
    """Where words of the query stand, in order, not overlapping: of English the words of one stem, of Chinese the
    words themselves."""
    stems = set(content_words(query)) or set(tokens(query))
    words = {word for run in HAN.findall(query) for word in tokens(run) if content_words(word)}
    chinese = sorted(words, key=lambda word: (-len(word), word))
    known = [word for word in chinese if len(word) > 1] or chinese
    pattern = re.compile("|".join(map(re.escape, known))) if known else None
    found = [match.span() for match in LATIN.finditer(text) if stems & set(tokens(match.group()))]
    if pattern is not None:
        found += [match.span() for match in pattern.finditer(text)]
    place = 0
    for start, stop in sorted(found):
        if start >= place:
            yield start, stop
            place = stop
