"""What support metrics are made of: cases with all that happened in them, what was shown, who was handed over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

from graph.case_history import CaseHistory, Contacts, Step
from graph.models import Band
from graph.rules import Rules
from graph.service_level import BANDS, sla
from graph.support_metrics import HandOver, Material, Shown, Span, SuggestionUse
from kb_service.care.unanswered import offered_texts, received
from kb_service.errors import InvalidRequest
from kb_service.models import Trigger
from kb_service.store import Feedback, Unit
from kb_service.store.exposures import SENT
from kb_service.store.histories import HandedOver, ShownRow

MOST_STEPS = 1_000_000
"""Steps of cases that one answer is made of at most."""
LATER = timedelta(days=14)
"""How long after a span what was shown in its cases still tells of them."""
ORDINARY: Band = "normal"
"""The band of a case whose priority nobody recorded."""

TRIGGERS: Mapping[str, str] = {
    "asks_for_person": "explicit",
    "angry": "emotion",
    "sensitive_intent": "sensitive",
    "second_turn_failed": "repeated_failure",
    "handed_over": "recorded",
}
"""The trigger of a hand-over by the reason of the decision, where it does not bear its name."""
NAMED: frozenset[str] = frozenset((*get_args(Trigger), "recorded"))
AT_ONCE = timedelta(minutes=5)
"""Two hand-overs of one case that lie no further apart are one."""


def material(unit: Unit, span: Span, observed: datetime, rules: Rules) -> tuple[Material, datetime]:
    """What the figures of a span and of the one before it are made of, and the moment up to which that is known:
    the latest event, or what the service itself did since in a case.

    Raises InvalidRequest for more than a million steps.
    """
    begin, until = span.before.begin, span.end + LATER
    rows = list(unit.histories.shown(begin, until))
    handed = unit.histories.handed_over(begin, until)
    beside = steps_beside(rows, handed)
    bands = unit.histories.bands(begin, until)
    with closing(unit.histories.opened(begin, span.end)) as opened:
        cases = [
            _due(with_steps(case, beside.get(case.id, ())), bands.get(case.id), rules)
            for case in _limited(opened)
        ]
    told = unit.histories.feedback(begin, span.end)
    offered = offered_texts(unit, told)
    known = max([observed, *(step.at for steps in beside.values() for step in steps)])
    found = Material(
        cases=cases,
        contacts=Contacts(unit.histories.contacts(begin, known)),
        shown=[_shown(row, told.get(row.id, ()), offered) for row in rows],
        handovers=_hand_overs(cases, rows, handed),
    )
    return found, known


def waiting(unit: Unit) -> list[CaseHistory]:
    """The cases that wait now, with when they were handed over where that was recorded."""
    ids = [case.id for case in unit.cases.waiting()]
    decided = unit.decisions.latest(ids)
    return [
        with_steps(case, [Step("handover", decided[case.id].at, "bot")])
        if case.id in decided and decided[case.id].kind == "handover"
        else case
        for case in unit.histories.of_cases(ids)
    ]


def trigger_of(reason: str) -> str:
    """What a hand-over was triggered by, from the reason of its decision; `other` where that says nothing."""
    code = reason.partition(":")[0]
    code = TRIGGERS.get(code, code)
    return code if code in NAMED else "other"


def _limited(cases: Iterable[CaseHistory]) -> Iterator[CaseHistory]:
    steps = 0
    for case in cases:
        steps += len(case.steps)
        if steps > MOST_STEPS:
            raise InvalidRequest.of(
                "from", "the span and the one before it hold more than {most} events; take a shorter one",
                most=MOST_STEPS,
            )  # fmt: skip
        yield case


def steps_beside(rows: Iterable[ShownRow], handed: Iterable[HandedOver]) -> dict[str, list[Step]]:
    """What the service itself said and handed over in cases, which no event tells."""
    found: defaultdict[str, list[Step]] = defaultdict(list)
    for row in rows:
        if row.case_id is not None and row.route == "answers":
            if row.action in SENT:
                found[row.case_id].append(Step("message", row.at, "bot"))
            elif row.action == "handoff":
                found[row.case_id].append(Step("handover", row.at, "bot"))
    for item in handed:
        found[item.case_id].append(Step("handover", item.at, "bot"))
    return dict(found)


def with_steps(case: CaseHistory, more: Sequence[Step]) -> CaseHistory:
    """The case with further steps, each in its place."""
    if not more:
        return case
    return replace(case, steps=tuple(sorted([*case.steps, *more], key=lambda step: step.at)))


def _due(case: CaseHistory, band: str | None, rules: Rules) -> CaseHistory:
    """With when the first answer and the solution were due; as of an ordinary case where no priority was recorded."""
    known = next((name for name in BANDS if name == band), None)
    level = sla(known or ORDINARY, case.tier, case.opened_at, rules)
    return replace(
        case,
        first_due=level.first_response_due,
        resolve_due=level.resolve_due,
        promised=known is not None,
    )


def _shown(row: ShownRow, given: Sequence[Feedback], offered: Mapping[str, str]) -> Shown:
    return Shown(
        at=row.at,
        route=row.route,
        action=row.action,
        offered=row.offered,
        case_id=row.case_id,
        problem_id=row.problem_id,
        channel=row.channel,
        language=row.language,
        standing=_standing(given, offered),
    )


def _standing(given: Sequence[Feedback], offered: Mapping[str, str]) -> SuggestionUse | None:
    """What became of a suggestion: used as it was, used with little change, or not used."""
    if not given:
        return None
    used = [answer_id for answer_id, found in received(given, offered).items() if found == "good"]
    if not used:
        return "unused"
    changed = {item.answer_id for item in given if item.outcome == "edited"}
    return "edited" if all(answer_id in changed for answer_id in used) else "unchanged"


def _hand_overs(
    cases: Iterable[CaseHistory], rows: Iterable[ShownRow], handed: Iterable[HandedOver]
) -> list[HandOver]:
    """Every hand-over that was told of in any way; the first of a case is the one that counts."""
    found = [
        HandOver(
            key=row.case_id or row.conversation_id or row.id,
            at=row.at,
            trigger=trigger_of(row.reason),
            case_id=row.case_id,
            problem_id=row.problem_id,
            channel=row.channel,
            language=row.language,
        )
        for row in rows
        if row.route == "answers" and row.action == "handoff"
    ]
    known: defaultdict[str, list[datetime]] = defaultdict(list)
    for one in found:
        known[one.key].append(one.at)
    # The service records a hand-over of its own as well; the question's decision knows its trigger.
    found += [
        HandOver(item.case_id, item.at, trigger_of(item.reason), item.case_id)
        for item in handed
        if all(abs(item.at - at) > AT_ONCE for at in known.get(item.case_id, ()))
    ]
    told = {one.key for one in found}
    for case in cases:
        first = next((step for step in case.steps if step.kind == "handover"), None)
        if first is not None and case.id not in told:
            found.append(HandOver(case.id, first.at, "transfer", case.id))
    return found
