"""Documents that contradict one another, together where one decision settles them, and the decision."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.datastructures import FormData

from kb_service.care.conflict_groups import ConflictGroup
from kb_service.care.conflict_watch import ConflictSide
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import page
from kb_service.errors import InvalidRequest, not_whole
from kb_service.routes.context import Wired, in_thread
from kb_service.security import EDITOR
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/knowledge/conflicts", route_class=PageRoute, include_in_schema=False)
PAGE = 30
LIST = "/console/knowledge/conflicts"
MOST = 50
"""Documents that one decision settles: they are written in one transaction."""


@router.get("")
async def conflicts(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    cursor: Annotated[Text | None, Query(max_length=500)] = None,
) -> Response:
    workspace = guest.principal.workspace
    found = await in_thread(wired, wired.conflicts.groups, workspace, cursor, PAGE)
    return page(
        request,
        "knowledge/conflicts.html",
        groups=drawn(found.page.items),
        count=found.conflicts,
        decisions=found.count,
        complete=wired.conflicts.complete(workspace),
        next_cursor=found.page.next_cursor,
        zone=place,
        now=wired.clock(),
        may_edit=guest.may(EDITOR),
    )


@router.post("/settle")
async def settle(
    request: Request,
    wired: Wired,
    guest: Guest,
    how: Annotated[Literal["end", "supersede"], Form()],
) -> Response:
    """Keep some documents of those that contradict one another: the others end now, or are superseded where both
    apply."""
    form = await request.form()
    keep, others = _versions(form, "keep"), _versions(form, "other")
    held = await in_thread(wired, wired.editing.settle, guest.principal, keep, others, how)
    undo = f"{LIST}/unsettle" if held is not None else None
    fields = {"held": held} if held is not None else {}
    kept, other = ", ".join(keep), ", ".join(others)
    if held is None:
        return done("Nothing was different, so nothing was saved.", to=LIST)
    if how == "supersede":
        return done(
            "{keep} holds in place of {other}, wherever both apply.",
            to=LIST, undo=undo, fields=fields, keep=kept, other=other,
        )  # fmt: skip
    return done(
        "No longer valid: {other}. Kept: {keep}.",
        to=LIST, undo=undo, fields=fields, keep=kept, other=other,
    )  # fmt: skip


@router.post("/unsettle")
async def unsettle(wired: Wired, guest: Guest, held: Annotated[Id, Form()]) -> Response:
    """Take a decision back: what it changed says what it said before."""
    names = await in_thread(wired, wired.editing.unsettle, guest.principal, held)
    return done("As it was before: {documents}.", to=LIST, documents=", ".join(names))


def _versions(form: FormData, name: str) -> dict[str, int]:
    """Documents with the versions that were looked at, written as `version:id`. Raises InvalidRequest."""
    found: dict[str, int] = {}
    for value in map(str, form.getlist(name)):
        version, colon, external_id = value.partition(":")
        if not (colon and external_id and version.isdecimal() and len(version) < 9):
            raise not_whole()
        found[external_id] = int(version)
    if not 0 < len(found) <= MOST:
        raise InvalidRequest.of(name, "choose at least one document")
    return found


def drawn(
    groups: tuple[ConflictGroup, ...],
) -> list[tuple[ConflictGroup, list[list[tuple[tuple[str, bool], ...]]]]]:
    """Groups with the statements of their conflicts in pieces, the quantities marked in which they differ."""
    return [
        (group, [[_pieces(side) for side in item.documents] for item in group.conflicts]) for group in groups
    ]


def _pieces(side: ConflictSide) -> tuple[tuple[str, bool], ...]:
    if side.value is None:
        return ((side.quote, False),)
    start, end = side.value
    return (side.quote[:start], False), (side.quote[start:end], True), (side.quote[end:], False)
