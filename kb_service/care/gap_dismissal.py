"""What people decide of a gap: dismissed with a reason and taken up again, or answered by an article.

The decision stands in the gap's own proposal, so that the board of proposals and the gaps say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from graph.gaps import Gap
from graph.models import Proposal
from kb_service.errors import Conflict
from kb_service.recurring.notes import noted
from kb_service.recurring.proposing import ACTIONS, propose_document
from kb_service.store import ToldGap, Unit


@dataclass(frozen=True, slots=True)
class Dismissal:
    """When and by whom a gap was dismissed."""

    at: datetime
    by: str | None


def dismissals(unit: Unit, told: Sequence[ToldGap]) -> dict[str, Dismissal]:
    """Of the gaps that were told or decided on, those that are dismissed, by their id."""
    ids = {row.id: row.proposal_id for row in told if row.proposal_id is not None}
    proposals = unit.proposals.of_ids(ids.values())
    return {
        gap_id: Dismissal(proposal.decided_at or proposal.opened_at, proposal.decided_by)
        for gap_id, proposal_id in ids.items()
        if (proposal := proposals.get(proposal_id)) is not None and proposal.state == "dismissed"
    }


def dismiss(
    unit: Unit, gap_id: str, gap: Gap, names: Mapping[str, str], actor: str, reason: str | None
) -> None:
    """No article will be written; `reason` is kept in the audit, masked. A gap that was not told is told no more."""
    told = unit.gaps.get(gap_id)
    proposal = _own(unit, told) or propose_document(gap_id, gap, names, gap.reason, None, unit.now)
    decided = replace(proposal, state="dismissed", decided_at=unit.now, decided_by=actor)
    unit.proposals.put(decided)
    asked = tuple(question.id for question in gap.questions)
    known = told or ToldGap(gap_id, gap.problem_id, names, asked, asked, unit.now)
    unit.gaps.put(replace(known, proposal_id=decided.id))
    unit.audit.append(actor, "gap.dismissed", gap_id, {"proposal": decided.id, **noted(reason)})


def reopen(unit: Unit, gap_id: str, actor: str) -> None:
    """A dismissed gap is open again, and so is its proposal. Raises Conflict for one that is not dismissed."""
    proposal = _own(unit, unit.gaps.get(gap_id))
    if proposal is None or proposal.state != "dismissed":
        raise Conflict("The gap {id} is not dismissed.", id=gap_id)
    unit.proposals.put(replace(proposal, state="open", decided_at=None, decided_by=None))
    unit.audit.append(actor, "gap.reopened", gap_id, {"proposal": proposal.id})


def written(unit: Unit, gap_id: str, problem_id: str | None, actor: str) -> str | None:
    """The gap's article is published: an open proposal to write it is accepted. Its id, None where there is none."""
    proposal = _to_write(unit, gap_id, problem_id)
    if proposal is None or proposal.state != "open":
        return None
    unit.proposals.put(replace(proposal, state="accepted", decided_at=unit.now, decided_by=actor))
    unit.audit.append(actor, "proposal.accepted", proposal.id, {"document": gap_id})
    return proposal.id


def unwritten(unit: Unit, gap_id: str, proposal_id: str, actor: str) -> None:
    """The gap's article is withdrawn: the proposal that was accepted with it, and not decided on since, is open
    again."""
    entry, proposal = unit.audit.latest_of(proposal_id), unit.proposals.get(proposal_id)
    with_it = entry is not None and entry.action == "proposal.accepted"
    if entry is None or proposal is None or not with_it or entry.detail.get("document") != gap_id:
        return
    unit.proposals.put(replace(proposal, state="open", decided_at=None, decided_by=None, effect=None))
    unit.audit.append(actor, "proposal.undone", proposal_id, {"before": "accepted"})


def _to_write(unit: Unit, gap_id: str, problem_id: str | None) -> Proposal | None:
    """The gap's own proposal, else the open one to write a document about its problem."""
    own = _own(unit, unit.gaps.get(gap_id))
    if own is not None or problem_id is None:
        return own
    found = unit.proposals.open_of([problem_id], "document")
    return next((item for item in found if (item.change or {}).get("action") == ACTIONS["document"]), None)


def _own(unit: Unit, told: ToldGap | None) -> Proposal | None:
    return unit.proposals.get(told.proposal_id) if told is not None and told.proposal_id is not None else None
