"""The rhythm of a shop's traffic: what an hour of the week usually brings, and at which level the shop stands now.

λ(hour) = level × profile[hour of the week] × effect of the day. Each factor is a ratio of counts to what the others
expected of the same hours, which for counts is the maximum-likelihood estimate and needs no hour to be busy.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Hours: TypeAlias = NDArray[np.int64]
"""Whole hours since 1970-01-01T00:00Z."""

WEEK = 168
DAY = 24
_MONDAY = 72
"""1970-01-01 was a Thursday: hours from the Monday before."""
_EPOCH = date(1970, 1, 1).toordinal()

PROFILE_HALF_LIFE = 42.0
"""Days after which an hour counts half in the profile."""
LEVEL_HALF_LIFE = 5.0
PRIOR_WEEKS = 1.5
"""The product of hour of day and day of week weighs as much as this many weeks of the hour itself."""
PRIOR_ARRIVALS = 6.0
"""A series of few arrivals takes the shop's profile: its own counts beside this many an hour of the week."""
UNUSUAL = 0.4
"""A day is unusual when its log ratio to the days around it is beyond this and beyond 4 deviations."""
TWICE = 0.69
"""A log ratio beyond which a day is unusual however much the others scatter, but for chance alone."""
AROUND = 7
"""Days before and after that tell what is usual around a day."""
PROMOTION_EFFECT = 1.8
"""What a promotion brings before one was seen; it weighs as much as one promotion day."""
RECENT_HALF_LIFE = 6.0
RECENT_PRIOR = 25.0
"""Today's departure from the rhythm, in hours of memory, shrunk by this many expected arrivals."""
RECENT_FADES = 20.0
"""Hours over which today's departure loses its hold on the hours to come."""
MISSED = 24.0
"""Arrivals that a silence must have swallowed to be a gap: chance makes it in 1 of 10^10 hours."""
SIGMA = 1.4826
"""Standard deviations of a normal distribution in its median absolute deviation."""
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What a fit found, one row a series; `expected` reads it off for any hours.

    `level` is arrivals an hour, `profile` has mean 1 over a week, `recent` is how far the last hours departed from
    both. `promotions` are local days (ordinals) on which `promotion_effect` multiplies the whole shop.
    """

    zone: tzinfo
    now: int
    level: Floats
    profile: Floats
    recent: Floats
    promotions: frozenset[int]
    promotion_effect: float
    unusual_days: frozenset[int]

    def expected(self, hours: Hours, *, recent: bool = True) -> Floats:
        """Arrivals to expect in each of `hours`, shape (series, hours).

        Without `recent` only the slow parts speak: what would be usual, whatever goes on today.
        """
        local = local_hours(hours, self.zone)
        mean: Floats = self.level[:, None] * self.profile[:, _slots(local)]
        promoted = np.isin(local // DAY + _EPOCH, sorted(self.promotions))
        mean = mean * np.where(promoted, self.promotion_effect, 1.0)
        if recent:
            fading = np.exp(-np.maximum(hours - self.now, 0) / RECENT_FADES)
            mean = mean * self.recent[:, None] ** fading
        return mean


def fit(
    start: int, counts: Floats, zone: tzinfo, *, promotions: Collection[date] = (), by_week: bool = True
) -> Rhythm:
    """The rhythm of complete hours: `counts` has shape (hours, series), `start` is the first hour.

    The first series is the whole shop: its days tell which were unusual, and its profile is the prior of the
    others. Unusual days, found or named in `promotions`, teach neither profile nor level, nor do gaps (see `gaps`),
    in which nothing was told. Without `by_week` the hours of a day stand for those of the week, for histories of
    less than two.
    """
    hours = np.arange(start, start + len(counts), dtype=np.int64)
    local = local_hours(hours, zone)
    slot, day = _slots(local), local // DAY
    first, last = int(day[0]), int(day[-1])
    of_day = day - first
    declared = frozenset(item.toordinal() for item in promotions)
    age = (len(counts) - 1 - np.arange(len(counts))) / DAY
    whole = counts[:, 0]
    told = ~gaps(whole)
    named = told & ~np.isin(day + _EPOCH, sorted(declared))
    usual = named
    profile = np.ones((counts.shape[1], WEEK))
    around = np.ones(len(counts))
    ratio = np.ones(last - first + 1)
    for _ in range(_ROUNDS):
        around, ratio = _days(whole, np.where(told, profile[0][slot], 0.0), of_day, usual)
        if by_week:
            usual = named & ~_unusual(whole, profile[0], slot, of_day, named)[of_day]
        weights = _fading(age, PROFILE_HALF_LIFE, usual, told)
        profile = _profiles(counts, around, slot, weights, by_week=by_week)
    weights = _fading(age, LEVEL_HALF_LIFE, usual, told)
    shape = profile[:, slot]
    level = (weights @ counts) / np.maximum(shape @ weights, 1e-9)
    effect = _promotion_effect(ratio, sorted(declared), first + _EPOCH)
    promoted = np.where(np.isin(day + _EPOCH, sorted(declared)), effect, 1.0)
    recent = _recent(counts, level[:, None] * shape * promoted, told)
    odd = frozenset(int(item) + _EPOCH for item in np.unique(day[named & ~usual]))
    return Rhythm(
        zone, start + len(counts) - 1, level, profile, recent, declared, effect, frozenset(odd - declared)
    )


def gaps(whole: Floats) -> NDArray[np.bool_]:
    """The hours in which nothing was told, though somebody must have come: shape (hours,).

    A day or more of silence is a gap when the shop's usual traffic makes it all but impossible, and when the shop
    is not silent for about as long every other week, as at weekends.
    """
    silent = np.concatenate([[False], whole == 0, [False]])
    turns = np.flatnonzero(silent[1:] != silent[:-1])
    runs = [(int(begin), int(end)) for begin, end in zip(turns[::2], turns[1::2], strict=True)]
    long = [run for run in runs if run[1] - run[0] >= DAY]
    found = np.zeros(len(whole), dtype=bool)
    alive = len(whole) - sum(end - begin for begin, end in long)
    if not long or not alive:
        return found
    for begin, end in long:
        alike = sum(3 * (other[1] - other[0]) >= 2 * (end - begin) for other in long)
        expected = (end - begin) * float(whole.sum()) / alive
        if expected >= MISSED and alike <= max(1, alive / WEEK / 2):
            found[begin:end] = True
    return found


def _fading(age: Floats, half_life: float, usual: NDArray[np.bool_], told: NDArray[np.bool_]) -> Floats:
    """What each hour weighs by its age in days: the usual ones; without any those that were told, else all."""
    weights: Floats = np.exp2(-age / half_life)
    for kept in (usual, told):
        if kept.any():
            return np.where(kept, weights, 0.0)
    return weights


def _days(whole: Floats, shape: Floats, of_day: Hours, usual: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The level around each hour, and the ratio of each day to the level of the days around it."""
    size = int(of_day[-1]) + 1
    seen = np.bincount(of_day, whole, size)
    expected = np.bincount(of_day, shape, size)
    kept = np.bincount(of_day, usual, size) > 0
    distance = np.abs(np.arange(size)[:, None] - np.arange(size)[None, :])
    nearness = np.exp2(-distance / LEVEL_HALF_LIFE) * kept
    if not kept.any():
        nearness = np.exp2(-distance / LEVEL_HALF_LIFE)
    level = (nearness @ seen) / np.maximum(nearness @ expected, 1e-9)
    np.fill_diagonal(nearness, 0.0)
    others = (nearness @ seen + 1e-9) / np.maximum(nearness @ expected, 1e-9)
    ratio = (seen + 1.0) / (others * expected + 1.0)
    return np.maximum(level, 1e-9)[of_day], ratio


def _unusual(
    whole: Floats, shape: Floats, slot: Hours, of_day: Hours, named: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which days stand out from the days around them and from the other days of the same name, shape (days,).

    Medians all along, so that one day of many arrivals does not hide behind what it did to a mean: in a month a
    weekday has four days, of which one outlier moves the profile by a quarter of itself. Only hours of `named` count.
    """
    size = int(of_day[-1]) + 1
    table = shape.reshape(7, DAY)
    by_hour = (table / np.maximum(table.mean(1, keepdims=True), 1e-9)).reshape(WEEK)
    seen = np.bincount(of_day, np.where(named, whole, 0.0), size)
    hours = np.bincount(of_day, np.where(named, by_hour[slot], 0.0), size)
    told = np.bincount(of_day, named, size) > 0
    found = np.zeros(size, dtype=bool)
    if told.sum() < 10:
        return found
    logs = np.log((seen + 1.0) / (hours + 1.0))
    off = np.zeros(size)
    for day in np.flatnonzero(told).tolist():
        near = np.arange(max(0, day - AROUND), min(size, day + AROUND + 1))
        near = near[told[near] & (near != day)]
        off[day] = logs[day] - np.median(logs[near]) if len(near) else 0.0
    weekday = np.zeros(size, dtype=np.int64)
    weekday[of_day] = slot // DAY
    for name in range(7):
        same = told & (weekday == name)
        if same.any():
            off[same] -= _surely(off[same])
    middle = float(np.median(off[told]))
    spread = SIGMA * float(np.median(np.abs(off[told] - middle)))
    hoped = np.exp(logs - np.maximum(off, 0.0)) * (hours + 1.0)
    by_chance = 4.0 / np.sqrt(hoped)
    far: NDArray[np.bool_] = np.abs(off - middle) > np.maximum(by_chance, np.clip(4 * spread, UNUSUAL, TWICE))
    return np.asarray(told & far, dtype=np.bool_)


def _surely(values: Floats) -> float:
    """The median of some values, drawn to 0 by twice its own error."""
    middle = float(np.median(values))
    error = 1.25 * SIGMA * float(np.median(np.abs(values - middle))) / np.sqrt(len(values))
    return float(np.sign(middle) * max(0.0, abs(middle) - 2 * error))


def _profiles(counts: Floats, around: Floats, slot: Hours, weights: Floats, *, by_week: bool) -> Floats:
    """Hour-of-week profiles with mean 1, shape (series, 168): own counts, shrunk to the product of hour of day and
    day of week, the shop's profile standing behind the others'."""
    profiles = np.empty((counts.shape[1], WEEK))
    scale = float(np.average(around, weights=weights))
    weeks = _summed(slot, weights * around)
    for series in range(counts.shape[1]):
        seen = _summed(slot, weights * counts[:, series])
        share = float(seen.sum()) / max(float(weeks.sum()), 1e-9)
        expected: Floats = weeks * share
        if series == 0:
            prior = _product(seen, expected)
            pseudo = np.full(WEEK, PRIOR_WEEKS * scale * share)
            if not by_week:
                seen, expected = np.zeros(WEEK), np.zeros(WEEK)
        else:
            prior = profiles[0] * _hour_ratio(seen, expected * profiles[0])
            pseudo = np.full(WEEK, PRIOR_ARRIVALS + PRIOR_WEEKS * scale * share)
            if not by_week:
                seen, expected = np.zeros(WEEK), np.zeros(WEEK)
        profile = (seen + pseudo * prior + 1e-9) / (expected + pseudo + 1e-9)
        profiles[series] = profile / profile.mean()
    return profiles


def _summed(slot: Hours, values: Floats) -> Floats:
    return np.asarray(np.bincount(slot, values, WEEK), dtype=np.float64)


def _product(seen: Floats, expected: Floats) -> Floats:
    """Hour of day times day of week, each shrunk a little towards 1."""
    table, base = seen.reshape(7, DAY), expected.reshape(7, DAY)
    hour = (table.sum(0) + 1.0) / (base.sum(0) + 1.0)
    by_day = base * hour
    day = (table.sum(1) + 5.0) / (by_day.sum(1) + 5.0)
    return np.asarray(day[:, None] * hour[None, :], dtype=np.float64).reshape(WEEK)


def _hour_ratio(seen: Floats, expected: Floats) -> Floats:
    """How a series departs from the shop by hour of day, for the whole week."""
    table, base = seen.reshape(7, DAY).sum(0), expected.reshape(7, DAY).sum(0)
    ratio = (table + PRIOR_ARRIVALS) / (base + PRIOR_ARRIVALS)
    return np.asarray(np.tile(ratio, 7), dtype=np.float64)


def _promotion_effect(ratio: Floats, declared: Collection[int], first: int) -> float:
    """The mean effect of the promotion days that were seen, in logarithms, with one day of prior."""
    seen = [float(np.log(ratio[day - first])) for day in declared if 0 <= day - first < len(ratio)]
    return float(np.exp((np.log(PROMOTION_EFFECT) + sum(seen)) / (1 + len(seen))))


def _recent(counts: Floats, expected: Floats, told: NDArray[np.bool_]) -> Floats:
    """How the last hours departed from what was expected of them, as far as they were told, shape (series,)."""
    age = np.arange(len(counts))[::-1]
    weights = np.where(told, np.exp2(-age / RECENT_HALF_LIFE), 0.0)
    seen, hoped = weights @ counts, expected @ weights
    ratio: Floats = (seen + RECENT_PRIOR) / (hoped + RECENT_PRIOR)
    # What the whole shop goes through, its parts go through: theirs is shrunk towards the shop's.
    ratio[1:] = (seen[1:] + RECENT_PRIOR * ratio[0]) / (hoped[1:] + RECENT_PRIOR)
    return ratio


def hour_of(at: datetime) -> int:
    """The hour since 1970 that a moment lies in."""
    return int(at.timestamp() // 3600)


def local_hours(hours: Hours, zone: tzinfo) -> Hours:
    """Hours since 1970 on the wall clocks of `zone`, daylight saving included; part hours are rounded down."""
    if not len(hours):
        return hours
    offsets = np.empty(len(hours), dtype=np.int64)
    for begin in range(0, len(hours), DAY):
        some = hours[begin : begin + DAY]
        first, last = _offset(int(some[0]), zone), _offset(int(some[-1]), zone)
        offsets[begin : begin + DAY] = first if first == last else [_offset(int(hour), zone) for hour in some]
    return np.asarray((hours * 3600 + offsets) // 3600, dtype=np.int64)


def _offset(hour: int, zone: tzinfo) -> int:
    return int((datetime.fromtimestamp(hour * 3600, zone).utcoffset() or timedelta()).total_seconds())


def hour_of_week(hours: Hours, zone: tzinfo) -> Hours:
    """0 for Monday 00:00 to 167 for Sunday 23:00, on the wall clocks of `zone`."""
    return _slots(local_hours(hours, zone))


def _slots(local: Hours) -> Hours:
    """The hour of the week of hours on local wall clocks."""
    return np.asarray((local + _MONDAY) % WEEK, dtype=np.int64)
