"""Plain text: paragraphs at empty lines, headings by their numbers."""

from __future__ import annotations

import re

from ingest.models import Extract
from ingest.readers.builder import ExtractBuilder, clean

_CHINESE = "一二三四五六七八九十百零〇两"
_NUMBERED: tuple[tuple[int, re.Pattern[str]], ...] = (
    (1, re.compile(rf"第[{_CHINESE}\d]+[章编篇部]")),
    (1, re.compile(r"(?:Chapter|Part|Appendix)\s+(?:\d+|[IVXLC]+|[A-Z])\b", re.IGNORECASE)),
    (2, re.compile(rf"第[{_CHINESE}\d]+[节節条條]")),
    (2, re.compile(r"(?:Section|Article)\s+(?:\d+|[IVXLC]+)\b", re.IGNORECASE)),
    (3, re.compile(rf"[{_CHINESE}]+[、.．]")),
    (4, re.compile(rf"[((][{_CHINESE}]+[))]")),
    (7, re.compile(r"\d{1,2}\.\d{1,2}\.\d{1,2}\.?\s*[^\d\s]")),
    (6, re.compile(r"\d{1,2}\.\d{1,2}\.?\s*[^\d\s%]")),
    (5, re.compile(r"\d{1,2}[.、．]\s*[^\d\s]")),
)
_SENTENCE_END = re.compile(r"[。！？!?;；,，:：…]$|[a-z]\.$")
_LONGEST = 60


def numbered_level(line: str) -> int | None:
    """The level of a heading such as `第三章 退货`, `二、运费`, `2.1 Refunds`; None when the line is none.

    A heading is short and does not end like a sentence.
    """
    if len(line) > _LONGEST or _SENTENCE_END.search(line):
        return None
    return next((level for level, pattern in _NUMBERED if pattern.match(line)), None)


def heading_levels(paragraphs: list[str]) -> list[int | None]:
    """For each paragraph its heading level, or None. Numbered lines that follow each other are a list."""
    levels = [numbered_level(paragraph) if "\n" not in paragraph else None for paragraph in paragraphs]
    following = [*levels[1:], levels[-1] if levels else None]
    return [
        level if level is not None and (after is None or after > level) else None
        for level, after in zip(levels, following, strict=True)
    ]


def extract(text: str) -> Extract:
    """One Extract of a plain text. Raises EmptySource."""
    builder = ExtractBuilder()
    paragraphs = [paragraph.strip() for paragraph in clean(text).split("\n\n")]
    for paragraph, level in zip(paragraphs, heading_levels(paragraphs), strict=True):
        if level is None:
            builder.prose(paragraph)
        else:
            builder.heading(level, paragraph)
    return builder.build()
