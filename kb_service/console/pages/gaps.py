"""Questions without a good answer, each with the article that would give one, to edit and publish."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response

from ingest.errors import IngestError
from kb_service.accounts import Visitor
from kb_service.care.gap_views import GapDetail, GapState
from kb_service.console import articles
from kb_service.console.articles import Article, ArticlePreview, Written
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import language_of, page, reopened
from kb_service.errors import ServiceError
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.security import EDITOR
from kb_service.services import Services
from kb_service.wire.base import Id, Text
from kb_service.wire.gaps import GapOut

router = APIRouter(prefix="/console/knowledge", route_class=PageRoute, include_in_schema=False)
PAGE = 20
"""Gaps of a page: each one's questions are asked again."""
STATES: tuple[GapState, ...] = ("open", "answered", "dismissed")
DAYS = (1, 7, 30, 90)
FIRST: GapState = "open"
LANGUAGES = ("zh", "en")
ASKED = 5
"""Questions of a gap that an article is tried on."""
LISTED = 50
LONGEST_REASON = 2_000


@router.get("/gaps")
async def gaps(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    state: Annotated[GapState, Query()] = FIRST,
    asked_in: Annotated[Literal["", "zh", "en"], Query(alias="language")] = "",
    days: Annotated[int, Query(ge=1, le=90)] = max(DAYS),
    cursor: Cursor = None,
) -> Response:
    """What is missing, for most customers first."""
    found, looked_at = await in_thread(
        wired, wired.gaps.lately, guest.principal.workspace, cursor, PAGE,
        days=days if days < max(DAYS) else None, language=asked_in or None, state=state,
    )  # fmt: skip
    counts = await in_thread(
        wired, wired.gaps.counts, guest.principal.workspace,
        days=days if days < max(DAYS) else None, language=asked_in or None,
    )  # fmt: skip
    return page(
        request,
        "knowledge/gaps.html",
        counts=counts,
        gaps=[GapOut.of(view, language_of(request)) for view in found.items],
        looked_at=looked_at,
        state=state,
        states=STATES,
        asked_in=asked_in,
        languages=LANGUAGES,
        days=days,
        spans=DAYS,
        next_cursor=found.next_cursor,
        zone=place,
    )


def first_view(wired: Services, workspace: str) -> None:
    """Make what the page asks for when nothing was chosen on it."""
    wired.gaps.lately(workspace, None, PAGE, days=None, language=None, state=FIRST)


@router.get("/gaps/{id}")
async def gap(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    """One gap: who asked what, the replies that customers accepted, and the article that they make."""
    detail = await in_thread(wired, wired.gaps.one, guest.principal.workspace, id)
    asked: tuple[articles.AskedAgain, ...] = ()
    if detail.view.answered_by is not None:
        answer = detail.view.answered_by.document_id
        asked = await articles.asked_now(wired, guest.principal, answer, questions_of(detail))
    article = await _opened(request, wired, guest, detail)
    return await _page(request, wired, guest, place, detail, article, asked=asked)


@router.post("/gaps/{id}/preview")
async def preview(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id, article: Written
) -> Response:
    """How the article would be split, and whether it would answer what was asked; nothing is stored."""
    detail = await in_thread(wired, wired.gaps.one, guest.principal.workspace, id)
    try:
        tried = await articles.preview(wired, guest.principal, id, article, place, questions_of(detail))
    except (IngestError, ServiceError) as error:
        return await _again(request, wired, guest, place, detail, article, error)
    return await _page(request, wired, guest, place, detail, article, tried=tried)


@router.post("/gaps/{id}/publish")
async def publish(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id, article: Written
) -> Response:
    """Put the article of a gap, as a person wrote it, among the approved documents."""
    try:
        new = article.document(id, place)
        published = await in_thread(
            wired, wired.articles.publish_of_gap, guest.principal, id, new, article.over
        )
    except (IngestError, ServiceError) as error:
        detail = await in_thread(wired, wired.gaps.one, guest.principal.workspace, id)
        return await _again(request, wired, guest, place, detail, article, error)
    back = f"/console/knowledge/gaps/{id}"
    return articles.published(published, article.title, to=back, withdraw=f"{back}/withdraw")


@router.post("/gaps/{id}/withdraw")
async def withdraw(
    wired: Wired,
    guest: Guest,
    id: Id,
    over: Annotated[int, Form(ge=1)],
    proposal: Annotated[Id | None, Form()] = None,
) -> Response:
    """Take the published article back while it stands as it was published: the gap is open again."""
    held = await in_thread(wired, wired.articles.withdraw_of_gap, guest.principal, id, over, proposal)
    return articles.withdrawn(held, to=f"/console/knowledge/gaps/{id}")


@router.post("/gaps/{id}/dismiss")
async def dismiss(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: Id,
    reason: Annotated[Text, Form()] = "",
) -> Response:
    """No article will be written, for a reason."""
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        detail = await in_thread(wired, wired.gaps.one, guest.principal.workspace, id)
        article = await _opened(request, wired, guest, detail)
        return await _page(request, wired, guest, place, detail, article, faults=["reason"], reason=reason)
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
    tried: ArticlePreview | None = None,
    asked: tuple[articles.AskedAgain, ...] = (),
    faults: Collection[str] = (),
    reason: str = "",
) -> Response:
    return page(
        request,
        "knowledge/gap.html",
        status=409 if "over" in faults else 422 if faults else 200,
        gap=GapOut.of(detail.view, language_of(request)),
        questions=detail.questions[:LISTED],
        note=detail.note,
        article=article,
        kinds=articles.KINDS,
        tried=tried,
        faults=articles.in_order(faults),
        reason=reason,
        asked=asked,
        zone=place,
        may_publish=guest.may(EDITOR),
    )


async def _again(
    request: Request,
    wired: Services,
    guest: Visitor,
    place: ShopZone,
    detail: GapDetail,
    article: Article,
    error: Exception,
) -> Response:
    """The page with what was typed and what is wrong beside it. Raises an error that is about no field."""
    faults = articles.faults_of(error)
    if not faults:
        raise error
    return reopened(
        request, await _page(request, wired, guest, place, detail, article, faults=faults), "#writing"
    )


async def _opened(request: Request, wired: Services, guest: Visitor, detail: GapDetail) -> Article:
    """The article as its form opens, over the version that stands now."""
    workspace = guest.principal.workspace
    stands = await in_thread(wired, wired.editing.standing, workspace, detail.view.id)
    return replace(drafted(detail, language_of(request)), over=stands)


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
