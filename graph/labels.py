"""What a shop calls its intents and fields, in the language of who reads it."""

from __future__ import annotations

from graph.words import is_han

_BETWEEN = " / "


def label_in(label: str, language: str) -> str:
    """The part of a label such as "申请退货 / Return an item" that is written in a language, zh or en.

    The whole label where it does not have one part in Chinese and one without.
    """
    parts = [part.strip() for part in label.split(_BETWEEN)]
    chinese = [part for part in parts if any(map(is_han, part))]
    other = [part for part in parts if part and part not in chinese]
    if len(parts) != 2 or len(chinese) != 1 or not other:
        return label
    return chinese[0] if language == "zh" else other[0]
