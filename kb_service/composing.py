"""From a hit to a reply worth sending: extractive, exact, with placeholders filled and its source cited. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.models import Passage
from kb_service.models import Citation, Why
from kb_service.replying.asking import Ask, ask, meaning
from kb_service.replying.attributes import Attribute
from kb_service.replying.cells import Cell, find, introduced, lead_in, rows_that_answer
from kb_service.replying.excerpts import Likeness, Nearness, best_passage, excerpt
from kb_service.replying.measured_rows import measured_row
from kb_service.replying.openings import wrong_yes
from kb_service.replying.placeholders import fill
from kb_service.replying.regional_rows import Placed, for_region
from kb_service.replying.stating import field_sentence, row_sentence
from kb_service.search.models import Hit

HAN = re.compile(r"[\u3400-\u9fff]")
NEARLY_THE_SAME = 0.75
"""Likeness to a past question from which it counts as nearly the same."""

WHY: Mapping[str, Mapping[str, str]] = {
    "similar_resolution": {
        "zh": "过去有顾客问过几乎同样的问题：“{text}”",
        "en": "A customer asked nearly the same before: “{text}”",
    },
    "related_resolution": {
        "zh": "过去解决过的相关问题：“{text}”",
        "en": "A related question that was resolved before: “{text}”",
    },
    "faq_match": {"zh": "常见问题：“{text}”", "en": "A frequent question: “{text}”"},
    "policy_match": {"zh": "现行政策的相关条款：{text}", "en": "The section of the policy in force: {text}"},
    "product_match": {"zh": "商品资料：{text}", "en": "The product's data: {text}"},
    "problem_answer": {
        "zh": "这类问题以往的处理记录指向它",
        "en": "What is known of such problems points to it",
    },
    "learned": {
        "zh": "这里的客服常用它，而不用排在它前面的答案",
        "en": "Agents here use it rather than what stood above it",
    },
    "words": {
        "zh": "问题中 {share:.0%} 的关键信息在文中出现",
        "en": "{share:.0%} of what the question names stands there",
    },
}


@dataclass(frozen=True, slots=True)
class Composed:
    """A reply with the spans that it was taken from, in the order of the text.

    `template` is the reply before its placeholders were filled. `fits` is False when the document says nothing
    of what is asked.
    """

    text: str
    missing: tuple[str, ...]
    citations: tuple[Citation, ...]
    why: tuple[Why, ...]
    template: str = ""
    fits: bool = True

    @property
    def citation(self) -> Citation:
        return self.citations[0]


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a hit's document besides its best passage.

    `passages` are all of the document's, in order, or none where they are not at hand; `names` what its product
    is called; `likeness` compares texts with the question by meaning, None where the encoder reads too little; `near`
    tells how near the document's passages are to it.
    """

    passages: Sequence[Passage] = ()
    names: Sequence[str] = ()
    likeness: Likeness | None = None
    near: Nearness | None = None


@dataclass(frozen=True, slots=True)
class _Worded:
    text: str
    spans: tuple[tuple[Passage, int, int], ...]
    """Offsets in the document, with the passage that holds them."""
    fits: bool = True


def compose_reply(
    hit: Hit,
    query: str,
    context: Mapping[str, str],
    language: str,
    source: Source | None = None,
    *,
    clauses: Sequence[str] = (),
    about: Sequence[str] = (),
    place: Sequence[str] = (),
    told_in: str | None = None,
) -> Composed:
    """The reply that a hit gives to a question in `language`, with its reasons in `told_in`, zh or en, or else in the
    question's.

    A reply of a resolution or an FAQ is given whole; of prose the sentences that answer; of a product the field
    that is asked for, or else the row or sentence that was found; of another table the row, or the table where
    the question tells no row apart. `clauses` are the parts of the question that this document answers, when
    others answer the rest. `about` names what the caller says the question is about, and `place` where the customer is:
    they tell rows apart.
    """
    source = source or Source()
    known = " ".join((hit.title, *source.names))
    asks = tuple(ask(clause, known=known) for clause in clauses or (query,))
    document = source.passages or (shown_passage(hit),)
    placed = for_region(document, place, query) if hit.kind != "product" else Placed(tuple(document))
    worded = _worded(hit, tuple(meaning(one, about) for one in asks), source, language, placed)
    if written_for := " ".join(passage.text for passage in source.passages if passage.role == "question"):
        worded = _without(worded, wrong_yes(worded.text, query, written_for))
    text, missing = fill(worded.text, context)
    citations = tuple(_citation(hit, passage, start, end) for passage, start, end in worded.spans)
    return Composed(text, missing, citations, _reasons(hit, told_in or language), worded.text, worded.fits)


def _citation(hit: Hit, passage: Passage, start: int, end: int) -> Citation:
    return Citation(
        document_id=hit.external_id,
        title=hit.title,
        url=hit.url,
        section=passage.section,
        quote=passage.text[start - passage.start : end - passage.start],
        start=start,
        end=end,
        valid_from=hit.valid_from,
        valid_to=hit.valid_to,
    )


def shown_passage(hit: Hit, passages: Sequence[Passage] = ()) -> Passage:
    """The passage that a hit quotes."""
    known = next((passage for passage in passages if passage.id == hit.passage_id), None)
    return known or Passage(
        id=hit.passage_id,
        external_id=hit.external_id,
        version=hit.version,
        ordinal=0,
        role=hit.role,
        text=hit.text,
        start=hit.start,
        end=hit.end,
        section=hit.section,
        context=hit.title,
    )


def _worded(hit: Hit, asks: Sequence[Ask], source: Source, language: str, placed: Placed) -> _Worded:
    """The words of the reply, before placeholders are filled, and where they stand."""
    shown = placed.instead_of(shown_passage(hit, source.passages))
    document, whole = placed.passages, source.passages or placed.passages
    if shown.role in ("prose", "row"):
        shown = best_passage(shown, document, asks[0], preferred=placed.rows, near=source.near)
    if (row := measured_row(asks[0].text, shown, document)) is not None:
        return _measured(hit, row, source)
    fits = True
    if hit.kind == "product":
        names = (hit.title, *source.names)
        found = [find(one.text, shown, document, source.likeness, names=names) for one in asks]
        fits = any(one.fits for one in found)
        if stated := dict.fromkeys(cell for one in found for cell in one.cells):
            return replace(_stated(_subject(hit, source.names), tuple(stated), language), fits=fits)
    if shown.role == "prose" and (table := introduced(shown, whole)) is not None:
        return replace(_rows(hit, placed.instead_of(table), document, asks, source), fits=fits)
    if shown.role == "prose":
        around = " ".join((hit.title, *shown.section))
        spans = excerpt(shown.text, asks, source.likeness, around=around)
        text = _joined(shown.text, spans)
        return _Worded(
            text, tuple((shown, shown.start + begin, shown.start + end) for begin, end in spans), fits
        )
    if shown.role == "row":
        return replace(_rows(hit, shown, document, asks, source), fits=fits)
    text = _about(hit.title, shown.text) if shown.role == "field" else shown.text
    return _Worded(text, (_whole(shown),), fits)


def _without(worded: _Worded, opening: int) -> _Worded:
    """A reply given whole, without so many characters of its beginning."""
    if not opening or len(worded.spans) != 1:
        return worded
    ((passage, start, end),) = worded.spans
    return replace(worded, text=worded.text[opening:], spans=((passage, start + opening, end),))


def _stated(subject: str, stated: Sequence[tuple[Cell, Attribute | None]], language: str) -> _Worded:
    """The fields of a product that are asked for, behind its name."""
    told = [(cell.named(language, attribute), cell.value) for cell, attribute in stated]
    passages = dict.fromkeys(cell.passage for cell, _ in stated)
    return _Worded(field_sentence(subject, told, language), tuple(map(_whole, passages)))


def _rows(
    hit: Hit, shown: Passage, document: Sequence[Passage], asks: Sequence[Ask], source: Source
) -> _Worded:
    """One row under its product or section; a table, or a row with its introduction, line by line: each a sentence."""
    rows = list(dict.fromkeys(row for one in asks for row in rows_that_answer(shown, document, one)))
    introduction = lead_in(shown, source.passages or document)
    subject = _subject(hit, source.names) if hit.kind == "product" else (hit.title, *shown.section)[-1]
    if introduction is not None:
        lines = (introduction.text, *(row_sentence(row.text) for row in rows))
        return _Worded("\n".join(lines), tuple(map(_whole, (introduction, *rows))))
    said = "\n".join(row_sentence(row.text) for row in rows)
    text = _about(subject, said) if len(rows) == 1 else _about(subject, f"\n{said}").replace(" \n", "\n")
    return _Worded(text, tuple(map(_whole, rows)))


def _measured(hit: Hit, row: Passage, source: Source) -> _Worded:
    """The row that holds what the question measures, under its product or section."""
    subject = _subject(hit, source.names) if hit.kind == "product" else (hit.title, *row.section)[-1]
    return _Worded(_about(subject, row_sentence(row.text)), (_whole(row),))


def _whole(passage: Passage) -> tuple[Passage, int, int]:
    return passage, passage.start, passage.end


def _subject(hit: Hit, names: Sequence[str]) -> str:
    """The product's name where the title begins with one, since "…: setup and answers" names a page."""
    begins = [name for name in names if hit.title.startswith(name) and name != hit.title]
    return max(begins, key=len, default=hit.title)


def _about(subject: str, said: str) -> str:
    """What is said, under its subject: a field or a row means nothing by itself."""
    if subject in said:
        return said
    return f"{subject}{'：' if HAN.search(said) and HAN.search(subject) else ': '}{said}"


def _joined(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The spans as one text: on lines of their own where the source has them so."""
    parts = [text[start:end] for start, end in spans[:1]]
    for (_, before), (start, end) in itertools.pairwise(spans):
        apart = "\n" if "\n" in text[before:start] else "" if HAN.match(text[start]) else " "
        parts += [apart, text[start:end]]
    return "".join(parts)


def _reasons(hit: Hit, language: str) -> tuple[Why, ...]:
    spoken = "zh" if language == "zh" else "en"
    code = {
        "resolution": "similar_resolution",
        "faq": "faq_match",
        "policy": "policy_match",
        "product": "product_match",
    }[hit.kind]
    asked = code in ("similar_resolution", "faq_match")
    if code == "similar_resolution" and not _asks_the_same(hit):
        code = "related_resolution"
    shown = hit.title if asked else _place(hit)
    if asked and hit.matched_role == "question":
        shown = hit.matched_text
    found = round(hit.score - hit.graph - hit.learned, 4)
    reasons = [Why(code, WHY[code][spoken].format(text=_shortened(shown)), found)]
    if hit.graph > 0:
        reasons.append(Why("problem_answer", WHY["problem_answer"][spoken], round(hit.graph, 4)))
    if hit.learned > 0:
        reasons.append(Why("learned", WHY["learned"][spoken], round(hit.learned, 4)))
    if hit.coverage > 0:
        share = min(hit.coverage, 1.0)
        reasons.append(Why("words", WHY["words"][spoken].format(share=share), round(share, 4)))
    return tuple(reasons)


def _asks_the_same(hit: Hit) -> bool:
    """Whether the question of a resolution was matched, and closely, by meaning or by words."""
    return hit.matched_role == "question" and max(hit.dense, hit.coverage) >= NEARLY_THE_SAME


def _place(hit: Hit) -> str:
    return " › ".join(dict.fromkeys((hit.title, *hit.section)))


def _shortened(text: str, limit: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
