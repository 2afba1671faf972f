"""The backups that an installation keeps: made at night or by hand, listed, checked, and given away."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from structlog.stdlib import get_logger

from kb_service.accounts import Visitor
from kb_service.backups.archive import manifest_of, verify
from kb_service.backups.making import Made, make
from kb_service.backups.restoring import BACKUPS
from kb_service.errors import Conflict, Forbidden, NotFound, ServiceError
from kb_service.settings import Settings
from kb_service.store import Store

log = get_logger(__name__)

Origin = Literal["night", "hand"]
Soundness = Literal["sound", "damaged", "unchecked"]
ENDING = ".kbbackup"
_NAME = re.compile(r"kb-(\d{8}T\d{6}Z)-(night|hand)(-\d+)?\.kbbackup")


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup in the folder. `sha256` is None where the file beside it that tells it is gone; `checked_at` is when
    this process last read it to its end."""

    name: str
    origin: Origin
    made_at: datetime
    bytes: int
    version: str | None
    sha256: str | None
    soundness: Soundness = "unchecked"
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Whether a backup is being made now, and the error of the last one, until one succeeds."""

    under_way: bool
    failed: ServiceError | None


class Backups:
    """One shelf for the whole installation: a backup holds every workspace, so that it is an operator's, or of the
    administrator whose workspace is the only one."""

    def __init__(self, store: Store, settings: Settings, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self.folder = settings.backups or settings.data / BACKUPS
        self.kept = settings.backups_kept
        self.nightly = settings.backups is not None
        self._making = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failed: ServiceError | None = None
        self._checks: dict[tuple[str, int, int], tuple[Soundness, datetime]] = {}
        self._versions: dict[tuple[str, int, int], str] = {}
        """What archives say that made them, by their state: the page looks each second while one is made."""

    # --- reading

    def backups(self) -> tuple[Backup, ...]:
        """What is in the folder, the newest first; other files there are left alone."""
        if not self.folder.is_dir():
            return ()
        found = [path for path in self.folder.iterdir() if _NAME.fullmatch(path.name) and path.is_file()]
        # Of those made within one second the later one has the longer name.
        newest = sorted(map(self._told, found), key=lambda item: (item.made_at, len(item.name), item.name))
        return tuple(reversed(newest))

    def progress(self) -> Progress:
        return Progress(self._thread is not None and self._thread.is_alive(), self._failed)

    def shown(self, visitor: Visitor) -> tuple[Backup, ...]:
        """What is in the folder, for who may have it. Raises Forbidden."""
        self._admit(visitor)
        return self.backups()

    def may_carry_away(self, visitor: Visitor) -> bool:
        """Whether somebody may have backups: an operator, or the administrator of the one workspace there is."""
        if visitor.member.operator:
            return True
        with self._store.administration(writing=False) as unit:
            return len(unit.workspaces.list()) == 1

    def carried_away(self, visitor: Visitor, name: str) -> Path:
        """The file of a backup, for who may have it; that they had it is kept in the audit. Raises Forbidden."""
        self._admit(visitor)
        path = self._path(name)
        self._tell(visitor, "backup.downloaded", name, {})
        return path

    def check(self, visitor: Visitor, name: str) -> Backup:
        """Read a backup to its end, and say whether it is as it was written. Raises Forbidden."""
        self._admit(visitor)
        path = self._path(name)
        self._note(path, _soundness(path))
        backup = self._told(path)
        self._tell(visitor, "backup.checked", name, {"soundness": backup.soundness})
        return backup

    # --- making

    def begin(self, visitor: Visitor) -> None:
        """Make a backup in a thread of its own. Raises Forbidden, and Conflict while one is made."""
        self._admit(visitor)
        if not self._making.acquire(blocking=False):
            raise Conflict("A backup is just being made; wait until it is done.")
        try:
            self._thread = threading.Thread(target=self._by_hand, args=(visitor,), name="backup", daemon=True)
            self._thread.start()
        except BaseException:
            self._making.release()
            raise

    def wait(self) -> None:
        """Until what was begun is done."""
        if self._thread is not None:
            self._thread.join()

    stop = wait

    def night(self, workspace: str) -> Backup | None:
        """The backup of a night, where a folder is set for them. Nights are counted by workspace, and a backup holds
        them all: the first one's night makes it."""
        with self._store.administration(writing=False) as unit:
            first = min((item.id for item in unit.workspaces.list()), default=None)
        if not self.nightly or workspace != first:
            return None
        with self._making:
            return self._made("night")

    def _by_hand(self, visitor: Visitor) -> None:
        try:
            backup = self._made("hand")
            self._failed = None
            self._tell(visitor, "backup.made", backup.name, {"bytes": backup.bytes, "sha256": backup.sha256})
        except Exception as error:
            log.error("backup_failed", exc_info=error)
            known = isinstance(error, ServiceError)
            self._failed = error if known else ServiceError("It failed: {reason}", reason=str(error))  # type: ignore[assignment]
        finally:
            self._making.release()

    def _made(self, origin: Origin) -> Backup:
        at = self._clock().astimezone(UTC)
        made = make(self._store, self._settings, self._free_name(origin, at), at)
        self._write_digest(made)
        self._note(made.file, "sound")
        self._sweep(origin)
        log.info("backup_made", file=made.file.name, bytes=made.bytes)
        return self._told(made.file)

    def _free_name(self, origin: Origin, at: datetime) -> Path:
        plain = f"kb-{at:%Y%m%dT%H%M%SZ}-{origin}"
        number = 1
        while (path := self.folder / (f"{plain}{f'-{number}' if number > 1 else ''}{ENDING}")).exists():
            number += 1
        return path

    def _write_digest(self, made: Made) -> None:
        """As `sha256sum --check` reads it."""
        _digest_file(made.file).write_text(f"{made.sha256}  {made.file.name}\n", encoding="utf-8")

    def _sweep(self, origin: Origin) -> None:
        """Only the latest of each origin stay."""
        for backup in [item for item in self.backups() if item.origin == origin][self.kept :]:
            path = self.folder / backup.name
            path.unlink(missing_ok=True)
            _digest_file(path).unlink(missing_ok=True)

    # --- inside

    def _admit(self, visitor: Visitor) -> None:
        if not self.may_carry_away(visitor):
            raise Forbidden(
                "A backup holds every workspace; only an operator of this installation may make, check or download one."
            )

    def _path(self, name: str) -> Path:
        path = self.folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise NotFound("There is no backup {file}.", file=name)
        return path

    def _told(self, path: Path) -> Backup:
        found = _NAME.fullmatch(path.name)
        assert found is not None
        backup = Backup(
            name=path.name,
            origin="night" if found[2] == "night" else "hand",
            made_at=datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
            bytes=path.stat().st_size,
            version=None,
            sha256=_digest(path),
        )
        try:
            backup = replace(backup, version=self._version(path))
        except (ServiceError, OSError):
            return replace(backup, soundness="damaged")
        checked = self._checks.get(_state(path))
        return backup if checked is None else replace(backup, soundness=checked[0], checked_at=checked[1])

    def _version(self, path: Path) -> str:
        """The version that made a backup. Raises ServiceError where it is none."""
        state = _state(path)
        if state not in self._versions:
            self._versions[state] = manifest_of(path).version
        return self._versions[state]

    def _note(self, path: Path, soundness: Soundness) -> None:
        self._checks[_state(path)] = (soundness, self._clock())

    def _tell(self, visitor: Visitor, action: str, name: str, detail: dict[str, object]) -> None:
        with self._store.writing(visitor.principal.workspace) as unit:
            unit.audit.append(visitor.principal.key_id, action, name, detail)


def _soundness(path: Path) -> Soundness:
    try:
        verify(path)
    except ServiceError:
        return "damaged"
    return "sound"


def _state(path: Path) -> tuple[str, int, int]:
    """What tells one state of a file from another, so that a check holds for what was checked."""
    found = path.stat()
    return path.name, found.st_size, found.st_mtime_ns


def _digest_file(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _digest(path: Path) -> str | None:
    try:
        said = _digest_file(path).read_text(encoding="utf-8").partition(" ")[0]
    except (OSError, UnicodeDecodeError):
        return None
    return said if re.fullmatch(r"[0-9a-f]{64}", said) else None
