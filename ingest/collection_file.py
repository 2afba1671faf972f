"""`collection.toml`: what a folder says of its files, checked.

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

A folder inherits from those above it that have such a file.
"""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest import attributes as values
from ingest.errors import InvalidDocument, SourceTooLarge, UnreadableSource
from ingest.models import KINDS, Audience, Status
from ingest.readers.records import ATTRIBUTES, LISTS, TEMPLATES, is_template
from ingest.readers.results import plain

CONFIG: Final = "collection.toml"
RECORD_FORMATS: Final = frozenset((".jsonl", ".ndjson"))
"""Formats whose rows are documents without being told so."""

_MAX_BYTES: Final = 1024 * 1024
_LONGEST_TEMPLATE: Final = 1_000
_TOP_KEYS = frozenset(("defaults", "files", "ignore", "timezone"))
_ATTRIBUTE_KEYS = ATTRIBUTES | {"metadata", "fields"}
_SHEET_KEYS = (ATTRIBUTES - {"external_id"}) | TEMPLATES | {"records", "ignore"}
_FILE_KEYS = _ATTRIBUTE_KEYS | TEMPLATES | {"records", "sheets"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of one file: attributes of its documents, and options for its reader."""

    attributes: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collection:
    """One `collection.toml`, checked. `files` is by path from `folder`."""

    folder: Path
    defaults: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, Entry] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    timezone: tuple[str, tzinfo] | None = None

    def ignores(self, path: Path) -> bool:
        relative = path.relative_to(self.folder).as_posix()
        return any(
            fnmatch.fnmatchcase(path.name, p) or fnmatch.fnmatchcase(relative, p.strip("/"))
            for p in self.ignore
        )


def read_collection(path: Path) -> Collection:
    """One `collection.toml`. Raises InvalidDocument with the key at fault as its field, UnreadableSource."""
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
        if len(text) > _MAX_BYTES:
            raise SourceTooLarge(f"has more than {_MAX_BYTES >> 20} MiB; describe fewer files in one folder")
        value = tomllib.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidDocument(CONFIG, f"is not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidDocument(
            CONFIG, f"is not TOML: {error}; quote texts and file names, write dates as 2026-03-01"
        ) from error
    except OSError as error:
        raise UnreadableSource(f"cannot be opened ({error.strerror}); check its permissions") from error
    values.known_names(value, _TOP_KEYS, what="key")
    defaults = _table("defaults", value.get("defaults", {}))
    for key, item in defaults.items():
        _check_attribute(f"defaults.{key}", key, item, _ATTRIBUTE_KEYS - {"external_id"})
    ignore = value.get("ignore", [])
    if not isinstance(ignore, list) or not all(isinstance(pattern, str) for pattern in ignore):
        raise InvalidDocument("ignore", 'must be a list of names or patterns, as in ["drafts", "*.bak.md"]')
    files = {
        _file_key(name): _entry(f'files."{name}"', name, _table(f'files."{name}"', item))
        for name, item in _table("files", value.get("files", {})).items()
    }
    return Collection(path.parent, _plain_table(defaults), files, tuple(ignore), _zone(value.get("timezone")))


def _entry(where: str, name: str, table: Mapping[str, object]) -> Entry:
    """An entry's keys, divided into attributes and options for the reader."""
    sheets = _table(f"{where}.sheets", table.get("sheets", {}))
    records = _flag(where, "records", table) or Path(name).suffix.lower() in RECORD_FORMATS
    attributes: dict[str, object] = {}
    options: dict[str, object] = {"records": True} if table.get("records") else {}
    for key, item in table.items():
        if key in ("records", "sheets"):
            continue
        _check_attribute(f"{where}.{key}", key, item, _FILE_KEYS)
        if key not in _ATTRIBUTE_KEYS or is_template(item):
            if not records and not any(
                isinstance(own, Mapping) and own.get("records") for own in sheets.values()
            ):
                raise InvalidDocument(
                    f"{where}.{key}", "is for files whose rows are documents; add records = true"
                )
            options[key] = plain(item)
        else:
            attributes[key] = plain(item)
    if sheets:
        options["sheets"] = {sheet: _sheet(f'{where}.sheets."{sheet}"', own) for sheet, own in sheets.items()}
    return Entry(attributes, options)


def _sheet(where: str, value: object) -> dict[str, object]:
    table = _table(where, value)
    for key, item in table.items():
        if key in ("records", "ignore"):
            _flag(where, key, table)
        else:
            _check_attribute(f"{where}.{key}", key, item, _SHEET_KEYS)
    return _plain_table(table)


def _check_attribute(where: str, key: str, value: object, known: frozenset[str]) -> None:
    """Refuse an unknown key, and a value that no document could take. Templates meet their columns later."""
    try:
        values.known_names([key], known, what="key")
    except InvalidDocument as error:
        raise InvalidDocument(where, error.message) from error
    if key in ("metadata", "fields"):
        values.scalars(where, value)
    elif is_template(value):
        if isinstance(value, list) and key not in LISTS:
            raise InvalidDocument(where, "must be one text, not a list")
    elif key in _CHECKS:
        _CHECKS[key](where, value)
    elif key in LISTS:
        values.texts(where, value)
    else:
        values.text(where, value, longest=_LONGEST_TEMPLATE)


_CHECKS: Mapping[str, Callable[[str, object], object]] = {
    "kind": lambda where, value: values.literal(where, value, KINDS),
    "audience": lambda where, value: values.literal(where, value, get_args(Audience)),
    "status": lambda where, value: values.literal(where, value, get_args(Status)),
    "language": values.language,
    "url": values.url,
    "external_id": values.identifier,
    "valid_from": lambda where, value: values.moment(where, value, UTC),
    "valid_to": lambda where, value: values.moment(where, value, UTC),
}


def _table(where: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise InvalidDocument(where, f"must be a table, as in [{where}]")
    return value


def _plain_table(table: Mapping[str, object]) -> dict[str, object]:
    return {key: plain(item) for key, item in table.items()}


def _flag(where: str, key: str, table: Mapping[str, object]) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise InvalidDocument(f"{where}.{key}", "must be true or false")
    return value


def _file_key(name: str) -> str:
    return Path(name.replace("\\", "/")).as_posix()


def _zone(value: object) -> tuple[str, tzinfo] | None:
    if value is None:
        return None
    try:
        if not isinstance(value, str):
            raise ValueError
        return value, ZoneInfo(value)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise InvalidDocument(
            "timezone", f'{value!r} is not a time zone; write one such as "Asia/Shanghai" or "UTC"'
        ) from None
