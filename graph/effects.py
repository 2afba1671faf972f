"""What a change brought: the counts of its problem before and after, set against those of all other problems.

Difference in differences on counts: what happened to the rest of the shop in the same days, promotion, holiday or
growth, is expected of the problem too, and what is left is the change's. The logarithm of that ratio is taken as
normal with the variance of four Poisson counts, widened by how much the problem's days and weeks scatter beyond
Poisson (quasi-Poisson; McCullagh and Nelder, Generalized Linear Models, 1989, chapters 6 and 9).

What is proposed stood out when it was chosen, and part of that is chance which would have passed by itself: the time
before is therefore counted over eight weeks, of which the choice saw four. Figures are looked at three times, after
two, four and eight weeks, and each interval allows for all three looks, so that the error stays what it says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtri, stdtrit  # type: ignore[import-untyped]

EffectMetric: TypeAlias = Literal["contacts", "handled_by_people", "transfers", "reopened", "unanswered"]
"""What of a problem's cases is counted, less of it being better: all of them; those that a person dealt with; those
passed from one person to another; those that came back within 72 h of being resolved. Of a gap that is of no problem:
its questions that got no good answer."""
EffectVerdict: TypeAlias = Literal["too_early", "better", "no_difference", "worse"]
EffectSource: TypeAlias = Literal["before_and_after", "trial"]

BEFORE = timedelta(days=56)
LOOKS = (14, 28, 56)
"""Days after the decision at which the counts are judged; after the last one they stand."""
LEAST_EXPECTED = 8.0
"""Cases that would have come without the change, below which nothing is said."""
LEAST_BEFORE = 8
JUDGEMENT = 4.0
"""Changes that a judgement of what such changes end counts for."""
_TAIL = 1 - 0.05 / len(LOOKS) / 2
"""The quantile of an interval that holds at all three looks with 95%."""
_Z = float(ndtri(_TAIL))
_DAY = timedelta(days=1)
_WEEK = 7

_METRIC_WORDS: Mapping[EffectMetric, tuple[str, str]] = {
    "contacts": ("咨询", "contacts"),
    "handled_by_people": ("需要人工处理的咨询", "contacts that a person dealt with"),
    "transfers": ("转交的咨询", "cases passed on"),
    "reopened": ("重新提出的咨询", "cases that came back"),
    "unanswered": ("没有满意答复的提问", "questions without a good answer"),
}
_OTHERS: Mapping[EffectMetric, tuple[str, str]] = {"unanswered": ("其他提问", "all other questions")}
"""What the course is of that is expected of these too; of all other problems where it is not told here."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a change is expected to save: so many of `metric` a week, with bounds, the hours of handling that go with
    them where handling times are known, and the same in words per language."""

    metric: EffectMetric
    per_week: float
    low: float
    high: float
    hours: float | None
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Effect:
    """What was measured of a change. `before` and `after` are counts over `days_before` and `days` days; `expected`
    is the count that would have come after without it. `change` is counts a week more than expected, with bounds
    (None while nothing can be said); `ratio` is `after` by `expected`.

    Of a trial the metric is the trial's, `before` and `after` are the units in control and treatment, `expected` is
    the mean in control, `change` the difference with the bounds that hold at every look, and `ratio` is None.
    """

    metric: str
    verdict: EffectVerdict
    days_before: int
    days: int
    before: int
    after: int
    expected: float
    change: float | None
    low: float | None
    high: float | None
    ratio: float | None
    measured_at: datetime
    words: Mapping[str, str] = field(default_factory=dict)
    source: EffectSource = "before_and_after"


@dataclass(frozen=True, slots=True)
class DayCount:
    """What came in on one day, counted from the decision: day 0 begins with it, day -1 ends with it."""

    day: int
    hits: int
    others: int
    """The same count over all other problems."""


def expected_saving(
    metric: EffectMetric,
    weekly: tuple[float, float, float],
    share: tuple[float, float, float],
    seconds: float | None,
) -> Expected:
    """A share of what comes in a week, both as (value, low, high); `seconds` are what people work on one.

    The bounds multiply both lows and both highs, which is wider than 95%.
    """
    per_week, low, high = (max(0.0, count * part) for count, part in zip(weekly, share, strict=True))
    hours = per_week * seconds / 3600 if seconds is not None else None
    zh, en = _METRIC_WORDS[metric]
    spent = "" if hours is None else f"，约合 {hours:.1f} 小时处理时间"
    took = "" if hours is None else f", about {hours:.1f} hours of handling"
    return Expected(
        metric,
        round(per_week, 2),
        round(low, 2),
        round(high, 2),
        None if hours is None else round(hours, 2),
        {
            "zh": f"预计每周减少约 {per_week:.1f} 件{zh}（{low:.1f}–{high:.1f}）{spent}。",
            "en": f"Expected to save about {per_week:.1f} {en} a week ({low:.1f} to {high:.1f}){took}.",
        },
    )


def learned_share(judged: tuple[float, float, float], ratios: Sequence[float]) -> tuple[float, float, float]:
    """A judged share of what a kind of change ends, with its bounds, moved by what such changes were measured to leave
    (`ratio` of their effects). The judgement counts for four changes; the bounds draw nearer as more are known."""
    if not ratios:
        return judged
    value, low, high = judged
    ended = [min(1.0, max(0.0, 1 - ratio)) for ratio in ratios]
    moved = (JUDGEMENT * value + sum(ended)) / (JUDGEMENT + len(ended))
    narrower = math.sqrt(JUDGEMENT / (JUDGEMENT + len(ended)))
    return moved, max(0.0, moved - narrower * (value - low)), min(1.0, moved + narrower * (high - value))


def weekly_rate(count: int, days: float) -> tuple[float, float, float]:
    """A count over so many days as a weekly rate with its exact Poisson interval (Garwood 1936)."""
    weeks = days / _WEEK
    low = float(chdtri(2 * count, 0.975)) / 2 if count else 0.0
    high = float(chdtri(2 * (count + 1), 0.025)) / 2
    return count / weeks, low / weeks, high / weeks


def look(days: int) -> int | None:
    """The last look that was passed so many whole days after a decision; None before the first."""
    return next((at for at in reversed(LOOKS) if days >= at), None)


def measured(metric: EffectMetric, counts: Sequence[DayCount], decided_at: datetime, now: datetime) -> Effect:
    """What the days around a decision say. `now` is the event time up to which everything is known.

    `counts` need not name days on which nothing came. The eight weeks before count as far back as anything came to
    the shop.
    """
    whole = max(0, (now - decided_at) // _DAY)
    passed = look(whole)
    days = passed if passed is not None else whole
    known = [item for item in counts if -(BEFORE // _DAY) <= item.day < days]
    days_before = max(0, -min((item.day for item in known), default=0))
    treated, control = _table(known, days_before, days)
    before, after = int(treated[:days_before].sum()), int(treated[days_before:].sum())
    rest_before, rest_after = int(control[:days_before].sum()), int(control[days_before:].sum())
    grown = (rest_after + 0.5) / (rest_before + 0.5)
    would = before * grown
    plain = (before, after, would, days_before, days)
    if passed is None or days_before < _WEEK * 2:
        return _effect(metric, "too_early", plain, now)
    if before < LEAST_BEFORE or would < LEAST_EXPECTED or rest_before < LEAST_BEFORE:
        return _effect(metric, "too_early", plain, now)
    ratio = (after + 0.5) / (would + 0.5)
    scatter, quantile = _scatter(treated, control, days_before)
    variance = 1 / (after + 0.5) + 1 / (before + 0.5) + 1 / (rest_after + 0.5) + 1 / (rest_before + 0.5)
    half = quantile * math.sqrt(scatter * variance)
    low, high = ratio * math.exp(-half), ratio * math.exp(half)
    verdict: EffectVerdict = "better" if high < 1 else "worse" if low > 1 else "no_difference"
    return _effect(metric, verdict, plain, now, (ratio, low, high))


def _table(
    counts: Sequence[DayCount], days_before: int, days: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The counts by day, first the days before: those of the problem and those of all others."""
    treated = np.zeros(days_before + days)
    control = np.zeros(days_before + days)
    for item in counts:
        treated[days_before + item.day] += item.hits
        control[days_before + item.day] += item.others
    return treated, control


def _scatter(
    treated: NDArray[np.float64], control: NDArray[np.float64], days_before: int
) -> tuple[float, float]:
    """How many times more the problem's counts scatter than Poisson, the shop's own course taken out, at least 1; and
    the quantile that goes with it, which is Student's where the scatter was estimated.

    Pearson's statistic over days, and over weeks, each by its degrees of freedom, and whichever is wider: an incident
    that lasts for days shows in the weeks alone.
    """
    found = [(1.0, _Z)]
    spans = (treated[:days_before], control[:days_before]), (treated[days_before:], control[days_before:])
    for length in (1, _WEEK):
        told = [_pearson(hits, others, length) for hits, others in spans]
        freedom = sum(blocks - 1 for _, blocks in told if blocks)
        if freedom > 0:
            scatter = sum(statistic for statistic, _ in told) / freedom
            if scatter > 1:
                found.append((scatter, float(stdtrit(freedom, _TAIL))))
    return max(found, key=lambda item: item[0] * item[1] ** 2)


def _pearson(hits: NDArray[np.float64], others: NDArray[np.float64], length: int) -> tuple[float, int]:
    """Pearson's statistic of the problem's share in blocks of so many days, and how many blocks it is over."""
    whole = len(hits) // length * length
    if whole < 2 * length:
        return 0.0, 0
    seen = hits[-whole:].reshape(-1, length).sum(axis=1)
    total = seen + others[-whole:].reshape(-1, length).sum(axis=1)
    share = float(seen.sum() / max(float(total.sum()), 1.0))
    usual = total * share
    fit = usual > 0
    if share >= 1 or not fit.any():
        return 0.0, 0
    statistic = ((seen[fit] - usual[fit]) ** 2 / (usual[fit] * (1 - share))).sum()
    return float(statistic), int(fit.sum())


def _effect(
    metric: EffectMetric,
    verdict: EffectVerdict,
    counts: tuple[int, int, float, int, int],
    now: datetime,
    ratio: tuple[float, float, float] | None = None,
) -> Effect:
    before, after, would, days_before, days = counts
    weeks = days / _WEEK
    # The bounds of the ratio are those of what came by what would have come.
    change = None if ratio is None else tuple((part - 1) * would / weeks for part in ratio)
    return Effect(
        metric=metric,
        verdict=verdict,
        days_before=days_before,
        days=days,
        before=before,
        after=after,
        expected=round(would, 2),
        change=None if change is None else round(change[0], 2),
        low=None if change is None else round(change[1], 2),
        high=None if change is None else round(change[2], 2),
        ratio=None if ratio is None else round(ratio[0], 4),
        measured_at=now,
        words=_words(metric, verdict, counts, ratio, change),
    )


def _words(
    metric: EffectMetric,
    verdict: EffectVerdict,
    counts: tuple[int, int, float, int, int],
    ratio: tuple[float, float, float] | None,
    change: tuple[float, ...] | None,
) -> dict[str, str]:
    before, after, would, days_before, days = counts
    zh, en = _METRIC_WORDS[metric]
    if ratio is None or change is None:
        return {
            "zh": f"尚无法判断：决定后 {days} 天有 {after} 件{zh}，之前 {days_before} 天有 {before} 件；"
            f"至少需要 {LOOKS[0]} 天和足够的数量。",
            "en": f"Too early to say: {after} {en} in {days} days since, {before} in the {days_before} days before; "
            f"it takes {LOOKS[0]} days and enough of them.",
        }
    beside_zh, beside_en = _OTHERS.get(metric, ("其他问题", "all other problems"))
    told = {
        "better": ("有效", "It helped"),
        "no_difference": ("没有可确认的差异", "No difference can be told"),
        "worse": ("变差", "It got worse"),
    }[verdict if verdict != "too_early" else "no_difference"]
    much = abs(ratio[0] - 1)
    more = ratio[0] >= 1
    return {
        "zh": f"{told[0]}：决定后 {days} 天有 {after} 件{zh}，按{beside_zh}同期的变化本应有 {would:.1f} 件，"
        f"{'多' if more else '少'} {much:.0%}；每周 {change[0]:+.1f} 件（{change[1]:+.1f} 至 {change[2]:+.1f}）。",
        "en": f"{told[1]}: {after} {en} in {days} days since, {would:.1f} expected by the course of {beside_en}, "
        f"{much:.0%} {'more' if more else 'fewer'}; {change[0]:+.1f} a week "
        f"({change[1]:+.1f} to {change[2]:+.1f}).",
    }
