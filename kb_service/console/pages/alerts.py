"""What was claimed to recur or grow, when it was told, to whom, and how that went."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response

from graph.models import AlertKind, AlertState
from kb_service.console.delivery_failures import failed
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import language_of, page, rest_of
from kb_service.delivery.digest_words import SECTIONS
from kb_service.recurring.quoting import for_reader
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.security import ADMIN
from kb_service.wire.base import Id

router = APIRouter(prefix="/console/alerts", route_class=PageRoute, include_in_schema=False)
PAGE = 50
KINDS: tuple[AlertKind, ...] = ("burst", "growth", "recurrence", "regression")
STATES: tuple[AlertState, ...] = ("open", "acknowledged", "silenced", "resolved")


@router.get("")
async def alerts(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    kind: Annotated[AlertKind | Literal[""], Query()] = "",
    state: Annotated[AlertState | Literal[""], Query()] = "",
    cursor: Cursor = None,
) -> Response:
    """Alerts, the newest first."""
    found = await in_thread(
        wired, wired.problems.alerts, guest.principal.workspace, cursor, PAGE,
        kind=kind or None, state=state or None,
    )  # fmt: skip
    return page(
        request,
        "problems/alerts.html",
        views=found.items,
        more=rest_of("/console/alerts", found.next_cursor, kind=kind, state=state),
        kinds=KINDS,
        kind=kind,
        states=STATES,
        state=state,
        zone=place,
    )


@router.get("/digest")
async def digest(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    """What the next digest by mail would tell, and when it goes to how many."""
    language = language_of(request)
    found = await in_thread(wired, wired.digests.preview, guest.principal.workspace, language)
    sections = found.digest.sections if found.digest is not None else ()
    return page(
        request,
        "problems/digest.html",
        found=found,
        sections=[(SECTIONS[section.key][language], section) for section in sections],
        may_change=guest.may(ADMIN),
        zone=place,
    )


@router.get("/{id}")
async def alert(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    """One alert with its examples, when it was told and why, and each delivery that told of it."""
    workspace = guest.principal.workspace
    view = await in_thread(wired, wired.problems.alert, workspace, id)
    deliveries = await in_thread(
        wired, wired.endpoints.about_alert, workspace, view.alert.id, view.alert.opened_at
    )
    return page(
        request,
        "problems/alert.html",
        view=view,
        alert=view.alert,
        examples=for_reader(view.alert.examples, language_of(request)),
        notice_of=view.notice,
        deliveries=deliveries,
        failed=failed,
        may_replay=guest.may(ADMIN),
        zone=place,
    )


@router.post("/{id}/replay")
async def replay(
    wired: Wired,
    guest: Guest,
    id: Id,
    webhook_id: Annotated[Id, Form()],
    delivery_id: Annotated[Id, Form()],
) -> Response:
    """Send a message again to the webhook that one of its deliveries went to."""
    await in_thread(wired, wired.endpoints.replay, guest.principal, webhook_id, delivery_id)
    return done("The message is sent again.", to=f"/console/alerts/{id}")
