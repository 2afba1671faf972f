"""Fixtures that every room's tests share: a fixed clock and the embedders."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from ingest.embedding import Embedder, WordHashEmbedder, load_embedder
from kb_service.store import Store
from kb_service.store.backends import SqliteBackend


class FixedClock:
    """A clock that stands still until it is told to move; calling it gives the time."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **units: float) -> datetime:
        """Moves on by `timedelta(**units)` and gives the new time."""
        self.now += timedelta(**units)
        return self.now


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 6, 18, 4, 0, tzinfo=UTC))


MIGRATE = Store.migrate


@pytest.fixture(scope="session", autouse=True)
def migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new SQLite file begins as a copy of one that was migrated before, since a tenth of a second a test adds up.
    Tests of migrating itself use `migrating`."""
    template = tmp_path_factory.mktemp("migrated") / "kb.sqlite3"
    with closing(Store(f"sqlite:///{template}")) as made:
        made.migrate()

    def migrate(store: Store) -> None:
        backend = store._backend
        if isinstance(backend, SqliteBackend) and not backend.path.exists():
            shutil.copyfile(template, backend.path)
        MIGRATE(store)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "migrate", migrate)
        yield


@pytest.fixture
def migrating(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every revision runs, as on a new machine."""
    monkeypatch.setattr(Store, "migrate", MIGRATE)


@pytest.fixture(scope="session")
def word_hash() -> Embedder:
    """Deterministic and instant: shared words make texts similar."""
    return WordHashEmbedder()


@pytest.fixture(scope="session")
def packaged_embedder() -> Iterator[Embedder]:
    """The real encoder of both languages; tests that use it carry `@pytest.mark.model`."""
    yield load_embedder("packaged", threads=1)


@pytest.fixture(scope="session")
def english_embedder() -> Iterator[Embedder]:
    """The real English encoder alone; tests that use it carry `@pytest.mark.model`."""
    yield load_embedder("packaged-en", threads=1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        uses = getattr(item, "fixturenames", ())
        real = {"packaged_embedder", "english_embedder"} & set(uses)
        if real and item.get_closest_marker("model") is None:
            raise pytest.UsageError(f"{item.nodeid} uses {min(real)} without @pytest.mark.model")
