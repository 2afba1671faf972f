"""The plain rule: several customers with one problem within the shop's window, in event time.

A verdict never depends on when an event was received: a late event counts in the windows it belongs to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from scipy.special import betainc  # type: ignore[import-untyped]

from graph.models import Evidence, Verdict
from graph.rules import Rules

PRIOR_EVENTS = 0.5
PRIOR_WINDOWS = 1.0
"""A problem's usual count is shrunk towards half an event a window, which weighs as much as one window."""
_CHANCES = (
    (1e-6, "hardly by chance: less than once in a million", "极不可能是偶然：百万分之一以下"),
    (1e-4, "hardly by chance: less than once in ten thousand", "极不可能是偶然：万分之一以下"),
    (1e-3, "hardly by chance: less than once in a thousand", "极不可能是偶然：千分之一以下"),
    (0.01, "hardly by chance: less than 1%", "不太可能是偶然：1% 以下"),
    (0.05, "unlikely by chance: less than 5%", "不太可能是偶然：5% 以下"),
)
"""How likely chance alone is, below which it is told so."""


class Spoken(Protocol):
    """A customer's message of a problem: when, by event time, and by whom."""

    @property
    def at(self) -> datetime: ...
    @property
    def voter(self) -> Hashable: ...


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
    observations: tuple[Spoken, ...]

    @property
    def voters(self) -> int:
        return len({observation.voter for observation in self.observations})

    def reached_at(self, voters: int) -> datetime:
        """When the given number of distinct voters was first complete within the window."""
        heard: set[Hashable] = set()
        for observation in self.observations:
            heard.add(observation.voter)
            if len(heard) == voters:
                return observation.at
        raise ValueError(f"only {len(heard)} of {voters} voters in the window")


def recurrence(
    observations: Iterable[Spoken],
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
    window = latest_full(current, length, rules.recurrence_customers, now)
    if window is None:
        return Verdict(None, "too_few_customers")
    evidence = _evidence(window, [o.at for o in past if o.at <= window.start])
    return Verdict("recurrence", "recurrence", evidence, window.reached_at(rules.recurrence_customers))


def regression(
    observations: Iterable[Spoken],
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
    window = latest_full(back, length, rules.regression_customers, now)
    if window is None:
        return Verdict(None, "too_few_customers")
    observed, customers = len(window.observations), window.voters
    minutes = round(length.total_seconds() / 60)
    span_en, span_zh = duration(minutes)
    grace_en, grace_zh = duration(round(rules.regression_grace_hours * 60))
    day = resolved_at.date().isoformat()
    words = {
        "en": f"{_count(customers, 'customer')} in {span_en} ({_count(observed, 'message')}), more than "
        f"{grace_en} after the problem was resolved on {day}; none expected.",
        "zh": f"{span_zh}内 {customers} 位顾客再次反映（共 {observed} 条消息）；该问题已于 {day} 标记解决，"
        f"且已过 {grace_zh}宽限期，本不应再出现。",
    }
    evidence = Evidence(observed, 0.0, customers, minutes, None, words)
    at, begin = window.reached_at(rules.regression_customers), window.observations[0].at
    return Verdict("regression", "regression", evidence, at, begin)


def latest_full(
    observations: Sequence[Spoken], length: timedelta, voters: int, now: datetime
) -> Window | None:
    """The window with at least `voters` distinct voters: the one ending at `now`, else the latest, else None.

    `observations` are in order of time and none is later than `now`. A window may end at any of them.
    """
    latest = _window(observations, now, length)
    if latest.voters >= voters:
        return latest
    ends = [end for end, count in _voters_by_end(observations, length) if count >= voters]
    return _window(observations, ends[-1], length) if ends else None


def reached(observations: Iterable[Spoken], voters: int, hours: float, now: datetime) -> datetime | None:
    """When a window of `hours` first held `voters` distinct voters, up to `now`; None when none did."""
    counts = _voters_by_end(_until(observations, now), timedelta(hours=hours))
    return next((end for end, count in counts if count >= voters), None)


def duration(minutes: int) -> tuple[str, str]:
    """A length of time in words, English and Chinese: whole days from two on, whole hours, else minutes."""
    if minutes % 1440 == 0 and minutes >= 2880:
        return f"{minutes // 1440} days", f"{minutes // 1440} 天"
    if minutes % 60 == 0 and minutes >= 120:
        return f"{minutes // 60} hours", f"{minutes // 60} 小时"
    return _count(minutes, "minute"), f"{minutes} 分钟"


def _until(observations: Iterable[Spoken], now: datetime) -> list[Spoken]:
    return sorted((o for o in observations if o.at <= now), key=lambda o: o.at)


def _window(observations: Sequence[Spoken], end: datetime, length: timedelta) -> Window:
    start = end - length
    return Window(start, end, tuple(o for o in observations if start < o.at <= end))


def _voters_by_end(observations: Sequence[Spoken], length: timedelta) -> Iterator[tuple[datetime, int]]:
    """The number of distinct voters in the window that ends at each observation, in order of time."""
    counts: Counter[Hashable] = Counter()
    first = 0
    for observation in observations:
        counts[observation.voter] += 1
        while observations[first].at <= observation.at - length:
            leaver = observations[first].voter
            counts[leaver] -= 1
            if not counts[leaver]:
                del counts[leaver]
            first += 1
        yield observation.at, len(counts)


def _evidence(window: Window, history: Sequence[datetime]) -> Evidence:
    """The count of a window against the problem's own usual one, from the times of its earlier messages.

    The usual rate is Gamma distributed with half an event a window as the prior, so the count to expect is
    negative binomial; `p_value` is its upper tail. Both are None while the history is shorter than one window.
    """
    length = window.end - window.start
    observed, customers = len(window.observations), window.voters
    windows = (window.start - history[0]) / length if history else 0.0
    shape = PRIOR_EVENTS + max(len(history) - 1, 0)  # the first message starts the clock, so it is no count
    rate = PRIOR_WINDOWS + windows
    p_value = float(betainc(observed, shape, 1 / (rate + 1))) if windows >= 1 else None
    minutes = round(length.total_seconds() / 60)
    words = _words(observed, customers, shape / rate, minutes, p_value)
    expected = shape / rate if p_value is not None else None  # the prior alone says nothing of this problem
    return Evidence(observed, expected, customers, minutes, p_value, words)


def _words(
    observed: int, customers: int, expected: float, minutes: int, p_value: float | None
) -> dict[str, str]:
    span_en, span_zh = duration(minutes)
    english = f"{_count(customers, 'customer')} in {span_en} ({_count(observed, 'message')})"
    chinese = f"{span_zh}内 {customers} 位顾客反映（共 {observed} 条消息）"
    if p_value is None:
        return {
            "en": f"{english}; the problem is too new to say what is usual.",
            "zh": f"{chinese}；问题出现不久，尚无可比的历史。",
        }
    figures = f"{expected:.1f}", f"{observed / expected:.1f}"
    by_chance_en, by_chance_zh = by_chance(p_value)
    return {
        "en": "{}, expected {} messages ({}×); {}.".format(english, *figures, by_chance_en),
        "zh": "{}，按以往预计 {} 条（{} 倍）；{}。".format(chinese, *figures, by_chance_zh),
    }


def by_chance(p: float) -> tuple[str, str]:
    """In words how likely chance alone brings as much, English and Chinese; the figure itself is the alert's
    `p_value`."""
    for limit, english, chinese in _CHANCES:
        if p < limit:
            return english, chinese
    share = f"{min(p, 0.99):.0%}"
    return f"perhaps by chance: {share}", f"可能出于偶然：{share}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
