"""Support metrics over a small history, each figure worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from graph.case_history import CaseHistory, Contacts, Step
from graph.support_metrics import (
    HandOver,
    Material,
    Metric,
    Shown,
    Span,
    SupportMetrics,
    backlog,
    measure,
)

BEGIN = datetime(2026, 6, 8, tzinfo=UTC)
SPAN = Span(BEGIN, BEGIN + timedelta(days=7))
AS_OF = BEGIN + timedelta(days=14)


def hours(number: float) -> datetime:
    return BEGIN + timedelta(hours=number)


def case(
    id: str,
    opened: float,
    answer: float | None = None,
    *,
    by: str = "agent",
    resolved: float | None = None,
    more: tuple[Step, ...] = (),
    **fields: object,
) -> CaseHistory:
    """A case that opened some hours after BEGIN, answered and resolved so many minutes later."""
    steps = [Step("message", hours(opened), "customer", "p1")]
    if answer is not None:
        steps.append(Step("message", hours(opened + answer / 60), by))  # type: ignore[arg-type]
    if resolved is not None:
        steps.append(Step("resolved", hours(opened + resolved / 60), "agent", seconds=60.0 * resolved))
    history = CaseHistory(
        id=id,
        opened_at=hours(opened),
        customer_id=f"u-{id}",
        problem_id="p1",
        steps=tuple(sorted([*steps, *more], key=lambda step: step.at)),
        first_due=hours(opened + 1),
        resolve_due=hours(opened + 1),
    )
    return replace(history, **fields)  # type: ignore[arg-type]


def metrics(material: Material, as_of: datetime = AS_OF) -> SupportMetrics:
    return measure(material, SPAN, as_of=as_of)[0]


def material(
    *cases: CaseHistory, shown: tuple[Shown, ...] = (), handovers: tuple[HandOver, ...] = ()
) -> Material:
    opened = Contacts((item.id, item.customer_id, item.problem_id, item.opened_at) for item in cases)
    return Material(cases, opened, shown, handovers)


def values(found: SupportMetrics, *names: Metric) -> list[float | None]:
    return [found.measures[name].now.value for name in names]


CASES = (
    case("a", 0, 2, resolved=10, more=(Step("rating", hours(5), rating=5.0),)),
    case("b", 1, 4, resolved=20, more=(Step("rating", hours(6), rating=2.0),)),
    case("c", 2, 90, resolved=120, more=(Step("message", hours(40), "customer", "p1"),)),
    case("d", 3, 1, by="bot"),
    case("e", 4),
    case("f", 5, 3, by="bot", more=(Step("handover", hours(6), "bot"), Step("message", hours(7), "agent"))),
    case("g", 6, 6, more=(Step("transfer", hours(8), "agent", from_agent="x"),)),
)
"""Two plain ones, one that came back, one that a bot ended, one unanswered, one handed over, one transferred."""


def test_first_responses() -> None:
    """Minutes to the first answer: 2, 4, 90, 1, -, 3, 6. Median of six: 3.5; P90: 6 + .5 · 84."""
    found = metrics(material(*CASES))
    assert values(found, "first_response.median", "first_response.p90") == [210.0, pytest.approx(2880.0)]
    assert found.measures["first_response.median"].now.left_out == 1
    assert values(found, "first_response.unanswered") == [pytest.approx(1 / 7)]
    within = found.measures["first_response.within_level"].now
    assert (within.value, within.n, within.provisional) == (pytest.approx(5 / 7), 7, 7)
    human = found.measures["human_response.median"].now
    assert (human.value, human.n) == (3600.0, 1)
    assert values(found, "handovers") == [pytest.approx(1 / 7)]


def test_outcomes() -> None:
    """Resolved a, b, c; c came back. The bot ended d; f was handed over; a bot spoke in both."""
    found = metrics(material(*CASES))
    first = found.measures["first_contact_resolution"].now
    assert (first.value, first.n) == (pytest.approx(2 / 3), 3)
    assert values(found, "resolved", "reopened") == [pytest.approx(3 / 7), pytest.approx(1 / 3)]
    assert values(found, "deflection", "containment") == [pytest.approx(1 / 7), pytest.approx(1 / 2)]
    within = found.measures["resolved_within_level"].now
    assert (within.value, within.n, within.provisional) == (pytest.approx(2 / 7), 7, 7), "a and b, c too late"


def test_people_and_ratings() -> None:
    """People were in a, b, c, f and g, once with a transfer; 600, 1200 and 7200 s were told; 2 of 6 rated."""
    found = metrics(material(*CASES))
    assert values(found, "transfers", "handling_seconds.median") == [pytest.approx(0.2), 1200.0]
    assert values(found, "handling_seconds.mean") == [pytest.approx(3000.0)]
    assert values(found, "satisfaction.mean", "satisfaction.satisfied", "satisfaction.response_rate") == [
        3.5,
        0.5,
        pytest.approx(2 / 6),
    ]


def test_a_rating_without_a_resolution_counts_as_a_rating_alone() -> None:
    only = case("a", 0, more=(Step("rating", hours(1), rating=4.0),))
    found = metrics(material(only))
    assert values(found, "satisfaction.mean", "first_contact_resolution", "first_response.median") == [
        4.0,
        None,
        None,
    ]


def test_cases_too_young_to_tell_are_left_out_and_counted() -> None:
    """As of 73 h: a resolution of the first hour is told, one of hour 2.5 is not; both opened too late but a."""
    found = metrics(material(case("a", 0, 2, resolved=10), case("b", 2, 2, resolved=30)), hours(73))
    first = found.measures["first_contact_resolution"].now
    assert (first.value, first.n, first.left_out, first.provisional) == (1.0, 1, 1, 1)
    resolved = found.measures["resolved"].now
    assert (resolved.value, resolved.n, resolved.left_out) == (1.0, 1, 1)


def test_a_case_belongs_to_the_span_in_which_it_opened() -> None:
    """The last moment of the span before, the first of this one, the first after it."""
    cases = (
        case("a", -1 / 3600, 2, resolved=10),
        case("b", 0, 4, resolved=10),
        case("c", 7 * 24, 6, resolved=10),
    )
    found = metrics(material(*cases))
    assert (found.cases, found.cases_before) == (1, 1)
    measure = found.measures["first_response.median"]
    assert (measure.now.value, measure.before.value) == (240.0, 120.0)
    assert measure.change is not None
    assert measure.change.value == 120.0


def test_the_span_before_is_read_as_it_stood_at_the_same_distance() -> None:
    """Each week one case of two comes back on its fifth day: seen a day after the span of neither."""
    weeks = []
    for week in (0, -1):
        start = week * 168.0
        back = Step("message", hours(start + 144 + 120), "customer", "p1")
        weeks += [
            case(f"a{week}", start + 144, 1, resolved=2, more=(back,)),
            case(f"b{week}", start + 144, 1, resolved=2),
        ]
    for as_of, value in ((hours(168 + 24 * 3), 1.0), (hours(168 + 24 * 7), 0.5)):
        measured = metrics(material(*weeks), as_of).measures["first_contact_resolution"]
        assert measured.now.value == measured.before.value == value


def test_groups_are_the_cases_of_one_value_each() -> None:
    cases = (
        case("a", 0, 2, channel="app", language="zh", tier="gold"),
        case("b", 1, 4, channel="app", language="en"),
        case("c", 2, 8, by="bot", channel="phone", language="zh", problem_id="p2"),
        case("d", 3, channel=None, problem_id=None),
    )
    shown = (
        Shown(hours(1), "answers", "answer", True, case_id="c"),
        Shown(hours(1), "answers", "suggest", True, channel="app", language="zh"),
    )
    overall, groups = measure(
        material(*cases, shown=shown),
        SPAN,
        as_of=AS_OF,
        by=["channel", "language", "tier", "handler", "expertise"],
        expertise_of={"p1": "after-sales", "p2": "logistics"},
    )
    assert overall.cases == 4
    counts = {
        dimension: {group.key: group.metrics.cases for group in found} for dimension, found in groups.items()
    }
    assert counts == {
        "channel": {"app": 2, "phone": 1, None: 1},
        "language": {"zh": 2, "en": 1, None: 1},
        "tier": {None: 3, "gold": 1},
        "handler": {"agent": 2, "bot": 1, "none": 1, None: 0},
        "expertise": {"after-sales": 2, "logistics": 1, None: 1},
    }
    app, phone = groups["channel"][0].metrics, groups["channel"][1].metrics
    assert values(app, "first_response.median", "actions.suggest") == [180.0, 1.0]
    assert values(phone, "first_response.median", "actions.answer") == [480.0, 1.0]


def test_suggestions_and_actions() -> None:
    """Of four suggestions that offered anything one was used as it was and one with small changes."""
    shown = tuple(
        Shown(hours(1), "suggestions", "suggest", offered, standing=standing)  # type: ignore[arg-type]
        for offered, standing in (
            (True, "unchanged"),
            (True, "edited"),
            (True, "unused"),
            (True, None),
            (False, None),
        )
    ) + tuple(
        Shown(hours(1), "answers", action, True) for action in ("answer", "answer", "clarify", "handoff")
    )
    outside = (Shown(hours(-1), "answers", "suggest", True), Shown(hours(168), "answers", "suggest", True))
    found = metrics(material(shown=(*shown, *outside)))
    assert values(found, "acceptance.rate", "acceptance.unchanged", "acceptance.told") == [0.5, 0.5, 0.75]
    assert values(found, "actions.answer", "actions.suggest", "actions.clarify", "actions.handoff") == [
        0.5,
        0.0,
        0.25,
        0.25,
    ]
    assert found.measures["actions.suggest"].before.value == 1.0


def test_a_case_is_handed_over_once_however_often_it_is_said() -> None:
    handovers = (
        HandOver("c1", hours(2), "sensitive"),
        HandOver("c1", hours(1), "explicit"),
        HandOver("c2", hours(1), "explicit"),
        HandOver("c3", hours(-5), "no_answer"),
    )
    found = metrics(material(handovers=handovers))
    assert found.triggers == {"explicit": (2, 0), "no_answer": (0, 1)}


def test_without_anything_nothing_is_claimed() -> None:
    found = metrics(material())
    assert all(measure.now.value is None and measure.change is None for measure in found.measures.values())


def test_the_backlog_waits_since_the_last_answer() -> None:
    cases = [
        case("a", 0, 5, more=(Step("message", hours(2), "customer", "p1"),), channel="app"),
        case("b", 3, more=(Step("message", hours(3.5), "customer", "p1"),), channel="app"),
        case("c", 0, 5, by="bot", more=(Step("handover", hours(3.5), "bot"),), channel="web"),
    ]
    found = backlog(cases, hours(4), lambda item: item.channel)
    assert (found.waiting, found.median, found.oldest) == (3, 3600.0, 7200.0)
    assert found.groups == {"app": 2, "web": 1}
    assert backlog([], hours(4), lambda item: None).oldest is None
