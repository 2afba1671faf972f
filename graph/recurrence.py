"""The plain rule: several customers with one problem within the shop's window, in event time.

A verdict never depends on when an event was received: a late event counts in the windows it belongs to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from scipy.special import betainc  # type: ignore[import-untyped]

from graph.models import Evidence, Rules, Verdict

PRIOR_EVENTS = 0.5
PRIOR_WINDOWS = 1.0
"""A problem's usual count is shrunk towards half an event a window, which weighs as much as one window."""


class Observation(NamedTuple):
    """One customer's message about a problem, at its event time."""

    at: datetime
    customer_id: str | None
    event_id: str
    conversation_id: str | None = None

    @property
    def voter(self) -> tuple[str, str]:
        """Who speaks: the customer; where nobody knows them, their conversation, or this event alone."""
        if self.customer_id is not None:
            return "customer", self.customer_id
        if self.conversation_id is not None:
            return "conversation", self.conversation_id
        return "event", self.event_id


class Window(NamedTuple):
    """`start < at <= end`, with the observations inside in order of time."""

    start: datetime
    end: datetime
    observations: tuple[Observation, ...]

    @property
    def voters(self) -> int:
        return len({observation.voter for observation in self.observations})

    def reached_at(self, voters: int) -> datetime:
        """When the given number of distinct voters was first complete within the window."""
        heard: set[tuple[str, str]] = set()
        for observation in self.observations:
            heard.add(observation.voter)
            if len(heard) == voters:
                return observation.at
        raise ValueError(f"only {len(heard)} of {voters} voters in the window")


def recurrence(
    observations: Iterable[Observation],
    rules: Rules,
    *,
    now: datetime,
    already_alerted: bool,
    after: datetime | None = None,
) -> Verdict:
    """Whether a problem recurs: `rules.recurrence_customers` distinct customers within the window.

    `observations` are all of one problem, in any order; those later than `now` (event time) do not count.
    `already_alerted` tells whether this rule has fired in the open episode. `after` is the begin of the
    episode when an earlier one was resolved: what came before is history only.

    The window that ends at `now` speaks if it is full, else the latest full one, so that late events that
    complete a window of the past still count. `Verdict.at` is the moment when that window became full.
    Reasons: recurrence, already_alerted, too_few_customers.
    """
    if already_alerted:
        return Verdict(None, "already_alerted")
    past = _until(observations, now)
    current = [o for o in past if after is None or o.at >= after]
    length = timedelta(hours=rules.recurrence_window_hours)
    window = fullest(current, length, rules.recurrence_customers, now)
    if window is None:
        return Verdict(None, "too_few_customers")
    evidence = _evidence(window, [o.at for o in past if o.at <= window.start])
    return Verdict("recurrence", "recurrence", evidence, window.reached_at(rules.recurrence_customers))


def regression(
    observations: Iterable[Observation],
    rules: Rules,
    *,
    resolved_at: datetime,
    now: datetime,
) -> Verdict:
    """Whether a resolved problem is back: `rules.regression_customers` distinct customers after the grace.

    Messages within `rules.regression_grace_hours` of `resolved_at` do not count, since a remedy takes time to
    reach everyone. The customers must come within one window of the recurrence rule. Since nothing is
    expected after a resolution, `expected` is 0 and there is no p-value.
    Reasons: regression, too_few_customers.
    """
    begin = resolved_at + timedelta(hours=rules.regression_grace_hours)
    back = [o for o in _until(observations, now) if o.at > begin]
    length = timedelta(hours=rules.recurrence_window_hours)
    window = fullest(back, length, rules.regression_customers, now)
    if window is None:
        return Verdict(None, "too_few_customers")
    observed, customers = len(window.observations), window.voters
    minutes = round(length.total_seconds() / 60)
    span_en, span_zh = duration(minutes)
    day = resolved_at.date().isoformat()
    words = {
        "en": f"{_count(customers, 'customer')} in {span_en} ({_count(observed, 'message')}), although the problem "
        f"was resolved on {day} and a grace of {_hours(rules.regression_grace_hours)[0]} has passed.",
        "zh": f"{span_zh}内 {customers} 位顾客再次反映(共 {observed} 条消息);该问题已于 {day} 标记为解决,"
        f"{_hours(rules.regression_grace_hours)[1]}观察期已过。",
    }
    evidence = Evidence(observed, 0.0, customers, minutes, None, words)
    return Verdict("regression", "regression", evidence, window.reached_at(rules.regression_customers))


def fullest(
    observations: Sequence[Observation], length: timedelta, voters: int, now: datetime
) -> Window | None:
    """The window with at least `voters` distinct voters: the one ending at `now`, else the latest, else None.

    `observations` are in order of time and none is later than `now`. A window may end at any of them.
    """
    now_window = _window(observations, now, length)
    if now_window.voters >= voters:
        return now_window
    counts: Counter[tuple[str, str]] = Counter()
    first, latest = 0, None
    for observation in observations:
        counts[observation.voter] += 1
        while observations[first].at <= observation.at - length:
            leaver = observations[first].voter
            counts[leaver] -= 1
            if not counts[leaver]:
                del counts[leaver]
            first += 1
        if len(counts) >= voters:
            latest = observation.at
    return None if latest is None else _window(observations, latest, length)


def reached(
    observations: Iterable[Observation], voters: int, hours: float, now: datetime
) -> datetime | None:
    """When a window of `hours` first held `voters` distinct voters, up to `now`; None when none did."""
    past = _until(observations, now)
    length = timedelta(hours=hours)
    for last in range(len(past)):
        window = _window(past[: last + 1], past[last].at, length)
        if window.voters >= voters:
            return past[last].at
    return None


def duration(minutes: int) -> tuple[str, str]:
    """A length of time in words, English and Chinese: whole days from two on, whole hours, else minutes."""
    if minutes % 1440 == 0 and minutes >= 2880:
        return _count(minutes // 1440, "day"), f"{minutes // 1440} 天"
    if minutes % 60 == 0 and minutes >= 120:
        return _count(minutes // 60, "hour"), f"{minutes // 60} 小时"
    return _count(minutes, "minute"), f"{minutes} 分钟"
