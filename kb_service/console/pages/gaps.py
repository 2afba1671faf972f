"""Questions without a good answer, each with the article that would give one, to edit and publish."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response

from kb_service.accounts import Visitor
from kb_service.console import articles
from kb_service.console.articles import Article, Preview, Written
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import language_of, page
from kb_service.models import GapDetail, GapState
from kb_service.routes.context import Wired, in_thread
from kb_service.security import EDITOR
from kb_service.services import Services
from kb_service.wire.base import Id, Text
from kb_service.wire.gaps import GapOut

router = APIRouter(prefix="/console/knowledge", route_class=PageRoute, include_in_schema=False)
PAGE = 20
"""Gaps of a page: each one's questions are asked again."""
STATES: tuple[GapState, ...] = ("open", "answered", "dismissed")
DAYS = (1, 7, 30, 90)
LANGUAGES = ("zh", "en")
ASKED = 5
"""Questions of a gap that an article is tried on."""
LISTED = 50
Cursor = Annotated[Text | None, Query(max_length=500)]


@router.get("/gaps")
async def gaps(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    state: Annotated[GapState, Query()] = "open",
    asked_in: Annotated[Literal["", "zh", "en"], Query(alias="language")] = "",
    days: Annotated[int, Query(ge=1, le=90)] = 90,
    cursor: Cursor = None,
) -> Response:
    """What is missing, for most customers first."""
    since = wired.clock() - timedelta(days=days) if days < max(DAYS) else None
    found = await in_thread(
        wired, wired.gaps.page, guest.principal.workspace, cursor, PAGE,
        since=since, language=asked_in or None, state=state,
    )  # fmt: skip
    return page(
        request,
        "knowledge/gaps.html",
        gaps=[GapOut.of(view, language_of(request)) for view in found.items],
        state=state,
        states=STATES,
        asked_in=asked_in,
        languages=LANGUAGES,
        days=days,
        spans=DAYS,
        next_cursor=found.next_cursor,
        zone=place,
    )


@router.get("/gaps/{id}")
async def gap(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    """One gap: who asked what, the replies that customers accepted, and the article that they make."""
    detail = await in_thread(wired, wired.gaps.one, guest.principal.workspace, id)
    asked: tuple[articles.AskedAgain, ...] = ()
    if detail.view.answered_by is not None:
        answer = detail.view.answered_by.document_id
        asked = await articles.asked_now(wired, guest.principal, answer, questions_of(detail))
    article = drafted(detail, language_of(request))
    return await _page(request, wired, guest, place, detail, article, asked=asked)


@router.post("/gaps/{id}/preview")
async def preview(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id, article: Written
) -> Response:
    """How the article would be split, and whether it would answer what was asked; nothing is stored."""
    detail = await in_thread(wired, wired.gaps.one, guest.principal.workspace, id)
    tried = await articles.preview(wired, guest.principal, id, article, place, questions_of(detail))
    return await _page(request, wired, guest, place, detail, article, tried=tried)


@router.post("/gaps/{id}/publish")
async def publish(wired: Wired, guest: Guest, place: ShopZone, id: Id, article: Written) -> Response:
    """Put the article of a gap, as a person wrote it, among the approved documents."""
    status = await articles.publish(wired, guest.principal, article.document(id, place))
    back = f"/console/knowledge/gaps/{id}"
    undo = f"{back}/withdraw" if status.status == "created" else None
    return done("“{title}” is published.", to=back, undo=undo, title=article.title)


@router.post("/gaps/{id}/withdraw")
async def withdraw(wired: Wired, guest: Guest, id: Id) -> Response:
    """Take the published article back: the gap is open again."""
    await articles.withdraw(wired, guest.principal, id)
    return done("The article is withdrawn.", to=f"/console/knowledge/gaps/{id}")


@router.post("/gaps/{id}/dismiss")
async def dismiss(
    wired: Wired, guest: Guest, id: Id, reason: Annotated[Text, Form(min_length=1, max_length=2_000)]
) -> Response:
    """No article will be written, for a reason."""
    await in_thread(wired, wired.gaps.dismiss, guest.principal, id, reason)
    return done(
        "The gap is dismissed.", to="/console/knowledge/gaps", undo=f"/console/knowledge/gaps/{id}/reopen"
    )


@router.post("/gaps/{id}/reopen")
async def reopen(wired: Wired, guest: Guest, id: Id) -> Response:
    await in_thread(wired, wired.gaps.reopen, guest.principal, id)
    return done("The gap is open again.", to=f"/console/knowledge/gaps/{id}")


async def _page(
    request: Request,
    wired: Services,
    guest: Visitor,
    place: ShopZone,
    detail: GapDetail,
    article: Article,
    *,
    tried: Preview | None = None,
    asked: tuple[articles.AskedAgain, ...] = (),
) -> Response:
    return page(
        request,
        "knowledge/gap.html",
        gap=GapOut.of(detail.view, language_of(request)),
        questions=detail.questions[:LISTED],
        note=detail.note,
        article=article,
        kinds=articles.KINDS,
        tried=tried,
        asked=asked,
        zone=place,
        may_publish=guest.may(EDITOR),
    )


def questions_of(detail: GapDetail) -> list[str]:
    """The questions that an article is tried on: the most typical, then the latest others."""
    texts = dict.fromkeys([detail.view.gap.typical.text, *(item.text for item in detail.questions)])
    return list(texts)[:ASKED]


def drafted(detail: GapDetail, reader: Literal["zh", "en"]) -> Article:
    """The article that accepted replies make; without one, an empty one in the language of most questions."""
    gap, draft = detail.view.gap, detail.view.draft
    spoken = draft.language if draft is not None else gap.languages[0]
    return Article(
        title=draft.title if draft is not None else gap.typical.text[:200],
        question=draft.question if draft is not None else gap.typical.text,
        body=draft.body if draft is not None else "",
        language=reader if spoken not in LANGUAGES else "zh" if spoken == "zh" else "en",
        products=", ".join(gap.products),
    )
