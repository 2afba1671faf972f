"""Folders of knowledge as people keep them: which files there are, and what is known of each.

What `collection.toml` says of one file wins over what the file says of itself (front matter, a page's title),
and that over the folder's defaults; in record files a row's own columns win.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final

from ingest.attributes import LONGEST_ID
from ingest.collection_file import CONFIG, RECORD_FORMATS, Collection, Entry, read_collection
from ingest.errors import IngestError, InvalidDocument, SourceTooLarge, UnreadableSource, UnsupportedFormat
from ingest.models import Extract, Kind
from ingest.readers import SUPPORTED, VERSION

MAX_FILE_BYTES: Final = 64 * 1024 * 1024

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


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to read. `name` is its path from the given root, with `/`; `path` is absolute.

    `options` go to the reader. `digest` covers the content, the options and the attributes: it changes
    exactly when the file should be read again. Dates without offset are in `timezone`.
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

        The entry wins over the extract and the extract over the defaults; where rows are documents, a row
        wins over the entry.
        """
        if self.options.get("records") or self.path.suffix.lower() in RECORD_FORMATS:
            return {**self.attributes, **extract.attributes}
        return {**self.defaults, **extract.attributes, **self.entry}


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
    _paths: frozenset[Path] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_paths", frozenset(file.path for file in self.files))

    def holds(self, path: Path) -> bool:
        """Whether a file read earlier is still there, or may be: what cannot be read now is not gone."""
        return path in self._paths or any(path == unread or unread in path.parents for unread in self._unread)


def walk(paths: Sequence[Path], *, max_bytes: int = MAX_FILE_BYTES) -> Walk:
    """Every file under the given files and folders, in the order of the paths and then by name.

    Hidden files, Office's lock files, `collection.toml` and what it ignores are left out. Links that lead
    out of their root are not followed. A folder whose `collection.toml` is malformed is left unread, rather
    than read with the wrong audience. Nothing is raised for a file: see `problems`.
    """
    tour = _Tour(max_bytes)
    roots: list[Path] = []
    for path in paths:
        root = Path(os.path.abspath(path))  # noqa: PTH100 - not resolved: a link that is given by name is meant
        if os.path.exists(root):  # noqa: PTH110 - unlike Path.exists, never raises
            roots.append(root)
            tour.visit(root)
        else:
            tour.problems.append(FileProblem(root, UnreadableSource("is not there; check the path")))
    return Walk(tuple(roots), tuple(tour.files), tuple(tour.problems), tuple(tour.unread))


class _Tour:
    """The walk itself; collects what it finds."""

    def __init__(self, max_bytes: int) -> None:
        self.files: list[SourceFile] = []
        self.problems: list[FileProblem] = []
        self.unread: list[Path] = []
        self._max_bytes = max_bytes
        self._seen: set[Path] = set()

    def visit(self, root: Path) -> None:
        folder = root if root.is_dir() else root.parent
        outer = [*_enclosing(folder), *([] if root.is_dir() else [folder])]
        chain: list[Collection] = []
        for above in outer:
            config = above / CONFIG
            try:
                if config.is_file():
                    chain.append(read_collection(config))
            except IngestError as error:
                self._fail(config, error, unread=root)
                return
        if root.is_dir():
            self._folder(root, root, tuple(chain))
        else:
            self._guarded(root, folder, tuple(chain))

    def _folder(self, folder: Path, root: Path, chain: tuple[Collection, ...]) -> None:
        if (real := folder.resolve()) in self._seen:
            return
        self._seen.add(real)
        config = folder / CONFIG
        try:
            if config.is_file():
                chain = (*chain, read_collection(config))
            names = sorted(item.name for item in folder.iterdir())
        except IngestError as error:
            self._fail(config, error, unread=folder)
            return
        except OSError as error:
            self._fail(
                folder,
                UnreadableSource(f"cannot be listed ({error.strerror}); check its permissions"),
                unread=folder,
            )
            return
        for name in names:
            path = folder / name
            if _is_hidden(name) or any(collection.ignores(path) for collection in chain):
                continue
            if path.is_symlink() and not _stays_inside(path, root):
                self._fail(
                    path,
                    UnreadableSource(
                        "is a link that leads out of the folder, or nowhere; put the file itself here"
                    ),
                )
            elif path.is_dir():
                self._folder(path, root, chain)
            else:
                self._guarded(path, root, chain)
        if config.is_file():
            self._check_entries(chain[-1])

    def _check_entries(self, collection: Collection) -> None:
        for name in collection.files:
            if not (collection.folder / name).exists():
                missing = "there is no such file; correct the name or take the entry out"
                self._fail(collection.folder / CONFIG, InvalidDocument(f'files."{name}"', missing))

    def _guarded(self, path: Path, root: Path, chain: tuple[Collection, ...]) -> None:
        """Add one file, or the reason why it cannot be read."""
        if path.resolve() in self._seen:
            return
        self._seen.add(path.resolve())
        try:
            self.files.append(_source_file(path, root, chain, self._max_bytes))
        except IngestError as error:
            self._fail(path, error, unread=path)
        except OSError as error:
            self._fail(
                path,
                UnreadableSource(f"cannot be opened ({error.strerror}); check its permissions"),
                unread=path,
            )

    def _fail(self, path: Path, error: IngestError, *, unread: Path | None = None) -> None:
        self.problems.append(FileProblem(path, error))
        if unread is not None:
            self.unread.append(unread)


def _enclosing(folder: Path) -> list[Path]:
    """The folders above, outermost first, as far as each of them has a `collection.toml`."""
    found: list[Path] = []
    for outer in folder.parents:
        if not os.path.isfile(outer / CONFIG):  # noqa: PTH113 - unlike Path.is_file, never raises
            break
        found.insert(0, outer)
    return found


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or name == CONFIG or name == "__MACOSX"


def _stays_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return False


def _source_file(path: Path, root: Path, chain: Sequence[Collection], max_bytes: int) -> SourceFile:
    suffix = path.suffix.lower()
    if suffix not in SUPPORTED or not path.is_file():
        raise UnsupportedFormat(
            f"has a format that no reader knows ({suffix or 'no extension'}); save it as one of "
            f"{', '.join(sorted(SUPPORTED))}, or name it under `ignore`"
        )
    size = path.stat().st_size
    if size > max_bytes:
        raise SourceTooLarge(f"has {size / 2**20:.1f} MiB, more than {max_bytes / 2**20:.1f} MiB; split it")
    name = path.relative_to(root).as_posix() if path != root else path.name
    entry: dict[str, object] = {}
    options: dict[str, object] = {}
    given: dict[str, object] = {}
    zone: tuple[str, tzinfo] = ("UTC", UTC)
    for collection in chain:
        given |= collection.defaults
        own = collection.files.get(path.relative_to(collection.folder).as_posix(), Entry())
        entry |= own.attributes
        options |= own.options
        zone = collection.timezone or zone
    records = bool(options.get("records")) or suffix in RECORD_FORMATS
    defaults = {"kind": _kind_by_folder(name, root), **given}
    if not records:
        defaults = {"external_id": _id_from(name), "title": path.stem, **defaults}
    key = json.dumps([VERSION, name, defaults, entry, options, zone[0]], sort_keys=True)
    digest = hashlib.blake2b(key.encode(), digest_size=16)
    with path.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return SourceFile(path, name, digest.hexdigest(), defaults, entry, options, zone[1])


def _kind_by_folder(name: str, root: Path) -> Kind:
    folders = [root.name if root.is_dir() else root.parent.name, *name.split("/")[:-1]]
    return next(
        (kind for folder in reversed(folders) if (kind := _KINDS_BY_FOLDER.get(folder.lower()))), "policy"
    )


def _id_from(name: str) -> str:
    """The path as an id: folders divided by `:`, which unlike `/` keeps to one segment of a web address."""
    identity = " ".join(name.replace("/", ":").split())
    if len(identity) <= LONGEST_ID:
        return identity
    return f"{identity[: LONGEST_ID - 9]}~{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"
