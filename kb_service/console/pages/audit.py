"""What was done by whom: the audit trail, in words, narrowed by who, what, of what and when."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response

from kb_service.accounts import COMMAND_LINE
from kb_service.audit_trail import AuditEntry, Wanted
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page, said, when
from kb_service.console.typed import bounded
from kb_service.console.words import ZH
from kb_service.errors import InvalidRequest
from kb_service.messages import Language
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Text
from kb_service.wire.questions import name_in

router = APIRouter(prefix="/console/administration", route_class=PageRoute, include_in_schema=False)
PAGE = 50
ACTION, ACTOR, NOUN, DETAIL, VALUE = "action ", "actor ", "noun ", "detail ", "value "
RULE = "rule "
PEOPLE = "people"
"""Who is chosen for all that people did by hand."""
LONGEST = 160
MOST_TOLD = 12
"""Parts of an entry's detail that a row spells out."""
PLACES: Mapping[str, str] = {
    "agent": "/console/administration/agents/",
    "alert": "/console/alerts/",
    "case": "/console/cases/",
    "document": "/console/documents/",
    "expertise": "/console/administration/expertise/",
    "intent": "/console/administration/intents/",
    "member": "/console/administration/members/",
    "problem": "/console/problems/",
    "proposal": "/console/proposals/",
    "webhook": "/console/administration/webhooks/",
}
"""Where what an action is about is seen, by the first word of the action."""
GONE = ("removed", "ended", "erased", "link")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that an entry tells: `was` is None where it only says what is."""

    name: str
    now: str
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    at: datetime
    actor: str
    action: str
    object: str
    named: bool
    link: str | None
    told: tuple[Told, ...]
    left_out: int


@router.get("/audit")
async def audit(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    actor: Annotated[Text, Query(max_length=200)] = "",
    action: Annotated[Text, Query(max_length=100)] = "",
    object: Annotated[Text, Query(max_length=200)] = "",
    since: Annotated[Text, Query(max_length=10)] = "",
    until: Annotated[Text, Query(max_length=10)] = "",
    cursor: Annotated[Text | None, Query(max_length=500)] = None,
) -> Response:
    workspace, language = guest.principal.workspace, language_of(request)
    members = await in_thread(wired, wired.accounts.members, workspace)
    keys = await in_thread(wired, wired.keyring.all, workspace)
    people = {member.id: member.name for member in members}
    programs = {key.id: key.label or f"{key.prefix}…" for key in keys}
    wanted = Wanted(
        actors=[*people, COMMAND_LINE] if actor == PEOPLE else [actor] if actor else None,
        action=action or None,
        object=object.strip() or None,
        since=_midnight("since", since, place),
        until=_midnight("until", until, place, days=1),
    )
    found = await in_thread(wired, wired.audit_trail.page, workspace, cursor, PAGE, wanted)
    problems = {id: name_in(problem, language) for id, problem in found.problems.items()}
    names = {**problems, **people, **programs}
    chosen = {"actor": actor, "action": action, "object": object, "since": since, "until": until}
    return page(
        request,
        "administration/audit.html",
        rows=[_row(entry, names, language, place) for entry in found.entries],
        people=people,
        programs=programs,
        automatic=sorted(key.removeprefix(ACTOR) for key in ZH if key.startswith(ACTOR)),
        actions=_by_noun(),
        nouns={key.removeprefix(NOUN) for key in ZH if key.startswith(NOUN)},
        chosen=chosen,
        narrowed=any(chosen.values()),
        rest=urlencode({name: value for name, value in chosen.items() if value}),
        next_cursor=found.next_cursor,
        zone=place,
    )


def _midnight(field: str, text: str, zone: tzinfo, *, days: int = 0) -> datetime | None:
    """When a day, or some days after it, begins on the shop's clocks; an empty field narrows nothing."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise InvalidRequest.of(field, "must be a date with its year, such as 2026-11-11") from None
    return bounded(field, datetime.combine(day, time.min, zone))


def _by_noun() -> dict[str, list[str]]:
    """Every action that has its words, by what it is about."""
    found: dict[str, list[str]] = {}
    for key in ZH:
        if key.startswith(ACTION):
            action = key.removeprefix(ACTION)
            found.setdefault(action.partition(".")[0], []).append(action)
    return found


def _row(entry: AuditEntry, names: Mapping[str, str], language: Language, zone: tzinfo) -> Row:
    told = tuple(_told(entry.detail, names, language, zone))
    return Row(
        at=entry.at,
        actor=names.get(entry.actor) or _words(ACTOR, entry.actor, language),
        action=_words(ACTION, entry.action, language),
        object="" if entry.object == entry.actor else names.get(entry.object, entry.object),
        named=entry.object in names,
        link=_link(entry),
        told=told[:MOST_TOLD],
        left_out=max(0, len(told) - MOST_TOLD),
    )


def _words(prefix: str, value: str, language: Language, otherwise: str | None = None) -> str:
    """A name that the store keeps, as people call it, a rule by its label; one without words as it stands."""
    places = (prefix, RULE) if prefix == DETAIL else (prefix,)
    known = next((place for place in places if place + value in ZH), None)
    return said(known + value, language) if known is not None else otherwise or value


def _link(entry: AuditEntry) -> str | None:
    noun, _, verb = entry.action.partition(".")
    if noun not in PLACES or verb in GONE or not entry.object:
        return None
    return PLACES[noun] + quote(entry.object, safe="/" if noun == "document" else "")


def _told(
    detail: Mapping[str, Any], names: Mapping[str, str], language: Language, zone: tzinfo
) -> Iterator[Told]:
    """What an entry's detail says, one thing after the other; of a change what was and what is."""

    def spelt(value: Any) -> str:
        return _spelt(value, names, language, zone)

    for name, value in detail.items():
        if name == "changes" and isinstance(value, Mapping):
            for field, change in value.items():
                pair = isinstance(change, Mapping) and {"from", "to"} <= set(change)
                was, now = (change["from"], change["to"]) if pair else (None, change)
                yield Told(_words(DETAIL, field, language), spelt(now), spelt(was) if pair else None)
        elif name == "was" and isinstance(value, Mapping):
            for field, before in value.items():
                yield Told(_words(DETAIL, field, language), "–", spelt(before))
        elif isinstance(value, Mapping) and value:
            inner = "; ".join(f"{_words(DETAIL, key, language)} {spelt(item)}" for key, item in value.items())
            yield Told(_words(DETAIL, name, language), inner[: 2 * LONGEST])
        else:
            yield Told(_words(DETAIL, name, language), spelt(value))


def _spelt(value: Any, names: Mapping[str, str], language: Language, zone: tzinfo) -> str:
    """A value as people read it."""
    if value is None or value in ([], "", {}):
        return "–"
    if isinstance(value, bool):
        return said("yes" if value else "no", language)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        text = ", ".join(_spelt(item, names, language, zone) for item in value)
    elif isinstance(value, Mapping):
        text = "; ".join(
            f"{_words(DETAIL, str(key), language)} {_spelt(item, names, language, zone)}"
            for key, item in value.items()
        )
    else:
        text = str(value)
        if MOMENT.match(text):
            text = when(datetime.fromisoformat(text), zone)
        text = names.get(text) or _words(VALUE, text, language, text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
