"""Baselines: how many customers a problem usually brings, as a share of what the whole shop brings.

μ = share of the problem × what the shop's rhythm lets expect × how far the shop is lifted. A share is the problem's
customers over the shop's volume since it was first heard, with a 28-day decay and without the periods of its bursts,
shrunk towards what problems of their first day bring: gamma before and after, so that counts are negative binomial.
The unsureness about a share and the scatter of counts around it make one dispersion.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from heapq import nlargest
from typing import TypeAlias

import numpy as np

from graph.forecasting import basis_of, dispersions, recent_part
from graph.headcounts import HOUR, Headcounts
from graph.rhythm import DAY, Floats, fit

HALF_LIFE = 28.0
"""Days after which a customer counts half in a share."""
KEPT_DAYS = 56
SETTLING = 6
"""The last hours before a baseline teach nothing, since a burst may have begun in them and not be told yet."""
RECENT_DAYS = 4
RECENT_PRIOR = 5.0
"""The last days count for themselves where they brought more, shrunk to the share by so many customers."""
UNKNOWN_PROBLEM = 0.02
"""Customers an hour of a problem of which nothing is known, in a shop of which nothing is known."""
LEAST_VOLUME = 1.0
"""Customers an hour of such a shop at least."""
NEW_CUSTOMERS = 0.3
"""Further customers that a problem brings in the day after its first; weighs as much as NEW_PROBLEMS problems."""
NEW_PROBLEMS = 20.0
NEW_SHAPE = 0.5
"""The shape of the gamma distribution of new problems' shares: most are never heard again, a few every hour."""
OUTWEIGHED = 2.0
"""After so many customers of its own, what new problems bring counts half for a problem."""
_NEW_AT_MOST = 1500
_AFTER_DAYS = 7
"""What is first heard in the first days of all history was most likely there before."""
_SCATTERED = 20
"""Problems from which the scatter of counts is learned: the largest."""
_SCATTER_DAYS = {1: 5, 6: 21, 24: 42}
"""Days from which the scatter of windows of so many hours is learned: some thousand counts in all."""
UNTRIED = 0.15

Period: TypeAlias = tuple[int, int]
"""Begin and end in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Share:
    """Gamma distributed: `mean` of the shop's volume, `shape` in customers' worth of evidence."""

    mean: float
    shape: float


@dataclass(frozen=True, slots=True)
class Volume:
    """What the whole shop is expected to bring in a window; `ordinary` is without declared promotions."""

    expected: float
    ordinary: float


class Baseline:
    """What is usual on one day of the shop, from what was heard before it began. Shares are found when asked for."""

    def __init__(
        self,
        heads: Headcounts,
        day_begin: int,
        zone: tzinfo,
        promotions: Collection[date],
        left_out: Mapping[str, Sequence[Period]],
    ) -> None:
        """`day_begin` is in seconds since 1970, `left_out` holds the periods of bursts by problem."""
        self._heads = heads
        self._left_out = left_out
        self.day_begin = day_begin
        self._now = day_begin // HOUR
        first = heads.first_hour
        self._start = max(self._now - KEPT_DAYS * DAY, self._now if first is None else first)
        self.volumes = heads.volumes(self._start, self._now)
        age = np.arange(len(self.volumes), 0, -1) / DAY
        self._weights: Floats = np.exp2(-age / HALF_LIFE)
        self._weighed = np.concatenate([[0.0], np.cumsum(self._weights * self.volumes)])
        self.known = self._foresee(zone, promotions)
        self._shares: dict[str, Share] = {}
        self.new = self._new_problems()
        self.scatter = self._scatter()

    # --- the shop

    def volume(self, begin: int, end: int) -> Volume:
        """What the shop is expected to bring between two seconds of this day, or a little before it."""
        return Volume(
            self._along(self._expected, end) - self._along(self._expected, begin),
            self._along(self._ordinary, end) - self._along(self._ordinary, begin),
        )

    def daily_volumes(self, days: int) -> list[float]:
        """What the shop brought in each of the last days, in order of time."""
        kept = self.volumes[max(0, len(self.volumes) - days * DAY) :]
        padded = np.concatenate([np.zeros(days * DAY - len(kept)), kept])
        return [float(total) for total in padded.reshape(days, DAY).sum(1)]

    def level_before(self, days: int) -> float:
        """The mean of a day before the last `days`, 0 where there is none."""
        before = self.volumes[: max(0, len(self.volumes) - days * DAY)]
        return float(before.mean()) * DAY if len(before) else 0.0

    def _foresee(self, zone: tzinfo, promotions: Collection[date]) -> bool:
        """Lay out the hours of the day; whether history was enough to know them."""
        self._from = self._now - DAY
        hours = np.arange(self._from, self._now + 2 * DAY, dtype=np.int64)
        start, counts = recent_part(self._start, self.volumes[:, None])
        basis = basis_of(counts)
        if basis == "no_history":
            before = self._now * HOUR
            problems = sum(self._heads.first(item) <= before for item in self._heads)
            heard = float(counts.mean()) if len(counts) else 0.0
            level = max(LEAST_VOLUME, UNKNOWN_PROBLEM * problems, heard)
            expected = ordinary = np.full(len(hours), level)
            self.level = level
        else:
            rhythm = fit(start, counts, zone, promotions=promotions, by_week=basis == "seasonal")
            expected = rhythm.expected(hours, recent=False)[0]
            by_promotion = np.isin(_local_days(hours, zone), sorted(rhythm.promotions))
            ordinary = expected / np.where(by_promotion, rhythm.promotion_effect, 1.0)
            self.level = max(float(rhythm.level[0]), 1e-6)
        self._expected = np.concatenate([[0.0], np.cumsum(expected)]).tolist()
        self._ordinary = np.concatenate([[0.0], np.cumsum(ordinary)]).tolist()
        return basis != "no_history"

    def _along(self, sums: list[float], second: int) -> float:
        hours = (second - self._from * HOUR) / HOUR
        place = min(max(int(hours), 0), len(sums) - 2)
        return sums[place] + (sums[place + 1] - sums[place]) * (hours - place)

    # --- one problem

    def share(self, problem_id: str) -> Share:
        """What share of the shop's volume a problem brings."""
        known = self._shares.get(problem_id)
        if known is None:
            known = self._shares[problem_id] = self._lately(
                problem_id, self.share_until(problem_id, self._now - SETTLING)
            )
        return known

    def _lately(self, problem_id: str, share: Share) -> Share:
        """The share of the last days where it is the larger one: what grows slowly makes no burst every day."""
        last = self._now - SETTLING
        first = max(self._start, last - RECENT_DAYS * DAY)
        heard = self._heads.spells(problem_id, first * HOUR, last * HOUR)
        if len(heard) < 2:
            return share
        kept = np.ones(len(heard), dtype=bool)
        volume = float(self.volumes[first - self._start : last - self._start].sum())
        for begin, end in self._periods(problem_id, first, last):
            kept &= (heard < begin) | (heard >= end)
            volume -= float(self.volumes[begin - self._start : end - self._start].sum())
        shape = RECENT_PRIOR + float(kept.sum())
        mean = shape / (RECENT_PRIOR / share.mean + max(0.0, volume))
        return Share(mean, min(shape, share.shape)) if mean > share.mean else share

    def share_until(self, problem_id: str, hour: int) -> Share:
        """The same, from the hours before `hour` alone. The first customer starts the clock, so is no count."""
        prior = self.new
        count, volume = 0.0, 0.0
        heard = self._heads.spells(problem_id, self._start * HOUR, hour * HOUR)
        if len(heard):
            first = int(heard[0])
            weights = self._weights[heard - self._start].copy()
            weights[0] = 0.0
            counted = self._weighed[hour - self._start] - self._weighed[first - self._start]
            for begin, end in self._periods(problem_id, first, hour):
                weights[(heard >= begin) & (heard < end)] = 0.0
                counted -= self._weighed[end - self._start] - self._weighed[begin - self._start]
            count, volume = float(weights.sum()), max(0.0, float(counted))
        # Shares have a heavier tail than a gamma distribution: the more was heard, the less a new problem's tells.
        before = prior.shape / prior.mean * OUTWEIGHED / (OUTWEIGHED + count)
        return Share((prior.shape + count) / (before + volume), prior.shape + count)

    def days_of(self, problem_id: str, days: int) -> list[bool]:
        """On which of the last days a problem had a burst, in order of time."""
        first = self._now - days * DAY
        found = [False] * days
        for begin, end in self._periods(problem_id, first, self._now):
            for hour in range(begin, end):
                found[(hour - first) // DAY] = True
        return found

    def forget(self, problem_id: str) -> None:
        """A problem's past has changed: its share is to be found anew."""
        self._shares.pop(problem_id, None)

    def _periods(self, problem_id: str, first: int, last: int) -> list[Period]:
        """What of a problem's past is left out between two hours: whole hours, joined where they overlap."""
        joined: list[Period] = []
        for begin, end in sorted(self._left_out.get(problem_id, ())):
            low, high = max(first, begin // HOUR), min(last, -(-end // HOUR))
            if joined and low < joined[-1][1]:
                low = joined[-1][1]
            if low < high:
                joined.append((low, high))
        return joined

    def dispersion(self, share: Share, minutes: int) -> float:
        """How counts of a window scatter around share × volume, variance = mean + φ·mean²: by themselves, and because
        the share is not known well."""
        own = self.scatter[max((length for length in self.scatter if length * 60 <= minutes), default=1)]
        return own + (1 + own) / share.shape

    # --- what is learned from all problems

    def _new_problems(self) -> Share:
        """What the problems of the last four weeks brought in the day after they were first heard."""
        day = DAY * HOUR
        since = max(self._now - 28 * DAY, self._start + _AFTER_DAYS * DAY) * HOUR
        until = (self._now - DAY) * HOUR
        heads = self._heads
        opened = [(heads.first(problem_id), problem_id) for problem_id in heads]
        young = nlargest(_NEW_AT_MOST, (item for item in opened if since < item[0] <= until))
        seen, volume = [], []
        for second, problem_id in young:
            if any(begin < second + day for begin, _ in self._left_out.get(problem_id, ())):
                continue
            hour = second // HOUR - self._start
            seen.append(heads.voters(problem_id, second - 1, second + day) - 1)
            volume.append(float(self.volumes[hour : hour + DAY].sum()))
        typical = self.level * DAY
        unknown = NEW_CUSTOMERS if self.known else UNKNOWN_PROBLEM * DAY
        mean = (sum(seen) + NEW_PROBLEMS * unknown) / (sum(volume) + NEW_PROBLEMS * typical)
        return Share(float(mean), NEW_SHAPE)

    def _scatter(self) -> dict[int, float]:
        """The dispersion of counts by the length of their window in hours, pooled over the largest problems."""
        since = self._now - 28 * DAY
        if not self.known or self._now - self._start < 2 * DAY:
            return dict.fromkeys(_SCATTER_DAYS, UNTRIED)
        sizes = ((self._heads.sightings(item, since * HOUR, self._now * HOUR), item) for item in self._heads)
        largest = [item for size, item in nlargest(_SCATTERED, sizes) if size >= DAY]
        if not largest:
            return dict.fromkeys(_SCATTER_DAYS, UNTRIED)
        found = {}
        for hours, days in _SCATTER_DAYS.items():
            begin = max(self._start, self._now - days * DAY)
            found[hours] = self._scatter_over(largest, begin, hours)
        return found

    def _scatter_over(self, problems: Sequence[str], begin: int, hours: int) -> float:
        count = (self._now - begin) // hours
        if count < 2:
            return UNTRIED
        begin = self._now - count * hours
        volumes = self.volumes[begin - self._start :].reshape(count, hours).sum(1)
        seen, hoped = [], []
        for problem_id in problems:
            heard = self._heads.spells(problem_id, begin * HOUR, self._now * HOUR)
            row = np.bincount((heard - begin) // hours, minlength=count).astype(float)
            kept = np.ones(count, dtype=bool)
            for low, high in self._periods(problem_id, begin, self._now):
                kept[(low - begin) // hours : -((begin - high) // hours)] = False
            if kept.sum() < 2:
                continue
            # Against the problem's own mean of the same days: its drift is no scatter.
            mean = volumes * row[kept].sum() / max(float(volumes[kept].sum()), 1e-9)
            seen.append(row[kept])
            hoped.append(np.maximum(mean[kept], 1e-6))
        if not seen:
            return UNTRIED
        return float(dispersions(np.concatenate(seen)[None], np.concatenate(hoped)[None])[0])


def _local_days(hours: np.ndarray, zone: tzinfo) -> np.ndarray:
    return np.array([datetime.fromtimestamp(int(h) * HOUR, UTC).astimezone(zone).toordinal() for h in hours])
