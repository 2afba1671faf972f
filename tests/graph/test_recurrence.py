from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.recurrence import Observation, by_chance, duration, reached, recurrence, regression
from graph.rules import Rules

T = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
RULES = Rules()


def seen(*votes: tuple[float, str | None]) -> list[Observation]:
    """Observations by (days since T, customer); each its own event, anonymous ones without conversation."""
    return [Observation(T + days * DAY, who, f"e{i}") for i, (days, who) in enumerate(votes)]


@pytest.mark.parametrize(
    ("votes", "now", "kind"),
    [
        pytest.param([], 1, None, id="nothing"),
        pytest.param([(0, "a"), (1, "b")], 1, None, id="two customers"),
        pytest.param([(0, "a"), (1, "b"), (2, "c")], 2, "recurrence", id="three customers"),
        pytest.param([(0, "a"), (1, "a"), (2, "a"), (3, "b")], 3, None, id="one customer is one vote"),
        pytest.param([(0, "a"), (1, "b"), (7, "c")], 7, None, id="the first is just outside the window"),
        pytest.param([(0, "a"), (1, "b"), (6.99, "c")], 7, "recurrence", id="just inside"),
        pytest.param([(0, "a"), (1, "b"), (2, "c")], 1.5, None, id="the third is still to come"),
        pytest.param([(0, "a"), (1, "b"), (2, "c")], 60, "recurrence", id="a full window of the past"),
        pytest.param([(2, "c"), (0, "a"), (1, "b")], 2, "recurrence", id="in any order"),
        pytest.param([(0, None), (1, None), (2, None)], 2, "recurrence", id="anonymous events vote singly"),
    ],
)
def test_three_distinct_customers_in_the_window(
    votes: list[tuple[float, str | None]], now: float, kind: str | None
) -> None:
    verdict = recurrence(seen(*votes), RULES, now=T + now * DAY, already_alerted=False)
    assert verdict.kind == kind
    assert (verdict.evidence is None) == (kind is None)
    assert verdict.reason == (kind or "too_few_customers")


def test_anonymous_messages_of_one_conversation_are_one_voice() -> None:
    same = [Observation(T + i * HOUR, None, f"e{i}", "chat") for i in range(5)]
    assert recurrence(same, RULES, now=T + DAY, already_alerted=False).kind is None
    assert Observation(T, "chat", "e").voter != Observation(T, None, "e", "chat").voter


def test_it_fires_once_an_episode_and_again_after_a_resolution() -> None:
    votes = seen((0, "a"), (1, "b"), (2, "c"))
    assert recurrence(votes, RULES, now=T + 2 * DAY, already_alerted=True).reason == "already_alerted"
    after = T + 3 * DAY
    assert recurrence(votes, RULES, now=T + 4 * DAY, already_alerted=False, after=after).kind is None
    votes += seen((3.5, "a"), (4, "b"), (4, "c"))
    assert recurrence(votes, RULES, now=T + 4 * DAY, already_alerted=False, after=after).kind == "recurrence"


def test_a_late_event_counts_where_it_belongs() -> None:
    votes = seen((0, "a"), (2, "c"), (30, "d"))
    assert recurrence(votes, RULES, now=T + 30 * DAY, already_alerted=False).kind is None
    verdict = recurrence([*votes, *seen((1, "b"))], RULES, now=T + 30 * DAY, already_alerted=False)
    assert verdict.kind == "recurrence"
    assert verdict.at == T + 2 * DAY, "dated when the window was full, not when the event came in"


def test_the_shop_sets_customers_and_window() -> None:
    votes = seen((0, "a"), (0.5, "b"), (1, "c"), (1.2, "d"))
    strict = Rules(recurrence_customers=5)
    short = Rules(recurrence_customers=4, recurrence_window_hours=24)
    assert recurrence(votes, strict, now=T + 2 * DAY, already_alerted=False).kind is None
    assert recurrence(votes, short, now=T + 2 * DAY, already_alerted=False).kind is None
    assert recurrence(votes, Rules(recurrence_customers=4), now=T + 2 * DAY, already_alerted=False).kind


def test_evidence_compares_with_the_usual_count() -> None:
    usual = [(week * 7.0, f"w{week}") for week in range(-8, 0)]
    votes = seen(*usual, (6.1, "a"), (6.2, "a"), (6.3, "b"), (6.4, "c"), (6.5, "d"), (6.6, "e"))
    evidence = recurrence(votes, RULES, now=T + 7 * DAY, already_alerted=False).evidence
    assert evidence is not None
    assert (evidence.observed, evidence.customers, evidence.window_minutes) == (6, 5, 7 * 24 * 60)
    assert evidence.expected == pytest.approx(7.5 / 9)
    assert evidence.p_value is not None
    assert evidence.words == {
        "en": "5 customers in 7 days (6 messages), expected 0.8 messages (7.2×); "
        "hardly by chance: less than once in a thousand.",
        "zh": "7 天内 5 位顾客反映（共 6 条消息），按以往预计 0.8 条（7.2 倍）；极不可能是偶然：千分之一以下。",
    }


def test_a_new_problem_has_no_usual_count() -> None:
    votes = seen((0, "a"), (1, "b"), (2, "c"))
    evidence = recurrence(votes, RULES, now=T + 2 * DAY, already_alerted=False).evidence
    assert evidence is not None
    assert evidence.p_value is None
    assert evidence.expected is None, "what is too new for anything usual has no expected count beside it"
    assert evidence.words == {
        "en": "3 customers in 7 days (3 messages); the problem is too new to say what is usual.",
        "zh": "7 天内 3 位顾客反映（共 3 条消息）；问题出现不久，尚无可比的历史。",
    }


def test_chance_is_told_in_words_and_never_as_certain() -> None:
    """A product manager read "p < 1e-6" and "p = 6e-05"; the figure itself stays in the alert's `p_value`."""
    assert [by_chance(p) for p in (1.0, 0.9999, 0.5, 0.03, 6e-5, 0.0)] == [
        ("perhaps by chance: 99%", "可能出于偶然：99%"),
        ("perhaps by chance: 99%", "可能出于偶然：99%"),
        ("perhaps by chance: 50%", "可能出于偶然：50%"),
        ("unlikely by chance: less than 5%", "不太可能是偶然：5% 以下"),
        ("hardly by chance: less than once in ten thousand", "极不可能是偶然：万分之一以下"),
        ("hardly by chance: less than once in a million", "极不可能是偶然：百万分之一以下"),
    ]


def test_p_values_are_the_tail_of_the_predictive_count() -> None:
    """Against a simulation of the model itself: Gamma rate, then Poisson count."""
    random = np.random.default_rng(7)
    votes = seen(*[(-35.0 + i * 4, f"u{i}") for i in range(8)], *[(6.5, f"c{i}") for i in range(4)])
    evidence = recurrence(votes, RULES, now=T + 7 * DAY, already_alerted=False).evidence
    assert evidence is not None
    rates = random.gamma(7.5, 1 / (35 / 7 + 1), size=200_000)
    simulated = (random.poisson(rates) >= 4).mean()
    assert evidence.p_value == pytest.approx(simulated, abs=0.005)


@pytest.mark.parametrize(
    ("votes", "now", "kind"),
    [
        pytest.param([(1.1, "a"), (1.2, "b"), (1.3, "c")], 2, "regression", id="after the grace"),
        pytest.param([(0.5, "a"), (0.6, "b"), (0.7, "c")], 2, None, id="within the grace"),
        pytest.param([(0.5, "a"), (1.6, "b"), (1.7, "c")], 2, None, id="two after the grace"),
        pytest.param([(-2, "a"), (1.6, "b"), (1.7, "c")], 2, None, id="before the resolution"),
        pytest.param([(1.1, "a"), (10, "b"), (20, "c")], 30, None, id="too far apart"),
        pytest.param([(1.1, "a"), (1.2, "b"), (1.3, "c")], 1.25, None, id="not yet"),
    ],
)
def test_a_resolved_problem_regresses_when_customers_return(
    votes: list[tuple[float, str]], now: float, kind: str | None
) -> None:
    verdict = regression(seen(*votes), RULES, resolved_at=T, now=T + now * DAY)
    assert verdict.kind == kind


def test_a_regression_says_since_when() -> None:
    verdict = regression(seen((2, "a"), (2, "b"), (3, "c"), (3, "c")), RULES, resolved_at=T, now=T + 3 * DAY)
    assert verdict.at == T + 3 * DAY
    assert verdict.evidence is not None
    assert verdict.evidence.expected == 0.0
    assert verdict.evidence.words["en"] == (
        "3 customers in 7 days (4 messages), more than 24 hours after the problem was resolved on "
        "2026-11-01; none expected."
    )
    assert verdict.evidence.words["zh"] == (
        "7 天内 3 位顾客再次反映（共 4 条消息）；"
        "该问题已于 2026-11-01 标记解决，且已过 24 小时宽限期，本不应再出现。"
    )


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1, ("1 minute", "1 分钟")),
        (60, ("60 minutes", "60 分钟")),
        (90, ("90 minutes", "90 分钟")),
        (120, ("2 hours", "2 小时")),
        (1440, ("24 hours", "24 小时")),
        (2160, ("36 hours", "36 小时")),
        (10080, ("7 days", "7 天")),
    ],
)
def test_lengths_of_time_in_words(minutes: int, words: tuple[str, str]) -> None:
    assert duration(minutes) == words


streams = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from("abcdef")),
    min_size=1,
    max_size=30,
    unique_by=lambda v: v[0],
).map(lambda votes: [Observation(T + hours * HOUR, who, f"e{hours}") for hours, who in votes])


def by_hand(votes: list[Observation], customers: int, hours: float) -> set[datetime]:
    return {
        end.at
        for end in votes
        if len({o.customer_id for o in votes if end.at - hours * HOUR < o.at <= end.at}) >= customers
    }


@given(streams, st.integers(2, 4), st.sampled_from([24.0, 72.0, 168.0]), st.integers(0, 10**6))
@settings(derandomize=True, deadline=None)
def test_any_full_window_is_found_in_any_order(
    votes: list[Observation], customers: int, hours: float, seed: int
) -> None:
    full = by_hand(votes, customers, hours)
    rules = Rules(recurrence_customers=customers, recurrence_window_hours=hours)
    now = max(o.at for o in votes)
    shuffled = list(votes)
    Random(seed).shuffle(shuffled)
    verdict = recurrence(shuffled, rules, now=now, already_alerted=False)
    assert (verdict.kind == "recurrence") == bool(full)
    assert verdict == recurrence(votes, rules, now=now, already_alerted=False)
    assert reached(shuffled, customers, hours, now) == min(full, default=None)
    if verdict.evidence is not None:
        assert verdict.at is not None
        assert verdict.at in {o.at for o in votes}
        assert verdict.evidence.customers >= customers
        assert verdict.evidence.observed >= verdict.evidence.customers


@given(streams)
@settings(derandomize=True, deadline=None)
def test_replaying_a_stream_fires_at_the_moment_of_the_first_full_window(votes: list[Observation]) -> None:
    ordered = sorted(votes)
    fired = None
    for i, observation in enumerate(ordered):
        verdict = recurrence(ordered[: i + 1], RULES, now=observation.at, already_alerted=fired is not None)
        fired = fired or verdict.at
    assert fired == min(by_hand(votes, 3, 168), default=None)


def test_the_least_likely_counts_are_told_as_a_bound() -> None:
    usual = seen(*[(-7.0 * week, f"u{week}") for week in range(1, 30)])
    crowd = [Observation(T + 6 * DAY, f"c{i}", f"x{i}") for i in range(30)]
    verdict = recurrence([*usual, *crowd], RULES, now=T + 7 * DAY, already_alerted=False)
    assert verdict.evidence is not None
    assert verdict.evidence.p_value is not None
    assert verdict.evidence.p_value < 1e-6
    assert "less than once in a million" in verdict.evidence.words["en"]
