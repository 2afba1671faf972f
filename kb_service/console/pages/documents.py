"""One document: what it says, how it is used, and how its versions differ."""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from ingest.editing import body_of
from ingest.models import Document
from kb_service.accounts import Visitor
from kb_service.care.conflict_groups import grouped
from kb_service.care.library import SPAN
from kb_service.console.charts.document_use import HEIGHT, WIDTH, share_accepted, use_chart
from kb_service.console.differences import ComparedLine, differences
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.pages.conflicts import drawn
from kb_service.console.pages.stale import SPANS
from kb_service.console.rendering import language_of, page
from kb_service.console.shown_text import shown_text
from kb_service.editing import Removed
from kb_service.errors import NotFound
from kb_service.knowledge import DocumentRecord
from kb_service.problem_details import details
from kb_service.routes.context import Wired, in_thread
from kb_service.security import EDITOR
from kb_service.services import Services
from kb_service.wire.base import Id

router = APIRouter(prefix="/console/documents", route_class=PageRoute, include_in_schema=False)
MOST_PASSAGES = 80
COMPARED: tuple[str, ...] = (
    "title",
    "kind",
    "language",
    "audience",
    "status",
    "url",
    "products",
    "regions",
    "tiers",
)
COMPARED += ("channels", "valid_from", "valid_to", "supersedes")


@router.get("/{external_id:path}")
async def document(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    external_id: Id,
    start: Annotated[int, Query(ge=0)] = 0,
    end: Annotated[int, Query(ge=0)] = 0,
    whole: bool = False,
    older: Annotated[int, Query(ge=0)] = 0,
    newer: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """A document with the cited passage marked; `older` and `newer` are versions to compare."""
    workspace, language = guest.principal.workspace, language_of(request)
    try:
        found = await in_thread(wired, wired.library.about, workspace, external_id, language)
    except NotFound as error:
        return await _gone(request, wired, guest, place, external_id, error)
    stored = found.stored.document
    text = shown_text(stored.text, start, end, whole=whole)
    versions = (older, newer) if older and newer else None
    chart = use_chart(found.use, wired.clock(), SPAN.days, place)
    return page(
        request,
        "knowledge/document.html",
        detail=found,
        document=stored,
        shows_text=bool(text.cited or body_of(stored).text or not _dialogue(stored)),
        text=text,
        compared=await _compared(wired, workspace, external_id, versions) if versions else None,
        conflicts=drawn(tuple(grouped(found.conflicts))),
        stale=found.stale,
        spans=SPANS,
        chart=chart,
        size=(WIDTH, HEIGHT),
        share=share_accepted(chart.total),
        passages=found.passages[:MOST_PASSAGES],
        zone=place,
        now=wired.clock(),
        may_edit=guest.may(EDITOR),
    )


async def _gone(
    request: Request, wired: Services, guest: Visitor, place: tzinfo, external_id: str, error: NotFound
) -> Response:
    """The way back to a document that the visitor removed. Raises the error for any other that there is not."""
    removed = await in_thread(wired, _removed, wired, guest, external_id)
    if removed is None:
        raise error
    told = details(error, language_of(request))
    return page(request, "knowledge/gone.html", status=404, told=told, removed=removed, zone=place)


def _removed(wired: Services, guest: Visitor, external_id: str) -> Removed | None:
    """The document, where the visitor removed it and can still bring it back."""
    waiting = wired.editing.removed(guest.principal) if guest.may(EDITOR) else ()
    return next((item for item in waiting if item.external_id == external_id), None)


def _dialogue(document: Document) -> bool:
    """Whether a document has a question and a reply, which are shown apart."""
    return bool(document.fields.get("question") and document.fields.get("reply"))


async def _compared(
    wired: Services, workspace: str, external_id: str, versions: tuple[int, int]
) -> tuple[DocumentRecord, DocumentRecord, list[tuple[str, Any, Any]], tuple[ComparedLine, ...]]:
    """Two versions with the attributes and the lines in which they differ."""
    one, other = [
        await in_thread(wired, wired.knowledge.version, workspace, external_id, number) for number in versions
    ]
    return one, other, _changed(one, other), differences(one.text, other.text)


def _changed(one: DocumentRecord, other: DocumentRecord) -> list[tuple[str, Any, Any]]:
    """The attributes in which two versions differ, besides their text."""
    pairs = [(name, getattr(one, name), getattr(other, name)) for name in COMPARED]
    names = [name for name in {**one.fields, **other.fields} if name not in ("question", "reply")]
    pairs += [(name, one.fields.get(name), other.fields.get(name)) for name in names]
    return [pair for pair in pairs if pair[1] != pair[2]]
