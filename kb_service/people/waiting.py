"""Cases that wait for a person, as the questions that they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graph.circles import Circle, Need
from graph.models import Agent, Case, Customer, Event, Problem
from graph.permissions import granted, spelt
from graph.understanding import small_talk
from kb_service.models import Question, Turn
from kb_service.routing import Waiting
from kb_service.store import Decision, Unit

EARLIER_TURNS = 6
"""Turns before the last word that a case is read with."""


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A waiting case with all that its place in the queue and its agent are decided by."""

    case: Case
    question: Question
    known: Waiting


def waiting_cases(unit: Unit, problems: Mapping[str, Problem], limit: int) -> list[WaitingCase]:
    """The cases that wait, the longest waiting first, at most `limit`; see `_looked_at` for which."""
    cases = _looked_at(unit, limit)
    ids = [case.id for case in cases]
    decided, told = unit.decisions.latest(ids), unit.events.of_each_case(ids)
    return [
        waiting_case(
            case,
            [stored.event for stored in told.get(case.id, ())],
            problems.get(case.problem_id or ""),
            decided.get(case.id),
        )
        for case in cases
    ]


def _looked_at(unit: Unit, limit: int) -> list[Case]:
    """All that wait; of more than `limit`, half those that wait longest and half the newest.

    Those that nobody may take have what is left: they would keep all others from their turn for ever.
    """
    cases = unit.cases.waiting()
    if len(cases) <= limit:
        return list(cases)
    hopeless = _hopeless(unit, cases)
    able = _both_ends([case for case in cases if case.id not in hopeless], limit)
    unable = _both_ends([case for case in cases if case.id in hopeless], limit - len(able))
    return sorted([*able, *unable], key=lambda case: (case.opened_at, case.id))


def _both_ends(cases: Sequence[Case], limit: int) -> Sequence[Case]:
    if len(cases) <= limit:
        return cases
    newest = limit // 2
    return [*cases[: limit - newest], *cases[len(cases) - newest :]]


def _hopeless(unit: Unit, cases: Sequence[Case]) -> set[str]:
    """The cases that nobody could be found for, in which nothing happened since, and whom still nobody may take."""
    active = {case.id: case.active_at for case in cases}
    agents = unit.agents.all()
    asked: dict[tuple[str | None, tuple[str, ...]], bool] = {}
    found = set()
    for item in unit.decisions.unplaced():
        if active.get(item.case_id, item.at) > item.at:
            continue
        key = item.language, item.permissions
        if key not in asked:
            asked[key] = _anybody(agents, *key)
        if not asked[key]:
            found.add(item.case_id)
    return found


def _anybody(agents: Sequence[Agent], language: str | None, permissions: tuple[str, ...]) -> bool:
    """Whether some agent, there or not, may take a case of this language that asks for these permissions."""
    able = [granted(agent, spelt(permissions)) for agent in agents]
    return bool(Circle.around(able, Need("", language=language, permissions=permissions)).first)


def waiting_case(
    case: Case, events: Sequence[Event], problem: Problem | None, latest: Decision | None
) -> WaitingCase:
    """A case with its events, oldest first, as the question that it is; `latest` is what was decided of it last."""
    since = latest.at if latest is not None and latest.kind == "handover" else case.active_at
    known = Waiting(case, since, problem)
    return WaitingCase(case, question_of(case, events), known)


def question_of(case: Case, events: Sequence[Event]) -> Question:
    """What a case is about: the customer's last message that says something, after what was said before it.

    Its text is empty where the customer wrote nothing, as on the phone.
    """
    said = [event for event in events if event.type == "message" and event.text]
    theirs = [place for place, event in enumerate(said) if event.role == "customer"]
    telling = [place for place in theirs if not _courtesy(said[place])] or theirs
    last = telling[-1] if telling else None
    before = said[max(0, last - EARLIER_TURNS) : last] if last is not None else []
    known = next((event.customer for event in reversed(events) if event.customer is not None), None)
    return Question(
        text=(said[last].text or "") if last is not None else "",
        turns=tuple(Turn(event.role, event.text or "", event.at) for event in before),
        conversation_id=case.conversation_ids[-1] if case.conversation_ids else None,
        customer=known or (Customer(case.customer_id) if case.customer_id is not None else None),
        products=said[last].products if last is not None else (),
        order_value=next((e.order_value for e in reversed(events) if e.order_value is not None), None),
    )


def telling(theirs: Sequence[tuple[str, str | None]]) -> str:
    """Of what a customer said last, each with its language and the latest first, the first that says something."""
    said = [text for text, language in theirs if not small_talk(text, language or "und")]
    return next(iter(said or [text for text, _ in theirs]), "")


def _courtesy(event: Event) -> bool:
    return small_talk(event.text or "", event.language or "und")
