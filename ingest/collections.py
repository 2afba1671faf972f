"""A folder of knowledge as people keep it: files, and a `collection.toml` that says what they are.

    ignore = ["drafts", "*.tmp.md"]      # names or patterns, of this folder and below
    timezone = "Asia/Shanghai"           # of dates without an offset; default UTC

    [defaults]                           # attributes of every file of this folder and below
    kind = "policy"

    [files."returns.pdf"]                # attributes of one file, by its path from this folder
    external_id = "policy-returns-zh"
    valid_to = 2026-11-30                # a date without a time: that day included

    [files."catalogue.xlsx"]
    records = true                       # each row is a document; values with {Column} are templates
    id_template = "product-{SKU}"
    [files."catalogue.xlsx".sheets."Notes"]
    ignore = true

A folder inherits from those above it. What is said of one file wins over what the file says of itself (front
matter, a page's title), and that over defaults; in record files a row's own columns win.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.attributes import known_names
from ingest.errors import IngestError, InvalidDocument, SourceTooLarge, UnreadableSource, UnsupportedFormat
from ingest.models import Extract, Kind
from ingest.readers import SUPPORTED, VERSION
from ingest.readers.records import ATTRIBUTES, LISTS, TEMPLATES, is_template
from ingest.readers.results import plain

CONFIG: Final = "collection.toml"
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
_MAX_CONFIG_BYTES: Final = 1024 * 1024

_KINDS_BY_FOLDER: Mapping[str, Kind] = {
    "product": "product",
    "products": "product",
    "policy": "policy",
    "policies": "policy",
    "resolution": "resolution",
    "resolutions": "resolution",
    "faq": "faq",
    "faqs": "faq",
}
_TOP_KEYS = frozenset(("defaults", "files", "ignore", "timezone"))
_ATTRIBUTE_KEYS = ATTRIBUTES | {"metadata", "fields"}
_SHEET_KEYS = (ATTRIBUTES - {"external_id"}) | TEMPLATES | {"records", "ignore"}
_FILE_KEYS = _ATTRIBUTE_KEYS | TEMPLATES | {"records", "sheets"}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to read. `name` is its path from the given root, with `/`; `path` is absolute.

    `options` go to the reader. `digest` covers the content, the options and the attributes: it changes exactly
    when the file should be read again. Dates without offset are in `timezone`.
    """

    path: Path
    name: str
    digest: str
    defaults: Mapping[str, object]
    entry: Mapping[str, object]
    options: Mapping[str, object]
    timezone: tzinfo = UTC

    @property
    def attributes(self) -> dict[str, object]:
        """What is known of the file without reading it: defaults, and its own entry over them."""
        return {**self.defaults, **self.entry}

    def combine(self, extract: Extract) -> dict[str, object]:
        """All attributes of one of the file's documents, for `documents.compose`.

        The entry wins over the extract and the extract over the defaults; where rows are documents, a row wins
        over the entry. A `valid_to` that is a date becomes the next day: the last day counts.
        """
        if self.options.get("records") or self.path.suffix.lower() in (".jsonl", ".ndjson"):
            combined = {**self.attributes, **extract.attributes}
        else:
            combined = {**self.defaults, **extract.attributes, **self.entry}
        if "valid_to" in combined:
            combined["valid_to"] = _through(combined["valid_to"])
        return combined


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file or folder that was found but cannot be read; `error` says why and what to do."""

    path: Path
    error: IngestError


@dataclass(frozen=True, slots=True)
class Walk:
    """What was found under `roots` (absolute): files by name, and what cannot be read."""

    roots: tuple[Path, ...]
    files: tuple[SourceFile, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    _unread: tuple[Path, ...] = ()

    def holds(self, path: Path) -> bool:
        """Whether a file read earlier is still there, or may be: what cannot be read now is not gone."""
        return any(file.path == path for file in self.files) or any(
            path == unread or unread in path.parents for unread in self._unread
        )


def walk(paths: Sequence[Path], *, max_bytes: int = MAX_FILE_BYTES) -> Walk:
    """Every file under the given files and folders, in the order of the paths and then by name.

    Hidden files, Office's lock files, `collection.toml` and what it ignores are left out. Links that lead out of
    their root are not followed. A folder whose `collection.toml` is malformed is left unread, rather than
    read with the wrong audience. Nothing is raised for a file: see `problems`.
    """
    seen: dict[Path, SourceFile] = {}
    problems: list[FileProblem] = []
    unread: list[Path] = []
    roots: list[Path] = []
    for path in paths:
        root = Path(os.path.abspath(path))  # a link that is given by name is meant
        if not root.exists():
            problems.append(FileProblem(root, UnreadableSource("is not there; check the path")))
            continue
        roots.append(root)
        for found in _Walker(root, max_bytes).found():
            if isinstance(found, SourceFile):
                seen.setdefault(found.path, found)
            else:
                problems.append(found)
                unread.append(found.path.parent if found.path.name == CONFIG else found.path)
    return Walk(tuple(roots), tuple(seen.values()), tuple(problems), tuple(unread))
