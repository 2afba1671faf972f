"""The shop's rules: seen by product teams, tried on the last month and set by administrators, and taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import tzinfo
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from graph.errors import InvalidValue
from graph.flow_words import FLOW_WORDS
from graph.models import Rules
from graph.priority import DEFAULT_WEIGHTS, weights_of
from graph.service_level import BANDS
from kb_service.console.effects import effect_of
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import language_of, page, said
from kb_service.console.rule_form import (
    DEFAULTS,
    FIELDS,
    GROUPS,
    LISTED,
    OWNED,
    PROMISES,
    Faults,
    Faulty,
    Shown,
    put_in,
    rules_of,
    said_place,
    sheet_of,
    sheet_read,
    told,
)
from kb_service.errors import Conflict, FieldError, InvalidRequest, NotFound, ServiceError
from kb_service.long_runs import Run
from kb_service.messages import Language
from kb_service.problem_details import details
from kb_service.recurring.backtesting import Backtest, Trial
from kb_service.recurring.rulebook import edition
from kb_service.routes.context import Wired, in_thread
from kb_service.security import ADMIN
from kb_service.services import Services
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/administration/rules", route_class=PageRoute, include_in_schema=False)
HERE = "/console/administration/rules"
DAYS = 30
ENTRIES = 5
"""The latest entries of what escalations taught that are listed."""
ABOUT_ALERTS = frozenset(
    {item.name for group in GROUPS if group.name == "alerts" for item in group.fields}
    | {"timezone", "promotion_days"}
)
"""Rules that bear on which alerts are raised."""
ZONES = (
    "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Tokyo", "Asia/Seoul", "Asia/Singapore",
    "Asia/Kuala_Lumpur", "Asia/Bangkok", "Asia/Jakarta", "Asia/Manila", "Asia/Kolkata", "Asia/Dubai",
    "Australia/Sydney", "Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Moscow",
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "UTC",
)  # fmt: skip


@router.get("")
async def rules(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    present = await in_thread(wired, wired.rulebook.rules, guest.principal.workspace)
    return await _page(request, wired, guest, place, present, sheet_of(present))


@router.post("")
async def change(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    do: Annotated[Text, Form(max_length=100)] = "preview",
    was: Annotated[Text, Form(max_length=64)] = "",
) -> Response:
    """One form for all that is done with rules: it comes back as it was filled in, whatever was wrong with it."""
    workspace = guest.principal.workspace
    present = await in_thread(wired, wired.rulebook.rules, workspace)
    sheet = {**sheet_of(present), **sheet_read(await request.form())}
    action, _, of = do.partition(":")
    again = partial(_page, request, wired, guest, place, present)
    if action == "reset" and of in DEFAULTS:
        return await again({**sheet, of: DEFAULTS[of]}, at=of)
    if action == "take":
        run = await in_thread(wired, wired.backtest_runs.of, workspace, of)
        return await again(_taken(sheet, present, run), word="taken")
    try:
        wanted = rules_of(sheet, present)
        if action == "save":
            return await _saved(wired, guest, wanted, was)
        run_of = await in_thread(wired, _begin, wired, guest, present, wanted, action == "suggest")
        return await again(sheet, run=run_of, wanted=wanted)
    except Faulty as error:
        return await again(sheet, faults=error.faults)
    except InvalidRequest as error:
        return await again(sheet, faults=told(error.fields))
    except InvalidValue as error:
        reason = FieldError(error.field, "{reason}", {"reason": error.message})
        return await again(sheet, faults=told([reason]))
    except Conflict as error:
        return await again(sheet, refused=error)


@router.get("/effect/{id}")
async def effect(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    """How far a run is, or what came of it: a part of the page that asks again by itself."""
    language = language_of(request)
    try:
        run = await in_thread(wired, wired.backtest_runs.of, guest.principal.workspace, id)
    except NotFound as error:
        # Whoever asks each second is to stop asking.
        return page(request, "administration/_gone.html", why=error.detail(language))
    return page(
        request,
        "administration/_effect.html",
        **_told(run, language),
        zone=place,
        fields=FIELDS,
        shown=_shown,
    )


@router.post("/undo")
async def undo(wired: Wired, guest: Guest, of: Annotated[Text, Form(max_length=64)]) -> Response:
    stored = await in_thread(wired, wired.rulebook.take_back, guest.principal, of)
    return done("The rules are as they were.", to=HERE, undo=f"{HERE}/undo", fields={"of": edition(stored)})


@router.post("/weights/rollback")
async def roll_back(wired: Wired, guest: Guest) -> Response:
    principal = guest.principal
    await in_thread(wired, wired.prioritising.roll_back, principal.workspace, actor=principal.key_id)
    return done("The weights are as they were.", to=f"{HERE}#weights")


@router.post("/weights/{id}/apply")
async def apply(wired: Wired, guest: Guest, id: Id) -> Response:
    principal = guest.principal
    await in_thread(wired, wired.prioritising.apply, principal.workspace, id, actor=principal.key_id)
    return done("The weights are in force.", to=f"{HERE}#weights", undo=f"{HERE}/weights/rollback")


async def _saved(wired: Services, guest: Guest, wanted: Rules, was: str) -> Response:
    workspace = guest.principal.workspace
    before = await in_thread(wired, wired.rulebook.rules, workspace)
    if wanted == before:
        return done("Nothing was changed.", to=HERE)
    stored = await in_thread(wired, wired.rulebook.put, guest.principal, wanted, over=was or None)
    return done("The rules are saved.", to=HERE, undo=f"{HERE}/undo", fields={"of": edition(stored)})


def _begin(
    wired: Services, guest: Guest, present: Rules, wanted: Rules, suggest: bool
) -> Run[Backtest] | None:
    """The run that tells the effect; None where the rules that differ bear on no alert."""
    if not suggest and not any(getattr(wanted, name) != getattr(present, name) for name in ABOUT_ALERTS):
        return None
    workspace = guest.principal.workspace
    begin, end = wired.backtesting.span(workspace, DAYS)
    trial = Trial(begin, end, lambda _: wanted, suggest=suggest)
    asked = {name: held for name, held in asdict(wanted).items() if name in ABOUT_ALERTS}
    key = f"effect {suggest} {edition(present)} {json.dumps(asked, sort_keys=True)}"
    return wired.backtest_runs.begin(
        workspace,
        guest.member.id,
        key,
        lambda heard: wired.backtesting.run(workspace, trial, heard),
        position=wired.backtesting.position(workspace),
    )


def _taken(sheet: Mapping[str, Shown], present: Rules, run: Run[Backtest]) -> dict[str, Shown]:
    """A form with the thresholds that a run suggests."""
    found = run.outcome.suggestion if run.outcome is not None else None
    if found is None or not found.changes:
        raise NotFound("This result is no longer kept; run it again.")
    kinds = {name: type(getattr(Rules(), name)) for name, _ in found.changes}
    values: dict[str, Any] = {name: kinds[name](value) for name, value in found.changes}
    return put_in(sheet, replace(present, **values), list(values))


def _shown(name: str, value: float) -> str:
    """A suggested threshold as the form would show it."""
    given: dict[str, Any] = {name: value}
    return str(sheet_of(replace(Rules(), **given))[name])


def _told(run: Run[Backtest] | None, language: Language) -> dict[str, Any]:
    # Looked at once: it may end while the page is made.
    state = run.state if run is not None else None
    outcome = run.outcome if run is not None and state == "done" else None
    error = run.error if run is not None and state == "failed" else None
    return {
        "run": run,
        "state": state,
        "found": outcome,
        "effect": effect_of(outcome) if outcome is not None else None,
        "why": details(error, language)["detail"] if error is not None else "",
    }


async def _page(
    request: Request,
    wired: Services,
    guest: Guest,
    place: tzinfo,
    present: Rules,
    sheet: Mapping[str, Shown],
    *,
    faults: Faults | None = None,
    refused: ServiceError | None = None,
    run: Run[Backtest] | None = None,
    wanted: Rules | None = None,
    word: str = "",
    at: str = "",
) -> Response:
    workspace, language = guest.principal.workspace, language_of(request)
    history = await in_thread(wired, wired.prioritising.history, workspace, ENTRIES)
    before = sheet_of(present)

    def where(name: str, within: str) -> str:
        return (
            said_place(FIELDS[name], within, lambda text: said(text, language)) if name in FIELDS else within
        )

    return page(
        request,
        "administration/rules.html",
        status=422 if faults else 409 if refused else 200,
        groups=GROUPS,
        fields=FIELDS,
        sheet=sheet,
        defaults=DEFAULTS,
        changed=[name for name in FIELDS if sheet[name] != before[name]],
        unlike={
            group.name: sum(sheet[item.name] != DEFAULTS[item.name] for item in group.fields)
            for group in GROUPS
        },
        factors=tuple(DEFAULT_WEIGHTS),
        bands=BANDS,
        promises=PROMISES,
        owned=OWNED,
        listed=LISTED,
        zones=ZONES,
        faults=faults or {},
        where=where,
        refused=refused.detail(language) if refused is not None else "",
        tried=wanted is not None,
        word=word,
        at=at,
        was=edition(present),
        may_set=guest.may(ADMIN),
        history=history,
        in_force=weights_of(present),
        standing=[entry.id for entry in history if dict(entry.weights) == dict(present.priority_weights)],
        applied=next((entry.id for entry in history if entry.kind != "proposed"), ""),
        flows=tuple(FLOW_WORDS),
        shown=_shown,
        zone=place,
        **_told(run, language),
    )
