"""Where alerts go: webhooks, their secrets, a test with its result, and what became of each delivery."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from kb_service.console.delivery_failures import failed
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import page
from kb_service.console.typed import Typed, checked, new_id, outdated, overtaken, refused, stamped, typed
from kb_service.delivery.courier import SCHEDULE
from kb_service.delivery.endpoints import Endpoint
from kb_service.errors import Conflict, InvalidRequest
from kb_service.models import Principal
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.wire.base import Id
from kb_service.wire.webhooks import DeliveryStateName, WebhookIn

ROOT = "/console/administration"
HOME = f"{ROOT}/webhooks"
router = APIRouter(prefix=ROOT, route_class=PageRoute, include_in_schema=False)
PAGE = 50
MOST_DELIVERIES = 30
MOST_CHOSEN = 60
"""Clusters that can be ticked; of a shop with more the ids are typed."""
TYPES = (
    "alert.opened", "alert.escalated", "problem.resolved", "problem.regressed",
    "proposal.created", "gap.found", "traffic.surge", "followup.due",
)  # fmt: skip
FORMATS = ("standard", "slack", "feishu", "dingtalk", "wecom")
STATES: tuple[DeliveryStateName, ...] = ("pending", "delivered", "exhausted", "cancelled")
SOON = timedelta(minutes=1)
"""A page waits for attempts that are due this soon."""


@router.get("/webhooks")
async def webhooks(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, cursor: Cursor = None
) -> Response:
    found = await in_thread(wired, wired.endpoints.page, guest.principal.workspace, cursor, PAGE)
    return page(
        request,
        "administration/webhooks.html",
        webhooks=found.items,
        host=_host,
        next_cursor=found.next_cursor,
        zone=place,
    )


@router.get("/new/webhook")
async def new(request: Request, wired: Wired, guest: Guest) -> Response:
    chosen = Typed({"types": ("alert.opened", "problem.regressed"), "format": ("standard",)})
    return await _form(request, wired, guest, chosen, None)


@router.post("/webhooks")
async def create(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    """A new webhook; its secret is shown here once."""
    form = await typed(request)
    try:
        webhook_id = new_id(form.text("id"))
        if await in_thread(wired, wired.endpoints.known, guest.principal.workspace, webhook_id):
            raise InvalidRequest.of("id", "there is a webhook {id} already", id=webhook_id)
        endpoint = await _put(wired, guest.principal, webhook_id, form)
    except InvalidRequest as error:
        return await _form(request, wired, guest, refused(request, form, error), None, status=422)
    return await _shown(request, wired, guest, place, endpoint)


@router.get("/webhooks/{id}")
async def webhook(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: Id,
    state: DeliveryStateName | None = None,
    cursor: Cursor = None,
) -> Response:
    endpoint = await in_thread(wired, wired.endpoints.get, guest.principal.workspace, id)
    return await _shown(request, wired, guest, place, endpoint, state=state, cursor=cursor)


@router.get("/webhooks/{id}/edit")
async def edit(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    endpoint = await in_thread(wired, wired.endpoints.get, guest.principal.workspace, id)
    return await _form(request, wired, guest, stamped(_held(endpoint)), endpoint)


@router.post("/webhooks/{id}")
async def change(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    form = await typed(request)
    endpoint = await in_thread(wired, wired.endpoints.get, guest.principal.workspace, id)
    if outdated(form, _held(endpoint)):
        return await _form(request, wired, guest, overtaken(request, form), endpoint, status=409)
    try:
        await _put(wired, guest.principal, id, form, over=endpoint)
    except Conflict:
        return await _form(request, wired, guest, overtaken(request, form), endpoint, status=409)
    except InvalidRequest as error:
        return await _form(request, wired, guest, refused(request, form, error), endpoint, status=422)
    return done("The webhook {id} was changed.", to=f"{HOME}/{id}", id=id)


@router.post("/webhooks/{id}/enable")
async def enable(wired: Wired, guest: Guest, id: Id) -> Response:
    """Let a webhook that was given up hear again, as it stands."""
    await in_thread(wired, wired.endpoints.enable, guest.principal, id)
    return done("The webhook {id} hears again; send it what it missed below.", to=f"{HOME}/{id}", id=id)


@router.post("/webhooks/{id}/rotate")
async def rotate(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    endpoint = await in_thread(wired, wired.endpoints.rotate, guest.principal, id)
    return await _shown(request, wired, guest, place, endpoint)


@router.post("/webhooks/{id}/test")
async def test(wired: Wired, guest: Guest, id: Id) -> Response:
    delivery = await in_thread(wired, wired.endpoints.test, guest.principal, id)
    return RedirectResponse(f"{HOME}/{id}#{delivery.id}", status_code=303)


@router.get("/webhooks/{id}/remove")
async def ask(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    """Whether the webhook shall really go: its secret and its deliveries go with it."""
    endpoint = await in_thread(wired, wired.endpoints.get, guest.principal.workspace, id)
    return page(request, "administration/webhook_remove.html", webhook=endpoint)


@router.post("/webhooks/{id}/remove")
async def remove(wired: Wired, guest: Guest, id: Id) -> Response:
    await in_thread(wired, wired.endpoints.remove, guest.principal, id)
    return done("The webhook {id} was removed.", to=HOME, id=id)


@router.post("/webhooks/{id}/deliveries/{delivery}/replay")
async def replay(wired: Wired, guest: Guest, id: Id, delivery: Id) -> Response:
    again = await in_thread(wired, wired.endpoints.replay, guest.principal, id, delivery)
    return RedirectResponse(f"{HOME}/{id}#{again.id}", status_code=303)


@router.post("/webhooks/{id}/replay")
async def resend(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    """Send again what did not arrive in the last days."""
    form = await typed(request)
    days = int(form.text("days")) if form.text("days") in ("1", "7", "30") else 1
    sent = await in_thread(
        wired, wired.endpoints.resend, guest.principal, id,
        since=wired.clock() - timedelta(days=days), until=None, types=(), undelivered=True,
    )  # fmt: skip
    return done(
        "Put in line: {queued} messages; {pending} wait already, {delivered} had arrived.",
        to=f"{HOME}/{id}",
        queued=sent.queued,
        pending=sent.pending,
        delivered=sent.delivered,
    )


def _host(url: str) -> str:
    """The address without the key that the path of a chat platform's holds."""
    return urlsplit(url).hostname or url


async def _put(
    wired: Wired, caller: Principal, webhook_id: str, form: Typed, *, over: Endpoint | None = None
) -> Endpoint:
    secret: dict[str, str] = {}
    if form.text("unsigned"):
        secret = {"signing_secret": ""}
    elif form.text("signing_secret"):
        secret = {"signing_secret": form.text("signing_secret")}
    typed_ids = form.words("expertise_ids")
    body = checked(
        lambda: WebhookIn.model_validate(
            {
                "url": form.text("url"),
                "types": list(form.all("types")),
                "filter": {
                    "product": form.words("product"),
                    "expertise": [*form.all("expertise"), *typed_ids],
                },
                "format": form.text("format") or "standard",
                "language": form.some("language"),
                **secret,
            }
        )
    )
    return await in_thread(wired, wired.endpoints.put, caller, webhook_id, over=over, **body.settings())


def _held(endpoint: Endpoint) -> Typed:
    return Typed(
        {
            "url": (endpoint.url,),
            "types": endpoint.types,
            "product": (", ".join(endpoint.filter.get("product", ())),),
            "expertise": endpoint.filter.get("expertise", ()),
            "format": (endpoint.format,),
            "language": (endpoint.language,),
        }
    )


async def _form(
    request: Request, wired: Wired, guest: Guest, form: Typed, endpoint: Endpoint | None, *, status: int = 200
) -> Response:
    clusters = await in_thread(wired, wired.clustering.all, guest.principal.workspace)
    offered = clusters[:MOST_CHOSEN] if len(clusters) <= MOST_CHOSEN else ()
    beside = [id for id in form.all("expertise") if id not in {item.id for item in offered}]
    return page(
        request,
        "administration/webhook_form.html",
        status=status,
        form=form,
        webhook=endpoint,
        clusters=offered,
        beside=", ".join([*beside, *form.words("expertise_ids")]),
        types=TYPES,
        formats=FORMATS,
    )


async def _shown(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    endpoint: Endpoint,
    *,
    state: DeliveryStateName | None = None,
    cursor: str | None = None,
) -> Response:
    workspace = guest.principal.workspace
    deliveries = await in_thread(
        wired, wired.endpoints.deliveries, workspace, endpoint.id, cursor, MOST_DELIVERIES, state
    )
    soon = wired.clock() + SOON
    return page(
        request,
        "administration/webhook.html",
        webhook=endpoint,
        fields=await in_thread(wired, wired.clustering.names, workspace),
        host=_host,
        failed=failed,
        deliveries=deliveries.items,
        next_cursor=deliveries.next_cursor,
        waits=any(
            item.state == "pending" and (item.next_at is None or item.next_at < soon)
            for item in deliveries.items
        ),
        state=state,
        asked=urlencode({name: value for name, value in (("state", state), ("cursor", cursor)) if value}),
        later=cursor is not None,
        states=STATES,
        attempts=len(SCHEDULE),
        zone=place,
    )
