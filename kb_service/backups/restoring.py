"""A backup put back: checked, brought up to date beside the store that is there, and then swapped in at once.

What was there is kept aside. Whatever fails before the swap leaves it untouched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kb_service.backups.archive import Manifest, extract, sync_folder, verify
from kb_service.backups.occupancy import LOCK, alone
from kb_service.encoders import FOLDER
from kb_service.errors import Conflict, ServiceError
from kb_service.settings import Settings, prepare_data
from kb_service.store import Store
from kb_service.store.copying import check_sqlite, check_tables, sqlite_file
from kb_service.store.dumps import check_dump, postgres_filled, postgres_in_use
from kb_service.store.migrating import known_revisions

STAGE = ".restoring"
DERIVED = "derived"
BACKUPS = "backups"
"""The folder in the data folder that backups lie in unless another is set."""
COMPANIONS = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Restored:
    """`aside` is where what was there lies now; None where nothing was, or a database keeps nothing."""

    manifest: Manifest
    aside: Path | None


def check(settings: Settings, file: Path) -> Manifest:
    """Whether a backup is whole and this version, with this store, could take it. Raises ServiceError."""
    manifest = verify(file)
    if manifest.revision not in known_revisions():
        raise ServiceError(
            "{file} was made by version {version} with tables at revision {revision}, which this version does not "
            "know: install that version, or a later one.",
            file=file.name,
            version=manifest.version,
            revision=manifest.revision,
        )
    dialect = "sqlite" if settings.store_url.startswith("sqlite") else "postgresql"
    if manifest.dialect != dialect:
        raise Conflict(
            "{file} holds a store of {held}, and KB_DATABASE_URL names one of {wanted}; name one of {held}.",
            file=file.name,
            held=manifest.dialect,
            wanted=dialect,
        )
    return manifest


def examine(settings: Settings, file: Path) -> Manifest:
    """Whether a backup could be restored here, its store looked into as a restore does. Raises ServiceError."""
    manifest = check(settings, file)
    with tempfile.TemporaryDirectory(prefix="kb-backup-") as folder:
        extract(file, Path(folder))
        _check_store(Path(folder) / manifest.store, manifest)
    return manifest


def _check_store(store: Path, manifest: Manifest) -> None:
    """Raises ServiceError where the store of a backup is damaged, none of this service, or of another revision."""
    if manifest.dialect == "sqlite":
        check_sqlite(store)
        check_tables(store, manifest.revision)
    else:
        check_dump(store, manifest.revision)


def restore(settings: Settings, file: Path, *, force: bool, now: datetime) -> Restored:
    """Put a backup in the place of what is there. Raises Conflict while a server or command works there, and
    without `force` where anything is there; ServiceError for a backup that is damaged or of a later version."""
    manifest = check(settings, file)
    folder = prepare_data(settings)
    with alone(folder):
        stage = folder / STAGE
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir()
        try:
            if manifest.dialect == "sqlite":
                return _into_files(settings, file, stage, force=force, now=now)
            return _into_server(settings, file, stage, force=force)
        finally:
            shutil.rmtree(stage, ignore_errors=True)


# --- SQLite ------------------------------------------------------------------------------------------------


def _into_files(settings: Settings, file: Path, stage: Path, *, force: bool, now: datetime) -> Restored:
    path = sqlite_file(settings.store_url)
    there = [item for item in _contents(settings.data) if item != path]
    there += [item for item in (path, *_companions(path)) if item.exists()]
    if there and not force:
        raise _filled(settings.data)
    manifest = extract(file, stage)
    fresh = stage / manifest.store
    _check_store(fresh, manifest)
    _migrate(fresh)
    # Beside the store, which may lie on another disk than the data folder: only there a rename is one step.
    path.parent.mkdir(parents=True, exist_ok=True)
    landed = path.with_name(f".{path.name}{STAGE}")
    try:
        shutil.move(fresh, landed)
        aside = _aside(settings.data, now) if there else None
        if aside is not None:
            _keep(path, aside)
        _swap_lexicons(settings.data, stage, aside)
        # What is derived belongs to the store before.
        shutil.rmtree(settings.data / DERIVED, ignore_errors=True)
        landed.replace(path)
    finally:
        landed.unlink(missing_ok=True)
    sync_folder(path.parent)
    return Restored(manifest, aside)


def _contents(folder: Path) -> list[Path]:
    """What lies in a data folder, apart from what a restore itself needs and the backups."""
    return [item for item in folder.iterdir() if item.name not in (LOCK, STAGE, BACKUPS)]


def _companions(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in COMPANIONS]


def _migrate(path: Path) -> None:
    """Bring the store of a backup up to date before it is anybody's, as one file without companions."""
    store = Store(f"sqlite:///{path}")
    try:
        store.migrate()
        store.checkpoint()
    finally:
        store.close()
    for companion in _companions(path):
        companion.unlink(missing_ok=True)


def _aside(folder: Path, now: datetime) -> Path:
    plain = f"before-restore-{now:%Y%m%dT%H%M%SZ}"
    for number in range(1, 1000):
        aside = folder / (plain if number == 1 else f"{plain}-{number}")
        with suppress(FileExistsError):
            aside.mkdir()
            return aside
    raise AssertionError("a thousand restores within one second")


def _keep(path: Path, aside: Path) -> None:
    """The store that is there, also under a name in `aside`; its own name goes to the new one in a single step."""
    if path.exists():
        _fold(path)
        try:
            os.link(path, aside / path.name)
        except OSError:
            shutil.copy2(path, aside / path.name)
    for companion in _companions(path):
        if companion.exists():
            companion.replace(aside / companion.name)


def _fold(path: Path) -> None:
    """Fold the log of a store into its file. One that is damaged is kept as it is, with its log."""
    with suppress(Exception):
        store = Store(f"sqlite:///{path}")
        try:
            store.checkpoint()
        finally:
            store.close()


def _swap_lexicons(folder: Path, stage: Path, aside: Path | None) -> None:
    there, fresh = folder / FOLDER, stage / FOLDER
    if there.exists() and aside is not None:
        there.replace(aside / FOLDER)
    if fresh.exists():
        fresh.replace(there)


# --- PostgreSQL --------------------------------------------------------------------------------------------


def _into_server(settings: Settings, file: Path, stage: Path, *, force: bool) -> Restored:
    url = settings.store_url
    if postgres_filled(url) and not force:
        raise Conflict(
            "The database that KB_DATABASE_URL names holds workspaces. Make a backup of it, then use --force to put "
            "this one in its place."
        )
    if users := postgres_in_use(url):
        raise Conflict(
            "{count} connections of this service use the database that KB_DATABASE_URL names; end its servers first.",
            count=users,
        )
    manifest = extract(file, stage)
    _check_store(stage / manifest.store, manifest)
    store = Store(url)
    try:
        store.replace(stage / manifest.store)
    finally:
        store.close()
    shutil.rmtree(settings.data / DERIVED, ignore_errors=True)
    shutil.rmtree(settings.data / FOLDER, ignore_errors=True)
    _swap_lexicons(settings.data, stage, None)
    return Restored(manifest, None)


def _filled(folder: Path) -> Conflict:
    return Conflict(
        "{folder} is not empty. Name another folder with KB_DATA, or use --force: what is there is then kept aside.",
        folder=str(folder),
    )
