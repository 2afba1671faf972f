"""The shop's own intents with their examples, and how a message is read by them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from graph.models import Intent
from kb_service.console.guard import Guest, PageRoute
from kb_service.console.notices import done
from kb_service.console.rendering import page
from kb_service.console.typed import Typed, checked, new_id, outdated, overtaken, refused, stamped, typed
from kb_service.errors import Conflict, InvalidRequest, changed_meanwhile
from kb_service.people.taxonomy import MOST_KEPT
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.wire.base import Id, Text
from kb_service.wire.people import IntentIn

ROOT = "/console/administration"
HOME = f"{ROOT}/intents"
router = APIRouter(prefix=ROOT, route_class=PageRoute, include_in_schema=False)
PAGE = 50


@router.get("/intents")
async def intents(
    request: Request,
    wired: Wired,
    guest: Guest,
    q: Annotated[Text, Query(max_length=200)] = "",
    message: Annotated[Text, Query(max_length=2000)] = "",
    cursor: Cursor = None,
) -> Response:
    """The intents, those that hold `q`; and how `message` would be read now."""
    workspace = guest.principal.workspace
    found = await in_thread(wired, wired.taxonomy.intents, workspace, cursor, PAGE, q=q.strip() or None)
    tried = (await in_thread(wired, wired.taxonomy.tried, workspace, message))[0] if message.strip() else None
    return page(
        request,
        "administration/intents.html",
        intents=found.items,
        fields=await in_thread(wired, wired.clustering.names, workspace),
        next_cursor=found.next_cursor,
        q=q.strip(),
        message=message,
        tried=tried,
    )


@router.get("/new/intent")
async def new(request: Request, wired: Wired, guest: Guest) -> Response:
    return await _form(request, wired, guest, Typed(), None)


@router.post("/intents")
async def create(request: Request, wired: Wired, guest: Guest) -> Response:
    form = await typed(request)
    return await _save(request, wired, guest, form, None)


@router.get("/intents/{id}")
async def intent(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    found = await in_thread(wired, wired.taxonomy.intent, guest.principal.workspace, id)
    return await _form(request, wired, guest, stamped(_held(found)), found)


@router.post("/intents/{id}")
async def change(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    form = await typed(request)
    found = await in_thread(wired, wired.taxonomy.intent, guest.principal.workspace, id)
    return await _save(request, wired, guest, form, found)


@router.post("/intents/{id}/remove")
async def remove(wired: Wired, guest: Guest, id: Id) -> Response:
    found = await in_thread(wired, wired.taxonomy.intent, guest.principal.workspace, id)
    await in_thread(wired, wired.taxonomy.remove_intent, guest.principal, id)
    undo = f"{HOME}/{id}/restore" if len(found.examples) <= MOST_KEPT else None
    return done("The intent {label} was removed.", to=HOME, undo=undo, label=found.label)


@router.post("/intents/{id}/restore")
async def restore(wired: Wired, guest: Guest, id: Id) -> Response:
    found = await in_thread(wired, wired.taxonomy.restore_intent, guest.principal, id)
    return done("The intent {label} is back.", to=f"{HOME}/{id}", label=found.label)


async def _save(request: Request, wired: Wired, guest: Guest, form: Typed, known: Intent | None) -> Response:
    """Keep an intent, or with `do` as `try` only show how a message would be read by it."""
    workspace = guest.principal.workspace
    trying = form.text("do") == "try"
    try:
        intent_id = known.id if known else new_id(form.text("id"))
        if known is None and await in_thread(wired, wired.taxonomy.known, workspace, intent_id):
            raise InvalidRequest.of("id", "there is an intent {id} already", id=intent_id)
        draft = checked(
            lambda: IntentIn.model_validate(
                {
                    "label": form.text("label"),
                    "examples": form.lines("examples"),
                    "expertise": form.some("expertise"),
                    "description": form.some("description"),
                    "sensitive": bool(form.text("sensitive")),
                }
            )
        ).value(intent_id)
        if trying and not form.text("message"):
            raise InvalidRequest.of("message", "is required")
    except InvalidRequest as error:
        return await _form(request, wired, guest, refused(request, form, error), known, status=422)
    if trying:
        return await _form(request, wired, guest, form, known, draft=draft)
    try:
        if known is not None and outdated(form, _held(known)):
            raise changed_meanwhile()
        await in_thread(wired, wired.taxonomy.put_intents, guest.principal, [draft], over=known)
    except Conflict:
        return await _form(request, wired, guest, overtaken(request, form), known, status=409)
    return done(
        "The intent {label} was saved; its examples count from now on.",
        to=f"{HOME}/{draft.id}",
        label=draft.label,
    )


def _held(intent: Intent) -> Typed:
    return Typed(
        {
            "label": (intent.label,),
            "examples": ("\n".join(intent.examples),),
            "expertise": (intent.expertise or "",),
            "description": (intent.description or "",),
            "sensitive": ("1",) if intent.sensitive else (),
        }
    )


async def _form(
    request: Request,
    wired: Wired,
    guest: Guest,
    form: Typed,
    intent: Intent | None,
    *,
    draft: Intent | None = None,
    status: int = 200,
) -> Response:
    workspace = guest.principal.workspace
    clusters = await in_thread(wired, wired.clustering.all, workspace)
    tried = None
    if draft is not None:
        tried = await in_thread(wired, wired.taxonomy.tried, workspace, form.text("message"), draft)
    return page(
        request,
        "administration/intent.html",
        status=status,
        form=form,
        intent=intent,
        clusters=clusters,
        tried=tried,
        draft=draft,
    )
