"""One backup: a moment of the store with the shop's own lexicons, as an archive."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from kb_service.backups.archive import STORES, Manifest, verify, write
from kb_service.encoders import FOLDER
from kb_service.errors import ServiceError
from kb_service.settings import Settings
from kb_service.store import Store


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was written and read back. `sha256` is that of the whole file."""

    file: Path
    bytes: int
    sha256: str
    manifest: Manifest


def make(store: Store, settings: Settings, to: Path, at: datetime) -> Made:
    """Write a backup while the service runs, and read it back. Raises ServiceError where there is no room, or the
    database's own programs are missing."""
    to.parent.mkdir(parents=True, exist_ok=True)
    _check_room(settings, to.parent)
    with tempfile.TemporaryDirectory(prefix=".copying-", dir=to.parent) as folder:
        copy = Path(folder) / STORES[store.dialect]
        revision = store.copy(copy)
        inside = {copy.name: copy}
        lexicons = settings.data / FOLDER
        if lexicons.is_dir():
            inside |= {
                f"{FOLDER}/{path.name}": path
                for path in lexicons.iterdir()
                if path.suffix in (".npz", ".json")
            }
        digest = write(
            to,
            inside,
            made_at=at.isoformat(),
            version=version("kb-service"),
            dialect=store.dialect,
            revision=revision,
        )
    return Made(to, to.stat().st_size, digest, verify(to))


def _check_room(settings: Settings, folder: Path) -> None:
    """A copy and its archive lie there side by side for a moment."""
    file = settings.data / "kb.sqlite3"
    needed = 2 * sum(
        path.stat().st_size for path in (file, file.with_name(file.name + "-wal")) if path.exists()
    )
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ServiceError(
            "{folder} has {free} MB free and a backup may need {needed} MB; make room, or name another folder.",
            folder=str(folder),
            free=free >> 20,
            needed=(needed >> 20) + 1,
        )
