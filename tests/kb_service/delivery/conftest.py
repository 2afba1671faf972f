"""A store with one shop at the present moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kb_service.store import Store
from tests.conftest import FixedClock


@pytest.fixture
def at(clock: FixedClock) -> FixedClock:
    """The present, because the reference verifier compares with the wall clock."""
    clock.now = datetime.now(UTC)
    return clock


@pytest.fixture
def store(tmp_path: Path, at: FixedClock) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'kb.sqlite3'}", clock=at)
    store.migrate()
    with store.administration() as unit:
        unit.workspaces.create("shop")
    yield store
    store.close()
