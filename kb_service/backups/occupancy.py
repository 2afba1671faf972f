"""Who works in a data folder: servers and commands side by side, a restore only alone.

A lock on a file, which ends with its process however that ends.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb_service.errors import Conflict

LOCK = ".in-use"


@contextmanager
def occupied(folder: Path) -> Iterator[None]:
    """Work in a data folder that is there beside others. Raises Conflict while a backup is restored into it."""
    with _held(folder, fcntl.LOCK_SH):
        yield


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Work in a data folder that nobody else works in, nor begins to. Raises Conflict where somebody does."""
    with _held(folder, fcntl.LOCK_EX):
        yield


@contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    with (folder / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                "{folder} is in use by another process of this service; end it first, or try again."
                if how == fcntl.LOCK_EX
                else "A backup is just being restored into {folder}; try again when that is done.",
                folder=str(folder),
            ) from None
        yield
