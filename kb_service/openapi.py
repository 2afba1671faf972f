"""The OpenAPI document: the full reference, behind a key like everything else, with an example for every operation."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi

from kb_service.routes.context import Caller
from kb_service.security import OPEN
from kb_service.wire.examples import RESPONSES

VERSION = version("kb-service")

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def install(app: FastAPI) -> None:
    """Serve the document at `/openapi.json`."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
    app.add_api_route("/openapi.json", _serve, include_in_schema=False)


async def _serve(caller: Caller, request: Request) -> dict[str, Any]:
    """Of the app that is asked: the framework keeps every endpoint it has looked at, and what that closes over."""
    app: FastAPI = request.app
    return app.openapi()


def _document(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["ProblemDetails"] = PROBLEM_SCHEMA
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            operation["security"] = [] if name in OPEN else [{"key": []}]
            _describe(name, operation)
    return schema


def _describe(name: str, operation: dict[str, Any]) -> None:
    """The example of an operation's success, and problem details as its failure."""
    responses = operation["responses"]
    responses.pop("422", None)
    responses["4XX"] = {
        "description": "What was wrong, and what would be right.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
    example = RESPONSES.get(name)
    if example is None:
        return
    for status, answer in responses.items():
        if status.startswith("2") and status != "204":
            for media in answer.setdefault("content", {}).values():
                media["example"] = example
