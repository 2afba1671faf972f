"""A card in the Markdown that DingTalk and WeCom have in common: a heading, bold labels and quotations."""

from __future__ import annotations

import re

from kb_service.delivery.formats.card import Card
from kb_service.delivery.formats.plain import unmarked

_IDS = re.compile(r"[A-Za-z0-9_:· -]+")


def markdown(shown: Card, separator: str, *, break_line: str, longest: int) -> str:
    """At most `longest` bytes of UTF-8; `break_line` is what a client takes for the end of a line.

    What is too long loses quotations first, then facts, then the end of its sentence; title and foot stay.
    """
    quotes, facts, sentence = list(shown.quotes), list(shown.facts), shown.sentence
    while True:
        text = break_line.join(_lines(shown, sentence, facts, quotes, separator))
        if len(text.encode()) <= longest or not (quotes or facts or sentence):
            return text.encode()[:longest].decode(errors="ignore")
        if quotes:
            quotes.pop()
        elif facts:
            facts.pop()
        else:
            sentence = sentence[: len(sentence) // 2]


def _lines(
    shown: Card, sentence: str, facts: list[tuple[str, str]], quotes: list[str], separator: str
) -> list[str]:
    lines = [f"### {unmarked(shown.title)}"]
    if sentence:
        lines.append(unmarked(sentence))
    lines += [f"**{label}**{separator}{unmarked(value)}" for label, value in facts]
    if quotes:
        lines.append(f"**{shown.quoted}**")
        lines += [f"> “{unmarked(quote)}”" for quote in quotes]
    # Ids are to be copied as they are.
    lines.append(f"`{shown.foot}`" if _IDS.fullmatch(shown.foot) else unmarked(shown.foot))
    return lines
