"""Findings among cases: what was planted is found with its size, and nothing is found where nothing was planted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from graph.case_history import CaseHistory, Contacts, Step, read
from graph.closed_loop import closed_loop
from graph.findings import Finding, Passed, Rate, Story, rates, standing_out, story_of
from graph.routing_findings import Fields

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
DAYS = 28
PROBLEMS = 40
SEEDS = range(20)
SKILLS = {
    f"agent-{number}": frozenset({f"field-{number % 4}", *(["field-0"] if number == 9 else [])})
    for number in range(12)
}
FIELDS = Fields({f"p{number}": f"field-{number % 4}" for number in range(PROBLEMS)}, SKILLS)


@dataclass(frozen=True)
class Planted:
    """What is planted at problem p5, whose field is field-1."""

    misses: float = 0.05
    """Share of its cases that field-1 has first and field-2 resolves."""
    passes: float = 0.08
    returns: float | None = None
    """Share of cases that come back after the answer from its document `d5-bad`, which is given in half of them."""
    refusals: float | None = None
    contacts: int = 20


def shop(seed: int, planted: Planted = Planted()) -> list[Story]:
    """Four weeks of cases; rates of problems differ by chance, as they do in a shop."""
    draw = np.random.default_rng(seed)
    stories: list[Story] = []
    for number in range(PROBLEMS):
        special = number == 5
        returns, refuses = draw.beta(4, 36), draw.beta(12, 28)
        passes = planted.passes if special else draw.beta(4, 46)
        misses = planted.misses if special else draw.beta(2, 58)
        many = planted.contacts if special else int(draw.integers(10, 40))
        own = [name for name, skills in SKILLS.items() if f"field-{number % 4}" in skills]
        other = [name for name, skills in SKILLS.items() if f"field-{(number + 1) % 4}" in skills]
        for place in range(many):
            first = str(draw.choice(own))
            missed, passed = draw.random() < misses, draw.random() < passes
            solver = str(draw.choice(other)) if missed else str(draw.choice(own)) if passed else first
            document = f"d{number}-{'bad' if draw.random() < 0.5 else 'good'}"
            back = returns
            if special and planted.returns is not None and document == "d5-bad":
                back = planted.returns
            refused = planted.refusals if special and planted.refusals is not None else refuses
            stories.append(
                Story(
                    id=f"k{number}-{place}",
                    voter=f"u{number}-{place}",
                    at=BEGIN + timedelta(days=float(draw.uniform(0, DAYS))),
                    problem_id=f"p{number}",
                    language="zh" if draw.random() < 0.7 else "en",
                    by_person=True,
                    first_agent=first,
                    solver=solver,
                    passes=(Passed(first, solver, 1800.0),) if solver != first else (),
                    reopened=bool(draw.random() < back),
                    refused=bool(draw.random() < refused),
                    seconds=300.0,
                    cited=(("agent", document),),
                )
            )
    return stories


def found(stories: Sequence[Story], **named: Any) -> tuple[Finding, ...]:
    return closed_loop(
        stories,
        FIELDS,
        kinds=named.get("kinds", {}),
        days=DAYS,
        passing=named.get("passing", ()),
    )


def test_nothing_is_found_where_nothing_was_planted() -> None:
    chance = [finding.key for seed in SEEDS for finding in found(shop(seed))]
    assert len(chance) <= 1, chance


def test_routing_that_misses_is_found_with_the_expertise_that_resolves() -> None:
    planted = Planted(misses=0.6, passes=0.0, contacts=40)
    hits = []
    for seed in SEEDS:
        findings = {item.key: item for item in found(shop(seed, planted))}
        if (finding := findings.get("misrouted:p5")) is not None:
            assert (finding.kind, finding.target) == ("routing", "field-2")
            assert "passed_on:p5" not in findings
            hits.append(finding)
    assert len(hits) >= 18
    # Six in ten of ten cases a week, where one in thirty is usual: more than five transfers a week.
    assert 4.0 < np.mean([item.expected.per_week for item in hits]) < 6.5
    assert all(item.expected.low <= 5.7 <= item.expected.high for item in hits)
    assert hits[0].wait == 1800.0


def test_people_who_pass_on_within_their_field_are_worth_training() -> None:
    planted = Planted(misses=0.0, passes=0.9, contacts=60)
    hits = 0
    for seed in SEEDS:
        for item in found(shop(seed, planted)):
            if item.key == "passed_on:p5":
                assert item.kind == "training"
                assert item.agents
                assert set(item.agents) <= {"agent-1", "agent-5", "agent-9"}
                hits += 1
    assert hits >= 18


def test_a_document_whose_answers_come_back_is_found_and_its_neighbour_is_not() -> None:
    planted = Planted(returns=0.6, contacts=100)
    hits = 0
    for seed in SEEDS:
        keys = {item.key: item for item in found(shop(seed, planted))}
        assert "returning:p5:d5-good" not in keys
        if (finding := keys.get("returning:p5:d5-bad")) is not None:
            hits += 1
            assert finding.kind == "document"
            assert finding.rate is not None
            assert 0.3 < finding.rate.value < 0.8
            assert finding.expected.metric == "reopened"
    assert hits >= 17


def test_a_machines_answer_that_customers_do_not_take_is_found() -> None:
    planted = Planted(refusals=0.95, contacts=40)
    keys = [{item.key for item in found(shop(seed, planted))} for seed in SEEDS]
    assert sum("refused:p5:" in own for own in keys) >= 17


def asking(document: str, number: int, days: float = DAYS, **changes: Any) -> list[Story]:
    """Cases that an explanation from one document settled, spread evenly over days."""
    return [
        replace(
            Story(
                id=f"{document}-{place}",
                voter=f"{document}-u{place}",
                at=BEGIN + timedelta(days=days * place / number),
                problem_id=f"about-{document}",
                language="zh" if place % 3 else "en",
                by_person=True,
                reopened=False,
                seconds=600.0,
                cited=(("agent", document),),
            ),
            **changes,
        )
        for place in range(number)
    ]


def test_a_policy_that_many_ask_for_week_after_week_is_found() -> None:
    quiet = [story for name in "abcdefg" for story in asking(name, 6)]
    kinds = dict.fromkeys("abcdefg", "policy") | {
        "returns": "policy",
        "passed": "policy",
        "kettle": "product",
    }
    stories = [*quiet, *asking("returns", 40), *asking("kettle", 24), *asking("passed", 60, days=4)]
    policy, product = found(stories, kinds=kinds)
    assert (policy.key, policy.kind, policy.cause) == ("explained:returns", "policy", "explained")
    assert policy.problem_ids == ("about-returns",)
    assert policy.languages == {"zh": 26, "en": 14}
    # Ten a week, three in ten of which are expected to end, ten minutes each.
    assert policy.expected.per_week == pytest.approx(3.0)
    assert policy.expected.hours == pytest.approx(0.5)
    assert policy.expected.low < 1 < 5 < policy.expected.high
    assert (product.key, product.kind) == ("explained:kettle", "product")


def test_what_an_explanation_does_not_settle_is_no_matter_of_stating_it_earlier() -> None:
    quiet = [story for name in "abcdefg" for story in asking(name, 6)]
    kinds = dict.fromkeys("abcdefg", "policy") | {"returns": "policy"}
    assert found([*quiet, *asking("returns", 40, reopened=True)], kinds=kinds) == () or all(
        item.cause != "explained"
        for item in found([*quiet, *asking("returns", 40, reopened=True)], kinds=kinds)
    )
    passing = found([*quiet, *asking("returns", 40)], kinds=kinds, passing={"about-returns"})
    assert passing == ()


def test_cases_whose_answer_was_not_written_down_count_for_what_is_said_of_their_problem() -> None:
    quiet = [story for name in "abcdefg" for story in asking(name, 6)]
    kinds = dict.fromkeys("abcdefg", "policy") | {"returns": "policy"}
    silent = [replace(story, cited=()) for story in asking("returns", 40)]
    assert found([*quiet, *silent], kinds=kinds) == ()
    told = [
        replace(story, cited=(("agent", "returns"),)) if place < 3 else story
        for place, story in enumerate(silent)
    ]
    (item,) = found([*quiet, *told], kinds=kinds)
    assert (item.document_id, item.cases) == ("returns", 40)


def test_one_customer_makes_no_finding() -> None:
    quiet = [story for name in "abcdefg" for story in asking(name, 6)]
    kinds = dict.fromkeys("abcdefg", "policy") | {"returns": "policy"}
    assert found([*quiet, *asking("returns", 40, voter="u-1")], kinds=kinds) == ()


def test_few_customers_stand_out_by_no_rate() -> None:
    counts = {(f"p{number}",): (2, 30) for number in range(20)}
    assert standing_out(rates({**counts, ("new",): (7, 7)})) == []
    assert standing_out(rates({**counts, ("new",): (8, 8)})) == [("new",)]


def test_a_rate_is_drawn_to_the_usual_one() -> None:
    counts = {(f"p{number}",): (3, 30) for number in range(20)}
    rate = rates({**counts, ("new",): (8, 8)})["new",]
    assert isinstance(rate, Rate)
    assert rate.usual == pytest.approx(0.1, abs=0.001)
    assert rate.value == pytest.approx((8 + 1.5) / 23, abs=0.01)
    assert rate.low < rate.value < rate.high < 1
    assert rate.excess[1] > 0


def minute(number: float) -> datetime:
    return BEGIN + timedelta(minutes=number)


def told(*steps: Step) -> Story:
    history = CaseHistory("k", BEGIN, "u", "p", tuple(sorted(steps, key=lambda step: step.at)))
    story = story_of(read(history, Contacts([]), BEGIN + timedelta(days=14)))
    assert story is not None
    return story


def test_a_story_tells_who_had_the_case_first_and_who_resolved_it() -> None:
    story = told(
        Step("message", minute(0), "customer", "p"),
        Step("message", minute(1), "bot"),
        Step("handover", minute(2), "bot", to_agent="ann"),
        Step("message", minute(5), "agent", agent="ann"),
        Step("transfer", minute(30), "agent", from_agent="ann", to_agent="ben"),
        Step("resolved", minute(40), "agent", seconds=240.0, agent="ben"),
    )
    assert (story.first_agent, story.solver, story.seconds) == ("ann", "ben", 240.0)
    assert story.passes == (Passed("ann", "ben", 1800.0),)
    assert (story.reopened, story.refused, story.by_person) == (False, True, True)


def test_a_story_knows_what_cannot_be_told() -> None:
    alone = told(Step("message", minute(0), "customer", "p"), Step("message", minute(1), "bot"))
    assert (alone.refused, alone.reopened, alone.solver, alone.first_agent) == (False, None, None, None)
    back = told(
        Step("message", minute(0), "customer", "p"),
        Step("resolved", minute(1), "agent", agent="ann"),
        Step("message", minute(600), "customer", "p"),
    )
    assert (back.reopened, back.solver, back.refused) == (True, None, None)
    assert story_of(read(CaseHistory("k", BEGIN, None, None, ()), Contacts([]), BEGIN)) is None
