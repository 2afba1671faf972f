"""What shops write rules about, in Chinese and English: the same term for 包邮 and "free delivery". Pure.

Words carry a comparison within one language; terms carry it across languages, and tell what a statement is about
(`matter`, `object`) and for what it holds (`condition`, `party`, `place`, `goods`), in which two statements must
agree before they can contradict one another. The table is in `shop_terms.txt`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, TypeAlias, cast, get_args

Sort: TypeAlias = Literal["matter", "object", "condition", "party", "place", "goods"]


@dataclass(frozen=True, slots=True)
class Term:
    """One mention. `name` is the same in both languages; offsets are characters."""

    name: str
    sort: Sort
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Table:
    """`patterns` has one expression a sort, in which the number of the group that matched tells the name."""

    patterns: tuple[tuple[Sort, tuple[str, ...], re.Pattern[str]], ...]
    labels: Mapping[str, Mapping[str, str]]


def terms(text: str) -> tuple[Term, ...]:
    """What a text mentions, in order. Terms of one sort do not overlap."""
    lowered = text.lower() if len(text.lower()) == len(text) else text
    found = [
        Term(names[(match.lastindex or 1) - 1], sort, match.start(), match.end())
        for sort, names, pattern in _table().patterns
        for match in pattern.finditer(lowered)
    ]
    return tuple(sorted(found, key=lambda term: (term.start, term.end, term.name)))


def label(name: str) -> Mapping[str, str]:
    """What people call a term, by language (zh, en). Raises KeyError for a name that is none."""
    return _table().labels[name]


@functools.cache
def _table() -> _Table:
    sort: Sort | None = None
    listed: dict[Sort, list[tuple[str, str]]] = {kind: [] for kind in get_args(Sort)}
    labels: dict[str, Mapping[str, str]] = {}
    for line in files("ingest").joinpath("shop_terms.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            sort = cast(Sort, line.strip("[]"))
        elif line and not line.startswith("#") and sort is not None:
            name, chinese, english = (part.strip() for part in line.split(" | "))
            listed[sort].append((name, f"({chinese}|(?<![a-z])(?:{english})(?![a-z]))"))
            labels[name] = {"zh": chinese.partition("|")[0], "en": name.replace("_", " ")}
    patterns = tuple(
        (kind, tuple(name for name, _ in lines), re.compile("|".join(pattern for _, pattern in lines)))
        for kind, lines in listed.items()
    )
    return _Table(patterns, labels)
