from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

import pytest

from graph import lifecycle
from graph.alarms import STEP, Alarms
from graph.bursts import Finding
from graph.models import AlertKind, Problem
from graph.rules import Rules
from graph.sightings import voter_code

T = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
ZONE = timezone(timedelta(hours=8))
RULES = Rules()


class Said(NamedTuple):
    problem_id: str
    at: datetime
    who: str


class Told(NamedTuple):
    problem_id: str
    kind: AlertKind
    at: datetime


class Shop:
    """Problems whose alarms are stepped as the service does it: each message moves the watermark, then counts."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.rules = rules
        self.alarms = Alarms(rules, ZONE)
        self.problems: dict[str, Problem] = {}
        self.heard: list[Said] = []
        self.told: list[Told] = []
        self.watermark: datetime | None = None

    def say(self, problem_id: str, at: datetime, who: str, now: datetime | None = None) -> list[Told]:
        """One message; what is told with it. The wall clock shows the message's time unless told otherwise."""
        now = now or at
        if problem_id not in self.problems:
            self._put(Problem(problem_id, {}, "candidate", at, at, at))
        steps = self.alarms.advance(at, now)
        steps.append(self.alarms.hear(problem_id, at, voter_code("customer", who), now))
        self.heard.append(Said(problem_id, at, who))
        self.watermark = at if self.watermark is None else max(at, self.watermark)
        told = []
        for step in steps:
            self.problems[step.problem.id] = step.problem
            if step.verdict is not None and step.verdict.kind is not None and step.verdict.at is not None:
                assert step.verdict.evidence is not None
                assert set(step.verdict.evidence.words) == {"en", "zh"}
                told.append(Told(step.problem.id, step.verdict.kind, step.verdict.at))
        self.told += told
        return told

    def say_all(self, messages: Sequence[Said]) -> list[Told]:
        return [told for message in messages for told in self.say(*message)]

    def act(self, problem_id: str, action: lifecycle.Action, at: datetime, **given: Any) -> None:
        self._put(lifecycle.transition(self.problems[problem_id], action, at, **given))

    def restart(self) -> None:
        """Another process that has the messages, what was told, and the problems as they are stored."""
        self.alarms = Alarms(self.rules, ZONE, self.watermark)
        for told in self.told:
            self.alarms.tell(*told)
        for said in self.heard:
            self.alarms.recall(said.problem_id, said.at, voter_code("customer", said.who))
        if self.watermark is not None:
            self.alarms.passed(self.watermark)
        for problem in self.problems.values():
            self.alarms.put(problem)

    def _put(self, problem: Problem) -> None:
        self.problems[problem.id] = problem
        self.alarms.put(problem)


def history(days: float, problems: int = 30, hourly: float = 12.0, seed: int = 1) -> list[Said]:
    """What an even shop hears before T + days, in order of time."""
    chance = Random(seed)
    said: list[Said] = []
    at = T
    while True:
        at += timedelta(hours=chance.expovariate(hourly))
        if at >= T + days * DAY:
            return said
        said.append(Said(f"p{chance.randrange(problems)}", at, f"u{chance.randrange(10**9)}"))


def incident(problem_id: str, begin: datetime, customers: int, every: timedelta) -> list[Said]:
    return [Said(problem_id, begin + number * every, f"{problem_id}-{number}") for number in range(customers)]


def together(*streams: Sequence[Said]) -> list[Said]:
    return sorted((said for stream in streams for said in stream), key=lambda said: said.at)


def of_kind(told: Sequence[Told], *kinds: AlertKind) -> list[Told]:
    return [item for item in told if item.kind in kinds]


def bursts_of(told: Sequence[Told]) -> list[Told]:
    """Those after the shop's first days, of which nobody can say what is usual."""
    return [item for item in of_kind(told, "burst") if item.at > T + 3 * DAY]


# --- recurrence and regression


def test_the_third_customer_promotes_and_raises_a_recurrence_once() -> None:
    shop = Shop()
    assert shop.say("p", T, "a") == shop.say("p", T + HOUR, "a") == shop.say("p", T + 2 * HOUR, "b") == []
    assert shop.problems["p"].state == "candidate"
    assert shop.say("p", T + 9 * HOUR, "c") == [Told("p", "recurrence", T + 9 * HOUR)]
    known = shop.problems["p"]
    assert (known.state, known.customers, known.events) == ("open", 3, 4)
    assert (known.opened_at, known.active_at) == (T, T + 9 * HOUR)
    assert (
        of_kind([*shop.say("p", T + 11 * HOUR, "d"), *shop.say("p", T + 40 * HOUR, "e")], "recurrence") == []
    )


def test_a_late_message_that_completes_a_window_of_the_past_counts() -> None:
    shop = Shop()
    for days, who in ((0, "a"), (2, "b"), (30, "d")):
        assert shop.say("p", T + days * DAY, who) == []
    assert shop.say("p", T + DAY, "c") == [Told("p", "recurrence", T + 2 * DAY)]
    assert shop.problems["p"].active_at == T + 30 * DAY


def test_regression_counts_after_the_grace_and_begins_an_episode() -> None:
    shop = Shop()
    for number in range(3):
        shop.say("p", T + number * HOUR, f"u{number}")
    shop.act("p", "resolve", T + 10 * HOUR)
    for number in range(5):
        assert shop.say("p", T + (11 + number) * HOUR, f"v{number}") == []
    back = [shop.say("p", T + (40 + 7 * number) * HOUR, f"w{number}") for number in range(3)]
    assert back == [[], [], [Told("p", "regression", T + 54 * HOUR)]]
    known = shop.problems["p"]
    # The episode begins with the first message that made it come back, so that its customers are those of the alert.
    assert (known.state, known.episode_at, known.customers) == ("regressed", T + 40 * HOUR, 3)
    more = [told for number in range(5) for told in shop.say("p", T + (60 + 7 * number) * HOUR, f"x{number}")]
    assert of_kind(more, "recurrence", "regression") == []
    shop.act("p", "resolve", T + 100 * HOUR)
    shop.act("p", "reopen", T + 101 * HOUR)
    again = [
        told for number in range(3) for told in shop.say("p", T + (110 + 7 * number) * HOUR, f"y{number}")
    ]
    assert of_kind(again, "recurrence") == [Told("p", "recurrence", T + 124 * HOUR)]


def test_what_is_silenced_tells_nothing_until_its_silence_is_over() -> None:
    shop = Shop(Rules(recurrence_customers=5))
    for number in range(3):
        shop.say("p", T + number * HOUR, f"u{number}")
    shop.act("p", "silence", T + 3 * HOUR, until=T + 20 * HOUR)
    for number in range(6):
        assert shop.say("p", T + (4 + number) * HOUR, f"v{number}") == []
    told = shop.say("p", T + 21 * HOUR, "w")
    assert told == [Told("p", "recurrence", T + 5 * HOUR)], "dated when the window was full"
    assert shop.problems["p"].state == "open"


def test_a_silence_until_an_escalation_ends_with_it() -> None:
    shop = Shop(Rules(recurrence_customers=50))
    for number in range(3):
        shop.say("p", T + number * 12 * HOUR, f"u{number}")
    shop.act("p", "silence", T + 30 * HOUR, customers_a_day=2.0)
    states = []
    for number in range(4):
        shop.say("p", T + (60 + 2 * number) * HOUR, f"v{number}")
        states.append(shop.problems["p"].state)
    assert states == ["silenced", "silenced", "silenced", "open"]


def test_rules_hold_from_when_they_are_set() -> None:
    shop = Shop(Rules(recurrence_customers=9))
    for number in range(5):
        assert shop.say("p", T + number * 9 * HOUR, f"u{number}") == []
    shop.alarms.govern(Rules(recurrence_customers=6), ZONE)
    assert shop.say("p", T + 50 * HOUR, "u9") == [Told("p", "recurrence", T + 50 * HOUR)]


# --- bursts and growth


def test_an_incident_is_told_once_as_a_burst() -> None:
    shop = Shop()
    begin = T + 12 * DAY + 3 * HOUR
    told = shop.say_all(together(history(13), incident("new", begin, 12, timedelta(minutes=6))))
    (burst,) = bursts_of(told)
    assert burst.problem_id == "new"
    assert burst.at - begin <= timedelta(minutes=25)
    assert burst.at == min(
        b for b in (begin.replace(minute=0) + n * STEP for n in range(99)) if b >= burst.at
    )
    assert shop.problems["new"].state == "open"


def test_a_burst_that_is_over_does_not_keep_the_next_from_being_told() -> None:
    shop = Shop()
    first, second = T + 11 * DAY, T + 13 * DAY
    said = together(
        history(14),
        incident("p3", first, 15, timedelta(minutes=4)),
        [said._replace(who=f"again-{said.who}") for said in incident("p3", second, 15, timedelta(minutes=4))],
    )
    bursts = bursts_of(shop.say_all(said))
    assert [item.problem_id for item in bursts] == ["p3", "p3"]
    assert bursts[0].at < second <= bursts[1].at


def test_a_day_that_lifts_the_whole_shop_is_no_burst() -> None:
    shop = Shop()
    day = [
        said._replace(at=said.at + 12 * DAY, who=f"more-{said.who}") for said in history(1, hourly=20, seed=2)
    ]
    assert bursts_of(shop.say_all(together(history(13), day))) == []


def test_a_late_message_counts_in_windows_that_are_still_open() -> None:
    begin = T + 12 * DAY
    on_time = incident("new", begin, 4, timedelta(minutes=2))
    late = [said._replace(who=f"late-{said.who}") for said in on_time]
    after = Said("p1", begin + timedelta(minutes=21), "somebody")
    shop = Shop()
    assert bursts_of(shop.say_all([*history(12), *on_time[:2]])) == []
    assert bursts_of(shop.say_all([Said("p2", begin + timedelta(minutes=14), "x"), *late, after]))


def test_a_silenced_problem_bursts_unheard_until_the_silence_is_over() -> None:
    shop = Shop()
    begin = T + 12 * DAY
    shop.say_all(history(12))
    shop.act("p3", "silence", begin, until=begin + timedelta(minutes=59))
    bursts = bursts_of(shop.say_all(incident("p3", begin, 40, timedelta(minutes=3))))
    assert [item.at - begin for item in bursts] == [timedelta(minutes=60)]
    assert shop.problems["p3"].state == "open"


def growing(problem_id: str, days: int) -> list[Said]:
    """A problem that brings half as much again each second day."""
    chance = Random(3)
    said = []
    for day in range(days):
        for number in range(round(8 * 1.2**day)):
            at = T + (36 + day) * DAY + chance.random() * DAY
            said.append(Said(problem_id, at, f"{problem_id}-{day}-{number}"))
    return sorted(said, key=lambda item: item.at)


def test_growth_that_is_found_while_a_problem_is_silenced_is_told_after_the_silence() -> None:
    said = together(history(46, problems=30, hourly=8.0), growing("p3", 10))
    plain = Shop()
    plain.say_all(said)
    (first,) = [item for item in of_kind(plain.told, "growth") if item.problem_id == "p3"]
    silent = [item for item in said if item.at < first.at - DAY]
    shop = Shop()
    shop.say_all(silent)
    shop.act("p3", "silence", shop.watermark or T, until=first.at + DAY)
    rest = said[len(silent) :]
    half = sum(item.at < first.at + DAY / 2 for item in rest)
    shop.say_all(rest[:half])
    assert of_kind(shop.told, "growth") == []
    shop.restart()
    (told,) = [item for item in of_kind(shop.say_all(rest[half:]), "growth") if item.problem_id == "p3"]
    assert first.at + DAY <= told.at <= first.at + 2 * DAY
    # What was told is not told again by a process that starts anew.
    shop.restart()
    again = Said("p3", said[-1].at + timedelta(hours=1), "again")
    assert of_kind(shop.say_all([again, Said("p3", again.at + DAY, "another")]), "growth") == []


def test_a_resolved_problem_tells_a_regression_and_no_burst_before_it() -> None:
    shop = Shop()
    begin = T + 12 * DAY
    shop.say_all(history(12))
    shop.act("p3", "resolve", begin - 2 * HOUR)
    assert shop.say_all(incident("p3", begin, 40, timedelta(minutes=3))) == []


def test_a_jump_of_years_judges_only_what_can_have_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    shop.say("p", T, "a")
    judged: list[datetime] = []

    def judge(boundary: datetime, *_: object) -> list[Finding]:
        judged.append(boundary)
        return []

    monkeypatch.setattr(shop.alarms._watch, "judge", judge)
    shop.say("p", T + 2000 * DAY, "b")
    assert judged == [T + n * STEP for n in range(73)]
    shop.say("p", T + 2000 * DAY - HOUR, "late")
    assert len(judged) == 73


def test_windows_close_with_the_clock_when_nobody_writes() -> None:
    shop = Shop()
    begin = T + 12 * DAY
    said = together(history(12), incident("new", begin, 4, timedelta(minutes=1)))
    assert bursts_of(shop.say_all(said)) == []
    assert not shop.alarms.waits(begin + timedelta(minutes=4))
    clock = begin + timedelta(minutes=5, seconds=1)
    assert shop.alarms.waits(clock)
    (step,) = shop.alarms.advance(clock, clock)
    assert step.verdict is not None
    assert (step.problem.id, step.verdict.kind) == ("new", "burst")
    assert not shop.alarms.waits(clock + DAY)
    assert bursts_of(shop.say("p1", clock + HOUR, "x")) == []


# --- the same, however it comes


def eventful(seed: int) -> list[Said]:
    """Two weeks with incidents, some of it late by up to two hours."""
    chance = Random(seed)
    said = together(
        history(14, hourly=6, seed=seed),
        incident("new", T + 9 * DAY + 5 * HOUR, 14, timedelta(minutes=5)),
        incident("p3", T + 11 * DAY, 25, timedelta(minutes=3)),
        incident("p4", T + 13 * DAY, 12, timedelta(minutes=20)),
    )
    arrival = [(item.at + chance.choice([0, 0, 0, 0, 1]) * chance.random() * 2 * HOUR, item) for item in said]
    return [item for _, item in sorted(arrival)]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_restart_anywhere_changes_nothing_that_is_told(seed: int) -> None:
    said = eventful(seed)
    chance = Random(seed)
    whole = Shop()
    whole.say_all(said)
    assert {"p3", "new"} <= {item.problem_id for item in bursts_of(whole.told)}
    broken = Shop()
    middle = [place for place, item in enumerate(said) if item.problem_id in ("new", "p3")]
    restarts = {*chance.sample(range(len(said)), 6), *chance.sample(middle, 6)}
    for place, item in enumerate(said):
        if place in restarts:
            broken.restart()
        broken.say(*item)
    assert broken.told == whole.told
    assert broken.problems == whole.problems


def test_a_restart_knows_every_burst_of_the_past_and_when_it_ended() -> None:
    """Of two bursts of one problem the first was forgotten, and what it brought became usual."""
    shop = Shop()
    days = [T + day * DAY for day in (9, 11)]
    told = [incident("p3", day, 15, timedelta(minutes=4)) for day in days]
    renamed = [
        [said._replace(who=f"{said.who}-{number}") for said in each] for number, each in enumerate(told)
    ]
    shop.say_all(together(history(14), *renamed))
    assert len(bursts_of(shop.told)) == 2
    ended = dict(shop.alarms._watch._left_out)
    assert len(ended["p3"]) == 2
    shop.restart()
    assert shop.alarms._watch._left_out == ended
    assert shop.alarms._watch.lasting == 0


def test_two_processes_that_take_turns_tell_what_one_would() -> None:
    said = eventful(5)
    alone = Shop()
    alone.say_all(said)
    one, other = Shop(), Shop()
    other.problems, other.heard, other.told = one.problems, one.heard, one.told
    begin = 0
    for turn, end in enumerate([*range(40, len(said), 40), len(said)]):
        serving, following = (one, other) if turn % 2 else (other, one)
        before = len(serving.told)
        serving.say_all(said[begin:end])
        following.watermark = serving.watermark
        for told in serving.told[before:]:
            following.alarms.tell(*told)
        for item in said[begin:end]:
            following.alarms.recall(item.problem_id, item.at, voter_code("customer", item.who))
        if serving.watermark is not None:
            following.alarms.passed(serving.watermark)
        for problem in serving.problems.values():
            following.alarms.put(problem)
        begin = end
    assert one.told == alone.told


def test_a_merge_brings_what_was_heard_and_told() -> None:
    shop = Shop()
    for number in range(3):
        shop.say("old", T + number * 9 * HOUR, f"u{number}")
    for number in range(2):
        shop.say("kept", T + (30 + number) * HOUR, f"v{number}")
    shop.alarms.merge("old", "kept")
    assert shop.alarms.problem("old") is None
    shop.act("kept", "acknowledge", T + 33 * HOUR)
    assert shop.say("kept", T + 34 * HOUR, "w") == [], "the recurrence was told already"
    assert (shop.problems["kept"].customers, shop.problems["kept"].events) == (6, 6)
    assert shop.problems["kept"].opened_at == T


def test_messages_that_were_moved_are_judged_where_they_are_now() -> None:
    shop = Shop()
    for number, problem_id in enumerate(("one", "two", "two")):
        shop.say(problem_id, T + number * HOUR, f"u{number}")
    shop.alarms.recount("two", [(T + n * HOUR, voter_code("customer", f"u{n}")) for n in range(3)])
    shop.alarms.recount("one", [])
    step = shop.alarms.look("two", T + 3 * HOUR)
    assert step is not None
    assert step.verdict is not None
    assert step.verdict.kind == "recurrence"
    assert (step.problem.state, step.problem.opened_at) == ("open", T)
    assert [(before.state, after.state) for before, after in step.turns] == [("candidate", "open")]
    assert shop.alarms.look("one", T + 3 * HOUR) is None
    shop.alarms.forget("two")
    assert shop.alarms.problem("two") is None


def test_another_calendar_keeps_what_was_heard() -> None:
    shop = Shop()
    begin = T + 12 * DAY
    shop.say_all(together(history(12), incident("p3", begin - 2 * HOUR, 12, timedelta(minutes=5))))
    (burst,) = bursts_of(shop.told)
    shop.alarms.govern(replace(RULES, promotion_days=("2026-03-01",)), UTC)
    more = [Said("p3", begin + n * timedelta(minutes=5), f"z{n}") for n in range(12)]
    assert bursts_of(shop.say_all(more)) == [], f"{burst} lasts"
