"""Rules tried on a past that is known: what they raise, what differs, and what people did in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from graph.backtests import (
    Act,
    Arrival,
    Change,
    Past,
    Raised,
    Told,
    arrived_in_order,
    changes,
    paired,
    raised,
    summarised,
)
from graph.lifecycle import Action
from graph.models import AlertKind, Evidence
from graph.rules import Rules

MONDAY = datetime(2026, 6, 1, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
END = MONDAY + 30 * DAY
PLAIN = Rules(growth_alerts=False)
BURST: tuple[AlertKind, ...] = ("burst",)


def heard(problem_id: str, *at: timedelta, first_voter: int = 1) -> list[Arrival]:
    """Messages of as many customers, each arriving when it was written."""
    return [
        Arrival(MONDAY + after, MONDAY + after, problem_id, voter)
        for voter, after in enumerate(at, first_voter)
    ]


def kinds(found: Iterable[Raised]) -> list[tuple[str, str, datetime]]:
    return [(item.problem_id, item.kind, item.opened_at) for item in found]


def recurrences(past: Past, rules: Rules = PLAIN, begin: datetime = MONDAY - DAY) -> list[Raised]:
    return raised(past, rules, UTC, begin=begin, end=END, kinds=("recurrence", "regression"))


def bursts(past: Past, rules: Rules, begin: datetime) -> list[Raised]:
    return raised(past, rules, UTC, begin=begin, end=END, kinds=BURST)


def test_the_third_customer_raises_the_alert_at_their_own_moment() -> None:
    past = Past(heard("late", HOUR, 2 * HOUR, 5 * HOUR, 6 * HOUR) + heard("rare", HOUR, 2 * HOUR))
    (alert,) = recurrences(past)
    assert (alert.problem_id, alert.opened_at, alert.waited) == ("late", MONDAY + 5 * HOUR, 4 * HOUR)
    assert alert.evidence.customers == 3


def test_stricter_rules_raise_later_or_not_at_all() -> None:
    past = Past(heard("late", *(HOUR * n for n in range(1, 7))) + heard("rare", HOUR, 2 * HOUR, 3 * HOUR))
    before, after = recurrences(past), recurrences(past, replace(PLAIN, recurrence_customers=5))
    assert kinds(after) == [("late", "recurrence", MONDAY + 5 * HOUR)]
    found = changes(before, after)
    assert [(item.outcome, item.minutes) for item in found] == [("vanishes", None), ("later", 120.0)]
    assert {item.outcome for item in changes(after, before)} == {"appears", "earlier"}
    assert changes(before, before) == []


def test_what_came_before_the_span_is_heard_and_not_told() -> None:
    past = Past(heard("late", HOUR, 2 * HOUR, 3 * HOUR, 3 * DAY, 3 * DAY + HOUR, 3 * DAY + 2 * HOUR))
    assert recurrences(past, begin=MONDAY + 2 * DAY) == [], "its episode was told before the span"


def test_an_alert_before_the_history_is_not_raised_again() -> None:
    past = Past(heard("late", HOUR, 2 * HOUR, 3 * HOUR), told=[Told("late", "recurrence", MONDAY - 70 * DAY)])
    assert recurrences(past) == []
    assert len(recurrences(replace(past, told=()))) == 1


def test_people_resolve_and_customers_who_return_make_it_regress() -> None:
    back = 4 * DAY
    messages = heard("late", HOUR, 2 * HOUR, 3 * HOUR)
    messages += heard("late", back, back + HOUR, back + 2 * HOUR, first_voter=7)
    resolved = Past(messages, acts=[Act(MONDAY + DAY, "late", "resolve")])
    assert [item.kind for item in recurrences(resolved)] == ["recurrence", "regression"]
    assert [item.kind for item in recurrences(Past(messages))] == ["recurrence"]


def test_a_silence_keeps_alerts_back_until_it_ends() -> None:
    messages = heard("late", HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 2 * DAY)
    silent = Act(MONDAY + HOUR / 2, "late", "silence", until=MONDAY + DAY)
    assert recurrences(Past(messages, acts=[silent]))[0].opened_at == MONDAY + 3 * HOUR, (
        "before its first message there is nothing to silence"
    )
    silent = silent._replace(at=MONDAY + 2.5 * HOUR)
    (alert,) = recurrences(Past(messages, acts=[silent]))
    assert alert.evidence.customers == 5
    counted = Act(MONDAY + 2.5 * HOUR, "late", "silence", customers=4)
    (alert,) = recurrences(Past(messages, acts=[counted]))
    assert alert.evidence.customers == 4


def test_an_act_that_the_state_does_not_allow_is_passed_over() -> None:
    messages = heard("late", HOUR, 2 * HOUR, 3 * HOUR)
    acts = [Act(MONDAY + 2.5 * HOUR, "late", "reopen"), Act(MONDAY + 2.6 * HOUR, "nobody", "resolve")]
    assert kinds(recurrences(Past(messages, acts=acts))) == [("late", "recurrence", MONDAY + 3 * HOUR)]


def test_acts_come_when_they_were_done_also_where_a_history_was_loaded_at_once() -> None:
    loaded = END + DAY
    written = [HOUR, 2 * HOUR, 3 * HOUR, 9 * DAY, 9 * DAY + HOUR, 9 * DAY + 2 * HOUR]
    messages = [item._replace(arrived=loaded) for item in heard("late", *written)]
    acts = [Act(loaded + HOUR, "late", "resolve")]
    assert [item.kind for item in recurrences(Past(messages, acts=acts))] == ["recurrence"]


def test_a_burst_is_told_before_the_recurrences_rule_is_full() -> None:
    quiet = [Arrival(MONDAY + n * HOUR, MONDAY + n * HOUR, f"p{n % 40}", 10_000 + n) for n in range(21 * 24)]
    begin = MONDAY + 21 * DAY
    rush = [
        Arrival(begin + n * timedelta(minutes=2), begin + n * timedelta(minutes=2), "p7", n)
        for n in range(20)
    ]
    past = Past([*quiet, *rush, Arrival(None, begin + 2 * HOUR)])
    found = bursts(past, PLAIN, begin)
    assert [item.problem_id for item in found] == ["p7"]
    assert begin < found[0].opened_at < begin + HOUR
    assert bursts(past, replace(PLAIN, burst_customers=50), begin) == []
    assert raised(past, PLAIN, UTC, begin=begin, end=END, kinds=BURST, bursts=False) == []


def an_alert(problem_id: str, after: timedelta, kind: str = "recurrence") -> Raised:
    evidence = Evidence(3, 0.0, 3, 60, None, {})
    return Raised(problem_id, kind, MONDAY + after, evidence, timedelta(minutes=30))  # type: ignore[arg-type]


def test_alerts_are_paired_by_problem_and_kind_the_nearest_first() -> None:
    before = [an_alert("a", HOUR, "burst"), an_alert("a", 10 * HOUR, "burst"), an_alert("b", HOUR, "burst")]
    after = [an_alert("a", 9 * HOUR, "burst"), an_alert("b", HOUR)]
    assert paired(before, after) == [(before[1], after[0])]
    outcomes = [item.outcome for item in changes(before, after)]
    assert sorted(outcomes) == ["appears", "earlier", "vanishes", "vanishes"]
    far = paired([an_alert("a", HOUR, "burst")], [an_alert("a", 2 * DAY, "burst")])
    assert far == [], "too far apart to be the same"


def test_a_recurrence_of_the_same_episode_is_the_same_however_much_later() -> None:
    """Pairs were made within a day only: a stricter rule showed what vanished and something that appeared."""
    first, late = an_alert("a", HOUR), an_alert("a", 20 * DAY)
    other = replace(an_alert("a", 30 * DAY), episode=MONDAY + 25 * DAY)
    assert paired([first], [late]) == [(first, late)]
    assert paired([first], [other]) == []
    assert [item.outcome for item in changes([first, other], [late])] == ["later", "vanishes"]


def test_a_stricter_recurrence_never_appears() -> None:
    chance = Random(11)
    messages: list[Arrival] = []
    acts: list[Act] = []
    for number in range(40):
        at = MONDAY + chance.random() * 5 * DAY
        for voter in range(chance.randrange(2, 25)):
            at += chance.expovariate(1.0) * 20 * HOUR
            messages.append(Arrival(at, at, f"p{number}", voter))
            if chance.random() < 0.15:
                action: Action = chance.choice(("resolve", "resolve", "reopen", "acknowledge"))
                acts.append(Act(at + HOUR, f"p{number}", action))
    past = Past(sorted(messages, key=lambda item: item.at), acts=tuple(sorted(acts, key=lambda act: act.at)))

    def found(rules: Rules) -> list[Raised]:
        return raised(past, rules, UTC, begin=None, end=END, bursts=False)

    present = found(PLAIN)
    assert {item.kind for item in present} == {"recurrence", "regression"}
    outcomes = Counter[str]()
    for stricter in (
        replace(PLAIN, recurrence_customers=4),
        replace(PLAIN, recurrence_customers=7),
        replace(PLAIN, recurrence_window_hours=48.0),
        replace(PLAIN, recurrence_customers=5, regression_customers=4),
    ):
        outcomes.update(item.outcome for item in changes(present, found(stricter)))
    assert outcomes.keys() == {"later", "vanishes"}
    assert min(outcomes.values()) > 10


def test_a_summary_counts_kinds_days_and_waits() -> None:
    found = summarised([an_alert("a", HOUR), an_alert("b", HOUR, "burst")], MONDAY, MONDAY + 4 * DAY)
    assert (found.alerts, found.problems, found.per_day, found.median_minutes) == (2, 2, 0.5, 30.0)
    assert found.by_kind == {"recurrence": 1, "burst": 1}
    assert summarised([], MONDAY, END).median_minutes is None


def test_an_assignment_decided_anew_does_not_move_the_arrivals_after_it() -> None:
    one, anew, other = heard("late", HOUR, 2 * HOUR, 3 * HOUR)
    mended = arrived_in_order([one, anew._replace(arrived=MONDAY + 9 * DAY), Arrival(None, END), other])
    assert [item.arrived for item in mended] == [one.arrived, other.arrived, None, other.arrived]


def test_an_alert_whose_other_half_came_before_the_span_is_gained_or_lost_in_it() -> None:
    early, late = an_alert("late", HOUR), an_alert("late", 2 * DAY)
    begin = MONDAY + DAY
    later, earlier = Change("later", early, late), Change("earlier", late, early)
    assert later.since(MONDAY) == later
    assert later.since(begin) == Change("appears", None, late)
    assert earlier.since(begin) == Change("vanishes", late, None)
    assert later.since(MONDAY + 3 * DAY) is None
    alone = Change("appears", None, late)
    assert (alone.since(begin), alone.since(MONDAY + 3 * DAY)) == (alone, None)
