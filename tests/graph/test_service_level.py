from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from graph.models import Band
from graph.rules import Promise, Rules
from graph.service_level import BANDS, consumed, disorder, sla

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


def test_promises_and_lifts_are_the_shops() -> None:
    fast = {band: Promise(1 + place, 10 + place) for place, band in enumerate(BANDS)}
    rules = Rules(service_levels=fast, tier_lifts={"Ruby": 2, "bronze": 1})
    assert sla("low", None, T, rules).first_response_due == T + timedelta(minutes=4)
    assert sla("low", "ruby", T, rules).tier == 2
    assert sla("low", "青铜会员", T, rules).tier == 3
    assert sla("low", "gold", T, rules).tier == 4, "this shop promises gold no more"
    assert sla("urgent", "ruby", T, rules).tier == 1


def test_the_usual_tiers_are_lifted_in_any_language() -> None:
    for tier in ("金卡", "Gold-Kunde", "プラチナ", "VIP", "钻石会员"):
        assert sla("normal", tier, T).tier == 2, tier
    for tier in ("银卡", "regular", "", "普通会员"):
        assert sla("normal", tier, T).tier == 3, tier


def test_what_is_more_urgent_is_promised_no_later() -> None:
    assert disorder(Rules()) == ()
    same = dict.fromkeys(BANDS, Promise(60, 600))
    assert disorder(Rules(service_levels=same)) == ()
    late = {**Rules().service_levels, "high": Promise(90, 3000)}
    found = [(item.band, item.name, item.slower, item.most) for item in disorder(Rules(service_levels=late))]
    assert found == [
        ("high", "first_response_minutes", "normal", 60),
        ("high", "resolve_minutes", "normal", 24 * 60),
    ]
