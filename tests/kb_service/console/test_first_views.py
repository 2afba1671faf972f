"""Pages that take long to make, right after a start: whoever opens them first finds them made."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest.embedding import WordHashEmbedder
from kb_service.app import create_app
from kb_service.care.gaps import Gaps
from kb_service.console.first_views import FirstViews
from kb_service.console.pages import FIRST_VIEWS
from kb_service.metrics.measuring import Measuring
from kb_service.settings import Settings
from kb_service.traffic import desk
from kb_service.traffic.desk import TrafficDesk
from tests.conftest import FixedClock
from tests.kb_service.conftest import Api, running
from tests.kb_service.console.visitors import Browser, signed_in

PAGES = ("/console/traffic", "/console/traffic/service", "/console/traffic/people", "/console/knowledge/gaps")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the figures that were computed, in order."""
    names: list[str] = []

    def counted(owner: Any, name: str) -> None:
        compute = getattr(owner, name)

        def computed(*given: Any, **named: Any) -> Any:
            names.append(name)
            return compute(*given, **named)

        monkeypatch.setattr(owner, name, computed)

    counted(TrafficDesk, "heatmap")
    counted(desk, "forecast")
    counted(desk, "hindsight")
    counted(Measuring, "support")
    counted(Measuring, "board")
    counted(Gaps, "page")
    return names


@pytest.fixture
def visitor(api: Api) -> Browser:
    """Of a shop that something came in to and was asked."""
    api.recurring()
    for number in range(3):
        api.post("/v1/answers", {"query": "does the kettle whistle", "conversation_id": f"k-{number}"})
    return signed_in(api, "product", "editor", "admin")


def test_the_first_visit_after_a_start_computes_nothing(api: Api, visitor: Browser, made: list[str]) -> None:
    FirstViews(api.services, FIRST_VIEWS).make("shop")
    assert {"heatmap", "forecast", "hindsight", "support", "board", "page"} == set(made)
    made.clear()
    for address in PAGES:
        assert visitor.get(address).status_code == 200
    assert made == []


def test_without_it_the_pages_make_their_figures_themselves(visitor: Browser, made: list[str]) -> None:
    for address in PAGES:
        assert visitor.get(address).status_code == 200
    assert {"heatmap", "forecast", "hindsight", "support", "board", "page"} == set(made)


def test_nothing_is_made_where_nobody_signs_in_or_nothing_came_in(api: Api, made: list[str]) -> None:
    views = FirstViews(api.services, FIRST_VIEWS)
    api.recurring()
    views.make("shop")
    signed_in(api, "product", workspace="other")
    views.make("other")
    assert made == []


def test_figures_that_cannot_be_made_keep_nobody_from_theirs(
    api: Api, visitor: Browser, made: list[str]
) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("a fault of these figures")

    FirstViews(api.services, (broken, *FIRST_VIEWS)).make("shop")
    assert made
    assert visitor.get("/console/traffic").status_code == 200


def test_after_a_start_they_are_made_by_themselves_once_it_is_ready(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, made: list[str]
) -> None:
    monkeypatch.setattr("kb_service.console.first_views.LOOK_SECONDS", 0.01)
    with running(tmp_path / "data", clock) as api:
        api.recurring()
        signed_in(api, "product")
    made.clear()
    states: dict[str, str] = {}
    over = threading.Event()
    make = FirstViews.make

    def noted(views: FirstViews, workspace: str) -> None:
        states[workspace] = views._services.replicas.readiness()["status"]
        make(views, workspace)
        if len(states) == 2:
            over.set()

    monkeypatch.setattr(FirstViews, "make", noted)
    app = create_app(Settings(data=tmp_path / "data"), embedder=WordHashEmbedder(), clock=clock)
    with TestClient(app):
        assert over.wait(60)
    assert states == {"shop": "ready", "other": "ready"}
    assert sorted(set(made)) == ["board", "forecast", "heatmap", "hindsight", "page", "support"]
    assert made.count("board") == 1
