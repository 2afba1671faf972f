"""A large shop for the console: 10,000 documents, 3,000 problems and a month of 50,000 events, from a seed.

Documents go in as a shop puts them. Problems, cases and what happened in them are written through the repositories, as
recording would have left them: matching 50,000 messages one by one takes longer than anybody waits for a table. Vectors
are those of the word-hash encoder, which costs next to nothing; no page of the console rests on what they mean.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from graph.models import Agent, Alert, Case, Event, Evidence, Intent, Match, Problem, ProblemState, Proposal
from ingest.embedding import WordHashEmbedder
from kb_service.commands.workbench import Workbench, open_workbench
from kb_service.models import KEY_ROLES, NewDocument, Principal
from kb_service.settings import Settings
from kb_service.store import (
    EDIT,
    Decision,
    Exposure,
    Feedback,
    NewEvent,
    Review,
    ShownAnswer,
    Store,
    Unit,
)

WORKSPACE = "shop"
DAYS = 28
ROUND = 500
"""Documents, or cases, that one transaction takes."""
FIELDS = ("delivery", "returns", "payment", "electronics", "clothing", "account", "loyalty", "installation")
THINGS = (
    "parcel", "refund", "voucher", "invoice", "charger", "kettle", "jacket", "sneaker", "headset", "lamp", "blender",
    "mattress", "router", "camera", "wallet", "perfume", "stroller", "printer", "bicycle", "heater", "sofa", "drill",
    "tablet", "blanket", "helmet", "fryer", "curtain", "monitor", "keyboard", "suitcase",
)  # fmt: skip
FAULTS = (
    "has not arrived", "arrived broken", "stopped working", "has the wrong size", "cannot be returned",
    "was charged twice",
    "shows an error", "smells of glue", "lost its colour", "makes a noise", "does not switch on", "came without parts",
    "was delivered elsewhere", "cannot be ordered", "is missing a manual", "was cancelled", "costs more than shown",
    "cannot be redeemed", "was refused at the door", "does not fit",
)  # fmt: skip
WHENS = (
    "since monday",
    "after the update",
    "on the second order",
    "with the new model",
    "at the pickup point",
)
CHANNELS = ("app", "web", "wechat", "phone", "email")
STATES: tuple[ProblemState, ...] = (
    "open",
    "open",
    "acknowledged",
    "resolved",
    "candidate",
    "regressed",
    "silenced",
)
_TYPICAL = 50_000 / 12_500
"""Events of a case."""


@dataclass(frozen=True, slots=True)
class Size:
    documents: int = 10_000
    problems: int = 3_000
    events: int = 50_000
    waiting: int = 120
    agents: int = 40


@dataclass(slots=True)
class _Told:
    """What a case left behind, until its transaction."""

    cases: list[Case] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    matches: list[tuple[str, str | None, Match]] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    shown: list[Exposure] = field(default_factory=list)


def fill(data: Path, size: Size, *, seed: int = 1, now: datetime | None = None) -> None:
    """Fill a new data folder with the workspace `shop`; every event lies in the 28 days before `now`."""
    settings = Settings(data=data)
    embedder = WordHashEmbedder()
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    with open_workbench(settings, embedder=embedder) as workbench:
        workbench.create_workspace(WORKSPACE)
        _documents(workbench, size, random.Random(seed))
        _history(workbench.store, embedder, size, random.Random(seed + 1), moment)


# --- documents


def _documents(workbench: Workbench, size: Size, chance: random.Random) -> None:
    caller = Principal(WORKSPACE, "bench", frozenset(KEY_ROLES))
    for begin in range(0, size.documents, ROUND):
        numbers = range(begin, min(begin + ROUND, size.documents))
        workbench.services.knowledge.put_many(caller, [_document(number, chance) for number in numbers])


def _document(number: int, chance: random.Random) -> NewDocument:
    thing, fault, when = chance.choice(THINGS), chance.choice(FAULTS), chance.choice(WHENS)
    kind = chance.choices(("faq", "resolution", "product", "policy"), (4, 4, 1, 1))[0]
    steps = " ".join(
        f"Step {step}: look at the {chance.choice(THINGS)} that {chance.choice(FAULTS)} {chance.choice(WHENS)}."
        for step in range(1, 6)
    )
    title = f"The {thing} {fault} {when}, number {number}"
    attributes: dict[str, object] = {
        "kind": kind,
        "title": title,
        "language": "en",
        "markdown": f"# {title}\n\nThe {thing} {fault} {when}. {steps}\n\n## What to do\n\n{steps}",
    }
    if chance.random() < 0.1:
        attributes["valid_until"] = "2020-01-01T00:00:00+00:00"
    return NewDocument(f"doc-{number:05d}", attributes)


# --- what happened


def _history(
    store: Store, embedder: WordHashEmbedder, size: Size, chance: random.Random, now: datetime
) -> None:
    agents = [
        Agent(
            f"agent-{number:02d}",
            f"Agent {number:02d}",
            ("en", "zh"),
            (FIELDS[number % len(FIELDS)],),
            5,
            number % 3 > 0,
        )
        for number in range(size.agents)
    ]
    problems = [_problem(number, chance, now) for number in range(size.problems)]
    cases = max(size.problems, round(size.events / _TYPICAL))
    told: defaultdict[str, list[datetime]] = defaultdict(list)
    with store.writing(WORKSPACE) as unit:
        for agent in agents:
            unit.agents.put(agent)
        for name in FIELDS:
            unit.intents.put(Intent(f"intent-{name}", name.title(), (f"a question about {name}",), name))
        unit.intents.put(Intent("parcel", "Parcel", ("where is my parcel",), "delivery"))
        unit.problems.put_many(problems)
    for some in _rounds(_cases(problems, agents, cases, size.waiting, chance, now, told)):
        texts = [new.event.text for new in some.events if new.event.text is not None]
        vectors = iter(embedder.embed_passages(texts).astype(np.float16))
        events = [
            NewEvent(new.event, new.case_id, next(vectors), embedder.model_id)
            if new.event.text is not None
            else new
            for new in some.events
        ]
        with store.writing(WORKSPACE) as unit:
            unit.cases.put_many(some.cases)
            unit.events.add_many(events)
            unit.assignments.put_many(some.matches)
            unit.decisions.add_many(some.decisions)
            unit.exposures.add_many(some.shown)
    with store.writing(WORKSPACE) as unit:
        unit.problems.put_many(_counted(problem, told[problem.id]) for problem in problems)
        for number, problem in enumerate(problems[: max(5, size.problems // 6)]):
            at = max(told[problem.id], default=problem.opened_at)
            unit.alerts.put(_alert(number, problem, at))
            unit.proposals.put(_proposal(number, problem, at))
        for number in range(max(5, size.problems // 6)):
            _edited(unit, number, size, now)


def _problem(number: int, chance: random.Random, now: datetime) -> Problem:
    thing, fault = THINGS[number % len(THINGS)], FAULTS[number // len(THINGS) % len(FAULTS)]
    when = WHENS[number // (len(THINGS) * len(FAULTS)) % len(WHENS)]
    opened = now - timedelta(days=chance.uniform(1, DAYS))
    field_name = FIELDS[number % len(FIELDS)]
    return Problem(
        id=f"p_{number:05d}",
        names={"en": f"{thing} {fault} {when}", "zh": f"商品问题 {number}：{thing}"},
        state=chance.choice(STATES),
        opened_at=opened,
        active_at=opened,
        episode_at=opened,
        intent_id=f"intent-{field_name}",
        products=(f"SKU-{number % 400:03d}",),
    )


def _counted(problem: Problem, told: Sequence[datetime]) -> Problem:
    if not told:
        return problem
    first, last = min(told), max(told)
    return replace(
        problem, opened_at=first, episode_at=first, active_at=last, events=len(told), customers=len(told),
        resolved_at=last if problem.state == "resolved" else None,
    )  # fmt: skip


def _alert(number: int, problem: Problem, at: datetime) -> Alert:
    words = {
        "en": "Eight customers in an hour, where one was expected.",
        "zh": "一小时内 8 位顾客，预计 1 位。",
    }
    kind = ("burst", "recurrence", "growth", "regression")[number % 4]
    return Alert(
        f"al_{number:05d}", kind, "open" if number % 3 else "resolved", at, problem.id,  # type: ignore[arg-type]
        Evidence(8, 1.2, 8, 60, 0.0004, words), products=problem.products,
    )  # fmt: skip


def _proposal(number: int, problem: Problem, at: datetime) -> Proposal:
    titles = {"en": f"Write down what to do: {problem.names['en']}", "zh": f"补充说明：{problem.names['zh']}"}
    evidence = {"en": "Eight customers in an hour.", "zh": "一小时内 8 位顾客。"}
    return Proposal(
        f"prp_{number:05d}", "document", "open", at, titles, evidence, "Say what to do, step by step.",
        problem_id=problem.id, alert_id=f"al_{number:05d}",
    )  # fmt: skip


def _edited(unit: Unit, number: int, size: Size, now: datetime) -> None:
    """A suggestion that an agent altered, and its review."""
    at = now - timedelta(hours=1 + number % (24 * DAYS - 1))
    exposure, answer = f"exp-edited-{number:05d}", f"ans-edited-{number:05d}"
    shown = ShownAnswer(answer, f"doc-{number % size.documents:05d}", 1, 0.8)
    unit.exposures.add_many(
        [
            Exposure(
                exposure, at, "suggestions", f"what to do about order {number}", "en", "suggest", "confident", 0.8,
                answers=(shown,),
            )
        ]
    )  # fmt: skip
    told = f"{number:05d}"
    unit.feedback.add(
        Feedback(f"fb_{told}", exposure, answer, "edited", at, "We send another one.", "agent-01")
    )
    unit.reviews.add_many([Review(f"{EDIT}{told}", exposure, at, "Please send it back.")])


def _cases(
    problems: Sequence[Problem],
    agents: Sequence[Agent],
    count: int,
    waiting: int,
    chance: random.Random,
    now: datetime,
    told: defaultdict[str, list[datetime]],
) -> Iterator[tuple[Case, list[Event], str, Exposure | None]]:
    """The cases in the order in which they opened; every problem has at least one, a few have many."""
    order = [
        *range(len(problems)),
        *(min(len(problems) - 1, int(chance.paretovariate(0.6)) - 1) for _ in range(count)),
    ]
    picked = order[:count]
    chance.shuffle(picked)
    moments = sorted(_moment(chance, now) for _ in picked)
    for number, (place, at) in enumerate(zip(picked, moments, strict=True)):
        problem = problems[place]
        told[problem.id].append(at)
        waits = number >= count - waiting
        yield _case(number, problem, at, agents[(place * 7 + number % 3) % len(agents)], waits, chance)


def _moment(chance: random.Random, now: datetime) -> datetime:
    """Some time of the last weeks; by day more often than by night."""
    while True:
        at = now - timedelta(days=chance.uniform(0.02, DAYS))
        if chance.random() < (1.0 if 1 <= at.hour <= 14 else 0.15):
            return at


def _case(
    number: int, problem: Problem, at: datetime, agent: Agent, waits: bool, chance: random.Random
) -> tuple[Case, list[Event], str, Exposure | None]:
    id, customer, talk = f"case-{number:06d}", f"u-{number % 9000:05d}", f"talk-{number:06d}"
    shared = {"conversation_id": talk, "customer_id": customer, "channel": chance.choice(CHANNELS)}
    events = [
        Event(
            f"e-{number:06d}-0", "message", at, "customer", text=f"my {problem.names['en']}, order {number}",
            language="en", products=problem.products, **shared,  # type: ignore[arg-type]
        )
    ]  # fmt: skip
    last = at
    if not waits:
        answered, ended = (
            at + timedelta(minutes=chance.uniform(1, 90)),
            at + timedelta(minutes=chance.uniform(91, 1800)),
        )
        solved = chance.random() < 0.85
        events.append(
            Event(
                f"e-{number:06d}-1", "message", answered, "agent", text=f"Thank you, we look into order {number}.",
                agent_id=agent.id, language="en", **shared,  # type: ignore[arg-type]
            )
        )  # fmt: skip
        events.append(
            Event(
                f"e-{number:06d}-2", "resolution", ended, "agent", agent_id=agent.id, resolved=solved,
                handling_seconds=chance.uniform(120, 1500), **shared,  # type: ignore[arg-type]
            )
        )  # fmt: skip
        events.append(
            Event(
                f"e-{number:06d}-3", "rating", ended + timedelta(minutes=5), "customer",
                rating=float(chance.choice((1, 3, 4, 5, 5))), **shared,  # type: ignore[arg-type]
            )
        )  # fmt: skip
        last = ended
    case = Case(
        id, customer, (talk,), (str(shared["channel"]),), "waiting" if waits else "resolved", at, last,
        problem_id=problem.id, agent_id=None if waits else agent.id, language="en", resolved_at=None if waits else last,
    )  # fmt: skip
    shown = _exposure(number, case, problem, at, chance) if number % 3 == 0 else None
    return case, events, problem.id, shown


def _exposure(number: int, case: Case, problem: Problem, at: datetime, chance: random.Random) -> Exposure:
    action = chance.choice(("answer", "suggest", "handoff"))
    return Exposure(
        id=f"exp-{number:06d}",
        at=at,
        route="answers",
        query=f"my {problem.names['en']}, order {number}",
        language="en",
        action=action,
        reason="confident" if action == "answer" else "no_answer",
        confidence=chance.random(),
        conversation_id=case.conversation_ids[0],
        customer_id=case.customer_id,
        case_id=case.id,
        problem_id=problem.id,
    )


def _rounds(cases: Iterator[tuple[Case, list[Event], str, Exposure | None]]) -> Iterator[_Told]:
    held = _Told()
    for case, events, problem_id, shown in cases:
        held.cases.append(case)
        held.events += [NewEvent(event, case.id) for event in events]
        held.matches.append((events[0].id, problem_id, Match(problem_id, "joined", 0.9, 0.1)))
        if shown is not None:
            held.shown.append(shown)
        if case.state == "waiting":
            held.decisions.append(
                Decision(f"dec-{case.id}", case.active_at, "handover", case.id, "bench", "explicit")
            )
        if len(held.cases) >= ROUND:
            yield held
            held = _Told()
    if held.cases:
        yield held
