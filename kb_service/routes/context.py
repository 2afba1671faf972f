"""What every route needs: the services, who calls, in which language, and a thread to work in."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from ingest.models import Audience
from kb_service.messages import Language, preferred_language
from kb_service.models import Principal
from kb_service.security import OPEN
from kb_service.services import Services

Outcome = TypeVar("Outcome")


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
    """Knows its caller before a byte of the body is read, whatever the endpoint itself asks for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            if f"{request.method} {request.scope['route'].path}" not in OPEN:
                await principal(request)
            return await handle(request)

        return guarded


def language(request: Request) -> Language:
    return preferred_language(request.headers.get("accept-language"))


async def in_thread(wired: Services, work: Callable[..., Outcome], *args: Any, **named: Any) -> Outcome:
    """Run blocking work off the event loop, on one of the bounded worker threads."""
    return await anyio.to_thread.run_sync(lambda: work(*args, **named), limiter=wired.limiter)


def audiences_of(caller: Principal) -> tuple[Audience, ...]:
    """What a plain search may see: internal documents only for the shop's own people."""
    internal = caller.roles & {"agent", "product", "editor", "admin"}
    return ("public", "internal") if internal else ("public",)


Wired = Annotated[Services, Depends(services)]
Caller = Annotated[Principal, Depends(principal)]
Lang = Annotated[Language, Depends(language)]
