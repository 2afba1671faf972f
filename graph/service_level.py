"""How long a customer may have to wait, and how much of that has passed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from graph.customer_value import named_in
from graph.models import Band
from graph.rules import Rules

BANDS: tuple[Band, ...] = ("urgent", "high", "normal", "low")
"""The tiers of service, 1 to 4, by band of priority; the first is the fastest."""
_RULES = Rules()


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What is promised for a case: its tier (1 is the fastest) and when it is due."""

    tier: int
    first_response_due: datetime
    resolve_due: datetime


def sla(band: Band, customer_tier: str | None, at: datetime, rules: Rules | None = None) -> ServiceLevel:
    """The service level of a case opened at `at`: by its band of priority, and faster for tiers that are lifted.

    What is promised, and to whom how much more, is the shop's (`service_levels`, `tier_lifts`). By default a first
    reply and a solution within 5 min and 4 h (tier 1), 15 min and 8 h, 1 h and 24 h, 4 h and 72 h (4).
    """
    chosen = rules or _RULES
    lift = int(named_in(customer_tier, chosen.tier_lifts))
    tier = max(1, BANDS.index(band) + 1 - lift)
    promise = chosen.service_levels[BANDS[tier - 1]]
    return ServiceLevel(
        tier,
        at + timedelta(minutes=promise.first_response_minutes),
        at + timedelta(minutes=promise.resolve_minutes),
    )


def consumed(level: ServiceLevel, opened_at: datetime, now: datetime) -> float:
    """The share of the time for a first reply that has passed at `now`; above 1 when it is overdue."""
    return max(0.0, (now - opened_at) / (level.first_response_due - opened_at))


def used_words(used: float, *, chinese: bool) -> str:
    """The used-up share of the time for a first reply as people say it: a share until it is due, times afterwards."""
    if used < 1:
        share = max(1, min(99, round(100 * used)))
        return f"首次响应时限已用 {share}%" if chinese else f"{share}% of the time for a first reply is used"
    times = math.floor(used) if used >= 10 else math.floor(10 * used) / 10
    if times <= 1:
        return "首次响应时限已用完" if chinese else "the time for a first reply is used up"
    if chinese:
        return f"等待首次响应已是承诺时间的 {times:g} 倍"
    return f"waits {times:g} times the promised time for a first reply"


@dataclass(frozen=True, slots=True)
class Disorder:
    """A promise of a band that is later than that of a less urgent one, which promises `most` minutes."""

    band: Band
    name: str
    slower: Band
    most: float


def disorder(rules: Rules) -> tuple[Disorder, ...]:
    """Where somebody more urgent would be promised less."""
    return tuple(
        Disorder(band, name, slower, _minutes(rules, slower)[name])
        for band, slower in pairwise(BANDS)
        for name, minutes in _minutes(rules, band).items()
        if minutes > _minutes(rules, slower)[name]
    )


def _minutes(rules: Rules, band: Band) -> Mapping[str, float]:
    promise = rules.service_levels[band]
    return {
        "first_response_minutes": promise.first_response_minutes,
        "resolve_minutes": promise.resolve_minutes,
    }
