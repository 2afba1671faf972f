"""What every page passes: a session, a role, a form that the page itself made, and headers that let nothing else in."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine
from datetime import tzinfo
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse

from graph.errors import GraphError
from kb_service.accounts import Visitor
from kb_service.console.access import PAGES
from kb_service.console.rendering import error_page
from kb_service.errors import Forbidden, ServiceError
from kb_service.problem_details import invalid
from kb_service.routes.context import in_thread, services
from kb_service.timezones import zone

SESSION = "kb_session"
SIGN_IN = "/console/sign-in"
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class PageRoute(APIRoute):
    """Knows its visitor before the page is asked. Who has no session is sent to sign in; faults become pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                response = await _admitted(request) or await handle(request)
            except (ServiceError, GraphError) as error:
                response = error_page(request, error)
            except RequestValidationError as error:
                response = error_page(request, invalid(error.errors(), placed=True))
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response

        return guarded


async def _admitted(request: Request) -> Response | None:
    """Where somebody without a session is sent; None for who may go on. Raises Forbidden for who may not."""
    page = f"{request.method} {request.scope['route'].path}"
    wired = services(request)
    visitor = await in_thread(wired, wired.accounts.visitor, request.cookies.get(SESSION))
    request.state.visitor = visitor
    admitted = PAGES.get(page, frozenset())
    if admitted is None:
        if request.method != "GET":
            _same_site(request)
        return None
    if visitor is None:
        return RedirectResponse(f"{SIGN_IN}?next={quote(request.url.path)}", status_code=303)
    if request.method != "GET":
        _same_site(request)
        form = await request.form()
        if not hmac.compare_digest(str(form.get("csrf", "")).encode(), visitor.csrf.encode()):
            raise Forbidden("This form is not one that this page made for you; open the page again.")
    if not visitor.may(admitted):
        raise Forbidden(
            "This needs one of the roles {needed}; you have {present}.",
            needed=", ".join(sorted(admitted)) or "-",
            present=", ".join(sorted(visitor.principal.roles)) or "-",
        )
    return None


def _same_site(request: Request) -> None:
    """A browser says where a form comes from; another place's form is refused."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise Forbidden("This form is not one that this page made for you; open the page again.")


def visitor(request: Request) -> Visitor:
    found = request.state.visitor
    assert isinstance(found, Visitor)
    return found


Guest = Annotated[Visitor, Depends(visitor)]


async def shop_zone(request: Request) -> tzinfo:
    """Where the clocks of the visitor's shop stand: pages tell times by them."""
    wired = services(request)
    rules = await in_thread(wired, wired.rulebook.rules, visitor(request).principal.workspace)
    return zone(rules.timezone)


ShopZone = Annotated[tzinfo, Depends(shop_zone)]
