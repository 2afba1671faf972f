"""A whole application over a store of its own, two shops, and a key for each role."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from ingest.embedding import Embedder, WordHashEmbedder
from kb_service.app import create_app
from kb_service.commands.sample import FOLDERS, put_people
from kb_service.commands.workbench import Workbench, open_workbench
from kb_service.learning.swapping import as_ranked
from kb_service.models import KEY_ROLES, Principal
from kb_service.services import Services
from kb_service.settings import Settings
from kb_service.store import Store
from tests.conftest import FixedClock

NOW = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
WORKSPACES = ("shop", "other")
RETURNS = {
    "kind": "policy",
    "title": "Returns",
    "markdown": "# Returns\n\nUnworn clothing may be returned within 30 days of delivery.",
    "language": "en",
}
LATE = "my parcel has not moved for three days, where is it"


@pytest.fixture(scope="session")
def sample_bench(
    tmp_path_factory: pytest.TempPathFactory, packaged_embedder: Embedder
) -> Iterator[Workbench]:
    """The sample shop's documents, and the intents by which their matters are known; for reading alone."""
    sample = Path(__file__).parents[2] / "sample_kb"
    with open_workbench(
        Settings(data=tmp_path_factory.mktemp("sample")), embedder=packaged_embedder
    ) as opened:
        opened.create_workspace("shop")
        folders = [sample / name for name in FOLDERS]
        opened.services.knowledge.ingest("shop", folders, progress=lambda *_: None)
        put_people(opened, Principal("shop", "test", frozenset(KEY_ROLES)), sample)
        yield opened


@pytest.fixture(scope="session", autouse=True)
def no_first_views() -> Iterator[None]:
    """Nothing is made ahead of its first visit: tests count what a visit asks, and look at figures as they are now."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kb_service.console.first_views.LOOK_SECONDS", 3600.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Log lines as JSON: the library's default draws every variable of a traceback, which takes seconds."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )


@pytest.fixture(autouse=True)
def places_as_ranked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No neighbours change places, which follows from ids that are made by chance; `swaps` is for where they do."""
    if "swaps" not in request.fixturenames:
        monkeypatch.setattr(
            "kb_service.replying.responding.swapped", lambda answers, *_, **__: as_ranked(answers)
        )


@pytest.fixture(autouse=True)
def as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages wait for what is derived and made anew, on a busy machine too."""
    monkeypatch.setattr("kb_service.replicas.replicas.HURRIED_SECONDS", 60.0)
    monkeypatch.setattr("kb_service.metrics.lately.PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr("kb_service.care.conflicts.PAGE_SECONDS", 5.0)


@pytest.fixture
def swaps() -> None:
    """Neighbours change places as they do in a shop."""


@dataclass
class Api:
    """One application, its client, and keys by workspace and role."""

    app: FastAPI
    client: TestClient
    clock: FixedClock
    keys: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        found = self.app.state.services
        assert isinstance(found, Services)
        return found

    @property
    def store(self) -> Store:
        return self.services.store

    def call(
        self, method: str, path: str, *, role: str | None = "admin", workspace: str = "shop", **request: Any
    ) -> Response:
        headers = dict(request.pop("headers", {}))
        if role is not None:
            headers.setdefault("Authorization", f"Bearer {self.keys[workspace, role]}")
        return self.client.request(method, path, headers=headers, **request)

    def get(self, path: str, **request: Any) -> Response:
        return self.call("GET", path, **request)

    def post(self, path: str, body: Any = None, **request: Any) -> Response:
        return self.call("POST", path, **({"json": body} if body is not None else {}), **request)

    def put(self, path: str, body: Any, **request: Any) -> Response:
        return self.call("PUT", path, json=body, **request)

    def delete(self, path: str, **request: Any) -> Response:
        return self.call("DELETE", path, **request)

    def batch(self, path: str, lines: Iterable[Any], **request: Any) -> list[dict[str, Any]]:
        """Post lines, objects or raw bytes, and give the result of each."""
        raw = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        response = self.post(path, content=raw, **request)
        assert response.status_code == 200, response.text
        return [json.loads(line) for line in response.text.splitlines()]

    def event(self, id: str, **fields: Any) -> dict[str, Any]:
        """An event as a shop sends it: a customer's message now, unless told otherwise."""
        plain = {
            "id": id,
            "type": "message",
            "at": self.clock.now.isoformat(),
            "conversation_id": f"c-{id}",
            "customer_id": f"u-{id}",
            "text": LATE,
        }
        return {name: value for name, value in {**plain, **fields}.items() if value is not None}

    def recurring(self, prefix: str = "m", customers: int = 3, **fields: Any) -> dict[str, Any]:
        """Messages of several customers about one problem; the last one's result."""
        result: dict[str, Any] = {}
        for number in range(customers):
            body = self.event(f"{prefix}{number}", **fields)
            response = self.post("/v1/events", body)
            assert response.status_code == 200, response.text
            result = response.json()
            self.clock.advance(minutes=1)
        return result

    def case_id(self, event_id: str) -> str:
        return str(self.get(f"/v1/events/{event_id}").json()["case_id"])


@contextmanager
def running(folder: Path, clock: FixedClock, **settings: Any) -> Iterator[Api]:
    """The application with its lifespan; it is stopped at the end."""
    app = create_app(
        Settings(data=folder, **settings), embedder=WordHashEmbedder(), clock=clock, chance=random.Random(1)
    )
    with TestClient(app, raise_server_exceptions=True) as client:
        api = Api(app, client, clock)
        with api.store.administration() as unit:
            for workspace in WORKSPACES:
                unit.workspaces.create(workspace)
                for role in KEY_ROLES:
                    api.keys[workspace, role], _ = unit.keys.create(workspace, [role])
        yield api


@pytest.fixture
def api(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    with running(tmp_path / "data", clock) as started:
        yield started


@pytest.fixture(scope="module")
def shared_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One application for a module's tests that leave nothing behind for each other."""
    with running(tmp_path_factory.mktemp("shared") / "data", FixedClock(NOW)) as started:
        yield started


def problem(response: Response, status: int) -> dict[str, Any]:
    """The problem details of a refusal, checked to be well formed."""
    assert response.status_code == status, f"{response.status_code} {response.text}"
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:kb-service:problem:")
    assert body["title"]
    assert body["detail"]
    assert body["instance"]
    return body


def faults(response: Response, status: int = 422) -> dict[str, str]:
    """The messages of a refusal by field."""
    body = problem(response, status)
    return {item["field"]: item["message"] for item in body["errors"]}


def is_subset(part: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    return all(whole.get(name) == value for name, value in part.items())


DAY = timedelta(days=1)
