from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from graph.models import Band
from graph.service_level import consumed, sla

T = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("band", "customer", "tier", "minutes", "hours"),
    [
        ("urgent", None, 1, 5, 4),
        ("urgent", "platinum", 1, 5, 4),
        ("high", "regular", 2, 15, 8),
        ("high", "gold", 1, 5, 4),
        ("normal", "silver", 3, 60, 24),
        ("normal", "Gold", 2, 15, 8),
        ("low", None, 4, 240, 72),
        ("low", "platinum", 3, 60, 24),
    ],
)
def test_levels(band: Band, customer: str | None, tier: int, minutes: int, hours: int) -> None:
    level = sla(band, customer, T)
    assert level.tier == tier
    assert level.first_response_due == T + timedelta(minutes=minutes)
    assert level.resolve_due == T + timedelta(hours=hours)


def test_more_urgent_is_never_later() -> None:
    bands: tuple[Band, ...] = ("urgent", "high", "normal", "low")
    for sooner, later in pairwise(sla(band, None, T) for band in bands):
        assert sooner.first_response_due < later.first_response_due
        assert sooner.resolve_due < later.resolve_due


@pytest.mark.parametrize(("minutes", "share"), [(-5, 0.0), (0, 0.0), (30, 0.5), (60, 1.0), (90, 1.5)])
def test_how_much_is_used(minutes: int, share: float) -> None:
    assert consumed(sla("normal", None, T), T, T + timedelta(minutes=minutes)) == pytest.approx(share)
