"""Steps of the desk that can be taken back, each told as what it was: done, undone, or done again after that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Undoes: TypeAlias = Literal["", "take", "handover", "resolution", "undoing"]
"""What a step takes back; nothing where it is a step of its own."""
TAKEN: Mapping[Undoes, str] = {
    "": "The case is yours.",
    "take": "The case is yours again.",
    "handover": "The hand-over was undone: the case is yours again.",
    "resolution": "The resolution was undone: the case is open again and yours.",
    "undoing": "The case is yours again.",
}
REOPENED = "Reopened: the case is yours."
GIVEN: Mapping[Undoes, str] = {
    "": "Handed over to {name}.",
    "take": "Taking it was undone: the case is with {name} again.",
    "handover": "The hand-over was undone: the case is with {name} again.",
    "resolution": "Handed over to {name}.",
    "undoing": "Handed over to {name} again.",
}
QUEUED: Mapping[Undoes, str] = {
    "": "Handed over: the case waits for an agent.",
    "take": "Taking it was undone: the case waits for an agent.",
    "handover": "The hand-over was undone: the case waits again.",
    "resolution": "Handed over: the case waits for an agent.",
    "undoing": "Handed over again: the case waits for an agent.",
}


def way_back(
    case_id: str, before: str | None, now: str | None, mine: str | None, undoes: Undoes
) -> dict[str, Any]:
    """The form that takes a step back which gave a case from one agent, or nobody, to another: only while it is still
    with that one. `undoes` is what the step itself took back. Empty where nobody has or had it."""
    if before is None and now is None:
        return {}
    step = "undoing" if undoes else "take" if now is not None and now == mine else "handover"
    fields = {"left": left_with(now), "undoes": step}
    if before is not None and before == mine:
        return {"undo": f"/console/cases/{case_id}/take", "fields": fields}
    return {"undo": f"/console/cases/{case_id}/handover", "fields": {**fields, "agent_id": before or ""}}


def left_with(agent_id: str | None) -> str:
    """Whom a case is with after a step, as a field that is never empty: forms cannot tell empty from left out."""
    return f"={agent_id or ''}"


def over(left: str) -> str | None:
    """Whom a case must still be with, by that field; None where no step is taken back."""
    return left[1:] if left else None
