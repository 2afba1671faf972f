"""How long a customer may have to wait, and how much of that has passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.models import Band

VALUED_TIERS = frozenset({"gold", "platinum"})

_TIER: Mapping[Band, int] = {"urgent": 1, "high": 2, "normal": 3, "low": 4}
_TIMES: Mapping[int, tuple[timedelta, timedelta]] = {
    1: (timedelta(minutes=5), timedelta(hours=4)),
    2: (timedelta(minutes=15), timedelta(hours=8)),
    3: (timedelta(hours=1), timedelta(hours=24)),
    4: (timedelta(hours=4), timedelta(hours=72)),
}


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What is promised for a case: its tier (1 is the fastest) and when it is due."""

    tier: int
    first_response_due: datetime
    resolve_due: datetime


def sla(band: Band, customer_tier: str | None, at: datetime) -> ServiceLevel:
    """The service level of a case opened at `at`: by its band of priority, one tier up for valued customers.

    First reply and solution within 5 min and 4 h (tier 1), 15 min and 8 h, 1 h and 24 h, 4 h and 72 h (4).
    """
    lift = customer_tier is not None and customer_tier.casefold() in VALUED_TIERS
    tier = max(1, _TIER[band] - lift)
    reply, solution = _TIMES[tier]
    return ServiceLevel(tier, at + reply, at + solution)


def consumed(level: ServiceLevel, opened_at: datetime, now: datetime) -> float:
    """The share of the time for a first reply that has passed at `now`; above 1 when it is overdue."""
    return max(0.0, (now - opened_at) / (level.first_response_due - opened_at))
