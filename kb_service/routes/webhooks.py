"""Where alerts go: webhooks, their secrets, and what became of each delivery."""

from __future__ import annotations

from fastapi import APIRouter, Response

from kb_service.routes.context import Caller, Cursor, GuardedRoute, Limit, Wired, in_thread
from kb_service.routes.idempotency import IdempotentRoute
from kb_service.wire.base import Id, Page
from kb_service.wire.webhooks import (
    DeliveryOut,
    DeliveryStateName,
    ReplayIn,
    ReplayOut,
    WebhookIn,
    WebhookOut,
)

router = APIRouter(prefix="/v1", tags=["webhooks"], route_class=GuardedRoute)
once = APIRouter(prefix="/v1", tags=["webhooks"], route_class=IdempotentRoute)


@router.get("/webhooks", summary="The shop's webhooks, without their secrets")
async def webhooks(
    wired: Wired, caller: Caller, cursor: Cursor = None, limit: Limit = 50
) -> Page[WebhookOut]:
    page = await in_thread(wired, wired.endpoints.page, caller.workspace, cursor, limit)
    return Page[WebhookOut].model_validate(page)


@router.get("/webhooks/{id}", summary="One webhook, without its secret")
async def webhook(wired: Wired, caller: Caller, id: Id) -> WebhookOut:
    return WebhookOut.model_validate(await in_thread(wired, wired.endpoints.get, caller.workspace, id))


@router.put(
    "/webhooks/{id}",
    summary="Create or change a webhook; a new one returns its secret, once",
    responses={201: {"model": WebhookOut, "description": "The webhook is new."}},
)
async def put(wired: Wired, caller: Caller, id: Id, body: WebhookIn, response: Response) -> WebhookOut:
    outcome = await in_thread(wired, wired.endpoints.put, caller, id, **body.settings())
    response.status_code = 201 if outcome.secret else 200
    return WebhookOut.model_validate(outcome)


@router.delete("/webhooks/{id}", summary="Remove a webhook; what waits for it is cancelled", status_code=204)
async def remove(wired: Wired, caller: Caller, id: Id) -> None:
    await in_thread(wired, wired.endpoints.remove, caller, id)


@once.post("/webhooks/{id}/rotate", summary="A new secret; the old one signs too for a day")
async def rotate(wired: Wired, caller: Caller, id: Id) -> WebhookOut:
    return WebhookOut.model_validate(await in_thread(wired, wired.endpoints.rotate, caller, id))


@once.post("/webhooks/{id}/test", summary="Send a test message", status_code=202)
async def test(wired: Wired, caller: Caller, id: Id) -> DeliveryOut:
    return DeliveryOut.model_validate(await in_thread(wired, wired.endpoints.test, caller, id))


@router.get("/webhooks/{id}/deliveries", summary="What became of each message, newest first")
async def deliveries(
    wired: Wired,
    caller: Caller,
    id: Id,
    state: DeliveryStateName | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[DeliveryOut]:
    page = await in_thread(wired, wired.endpoints.deliveries, caller.workspace, id, cursor, limit, state)
    return Page[DeliveryOut].model_validate(page)


@once.post("/webhooks/{id}/deliveries/{delivery}/replay", summary="Send a message again", status_code=202)
async def replay(wired: Wired, caller: Caller, id: Id, delivery: Id) -> DeliveryOut:
    return DeliveryOut.model_validate(await in_thread(wired, wired.endpoints.replay, caller, id, delivery))


@once.post("/webhooks/{id}/replay", summary="Send the messages of a span again", status_code=202)
async def resend(wired: Wired, caller: Caller, id: Id, body: ReplayIn) -> ReplayOut:
    outcome = await in_thread(
        wired,
        wired.endpoints.resend,
        caller,
        id,
        since=body.since,
        until=body.until,
        types=tuple(body.types),
        undelivered=body.undelivered,
    )
    return ReplayOut.model_validate(outcome)
