"""Requests made from the reference itself, and broken in every way: none may be a fault of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import FixedClock
from tests.kb_service.conftest import NOW, RETURNS, Api, running
from tests.kb_service.routes_seen import GUARDED

EXAMPLES = int(os.environ.get("KB_TEST_FUZZ_EXAMPLES", "12"))
ODD_TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            " ",
            "\x00",
            "\ud800",
            "\u202e",
            "退货",
            "a" * 201,
            "../../etc/passwd",
            "%00",
            "{}",
            "{field}",
            "'--",
            "NaN",
        ]
    ),
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 2**31, 2**63, 10**30, 1e308, -1e308, float("nan"), float("inf")]),
    ODD_TEXTS,
    st.lists(st.integers(), max_size=2),
    st.dictionaries(ODD_TEXTS, st.integers(), max_size=2),
)
MOMENTS = st.one_of(
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.sampled_from(
        ["2026-06-18T04:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-06-18"]
    ),
)
KNOWN_IDS = ("returns", "late", "agent-1", "team", "m0", "u-m0")


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("fuzz") / "data", FixedClock(NOW)) as api:
        api.put("/v1/agents/agent-1", {"name": "agent-1", "online": True})
        api.put("/v1/intents/late", {"label": "Late", "examples": ["where is my parcel"]})
        api.put("/v1/documents/returns", RETURNS)
        api.put("/v1/webhooks/team", {"url": "https://example.com/hook", "types": ["problem.resolved"]})
        api.recurring()
        yield api


class Shapes:
    """Strategies for the schemas of one OpenAPI document; now and then a value is not what it should be."""

    def __init__(self, document: dict[str, Any], ids: tuple[str, ...]) -> None:
        self._schemas = document["components"]["schemas"]
        self._ids = ids

    def of(self, schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
        good = self._good(schema, depth)
        return st.integers(0, 14).flatmap(lambda dice: ODD if dice == 0 else good)

    def _good(self, schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
        if "$ref" in schema:
            return self._good(self._schemas[schema["$ref"].rsplit("/", 1)[1]], depth)
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return st.one_of([self._good(part, depth) for part in schema[union]])
        if "enum" in schema or "const" in schema:
            return st.sampled_from(schema.get("enum") or [schema["const"]])
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                items = self.of(schema.get("items", {}), depth + 1)
                return st.lists(items, min_size=min(schema.get("minItems", 0), 2), max_size=3)
            case "string" if schema.get("format") == "date-time":
                return MOMENTS
            case "string":
                return st.one_of(st.sampled_from(self._ids), st.text(min_size=1, max_size=30), ODD_TEXTS)
            case "integer":
                return st.integers(-2, 300)
            case "number":
                return st.floats(0, 1e6)
            case "boolean":
                return st.booleans()
            case "null":
                return st.none()
        return ODD

    def _object(self, schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
        fields = schema.get("properties", {})
        if not fields:
            return st.dictionaries(
                ODD_TEXTS, self.of(schema.get("additionalProperties") or {}, depth + 1), max_size=3
            )
        needed = set(schema.get("required", ()))
        return st.fixed_dictionaries(
            {name: self.of(part, depth + 1) for name, part in fields.items() if name in needed},
            optional={name: self.of(part, depth + 1) for name, part in fields.items() if name not in needed},
        )


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.parametrize("route", [route for route in GUARDED if route != "GET /openapi.json"])
def test_no_request_is_a_fault_of_ours(lived_in: Api, route: str) -> None:
    api = lived_in
    document = api.app.openapi()
    method, _, template = route.partition(" ")
    path = template.replace(":path}", "}")
    operation = document["paths"][path][method.lower()]
    problems = [item["id"] for item in api.get("/v1/problems").json()["items"]]
    cases = [item["id"] for item in api.get("/v1/cases").json()["items"]]
    shapes = Shapes(document, (*KNOWN_IDS, *problems[:2], *cases[:2]))
    ids = st.one_of(st.sampled_from([*KNOWN_IDS, *problems[:2], *cases[:2]]), ODD_TEXTS.filter(bool))
    content = operation.get("requestBody", {}).get("content", {})
    body: st.SearchStrategy[Any] = st.none()
    if "application/json" in content:
        body = shapes.of(content["application/json"]["schema"])
    elif "application/x-ndjson" in content:
        example = content["application/x-ndjson"]["example"]
        line = st.fixed_dictionaries(
            {}, optional={name: st.one_of(st.just(value), ODD) for name, value in example.items()}
        )
        body = st.lists(line, max_size=3)
    queries = {
        part["name"]: st.one_of(shapes.of(part["schema"]), ODD_TEXTS)
        for part in operation.get("parameters", ())
        if part["in"] == "query"
    }

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(sent=body, id=ids, query=st.fixed_dictionaries({}, optional=queries))
    def ask(sent: Any, id: str, query: dict[str, Any]) -> None:
        quoted = quote(id.encode("utf-8", "replace"), safe="")
        address = path.replace("{id}", quoted).replace("{external_id}", quoted).replace("{delivery}", quoted)
        request: dict[str, Any] = {
            "params": {name: _plain(value) for name, value in query.items() if value is not None}
        }
        if "application/x-ndjson" in content:
            request["content"] = b"\n".join(encoded(line) for line in sent)
        elif "multipart/form-data" in content:
            request["files"] = {"file": (_plain(id), b"# Title\n\nSome words: " + encoded(id))}
        elif content:
            request |= {"content": encoded(sent), "headers": {"content-type": "application/json"}}
        response = api.call(method, address, **request)
        assert response.status_code < 500, f"{address} {request}: {response.text}"
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["detail"]
        elif not response.is_redirect:
            assert str(response.status_code) in operation["responses"]

    ask()
    assert api.client.get("/health/live").status_code == 200


def _plain(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode()
