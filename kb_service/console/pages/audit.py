"""What was done by whom: the audit trail, in words, narrowed by who, what, of what and when."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from kb_service.accounts import COMMAND_LINE
from kb_service.audit_trail import Wanted
from kb_service.console.audit_rows import actions_by_noun, audit_row, automatic_actors, nouns
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.rendering import language_of, page
from kb_service.console.typed import midnight
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.wire.base import Text
from kb_service.wire.problem_refs import name_in

router = APIRouter(prefix="/console/administration", route_class=PageRoute, include_in_schema=False)
PAGE = 50
PEOPLE = "people"
"""Who is chosen for all that people did by hand."""


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
    cursor: Cursor = None,
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
        since=midnight("since", since, place) if since else None,
        until=midnight("until", until, place, days=1) if until else None,
    )
    found = await in_thread(wired, wired.audit_trail.page, workspace, cursor, PAGE, wanted)
    problems = {id: name_in(problem, language) for id, problem in found.problems.items()}
    names = {**problems, **people, **programs}
    chosen = {"actor": actor, "action": action, "object": object, "since": since, "until": until}
    return page(
        request,
        "administration/audit.html",
        rows=[audit_row(entry, names, language, place) for entry in found.entries],
        people=people,
        programs=programs,
        automatic=automatic_actors(),
        actions=actions_by_noun(),
        nouns=nouns(),
        chosen=chosen,
        narrowed=any(chosen.values()),
        rest=urlencode({name: value for name, value in chosen.items() if value}),
        next_cursor=found.next_cursor,
        zone=place,
    )
