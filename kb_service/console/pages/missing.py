"""What is no page of the console, told as a page: it comes last, after every page that there is."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import Match

from kb_service.console.guard import PageRoute
from kb_service.errors import NotFound

router = APIRouter(prefix="/console", route_class=PageRoute, include_in_schema=False)
ABOUT_A_DOCUMENT = ("/console/knowledge/remove/", "/console/knowledge/restore/")
DOWNLOADS = ("/console/administration/backups/{name}",)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@router.api_route("/{rest:path}", methods=list(METHODS))
async def missing(request: Request, rest: str) -> Response:
    """To the page without the slash at the end, or that a form's address belongs to: a browser asks for that after a
    sign-in or a reload. Else 405 where there is a page for another method, and 404."""
    path = request.url.path
    if request.method == "GET" and path.endswith("/") and any(_pages(request, path.rstrip("/"), Match.FULL)):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(path.rstrip("/") + query, status_code=307)
    if request.method == "GET" and any(_pages(request, path, Match.PARTIAL)):
        return RedirectResponse(_page_of_form(request, path), status_code=303)
    offered = {method for route in _pages(request, path, Match.PARTIAL) for method in route.methods or ()}
    if offered:
        raise HTTPException(405, headers={"Allow": ", ".join(sorted(offered))})
    raise NotFound("There is no such page.")


def _page_of_form(request: Request, path: str) -> str:
    """The page that the address of a form belongs to: the nearest above it, of an action on a document that document.

    What is downloaded is no page to come back to.
    """
    for begin in ABOUT_A_DOCUMENT:
        if path.startswith(begin):
            return f"/console/documents/{path.removeprefix(begin)}"
    while (path := path.rpartition("/")[0]) != "/console":
        found = next(_pages(request, path, Match.FULL), None)
        if found is not None and found.path not in DOWNLOADS:
            return path
    return path


def _pages(request: Request, path: str, how: Match) -> Iterator[PageRoute]:
    """The pages at an address, for the method that was asked (FULL) or for others (PARTIAL)."""
    from kb_service.console.pages import ROUTERS  # which holds this one too

    scope = {**request.scope, "path": path}
    for route in (route for router in ROUTERS for route in router.routes):
        if isinstance(route, PageRoute) and route.endpoint is not missing and route.matches(scope)[0] is how:
            yield route
