"""What a body calls true, false or a number is one: a text that looks like it is refused, not guessed at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from kb_service.routes.routers import ROUTERS
from kb_service.wire.base import Request
from tests.kb_service.conftest import Api

WRONG: dict[str, tuple[Any, ...]] = {
    "boolean": ("false", "true", 0, 1),
    "integer": ("3", True, 3.5),
    "number": ("3.5", True),
}


def shapes(of: type[Request] = Request) -> Iterator[type[Request]]:
    for shape in of.__subclasses__():
        if shape.__module__.startswith("kb_service."):
            yield shape
            yield from shapes(shape)


def _wrong(schema: dict[str, Any]) -> Iterator[Any]:
    """Values that a field's schema looks like taking and must not."""
    kinds = schema.get("anyOf", [schema])
    if any(kind.get("type") == "string" for kind in kinds):
        return
    for kind in kinds:
        yield from WRONG.get(kind.get("type", ""), ())
        inner = kind.get("additionalProperties")
        if isinstance(inner, dict):
            yield from ({"urgency": value} for value in _wrong(inner))
        if isinstance(kind.get("items"), dict):
            yield from ([value] for value in _wrong(kind["items"]))


def _fields() -> list[Any]:
    assert ROUTERS  # every shape is imported with the routes
    found = []
    for shape in shapes():
        for name, field in shape.model_fields.items():
            as_asked: Any = Annotated[(field.annotation, *field.metadata, name)]
            adapter: TypeAdapter[Any] = TypeAdapter(as_asked)
            found += [
                pytest.param(adapter, value, id=f"{shape.__name__}.{name}={value!r}")
                for value in _wrong(adapter.json_schema())
            ]
    return found


@pytest.mark.parametrize(("adapter", "value"), _fields())
def test_no_field_guesses_what_a_text_means(adapter: TypeAdapter[Any], value: Any) -> None:
    with pytest.raises(ValidationError):
        adapter.validate_python(value)


def test_fields_of_every_kind_are_looked_at() -> None:
    told = {param.id.partition("=")[0] for param in _fields()}
    assert {
        "ResolveIn.resolved",
        "EventIn.resolved",
        "SilenceIn.count",
        "RulesShape.growth_alerts",
        "RulesShape.recurrence_customers",
        "RulesShape.priority_weights",
        "CustomerIn.spend",
    } <= told


def test_a_whole_number_may_be_written_with_a_point(shared_api: Api) -> None:
    assert shared_api.post("/v1/search", {"query": "parcel", "limit": 3.0}).status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"resolved": "false"}, "must be true or false"),
        ({"resolved": 0}, "must be true or false"),
        ({"handling_seconds": "128"}, "must be a number"),
    ],
)
def test_a_case_is_not_resolved_by_a_word_that_may_mean_no(api: Api, body: Any, message: str) -> None:
    api.post("/v1/events", api.event("m1"))
    address = f"/v1/cases/{api.case_id('m1')}"
    refused = api.post(f"{address}/resolve", body)
    assert (refused.status_code, refused.json()["errors"][0]["message"]) == (422, message)
    assert api.get(address).json()["state"] != "resolved"
