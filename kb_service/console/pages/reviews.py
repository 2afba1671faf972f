"""Reviews: one automatic answer or edited suggestion at a time, judged by key, and what came of that."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response

from ingest.errors import IngestError
from kb_service.care.articles import article_id
from kb_service.console import articles
from kb_service.console.articles import Article, ArticlePreview, Written
from kb_service.console.differences import marked
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import page, reopened
from kb_service.errors import ServiceError
from kb_service.learning.review_views import ReviewedAnswer
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.security import EDITOR
from kb_service.wire.base import Id, Text
from kb_service.wire.reviews import Verdict

router = APIRouter(prefix="/console/knowledge/reviews", route_class=PageRoute, include_in_schema=False)
Kind = Literal["answer", "edit"]
KINDS: tuple[Kind, ...] = ("answer", "edit")
VERDICTS: tuple[Verdict, ...] = ("right", "wrong", "harmful")
PAGE = 50
Of = Annotated[Kind, Query()]


@router.get("")
async def reviews(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, kind: Of = "answer", cursor: Cursor = None
) -> Response:
    """The latest that waits, or with a cursor the one after those that were passed over."""
    workspace = guest.principal.workspace
    waiting = await in_thread(wired, wired.reviewing.page, workspace, cursor, 1, state="pending", kind=kind)
    progress = await in_thread(wired, wired.reviewing.progress, workspace, kind)
    item = waiting.items[0] if waiting.items else None
    return page(
        request,
        "knowledge/reviews.html",
        item=item,
        suggested=_pieces(item, of_answer=True),
        sent=_pieces(item, of_answer=False),
        kind=kind,
        kinds=KINDS,
        verdicts=VERDICTS,
        progress=progress,
        passed=cursor,
        next_cursor=waiting.next_cursor,
        zone=place,
        may_write=guest.may(EDITOR),
    )


@router.get("/judged")
async def judged(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, kind: Of = "answer", cursor: Cursor = None
) -> Response:
    """What was judged, the latest answers first."""
    workspace = guest.principal.workspace
    found = await in_thread(wired, wired.reviewing.page, workspace, cursor, PAGE, state="done", kind=kind)
    progress = await in_thread(wired, wired.reviewing.progress, workspace, kind)
    return page(
        request,
        "knowledge/judged.html",
        items=found.items,
        views=progress.views,
        kind=kind,
        kinds=KINDS,
        next_cursor=found.next_cursor,
        zone=place,
        may_write=guest.may(EDITOR),
    )


@router.post("/{id}")
async def judge(
    wired: Wired,
    guest: Guest,
    id: Id,
    verdict: Annotated[Verdict, Form()],
    note: Annotated[Text, Form(max_length=2_000)] = "",
    passed: Annotated[Text, Form(max_length=500)] = "",
) -> Response:
    """Record a verdict; the next one comes at once."""
    item = await in_thread(wired, wired.reviewing.judge, guest.principal, id, verdict, note.strip() or None)
    rest = f"&cursor={passed}" if passed else ""
    to, undo = f"/console/knowledge/reviews?kind={item.kind}{rest}", f"/console/knowledge/reviews/{id}/undo"
    fields = {"verdict": verdict}
    if item.withheld:
        return done(
            "Judged harmful; its document is kept out of automatic answers.", to=to, undo=undo, fields=fields
        )
    if verdict == "right":
        return done("Judged right.", to=to, undo=undo, fields=fields)
    if verdict == "wrong":
        return done("Judged wrong.", to=to, undo=undo, fields=fields)
    return done("Judged harmful.", to=to, undo=undo, fields=fields)


@router.post("/{id}/undo")
async def undo(wired: Wired, guest: Guest, id: Id, verdict: Annotated[Verdict, Form()]) -> Response:
    """The verdict is as if it had not been given."""
    await in_thread(wired, wired.reviewing.take_back, guest.principal, id, verdict)
    item = await in_thread(wired, wired.reviewing.one, guest.principal.workspace, id)
    return done("The verdict is taken back.", to=f"/console/knowledge/reviews?kind={item.kind}")


# --- an edit as knowledge


@router.get("/{id}/article")
async def article(request: Request, wired: Wired, guest: Guest, id: Id) -> Response:
    """What an agent wrote, as the draft of an article."""
    item = await in_thread(wired, wired.reviewing.one, guest.principal.workspace, id)
    stands = await in_thread(wired, wired.editing.standing, guest.principal.workspace, article_id(id))
    return _editor(request, item, replace(_drafted(item), over=stands))


@router.post("/{id}/article/preview")
async def preview(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id, written: Written
) -> Response:
    """How the article would be split, and whether it would answer the question; nothing is stored."""
    item = await in_thread(wired, wired.reviewing.one, guest.principal.workspace, id)
    texts = [item.question] if item.question else []
    try:
        tried = await articles.preview(wired, guest.principal, article_id(id), written, place, texts)
    except (IngestError, ServiceError) as error:
        return _again(request, item, written, error)
    return _editor(request, item, written, tried)


@router.post("/{id}/article")
async def publish(
    request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id, written: Written
) -> Response:
    """Put the article among the approved documents."""
    to = f"/console/documents/{article_id(id)}"
    try:
        new = written.document(article_id(id), place)
        published = await in_thread(
            wired, wired.articles.publish_of_review, guest.principal, id, new, written.over
        )
    except (IngestError, ServiceError) as error:
        item = await in_thread(wired, wired.reviewing.one, guest.principal.workspace, id)
        return _again(request, item, written, error)
    withdraw = f"/console/knowledge/reviews/{id}/article/withdraw"
    return articles.published(published, written.title, to=to, withdraw=withdraw)


@router.post("/{id}/article/withdraw")
async def withdraw(wired: Wired, guest: Guest, id: Id, over: Annotated[int, Form(ge=1)]) -> Response:
    """Take the published article back while it stands as it was published."""
    held = await in_thread(wired, wired.articles.withdraw_of_review, guest.principal, id, over)
    return articles.withdrawn(held, to=f"/console/knowledge/reviews/{id}/article")


def _editor(
    request: Request,
    item: ReviewedAnswer,
    written: Article,
    tried: ArticlePreview | None = None,
    faults: Collection[str] = (),
) -> Response:
    return page(
        request,
        "knowledge/review_article.html",
        status=409 if "over" in faults else 422 if faults else 200,
        document_id=article_id(item.id),
        item=item,
        article=written,
        kinds=articles.KINDS,
        tried=tried,
        faults=articles.in_order(faults),
    )


def _again(request: Request, item: ReviewedAnswer, written: Article, error: Exception) -> Response:
    """The form with what was typed and what is wrong beside it. Raises an error that is about no field."""
    faults = articles.faults_of(error)
    if not faults:
        raise error
    return reopened(request, _editor(request, item, written, faults=faults), "#writing")


def _drafted(item: ReviewedAnswer) -> Article:
    text = item.question or ""
    return Article(
        title=text[:200],
        question=text,
        body=item.final_text or item.answer or "",
        language="zh" if item.language == "zh" else "en",
    )


def _pieces(item: ReviewedAnswer | None, *, of_answer: bool) -> tuple[tuple[str, bool], ...]:
    """What was suggested, or sent, of an edit in pieces: those marked that the other does not have."""
    if item is None or item.answer is None or item.final_text is None:
        return ()
    one, other = (item.answer, item.final_text) if of_answer else (item.final_text, item.answer)
    return marked(one, other)
