"""`kb` as a user runs it, but in this process: its exit status, and what it wrote where."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from kb_service.cli import main


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """Runs commands over one data folder."""

    data: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object) -> Ran:
        self.capsys.readouterr()
        self.monkeypatch.setattr("sys.argv", ["kb", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        written = self.capsys.readouterr()
        status = ended.value.code
        return Ran(status if isinstance(status, int) else int(status is not None), written.out, written.err)

    def good(self, *arguments: object) -> Ran:
        """The same, for a command that must succeed."""
        ran = self(*arguments)
        assert ran.status == 0, ran.err
        return ran


@contextmanager
def logging_kept() -> Iterator[None]:
    """Commands and servers configure logging for their process; here it is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()


@contextmanager
def command_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandLine]:
    """Commands in `folder` with nothing configured but a data folder there and the deterministic encoder."""
    from os import environ

    for name in [name for name in environ if name.startswith("KB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KB_DATA", str(folder / "data"))
    monkeypatch.setenv("KB_EMBEDDING_MODEL", "word-hash")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(folder)
    with logging_kept():
        yield CommandLine(folder / "data", monkeypatch, capsys)
