"""Generations: an index as checksummed files, named by a manifest that is swapped last.

    folder/CURRENT              which generation counts, with the digest of its manifest and of itself
    folder/gen-000007/          manifest.json, which holds the digest of every other file, and those files
    folder/partial-x/           what is being written or unpacked; a publication removes what a crash left
    folder/.lock                held while one process publishes

A crash between any two steps leaves the previous generation whole and named. A reader digests the very bytes
that it then uses, and refuses all of them when one differs.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Literal

FORMAT = 1

_OVERTAKEN = 20
"""How often a reader begins again because another process published meanwhile."""

_PARTIAL = "partial-"
_NAME = re.compile(r"gen-(\d{6,})")
_FILE = re.compile(r"(lexical/)?\.?[A-Za-z0-9_-][A-Za-z0-9_.-]*")

Fault = Literal[
    "absent", "damaged", "unpacking", "other_format", "other_model", "other_workspace", "other_analysis"
]


class CorruptGeneration(Exception):
    """There is no generation that may be used; rebuild from the store. `fault` says why in one word."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault: Fault = fault


@dataclass(frozen=True, slots=True)
class Description:
    """What a generation reflects: the end of the change log it has seen, and how it was made."""

    workspace: str
    model_id: str
    dimension: int
    analysis: str
    position: int
    rows: int


@dataclass(frozen=True, slots=True)
class Published:
    """The generation that counts, as its manifest tells of it: its files in bytes, and when it was published
    (seconds since 1970)."""

    name: str
    description: Description
    size: int
    at: float


@dataclass(frozen=True, slots=True)
class Generation:
    name: str
    description: Description
    files: Mapping[str, bytes]


def publish(folder: Path, description: Description, files: Mapping[str, bytes]) -> str:
    """Writes a generation, makes it the current one, removes the older ones and returns its name.

    Raises OSError when it cannot be written whole; the previous generation is then still the current one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        name = f"gen-{_newest(folder) + 1:06d}"
        manifest = _manifest(description, files)
        with workplace(folder) as partial:
            _write_all(partial, {**files, "manifest.json": manifest})
            partial.rename(folder / name)
        _sync_folder(folder)
        _replace(folder / "CURRENT", _pointer(name, manifest))
        _remove_others(folder, name)
    return name


def read(folder: Path) -> Generation:
    """The current generation, every byte of it verified. Raises CorruptGeneration."""
    for _ in range(_OVERTAKEN):
        pointer = _current(folder)
        try:
            return _verified(folder, pointer)
        except CorruptGeneration:
            if _current(folder) == pointer:
                raise  # otherwise the generation went because a newer one counts
    return _verified(folder, _current(folder))


def published(folder: Path) -> Published:
    """What the manifest of the current generation tells, verified; the other files are not read. Raises
    CorruptGeneration."""
    for _ in range(_OVERTAKEN):
        pointer = _current(folder)
        try:
            name, held, files = _manifested(folder, pointer)
            at = (folder / "CURRENT").stat().st_mtime
        except CorruptGeneration:
            if _current(folder) == pointer:
                raise
        else:
            size = sum(int(entry["size"]) for entry in files.values())
            return Published(name, Description(**held), size, at)  # type: ignore[arg-type]
    raise CorruptGeneration("damaged", "other processes publish without end")


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """An empty folder beside the generations, gone when the work is done."""
    place, handle = _claimed(folder)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(handle)


def check(description: Description, *, workspace: str, model_id: str, dimension: int, analysis: str) -> None:
    """Raises CorruptGeneration when a whole generation is of another workspace, model or way to cut words."""
    if description.workspace != workspace:
        raise CorruptGeneration(
            "other_workspace", f"it belongs to {description.workspace!r}, not {workspace!r}"
        )
    if (description.model_id, description.dimension) != (model_id, dimension):
        was = f"{description.model_id!r} ({description.dimension})"
        raise CorruptGeneration("other_model", f"its vectors are of {was}, not of {model_id!r} ({dimension})")
    if description.analysis != analysis:
        raise CorruptGeneration(
            "other_analysis", "its words were cut by another version of the language rules"
        )


# --- writing ----------------------------------------------------------------------------------------------


def _manifest(description: Description, files: Mapping[str, bytes]) -> bytes:
    digests = {name: {"sha256": _digest(content), "size": len(content)} for name, content in files.items()}
    return _canonical({"format": FORMAT, **asdict(description), "files": digests})


def _pointer(name: str, manifest: bytes) -> bytes:
    said = {"generation": name, "manifest": _digest(manifest)}
    return _canonical({**said, "self": _digest(_canonical(said))})


def _canonical(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=True).encode() + b"\n"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write_all(target: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        if not _FILE.fullmatch(name):
            raise ValueError(f"files: {name!r} is no plain name")
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, content)
    for inner in {(target / name).parent for name in files} | {target}:
        _sync_folder(inner)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.new")
    _write(fresh, content)
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _newest(folder: Path) -> int:
    return max(
        (int(match[1]) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))), default=0
    )


def _remove_others(folder: Path, name: str) -> None:
    for path in folder.iterdir():
        older = _NAME.fullmatch(path.name) and path.name != name
        if older or (path.name.startswith(_PARTIAL) and _abandoned(path)):
            shutil.rmtree(path, ignore_errors=True)


def _claimed(folder: Path) -> tuple[Path, int]:
    """A new workplace and a handle that keeps others from taking it for abandoned."""
    while True:
        place = folder / f"{_PARTIAL}{uuid.uuid4().hex}"
        place.mkdir(parents=True)
        with suppress(FileNotFoundError):
            handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if place.exists():
                return place, handle
            os.close(handle)


def _abandoned(place: Path) -> bool:
    """Whether the process that worked there is gone."""
    try:
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


# --- reading ----------------------------------------------------------------------------------------------


def _current(folder: Path) -> bytes:
    try:
        return (folder / "CURRENT").read_bytes()
    except FileNotFoundError:
        raise CorruptGeneration("absent", f"{folder} holds no generation yet") from None
    except OSError as error:
        raise CorruptGeneration("damaged", f"CURRENT cannot be read: {error.strerror}") from error


def _verified(folder: Path, pointer: bytes) -> Generation:
    name, held, digests = _manifested(folder, pointer)
    files = {file: _content(folder / name, file, entry["sha256"]) for file, entry in digests.items()}
    return Generation(name, Description(**held), files)  # type: ignore[arg-type]


def _manifested(
    folder: Path, pointer: bytes
) -> tuple[str, dict[str, object], Mapping[str, Mapping[str, str]]]:
    """The name of the generation that a pointer leads to, what its manifest says of it, and of its files."""
    said = _parsed(pointer, "CURRENT")
    name, digest = str(said.get("generation")), str(said.get("manifest"))
    body = {"generation": name, "manifest": digest}
    if pointer != _canonical({**body, "self": _digest(_canonical(body))}) or not _NAME.fullmatch(name):
        raise CorruptGeneration("damaged", "CURRENT differs from what was written")
    manifest = _content(folder / name, "manifest.json", digest)
    held = _parsed(manifest, "manifest.json")
    if held.pop("format", None) != FORMAT:
        raise CorruptGeneration("other_format", "it was written by another version of this service")
    digests = held.pop("files")
    assert isinstance(digests, dict)
    return name, held, digests


def _parsed(content: bytes, name: str) -> dict[str, object]:
    try:
        value = json.loads(content)
    except ValueError:
        raise CorruptGeneration("damaged", f"{name} is not JSON") from None
    if not isinstance(value, dict):
        raise CorruptGeneration("damaged", f"{name} is not an object")
    return value


def _content(folder: Path, name: str, digest: str) -> bytes:
    if not _FILE.fullmatch(name):
        raise CorruptGeneration("damaged", f"the manifest names {name!r}")
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise CorruptGeneration(
            "damaged", f"{folder.name}/{name} cannot be read: {error.strerror}"
        ) from error
    if _digest(content) != digest:
        raise CorruptGeneration("damaged", f"{folder.name}/{name} differs from what was written")
    return content


@contextmanager
def _locked(folder: Path) -> Iterator[IO[bytes]]:
    with (folder / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
