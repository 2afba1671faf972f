"""What a shop calls its intents and fields, in the language of who reads it."""

from __future__ import annotations

import re

from graph.words import is_han

_BETWEEN = " / "
_AND = " · "
"""Between the labels of a field that was found rather than named."""
_SLUG = re.compile(r"[a-z][a-z0-9]+(?:[-_][a-z][a-z0-9]+)+")


def label_in(label: str, language: str) -> str:
    """The part of a label such as "申请退货 / Return an item" that is written in a language, zh or en.

    The whole label where it does not have one part in Chinese and one without; a name for programs, such as
    after-sales, as words. Of labels joined by " · " each goes by itself.
    """
    if (whole := _part(label, language)) is not None:
        return whole
    parts = [_part(part, language) or _words(part) for part in label.split(_AND)]
    return _AND.join(dict.fromkeys(parts))


def _part(label: str, language: str) -> str | None:
    """The part in a language of a label in two, None for any other."""
    parts = [part.strip() for part in label.split(_BETWEEN)]
    chinese = [part for part in parts if any(map(is_han, part))]
    other = [part for part in parts if part and part not in chinese]
    if len(parts) != 2 or len(chinese) != 1 or not other:
        return None
    return chinese[0] if language == "zh" else other[0]


def _words(label: str) -> str:
    return re.sub(r"[-_]", " ", label) if _SLUG.fullmatch(label) else label
