"""What changed from one text to another, line by line, as people read it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Change: TypeAlias = Literal["same", "added", "removed", "gap"]
AROUND = 2
"""Lines that stayed, shown before and after those that changed."""
EXACT_LINES = 2_000
"""Lines up to which every pair is compared."""
MOST_LINES = 600
_WORDS = re.compile(r"[A-Za-z0-9]+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A line with its pieces; those that make the difference to the line it stands for are `marked`.

    A `gap` stands for `skipped` lines that stayed.
    """

    change: Change
    pieces: tuple[tuple[str, bool], ...] = ()
    skipped: int = 0


def differences(before: str, after: str) -> tuple[ComparedLine, ...]:
    """The lines that changed, with those around them; empty for equal texts. At most `MOST_LINES`, then a gap."""
    old, new = _lines(before), _lines(after)
    if old == new:
        return ()
    junk = len(old) > EXACT_LINES or len(new) > EXACT_LINES
    found: list[ComparedLine] = []
    end = 0
    for group in difflib.SequenceMatcher(None, old, new, autojunk=junk).get_grouped_opcodes(AROUND):
        if group[0][1] > end:
            found.append(ComparedLine("gap", skipped=group[0][1] - end))
        for tag, first, last, begin, stop in group:
            found += _changed(tag, old[first:last], new[begin:stop])
        end = group[-1][2]
    if len(found) > MOST_LINES:
        return (*found[:MOST_LINES], ComparedLine("gap", skipped=len(found) - MOST_LINES))
    return (*found, ComparedLine("gap", skipped=len(old) - end)) if len(old) > end else tuple(found)


def marked(text: str, other: str) -> tuple[tuple[str, bool], ...]:
    """A text in pieces, those marked that another does not have at their place."""
    return _marked(text, other)[0]


def _lines(text: str) -> list[str]:
    """Without the blank lines between paragraphs, which say nothing."""
    return [line for line in text.split("\n") if line.strip()]


def _changed(tag: str, old: Sequence[str], new: Sequence[str]) -> Iterator[ComparedLine]:
    if tag == "equal":
        yield from (ComparedLine("same", ((line, False),)) for line in old)
        return
    pairs = [_marked(one, other) for one, other in zip(old, new, strict=False)]
    yield from (ComparedLine("removed", one) for one, _ in pairs)
    yield from (ComparedLine("removed", ((line, True),)) for line in old[len(pairs) :])
    yield from (ComparedLine("added", other) for _, other in pairs)
    yield from (ComparedLine("added", ((line, True),)) for line in new[len(pairs) :])


def _marked(one: str, other: str) -> tuple[tuple[tuple[str, bool], ...], tuple[tuple[str, bool], ...]]:
    """Two lines word by word, a Chinese character being a word; all marked where they have little in common."""
    first, second = _WORDS.findall(one), _WORDS.findall(other)
    matcher = difflib.SequenceMatcher(None, first, second, autojunk=False)
    if len(first) > EXACT_LINES or len(second) > EXACT_LINES or matcher.ratio() < 0.3:
        return ((one, True),), ((other, True),)
    codes = matcher.get_opcodes()
    left = [("".join(first[a:b]), tag != "equal") for tag, a, b, _, _ in codes if a < b]
    right = [("".join(second[c:d]), tag != "equal") for tag, _, _, c, d in codes if c < d]
    return tuple(left), tuple(right)
