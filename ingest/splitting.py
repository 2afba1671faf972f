"""Document to Passages: by heading, by row, by half of a dialogue, and prose by sentences. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import TypeAlias

from ingest.language import sentences
from ingest.models import Block, Document, Passage, Role, passage_id

LIMIT = 900
"""Half-width characters of a passage: about 900 letters of English or 450 Chinese characters, 200 to 300
tokens of a multilingual encoder."""

_LONGEST_CONTEXT = 240
_LONGEST_QUESTION = 120
_SEPARATOR = " › "
_WIDE = re.compile(
    "[\u1100-\u11ff\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60"
    "\U0001f300-\U0001faff\U00020000-\U0003ffff]"
)

Span: TypeAlias = tuple[int, int]


def split(document: Document, *, workspace: str, version: int, limit: int = LIMIT) -> tuple[Passage, ...]:
    """The passages of a document, in the order of its text.

    Prose is packed sentence by sentence to at most `limit` half-width characters (a Chinese character
    counts two) and never across headings; a short rest stays with the passage before it, which may then
    hold a fifth more. A row, a field, a question and a reply are passages of their own; one longer than
    twice the limit is split like prose. A heading is a passage only when nothing stands under it. What no
    block covers counts as prose. Together the passages hold every character that is neither white space
    nor in a heading exactly once, and each `text` is `document.text[start:end]`.
    """
    if limit < 20:
        raise ValueError(f"limit must be at least 20 half-width characters, not {limit}")
    passages: list[Passage] = []
    question = _question(document)
    for role, section, (start, end) in _pieces(document, limit):
        text = document.text[start:end]
        ordinal = len(passages)
        passages.append(
            Passage(
                id=passage_id(workspace, document.external_id, version, ordinal),
                external_id=document.external_id,
                version=version,
                ordinal=ordinal,
                role=role,
                text=text,
                start=start,
                end=end,
                section=section,
                context=_context(document.title, section, question if role == "reply" else "", text, role),
            )
        )
    return tuple(passages)


def _pieces(document: Document, limit: int) -> Iterator[tuple[Role, tuple[str, ...], Span]]:
    blocks = _covering(document)
    prose: list[Span] = []
    for number, block in enumerate(blocks):
        span = _trimmed(document.text, block.start, block.end)
        following = blocks[number + 1] if number + 1 < len(blocks) else None
        if block.role == "prose":
            prose.append(span)
            if following is None or following.role != "prose" or following.section != block.section:
                yield from (
                    ("prose", block.section, packed) for packed in _packed(document.text, prose, limit)
                )
                prose = []
        elif block.role != "heading":
            longest = 2 * limit
            spans = (
                [span]
                if _width(document.text[slice(*span)]) <= longest
                else _packed(document.text, [span], limit)
            )
            yield from ((block.role, block.section, piece) for piece in spans)
        elif _bare(block, following) and not (len(blocks) > 1 and _names(document, span)):
            yield "heading", block.section, span


def _bare(heading: Block, following: Block | None) -> bool:
    """Whether no text and no deeper heading stands under a heading."""
    if following is None:
        return True
    return following.role == "heading" and len(following.section) <= len(heading.section)


def _names(document: Document, heading: Span) -> bool:
    """Whether a heading is the document's title, which every passage carries already."""
    return " ".join(document.text[slice(*heading)].split()) == document.title


def _covering(document: Document) -> list[Block]:
    """The document's blocks that hold text, and prose blocks for text between them."""
    covering: list[Block] = []
    end = 0
    section: tuple[str, ...] = ()
    for block in (*document.blocks, Block("prose", len(document.text), len(document.text))):
        if document.text[end : block.start].strip():
            covering.append(Block("prose", end, block.start, section))
        if document.text[block.start : block.end].strip():
            covering.append(block)
            heading = " ".join(document.text[block.start : block.end].split())
            section = (*block.section, heading) if block.role == "heading" else block.section
        end = max(end, block.end)
    return covering


def _packed(text: str, spans: list[Span], limit: int) -> list[Span]:
    """Neighbouring spans as few spans of at most `limit`, cut between sentences where need be.

    A paragraph that fits the rest of a passage joins it whole; one that does not begins a new passage when
    the one before is at least half full.
    """
    packed: list[Span] = []
    begin, end, held = -1, 0, 0  # the open passage and its width
    for paragraph in spans:
        room = begin >= 0 and held + _width(text[end : paragraph[1]]) <= limit
        if begin >= 0 and not room and 2 * held >= limit:
            packed.append((begin, end))
            begin = -1
        for unit in [paragraph] if room else _sentences(text, paragraph, limit):
            more = _width(text[end : unit[1]]) if begin >= 0 else 0
            if begin >= 0 and held + more > limit:
                packed.append((begin, end))
                begin = -1
            if begin < 0:
                begin, held, more = unit[0], 0, _width(text[slice(*unit)])
            end, held = unit[1], held + more
    if begin >= 0:
        packed.append((begin, end))
    return _without_rest(text, packed, limit)


def _without_rest(text: str, packed: list[Span], limit: int) -> list[Span]:
    """The last two spans as one when the last is short: half a sentence alone is found by nobody."""
    if len(packed) > 1:
        (begin, _), (last, end) = packed[-2:]
        if 5 * _width(text[last:end]) <= limit and 5 * _width(text[begin:end]) <= 6 * limit:
            return [*packed[:-2], (begin, end)]
    return packed


def _sentences(text: str, span: Span, limit: int) -> list[Span]:
    start, end = span
    units: list[Span] = []
    for begin, stop in sentences(text[start:end]):
        sentence = (start + begin, start + stop)
        units += [sentence] if _width(text[slice(*sentence)]) <= limit else _fragments(text, sentence, limit)
    return units


_PAUSE = re.compile(r"[，、：；]|[,:;](?=\s)|[\n\t]")


def _fragments(text: str, span: Span, limit: int) -> list[Span]:
    """A sentence beyond the limit, cut after its commas, and between words where it has none."""
    start, end = span
    cuts = [start, *(mark.end() for mark in _PAUSE.finditer(text, start, end)), end]
    units: list[Span] = []
    for left, right in itertools.pairwise(cuts):
        piece = _trimmed(text, left, right)
        if piece[0] < piece[1]:
            units += [piece] if _width(text[slice(*piece)]) <= limit else _words(text, piece, limit)
    return units


def _words(text: str, span: Span, limit: int) -> Iterator[Span]:
    """A run without punctuation, cut between words by Unicode's rules.

    The library looks at a window at a time, since its time grows with the square of a run's length.
    """
    from semantic_text_splitter import TextSplitter

    splitter = TextSplitter.from_callback(_width, limit)
    start, end = span
    while start < end:
        window = text[start : min(start + 4 * limit, end)]
        chunks = splitter.chunk_indices(window)
        whole = start + len(window) == end
        for offset, chunk in chunks if whole or len(chunks) == 1 else chunks[:-1]:
            yield start + offset, start + offset + len(chunk)
        if whole or not chunks:
            return
        start += chunks[-1][0] if len(chunks) > 1 else chunks[0][0] + len(chunks[0][1])


def _width(text: str) -> int:
    """Half-width characters: a Chinese, Japanese or Korean character counts two."""
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


# --- context ----------------------------------------------------------------------------------------------


def _question(document: Document) -> str:
    spans = [block for block in document.blocks if block.role == "question"]
    return document.text[spans[0].start : spans[0].end] if len(spans) == 1 else ""


def _context(title: str, section: tuple[str, ...], question: str, text: str, role: Role) -> str:
    """ "title › section › …", at most 240 characters, without what the passage itself says.

    A reply carries the begin of its question, since "yes, within 7 days" alone is found by nobody.
    """
    parts: list[str] = []
    for part in (title, *section, _short(question, _LONGEST_QUESTION)):
        line = " ".join(part.split())
        known = text if role in ("question", "heading") else ""
        if (
            line
            and line not in parts
            and not _begins(known, line)
            and not any(p.endswith("…") and _begins(line, p) for p in parts)
        ):
            parts.append(line)
    while len(parts) > 2 and len(_SEPARATOR.join(parts)) > _LONGEST_CONTEXT:
        del parts[1]
    share = (_LONGEST_CONTEXT - len(_SEPARATOR) * (len(parts) - 1)) // max(len(parts), 1)
    if len(_SEPARATOR.join(parts)) > _LONGEST_CONTEXT:
        parts = [_short(part, share) for part in parts]
    return _SEPARATOR.join(parts)


def _begins(text: str, title: str) -> bool:
    """Whether `text` begins with a title that was perhaps cut from it."""
    return bool(text) and " ".join(text.split()).startswith(title.removesuffix("…"))


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
