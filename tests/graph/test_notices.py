"""When alerts are told: the first of a group at once, others together, repeats, escalations, children after parents."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.models import Alert, AlertKind, Evidence, Problem, ProblemState
from graph.notices import (
    NO_PARENT,
    Earlier,
    Escalation,
    Group,
    GroupTold,
    Notice,
    NoticeState,
    Parent,
    escalation_words,
    first_look,
    group_of,
    look_after,
    look_before,
    next_digest,
    urgent,
    woken,
)
from graph.rules import Rules

NOW = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = Rules()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)


def a_problem(state: ProblemState = "open", **changes: Any) -> Problem:
    return replace(Problem("p1", {"en": "Late"}, state, NOW - HOUR, NOW, NOW - HOUR, customers=4), **changes)


def an_alert(kind: AlertKind = "burst", **changes: Any) -> Alert:
    evidence = Evidence(9, 1.2, 8, 60, 1e-7, {"en": "9", "zh": "9"})
    return replace(Alert("a1", kind, "open", NOW, "p1", evidence), **changes)


def looked(
    alert: Alert | None = None,
    problem: Problem | None = None,
    rules: Rules = RULES,
    *,
    now: datetime = NOW,
    last: GroupTold | None = None,
    parent: Parent = NO_PARENT,
) -> Notice:
    return first_look(
        alert or an_alert(), problem or a_problem(), rules, now=now, zone=SHANGHAI, last=last, parent=parent
    )


def test_groups_are_expertise_else_product_else_the_problem() -> None:
    full = an_alert(expertise_id="logistics", products=("SKU-1", "SKU-2"))
    assert (group_of(full).by, group_of(full).value) == ("expertise", "logistics")
    assert group_of(replace(full, expertise_id=None)).value == "SKU-1"
    assert group_of(an_alert()).by == "problem"


def test_the_first_alert_of_a_group_goes_at_once() -> None:
    told = looked()
    assert (told.state, told.reason, told.told_at, told.told_customers) == ("told", "first_of_group", NOW, 8)
    long_ago = GroupTold(NOW - timedelta(seconds=300), "interval")
    assert looked(last=long_ago).reason == "first_of_group"


@pytest.mark.parametrize(
    ("since", "last", "due", "reason"),
    [
        (10, "first_of_group", 30, "gathered"),
        (29.9, "first_of_group", 30, "gathered"),
        (30, "first_of_group", 300, "interval"),
        (299, "first_of_group", 300, "interval"),
        (10, "gathered", 300, "interval"),
        (10, "interval", 300, "interval"),
    ],
)
def test_what_follows_waits_for_its_groups_turn(since: float, last: Any, due: float, reason: str) -> None:
    begin = NOW - timedelta(seconds=since)
    waits = looked(last=GroupTold(begin, last))
    assert (waits.state, waits.reason, waits.told_at) == ("waiting", reason, None)
    assert waits.due_at == begin + timedelta(seconds=due)


def test_without_waits_everything_goes_at_once() -> None:
    rules = Rules(group_wait_seconds=0, group_interval_seconds=0)
    assert looked(rules=rules, last=GroupTold(NOW, "first_of_group")).state == "told"


def test_what_opened_more_than_a_day_ago_is_stored_only() -> None:
    old = looked(an_alert(opened_at=NOW - DAY))
    assert (old.state, old.reason, old.due_at) == ("over", "stale", None)
    assert looked(an_alert(opened_at=NOW - DAY + SECOND)).state == "told"


@pytest.mark.parametrize("kind", ["burst", "growth", "regression"])
def test_what_is_urgent_does_not_wait_for_the_digest(kind: AlertKind) -> None:
    old = a_problem(opened_at=NOW - 90 * DAY)
    assert urgent(an_alert(kind), old)
    assert looked(an_alert(kind), old).state == "told"


def test_the_recurrence_of_an_old_problem_waits_for_the_digest_and_that_of_a_new_one_does_not() -> None:
    recurs = an_alert("recurrence")
    waits = looked(recurs, a_problem(opened_at=NOW - 7 * DAY))
    assert (waits.state, waits.reason) == ("waiting", "digest")
    assert waits.due_at == datetime(2026, 11, 12, 9, 0, tzinfo=SHANGHAI)  # it is noon in the shop
    assert looked(recurs, a_problem(opened_at=NOW - 7 * DAY + SECOND)).state == "told"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-11T08:59:59+08:00", "2026-11-11T09:00:00+08:00"),
        ("2026-11-11T09:00:00+08:00", "2026-11-12T09:00:00+08:00"),
        ("2026-10-31T23:00:00-04:00", "2026-11-02T09:00:00+08:00"),
    ],
)
def test_the_digest_comes_at_its_hour_in_the_shop(now: str, expected: str) -> None:
    assert next_digest(datetime.fromisoformat(now), SHANGHAI, 9) == datetime.fromisoformat(expected)


def test_the_digest_keeps_its_hour_when_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)
    assert next_digest(before, berlin, 9).astimezone(berlin).hour == 9


# --- what waits


def waiting(state: NoticeState = "waiting", **changes: Any) -> Notice:
    return replace(
        Notice("a1", group_of(an_alert()), state, "gathered", due_at=NOW, told_customers=8), **changes
    )


def before(notice: Notice, problem: Problem, *, now: datetime = NOW, **given: Any) -> Notice:
    alert = given.pop("alert", an_alert())
    last = given.pop("last", None)
    return look_before(notice, alert, problem, RULES, now=now, zone=SHANGHAI, last=last, **given)


def test_what_waits_is_told_when_it_is_due_under_the_reason_it_waited_for() -> None:
    told = before(waiting(), a_problem())
    assert (told.state, told.reason, told.told_at) == ("told", "gathered", NOW)


@pytest.mark.parametrize(("state", "reason"), [("resolved", "resolved"), ("acknowledged", "taken_up")])
def test_what_was_dealt_with_while_it_waited_is_not_told(state: ProblemState, reason: str) -> None:
    over = before(waiting(), a_problem(state))
    assert (over.state, over.reason, over.due_at, over.told_at) == ("over", reason, None, None)


@pytest.mark.parametrize("kind", ["burst", "recurrence"])
def test_a_new_burst_of_an_acknowledged_problem_is_told_whether_or_not_its_group_was_quiet(
    kind: AlertKind,
) -> None:
    taken_up = a_problem("acknowledged", opened_at=NOW - 30 * DAY)
    busy = GroupTold(NOW - 10 * SECOND, "first_of_group")
    waits = looked(an_alert(kind), taken_up, last=busy)
    assert (waits.state, waits.acknowledged) == ("waiting", True)
    assert waits.due_at is not None
    assert before(waits, taken_up, now=waits.due_at, alert=an_alert(kind)).state == "told"
    # Once it was open again, an acknowledgement speaks of the new alert too.
    silenced = before(waits, replace(taken_up, state="silenced"), alert=an_alert(kind))
    assert before(silenced, taken_up, alert=an_alert(kind)).reason == "taken_up"


def test_what_was_silenced_while_it_waited_waits_on() -> None:
    soon = before(waiting(), a_problem("silenced", silenced_until=NOW + timedelta(minutes=5)))
    assert (soon.state, soon.reason, soon.due_at) == ("waiting", "silenced", NOW + timedelta(minutes=5))
    assert before(waiting(), a_problem("silenced")).due_at == NOW + HOUR


def test_what_was_silenced_takes_its_turn_when_the_silence_is_over() -> None:
    silenced = before(waiting(), a_problem("silenced"))
    assert before(silenced, a_problem()).reason == "first_of_group"
    turn = before(silenced, a_problem(), last=GroupTold(NOW, "first_of_group"))
    assert (turn.state, turn.reason) == ("waiting", "gathered")


# --- parents


def test_a_parents_alert_speaks_for_its_children() -> None:
    child = looked(parent=Parent("parent-alert"))
    assert (child.state, child.inhibited_by, child.told_at) == ("inhibited", "parent-alert", None)
    assert child.due_at is not None
    still = before(child, a_problem(), parent=Parent("another"))
    assert (still.state, still.inhibited_by) == ("inhibited", "another")


def test_a_child_is_told_when_it_goes_on_after_its_parent_was_resolved() -> None:
    child = looked(parent=Parent("parent-alert"))
    resolved = Parent(None, NOW + HOUR)
    later = NOW + HOUR + timedelta(minutes=1)
    quiet = before(child, a_problem(active_at=NOW + HOUR - SECOND), now=later, parent=resolved)
    assert quiet.state == "inhibited"
    told = before(child, a_problem(active_at=later), now=later, parent=resolved)
    assert (told.state, told.reason) == ("told", "first_of_group")
    turn = before(
        child, a_problem(active_at=later), now=later, parent=resolved, last=GroupTold(later, "first_of_group")
    )
    assert (turn.state, turn.reason) == ("waiting", "gathered")


def test_a_child_that_is_not_urgent_waits_for_the_digest_after_its_parent() -> None:
    recurs = an_alert("recurrence")
    child = looked(recurs, a_problem(opened_at=NOW - 90 * DAY), parent=Parent("parent-alert"))
    assert child.state == "inhibited"
    old = a_problem(opened_at=NOW - 90 * DAY, active_at=NOW + HOUR)
    free = before(child, old, now=NOW + HOUR, alert=recurs, parent=Parent(None, NOW))
    assert (free.state, free.reason) == ("waiting", "digest")


def test_a_child_whose_parent_only_fell_silent_is_told_if_it_goes_on() -> None:
    child = looked(parent=Parent("parent-alert"))
    assert before(child, a_problem(active_at=NOW), now=NOW + 11 * HOUR).state == "told"
    assert before(child, a_problem(active_at=NOW), now=NOW + 12 * HOUR).reason == "quiet"


def test_a_child_that_stays_quiet_after_its_parent_is_let_go() -> None:
    child = looked(parent=Parent("parent-alert"))
    over = before(
        child, a_problem(active_at=NOW), now=NOW + timedelta(hours=14), parent=Parent(None, NOW + HOUR)
    )
    assert (over.state, over.reason) == ("over", "quiet")


# --- a burst of what was told just before


def test_a_burst_of_the_customers_that_were_just_told_is_not_told_again() -> None:
    told = first_look(
        an_alert(), a_problem(), RULES, now=NOW, zone=SHANGHAI, last=None, earlier=Earlier(3, together=5)
    )
    assert (told.state, told.reason, told.due_at) == ("waiting", "told_already", NOW + timedelta(minutes=1))
    still = before(told, a_problem(), earlier=Earlier(3, together=5))
    assert (still.state, still.reason) == ("waiting", "told_already")
    larger = before(told, a_problem(), earlier=Earlier(3, together=6))
    assert (larger.state, larger.reason) == ("told", "first_of_group")
    over = before(told, a_problem(), now=NOW + 12 * HOUR, earlier=Earlier(3, together=5))
    assert (over.state, over.reason, over.due_at) == ("over", "told_already", None)


def test_an_alert_of_an_incident_takes_its_turn_in_the_leaders_group() -> None:
    group = Group("product", "LAMP-1")
    last = GroupTold(NOW - 40 * SECOND, "first_of_group")
    notice = first_look(
        an_alert(expertise_id="logistics"), a_problem(), RULES, now=NOW, zone=SHANGHAI, last=last, group=group
    )
    assert (notice.group, notice.state, notice.reason) == (group, "waiting", "interval")


# --- what was told


def after(
    problem: Problem,
    *,
    hours: float,
    kind: AlertKind = "recurrence",
    customers: int = 0,
    rules: Rules = RULES,
    newest: bool = True,
    notice: Notice | None = None,
) -> tuple[Notice, Escalation | None]:
    """A look so many hours after the first telling."""
    found = look_after(
        notice or looked(an_alert(kind), rules=rules),
        an_alert(kind),
        problem,
        rules,
        now=NOW + hours * HOUR,
        customers=customers,
        newest=newest,
    )
    return found.notice, found.escalation


def test_what_nobody_takes_up_is_told_again_after_twelve_hours() -> None:
    going_on = a_problem(active_at=NOW + 11 * HOUR)
    assert looked(an_alert("recurrence")).due_at == NOW + 12 * HOUR
    assert after(going_on, hours=11.9)[1] is None
    told, why = after(going_on, hours=12)
    assert (why, told.last_told_at, told.told_at) == ("unacknowledged", NOW + 12 * HOUR, NOW)
    assert told.due_at == NOW + 24 * HOUR
    assert after(a_problem("regressed", active_at=NOW + 11 * HOUR), hours=12)[1] == "unacknowledged"


@pytest.mark.parametrize("state", ["acknowledged", "silenced", "resolved"])
def test_what_people_dealt_with_is_not_told_again(state: ProblemState) -> None:
    notice, why = after(a_problem(state, active_at=NOW + 11 * HOUR), hours=12)
    assert why is None
    assert (notice.due_at is None) == (state == "resolved")


def test_what_nobody_writes_of_any_more_is_not_told_again() -> None:
    assert after(a_problem(active_at=NOW), hours=12)[1] is None
    assert after(a_problem(active_at=NOW), hours=24 * 8)[0].state == "over"


def test_what_is_not_to_be_repeated() -> None:
    going_on = a_problem(active_at=NOW + 11 * HOUR)
    assert after(going_on, hours=12, newest=False)[0].reason == "superseded"
    assert after(going_on, hours=12, rules=Rules(repeat_hours=0))[1] is None
    digest = waiting("told", reason="digest", told_at=NOW, last_told_at=NOW)
    notice, why = after(going_on, hours=12, notice=digest)
    assert (why, notice.due_at) == (None, None)


def test_a_burst_is_told_again_once_per_doubling() -> None:
    going_on = a_problem(active_at=NOW + HOUR)
    notice = looked()
    assert notice.told_customers == 8
    told: list[int] = []
    for minute, customers in enumerate([9, 15, 16, 17, 31, 32, 40, 63, 64]):
        look = look_after(
            notice, an_alert(), going_on, RULES, now=NOW + minute * SECOND, customers=customers, newest=True
        )
        notice = look.notice
        if look.escalation is not None:
            assert look.escalation == "larger"
            told.append(customers)
    assert told == [16, 32, 64]
    assert after(a_problem("silenced"), hours=1, kind="burst", customers=99)[1] is None
    assert after(a_problem("acknowledged"), hours=1, kind="burst", customers=99)[1] == "larger"
    assert after(going_on, hours=1, kind="recurrence", customers=99)[1] is None


def test_growth_is_looked_at_once_an_hour_and_a_burst_every_minute() -> None:
    going_on = a_problem(active_at=NOW + HOUR)
    assert looked(an_alert("growth")).due_at == NOW + HOUR
    assert after(going_on, hours=1, kind="growth")[0].due_at == NOW + 2 * HOUR
    assert looked(an_alert("burst")).due_at == NOW + timedelta(minutes=1)


def test_what_was_silenced_until_it_gets_worse_is_told_again_once_it_does() -> None:
    digest = waiting("told", reason="digest", told_at=NOW, last_told_at=NOW, due_at=None)
    again = woken(digest, NOW + HOUR)
    assert again.due_at == NOW + HOUR
    assert after(a_problem("silenced"), hours=1, notice=again)[1] is None
    told, why = after(a_problem(), hours=1, notice=again)
    assert (why, told.last_told_at) == ("silence_over", NOW + HOUR)
    assert after(a_problem(), hours=1, notice=told)[1] is None
    assert woken(waiting(), NOW) == waiting(), "what was not told yet waits on"


@pytest.mark.parametrize("reason", ["larger", "unacknowledged", "silence_over"])
def test_why_it_is_told_again_is_said_in_both_languages(reason: Escalation) -> None:
    words = escalation_words(reason, looked(), 17, 60)
    assert set(words) == {"zh", "en"}
    if reason == "larger":
        assert "17" in words["en"]
        assert "8" in words["zh"]


@given(st.lists(st.floats(0, 2000), min_size=1, max_size=40))
def test_no_group_is_told_more_often_than_its_interval_allows(moments: list[float]) -> None:
    """Any stream of alerts of one group: after the first two tellings, at least five minutes lie between two."""
    last: GroupTold | None = None
    pending: list[Notice] = []
    tellings: list[datetime] = []

    def tell_due(now: datetime) -> None:
        nonlocal last, pending
        due = [item for item in pending if item.due_at is not None and item.due_at <= now]
        pending = [item for item in pending if item not in due]
        for moment in sorted({item.due_at for item in due if item.due_at is not None}):
            reason = next(item.reason for item in due if item.due_at == moment)
            last = GroupTold(moment, reason)
            tellings.append(moment)

    for number, second in enumerate(sorted(moments)):
        now = NOW + timedelta(seconds=second)
        tell_due(now)
        notice = looked(an_alert(id=f"a{number}"), now=now, last=last)
        if notice.state == "told":
            last = GroupTold(now, notice.reason)
            tellings.append(now)
        else:
            pending.append(notice)
    tell_due(NOW + DAY)
    assert not pending
    gaps = [late - early for early, late in pairwise(tellings)]
    assert all(gap >= timedelta(seconds=30) for gap in gaps)
    assert all(first + second >= timedelta(seconds=300) for first, second in pairwise(gaps))
