"""A document as its editor changes it: which text is theirs, and which blocks of it an edit keeps."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ingest import attributes as values
from ingest.documents import field_lines
from ingest.models import Block, Document, Extract

_MARKED = re.compile(r"(#{1,6})\s+(\S.*)")
_EXACT_LINES = 2_000
"""Lines up to which every pair is compared; longer texts are compared by the lines that are rare in them."""


def body_of(document: Document) -> Extract:
    """The text that an editor writes, with its blocks: a document's without what its fields put there.

    `documents.compose` of it with the document's attributes gives the same document again.
    """
    made = _made_of_fields(document)
    pieces: list[str] = []
    blocks: list[Block] = []
    start = length = 0
    for gone in (*made, Block("prose", len(document.text), len(document.text))):
        end = max(start, gone.start)
        span = document.text[start:end]
        piece = span.strip()
        if piece:
            begin = start + len(span) - len(span.lstrip())
            length += 2 if pieces else 0
            kept = (block for block in document.blocks if block not in made)
            blocks += _moved(kept, begin, begin + len(piece), length - begin)
            pieces.append(piece)
            length += len(piece)
        start = max(start, gone.end)
    return Extract("\n\n".join(pieces), tuple(blocks))


def edited(document: Document, text: str) -> Extract:
    """What an editor made of `body_of(document).text`, with the blocks that the edit leaves.

    A line that stayed keeps its block, and so does one that was rewritten in its place: a heading stays a heading, a
    row a row. New lines are prose under the heading above them; one that begins with `#` is a heading. The same text
    gives the same Extract.
    """
    before = body_of(document)
    written = values.clean(text).strip()
    if written == before.text:
        return before
    return _Rewriting(before, written.split("\n")).extract()


@dataclass(slots=True)
class _Rewriting:
    """The new text under construction, line by line."""

    before: Extract
    lines: Sequence[str]
    blocks: list[Block] = field(default_factory=list)
    path: list[tuple[int, str]] = field(default_factory=list)
    under_new: bool = False
    owner: Block | None = None
    open: bool = False
    """Whether the line before belongs to the last block and another may join it."""

    def extract(self) -> Extract:
        owners, renamed, gone = _owners(self.before, self.lines)
        titled = _titled(self.before, self.lines)
        parts: list[str] = []
        start = 0
        for line, owner in zip(self.lines, owners, strict=True):
            marked = _MARKED.fullmatch(line.strip()) if owner is None else None
            shown = marked[2].strip() if marked else line.rstrip()
            end = start + len(shown)
            if not shown.strip():
                self.open = False
            elif marked:
                self._heading(start, end, shown, len(marked[1]), leads=not titled or bool(self.blocks))
            else:
                self._line(start, end, shown, owner, renamed, gone)
            parts.append(shown)
            start = end + 1
        return Extract("\n".join(parts), tuple(self.blocks))

    def _heading(self, start: int, end: int, shown: str, level: int, *, leads: bool) -> None:
        self.path = [entry for entry in self.path if entry[0] < level]
        self.blocks.append(Block("heading", start, end, tuple(name for _, name in self.path)))
        if leads:
            self.path.append((level, shown))
        self.under_new, self.owner, self.open = True, None, False

    def _line(
        self,
        start: int,
        end: int,
        shown: str,
        owner: Block | None,
        renamed: Mapping[str, str],
        gone: frozenset[str],
    ) -> None:
        role = owner.role if owner is not None else "prose"
        if self.open and role == self.blocks[-1].role and (owner is None or owner is self.owner):
            last = self.blocks[-1]
            self.blocks[-1] = Block(last.role, last.start, end, last.section)
            return
        section = tuple(name for _, name in self.path)
        if owner is not None:
            kept = tuple(renamed.get(name, name) for name in owner.section if name not in gone)
            if role == "heading" or not self.under_new:
                section = kept
        self.blocks.append(Block(role, start, end, section))
        if role == "heading":
            self.under_new = False
            if owner is not None and _leads(self.before, owner):
                section = (*section, shown.strip())
        if not self.under_new:
            self.path = list(enumerate(section, self._top()))
        self.owner, self.open = owner, role != "heading"

    def _top(self) -> int:
        """The level of the outermost headings: the second, where the first is the document's title."""
        first = next(iter(self.before.blocks), None)
        return 2 if first is not None and first.role == "heading" and not _leads(self.before, first) else 1


def _owners(
    before: Extract, lines: Sequence[str]
) -> tuple[list[Block | None], Mapping[str, str], frozenset[str]]:
    """For each new line the old block that it belongs to; headings that were renamed, and those that went."""
    old = before.text.split("\n")
    places = _blocks_of_lines(before, old)
    owners: list[Block | None] = [None] * len(lines)
    matcher = difflib.SequenceMatcher(None, old, lines, autojunk=len(old) > _EXACT_LINES)
    for tag, first, last, begin, end in matcher.get_opcodes():
        if tag == "equal" or (tag == "replace" and last - first == end - begin):
            for place, line in zip(range(begin, end), range(first, last), strict=True):
                owners[place] = places[line]
    headings = {
        before.text[block.start : block.end]: block for block in before.blocks if block.role == "heading"
    }
    now = {id(owner): line for owner, line in zip(owners, lines, strict=True) if owner is not None}
    renamed = {name: now[id(block)].strip() for name, block in headings.items() if id(block) in now}
    return owners, renamed, frozenset(name for name, block in headings.items() if id(block) not in now)


def _blocks_of_lines(before: Extract, lines: Sequence[str]) -> list[Block | None]:
    found: list[Block | None] = []
    start, place = 0, 0
    for line in lines:
        while place < len(before.blocks) and before.blocks[place].end <= start and line:
            place += 1
        inside = (
            line.strip() and place < len(before.blocks) and before.blocks[place].start < start + len(line)
        )
        found.append(before.blocks[place] if inside else None)
        start += len(line) + 1
    return found


def _titled(before: Extract, lines: Sequence[str]) -> bool:
    """Whether a new text begins with a heading above all others: its title, which stands in nobody's path."""
    said = [line.strip() for line in lines if line.strip()]
    if before.blocks or not said or (first := _MARKED.fullmatch(said[0])) is None:
        return False
    others = (_MARKED.fullmatch(line) for line in said[1:])
    return all(len(other[1]) > len(first[1]) for other in others if other is not None)


def _leads(before: Extract, heading: Block) -> bool:
    """Whether a heading stands in the path of what is under it; a document's own title does not."""
    name = before.text[heading.start : heading.end]
    return heading is not before.blocks[0] or any(name in block.section for block in before.blocks)


def _made_of_fields(document: Document) -> tuple[Block, ...]:
    said = frozenset(field_lines(document.fields)) if document.kind == "product" else frozenset()
    halves = {name: str(document.fields.get(name) or "").strip() for name in ("question", "reply")}
    found = []
    for block in document.blocks:
        text = document.text[block.start : block.end].strip()
        if (block.role == "field" and text in said) or (
            block.role in ("question", "reply") and text and text == halves[block.role]
        ):
            found.append(block)
    return tuple(found)


def _moved(blocks: Iterable[Block], start: int, end: int, shift: int) -> list[Block]:
    return [
        Block(block.role, max(block.start, start) + shift, min(block.end, end) + shift, block.section)
        for block in blocks
        if block.start < end and block.end > start
    ]
