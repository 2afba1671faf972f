from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency  # type: ignore[import-untyped]

from graph.experiments import (
    RATIO_ALPHA,
    Arm,
    Experiment,
    Guard,
    Metric,
    Treatment,
    arm_of,
    findings,
    unit_of,
)
from graph.field_evidence import FieldEvidence
from graph.models import Expertise, Problem
from graph.rules import Rules
from graph.sequential import Sample
from graph.trial_ways import way_of
from graph.trial_words import verdict_words

AT = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
IDS = [f"customer u-{number}" for number in range(100_000)]


def a_trial(**changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "id": "trial",
        "name": "Trial",
        "treatment": Treatment(clarification=False),
        "salt": "salt-1",
        "created_at": AT,
        "minimum": 100,
        "maximum": 5000,
        "state": "running",
        "started_at": AT,
    }
    return Experiment(**(values | changes))


def share(units: int, rate: float) -> Sample:
    return Sample(units, rate, rate * (1 - rate) * units / (units - 1))


def measured(
    control: Sample, treatment: Sample, **others: tuple[Sample, Sample]
) -> Mapping[Metric, Mapping[Arm, Sample]]:
    pairs: dict[Any, tuple[Sample, Sample]] = {"resolution": (control, treatment), **others}
    return {metric: {"control": one, "treatment": other} for metric, (one, other) in pairs.items()}


def evenly(found: Mapping[Metric, Mapping[Arm, Sample]]) -> dict[Arm, int]:
    arms = found["resolution"]
    return {"control": arms["control"].units, "treatment": arms["treatment"].units}


def reason(trial: Experiment, found: Mapping[Metric, Mapping[Arm, Sample]], seen: Any = None) -> str:
    return findings(trial, found, seen or evenly(found)).verdict.reason


# --- arms


@pytest.mark.parametrize("wanted", [0.5, 0.1, 0.03])
def test_arms_have_the_share_that_was_asked_for(wanted: float) -> None:
    treated = sum(arm_of("salt-1", unit, wanted) == "treatment" for unit in IDS)
    expected = len(IDS) * wanted
    statistic = (treated - expected) ** 2 / expected + (treated - expected) ** 2 / (len(IDS) - expected)
    assert statistic < chi2.ppf(0.999, 1)


def test_trials_draw_independently_of_one_another_and_of_what_an_id_looks_like() -> None:
    drawn = np.zeros((2, 2))
    for unit in IDS:
        drawn[arm_of("salt-1", unit, 0.5) == "treatment", arm_of("salt-2", unit, 0.3) == "treatment"] += 1
    assert chi2_contingency(drawn, correction=False).pvalue > 0.001
    by_last_digit = np.zeros((10, 2))
    for number, unit in enumerate(IDS):
        by_last_digit[number % 10, arm_of("salt-1", unit, 0.5) == "treatment"] += 1
    assert chi2_contingency(by_last_digit, correction=False).pvalue > 0.001


def test_an_arm_is_the_same_everywhere_and_for_good() -> None:
    """Written down once: another value would move customers between the arms of running trials."""
    arms = "".join(arm_of("salt-1", unit, 0.5)[0] for unit in IDS[:16])
    assert arms == FIRST_ARMS
    assert {arm_of("salt-1", IDS[0], 0.5) for _ in range(3)} == {arm_of("salt-1", IDS[0], 0.5)}


FIRST_ARMS = "ctcctctccctttcct"


def test_a_larger_share_only_adds_to_treatment() -> None:
    small = {unit for unit in IDS[:5000] if arm_of("salt-1", unit, 0.2) == "treatment"}
    large = {unit for unit in IDS[:5000] if arm_of("salt-1", unit, 0.6) == "treatment"}
    assert small < large


def test_odd_salts_and_ids_are_drawn_too() -> None:
    assert arm_of("盐" * 500, "顾客 \ud800", 1e-9) == "control"


def test_a_unit_is_the_customer_else_the_conversation() -> None:
    assert unit_of("u-1", "c-1") == "customer u-1"
    assert unit_of(None, "c-1") == "conversation c-1"
    assert unit_of(None, None) is None
    assert unit_of("x", None) != unit_of(None, "x")


# --- when treatment is given, and how


def test_treatment_is_given_while_a_trial_runs() -> None:
    hour = timedelta(hours=1)
    trial = a_trial(starts_at=AT + hour, ends_at=AT + 3 * hour)
    assert [trial.treats(AT + number * hour) for number in range(4)] == [False, True, True, False]
    for state in ("draft", "stopped", "stopped_by_guard", "concluded"):
        assert not a_trial(state=state).treats(AT)


def test_a_unit_is_served_by_the_arms_that_it_is_in() -> None:
    weights = {"urgency": 10.0}
    trials = [
        a_trial(id="a", salt="a", treatment=Treatment(assignment="round_robin")),
        a_trial(id="b", salt="b", treatment=Treatment(priority_weights=weights, wrong_answer_bound=0.05)),
        a_trial(id="c", salt="c", treatment=Treatment(clarification=False, graph_walk=True)),
    ]
    seen = set()
    for unit in IDS[:200]:
        way = way_of(trials, unit)
        assert way.arms == {item.id: arm_of(item.salt, unit, item.share) for item in trials}
        treated = {id for id, arm in way.arms.items() if arm == "treatment"}
        assert (way.policy == "round_robin") == ("a" in treated)
        rules = way.changed(Rules())
        assert rules == (
            Rules(priority_weights=weights, wrong_answer_bound=0.05) if "b" in treated else Rules()
        )
        assert (way.clarifies, way.walks) == ((False, True) if "c" in treated else (True, None))
        assert way.assignment_arm == way.arms["a"]
        seen.add(frozenset(treated))
    assert len(seen) == 8


# --- verdicts


def test_too_few_units_say_nothing_however_far_apart() -> None:
    assert reason(
        a_trial(), measured(share(99, 0.1), share(300, 0.9)), {"control": 200, "treatment": 200}
    ) == ("too_few")


def test_a_clear_difference_is_said_in_the_metrics_own_direction() -> None:
    assert reason(a_trial(), measured(share(1500, 0.80), share(1500, 0.87))) == "better"
    assert reason(a_trial(), measured(share(1500, 0.80), share(1500, 0.73))) == "worse"
    slower = (Sample(1500, 300.0, 90_000.0), Sample(1500, 390.0, 90_000.0))
    found = measured(share(1500, 0.8), share(1500, 0.8), handling_seconds=slower)
    assert reason(a_trial(metric="handling_seconds"), found) == "worse"


def test_an_unclear_difference_waits_until_the_maximum() -> None:
    early = findings(a_trial(), found := measured(share(400, 0.80), share(400, 0.82)), evenly(found))
    assert early.verdict.reason == "not_yet"
    assert early.verdict.more_units is not None
    assert 0 < early.verdict.more_units <= 2 * 5000 - 800
    assert not early.verdict.final
    late = findings(a_trial(), found := measured(share(5000, 0.8), share(5000, 0.802)), evenly(found))
    assert late.verdict.reason == "no_difference" and late.verdict.final


def test_a_guard_is_broken_only_beyond_its_margin_and_for_sure() -> None:
    guard = Guard("rating", margin=0.1, worse="lower")
    trial = a_trial(guards=(guard,))
    even = share(2000, 0.8), share(2000, 0.8)
    for drop, units, broken in (
        (0.4, 2000, True),
        (0.12, 2000, False),
        (2.0, 45, False),
        (-0.4, 2000, False),
    ):
        ratings = Sample(units, 4.2, 1.0), Sample(units, 4.2 - drop, 1.0)
        found = findings(trial, measured(*even, rating=ratings), {"control": 2000, "treatment": 2000})
        assert found.guards[0].broken is broken, (drop, units)
        assert (found.verdict.reason == "guard_broken") is broken
    assert found.verdict.guard is None


def test_a_guard_wins_over_a_better_result() -> None:
    trial = a_trial(guards=(Guard("handling_seconds", margin=30, worse="higher"),))
    slower = Sample(1500, 300.0, 40_000.0), Sample(1500, 420.0, 40_000.0)
    found = measured(share(1500, 0.8), share(1500, 0.9), handling_seconds=slower)
    assert findings(trial, found, evenly(found)).verdict.guard == "handling_seconds"


def test_arms_of_odd_sizes_keep_a_verdict_back() -> None:
    found = measured(share(1500, 0.80), share(1500, 0.87))
    odd = findings(a_trial(), found, {"control": 1900, "treatment": 1500})
    assert odd.ratio_p < RATIO_ALPHA
    assert odd.verdict.reason == "ratio_mismatch" and not odd.verdict.final


def test_several_guards_share_the_chance_of_a_false_alarm() -> None:
    ratings = Sample(1000, 4.2, 1.0), Sample(1000, 4.055, 1.0)
    found = measured(
        share(1000, 0.8), share(1000, 0.8), rating=ratings, unassisted=(share(1000, 0.5), share(1000, 0.5))
    )
    alone = a_trial(guards=(Guard("rating"),))
    both = replace(alone, guards=(Guard("rating"), Guard("unassisted")))
    assert findings(alone, found, evenly(found)).guards[0].broken
    assert not findings(both, found, evenly(found)).guards[0].broken


# --- words


@pytest.mark.parametrize(
    ("found", "english", "chinese"),
    [
        (
            measured(share(1500, 0.80), share(1500, 0.87)),
            "Treatment is better by 7.0 points (2.8 to 11.2) in resolution in 72 h without reopening; it can be "
            "adopted.",
            "试验方案更好：72 小时内解决且未重开的比例改善 7.0 个百分点（2.8至11.2），可以采用。",
        ),
        (
            measured(share(60, 0.80), share(1500, 0.87)),
            "Not yet: 60 of at least 100 units in the smaller arm; about ",
            "暂无结论：较小一组有 60 个单位，至少需要 100 个；预计还需约 ",
        ),
    ],
)
def test_the_verdict_is_said_in_both_languages(found: Any, english: str, chinese: str) -> None:
    told = verdict_words(a_trial(), findings(a_trial(), found, {"control": 1500, "treatment": 1500}))
    assert told["en"].startswith(english)
    assert told["zh"].startswith(chinese)


@pytest.mark.parametrize("small", [60, 1500])
def test_a_trial_that_is_over_expects_no_more_units(small: int) -> None:
    found = measured(share(small, 0.80), share(1500, 0.81))
    trial = a_trial(state="stopped", stopped_at=AT)
    told = verdict_words(trial, findings(trial, found, {"control": 1500, "treatment": 1500}))
    assert told["en"].startswith("Ended before a verdict: ") and "expected" not in told["en"]
    assert told["zh"].startswith("已结束，没有结论：") and "预计" not in told["zh"]
    assert verdict_words(trial, None) == {"en": "Ended before it began.", "zh": "未开始即已结束。"}


def test_words_count_towards_the_better_side() -> None:
    faster = Sample(1500, 300.0, 40_000.0), Sample(1500, 250.0, 40_000.0)
    found = measured(share(1500, 0.8), share(1500, 0.8), handling_seconds=faster)
    trial = a_trial(metric="handling_seconds", guards=(Guard("rating", 0.1),))
    found = {**found, "rating": {"control": Sample(1500, 4.5, 1.0), "treatment": Sample(1500, 3.9, 1.0)}}
    told = verdict_words(replace(trial, guards=()), findings(replace(trial, guards=()), found, evenly(found)))
    assert "better by 50 s (" in told["en"] and "改善 50 秒（" in told["zh"]
    broken = verdict_words(trial, findings(trial, found, evenly(found)))
    assert "rating is worse by 0.60 (" in broken["en"] and "more than the 0.10 allowed" in broken["en"]
    assert "评分变差 0.60 分（" in broken["zh"] and "已超过允许的 0.10 分" in broken["zh"]


def test_before_the_start_there_is_nothing_to_say() -> None:
    assert verdict_words(a_trial(state="draft"), None) == {"en": "Not started.", "zh": "尚未开始。"}


def test_an_intent_that_is_sent_elsewhere_takes_its_problems_along() -> None:
    trial = a_trial(treatment=Treatment(expertise={"parcel": "payments"}), share=0.5, state="running")
    arms = {way_of([trial], unit).homes != {}: unit for unit in IDS[:50]}
    treated = way_of([trial], arms[True])
    clusters = (
        Expertise("logistics", "logistics", ("parcel", "delay"), ("p1", "p2"), ("ann",)),
        Expertise("payments", "payments", ("refund",), ("p3",), ("ben",)),
    )
    problems = [
        Problem(id, {}, "open", AT, AT, AT, intent_id=intent)
        for id, intent in (("p1", "parcel"), ("p2", "delay"))
    ]
    assert treated.placed(clusters, problems) == (
        Expertise("logistics", "logistics", ("delay",), ("p2",), ("ann",)),
        Expertise("payments", "payments", ("refund", "parcel"), ("p3", "p1"), ("ben",)),
    )
    assert way_of([trial], arms[False]).placed(clusters, problems) == clusters
    open_ones = FieldEvidence(("logistics", "payments"), {"parcel": {"logistics": 1.0}, "delay": {}})
    assert treated.told(open_ones).intents.keys() == {"delay"}
    assert way_of([trial], arms[False]).told(open_ones) is open_ones
