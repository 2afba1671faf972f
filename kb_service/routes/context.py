"""What every route needs: the services, who calls, in which language, and a thread to work in."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from fastapi import Depends, Query, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from ingest.models import Audience
from kb_service.errors import FieldError, InvalidRequest
from kb_service.messages import Language, named_language, preferred_language
from kb_service.models import Principal
from kb_service.security import OPEN
from kb_service.services import Services
from kb_service.wire.base import Text

Outcome = TypeVar("Outcome")
LONGEST_NAME = 100
"""Characters of an unknown parameter's name that are repeated."""


def services(request: Request) -> Services:
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


async def principal(request: Request) -> Principal:
    """The caller, admitted to this very route: by its template, whatever the URL looks like."""
    if (known := getattr(request.state, "principal", None)) is not None:
        assert isinstance(known, Principal)
        return known
    wired = services(request)
    header = request.headers.get("authorization")
    identified = wired.gatekeeper.recent(header)
    if identified is None:
        identified = await in_thread(wired, wired.gatekeeper.identify, header)
    wired.gatekeeper.authorise(identified, request.method, request.scope["route"].path)
    request.state.principal = identified
    return identified


class GuardedRoute(APIRoute):
    """Knows its caller before a byte of the body is read, whatever the endpoint itself asks for. What is read is
    asked for with known parameters only, so that a misspelt filter is never silently ignored."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = tuple(_parameters(self.dependant))

        async def guarded(request: Request) -> Response:
            if f"{request.method} {request.scope['route'].path}" not in OPEN:
                await principal(request)
                if request.method == "GET":
                    check_parameters(request, known)
            return await handle(request)

        return guarded


def _parameters(dependant: Dependant) -> Iterator[str]:
    """The query parameters that an endpoint and what it depends on take."""
    yield from (field.alias for field in dependant.query_params)
    for below in dependant.dependencies:
        yield from _parameters(below)


def check_parameters(request: Request, known: Sequence[str]) -> None:
    """Raises InvalidRequest that names the query parameters which a route does not know."""
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if not unknown:
        return
    found = tuple(
        FieldError(
            name[:LONGEST_NAME],
            "is not a known parameter; the parameters are {known}"
            if known
            else "is not a known parameter; there are none here",
            {"known": ", ".join(known)} if known else {},
        )
        for name in unknown
    )
    names = ", ".join(item.field for item in found)
    raise InvalidRequest(
        "{count} fields need attention: {names}", fields=found, count=len(found), names=names
    )


async def language(request: Request) -> Language:
    return preferred_language(request.headers.get("accept-language"))


async def reader(request: Request) -> Language | None:
    """The language that reasons are asked for in; None where the request names none that we write."""
    return named_language(request.headers.get("accept-language"))


async def in_thread(wired: Services, work: Callable[..., Outcome], *args: Any, **named: Any) -> Outcome:
    """Run blocking work off the event loop, on one of the bounded worker threads."""
    return await anyio.to_thread.run_sync(lambda: work(*args, **named), limiter=wired.limiter)


def audiences_of(caller: Principal) -> tuple[Audience, ...]:
    """What a plain search may see: internal documents only for the shop's own people."""
    internal = caller.roles & {"agent", "product", "editor", "admin"}
    return ("public", "internal") if internal else ("public",)


async def _services(request: Request) -> Services:
    """The same for FastAPI, which would send what is no coroutine through a thread."""
    return services(request)


Wired = Annotated[Services, Depends(_services)]
Caller = Annotated[Principal, Depends(principal)]
Lang = Annotated[Language, Depends(language)]
ReaderLang = Annotated[Language | None, Depends(reader)]
Cursor = Annotated[Text | None, Query(max_length=500)]
"""Where a list goes on, as the part before it told."""
Limit = Annotated[int, Query(ge=1, le=200)]
"""Entries of a part of a list."""
