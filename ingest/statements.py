"""What a document states that another may contradict: amounts, times and shares, what may and may not be done. Pure.

A statement carries what it is about in terms that are the same in Chinese and English, so that sentences of both
languages can be compared, and the words of its own language, which tell more within one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.language import content_words, sentences
from ingest.models import Passage
from ingest.quantities import Quantity, quantities
from ingest.shop_terms import Term, terms

ACTS = frozenset(
    {
        "returning", "exchange", "refund", "cancellation", "use", "address_change", "pick_up", "invoice", "repair",
        "trade_in", "dispatch", "warranty", "installation", "extension", "free_delivery", "price_protection",
    }
)  # fmt: skip
"""Matters that a shop allows or refuses."""
LONGEST = 240
"""Characters of a sentence from which it is no rule but a story, and is left out."""

_PROHIBITS = re.compile(
    r"不支持|不可以?|不能|不予|不接受|不得|不允许|不提供|不参加|不参与|不享受|恕不|禁止|概不|谢绝|[改退换用取消开]不了"
    r"|无法(?=退|换|申请|取消)|(?<!退)不(?=退|换)"
    r"|(?<![a-z])(?:cannot|can't|can not|may not|must not|are not|is not|not (?:be )?(?:returned|returnable|accepted"
    r"|eligible|refunded|refundable|exchanged|allowed|possible|covered)|do(?:es)? not (?:accept|ship|cover|offer|allow)"
    r"|no (?:returns?|refunds?|exchanges?)|non-?(?:returnable|refundable)|excluded from|final sale)(?![a-z])"
)
_PERMITS = re.compile(
    r"(?<!不)可以|(?<!不)可(?=申请|退|换|用|取消|修改|改|补|开|延)|(?<!不)支持|(?<![不才])能(?=退|换|用|取消|改|开)"
    r"|允许|均可|照常(?=退|换)|接受(?=退|换)"
    r"|(?<![a-z])(?:can(?! ?not)|may(?! not)|(?:is|are) (?:fine|accepted|eligible|allowed|possible|returnable"
    r"|refundable)|we accept|eligible for|entitled to|allowed to|go back|goes back)(?![a-z'])"
)
_QUALIFIES = re.compile(
    r"除非|除了|除外|除[^，。；]{1,16}外|之前|之后|开始前|开始后|如果|若|"
    r"(?<![a-z])(?:if|unless|until|except(?:ed|ing)?|other than|when|while|before|after)(?![a-z])"
)
_ASKS = re.compile(r"[?？]\s*$|(?:吗|呢)[。\s]*$")
_CLAUSE = re.compile(
    r"[，；;。]|,(?!\d)|(?<!\d)[:：]|[:：](?!\d)|[(（]|[)）]|、(?=[^、]{0,12}\d)|\.(?=\s)| [–—-] "
)
_CELL = re.compile(r"；|;\s")
_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Z]{1,10}-?\d{1,5}[A-Z]?(?![A-Za-z0-9])")
_YEAR = re.compile(r"(?<!\d)20\d\d(?!\d)")
_NOWHERE, _END = Quantity("", 0, 0, "plain", 0, 0), Quantity("", 0, 0, "plain", LONGEST * 10, LONGEST * 10)
_PLACEHOLDER = re.compile(r"\{[A-Za-z][\w.]*\}")


@dataclass(frozen=True, slots=True)
class About:
    """What a stretch of text is about, by sort of term. `codes` are model numbers, `words` content words."""

    matters: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()
    parties: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    goods: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence or table row, as far as it concerns one quantity or one permission.

    `text` is the document's text from `start` to `end`. `own` is about the part of it that states `quantity`, or
    permits (True) or prohibits (False) the `acts`; `around` is about the headings, title or question above it.
    `qualified`: an "if", an "until" or an "except" limits what is permitted or prohibited.
    """

    passage_id: str
    section: tuple[str, ...]
    text: str
    start: int
    end: int
    own: About
    around: About
    quantity: Quantity | None = None
    permits: bool | None = None
    acts: frozenset[str] = frozenset()
    qualified: bool = False


def statements(title: str, passages: Iterable[Passage]) -> tuple[Statement, ...]:
    """The statements of a document's passages, in order.

    Headings, questions and what depends on a placeholder are none. `title` is the document's.
    """
    found: list[Statement] = []
    above: dict[str, About] = {}
    for passage in passages:
        if passage.role in ("heading", "question"):
            continue
        heading = passage.context or title
        if heading not in above:
            above[heading] = _about(heading, terms(heading), 0, len(heading), years=False)
        for start, end in _units(passage):
            found += _of_sentence(passage, start, end, above[heading])
    return tuple(found)


def _units(passage: Passage) -> Iterator[tuple[int, int]]:
    text = passage.text
    spans = [(0, len(text))] if passage.role == "row" else sentences(text)
    for start, end in spans:
        said = text[start:end]
        if end - start <= LONGEST and not _ASKS.search(said) and not _PLACEHOLDER.search(said):
            yield start, end


def _of_sentence(passage: Passage, start: int, end: int, around: About) -> Iterator[Statement]:
    said = passage.text[start:end]
    measured = quantities(said)
    modal = passage.role != "row" and bool(_PROHIBITS.search(said) or _PERMITS.search(said.lower()))
    if not measured and not modal:
        return
    mentioned = terms(said)
    where = (passage.id, passage.section, said, passage.start + start, passage.start + end)
    clauses = _clauses(said, _CELL if passage.role == "row" else _CLAUSE)
    subject = clauses[0] if passage.role in ("row", "field") else None
    for place, quantity in enumerate(measured):
        begin, stop = _stretch(measured, place, clauses, alone=subject is not None)
        own = _about(said, mentioned, begin, stop)
        if subject is not None and subject[0] != begin:
            own = _joined(_about(said, mentioned, *subject), own)
        yield Statement(*where, own, around, quantity=quantity)
    if modal:
        yield from _permissions(said, mentioned, clauses, where, around)


def _permissions(
    said: str,
    mentioned: Sequence[Term],
    clauses: Sequence[tuple[int, int]],
    where: tuple[str, tuple[str, ...], str, int, int],
    around: About,
) -> Iterator[Statement]:
    """At most one statement a sentence: a sentence that both allows and refuses says under which condition."""
    lowered = said.lower()
    allowed: set[str] = set()
    refused: set[str] = set()
    end = 0
    for begin, stop in clauses:
        named = {term.name for term in mentioned if begin <= term.start < stop and term.name in ACTS}
        if named and _PROHIBITS.search(lowered[begin:stop]):
            refused |= named
            end = stop
        elif named and _PERMITS.search(lowered[begin:stop]):
            allowed |= named
            end = stop
        elif begin == end > 0 and _QUALIFIES.search(lowered[begin:stop]):
            end = stop
    if bool(allowed) != bool(refused):
        # What follows, such as "faults are handled as usual", tells of other cases.
        own = _about(said, mentioned, 0, end)
        limited = bool(_QUALIFIES.search(lowered))
        acts = frozenset(allowed | refused)
        yield Statement(*where, own, around, permits=bool(allowed), acts=acts, qualified=limited)


def _clauses(said: str, separator: re.Pattern[str]) -> list[tuple[int, int]]:
    cuts = [0, *(match.end() for match in separator.finditer(said)), len(said)]
    return [(begin, stop) for begin, stop in pairwise(cuts) if said[begin:stop].strip()] or [(0, len(said))]


def _stretch(
    measured: Sequence[Quantity], place: int, clauses: Sequence[tuple[int, int]], *, alone: bool
) -> tuple[int, int]:
    """The part of a sentence that one quantity belongs to: its clause, with neighbours that hold no quantity.

    A clause with several quantities of one dimension is cut between them. `alone`: the clause without neighbours.
    """
    quantity = measured[place]
    here = next(
        (n for n, (begin, stop) in enumerate(clauses) if begin <= quantity.start < stop), len(clauses) - 1
    )
    begin, stop = clauses[here]
    if not alone:
        first = last = here
        while first > 0 and not _holds(clauses[first - 1], measured):
            first -= 1
        while last + 1 < len(clauses) and not _holds(clauses[last + 1], measured):
            last += 1
        begin, stop = clauses[first][0], clauses[last][1]
    alike = [item for item in measured if item.dimension == quantity.dimension and item is not quantity]
    begin = max([begin, *(item.end for item in alike if item.end <= quantity.start)])
    stop = min([stop, *(item.start for item in alike if item.start >= quantity.end)])
    return begin, stop


def _holds(clause: tuple[int, int], measured: Sequence[Quantity]) -> bool:
    return any(clause[0] <= item.start < clause[1] for item in measured)


def _about(text: str, mentioned: Sequence[Term], begin: int, stop: int, *, years: bool = True) -> About:
    """Years tell the columns of a table apart; in a title they say what the validity says."""
    by_sort: dict[str, set[str]] = {}
    for term in mentioned:
        if begin <= term.start < stop:
            by_sort.setdefault(term.sort, set()).add(term.name)
    part = text[begin:stop]
    unmeasured = "".join(
        part[one.end : other.start] for one, other in pairwise((_NOWHERE, *quantities(part), _END))
    )
    codes = {code.replace("-", "") for code in _CODE.findall(part)}
    conditions = by_sort.get("condition", set()) | set(_YEAR.findall(part) if years else ())
    return About(
        matters=frozenset(by_sort.get("matter", ())),
        objects=frozenset(by_sort.get("object", ())),
        conditions=frozenset(conditions),
        parties=frozenset(by_sort.get("party", ())),
        places=frozenset(by_sort.get("place", ())),
        goods=frozenset(by_sort.get("goods", ())),
        codes=frozenset(codes),
        words=frozenset(word for word in content_words(unmeasured) if not word[0].isdigit()),
    )


def _joined(one: About, other: About) -> About:
    return About(*(getattr(one, name) | getattr(other, name) for name in About.__slots__))
