"""The file that a backup is: the store, the lexicons of the shop's own, and a manifest with their checksums.

A zip archive, so that what it holds can be looked at without this software. The store is the truth; what is derived
from it is not in the archive and is made anew. It is written under another name and renamed when it is whole.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import struct
import uuid
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from kb_service.errors import NotFound, ServiceError

FORMAT = 1
MANIFEST = "manifest.json"
STORES = {"sqlite": "store.sqlite3", "postgresql": "store.pgdump"}
"""What the store is called inside, by the database that it comes from."""
_INSIDE = re.compile(r"store\.(sqlite3|pgdump)|encoder/[A-Za-z0-9_-]{1,100}\.(npz|json)")
LONGEST_MANIFEST = 1 << 20
BLOCK = 1 << 20
UNREADABLE: tuple[type[Exception], ...] = (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError)
UNREADABLE += (RuntimeError, ValueError, zlib.error, lzma.LZMAError, struct.error)
"""What reading a file that is no whole archive may end in."""
MISSHAPEN: tuple[type[Exception], ...] = (KeyError, TypeError, AttributeError, *UNREADABLE)
"""And what one may end in that holds something else than it should."""
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
LEVEL = 4
"""How hard it is compressed: beyond this a minute more saves a hundredth."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file inside, uncompressed."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself. `revision` is that of the store's tables, `made_at` an ISO time."""

    made_at: str
    version: str
    dialect: str
    revision: str
    files: Mapping[str, Entry]
    format: int = FORMAT

    @property
    def store(self) -> str:
        return STORES[self.dialect]


def write(
    to: Path, inside: Mapping[str, Path], *, made_at: str, version: str, dialect: str, revision: str
) -> str:
    """An archive of the files `inside`, by the names that they get; the SHA-256 of the whole archive.

    `to` is there when it is whole, or not at all.
    """
    part = to.with_name(f".{to.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
                files = {name: _added(archive, name, path) for name, path in sorted(inside.items())}
                manifest = Manifest(made_at, version, dialect, revision, files)
                archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
            file.flush()
            os.fsync(file.fileno())
        digest = digest_of(part)
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(to.parent)
    return digest


def _added(archive: zipfile.ZipFile, name: str, path: Path) -> Entry:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
        while block := source.read(BLOCK):
            digest.update(block)
            size += len(block)
            target.write(block)
    return Entry(size, digest.hexdigest())


def manifest_of(path: Path) -> Manifest:
    """What a backup says of itself. Raises NotFound, or ServiceError where it is none."""
    with _opened(path) as archive:
        return _manifest(archive, path)


def verify(path: Path) -> Manifest:
    """Read a backup to its end. Raises ServiceError where anything in it differs from what was written."""
    with _opened(path) as archive:
        manifest = _manifest(archive, path)
        for name in manifest.files:
            _copy(archive, manifest, name, None, path)
    return manifest


def extract(path: Path, to: Path) -> Manifest:
    """Take a backup out into an empty folder, checking each file. Raises ServiceError."""
    with _opened(path) as archive:
        manifest = _manifest(archive, path)
        for name in manifest.files:
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                os.fchmod(file.fileno(), 0o600)
                _copy(archive, manifest, name, file, path)
                file.flush()
                os.fsync(file.fileno())
    return manifest


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make renames in a folder outlast a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise NotFound("There is no backup {file}.", file=str(path)) from None
    except UNREADABLE as error:
        raise _damaged(path, str(error) or "it ends too early") from error
    with archive:
        yield archive


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        if strangely := [item.filename for item in archive.infolist() if item.compress_type not in PACKED]:
            raise ValueError(f"it is packed in a way of another program: {', '.join(strangely)}")
        if archive.getinfo(MANIFEST).file_size > LONGEST_MANIFEST:
            raise ValueError("its manifest is too long")
        said: dict[str, Any] = json.loads(archive.read(MANIFEST))
        if said.get("format") != FORMAT:
            raise ValueError(f"it has format {said.get('format')!r}, which this version does not know")
        files = {str(name): _entry(**entry) for name, entry in said.pop("files").items()}
        if not all(isinstance(said.get(name), str) for name in ("made_at", "version", "dialect", "revision")):
            raise ValueError("its manifest holds something else than texts")
        manifest = Manifest(**said, files=files)
        datetime.fromisoformat(manifest.made_at)
        strange = [name for name in files if not _INSIDE.fullmatch(name)]
        if strange or manifest.store not in files or set(archive.namelist()) != {*files, MANIFEST}:
            raise ValueError(
                f"its manifest does not fit what is in it: {', '.join(strange) or 'other files'}"
            )
    except MISSHAPEN as error:
        raise _damaged(path, str(error)) from error
    return manifest


def _copy(archive: zipfile.ZipFile, manifest: Manifest, name: str, to: IO[bytes] | None, path: Path) -> None:
    digest, size = hashlib.sha256(), 0
    for block in _blocks(archive, name, path):
        digest.update(block)
        size += len(block)
        if size > manifest.files[name].bytes:
            break
        if to is not None:
            to.write(block)
    if (size, digest.hexdigest()) != (manifest.files[name].bytes, manifest.files[name].sha256):
        raise _damaged(path, f"{name} differs from what was written")


def _blocks(archive: zipfile.ZipFile, name: str, path: Path) -> Iterator[bytes]:
    """A file inside, block by block. Only what fails in reading it is told as damage."""
    try:
        with archive.open(name) as source:
            while block := source.read(BLOCK):
                yield block
    except MISSHAPEN as error:
        raise _damaged(path, f"{name}: {error}") from error


def _entry(bytes: int, sha256: str) -> Entry:
    """What the manifest says of a file. Raises TypeError for what is no size and digest."""
    if type(bytes) is not int or not isinstance(sha256, str):
        raise TypeError("its manifest holds something else than sizes and digests")
    return Entry(bytes, sha256)


def _damaged(path: Path, reason: str) -> ServiceError:
    return ServiceError(
        "{file} is not a whole backup ({reason}); take another one.", file=path.name, reason=reason
    )
