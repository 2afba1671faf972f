"""Ask as a customer: the answer that a bot would get, and what every stage on the way to it saw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, time, tzinfo
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from graph.models import Customer
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page
from kb_service.console.typed import words_of
from kb_service.errors import InvalidRequest
from kb_service.ids import digest_id
from kb_service.models import Question, Turn
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Text
from kb_service.wire.replies import ReplyOut

router = APIRouter(prefix="/console/knowledge", route_class=PageRoute, include_in_schema=False)
MOST_TURNS = 20
SPEAKERS: dict[str, Literal["customer", "agent", "bot"]] = {
    "customer": "customer",
    "agent": "agent",
    "bot": "bot",
    "顾客": "customer",
    "客服": "agent",
    "机器人": "bot",
}
"""Who speaks a line of the earlier turns, as it may begin; without such a beginning the customer does."""
Short = Annotated[Text, Query(max_length=80)]


@router.get("/asking")
async def asking(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    q: Annotated[Text, Query(max_length=4000)] = "",
    tier: Short = "",
    region: Short = "",
    channel: Short = "",
    on: Annotated[date | Literal[""], Query()] = "",
    reader: Annotated[Literal["", "zh", "en"], Query()] = "",
    products: Annotated[Text, Query(max_length=400)] = "",
    turns: Annotated[Text, Query(max_length=8000)] = "",
) -> Response:
    given = {
        "q": q,
        "tier": tier.strip(),
        "region": region.strip(),
        "channel": channel.strip(),
        "on": on.isoformat() if isinstance(on, date) else "",
        "reader": reader,
        "products": products.strip(),
        "turns": turns,
    }
    told = None
    if q.strip():
        question = _question(given, reader, place, most=wired.settings.max_query_chars)
        told = await in_thread(wired, wired.explaining.explain, guest.principal.workspace, question)
    wire = ReplyOut.of(told.reply, reader or language_of(request)) if told is not None else None
    return page(
        request,
        "knowledge/as_customer.html",
        given=given,
        narrowed=any(value for name, value in given.items() if name != "q"),
        told=told,
        wire=json.dumps(wire.model_dump(mode="json"), indent=2, ensure_ascii=False) if wire else "",
        zone=place,
    )


def _question(
    given: Mapping[str, str], reader: Literal["", "zh", "en"], place: tzinfo, *, most: int
) -> Question:
    """The question that a form asks. Raises InvalidRequest for one that is longer than `most` characters."""
    text = given["q"]
    if len(text) > most:
        raise InvalidRequest.of("query", "is longer than {limit} characters; shorten it", limit=most)
    return Question(
        text=text.replace("\r\n", "\n"),
        turns=said(given["turns"]),
        customer=_customer(text, given["tier"]),
        channel=given["channel"] or None,
        region=given["region"] or None,
        products=tuple(words_of(given["products"])),
        as_of=_noon(date.fromisoformat(given["on"]), place) if given["on"] else None,
        reader=reader or None,
    )


def said(turns: str) -> tuple[Turn, ...]:
    """Earlier turns, one a line: "bot: text", the customer's where nobody is named."""
    found = []
    for line in turns.splitlines():
        name, colon, text = line.replace("：", ":", 1).partition(":")
        role = SPEAKERS.get(name.strip().casefold()) if colon else None
        words = text if role is not None else line
        if words.strip():
            found.append(Turn(role or "customer", words.strip()))
    return tuple(found[-MOST_TURNS:])


def _customer(text: str, tier: str) -> Customer | None:
    """Somebody of a tier whom the shop does not know: nobody's cases are looked at."""
    return Customer(digest_id("asking", text, tier), tier=tier) if tier else None


def _noon(day: date, place: tzinfo) -> datetime:
    """What held on a day, on the shop's clocks."""
    return datetime.combine(day, time(12), place)
