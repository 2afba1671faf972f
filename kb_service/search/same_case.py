"""Replies that were written for another case stand behind the others.

"Which size at 178 cm?" is not answered by what somebody of 173 cm was told, and what E01 means not by E05. Only what
decides a case is compared: times of the day, lengths, weights, codes of faults and campaigns. How long ago something
was bought is not: most customers who differ in it are told the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from ingest.quantities import quantities
from kb_service.search.models import Hit, SearchQuery

_Figures: TypeAlias = dict[str, list[tuple[float, float]]]
"""What a text measures: ranges by dimension."""

_DECIDING = frozenset({"clock", "length", "weight"})
_FAULT = re.compile(r"(?<![a-z0-9])([a-z])(\d{2,3})(?![a-z0-9])", re.IGNORECASE)
_CAMPAIGN = re.compile(
    r"(?:双|double[\s-]?)\s?(11|12|十一|十二|eleven|twelve)(?![0-9])|(?<!\d)(618)(?!\d)", re.IGNORECASE
)
_CAMPAIGNS = {"11": 11, "十一": 11, "eleven": 11, "12": 12, "十二": 12, "twelve": 12, "618": 618}


def of_other_cases(hits: Sequence[Hit], query: SearchQuery, case_of: Callable[[Hit], str]) -> frozenset[str]:
    """The external ids of the hits that speak of a case which the question's own figures tell to be another.

    `case_of` gives the question of a FAQ or a resolution, and nothing for other documents, of which only the campaign
    in their title is compared. A reply that also gives what the question names, as a range or in a list, is for both.
    """
    asked = _figures(query.text)
    if not asked:
        return frozenset()
    return frozenset(hit.external_id for hit in hits if _differs(asked, hit, case_of(hit)))


def _differs(asked: _Figures, hit: Hit, case: str) -> bool:
    own = _campaigns(f"{hit.title} {case}") | (_ranges(hit.text) | _figures(case) if case else {})
    if not own.keys() & asked.keys():
        return False
    told = _figures(f"{hit.title} {case} {hit.text}")
    return any(name in own and not _meet(ranges, told[name]) for name, ranges in asked.items())


def _figures(text: str) -> _Figures:
    found: dict[str, list[tuple[float, float]]] = {}
    for item in quantities(text):
        if item.dimension in _DECIDING:
            found.setdefault(item.dimension, []).append((item.low, item.high))
    for letter, digits in _FAULT.findall(text):
        found.setdefault(f"code {letter.lower()}", []).append((float(digits), float(digits)))
    return {**found, **_campaigns(text)}


def _ranges(text: str) -> _Figures:
    """What a reply says that it holds for: "170–176 cm"."""
    ranged = [item for item in quantities(text) if item.dimension in _DECIDING and item.low < item.high]
    return {
        dimension: [(item.low, item.high) for item in ranged if item.dimension == dimension]
        for dimension in {item.dimension for item in ranged}
    }


def _campaigns(text: str) -> _Figures:
    named = [float(_CAMPAIGNS[(one or other).lower()]) for one, other in _CAMPAIGN.findall(text)]
    return {"campaign": [(number, number) for number in named]} if named else {}


def _meet(ones: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]) -> bool:
    return any(
        low <= other_high and other_low <= high for low, high in ones for other_low, other_high in others
    )
