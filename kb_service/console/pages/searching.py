"""Search by keyword or sentence: passages of documents, and cases by the ids that they name or go by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from ingest.identifiers import one_spelling, only_an_id, written_ids
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.highlighting import highlighted
from kb_service.console.rendering import page
from kb_service.models import Scope
from kb_service.people.agent_desk import ListedCase
from kb_service.routes.context import Wired, audiences_of, in_thread
from kb_service.wire.base import Text

router = APIRouter(prefix="/console/search", route_class=PageRoute, include_in_schema=False)
Wanted = Literal["all", "product", "policy", "resolution", "faq"]
KINDS: tuple[Wanted, ...] = ("all", "product", "policy", "resolution", "faq")
HITS = 20


@router.get("")
async def search(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    q: Annotated[Text, Query(max_length=1000)] = "",
    kind: Annotated[Wanted, Query()] = "all",
) -> Response:
    workspace, asked = guest.principal.workspace, q.strip()
    scope = Scope(audiences=audiences_of(guest.principal), kinds=() if kind == "all" else (kind,))
    hits = await in_thread(wired, wired.answering.search, workspace, asked, scope, HITS) if asked else ()
    cases = await in_thread(wired, wired.agent_desk.found, workspace, asked) if asked else ()
    named = asked if _one_id(asked, cases) else None
    if named is not None:
        # What is near in meaning to a number has nothing to do with it.
        hits = tuple(
            hit
            for hit in hits
            if _names((hit.title, hit.external_id, hit.text), (*hit.products, hit.external_id), named)
        )
    return page(
        request,
        "desk/search.html",
        q=q,
        kind=kind,
        kinds=KINDS,
        hits=[(hit, highlighted(hit.text, asked)) for hit in hits],
        cases=cases,
        named=named,
        zone=place,
    )


def _one_id(asked: str, cases: Sequence[ListedCase]) -> bool:
    """Whether what is searched for is an id and no words: it looks like one, or cases go by it."""
    return bool(asked) and (only_an_id(asked) is not None or (bool(cases) and len(asked.split()) == 1))


def _names(words: Iterable[str], names: Iterable[str], id: str) -> bool:
    """Whether a passage holds an id: in its words, or among the ids of what it is and what it is about."""
    return one_spelling(id) in {*written_ids("\n".join(words)), *map(one_spelling, names)}
