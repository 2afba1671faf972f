"""What a start leaves behind in the process that serves."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kb_service import serving
from kb_service.cli import run_server
from kb_service.settings import Settings


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_garbage_is_left_alone_until_workspaces_are_loaded_and_collected_from_then_on() -> None:
    replicas = SimpleNamespace(first_load=threading.Event())
    gc.disable()
    waiting = threading.Thread(target=serving.collect_once_loaded, args=(cast(Any, replicas),))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    assert not gc.isenabled()
    replicas.first_load.set()
    waiting.join(10)
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_a_load_that_never_ends_does_not_keep_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "LONGEST_START_SECONDS", 0)
    gc.disable()
    serving.collect_once_loaded(cast(Any, SimpleNamespace(first_load=threading.Event())))
    assert gc.isenabled()


def test_a_start_does_not_collect_and_its_end_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collected = []
    monkeypatch.setattr(serving, "serve", lambda settings: collected.append(gc.isenabled()))
    run_server(Settings(data=tmp_path))
    assert collected == [False]
    assert gc.isenabled()
