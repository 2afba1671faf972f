"""A reply that begins with Yes to another question than the one asked.

"充电宝能带上飞机吗" is answered by "能，只能随身带，不能托运"; who asks 能托运吗 must not read 能 first. Pure.
"""

from __future__ import annotations

import re

from ingest.language import content_words
from kb_service.replying.polarity import MARKERS

_YES = re.compile(
    r"(?:能|可以|可|会|是的?|行)[，,。.！!]\s*|(?:yes|sure|of course|certainly)\b[,.!:]?\s*", re.IGNORECASE
)
_CLAUSES = re.compile(r"[，。.；;！!？?\n]+")
"""In English a list goes on after a comma: not for diving, sauna or hot showers."""


def wrong_yes(reply: str, query: str, written_for: str) -> int:
    """How many characters of a reply's beginning say Yes to what it then denies: 0 where nothing is wrong.

    `written_for` is the question that the reply was written for. What only `query` asks is denied where a clause of
    the reply speaks of it and denies.
    """
    opening = _YES.match(reply)
    if opening is None:
        return 0
    asked = {*content_words(query)} - {*content_words(written_for)}
    denied = (
        clause
        for clause in _CLAUSES.split(reply[opening.end() :])
        if MARKERS["denies"].search(clause.lower())
    )
    return opening.end() if any(asked & {*content_words(clause)} for clause in denied) else 0
