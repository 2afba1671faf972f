"""The fields and table rows of a document as labels with values, and the one that a question asks for. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.language import fold
from ingest.models import Passage
from kb_service.replying.asking import Ask, meant
from kb_service.replying.attributes import Attribute, asked_for, attribute_of
from kb_service.replying.excerpts import Likeness

NEAR = 0.4
"""Cosine from which a label of another wording is what a question asks for."""
TABLE = 8
"""Rows of a table that are sent together when the question tells none of them apart."""

_GENERIC = frozenset(
    fold(name)
    for name in [
        "项目",
        "参数",
        "规格",
        "属性",
        "名称",
        "部位",
        "参数名",
        "内容",
        "数值",
        "参数值",
        "item",
        "feature",
        "spec",
        "attribute",
        "property",
        "specification",
        "name",
        "part",
        "parameter",
    ]
)
_TWO = re.compile(r"([^：:；;]{1,60})[：:]\s?(.+?)[；;]\s?([^：:；;]{1,60})[：:]\s?(.+)", re.DOTALL)
_ONE = re.compile(r"([^：:\n]{1,200})[：:]\s?(.*)", re.DOTALL)
_BETWEEN = re.compile(r"\s+[/／]\s+")


@dataclass(frozen=True, slots=True)
class Cell:
    """One labelled value; `passage` is the field or row that states it."""

    label: str
    value: str
    passage: Passage

    @property
    def attribute(self) -> Attribute | None:
        return attribute_of(self.label)

    def named(self, language: str, asked: Attribute | None = None) -> str:
        """The label for a reader: in their language where its name in both is known."""
        known = asked or self.attribute
        own = bool(re.search(r"[\u3400-\u9fff]", self.label))
        return known.name(language) if known is not None and own != (language == "zh") else self.label


def cells(passage: Passage) -> tuple[Cell, ...]:
    """A field as one cell, a row of a table of properties as one, "Price / warranty: ¥399 / 12 months" as two.

    Empty for prose and for rows of other tables, which mean something only as a whole.
    """
    if passage.role == "field":
        found = _ONE.fullmatch(passage.text)
        pair = (found.group(1), found.group(2)) if found else None
    elif passage.role == "row":
        row = _TWO.fullmatch(passage.text)
        pair = (row.group(2), row.group(4)) if row and fold(row.group(1)).strip() in _GENERIC else None
    else:
        pair = None
    if pair is None:
        return ()
    labels, values = _BETWEEN.split(pair[0].strip()), _BETWEEN.split(pair[1].strip())
    if len(labels) != len(values):
        return (Cell(pair[0].strip(), pair[1].strip(), passage),)
    return tuple(Cell(label, value, passage) for label, value in zip(labels, values, strict=True))


@dataclass(frozen=True, slots=True)
class Found:
    """What a document says of what is asked: cells, each with the attribute that it was asked for by, or none.

    `fits` tells whether the document speaks of it at all.
    """

    cells: tuple[tuple[Cell, Attribute | None], ...]
    fits: bool


def find(
    question: str,
    shown: Passage,
    document: Sequence[Passage],
    likeness: Likeness | None,
    *,
    names: Sequence[str],
) -> Found:
    """The cells of a product's document that a question asks for.

    `shown` is the passage that the search found, `document` all passages of its document, `names` what the
    product is called: those words of a question tell no field apart. Attributes that are known by name decide
    first; then the words of the labels; then, for a passage that would be shown without sharing a word with the
    question, the meaning of the labels. A product that says nothing of an attribute does not fit the question.
    """
    asked = asked_for(question)
    held = [cell for passage in document for cell in cells(passage)]
    features = [attribute for attribute in asked if attribute.is_feature]
    told = [
        cell for cell in held if any(a.spoken_of(f"{cell.label} {cell.value}") for a in features or asked)
    ]
    if features and told:
        return Found(tuple((cell, None) for cell in told[:1]), True)
    labelled = (
        [] if features else [(cell, a) for a in asked if (cell := _labelled(held, a, shown)) is not None]
    )
    if labelled:
        return Found(tuple(labelled), True)
    if asked:
        said = [text for passage in document for text in (passage.text, *passage.section)]
        spoken = any(attribute.spoken_of(text) for attribute in asked for text in said)
        return Found(tuple((cell, None) for cell in told[:1] or cells(shown)[:1]), spoken)
    return _by_words(question, shown, held, likeness, names)


def _labelled(held: Sequence[Cell], attribute: Attribute, shown: Passage) -> Cell | None:
    """The cell of an attribute: of several the shown one, then the one whose label says it most plainly."""
    found = [cell for cell in held if attribute.labelled(cell.label)]
    return min(
        found,
        key=lambda cell: (fold(cell.label) not in attribute.labels, cell.passage.id != shown.id),
        default=None,
    )


def _by_words(
    question: str, shown: Passage, held: Sequence[Cell], likeness: Likeness | None, names: Sequence[str]
) -> Found:
    own = next((cell for cell in held if cell.passage.id == shown.id), None)
    if own is None:
        return Found((), True)
    asked = meant(question) - {term for name in names for term in meant(name)}
    shares = [len(asked & meant(cell.label)) / (1 + len(meant(cell.label))) for cell in held]
    if max(shares) > 0 and not asked & meant(f"{own.label} {own.value}"):
        best = held[max(range(len(held)), key=lambda place: (shares[place], -place))]
        return Found(((best, None),), True)
    if not asked or asked & meant(shown.text):
        return Found(((own, None),), True)
    if likeness is None:
        return Found(((own, None),), not _same_script(question, shown.text))
    near = likeness([cell.label for cell in held])  # few labels serve all products, so they stay encoded
    place = max(range(len(held)), key=lambda number: near[number])
    return Found(((held[place], None),), near[place] >= NEAR)


def _same_script(one: str, other: str) -> bool:
    han = re.compile(r"[\u3400-\u9fff]")
    return bool(han.search(one)) == bool(han.search(other))


def rows_that_answer(shown: Passage, document: Sequence[Passage], ask: Ask) -> tuple[Passage, ...]:
    """The rows that the question names: the whole table where it names nothing that tells its rows apart.

    Of a long table only what the caller says the question is about can tell rows apart; else the row that was found
    stands.
    """
    table = _table(shown, document)
    if len(table) < 2 or (len(table) > TABLE and not ask.about):
        return (shown,)
    held = [meant(row.text) for row in table]
    common = frozenset.intersection(*held)
    if named := _named(table, held, ask.about - common):
        return named
    if len(table) > TABLE:
        return (shown,)
    return _most(table, held, ask.terms - ask.known - common) or tuple(table)


def _named(
    table: Sequence[Passage], held: Sequence[frozenset[str]], words: frozenset[str]
) -> tuple[Passage, ...]:
    """The rows of what has these words for names: by its model where a row names that, else by two words at least,
    since a desk lamp is no desk."""
    models = frozenset(word for word in words if any(map(str.isdigit, word)))
    if rows := _most(table, held, models):
        return rows
    return _most(table, held, words) if max(len(words & terms) for terms in held) > 1 else ()


def _most(
    table: Sequence[Passage], held: Sequence[frozenset[str]], words: frozenset[str]
) -> tuple[Passage, ...]:
    """The rows that hold most of some words; none where none holds any."""
    told = [len(words & terms) for terms in held]
    return (
        tuple(row for row, count in zip(table, told, strict=True) if count == max(told)) if max(told) else ()
    )


def lead_in(shown: Passage, document: Sequence[Passage]) -> Passage | None:
    """The passage that introduces a row's table and ends with a colon."""
    table = _table(shown, document)
    first = table[0].ordinal if table else shown.ordinal
    before = next((passage for passage in document if passage.ordinal == first - 1), None)
    if before is None or before.role != "prose":
        return None
    return before if before.text.rstrip().endswith(("：", ":")) else None


def introduced(shown: Passage, document: Sequence[Passage]) -> Passage | None:
    """The first row of the table that a passage introduces with a colon."""
    following = next((passage for passage in document if passage.ordinal == shown.ordinal + 1), None)
    if following is None or following.role != "row":
        return None
    return following if shown.text.rstrip().endswith(("：", ":")) else None


def _table(shown: Passage, document: Sequence[Passage]) -> list[Passage]:
    """The rows around `shown` with the same section and headers."""
    for _, run in itertools.groupby(document, key=table_of):
        rows = list(run)
        if shown.role == "row" and shown in rows:
            return rows
    return []


def table_of(passage: Passage) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """What the rows of one table have in common; None for a passage that is no row."""
    return (passage.section, _headers(passage)) if passage.role == "row" else None


def _headers(row: Passage) -> tuple[str, ...]:
    return tuple(
        part.partition("：")[0].partition(":")[0].strip() for part in re.split(r"[；;]\s?", row.text)
    )[:1]
