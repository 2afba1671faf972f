"""The sentences of a passage of prose that answer a question, as spans, with what belongs to them. Pure."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ingest.language import sentences
from ingest.models import Passage
from kb_service.replying.asking import Ask, meant

Span: TypeAlias = tuple[int, int]
Nearness: TypeAlias = Callable[[], Mapping[str, float]]
"""How near in meaning the passages of a document are to the question, as cosines by id; asked for once or never."""
Likeness: TypeAlias = Callable[[Sequence[str]], Sequence[float]]
"""How near in meaning each text is to the question, as cosines; encodes them, so it is called once or never."""

SHORT = 140
"""Half-width characters up to which a passage is sent whole: two short sentences."""
TOLD = 320
"""Half-width characters up to which a passage is sent whole to a message that asks nothing in words."""
WHOLE = 640
"""Half-width characters up to which a passage is sent whole when nothing tells its sentences apart."""
_ITEM = 200
"""Half-width characters up to which the sentences of a list's item stay together."""
_BRIEF = 8
"""Half-width characters up to which a sentence goes with the next one of its paragraph."""
_LIST = 900
"""Half-width characters up to which a list is sent whole when a way or an enumeration is asked for."""
_DECIDED = 0.15
"""Lead of the best sentence by words from which meaning is not asked."""
_NEAR = 0.8
"""Share of the best sentence's score from which another is sent beside it."""
_KIND = 0.6
_MEANING = 1.5
"""What a value of the sought kind, and a cosine of 1, count beside all of the question's words."""

_FOUND = 0.5
"""What it counts that the search found a passage; it knows meaning, and words of other passages are few."""
_STATES = 0.55
"""What it counts that a passage states a value of the sought kind."""
_PREFERRED = 0.6
"""What it counts beside that the passage is for this customer in particular: a little more than being found."""
_KNOWN = 0.35
"""What a word counts that stands in the title or a heading too."""
_AS_NEAR = 0.05
"""How much less near in meaning a passage may be that states the value which the one that was found does not."""
_USUAL, _LONG = 12, 0.06
"""Words from which a passage holds some of a question's by chance, and what each doubling of them costs."""

_MARKER = re.compile(r"(?:[-–•*·●]\s+|\d{1,2}[.、)]\s*|[（(]\d{1,2}[)）]\s*|[①-⑳]\s*)")
_LEADS = re.compile(r"[：:]\s*$")
_EXCEPTION = re.compile(
    r"(?:但是?|不过|然而|除|否则|超过|逾期|如果|如|若|例外|其中|以上|以下|期间|注意"
    r"|(?:but|however|except|unless|otherwise|if|after that|before that|below that|above that|beyond that|without"
    r"|not|only|in that case)\b)",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"(?:但是?|不过|然而|否则|其中|该|其(?!他)|这|那|它|上述|同样|此时|也|再|还"
    r"|(?:but|however|otherwise|that|this|these|those|it|its|they|them|their|then|after that|before that|below that"
    r"|above that|such|the extension|both)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Unit:
    """One sentence. `block` numbers its paragraph or list item; `lead` is the unit that introduces the list."""

    start: int
    end: int
    block: int
    item: bool
    lead: int | None


def excerpt(
    text: str, asks: Sequence[Ask], likeness: Likeness | None, *, around: str = ""
) -> tuple[Span, ...]:
    """The spans of `text` that answer, in the order of the text, whole sentences each.

    `asks` are the question, or the clauses of it that this passage answers; `around` is what stands above the
    passage, its headings: words that are found there tell no sentence apart. Sentences are compared by the
    question's words (those that few sentences hold count more), by whether they state a value of the sought
    kind, and, where that leaves two of them close, by meaning. Conditions and exceptions that follow a
    sentence, a list's introduction, and the sentence that a pronoun refers to stay with it.
    """
    units = _units(text)
    longest = SHORT if any(ask.questions for ask in asks) else TOLD
    if len(units) < 2 or _width(text) <= longest:
        return ((0, len(text)),)
    chosen: set[int] = set()
    for ask in asks:
        best = _chosen(text, units, ask, likeness, around)
        if not best:
            return ((0, len(text)),) if _width(text) <= WHOLE else _opening(units)
        chosen |= _with_what_belongs(text, units, best, ask)
    return _spans(text, units, chosen)


def best_passage(
    shown: Passage,
    document: Sequence[Passage],
    ask: Ask,
    *,
    preferred: frozenset[str] = frozenset(),
    near: Nearness | None = None,
) -> Passage:
    """The passage of a document that a question is about: the one that was found, unless words clearly say other.

    Words count by how few passages of the document hold them, in the text or its headings. Another passage must
    hold more of them than the shown one by far, or state the value that is asked for where that one does not.
    `preferred` are the ids of passages that are for this customer in particular: they count more where they state it.
    Where no passage holds any of the words, as in another language, one that states the value is taken that is about
    as `near` in meaning.
    """
    if len(document) < 2 or not (ask.terms or preferred):
        return shown
    held = [meant(" ".join((*passage.section, passage.text))) for passage in document]
    weights = {
        term: math.log(1 + len(document) / count) * (_KNOWN if term in ask.known else 1.0)
        for term in ask.terms
        if 0 < (count := sum(term in terms for terms in held)) < len(document)
    }
    whole = sum(weights.values())
    if not whole and not preferred:
        return _stating_as_near(shown, document, ask, near)

    def suits(place: int) -> float:
        passage = document[place]
        length = max(math.log2(len(held[place]) / _USUAL), 0.0) if held[place] else 0.0
        share = sum(weights.get(term, 0.0) for term in held[place]) / whole if whole else 0.0
        value = _STATES if ask.seeks_value and ask.holds(passage.text) else 0.0
        value += _PREFERRED if value and passage.id in preferred else 0.0
        return share + value - _LONG * length + (_FOUND if passage.id == shown.id else 0.0)

    readable = [place for place, passage in enumerate(document) if passage.role in ("prose", "row")]
    return document[max(readable, key=lambda place: (suits(place), -place))] if readable else shown


def _stating_as_near(
    shown: Passage, document: Sequence[Passage], ask: Ask, nearness: Nearness | None
) -> Passage:
    if nearness is None or not ask.seeks_value or ask.holds(shown.text):
        return shown
    near = nearness()
    if shown.id not in near:
        return shown
    stating = [
        passage
        for passage in document
        if passage.role in ("prose", "row")
        and near.get(passage.id, -1.0) > near[shown.id] - _AS_NEAR
        and ask.holds(passage.text)
    ]
    return max(stating, key=lambda passage: near[passage.id], default=shown)


def _units(text: str) -> list[_Unit]:
    units: list[_Unit] = []
    block, lead, held = -1, None, ""
    lines = _lines(text)
    for start, end in sentences(text):
        if units and start not in lines and _one(text, units[-1], held, end):
            last = units.pop()
            units.append(_Unit(last.start, end, last.block, last.item, last.lead))
        else:
            begins = start in lines
            item = bool(_MARKER.match(text[start:end])) if begins else bool(units) and units[-1].item
            if begins:
                if item and not (units and units[-1].item):
                    lead = len(units) - 1 if units and _LEADS.search(held) else None
                block += 1
            units.append(_Unit(start, end, block, item, lead if item else None))
        held = text[start:end]
    return units


def _one(text: str, unit: _Unit, held: str, end: int) -> bool:
    """Whether a sentence goes on with the unit before: a semicolon joins them, or they make one item of a list."""
    brief = _width(text[unit.start : unit.end]) <= _BRIEF  # "可以。" alone says too little
    return (
        brief
        or held.rstrip().endswith(("；", ";"))
        or (unit.item and _width(text[unit.start : end]) <= _ITEM)
    )


def _lines(text: str) -> set[int]:
    """Where lines begin, behind their white space."""
    starts = [0, *(mark.end() for mark in re.finditer(r"\n", text))]
    return {start + len(text[start:]) - len(text[start:].lstrip()) for start in starts}


def _chosen(text: str, units: Sequence[_Unit], ask: Ask, likeness: Likeness | None, around: str) -> list[int]:
    """The sentences that answer best; none when nothing tells them apart."""
    said = [text[unit.start : unit.end] for unit in units]
    held = [meant(sentence) for sentence in said]
    above = ask.known | meant(around)
    weights = {
        term: math.log(1 + len(units) / count) * (_KNOWN if term in above else 1.0)
        for term in ask.terms
        if 0 < (count := sum(term in terms for terms in held)) < len(units)
    }
    whole = sum(weights.values())
    scores = [
        (sum(weights.get(term, 0.0) for term in terms) / whole if whole else 0.0) * min(1.0, 0.4 + whole / 2)
        + (_KIND if ask.holds(sentence) else 0.0)
        for terms, sentence in zip(held, said, strict=True)
    ]
    ranked = sorted(scores, reverse=True)
    if likeness is not None and (ranked[0] - ranked[1] < _DECIDED or not whole):
        near = likeness(said)
        scores = [score + _MEANING * max(cosine, 0.0) for score, cosine in zip(scores, near, strict=True)]
    elif ranked[0] == 0 or (not whole and sum(score > 0 for score in scores) > 2):
        return []
    top = max(scores)
    return [number for number, score in enumerate(scores) if score >= _NEAR * top and score > 0][:3]


def _with_what_belongs(text: str, units: Sequence[_Unit], best: Sequence[int], ask: Ask) -> set[int]:
    kept = set(best)
    for number in best:
        kept |= _listed(units, number, ask)
    for number in sorted(kept):
        unit = units[number]
        if unit.lead is not None:
            kept.add(unit.lead)
        follower = number + 1
        while follower < len(units) and _belongs(text, unit, units[follower]) and follower <= number + 2:
            kept.add(follower)
            follower += 1
        if _REFERS.match(_bare(text, unit)) and number and units[number - 1].block == unit.block:
            kept.add(number - 1)
    return kept


def _listed(units: Sequence[_Unit], number: int, ask: Ask) -> set[int]:
    """The whole list: of steps when a way is asked for, of items when they are, and after its introduction."""
    unit = units[number]
    introduces = number + 1 < len(units) and units[number + 1].lead == number
    wanted = introduces or (unit.item and not ask.seeks_value and bool(ask.sought & {"way", "items"}))
    if not wanted:
        return set()
    begin = end = number + 1 if introduces else number
    while begin > 0 and units[begin - 1].item and units[begin - 1].lead == units[end].lead:
        begin -= 1
    while end + 1 < len(units) and units[end + 1].item and units[end + 1].lead == units[begin].lead:
        end += 1
    width = 2 * (units[end].end - units[begin].start)
    return set(range(begin, end + 1)) if width <= 2 * _LIST else set()


def _belongs(text: str, unit: _Unit, following: _Unit) -> bool:
    """Whether the next sentence of the same paragraph or item limits what was said."""
    return following.block == unit.block and bool(_EXCEPTION.match(_bare(text, following)))


def _bare(text: str, unit: _Unit) -> str:
    said = text[unit.start : unit.end]
    marker = _MARKER.match(said) if unit.item else None
    return said[marker.end() :] if marker else said


def _spans(text: str, units: Sequence[_Unit], chosen: set[int]) -> tuple[Span, ...]:
    """The sentences as spans, neighbours joined; a single item of a list is quoted without its marker."""
    spans: list[Span] = []
    for _, run in itertools.groupby(enumerate(sorted(chosen)), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        first, last = units[numbers[0]], units[numbers[-1]]
        start = first.start
        if first.item and first.block == last.block:
            start = first.end - len(_bare(text, first))
        spans.append((start, last.end))
    return tuple(spans)


def _opening(units: Sequence[_Unit]) -> tuple[Span, ...]:
    """The begin of a long passage, up to what may be sent whole."""
    last = 0
    while last + 1 < len(units) and 2 * (units[last + 1].end - units[0].start) <= WHOLE:
        last += 1
    return ((units[0].start, units[last].end),)


def _width(text: str) -> int:
    """Half-width characters: one that is not Latin counts two."""
    return sum(1 if ord(character) < 0x1100 else 2 for character in text)
