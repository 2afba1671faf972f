"""Surges planted in simulated shops: how many are found, how soon, and how often there is a false one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from time import process_time

import numpy as np

from bench.simulated_traffic import PARTS, START, ZONE, History, Planted, simulated
from graph.arrivals import Counted
from graph.rhythm import DAY, Floats
from graph.surges import Surge, SurgeWatch, usual

SURGES = 6
QUIET_DAYS = 28
"""Days of history before the first surge; the watch begins then."""
CUSTOMERS = 5
BINS = ((6.0, 10.0), (10.0, 14.0), (14.0, 20.1))
KEYS = tuple(f"part-{number}" for number in range(PARTS))


@dataclass
class Tally:
    days: int = 0
    arrivals: int = 0
    seconds: float = 0.0
    false: int = 0
    on_special_days: int = 0
    """Of the false: on the promotion day that nobody declared, which is more than usual in truth."""
    planted: dict[str, int] = field(default_factory=dict)
    delays: dict[str, list[float]] = field(default_factory=dict)
    closed: list[float] = field(default_factory=list)
    """Minutes from the end of a surge to the all-clear."""


def planted_table(seeds: Sequence[int]) -> Iterator[str]:
    tally = Tally()
    for seed in seeds:
        _play(seed, tally)
    yield f"| planted surges, {tally.days:,} days of {len(seeds)} shops | found | median delay | P90 |"
    yield "| --- | ---: | ---: | ---: |"
    for name, number in sorted(tally.planted.items(), key=lambda item: _order(item[0])):
        delays = tally.delays.get(name, [])
        middle, late = (f"{np.quantile(delays, q):.0f} min" if delays else "–" for q in (0.5, 0.9))
        yield f"| {name} | {len(delays)} of {number} | {middle} | {late} |"
    yield ""
    ordinary = tally.false - tally.on_special_days
    yield (
        f"False surges a day: {ordinary / tally.days:.3f} on ordinary days, besides {tally.on_special_days} on "
        f"{len(seeds)} promotion days that the shop did not declare and {len(seeds)} holidays. All-clear "
        f"{np.median(tally.closed):.0f} min (median) after the end. {1e6 * tally.seconds / tally.arrivals:.0f} µs an "
        "arrival, the hourly and daily refits included."
    )


def _play(seed: int, tally: Tally) -> None:
    history = simulated(seed, surges=SURGES, quiet_days=QUIET_DAYS)
    counts = np.column_stack([history.counts.sum(1), history.counts])
    begun = process_time()
    turned, arrivals = _watched(history, counts, np.random.default_rng(seed + 1000))
    tally.seconds += process_time() - begun
    tally.arrivals += arrivals
    tally.days += len(counts) // DAY - QUIET_DAYS
    for item in history.planted:
        tally.planted[_name(item)] = tally.planted.get(_name(item), 0) + 1
    found: set[int] = set()
    for surge in turned:
        begin = surge.opened_at.timestamp() / 3600 - START
        place = next((n for n, item in enumerate(history.planted) if _is_of(surge, begin, item)), None)
        if surge.closed_at is not None:
            if place is not None:
                item = history.planted[place]
                end = surge.closed_at.timestamp() / 3600 - START
                tally.closed.append((end - item.hour - item.hours) * 60)
        elif place is None:
            tally.false += 1
            tally.on_special_days += _special(surge, history)
        elif place not in found:
            found.add(place)
            item = history.planted[place]
            tally.delays.setdefault(_name(item), []).append((begin - item.hour) * 60)


def _watched(history: History, counts: Floats, chance: np.random.Generator) -> tuple[list[Surge], int]:
    """Every arrival in order, at a random moment of its hour: the surges that began or ended, and how many came."""
    watch, turned, number = SurgeWatch(), list[Surge](), 0
    dispersion = None
    for hour in range(QUIET_DAYS * DAY, len(counts)):
        known = Counted(history.start, counts[:hour], KEYS)
        held = dispersion if hour % DAY else None
        now = usual(known, ZONE, promotions=history.promotions, dispersion=held)
        assert now is not None
        dispersion = now.dispersion
        first = (history.start + hour) * 3600.0
        came = sorted(
            (float(at), part)
            for part in range(PARTS)
            for at in chance.uniform(first, first + 3600.0, int(history.counts[hour, part]))
        )
        for seconds, part in came:
            number += 1
            at = datetime.fromtimestamp(seconds, UTC)
            watch.hear(at, f"case-{number}", KEYS[part])
            turned += watch.judge(at, now, KEYS[part], customers=CUSTOMERS)
    return turned, number


def _is_of(surge: Surge, begin: float, item: Planted) -> bool:
    during = item.hour <= begin <= item.hour + item.hours
    return during and (item.part < 0 or surge.expertise_id in (None, KEYS[item.part]))


def _name(item: Planted) -> str:
    if item.part < 0:
        return "the whole shop ×1.7 to ×2.5"
    low, high = next(ends for ends in BINS if item.extra < ends[1])
    return f"one part, {low:.0f} to {high:.0f} more an hour"


def _order(name: str) -> tuple[float, str]:
    return next((float(word) for word in name.split() if word.isdigit()), 99.0), name


def _special(surge: Surge, history: History) -> bool:
    day = date.fromordinal(
        int((surge.opened_at.timestamp() / 3600 + 8) // DAY) + date(1970, 1, 1).toordinal()
    )
    return day in history.undeclared or day in history.holidays
