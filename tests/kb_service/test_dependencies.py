"""What routes depend on: who calls, in which language, with which form."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from kb_service.console import pages
from kb_service.routes.routers import ROUTERS


def _below(dependant: Dependant) -> Iterator[Dependant]:
    for dependency in dependant.dependencies:
        yield dependency
        yield from _below(dependency)


def test_nothing_that_a_route_depends_on_takes_the_way_through_a_thread() -> None:
    """FastAPI runs what is no coroutine in a thread: an answer's three dependencies took three hops."""
    routes = [
        route
        for router in (*ROUTERS, *pages.ROUTERS)
        for route in router.routes
        if isinstance(route, APIRoute)
    ]
    found = {dependency.call for route in routes for dependency in _below(route.dependant)}
    assert len(found) > 5
    assert not [call for call in found if not inspect.iscoroutinefunction(call)]
