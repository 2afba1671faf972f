"""Readers: bytes of a file in, clean text with its structure out; one module per family of formats.

`read` returns a `ReadResult`: `extracts`, an Extract for each document that the source holds (record files
hold many), and `problems`, a `RowProblem` for each row, line or sheet that could not be read. A bad row loses
nothing of the others; only what spoils the whole source is raised. A problem's `error` is an `IngestError`
whose message names the place, the fault and the remedy.

The parsers run in this process and load when first needed. Files from outside go through
`ingest.sandbox.ParserPool`, which calls `read` in a process with limits; what the parsers themselves take of
its memory does not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePath
from types import MappingProxyType
from typing import TypeAlias

from ingest.errors import CorruptSource, IngestError, InvalidDocument, UnreadableSource, UnsupportedFormat
from ingest.memory_limit import loading
from ingest.models import Extract
from ingest.readers.decoding import decode
from ingest.readers.results import ReadResult, RowProblem

__all__ = ["SUPPORTED", "VERSION", "ReadResult", "RowProblem", "read"]

VERSION = 1
"""Rises when the readers get something else from the same bytes, so that files are read again."""

Options: TypeAlias = Mapping[str, object]
_Read: TypeAlias = Callable[[bytes, str | None, Options], ReadResult]

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)


def read(
    name: str, data: bytes, *, media_type: str | None = None, options: Options = MappingProxyType({})
) -> ReadResult:
    """Everything that one source gives.

    `name` tells the format by its extension; `media_type` (with or without a charset) does when the
    extension is unknown. `options` are for tables: `records`, `sheets` and templates, see `records`.

    Raises UnsupportedFormat, EmptySource, CorruptSource, ProtectedSource, SourceTooLarge, and InvalidDocument
    for front matter or options that cannot be right.
    """
    suffix = PurePath(name).suffix.lower()
    declared, _, parameters = (media_type or "").partition(";")
    reader = _BY_EXTENSION.get(suffix) or _BY_MEDIA_TYPE.get(declared.strip().lower())
    if reader is None:
        what = f"the extension {suffix!r}" if suffix else "no extension"
        raise UnsupportedFormat(
            f"the file has {what}, which no reader knows; use one of {', '.join(sorted(SUPPORTED))}"
        )
    charset = re.search(r"charset\s*=\s*[\"']?([\w-]+)", parameters, re.IGNORECASE)
    try:
        return reader(data, charset[1] if charset else None, options)
    except InvalidDocument:
        raise
    except UnreadableSource as error:
        raise type(error)(f"the file {error}") from error
    except (IngestError, MemoryError):
        raise
    except Exception as error:  # a parser's own failure on a damaged file must not look like ours
        if "memory" in str(error).lower():  # libxml2 reports exhaustion as a syntax error
            raise MemoryError from error
        raise _unexpected(error) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # a Rust parser's panic does not derive from Exception
            raise _unexpected(error) from None
        raise


def _unexpected(error: BaseException) -> CorruptSource:
    return CorruptSource(f"the file is damaged ({type(error).__name__}: {str(error)[:120]}); save it again")


def _one(extract: Extract) -> ReadResult:
    return ReadResult((extract,))


def _markdown(data: bytes, charset: str | None, options: Options) -> ReadResult:
    with loading():
        from ingest.readers import markdown

    return _one(markdown.extract(decode(data, charset=charset)))


def _html(data: bytes, charset: str | None, options: Options) -> ReadResult:
    with loading():
        from ingest.readers import html

    found = _META_CHARSET.search(data[:4096])
    said = charset or (found[1].decode("ascii") if found else None)
    # Pages that say GB2312 are written in its supersets.
    wider = "gb18030" if said and said.lower() in ("gb2312", "gbk", "gb_2312-80") else said
    return _one(html.extract(decode(data, charset=wider)))


def _text(data: bytes, charset: str | None, options: Options) -> ReadResult:
    with loading():
        from ingest.readers import text

    return _one(text.extract(decode(data, charset=charset)))


def _csv(data: bytes, charset: str | None, options: Options) -> ReadResult:
    with loading():
        from ingest.readers import tables

    return tables.read_csv(decode(data, charset=charset), options)


def _jsonl(data: bytes, charset: str | None, options: Options) -> ReadResult:
    with loading():
        from ingest.readers import tables

    return tables.read_jsonl(decode(data, charset=charset), options)


def _pdf(data: bytes, charset: str | None, options: Options) -> ReadResult:
    with loading():
        from ingest.readers import pdf

    return _one(pdf.extract(data))


def _docx(data: bytes, charset: str | None, options: Options) -> ReadResult:
    with loading():
        from ingest.readers import office

    return _one(office.read_docx(data))


def _xlsx(data: bytes, charset: str | None, options: Options) -> ReadResult:
    with loading():
        from ingest.readers import office

    return office.read_xlsx(data, options)


_BY_EXTENSION: Mapping[str, _Read] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".txt": _text,
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".pdf": _pdf,
    ".docx": _docx,
    ".xlsx": _xlsx,
}
_OFFICE = "application/vnd.openxmlformats-officedocument"
_BY_MEDIA_TYPE: Mapping[str, _Read] = {
    "text/markdown": _markdown,
    "text/html": _html,
    "application/xhtml+xml": _html,
    "text/plain": _text,
    "text/csv": _csv,
    "text/tab-separated-values": _csv,
    "application/x-ndjson": _jsonl,
    "application/jsonl": _jsonl,
    "application/pdf": _pdf,
    f"{_OFFICE}.wordprocessingml.document": _docx,
    f"{_OFFICE}.spreadsheetml.sheet": _xlsx,
}

SUPPORTED: frozenset[str] = frozenset(_BY_EXTENSION)
"""The extensions that `read` knows, in lower case with their point."""
