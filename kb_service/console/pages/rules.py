"""The shop's rules: seen by product teams, tried on the last month and set by administrators, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response

from graph.flow_words import FLOW_WORDS
from graph.priority import DEFAULT_WEIGHTS, weights_of
from graph.rules import Rules
from graph.service_level import BANDS
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import language_of, page
from kb_service.console.rule_effects import effect_of
from kb_service.console.rule_faults import REFUSED, RulesRefused, refusal
from kb_service.console.rule_fields import FIELDS, GROUPS, LISTED, OWNED, PROMISES
from kb_service.console.rule_form import DEFAULTS, Shown, put_in, rules_of, sheet_of, sheet_read
from kb_service.console.rule_runs import RunSeen, begun, looked_at
from kb_service.errors import NotFound, not_whole
from kb_service.long_runs import Run
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
    if action == "save" and not was:
        raise not_whole()
    again = partial(_page, request, wired, guest, place, present)
    if action == "reset" and of in DEFAULTS:
        return await again({**sheet, of: DEFAULTS[of]}, at=of)
    if action == "take":
        suggested = await in_thread(wired, wired.backtest_runs.of, workspace, of)
        return await again(_taken(sheet, present, suggested), taken=True)
    try:
        wanted = rules_of(sheet, present)
        if action == "save":
            return await _saved(wired, guest, wanted, was)
        run = await in_thread(wired, _begun, wired, guest, present, wanted, action == "suggest")
        seen = RunSeen.of(run, language_of(request)) if run is not None else None
        return await again(sheet, run=seen, tried=True)
    except REFUSED as error:
        return await again(sheet, refused=refusal(error))


@router.get("/effect/{id}")
async def effect(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: Id,
    of: Annotated[Text, Query(max_length=2_000)] = "",
) -> Response:
    """How far a run is, or what came of it: a part of the page that asks again by itself, with the word of it beside
    the rules `of` the form that differ."""
    seen = await looked_at(wired, guest, id, language_of(request))
    changed = [name for name in of.split(",") if name in FIELDS]
    return page(
        request,
        "administration/effect.html",
        **_effect(seen),
        changed=changed,
        about_alerts=ABOUT_ALERTS,
        zone=place,
    )


@router.post("/undo")
async def undo(wired: Wired, guest: Guest, of: Annotated[Text, Form(max_length=64)]) -> Response:
    stored = await in_thread(wired, wired.rulebook.take_back, guest.principal, of)
    return done("The rules are as they were.", to=HERE, undo=f"{HERE}/undo", fields={"of": edition(stored)})


@router.post("/weights/rollback")
async def roll_back(wired: Wired, guest: Guest, of: Annotated[Text, Form(max_length=64)]) -> Response:
    principal = guest.principal
    await in_thread(wired, wired.prioritising.roll_back, principal.workspace, actor=principal.key_id, of=of)
    return done("The weights are as they were.", to=f"{HERE}#weights")


@router.post("/weights/{id}/apply")
async def apply(wired: Wired, guest: Guest, id: Id) -> Response:
    principal = guest.principal
    entry = await in_thread(wired, wired.prioritising.apply, principal.workspace, id, actor=principal.key_id)
    return done(
        "The weights are in force.",
        to=f"{HERE}#weights",
        undo=f"{HERE}/weights/rollback",
        fields={"of": entry.id},
    )


async def _saved(wired: Services, guest: Guest, wanted: Rules, was: str) -> Response:
    workspace = guest.principal.workspace
    before = await in_thread(wired, wired.rulebook.rules, workspace)
    if wanted == before:
        return done("Nothing was changed.", to=HERE)
    stored = await in_thread(wired, wired.rulebook.put, guest.principal, wanted, over=was)
    return done("The rules are saved.", to=HERE, undo=f"{HERE}/undo", fields={"of": edition(stored)})


def _begun(
    wired: Services, guest: Guest, present: Rules, wanted: Rules, suggest: bool
) -> Run[Backtest] | None:
    """The run that tells the effect; None where the rules that differ bear on no alert."""
    if not suggest and not any(getattr(wanted, name) != getattr(present, name) for name in ABOUT_ALERTS):
        return None
    begin, end = wired.backtesting.span(guest.principal.workspace, DAYS)
    trial = Trial(begin, end, lambda _: wanted, suggest=suggest)
    return begun(wired, guest, trial, present, f"effect {suggest}", ABOUT_ALERTS)


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


def _effect(run: RunSeen | None) -> dict[str, Any]:
    """What the page tells of a run and of what it found."""
    found = run.outcome if run is not None else None
    effect = effect_of(found) if found is not None else None
    return {"run": run, "found": found, "effect": effect, "fields": FIELDS, "shown": _shown}


def _form(sheet: Mapping[str, Shown], present: Rules) -> dict[str, Any]:
    """What the form is made of: every rule as it is filled in, beside the one in force and the product's."""
    before = sheet_of(present)
    return {
        "groups": GROUPS,
        "sheet": sheet,
        "defaults": DEFAULTS,
        "changed": [name for name in FIELDS if sheet[name] != before[name]],
        "set_by_shop": frozenset(name for name in FIELDS if before[name] != DEFAULTS[name]),
        "about_alerts": ABOUT_ALERTS,
        "factors": tuple(DEFAULT_WEIGHTS),
        "bands": BANDS,
        "promises": PROMISES,
        "owned": OWNED,
        "listed": LISTED,
        "zones": ZONES,
        "flows": tuple(FLOW_WORDS),
        "was": edition(present),
    }


async def _learned(wired: Services, workspace: str, present: Rules) -> dict[str, Any]:
    """What escalations taught of the weights, and which of it is in force."""
    history = await in_thread(wired, wired.prioritising.history, workspace, ENTRIES)
    return {
        "history": history,
        "in_force": weights_of(present),
        "standing": [entry.id for entry in history if dict(entry.weights) == dict(present.priority_weights)],
        "applied": next((entry.id for entry in history if entry.kind != "proposed"), ""),
    }


async def _page(
    request: Request,
    wired: Services,
    guest: Guest,
    place: tzinfo,
    present: Rules,
    sheet: Mapping[str, Shown],
    *,
    refused: RulesRefused | None = None,
    run: RunSeen | None = None,
    tried: bool = False,
    taken: bool = False,
    at: str = "",
) -> Response:
    """The page; `tried` where the effect was asked for, `taken` where suggested thresholds were filled in, `at` the
    rule that was set back."""
    return page(
        request,
        "administration/rules.html",
        may_set=guest.may(ADMIN),
        tried=tried,
        taken=taken,
        at=at,
        zone=place,
        **(refused or RulesRefused()).told(language_of(request)),
        **_form(sheet, present),
        **_effect(run),
        **await _learned(wired, guest.principal.workspace, present),
    )
