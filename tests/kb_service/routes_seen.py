"""Every route that an application offers, with what it takes to call it well enough to be admitted."""

from __future__ import annotations

from typing import Any

from fastapi.routing import APIRoute, iter_route_contexts

from kb_service.console.access import PAGES
from kb_service.routes.routers import ROUTERS
from kb_service.security import ACCESS, OPEN

BODIES: dict[str, Any] = {
    "POST /v1/answers": {"query": "Where is my parcel?"},
    "POST /v1/suggestions": {"query": "Where is my parcel?"},
    "POST /v1/search": {"query": "returns"},
    "POST /v1/route": {"query": "Where is my parcel?"},
    "POST /v1/feedback": {"exposure_id": "ID", "answer_id": "a", "outcome": "accepted"},
    "POST /v1/intents:batch": {"intents": [{"id": "i", "label": "I", "examples": ["one"]}]},
    "PUT /v1/intents/{id}": {"label": "I", "examples": ["one"]},
    "PUT /v1/agents/{id}": {"name": "A"},
    "PUT /v1/expertise/{id}": {"name": "Parcels"},
    "POST /v1/assignments": {},
    "POST /v1/events": {
        "id": "e",
        "type": "message",
        "at": "2026-06-01T00:00:00Z",
        "customer_id": "u",
        "text": "hello there",
    },
    "POST /v1/cases/{id}/assign": {"agent_id": "a"},
    "POST /v1/cases/{id}/consult": {"agent_id": "a"},
    "POST /v1/cases/{id}/handover": {},
    "POST /v1/cases/{id}/resolve": {},
    "POST /v1/problems/{id}/rename": {"name": "Late parcels"},
    "POST /v1/problems/{id}/silence": {"count": 3},
    "POST /v1/problems/{id}/assign": {"agent_id": "a"},
    "POST /v1/problems/{id}/parent": {"problem_id": "p"},
    "POST /v1/problems/{id}/merge": {"into": "p"},
    "POST /v1/problems/{id}/split": {"case_ids": ["c"]},
    "POST /v1/problems/{id}/unmerge": {"alias": "p"},
    "PUT /v1/rules": {},
    "PUT /v1/experiments/{id}": {"name": "T", "treatment": {"clarification": False}},
    "PUT /v1/webhooks/{id}": {"url": "https://example.com/hook", "types": ["alert.opened"]},
    "POST /v1/webhooks/{id}/replay": {"since": "2026-06-01T00:00:00Z"},
    "PUT /v1/documents/{external_id:path}": {"kind": "faq", "title": "T", "text": "Some words."},
}
"""A body that each route accepts, where it takes JSON."""


def every_route() -> list[str]:
    """`METHOD /template` of everything that is offered, found on the routers themselves."""
    found = [
        f"{method} {route.path}"
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ]
    return [*found, "GET /openapi.json"]


def offered(app: Any) -> set[str]:
    """The same, as the finished application sees it, whatever kind of route it is; without the console's pages."""
    return {
        f"{method} {context.path}"
        for context in iter_route_contexts(app.routes)
        for method in (context.methods or {"ANY"})
    } - set(PAGES)


GUARDED = sorted(set(every_route()) - OPEN)


def request_of(route: str, id: str = "unknown") -> dict[str, Any]:
    """Arguments of `Api.call` for a route, about the object `id`."""
    method, _, template = route.partition(" ")
    path = template.replace("{external_id:path}", id).replace("{id}", id).replace("{delivery}", id)
    request: dict[str, Any] = {"method": method, "path": path}
    if route in BODIES:
        body = dict(BODIES[route])
        if body.get("exposure_id") == "ID":
            body["exposure_id"] = id
        request["json"] = body
    elif route.endswith(":upload"):
        request["files"] = {"file": ("note.md", b"# Note\n\nSome words.")}
    elif route.endswith(":batch"):
        request["content"] = b""
    return request


__all__ = ["ACCESS", "BODIES", "GUARDED", "every_route", "offered", "request_of"]
