"""The problem graph as a picture to walk, and as lists for who walks without a script, a mouse or eyes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from graph.labels import label_in
from graph.models import ProblemState
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page
from kb_service.recurring.picturing import KINDS, Drawing, DrawnKind, DrawnNode
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Text

router = APIRouter(prefix="/console/problems", route_class=PageRoute, include_in_schema=False)
STATES: tuple[ProblemState, ...] = (
    "open", "regressed", "acknowledged", "silenced", "candidate", "resolved",
)  # fmt: skip
LISTED = 30
"""Nodes that the page lists while none is chosen."""
NEIGHBOURS = 60
"""Neighbours of each kind that the card of a node lists."""
SPANS = (7, 30, 90)
"""Days within which a problem was last spoken of."""
LABEL = 60
"""Characters of a name that go into the picture; the card has the whole name."""


@router.get("/graph")
async def picture(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    kind: Annotated[list[DrawnKind], Query(default_factory=list, max_length=10)],
    at: Annotated[Text, Query(max_length=500)] = "",
    q: Annotated[Text, Query(max_length=500)] = "",
    state: Annotated[ProblemState | Literal[""], Query()] = "",
    days: Annotated[Literal["", "7", "30", "90"], Query()] = "",
) -> Response:
    workspace = guest.principal.workspace
    drawing = await in_thread(wired, wired.pictures.drawing, workspace)
    wanted = await in_thread(wired, wired.pictures.standing_for, workspace, at) if at else ""
    found = drawing.nodes[drawing.at[wanted]] if wanted in drawing.at else None
    kinds = tuple(item for item in KINDS if item in kind) or KINDS
    since = drawing.latest - timedelta(days=int(days)) if days and drawing.latest else None
    chosen = drawing.chosen(kinds=kinds, state=state, text=q.strip(), since=since)
    filters = [("q", q), ("state", state), ("days", days)]
    filters += [("kind", item) for item in kinds if kinds != KINDS]
    return page(
        request,
        "problems/picture.html",
        drawing=drawing,
        counts=drawing.counts(),
        node=found,
        missing=bool(at) and found is None,
        own_id=wanted.partition(":")[2],
        neighbours=_by_kind(drawing.neighbours(found)) if found else (),
        listed=sorted(chosen, key=lambda item: item.kind != "problem")[:LISTED],
        chosen=len(chosen),
        kinds=KINDS,
        shown_kinds=kinds,
        states=STATES,
        state=state,
        spans=SPANS,
        days=days,
        q=q,
        filters="".join(f"&{urlencode([pair])}" for pair in filters if pair[1]),
        most=NEIGHBOURS,
        zone=place,
    )


@router.get("/graph.json")
async def nodes(request: Request, wired: Wired, guest: Guest) -> Response:
    """What the picture is drawn from. It holds no token of a form, so that it may be compressed."""
    drawing = await in_thread(wired, wired.pictures.drawing, guest.principal.workspace)
    body = await in_thread(wired, _packed, drawing, language_of(request))
    headers = {"vary": "accept-encoding, cookie"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = await in_thread(wired, gzip.compress, body, 5)
        headers["content-encoding"] = "gzip"
    return Response(body, media_type="application/json", headers=headers)


def _packed(drawing: Drawing, language: str) -> bytes:
    """Rows without names for their columns: id, kind, name, x, y, radius, state, customers, days since it was last
    spoken of. Kinds and states are places in KINDS and STATES; -1 is none."""
    latest = drawing.latest
    rows = [
        [
            node.id,
            KINDS.index(node.kind),
            label_in(node.name(language), language)[:LABEL],
            node.x,
            node.y,
            round(node.radius, 1),
            STATES.index(node.state) if node.state else -1,
            node.customers,
            (latest - node.active_at).days if latest and node.active_at else -1,
        ]
        for node in drawing.nodes
    ]
    fields = [[field.field, field.x, field.y, round(field.radius, 1)] for field in drawing.fields]
    told = {"nodes": rows, "ties": drawing.ties, "fields": fields, "kinds": KINDS, "states": STATES}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _by_kind(found: Sequence[DrawnNode]) -> tuple[tuple[DrawnKind, tuple[DrawnNode, ...]], ...]:
    ordered = sorted(found, key=lambda node: KINDS.index(node.kind))
    return tuple((kind, tuple(those)) for kind, those in groupby(ordered, key=lambda node: node.kind))
