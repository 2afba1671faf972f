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
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, RedirectResponse
from structlog.stdlib import get_logger

from kb_service.accounts import Visitor
from kb_service.console.access import PAGES
from kb_service.console.error_pages import error_page
from kb_service.console.notices import Done
from kb_service.console.rendering import language_of
from kb_service.errors import Forbidden
from kb_service.messages import translate
from kb_service.problem_details import KNOWN, invalid
from kb_service.replicas.replicas import hurried
from kb_service.routes.context import in_thread, services
from kb_service.timezones import zone

log = get_logger(__name__)

SESSION = "kb_session"
SIGN_IN = "/console/sign-in"
LONGEST_WAY_BACK = 500
"""Characters of an address that signing in leads back to."""
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def sign_in_link(request: Request, token: str) -> str:
    """The address that signs somebody in, as it is sent to them."""
    return f"{request.url.scheme}://{request.url.netloc}{SIGN_IN}?token={token}"


def guarded_headers(response: Response) -> Response:
    """An answer with the headers that let nothing else in."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def refused_page(request: Request, error: Exception) -> Response:
    """What is told of a request that reached no page, such as one that is too large."""
    return _unreadable(request) or guarded_headers(error_page(request, error))


def _unreadable(request: Request) -> Response | None:
    """What is told where the address holds bytes that are no text: a page could not even tell where it is."""
    try:
        str(request.url)
    except ValueError:
        told = translate("The request cannot be read", language_of(request), {})
        return PlainTextResponse(told, status_code=400, headers=HEADERS)
    return None


class PageRoute(APIRoute):
    """Knows its visitor before the page is asked. Who has no session is sent to sign in; faults become pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            hurried.set(request.method == "GET")
            if (unreadable := _unreadable(request)) is not None:
                return unreadable
            try:
                response = await _admitted(request) or await handle(request)
            except RequestValidationError as error:
                response = error_page(request, invalid(error.errors(), placed=True))
            except (*KNOWN, HTTPException) as error:
                response = error_page(request, error)
            except ClientDisconnect:
                raise
            except Exception as error:
                log.error("page_failed", path=request.url.path, exc_info=error)
                response = error_page(request, error)
            if isinstance(response, Done):
                response.seal(visitor(request).csrf, secure=request.url.scheme == "https")
            return guarded_headers(response)

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
        return _to_sign_in(request)
    if not visitor.may(admitted):
        raise Forbidden(
            "This needs one of the roles {needed}; you have {present}.",
            needed=", ".join(sorted(admitted)) or "-",
            present=", ".join(sorted(visitor.principal.roles)) or "-",
        )
    if request.method != "GET":
        _same_site(request)
        # The whole body has its limit already: a field may be all of it, since a long text is one.
        form = await request.form(max_part_size=wired.settings.max_body_bytes)
        sent = str(form.get("csrf", "")).encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(sent, visitor.csrf.encode()):
            raise Forbidden("This form is not one that this page made for you; open the page again.")
    return None


def _to_sign_in(request: Request) -> Response:
    """To sign in, and then back to the page: of a form or a part of a page, to the page that holds it."""
    part = "hx-request" in request.headers
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if part or request.method != "GET":
        back = _path(request.headers.get("hx-current-url") or request.headers.get("referer", ""))
    to = f"{SIGN_IN}?next={quote(back if len(back) <= LONGEST_WAY_BACK else '')}"
    # A script follows a redirect by itself and would put the page for signing in into the part.
    return Response(status_code=204, headers={"hx-redirect": to}) if part else RedirectResponse(to, 303)


def _path(address: str) -> str:
    """Path and query of an address; empty for what is no address at all."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _same_site(request: Request) -> None:
    """A browser says where a form comes from; another place's form is refused."""
    origin = request.headers.get("origin")
    if origin is not None and _place(origin) != request.headers.get("host", ""):
        raise Forbidden("This form is not one that this page made for you; open the page again.")


def _place(origin: str) -> str | None:
    """The host that an origin names; None for what is no address at all."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def visitor(request: Request) -> Visitor:
    found = request.state.visitor
    assert isinstance(found, Visitor)
    return found


async def _visitor(request: Request) -> Visitor:
    """The same for FastAPI, which would send what is no coroutine through a thread."""
    return visitor(request)


Guest = Annotated[Visitor, Depends(_visitor)]


async def shop_zone(request: Request) -> tzinfo:
    """Where the clocks of the visitor's shop stand: pages tell times by them."""
    wired = services(request)
    rules = await in_thread(wired, wired.rulebook.rules, visitor(request).principal.workspace)
    return zone(rules.timezone)


ShopZone = Annotated[tzinfo, Depends(shop_zone)]
