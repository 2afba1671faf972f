"""What should change, what it is expected to save, what was decided, and what that brought."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request, Response

from graph.models import Proposal, ProposalKind
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import page, rest_of
from kb_service.routes.context import Cursor, Wired, in_thread
from kb_service.security import EDITOR, PRODUCT
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/proposals", route_class=PageRoute, include_in_schema=False)
PAGE = 50
State = Literal["open", "accepted", "dismissed"]
STATES: tuple[State, ...] = ("open", "accepted", "dismissed")
KINDS: tuple[ProposalKind, ...] = ("document", "policy", "product", "routing", "training")
Way = Literal["", "apply", "trial"]


@router.get("")
async def proposals(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    state: Annotated[State | Literal["all"], Query()] = "open",
    kind: Annotated[ProposalKind | Literal[""], Query()] = "",
    cursor: Cursor = None,
) -> Response:
    """Proposals, the latest first."""
    found = await in_thread(
        wired, wired.proposals.page, guest.principal.workspace, cursor, PAGE,
        state=None if state == "all" else state, kind=kind or None,
    )  # fmt: skip
    return page(
        request,
        "problems/proposals.html",
        proposals=found.items,
        more=rest_of("/console/proposals", found.next_cursor, state=state, kind=kind),
        states=(*STATES, "all"),
        state=state,
        kinds=KINDS,
        kind=kind,
        zone=place,
    )


@router.get("/{id}")
async def proposal(request: Request, wired: Wired, guest: Guest, place: ShopZone, id: Id) -> Response:
    """One proposal with its evidence, its draft, its trial and what was measured of it."""
    workspace = guest.principal.workspace
    detail = await in_thread(wired, wired.proposals.one, workspace, id)
    decided = await in_thread(wired, wired.proposals.decision, workspace, id)
    change = detail.proposal.change or {}
    routing = change.get("action")
    applies = routing == "pin_problems" or (routing == "set_expertise" and guest.may(EDITOR))
    return page(
        request,
        "problems/proposal.html",
        detail=detail,
        proposal=detail.proposal,
        evidence=_evidence(detail.proposal),
        decided=decided,
        document_id=change.get("document_id"),
        may_decide=guest.may(PRODUCT) and detail.proposal.state == "open",
        applies=applies,
        tries=routing == "set_expertise",
        zone=place,
    )


@router.post("/{id}/accept")
async def accept(wired: Wired, guest: Guest, id: Id, way: Annotated[Way, Form()] = "") -> Response:
    """It will be done; a routing rule at once, or tried on a part, where that is asked for."""
    await in_thread(
        wired, wired.proposals.accept, guest.principal, id, apply=way == "apply", trial=way == "trial"
    )
    return done("The proposal is accepted.", **await _back(wired, guest, id))


@router.post("/{id}/dismiss")
async def dismiss(
    wired: Wired, guest: Guest, id: Id, note: Annotated[Text, Form(max_length=2000)] = ""
) -> Response:
    await in_thread(wired, wired.proposals.dismiss, guest.principal, id, note.strip() or None)
    return done("The proposal is dismissed.", **await _back(wired, guest, id))


@router.post("/{id}/undo")
async def undo(wired: Wired, guest: Guest, id: Id, step: Annotated[int, Form(ge=1)]) -> Response:
    """Take a decision back that changed nothing else."""
    await in_thread(wired, wired.proposals.undo, guest.principal, id, step)
    return done("Taken back.", to=f"/console/proposals/{id}")


def _evidence(proposal: Proposal) -> dict[str, str]:
    """The evidence by language without what is expected of it, which the page tells by itself."""
    expected = proposal.expected.words if proposal.expected is not None else {}
    return {
        language: text.removesuffix(expected.get(language, "")).rstrip()
        for language, text in proposal.evidence.items()
    }


async def _back(wired: Wired, guest: Guest, id: str) -> dict[str, Any]:
    """Where a decision is told, the proposal's page, and what takes it back where that is all it did."""
    decided = await in_thread(wired, wired.proposals.decision, guest.principal.workspace, id)
    address = f"/console/proposals/{id}"
    if decided.step is None:
        return {"to": address}
    return {"to": address, "undo": f"{address}/undo", "fields": {"step": str(decided.step)}}
