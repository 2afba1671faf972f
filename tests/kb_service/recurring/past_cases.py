"""Cases of the past, written straight into the store: what analyses over weeks are tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.models import Case, Event, Match, Problem
from kb_service.store import NewEvent, Unit
from tests.kb_service.conftest import NOW, RETURNS, Api

ANSWER = "Unworn clothing may be returned within 30 days of delivery."
WEEKS = timedelta(days=28)


@dataclass(frozen=True)
class Past:
    """One case: when it opened, who had it, who resolved it and how."""

    problem_id: str
    at: datetime
    first: str = "ann"
    solver: str = "ann"
    reply: str | None = None
    back: bool = False


def spread(
    problem_id: str, number: int, *, end: datetime = NOW, span: timedelta = WEEKS, **more: str
) -> list[Past]:
    """Cases spread evenly over the time before `end`."""
    begin = end - span
    return [
        Past(problem_id, begin + span * (place + 0.5) / number, **more)  # type: ignore[arg-type]
        for place in range(number)
    ]


def people(api: Api) -> None:
    """Two people of one field each, and an intent of each field."""
    for agent, skill in (("ann", "logistics"), ("ben", "payments")):
        body = {"name": agent.title(), "languages": ["en"], "skills": [skill], "online": True}
        assert api.put(f"/v1/agents/{agent}", body).status_code in (200, 201)
    for intent, skill in (("parcel", "logistics"), ("refund", "payments")):
        body = {"label": intent, "examples": [f"about my {intent}"], "expertise": skill}
        assert api.put(f"/v1/intents/{intent}", body).status_code in (200, 201)
    assert api.put("/v1/documents/returns", RETURNS).status_code in (200, 201)


def write(api: Api, past: Sequence[Past], intents: dict[str, str] | None = None) -> None:
    """Put cases, each of a customer of its own, and the problems that they are of, into the store."""
    with api.store.writing("shop") as unit:
        for problem_id in dict.fromkeys(item.problem_id for item in past):
            if unit.problems.get(problem_id) is None:
                unit.problems.put(_problem(problem_id, (intents or {}).get(problem_id)))
        for number, item in enumerate(past):
            _write(unit, f"{item.problem_id}-{item.at:%m%d%H%M}-{number}", item)
        unit.changes.record("workspace", "shop")
    api.services.replicas.follow("shop")


def _problem(problem_id: str, intent_id: str | None) -> Problem:
    names = {"zh": f"关于{problem_id}", "en": f"About {problem_id}"}
    begin = NOW - 3 * WEEKS
    return Problem(problem_id, names, "open", begin, NOW, begin, intent_id=intent_id)


def _write(unit: Unit, id: str, item: Past) -> None:
    def happened(minutes: float, type: str, **fields: object) -> Event:
        return Event(
            id=f"e-{id}-{type}-{minutes}",
            type=type,  # type: ignore[arg-type]
            at=item.at + timedelta(minutes=minutes),
            conversation_id=f"c-{id}",
            customer_id=f"u-{id}",
            language="en",
            **fields,  # type: ignore[arg-type]
        )

    asked = happened(0, "message", text=f"a question about {item.problem_id}, number {id}")
    events = [asked, happened(1, "message", role="agent", agent_id=item.first, text="One moment.")]
    if item.first != item.solver:
        events.append(happened(20, "transfer", from_agent=item.first, to_agent=item.solver))
    resolved = {"agent_id": item.solver, "resolved": True, "handling_seconds": 300.0, "reply": item.reply}
    events.append(happened(40, "resolution", **resolved))
    if item.back:
        events.append(happened(600, "message", text=f"it did not help, number {id}"))
    unit.cases.put(
        Case(
            id=f"k-{id}",
            customer_id=f"u-{id}",
            conversation_ids=(f"c-{id}",),
            channels=("app",),
            state="resolved",
            opened_at=item.at,
            active_at=events[-1].at,
            problem_id=item.problem_id,
            agent_id=item.solver,
            language="en",
            resolved_at=events[-1].at,
        )
    )
    unit.events.add_many([NewEvent(event, case_id=f"k-{id}") for event in events])
    match = Match(item.problem_id, "joined", 0.9, 0.2)
    for event in events:
        if event.type == "message" and event.role == "customer":
            unit.assignments.put(event.id, item.problem_id, match)
