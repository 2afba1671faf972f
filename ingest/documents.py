"""From what a reader or a request holds to a validated Document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import MAXYEAR, UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, TypeAlias, get_args

from ingest import attributes as values
from ingest import language
from ingest.errors import EmptySource, InvalidDocument, SourceTooLarge
from ingest.models import KINDS, Audience, Block, Document, Extract, FieldValue, Kind, Role, Status

if TYPE_CHECKING:
    from ingest.readers.results import ReadResult

ATTRIBUTES = frozenset(Document.__slots__) - {"text", "blocks"}
"""The names that `compose` accepts, besides `question` and `reply`, which become fields."""

BODIES = ("text", "html", "markdown")
LONGEST_TEXT = 4_000_000
"""Characters of one document; a book has about one million."""

Read: TypeAlias = "Callable[[str, bytes], ReadResult]"

_DIALOGUE = ("question", "reply")
_LONGEST_DERIVED_TITLE = 80


def compose(
    extract: Extract,
    attributes: Mapping[str, object],
    *,
    timezone: tzinfo = UTC,
    longest: int = LONGEST_TEXT,
) -> Document:
    """A Document from a reader's extract and what else is known of it.

    `attributes` has the names of `Document`'s fields (and `question`, `reply`); it overrides
    `extract.attributes`, `fields` and `metadata` name by name; None means not given. `external_id` and
    `kind` are required. Dates without offset are taken in `timezone`; a
    `valid_to` that is a date without a time is the last valid day. Without a title the first heading
    gives it, then the question, then the first line; without a language the text gives it.

    A resolution needs a question and a reply, as fields or as blocks; its text becomes the two halves, then
    what else the source said. An FAQ with both is treated alike. A product's fields become lines
    "name: value" at the end of its text, unless they stand there already.

    Raises `InvalidDocument` with the attribute at fault, `EmptySource` without any text and
    `SourceTooLarge` beyond `longest` characters.
    """
    given = _merged(extract.attributes, attributes)
    kind = _kind(given)
    fields = _fields(given, extract)
    text, blocks = _body(kind, extract, fields)
    if len(text) > longest:
        raise SourceTooLarge(
            f"the text has {len(text):,} characters; at most {longest:,} are allowed: split it"
        )
    if not text.strip():
        raise EmptySource("holds no text; add some or remove the document")
    title = _title(given, text, blocks, fields)
    return _document(given, kind, title, text, blocks, fields, timezone)


def from_text(
    attributes: Mapping[str, object],
    *,
    timezone: tzinfo = UTC,
    longest: int = LONGEST_TEXT,
    read: Read | None = None,
) -> Document:
    """A Document from the body of a request: attributes and exactly one of `text`, `html`, `markdown`.

    A resolution or an FAQ may give `fields` with question and reply instead, a product its `fields`. `read`
    parses html and markdown, by default in this process (`ingest.readers.read`). Errors as of `compose`,
    but an empty text is an `InvalidDocument` of its attribute.
    """
    bodies = [name for name in BODIES if attributes.get(name) is not None]
    values.known_names(attributes, ATTRIBUTES | set(_DIALOGUE) | set(BODIES))
    if len(bodies) > 1:
        raise InvalidDocument(
            bodies[1], f"give only one of text, html and markdown; {bodies[0]} is there too"
        )
    rest = {name: value for name, value in attributes.items() if name not in BODIES}
    body = bodies[0] if bodies else "text"
    try:
        extract = _extract(body, attributes[body], rest, longest, read) if bodies else Extract("", ())
        return compose(extract, rest, timezone=timezone, longest=longest)
    except EmptySource:
        raise InvalidDocument(body, "holds no text; give text, html or markdown with content") from None


def _merged(carried: Mapping[str, object], attributes: Mapping[str, object]) -> dict[str, object]:
    """Both sources' attributes that are given, the second winning; names are checked."""
    merged: dict[str, object] = {}
    for source in (carried, attributes):
        values.known_names(source, ATTRIBUTES | set(_DIALOGUE))
        for name, value in source.items():
            if value is None:
                continue
            if name in ("fields", "metadata"):
                before = merged.get(name, {})
                assert isinstance(before, dict)
                merged[name] = before | values.scalars(name, value)
            else:
                merged[name] = value
    for name in ("external_id", "kind"):
        if name not in merged:
            raise InvalidDocument(name, "is required" + (f": {', '.join(KINDS)}" if name == "kind" else ""))
    return merged


def _kind(given: Mapping[str, object]) -> Kind:
    return values.literal("kind", given["kind"], KINDS)


def _fields(given: Mapping[str, object], extract: Extract) -> dict[str, FieldValue]:
    """The fields, with question and reply from wherever they stand."""
    fields: dict[str, FieldValue] = dict(values.scalars("fields", given.get("fields", {})))
    for name in _DIALOGUE:
        spans = [block for block in extract.blocks if block.role == name]
        if name in given:
            fields[name] = values.scalars("fields", {name: given[name]})[name]
        elif name not in fields and len(spans) == 1:
            fields[name] = extract.text[spans[0].start : spans[0].end].strip()
    return fields


def _document(
    given: Mapping[str, object],
    kind: Kind,
    title: str,
    text: str,
    blocks: tuple[Block, ...],
    fields: Mapping[str, FieldValue],
    timezone: tzinfo,
) -> Document:
    external_id = values.identifier("external_id", given["external_id"])
    valid_from, valid_to = _validity(given, timezone)
    lists = {
        name: values.texts(name, given.get(name, ()))
        for name in ("products", "regions", "tiers", "channels", "supersedes")
    }
    if external_id in lists["supersedes"]:
        raise InvalidDocument(
            "supersedes", f'"{external_id}" cannot supersede itself; name the older document'
        )
    return Document(
        external_id=external_id,
        kind=kind,
        title=title,
        text=text,
        blocks=blocks,
        language=_language(given, title, text),
        audience=values.literal("audience", given.get("audience", "public"), _AUDIENCES),
        status=values.literal("status", given.get("status", "approved"), _STATUSES),
        url=values.url("url", given["url"]) if "url" in given else None,
        valid_from=valid_from,
        valid_to=valid_to,
        fields=fields,
        metadata=values.scalars("metadata", given.get("metadata", {})),
        **lists,
    )


_AUDIENCES: tuple[Audience, ...] = get_args(Audience)
_STATUSES: tuple[Status, ...] = get_args(Status)


def _validity(given: Mapping[str, object], timezone: tzinfo) -> tuple[datetime | None, datetime | None]:
    begin = values.moment("valid_from", given["valid_from"], timezone) if "valid_from" in given else None
    end = values.moment("valid_to", given["valid_to"], timezone) if "valid_to" in given else None
    if end is not None and values.is_day(given["valid_to"]):
        # The last day of the calendar is how people write "for ever".
        end = end + timedelta(days=1) if end.year < MAXYEAR else None
    if begin is not None and end is not None and end <= begin:
        raise InvalidDocument(
            "valid_to", f"{end.isoformat()} is not after valid_from {begin.isoformat()}; swap or correct them"
        )
    return begin, end


def _language(given: Mapping[str, object], title: str, text: str) -> str:
    if "language" in given:
        return values.language("language", given["language"])
    found = language.identify(text)
    return found if found != "und" else language.identify(title)


def _title(
    given: Mapping[str, object], text: str, blocks: tuple[Block, ...], fields: Mapping[str, FieldValue]
) -> str:
    if "title" in given:
        return values.text("title", given["title"], longest=values.LONGEST_TITLE)
    headings = (text[block.start : block.end] for block in blocks if block.role == "heading")
    for candidate in (*headings, fields.get("question"), *text.splitlines()):
        line = " ".join(str(candidate or "").split())
        if line:
            short = len(line) <= _LONGEST_DERIVED_TITLE
            return line if short else line[: _LONGEST_DERIVED_TITLE - 1].rstrip() + "…"
    raise InvalidDocument("title", "is required when the text has no heading")


# --- the text and its blocks ------------------------------------------------------------------------------


def _body(kind: Kind, extract: Extract, fields: dict[str, FieldValue]) -> tuple[str, tuple[Block, ...]]:
    text = values.blanked(extract.text)
    blocks = extract.blocks or _paragraphs(text)
    _sound(blocks, len(text))
    if kind == "product":
        return _with_fields(text, blocks, fields)
    if kind == "resolution" or (kind == "faq" and any(fields.get(name) for name in _DIALOGUE)):
        return _with_dialogue(kind, text, blocks, fields)
    return text, blocks


def _sound(blocks: tuple[Block, ...], length: int) -> None:
    """A reader's mistake must not become a citation of the wrong words."""
    end = 0
    for block in blocks:
        if not end <= block.start <= block.end <= length:
            raise ValueError(f"blocks overlap, are out of order or beyond the text: {block}")
        end = block.end


def _with_dialogue(
    kind: Kind, text: str, blocks: tuple[Block, ...], fields: dict[str, FieldValue]
) -> tuple[str, tuple[Block, ...]]:
    halves = {name: str(fields[name]).strip() if fields.get(name) is not None else "" for name in _DIALOGUE}
    for name, half in halves.items():
        if not half:
            article = "an FAQ entry with one half" if kind == "faq" else "a resolution"
            raise InvalidDocument(f"fields.{name}", f"is required: {article} needs a question and a reply")
        fields[name] = half
    if any(block.role in _DIALOGUE for block in blocks):
        return text, blocks
    question, reply = halves.values()
    dialogue = f"{question}\n\n{reply}"
    ends = (len(question), len(question) + 2, len(dialogue))
    both = (Block("question", 0, ends[0]), Block("reply", ends[1], ends[2]))
    if all(block.role == "row" for block in blocks):  # a table's row: its columns are the fields
        return dialogue, both
    if text.startswith(dialogue) and text[len(dialogue) : len(dialogue) + 1] in ("", "\n"):
        text = text[len(dialogue) :].strip()
        blocks = _paragraphs(text)
    return _joined(dialogue, both, text, blocks)


def _with_fields(
    text: str, blocks: tuple[Block, ...], fields: Mapping[str, FieldValue]
) -> tuple[str, tuple[Block, ...]]:
    """A product's text with the lines of the fields that it does not hold yet."""
    said = _squeezed(text)
    lines = [line for line in field_lines(fields) if not _says(said, line)]
    spans: list[Block] = []
    start = 0
    for line in lines:
        spans.append(Block("field", start, start + len(line)))
        start += len(line) + 1
    return _joined(text, blocks, "\n".join(lines), tuple(spans))


def field_lines(fields: Mapping[str, FieldValue]) -> list[str]:
    """ "name: value" for every field that says something; long texts stay out of the lines."""
    lines = []
    for name, value in fields.items():
        if isinstance(value, bool):
            value = (
                ("是" if value else "否") if language.identify(name) == "zh" else ("yes" if value else "no")
            )
        elif isinstance(value, float) and value.is_integer():
            value = int(value)
        line = " ".join(str(value).split()) if value is not None else ""
        if line:
            lines.append(f"{name}: {line}")
    return lines


_GOES_ON = re.compile(r"[0-9a-z]|\.\d")


def _says(squeezed: str, line: str) -> bool:
    """Whether a text holds a line, however it is spaced; "价格: 2999" does not hold "价格: 299"."""
    sought = _squeezed(line)
    start = squeezed.find(sought)
    while start >= 0:
        if not _GOES_ON.match(squeezed, start + len(sought)):
            return True
        start = squeezed.find(sought, start + 1)
    return False


def _squeezed(text: str) -> str:
    return re.sub(r"[^\S\n]+", "", language.fold(text))


def _joined(
    first: str, first_blocks: tuple[Block, ...], second: str, second_blocks: tuple[Block, ...]
) -> tuple[str, tuple[Block, ...]]:
    """Two texts as one, a blank line between them, and the blocks of both."""
    if not first.strip() or not second.strip():
        return (first, first_blocks) if first.strip() else (second, second_blocks)
    kept = first.rstrip()
    shift = len(kept) + 2
    moved = (Block(b.role, b.start + shift, b.end + shift, b.section) for b in second_blocks)
    clipped = (
        Block(b.role, b.start, min(b.end, len(kept)), b.section) for b in first_blocks if b.start < len(kept)
    )
    return f"{kept}\n\n{second}", (*clipped, *moved)


def _extract(
    body: str, value: object, rest: Mapping[str, object], longest: int, read: Read | None
) -> Extract:
    if not isinstance(value, str):
        raise InvalidDocument(body, "must be text")
    if len(value) > longest:
        raise SourceTooLarge(
            f"{body} has {len(value):,} characters; at most {longest:,} are allowed: split it"
        )
    cleaned = values.clean(value)
    if not cleaned.strip():
        raise InvalidDocument(body, "holds no text; give text, html or markdown with content")
    if body == "text":
        fields = rest.get("fields")
        lines = field_lines(values.scalars("fields", fields)) if isinstance(fields, Mapping) else []
        stripped = cleaned.strip()
        return Extract(stripped, _paragraphs(stripped, frozenset(lines)))
    result = (read or _read_here)("body.html" if body == "html" else "body.md", cleaned.encode())
    if result.problems:
        raise result.problems[0].error
    if len(result.extracts) != 1:
        raise InvalidDocument(body, f"must hold one document, not {len(result.extracts)}")
    return result.extracts[0]


def _read_here(name: str, data: bytes) -> ReadResult:
    from ingest.readers import read  # parsers load only when a request needs them

    return read(name, data)


_BLANK_LINES = re.compile(r"\n\s*\n|\Z")


def _paragraphs(text: str, field_lines: frozenset[str] = frozenset()) -> tuple[Block, ...]:
    """Plain text as prose, a block for each paragraph; lines that repeat a field become `field` blocks."""
    blocks: list[Block] = []
    start = 0
    for gap in _BLANK_LINES.finditer(text):
        for begin, end in _field_spans(text, start, gap.start(), field_lines):
            _add(blocks, "prose", text, start, begin)
            _add(blocks, "field", text, begin, end)
            start = end
        _add(blocks, "prose", text, start, gap.start())
        start = gap.end()
    return tuple(blocks)


def _field_spans(text: str, start: int, end: int, field_lines: frozenset[str]) -> list[tuple[int, int]]:
    if not field_lines:
        return []
    lines = re.compile(r"[^\n]+").finditer(text, start, end)
    return [line.span() for line in lines if line.group().strip() in field_lines]


def _add(blocks: list[Block], role: Role, text: str, start: int, end: int) -> None:
    piece = text[start:end]
    if piece.strip():
        left = start + len(piece) - len(piece.lstrip())
        blocks.append(Block(role, left, start + len(piece.rstrip())))
