"""The reference: every operation with an example of what is sent and what comes back, true to the shapes."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from kb_service.routes.routers import ROUTERS
from kb_service.security import OPEN
from kb_service.wire.events import EventIn, EventOut
from kb_service.wire.examples import RESPONSES
from kb_service.wire.knowledge import DocumentLineIn, DocumentStatusOut
from tests.conftest import FixedClock
from tests.kb_service.conftest import Api, problem, running
from tests.kb_service.routes_seen import BODIES, every_route

ROUTES = {
    f"{method} {route.path.replace(':path}', '}')}": route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
}
LINES = {
    "POST /v1/events:batch": (EventIn, EventOut),
    "POST /v1/documents:batch": (DocumentLineIn, DocumentStatusOut),
}


@pytest.fixture(scope="module")
def document(shared_api: Api) -> dict[str, Any]:
    found: dict[str, Any] = shared_api.get("/openapi.json", role="bot").json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_document_needs_a_key(shared_api: Api) -> None:
    problem(shared_api.get("/openapi.json", role=None), 401)
    for path in ("/docs", "/redoc"):
        assert shared_api.get(path).status_code == 404


def test_every_route_is_in_the_document(document: dict[str, Any]) -> None:
    offered = {route.replace(":path}", "}") for route in every_route()} - {"GET /openapi.json"}
    assert set(operations(document)) == offered == set(ROUTES)


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_every_operation_shows_what_comes_back(document: dict[str, Any], name: str) -> None:
    operation = operations(document)[name]
    assert operation["summary"]
    assert operation["security"] == ([] if name in OPEN else [{"key": []}])
    good = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
    assert good
    route = ROUTES[name]
    if list(good) == ["204"]:
        assert "content" not in good["204"]
        return
    for status, answer in good.items():
        assert answer["content"], f"{status} of {name} shows nothing"
        for media in answer["content"].values():
            assert media["example"] == RESPONSES[name]
    if name in LINES:
        LINES[name][1].model_validate(RESPONSES[name])
    elif route.response_model is not None:
        TypeAdapter(route.response_model).validate_python(RESPONSES[name], from_attributes=False)


def test_examples_name_only_fields_that_exist(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        for answer in operation["responses"].values():
            for media in answer.get("content", {}).values():
                if "example" in media and "$ref" in media.get("schema", {}):
                    schema = document["components"]["schemas"][media["schema"]["$ref"].rsplit("/", 1)[1]]
                    assert set(media["example"]) == set(schema["properties"]), name


def test_every_body_has_an_example_that_is_accepted(document: dict[str, Any]) -> None:
    shown = 0
    for name, operation in operations(document).items():
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            if media == "application/json":
                schema = content["schema"]
                if "$ref" not in schema:
                    schema = next(
                        part
                        for part in [*schema.get("anyOf", ()), *schema.get("allOf", ())]
                        if "$ref" in part
                    )
                model = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
                field = ROUTES[name].body_field
                assert field is not None
                for example in model["examples"]:
                    _, errors = field.validate(example, {}, loc=("body",))
                    assert not errors, name
                assert model["examples"], name
                shown += 1
            elif media == "application/x-ndjson":
                LINES[name][0].model_validate(content["example"])
                shown += 1
    assert shown > 20


def test_errors_are_problem_details_everywhere(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        failure = operation["responses"]["4XX"]["content"]
        assert list(failure) == ["application/problem+json"], name
        assert "422" not in operation["responses"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_bodies_of_the_tests_are_those_of_the_reference() -> None:
    assert {name for name in BODIES if name.replace(":path}", "}") not in ROUTES} == set()


def test_an_application_that_ended_is_forgotten(tmp_path: Path, clock: FixedClock) -> None:
    """The framework keeps the endpoints it has looked at: one that closed over its application kept it for ever."""
    with running(tmp_path / "data", clock) as api:
        assert api.get("/openapi.json", role="bot").status_code == 200
        app = weakref.ref(api.app)
    del api
    gc.collect()
    assert app() is None
