"""Nothing is open by default, and a neighbour with nearly the same knowledge changes nobody's answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from fastapi.middleware.cors import CORSMiddleware

from kb_service.app import create_app
from kb_service.settings import Settings
from tests.conftest import FixedClock
from tests.kb_service.conftest import Api, running
from tests.kb_service.routes_seen import GUARDED, request_of

ASKED = ("how long may I return a jacket", "退货要几天", "the kettle leaks", "when does the parcel arrive")


def fill(api: Api, workspace: str, prefix: str, extra: int = 0) -> None:
    texts = (
        "A jacket may be returned within 30 days.",
        "签收后七天内可以无理由退货。",
        "A kettle that leaks is replaced at once.",
        "A parcel arrives within three days.",
        *(f"Note {number} about jackets, kettles and parcels that leak." for number in range(extra)),
    )
    # Which suggestions change places follows from ids that are made by chance.
    rules = api.get("/v1/rules", workspace=workspace).json()
    api.put("/v1/rules", {**rules, "swap_share": 0.0}, workspace=workspace)
    for number, text in enumerate(texts):
        body = {"kind": "faq", "title": text[:20], "text": text}
        api.put(f"/v1/documents/{prefix}-{number}", body, workspace=workspace)
    api.put("/v1/agents/agent", {"name": f"{prefix}-agent", "online": True}, workspace=workspace)
    for number in range(4 if not extra else 9):
        event = api.event(f"{prefix}-{number}", text="the kettle leaks at the bottom")
        api.post("/v1/events", event, workspace=workspace)


def seen(api: Api) -> Any:
    """What one shop is told, without what differs from call to call."""
    found: list[Any] = []
    for text in ASKED:
        for path in ("/v1/search", "/v1/answers", "/v1/suggestions", "/v1/route"):
            body = api.post(path, {"query": text}).json()
            found.append(_steady(body))
    lists = ("problems", "alerts", "cases", "documents", "agents", "expertise", "intents", "graph")
    found += [_steady(api.get(f"/v1/{path}").json()) for path in lists]
    return found


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        passing = {"timing_ms", "exposure_id", "created_at", "updated_at"}
        return {
            name: _steady(item)
            for name, item in value.items()
            if name not in passing and not _answer(name, value)
        }
    if isinstance(value, list):
        return [_steady(item) for item in value]
    return value


def _answer(name: str, value: dict[str, Any]) -> bool:
    return name == "id" and "exposure_id" in value


def test_a_nearly_equal_neighbour_changes_no_id_score_or_count(tmp_path: Path, clock: FixedClock) -> None:
    begun = clock.now
    with running(tmp_path / "alone", clock) as api:
        fill(api, "shop", "mine")
        alone = seen(api)
    clock.now = begun
    with running(tmp_path / "beside", clock) as api:
        fill(api, "other", "theirs", extra=30)
        fill(api, "shop", "mine")
        beside = seen(api)
    assert beside == alone
    assert "theirs" not in str(beside)


def test_with_nothing_configured_nothing_is_open(tmp_path: Path) -> None:
    """No key exists, so no data route answers; no page of another origin is let in."""
    from fastapi.testclient import TestClient

    app = create_app(Settings(data=tmp_path / "data"))
    assert CORSMiddleware not in {cast(object, layer.cls) for layer in app.user_middleware}
    with TestClient(app) as client:
        services = app.state.services
        with services.store.administration(writing=False) as unit:
            assert (unit.workspaces.list(), unit.keys.list()) == ((), ())
        for route in GUARDED:
            for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer admin"}):
                request = request_of(route)
                response = client.request(
                    request.pop("method"),
                    request.pop("path"),
                    headers={**headers, "Origin": "https://evil.test"},
                    **request,
                )
                assert response.status_code == 401, route
                assert "access-control-allow-origin" not in response.headers
    assert {
        name
        for name, value in Settings(data=tmp_path).model_dump().items()
        if ("secret" in name or "key" in name) and value is not None
    } == set()
