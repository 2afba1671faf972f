"""In and out of the console, its language, and its static files."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.responses import RedirectResponse

from kb_service.accounts import SESSION_LASTS
from kb_service.console.guard import LONGEST_WAY_BACK, SESSION, SIGN_IN, Guest, PageRoute
from kb_service.console.rendering import LANGUAGE, LONGEST_ADDRESS, asset, page
from kb_service.routes.context import Wired, in_thread
from kb_service.security import AGENT
from kb_service.wire.base import Text

router = APIRouter(prefix="/console", route_class=PageRoute, include_in_schema=False)
YEAR_SECONDS = 365 * 86_400
INSIDE = re.compile(r"/console(?:[/?][^\\\x00-\x20\x7f]*)?")
"""What an address of the console may look like: nothing that a browser reads in another way than we do."""


@router.get("")
async def home(guest: Guest) -> Response:
    """Agents begin at their desk, product teams at the problems."""
    start = "/console/desk" if guest.may(AGENT) else "/console/problems"
    return RedirectResponse(start, status_code=303)


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    return asset(name, request.headers.get("accept-encoding", ""))


@router.get("/sign-in")
async def sign_in_page(
    request: Request,
    wired: Wired,
    token: Annotated[Text, Query(max_length=200)] = "",
    next: Annotated[Text, Query(max_length=LONGEST_WAY_BACK)] = "",
) -> Response:
    """A link is used by a button, since mail programs and chats open links to show what is behind them."""
    link = await in_thread(wired, wired.accounts.link, token) if token else None
    return page(request, "sign_in.html", token=token, link=link, next=_inside(next))


@router.post("/sign-in")
async def sign_in(
    request: Request,
    wired: Wired,
    token: Annotated[Text, Form(max_length=200)],
    name: Annotated[Text, Form(max_length=200)] = "",
    next: Annotated[Text, Form(max_length=LONGEST_WAY_BACK)] = "",
) -> Response:
    """Use a link up. A session that this browser had before ends: nobody could leave it any more."""
    session = await in_thread(
        wired, wired.accounts.sign_in, token, name, instead_of=request.cookies.get(SESSION)
    )
    response = RedirectResponse(_inside(next), status_code=303)
    response.set_cookie(
        SESSION,
        session,
        max_age=round(SESSION_LASTS.total_seconds()),
        path="/console",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


@router.post("/sign-out")
async def sign_out(request: Request, wired: Wired, guest: Guest) -> Response:
    await in_thread(wired, wired.accounts.sign_out, request.cookies.get(SESSION))
    response = RedirectResponse(SIGN_IN, status_code=303)
    response.delete_cookie(SESSION, path="/console")
    return response


@router.post("/language")
async def choose_language(
    request: Request,
    language: Annotated[Literal["zh", "en"], Form()],
    next: Annotated[Text, Form(max_length=LONGEST_ADDRESS)] = "",
) -> Response:
    response = RedirectResponse(_inside(next), status_code=303)
    response.set_cookie(
        LANGUAGE,
        language,
        max_age=YEAR_SECONDS,
        path="/console",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


def _inside(next: str) -> str:
    """A page of the console to go on to; never another place, whatever a link says."""
    path = next.partition("?")[0]
    odd = any(part in ("", ".", "..") for part in path.split("/")[1:])
    return next if INSIDE.fullmatch(next) and not odd else "/console"
